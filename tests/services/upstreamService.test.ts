// The service as an operator runs it, on a Mosquitto that was started on what `fenghuo broker export mosquitto` wrote: kill -9 of the
// service under load, a restart of the broker, a long absence. A ledger of what Mosquitto acknowledged to the gateways: every
// sample is in history, and the alarm log of every device equals that of an undisturbed run.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import { Random } from '../../src/platform/random.ts'
import { LiveService, runFenghuo } from '../liveService.ts'
import { PATIENT_LEVEL_RULE, TANK_PROFILE, TankWalk, undisturbedLog } from '../patientTanks.ts'
import { freePort } from './freePort.ts'
import { type MosquittoForTests, openMosquitto } from './mosquittoServer.ts'

const GATEWAYS = 3
const DEVICES_PER_GATEWAY = 2
const SEED = 7
const KILLS = 6
const WAIT = { timeout: 60_000, interval: 100 }

const clock = new SystemClock()
let folder: string
let plantFolder: string
let broker: MosquittoForTests
let env: Record<string, string>

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-upstream-service-'))
  spawnSync('chmod', ['755', folder])
  plantFolder = path.join(folder, 'plant')
  for (const name of ['profiles', 'rules']) mkdirSync(path.join(plantFolder, name), { recursive: true })
  const gateways = Array.from({ length: GATEWAYS }, (_, g) => `{ id: gw-${g}, enterprise: e, secret: secret-${g} }`)
  gateways.push('{ id: gw-h, enterprise: e, secret: "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g" }')
  const ids = Array.from({ length: GATEWAYS * DEVICES_PER_GATEWAY }, (_, d) => `{ id: T-${d}, profile: tank, gateway: gw-${d % GATEWAYS} }`)
  const write = (name: string, text: string): void => writeFileSync(path.join(plantFolder, name), text)
  write('fenghuo.yaml', 'logLevel: warn\n')
  write('plant.yaml', `enterprises: [{ id: e }]\ngateways: [${gateways.join(', ')}]\ndevices: [${ids.join(', ')}]\n`)
  write('profiles/tank.yaml', TANK_PROFILE)
  write('rules/level.yaml', PATIENT_LEVEL_RULE)
  const port = await freePort()
  const out = path.join(folder, 'mosquitto')
  const config = path.join(plantFolder, 'fenghuo.yaml')
  const places = ['--out', out, '--persistence', path.join(folder, 'kept'), '--bind', '127.0.0.1']
  const url = { FENGHUO_MQTT_URL: `mqtt://127.0.0.1:${port}` }
  const exported = await runFenghuo(['broker', 'export', 'mosquitto', '--config', config, ...places], url)
  expect(exported).toMatchObject({ code: 0 })
  expect(exported.output).toContain('mosquitto.conf, passwords and acl for 3 of 4 gateways and the user fenghuo.')
  expect(exported.output).toMatch(/only a hash of the secret is known here: gw-h\. Add each with its secret: mosquitto_passwd -b/)
  for (const name of ['mosquitto.conf', 'passwords', 'acl', 'fenghuo.env']) expect(statSync(path.join(out, name)).mode & 0o777).toBe(0o600)
  const settings = readFileSync(path.join(out, 'fenghuo.env'), 'utf8').trim().split('\n')
  env = { ...Object.fromEntries(settings.map((line) => line.split('=') as [string, string])) }
  mkdirSync(path.join(folder, 'kept'))
  // What the printed advice says: the files are of the user that Mosquitto gives up root for.
  if (process.getuid?.() === 0) spawnSync('chown', ['-R', 'mosquitto', out, path.join(folder, 'kept')])
  broker = await openMosquitto({ configuration: { file: path.join(out, 'mosquitto.conf'), port } })
  env.FENGHUO_MQTT_URL = broker.url
})

