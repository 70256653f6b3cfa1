// The whole service at a Mosquitto while it cannot keep anything: with a full disk, with PostgreSQL away. Nothing is acknowledged to
// the broker meanwhile, the connection stays, and everything is there once it can. And gateways that are taken out through the API.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt } from '../../src/platform/mqtt.ts'
import { type TankPlant, tankPlant } from '../app/tankPlant.ts'
import { LiveService, runFenghuo } from '../liveService.ts'
import { type MosquittoForTests, openMosquitto } from './mosquittoServer.ts'
import { openPostgres, type PostgresServer } from './postgresServer.ts'
import { SmallDisk } from './smallDisk.ts'
import { TcpProxy } from './tcpProxy.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
/** More than may be on their way at once, so that the socket is not read any more. */
const MESSAGES = 2_600
const WAIT = { timeout: 60_000, interval: 100 }
const clock = new SystemClock()
let plant: TankPlant
let broker: MosquittoForTests
let service: LiveService | null = null

beforeEach(async () => {
  plant = tankPlant()
  broker = await openMosquitto({ lines: ['allow_anonymous true', 'max_inflight_messages 0'] })
})

afterEach(async () => {
  await service?.kill()
  await broker?.close()
  service = null
  plant.remove()
})

async function start(data: string, env: Record<string, string> = {}): Promise<LiveService> {
  service = await LiveService.start({ config: plant.config, data, env: { FENGHUO_MQTT_URL: broker.url, ...env } })
  await service.cookie()
  await vi.waitFor(async () => expect(await metric('fenghuo_mqtt_connections')).toBe(1), WAIT)
  return service
}

const metric = async (name: string): Promise<number> => (await service!.metrics()).get(name) ?? 0

const pings = (): number => broker.output().split('Received PINGREQ from fenghuo-p00').length - 1
const acknowledged = (): number => broker.output().split('Received PUBACK from fenghuo-p00').length - 1

async function send(count: number, from: number): Promise<void> {
  const gateway = await connectMqtt({ url: broker.direct, clock, username: 'gw-0', password: 'secret-0', window: 500 })
  for (let n = from; n < from + count; n++) {
    const body = JSON.stringify({ device: 'T-0', ts: START + n * 1000, values: { level_pct: 50 } })
    while (!gateway.offer('fh/1/gw-0/telemetry', body)) await gateway.room()
  }
  expect(await gateway.idle(30_000)).toBe(true)
  await gateway.end()
}

/** While nothing can be kept, until `mend`: `say` is in the health of the service. */
async function through(breakIt: () => void, mend: () => void, say: RegExp): Promise<void> {
  await send(20, 0)
  await vi.waitFor(async () => expect(await metric('fenghuo_messages_journaled_total')).toBe(20), WAIT)
  breakIt()
  const before = { pings: pings(), acknowledged: acknowledged() }
  await send(MESSAGES, 20)
  await vi.waitFor(async () => expect(await (await fetch(`${service!.httpAddress}/healthz`)).text()).toMatch(say), WAIT)
  // Signs of life go on, though the messages before their answers are not read.
  await vi.waitFor(() => expect(pings()).toBeGreaterThanOrEqual(before.pings + 2), WAIT)
  expect([acknowledged(), await metric('fenghuo_messages_journaled_total')]).toEqual([before.acknowledged, 20])
  expect([await metric('fenghuo_mqtt_connections'), await metric('fenghuo_upstream_reconnects_total')]).toEqual([1, 0])
  mend()
  await vi.waitFor(async () => expect(await metric('fenghuo_messages_journaled_total')).toBe(20 + MESSAGES), WAIT)
  expect([await metric('fenghuo_mqtt_connections'), await metric('fenghuo_upstream_redelivered_total')]).toEqual([1, 0])
  const query = 'device=T-0&metric=level_pct&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z'
  await vi.waitFor(async () => {
    const readings = await service!.all<{ at: string }>(`/api/v1/readings?${query}`)
    expect(readings.map(({ at }) => (Date.parse(at) - START) / 1000)).toEqual(Array.from({ length: 20 + MESSAGES }, (_, n) => n))
  }, WAIT)
}

it('keeps everything with the broker while its disk is full', { timeout: 180_000 }, async () => {
  const folder = path.join(plant.folder, 'disk')
  mkdirSync(folder)
  const disk = new SmallDisk(folder, 64)
  try {
    await start(path.join(folder, 'data'))
    await through(
      () => disk.fill(),
      () => disk.makeRoom(),
      /The disk of the journal folder .* is full: nothing is acknowledged until there is room/
    )
  } finally {
    await service?.kill()
    disk.unmount()
  }
})

