// Runs simulated devices on a clock: each reports at its own interval, with its own phase, through its gateway's connection.

import { type Clock, pause } from '../src/platform/clock.ts'
import { Random } from '../src/platform/random.ts'
import type { Sample } from './behaviour.ts'
import type { SimulatedDevice } from './device.ts'

/** How often the due devices are looked up; a device reports with this precision, its time stamps are exact. */
const STEP_MS = 100

/** One gateway's way out. Resolves once the batch is acknowledged; what cannot be sent is the publisher's to report. */
export interface Uplink {
  publish(samples: readonly Sample[]): Promise<void>
}

export interface SimulationCounts {
  readonly sent: number
  readonly acknowledged: number
}

export class Simulation {
  readonly #clock: Clock
  readonly #uplinks: ReadonlyMap<string, Uplink>
  readonly #due: { device: SimulatedDevice; at: number }[]
  readonly #startAt: number
  #stopped = false
  #sent = 0
  #acknowledged = 0

  constructor(devices: readonly SimulatedDevice[], uplinks: ReadonlyMap<string, Uplink>, clock: Clock, seed: number) {
    this.#clock = clock
    this.#uplinks = uplinks
    this.#startAt = clock.now()
    const random = new Random(seed)
    this.#due = devices.map((device) => ({ device, at: this.#startAt + random.between(0, device.everyMs - 1) }))
  }

  get counts(): SimulationCounts {
    return { sent: this.#sent, acknowledged: this.#acknowledged }
  }

  stop(): void {
    this.#stopped = true
  }

  /** Runs until stopped, or for `forMs` of the clock. */
  async run(forMs = Number.POSITIVE_INFINITY): Promise<void> {
    while (!this.#stopped && this.#clock.now() - this.#startAt < forMs) {
      this.#report(this.#clock.now())
      await pause(this.#clock, STEP_MS)
    }
  }

  #report(now: number): void {
    const batches = new Map<string, Sample[]>()
    for (const entry of this.#due) {
      for (; entry.at <= now; entry.at += entry.device.everyMs) {
        const samples = entry.device.samples(entry.at, entry.at - this.#startAt)
        const batch = batches.get(entry.device.gateway) ?? []
        batch.push(...samples)
        batches.set(entry.device.gateway, batch)
      }
    }
    for (const [gateway, samples] of batches) {
      if (samples.length === 0) continue
      this.#sent += samples.length
      void this.#uplinks
        .get(gateway)
        ?.publish(samples)
        .then(() => {
          this.#acknowledged += samples.length
        })
    }
  }
}
