// Readings that a server did not keep: how many, why, and for how long health speaks of them.

import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import { type Drops, NO_DROPS } from './messages.ts'

const SAID_MS = 10 * 60_000

export class Dropped {
  readonly #clock: Clock
  readonly #log: Log
  #said: { readonly problem: string; readonly at: number } | null = null
  counts: Drops = NO_DROPS

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** Counts those of one batch and answers how many they are. */
  add({ retention, refused }: Drops): number {
    this.counts = { retention: this.counts.retention + retention, refused: this.counts.refused + refused }
    return retention + refused
  }

  /** `expected`: somebody has set it so. */
  hear(problem: string, expected: boolean): void {
    if (expected) this.#log.warn(problem)
    else {
      this.#log.error(problem)
      this.#said = { problem, at: this.#clock.now() }
    }
  }

  /** The sentence of what was dropped lately, else null. */
  get lately(): string | null {
    return this.#said !== null && this.#clock.now() - this.#said.at < SAID_MS ? this.#said.problem : null
  }
}