it('keeps everything with the broker while PostgreSQL is away', { timeout: 180_000 }, async () => {
  const postgres: PostgresServer = await openPostgres()
  const address = new URL(await postgres.database())
  const proxy = await TcpProxy.open(Number(address.port), address.hostname)
  address.host = `127.0.0.1:${proxy.port}`
  try {
    await start(path.join(plant.folder, 'data'), { FENGHUO_POSTGRES_URL: address.href })
    await through(
      () => {
        proxy.mode = 'refuse'
        proxy.cut()
      },
      () => {
        proxy.mode = 'pass'
      },
      /PostgreSQL/
    )
  } finally {
    await service?.kill()
    await proxy.close()
    await postgres.close()
  }
})

async function ask(method: string, where: string, body?: object): Promise<number> {
  const cookie = await service!.cookie()
  const url = `${service!.httpAddress}/api/v1/gateways${where}`
  const etag = method === 'POST' ? null : (await fetch(url, { headers: { cookie } })).headers.get('etag')
  const headers = { cookie, 'content-type': 'application/json', ...(etag === null ? {} : { 'if-match': etag }) }
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return answer.status
}

/** As Mosquitto lets it in: by whatever name. */
async function publish(gateway: string): Promise<void> {
  const body = JSON.stringify({ device: 'T-0', values: { level_pct: 50 } })
  expect(spawnSync('mosquitto_pub', ['-p', String(broker.port), '-q', '1', '-t', `fh/1/${gateway}/telemetry`, '-m', body]).status).toBe(0)
}

it('refuses what gateways send that were revoked or removed through the API, and exports what is known of the others', async () => {
  const data = path.join(plant.folder, 'data')
  await start(data)
  const hash = '$scrypt$ln=10,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g'
  expect(await ask('POST', '', { id: 'gw-9', enterprise: 'e', secret: hash })).toBe(201)
  expect(await ask('POST', '', { id: 'gw-8', enterprise: 'e', secret: 'a secret of its own' })).toBe(201)
  expect(await ask('PUT', '/gw-1', { id: 'gw-1', enterprise: 'e', secret: 'a newer secret' })).toBe(200)
  for (const gateway of ['gw-0', 'gw-1', 'gw-8', 'gw-9']) await publish(gateway)
  await vi.waitFor(async () => expect(await metric('fenghuo_messages_journaled_total')).toBe(4), WAIT)
  expect(await ask('PUT', '/gw-0', { id: 'gw-0', enterprise: 'e', secret: null })).toBe(200)
  expect(await ask('DELETE', '/gw-8')).toBe(200)
  const refused = 'fenghuo_mqtt_refusals_total{reason="revoked"}'
  for (const gateway of ['gw-0', 'gw-8', 'gw-9']) await publish(gateway)
  await vi.waitFor(async () => expect([await metric(refused), await metric('fenghuo_messages_journaled_total')]).toEqual([2, 5]), WAIT)
  expect(service!.output).toContain('gw-0 is revoked, and the broker passed on what it published')
  expect(await service!.stop()).toBe(0)
  await start(data)
  for (const gateway of ['gw-0', 'gw-8', 'gw-9']) await publish(gateway)
  await vi.waitFor(async () => expect([await metric(refused), await metric('fenghuo_messages_journaled_total')]).toEqual([2, 1]), WAIT)
  // Secrets given through the API are kept as Mosquitto can check them; of a hash that was given nothing else is known.
  const out = path.join(plant.folder, 'mosquitto')
  const options = ['broker', 'export', 'mosquitto', '--config', plant.config, '--out', out]
  const exported = await runFenghuo(options, { FENGHUO_DATA: data })
  expect(exported.output).toContain('mosquitto.conf, passwords and acl for 1 of 3 gateways')
  expect(exported.output).toMatch(/only a hash of the secret is known here: gw-9\./)
  expect(exported.output).toMatch(/because they have no secret, or it was revoked: gw-0\./)
  const users = (): string[] =>
    readFileSync(path.join(out, 'passwords'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(':')[0]!)
  expect(users()).toEqual(['fenghuo', 'gw-1'])
  expect(spawnSync('mosquitto_passwd', ['-b', path.join(out, 'passwords'), 'gw-9', 'a secret of its own']).status).toBe(0)
  const again = await runFenghuo(options, { FENGHUO_DATA: data })
  expect(again.output).toContain('Known here by a hash only, their lines stay as they were: gw-9.')
  expect(users()).toEqual(['fenghuo', 'gw-1', 'gw-9'])
})