afterAll(async () => {
  await broker?.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Tool {
  readonly said: () => string
  readonly ended: Promise<{ code: number | null; output: string }>
}

function tool(program: 'mosquitto_pub' | 'mosquitto_sub', args: readonly string[]): Tool {
  // Line by line: what it says of itself would come at its end only.
  const child = spawn('stdbuf', ['-oL', program, '-h', broker.host, '-p', String(broker.port), ...args])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += bytes))
  return { said: () => output, ended: new Promise((resolve) => void child.once('close', (code) => resolve({ code, output }))) }
}

it('lets in whom it should, below their own prefix only, by 3.1.1 and 5', async () => {
  const publish = (version: string, user: string, password: string, topic: string) =>
    tool('mosquitto_pub', ['-V', version, '-u', user, '-P', password, '-q', '1', '-t', topic, '-m', '{"x":1}']).ended
  const service = ['-d', '-u', 'fenghuo', '-P', env.FENGHUO_MQTT_PASSWORD!, '-t', 'fh/1/#', '-C', '3', '-F', '%t']
  for (const version of ['mqttv311', 'mqttv5']) {
    const heard = tool('mosquitto_sub', service)
    await vi.waitFor(() => expect(heard.said()).toMatch(/^Subscribed/m), WAIT)
    expect(await publish(version, 'gw-0', 'secret-0', 'fh/1/gw-0/telemetry')).toMatchObject({ code: 0, output: '' })
    expect(await publish(version, 'gw-0', 'secret-0', 'fh/1/gw-0/T-0/telemetry')).toMatchObject({ code: 0, output: '' })
    for (const [user, password] of [
      ['gw-0', 'secret-1'],
      ['gw-h', 'anything'],
      ['nobody', 'x']
    ] as const) {
      const outcome = await publish(version, user, password, `fh/1/${user}/telemetry`)
      expect([outcome.code === 0, /not authori[sz]ed|bad user name/i.test(outcome.output)]).toEqual([false, true])
    }
    // 3.1.1 has no way to say no to a publish; it is dropped all the same.
    const foreign = await publish(version, 'gw-0', 'secret-0', 'fh/1/gw-1/telemetry')
    if (version === 'mqttv5') expect(foreign.output).toMatch(/not authori[sz]ed/i)
    expect(await publish(version, 'gw-0', 'secret-0', 'fh/1/gw-0/nonsense')).toMatchObject({ code: 0, output: '' })
    const { output } = await heard.ended
    const below = ['telemetry', 'T-0/telemetry', 'nonsense'].map((topic) => `fh/1/gw-0/${topic}`)
    expect(output.split('\n').filter((line) => line.startsWith('fh/'))).toEqual(below)
  }
})

class Load {
  readonly walks: TankWalk[]
  readonly #publisher: MqttPublisher
  readonly #gateway: number
  stopped = false

  constructor(gateway: number, publisher: MqttPublisher) {
    this.#gateway = gateway
    this.#publisher = publisher
    this.walks = Array.from({ length: DEVICES_PER_GATEWAY }, (_, i) => new TankWalk(`T-${gateway + i * GATEWAYS}`, SEED))
  }

