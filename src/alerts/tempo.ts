// How fast sends to one provider may follow one another. A lane asks for leave before it sends; who grants it knows of all
// processes that send by the same provider, or takes its fair share of the pace alone.

import type { Clock } from '../platform/clock.ts'

/** Sends may be this much too early, so that a fast pace does not hang on the fineness of timers. */
export const BURST_MS = 50

/** What a lane asks for. */
export interface LeaveRequest {
  readonly provider: string
  readonly perSecond: number
  /** Of the most severe message that waits: rank, 4 red … 1 blue. */
  readonly tier: number
  readonly most: number
}

/** How many sends may go now; where none, when to ask again. */
export interface Leave {
  readonly granted: number
  readonly waitMs: number
}

export interface Tempo {
  /** Never throws, and never takes long. */
  ask(request: LeaveRequest): Promise<Leave>
}

/** The pace of this process alone: the provider's, divided by how many processes share it. */
export class OwnTempo implements Tempo {
  readonly #clock: Clock
  readonly #sharers: () => number
  /** By provider: the next send is not before this, by the monotonic clock. */
  readonly #until = new Map<string, number>()

  constructor(clock: Clock, sharers: () => number = () => 1) {
    this.#clock = clock
    this.#sharers = sharers
  }

  async ask({ provider, perSecond, most }: LeaveRequest): Promise<Leave> {
    const now = this.#clock.monotonic()
    const everyMs = (1000 * Math.max(1, this.#sharers())) / perSecond
    let until = Math.max(now - BURST_MS, this.#until.get(provider) ?? 0)
    let granted = 0
    for (; granted < most && until <= now; granted++) until += everyMs
    this.#until.set(provider, until)
    return { granted, waitMs: granted > 0 ? 0 : until - now }
  }
}
