// The real process, kill -9 at random moments under load. A ledger of acknowledged samples: every one is in history once,
// and the alarm log of every device equals that of an uninterrupted run.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadPlant } from '../../src/app/config/load.ts'
import { Effects } from '../../src/app/effects.ts'
import { Pipeline } from '../../src/app/pipeline.ts'
import { alarmEventLine } from '../../src/model/alarm.ts'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import { Random } from '../../src/platform/random.ts'
import { LiveService } from '../liveService.ts'
import { PATIENT_LEVEL_RULE, TANK_PROFILE } from '../patientTanks.ts'

const KILLS = 20
const GATEWAYS = 3
const DEVICES_PER_GATEWAY = 4
const START = Date.parse('2026-01-01T00:00:00Z')
// Ten minutes of the devices' time pass in milliseconds of ours, so no delay runs out while the service is down, however slow its start.
const STEP_MS = 600_000
const SEED = 20_261

const clock = new SystemClock()
let folder: string
let plantFolder: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-kill-'))
  plantFolder = path.join(folder, 'plant')
  for (const name of ['profiles', 'rules']) mkdirSync(path.join(plantFolder, name), { recursive: true })
  const gateways = Array.from({ length: GATEWAYS }, (_, g) => `{ id: gw-${g}, enterprise: e, secret: secret-${g} }`)
  const devices = Array.from(
    { length: GATEWAYS * DEVICES_PER_GATEWAY },
    (_, d) => `{ id: T-${d}, profile: tank, gateway: gw-${d % GATEWAYS} }`
  )
  const write = (name: string, text: string): void => writeFileSync(path.join(plantFolder, name), text)
  write('fenghuo.yaml', 'logLevel: warn\n')
  write('plant.yaml', `enterprises: [{ id: e }]\ngateways: [${gateways.join(', ')}]\ndevices: [${devices.join(', ')}]\n`)
  write('profiles/tank.yaml', TANK_PROFILE)
  write('rules/level.yaml', PATIENT_LEVEL_RULE)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Sample {
  readonly device: string
  readonly ts: number
  readonly values: { readonly level_pct: number }
}

/** A random walk around the limits, reproducible: the nth sample of a device. */
class Walk {
  readonly #random: Random
  #level = 80
  #n = 0

  constructor(device: string) {
    this.#random = new Random(SEED).fork(device)
  }

  next(device: string): Sample {
    this.#level = Math.min(100, Math.max(70, this.#level + 3 * this.#random.normal()))
    return { device, ts: START + this.#n++ * STEP_MS, values: { level_pct: Math.round(this.#level * 10) / 10 } }
  }
}

/** Publishes rounds of samples of one gateway's devices until told to stop; what it sent in the end is all acknowledged. */
class Load {
  readonly sent: Sample[] = []
  readonly #gateway: number
  readonly #walks: ReadonlyMap<string, Walk>
  #publisher: MqttPublisher | null = null
  #connectedTo = ''
  #stopped = false

  constructor(gateway: number) {
    this.#gateway = gateway
    const ids = Array.from({ length: DEVICES_PER_GATEWAY }, (_, i) => `T-${gateway + i * GATEWAYS}`)
    this.#walks = new Map(ids.map((id) => [id, new Walk(id)]))
  }

  async run(addressOf: () => string): Promise<void> {
    while (!this.#stopped) {
      const batch = [...this.#walks].map(([device, walk]) => walk.next(device))
      this.sent.push(...batch)
      while (!(await this.#acknowledged(addressOf, batch))) await pause(clock, 20)
    }
    await this.#publisher?.end()
  }

  stop(): void {
    this.#stopped = true
  }

  /** True once the batch is acknowledged; false where the connection or the service was lost meanwhile: it must be sent again. */
  async #acknowledged(addressOf: () => string, batch: readonly Sample[]): Promise<boolean> {
    const address = addressOf()
    try {
      if (this.#connectedTo !== address) {
        this.#publisher?.cut()
        this.#publisher = null
        this.#connectedTo = address
      }
      this.#publisher ??= await connectMqtt({
        url: address,
        clock,
        username: `gw-${this.#gateway}`,
        password: `secret-${this.#gateway}`,
        connectMs: 2_000
      })
      const acknowledged = this.#publisher.publish(`fh/1/gw-${this.#gateway}/telemetry`, JSON.stringify(batch))
      const lost = pause(clock, 1_500).then(() => false)
      return await Promise.race([acknowledged, lost])
    } catch {
      this.#publisher = null
      return false
    }
  }
}

/** The alarm log of an uninterrupted run over one device's samples. Its time ends with its last sample. */
function expectedLog(samples: readonly Sample[]): string[] {
  const { plant } = loadPlant(plantFolder, {})
  const pipeline = Pipeline.begin(plant!, 1, START, { clockSkewMs: 300_000 })
  const effects = new Effects()
  let seq = 1
  let receivedAt = START
  for (const sample of samples) {
    receivedAt = sample.ts
    const source = `fh/1/gw-${Number(sample.device.slice(2)) % GATEWAYS}/telemetry`
    pipeline.take([{ seq: ++seq, receivedAt, kind: 'telemetry', source, body: Buffer.from(JSON.stringify(sample)) }], effects)
  }
  // What falls due at the very instant of the last sample is decided after it.
  pipeline.advance(receivedAt, effects)
  return effects.events.map(alarmEventLine)
}

interface Line {
  readonly device: string
}

it(`loses nothing and tells nothing twice over ${KILLS} kills`, { timeout: 240_000 }, async () => {
  const options = { config: path.join(plantFolder, 'fenghuo.yaml'), data: path.join(folder, 'data') }
  const random = new Random(SEED)
  let service = await LiveService.start(options)
  const loads = Array.from({ length: GATEWAYS }, (_, gateway) => new Load(gateway))
  const running = loads.map((load) => load.run(() => service.mqttAddress))
  for (let kill = 0; kill < KILLS; kill++) {
    await pause(clock, random.between(20, 600))
    await service.kill()
    service = await LiveService.start(options)
  }
  await pause(clock, 300)
  for (const load of loads) load.stop()
  await Promise.all(running)

  const sent = loads.flatMap((load) => load.sent)
  expect(sent.length).toBeGreaterThan(KILLS * GATEWAYS * DEVICES_PER_GATEWAY)
  // The service settles what it has acknowledged when it is asked to end; what it then holds is read after a last restart.
  expect(await service.stop()).toBe(0)
  service = await LiveService.start(options)
  try {
    for (const device of new Set(sent.map((sample) => sample.device))) {
      const readings = await service.all<{ at: string; value: number }>(
        `/api/v1/readings?device=${device}&metric=level_pct&from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z`
      )
      const expected = sent
        .filter((sample) => sample.device === device)
        .map((sample) => [new Date(sample.ts).toISOString(), sample.values.level_pct])
      expect(readings.map((reading) => [reading.at, reading.value])).toEqual(expected)
    }
    const lines = await service.all<Line>('/api/v1/alarm-events')
    expect(lines.length).toBeGreaterThan(20)
    for (const device of new Set(sent.map((sample) => sample.device))) {
      const log = lines.filter((line) => line.device === device).map((line) => JSON.stringify(line))
      expect(log).toEqual(expectedLog(sent.filter((sample) => sample.device === device)))
    }
  } finally {
    await service.stop()
  }
})
