// Tanks whose rule waits for long: what a service that was killed meanwhile takes to start again runs out none of its delays. What
// they send, and the alarm log that one of them has where nothing is ever interrupted.

import { loadPlant } from '../src/app/config/load.ts'
import { Effects } from '../src/app/effects.ts'
import { Pipeline } from '../src/app/pipeline.ts'
import { alarmEventLine } from '../src/model/alarm.ts'
import { Random } from '../src/platform/random.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
// Ten minutes of the tanks' time pass in milliseconds of ours, so no delay runs out while the service is down, however slow its start.
const STEP_MS = 600_000

export const TANK_PROFILE =
  'id: tank\nmetrics: { level_pct: { unit: "%", min: 0, max: 110 } }\nlimits: { high: 85, high_high: 92 }\nsilentAfter: 12h\n'

export interface TankSample {
  readonly device: string
  readonly ts: number
  readonly values: { readonly level_pct: number }
}

export const PATIENT_LEVEL_RULE = `rules:
  - id: level
    appliesTo: { profile: tank }
    tiers:
      yellow: { when: level_pct > limits.high, deadband: 3, for: 1h, clearFor: 30m }
      red: { when: level_pct > limits.high_high, clear: level_pct < 88, for: 20m }
`

/** A random walk of a tank's level around its limits, reproducible. */
export class TankWalk {
  readonly device: string
  /** All of it so far. */
  readonly samples: TankSample[] = []
  readonly #random: Random
  #level = 80

  constructor(device: string, seed: number) {
    this.device = device
    this.#random = new Random(seed).fork(device)
  }

  next(): TankSample {
    this.#level = Math.min(100, Math.max(70, this.#level + 3 * this.#random.normal()))
    const { device, samples } = this
    const sample = { device, ts: START + samples.length * STEP_MS, values: { level_pct: Math.round(this.#level * 10) / 10 } }
    samples.push(sample)
    return sample
  }
}

/** The alarm log of an undisturbed run over the samples of one device, T-n behind gw-(n mod gateways). Its time ends with the last. */
export function undisturbedLog(plantFolder: string, gateways: number, samples: readonly TankSample[]): string[] {
  const { plant } = loadPlant(plantFolder, {})
  const pipeline = Pipeline.begin(plant!, 1, START, { clockSkewMs: 300_000 })
  const effects = new Effects()
  let seq = 1
  for (const sample of samples) {
    const source = `fh/1/gw-${Number(sample.device.slice(2)) % gateways}/telemetry`
    pipeline.take([{ seq: ++seq, receivedAt: sample.ts, kind: 'telemetry', source, body: Buffer.from(JSON.stringify(sample)) }], effects)
  }
  // What falls due at the very instant of the last sample is decided after it.
  pipeline.advance(samples.at(-1)!.ts, effects)
  return effects.events.map(alarmEventLine)
}
