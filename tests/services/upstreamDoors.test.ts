// The whole service and the doctor at a Mosquitto behind each kind of door: TLS with a private authority and a certificate of ours,
// WebSocket, WebSocket over TLS; and what the service says, and how it recovers, where the broker does not let it in.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { type TankPlant, tankPlant } from '../app/tankPlant.ts'
import { Authority } from '../authority.ts'
import { LiveService, runFenghuo } from '../liveService.ts'
import { freePort } from './freePort.ts'
import { type MosquittoForTests, openMosquitto } from './mosquittoServer.ts'

const WAIT = { timeout: 30_000, interval: 50 }
const DAY = 86_400_000
const ends = { soon: new Date(Date.now() + 10 * DAY), later: new Date(Date.now() + 80 * DAY) }
const day = (at: Date): string => at.toISOString().slice(0, 10)

let folder: string
let ca: Authority
let client: { cert: string; key: string }
let broker: MosquittoForTests
const ports = { mqtts: 0, ws: 0, wss: 0, named: 0 }
let plant: TankPlant
let service: LiveService | null = null

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-doors-'))
  mkdirSync(path.join(folder, 'ca'))
  ca = new Authority(path.join(folder, 'ca'))
  const server = ca.issue('broker', { san: 'DNS:localhost,IP:127.0.0.1', usage: 'serverAuth', to: ends.soon })
  client = ca.issue('fenghuo', { usage: 'clientAuth', to: ends.later })
  const passwords = path.join(folder, 'passwords')
  spawnSync('mosquitto_passwd', ['-b', '-c', passwords, 'fenghuo', 'right'])
  // Mosquitto gives up root before it reads these.
  spawnSync('chmod', ['-R', 'a+rX', folder])
  for (const file of [server.key, passwords]) chmodSync(file, 0o644)
  for (const name of ['mqtts', 'ws', 'wss', 'named'] as const) ports[name] = await freePort()
  const tls = [`cafile ${ca.cert}`, `certfile ${server.cert}`, `keyfile ${server.key}`]
  broker = await openMosquitto({
    lines: [
      'allow_anonymous true',
      ...[`listener ${ports.mqtts} 127.0.0.1`, 'allow_anonymous true', ...tls, 'require_certificate true'],
      ...[`listener ${ports.ws} 127.0.0.1`, 'allow_anonymous true', 'protocol websockets'],
      ...[`listener ${ports.wss} 127.0.0.1`, 'allow_anonymous true', 'protocol websockets', ...tls],
      ...[`listener ${ports.named} 127.0.0.1`, 'allow_anonymous false', `password_file ${passwords}`]
    ],
    perListener: true
  })
})

afterAll(async () => {
  await broker?.close()
  rmSync(folder, { recursive: true, force: true })
})

beforeEach(() => {
  plant = tankPlant()
})

afterEach(async () => {
  await service?.kill()
  service = null
  plant.remove()
})

async function start(url: string, settings = ''): Promise<LiveService> {
  plant.write('fenghuo.yaml', `logLevel: info\nmqtt: { url: "${url}", broker: { ${settings} } }\n`)
  service = await LiveService.start({ config: plant.config, data: path.join(plant.folder, 'data') })
  return service
}

async function brokerHealth(): Promise<string | null> {
  const { parts } = await service!.get<{ parts: { part: string; problem: string | null }[] }>('/healthz')
  return parts.find(({ part }) => part === 'MQTT broker')!.problem
}

/** What a gateway publishes comes in. */
async function hears(): Promise<void> {
  await vi.waitFor(async () => expect(await brokerHealth()).toBeNull(), WAIT)
  const before = (await service!.metrics()).get('fenghuo_messages_journaled_total') ?? 0
  const message = JSON.stringify({ device: 'T-0', values: { level_pct: 50 } })
  const args = ['-p', String(broker.port), '-q', '1', '-t', 'fh/1/gw-0/telemetry', '-m', message]
  expect(spawnSync('mosquitto_pub', args).status).toBe(0)
  await vi.waitFor(async () => expect((await service!.metrics()).get('fenghuo_messages_journaled_total')).toBe(before + 1), WAIT)
}

const doctor = async (): Promise<string[]> =>
  (await runFenghuo(['doctor', '--config', plant.config], { FENGHUO_DATA: path.join(plant.folder, 'data') })).output
    .split('\n')
    .filter((line) => line.includes('MQTT broker:'))

it.each(['mqtts', 'ws', 'wss'] as const)(
  'hears what gateways publish by %s, and the doctor says how long certificates last',
  async (scheme) => {
    const trust = `ca: "${ca.cert}"`
    const settings = { mqtts: `${trust}, cert: "${client.cert}", key: "${client.key}"`, ws: '', wss: trust }[scheme]
    const address = `${scheme}://localhost:${ports[scheme]}`
    await start(address, settings)
    await hears()
    const shown = `${address}${scheme === 'mqtts' ? '' : '/'}`
    const said = [`ok    MQTT broker: ${shown} lets us in by MQTT 5, and our user reads and writes what it must.`]
    if (scheme !== 'ws') said.push(`warn  MQTT broker: Its certificate is valid until ${day(ends.soon)}.`)
    if (scheme === 'mqtts') said.push(`ok    MQTT broker: Our own certificate (mqtt.broker.cert) is valid until ${day(ends.later)}.`)
    expect(await doctor()).toEqual(said)
  }
)

it('says that it believes no stranger, and what is missing where the broker asks for a certificate', async () => {
  await start(`mqtts://localhost:${ports.mqtts}`)
  await vi.waitFor(async () => expect(await brokerHealth()).toMatch(/no secure connection comes about \(.*\): see mqtt\.broker\.ca/), WAIT)
  expect((await doctor())[0]).toMatch(/^fail {2}MQTT broker: mqtts:.*no secure connection comes about/)
})

it('says that its password is refused, and gets in once the file holds the right one', async () => {
  plant.write('broker-password', 'wrong\n')
  await start(`mqtt://localhost:${ports.named}`, 'username: fenghuo, password: "file:broker-password"')
  await vi.waitFor(async () => expect(await brokerHealth()).toMatch(/fenghuo.*mqtt\.broker\.username and mqtt\.broker\.password/), WAIT)
  expect((await doctor())[0]).toMatch(/^fail {2}MQTT broker: .*mqtt\.broker\.password/)
  expect((await service!.metrics()).get('fenghuo_mqtt_connections')).toBe(0)
  plant.write('broker-password', 'right\n')
  await hears()
})

/** A broker that knows MQTT 3.1.1 only, in front of the real one. */
async function olderBroker(): Promise<Server> {
  const server = createServer((near) => {
    near.on('error', () => {})
    near.once('data', (first) => {
      if (first[first.indexOf('MQTT') + 4] === 5) return void near.end(Buffer.from([0x20, 2, 0, 1]))
      const far = connect(broker.port, broker.host)
      far.on('error', () => near.destroy())
      far.write(first)
      near.pipe(far).pipe(near)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return server
}

it('says which protocol to set where the broker speaks no MQTT 5, and works with that', async () => {
  const server = await olderBroker()
  const { port } = server.address() as { port: number }
  const url = `mqtt://127.0.0.1:${port}`
  await start(url)
  await vi.waitFor(async () => expect(await brokerHealth()).toMatch(/it does not speak MQTT 5: set mqtt\.broker\.protocol to 4/), WAIT)
  expect(await service!.stop()).toBe(0)
  await start(url, 'protocol: 4')
  await hears()
  await service!.kill()
  server.close()
})
