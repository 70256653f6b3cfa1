// Switches that move only after their pull has lasted long enough, in flat arrays: one per tier of every alarm.
// The same lines serve both directions: while off, the pull is the enter condition; while on, the exit.

import { NO, UNKNOWN, type Verdict } from './truth.ts'

const ON = 1
const PULLED = 2

export class Latches {
  /** Bits ON and PULLED: most latches, most of the time, are 0 and nothing else of them is touched. */
  readonly state: Uint8Array
  /** Since when the pull has lasted; meaningful while PULLED. */
  readonly pulledSince: Float64Array
  /** The last turn; -Infinity before the first. A latch's own time never goes back behind it. */
  readonly turnedAt: Float64Array

  constructor(count: number) {
    this.state = new Uint8Array(count)
    this.pulledSince = new Float64Array(count)
    this.turnedAt = new Float64Array(count).fill(Number.NEGATIVE_INFINITY)
  }

  isOn(latch: number): boolean {
    return ((this.state[latch] as number) & ON) !== 0
  }

  isPulled(latch: number): boolean {
    return ((this.state[latch] as number) & PULLED) !== 0
  }

  /**
   * Applies one verdict at `at`; true when the latch turned. 'unknown' leaves it as it was: a dead sensor must not clear
   * an alarm, nor let a delay run out, nor start it anew. A delay that runs out at exactly `at` does so only by time:
   * other readings of the same instant may still come, and they act first.
   */
  turn(latch: number, pull: Verdict, patienceMs: number, at: number, byTime: boolean): boolean {
    if (!this.pull(latch, pull, at)) return false
    const now = Math.max(at, this.turnedAt[latch] as number)
    const lasted = now - (this.pulledSince[latch] as number)
    if (lasted < patienceMs || (lasted === patienceMs && patienceMs > 0 && !byTime)) return false
    this.set(latch, !this.isOn(latch), now)
    return true
  }

  /** Notes the pull without turning; true while it pulls for certain. */
  pull(latch: number, pull: Verdict, at: number): boolean {
    if (pull === UNKNOWN) return false
    const state = this.state[latch] as number
    if (pull === NO) {
      if ((state & PULLED) !== 0) this.state[latch] = state & ON
      return false
    }
    if ((state & PULLED) === 0) {
      this.state[latch] = state | PULLED
      this.pulledSince[latch] = Math.max(at, this.turnedAt[latch] as number)
    }
    return true
  }

  set(latch: number, on: boolean, at: number): void {
    this.state[latch] = on ? ON : 0
    this.turnedAt[latch] = at
  }

  /** Forgets how long anything has been pulling. */
  release(latch: number): void {
    this.state[latch] = (this.state[latch] as number) & ON
  }
}
