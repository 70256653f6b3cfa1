// How many messages arrive per second, over the last few seconds: for people to read, nothing is decided by it.

import type { Clock, Timer } from '../platform/clock.ts'
import type { Count } from '../platform/metrics.ts'
import type { Part } from '../platform/parts.ts'

const EVERY_MS = 5_000

export class Rate implements Part {
  readonly name = 'rate'
  readonly #clock: Clock
  readonly #count: Count
  #timer: Timer | null = null
  #seen = { value: 0, at: 0 }
  #perSecond: number | null = null

  constructor(clock: Clock, count: Count) {
    this.#clock = clock
    this.#count = count
  }

  /** Null until it has been watched for a while. */
  get perSecond(): number | null {
    return this.#perSecond
  }

  async start(): Promise<void> {
    this.#seen = { value: this.#count.value, at: this.#clock.monotonic() }
    this.#timer ??= this.#clock.every(EVERY_MS, () => this.#look())
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
  }

  #look(): void {
    const now = { value: this.#count.value, at: this.#clock.monotonic() }
    this.#perSecond = Math.round(((now.value - this.#seen.value) / (now.at - this.#seen.at)) * 10_000) / 10
    this.#seen = now
  }
}
