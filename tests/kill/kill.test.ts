// The real process, kill -9 at random moments under load. A ledger of acknowledged samples: every one is in history once,
// and the alarm log of every device equals that of an uninterrupted run.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import { Random } from '../../src/platform/random.ts'
import { LiveService } from '../liveService.ts'
import { PATIENT_LEVEL_RULE, TANK_PROFILE, type TankSample, TankWalk, undisturbedLog } from '../patientTanks.ts'

const KILLS = 20
const GATEWAYS = 3
const DEVICES_PER_GATEWAY = 4
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

/** Publishes rounds of samples of one gateway's devices until told to stop; what it sent in the end is all acknowledged. */
class Load {
  readonly sent: TankSample[] = []
  readonly #gateway: number
  readonly #walks: readonly TankWalk[]
  #publisher: MqttPublisher | null = null
  #connectedTo = ''
  #stopped = false

  constructor(gateway: number) {
    this.#gateway = gateway
    this.#walks = Array.from({ length: DEVICES_PER_GATEWAY }, (_, i) => new TankWalk(`T-${gateway + i * GATEWAYS}`, SEED))
  }

  async run(addressOf: () => string): Promise<void> {
    while (!this.#stopped) {
      const batch = this.#walks.map((walk) => walk.next())
      this.sent.push(...batch)
      while (!(await this.#acknowledged(addressOf, batch))) await pause(clock, 20)
    }
    await this.#publisher?.end()
  }

  stop(): void {
    this.#stopped = true
  }

  /** True once the batch is acknowledged; false where the connection or the service was lost meanwhile: it must be sent again. */
  async #acknowledged(addressOf: () => string, batch: readonly TankSample[]): Promise<boolean> {
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
      expect(log).toEqual(
        undisturbedLog(
          plantFolder,
          GATEWAYS,
          sent.filter((sample) => sample.device === device)
        )
      )
    }
  } finally {
    await service.stop()
  }
})