  async send(rounds: number): Promise<void> {
    for (let round = 0; round < rounds && !this.stopped; round++) {
      const body = JSON.stringify(this.walks.map((walk) => walk.next()))
      while (!this.#publisher.offer(`fh/1/gw-${this.#gateway}/telemetry`, body)) {
        if (!(await this.#publisher.room())) return
      }
      await pause(clock, 2)
    }
  }

  /** Everything sent is acknowledged by the broker. */
  async acknowledged(): Promise<void> {
    expect(await this.#publisher.idle(60_000)).toBe(true)
  }

  end(): Promise<void> {
    return this.#publisher.end()
  }
}

it(`loses nothing over ${KILLS} kills, a restart of the broker and a long absence, with 1, then 4, then 2 connections`, {
  timeout: 300_000
}, async () => {
  const config = path.join(plantFolder, 'fenghuo.yaml')
  const connections = (n: number): void => writeFileSync(config, `logLevel: warn\nmqtt: { broker: { connections: ${n} } }\n`)
  const start = (): Promise<LiveService> => LiveService.start({ config, data: path.join(folder, 'data'), env })
  const random = new Random(11)
  let service = await start()
  // Only a session that exists is kept messages for.
  await vi.waitFor(async () => expect((await service.metrics()).get('fenghuo_mqtt_connections')).toBe(1), WAIT)
  const loads = await Promise.all(
    Array.from({ length: GATEWAYS }, async (_, g) => {
      return new Load(g, await connectMqtt({ url: broker.direct, clock, username: `gw-${g}`, password: `secret-${g}`, window: 200 }))
    })
  )
  try {
    const underLoad = loads.map((load) => load.send(1_000_000))
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(clock, random.between(50, 900))
      await service.kill()
      if (kill === 2) connections(4)
      service = await start()
    }
    await vi.waitFor(() => {
      const state = new DatabaseSync(path.join(folder, 'data/state.db'), { readOnly: true })
      const { body } = state.prepare('select body from upstream').get() as { body: string }
      state.close()
      expect(JSON.parse(body)).toMatchObject({ layout: { connections: 4 }, former: [] })
    }, WAIT)
    for (const load of loads) load.stopped = true
    await Promise.all(underLoad)
    for (const load of loads) load.stopped = false
    // A restart of the broker, with everything connected.
    await broker.stop()
    await broker.restart()
    await Promise.all(loads.map((load) => load.send(50)))
    for (const load of loads) await load.acknowledged()
    // A long absence: the broker keeps everything, over a restart of its own.
    expect(await service.stop()).toBe(0)
    await Promise.all(loads.map((load) => load.send(400)))
    for (const load of loads) await load.acknowledged()
    await broker.stop()
    await broker.restart()
    connections(2)
    service = await start()
    const walks = loads.flatMap((load) => load.walks)
    const last = new Map(walks.map(({ device, samples }) => [device, new Date(samples.at(-1)!.ts).toISOString()]))
    await vi.waitFor(async () => {
      for (const [device, at] of last) {
        const { items } = await service.get<{ items: unknown[] }>(
          `/api/v1/readings?device=${device}&metric=level_pct&from=${at}&to=2099-01-01T00:00:00Z`
        )
        expect(items).toHaveLength(1)
      }
    }, WAIT)
    expect(await service.stop()).toBe(0)
    service = await start()
    for (const { device, samples } of walks) {
      const readings = await service.all<{ at: string; value: number }>(
        `/api/v1/readings?device=${device}&metric=level_pct&from=2026-01-01T00:00:00Z&to=2099-01-01T00:00:00Z`
      )
      expect(readings.map(({ at, value }) => [at, value])).toEqual(
        samples.map(({ ts, values }) => [new Date(ts).toISOString(), values.level_pct])
      )
    }
    const lines = await service.all<{ device: string }>('/api/v1/alarm-events')
    expect(lines.length).toBeGreaterThan(50)
    for (const { device, samples } of walks) {
      expect(lines.filter((line) => line.device === device).map((line) => JSON.stringify(line))).toEqual(
        undisturbedLog(plantFolder, GATEWAYS, samples)
      )
    }
    const { parts } = await service.get<{ parts: { part: string; state: string; problem: string | null }[] }>('/healthz')
    expect(parts.find(({ part }) => part === 'MQTT broker')).toEqual({ part: 'MQTT broker', state: 'ok', problem: null })
    console.log(`${walks.reduce((sum, { samples }) => sum + samples.length, 0)} samples, ${lines.length} alarm events`)
  } finally {
    for (const load of loads) load.stopped = true
    await service.kill()
    await Promise.all(loads.map((load) => load.end()))
  }
})
