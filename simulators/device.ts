// A simulated device: its behaviours in order, each active within its own time of the script.

import type { Random } from '../src/platform/random.ts'
import type { Behaviour, Sample } from './behaviour.ts'

export interface ScheduledBehaviour {
  readonly fromMs: number
  /** Infinity: to the end. */
  readonly untilMs: number
  readonly behaviour: Behaviour
}

export class SimulatedDevice {
  readonly id: string
  readonly gateway: string
  readonly everyMs: number
  readonly #behaviours: readonly ScheduledBehaviour[]
  readonly #random: Random

  constructor(id: string, gateway: string, everyMs: number, behaviours: readonly ScheduledBehaviour[], random: Random) {
    this.id = id
    this.gateway = gateway
    this.everyMs = everyMs
    this.#behaviours = behaviours
    this.#random = random
  }

  /** What the device sends at `at`, `sinceStart` ms into the script. Equal seeds and instants give equal samples. */
  samples(at: number, sinceStart: number): readonly Sample[] {
    const values: Sample['values'] = {}
    const active = this.#behaviours.filter(({ fromMs, untilMs }) => sinceStart >= fromMs && sinceStart < untilMs)
    const momentOf = (fromMs: number) => ({ at, sinceStart, sinceOnset: sinceStart - fromMs, random: this.#random })
    for (const { fromMs, behaviour } of active) if (behaviour.on === 'values') behaviour.shape(values, momentOf(fromMs))
    let samples: readonly Sample[] = Object.keys(values).length === 0 ? [] : [{ device: this.id, ts: at, values }]
    for (const { fromMs, behaviour } of active) if (behaviour.on === 'delivery') samples = behaviour.deliver(samples, momentOf(fromMs))
    return samples
  }
}
