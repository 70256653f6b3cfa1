// A second place for every group, beside the disk: whoever takes over elsewhere reads it there. Invariant: a group is not
// acknowledged before it is there; where it cannot be, the same group is tried each second, as with a full disk.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import { Refusal } from '../../platform/problem.ts'
import { GROUP_HEADER_BYTES } from './format.ts'
import type { Group } from './group.ts'

const RETRY_MS = 1000
/** A group that is not there after so long is said to be held up, before anything has failed. */
const LATE_MS = 5_000
const LATE =
  'The copy of the journal is not written: PostgreSQL has not answered for 5 s. Nothing is acknowledged until it does: look at the server and the way to it.'

/** Records that were flushed together, as bytes. */
export interface GroupBytes {
  readonly firstSeq: number
  readonly lastSeq: number
  readonly records: Uint8Array
}

export interface JournalMirror {
  /**
   * Resolves once the group is there for good. The same group may be given again. Rejects with a Refusal where it is not there;
   * one with `passing: false` says that it never will be, because another instance has taken over.
   */
  keep(group: GroupBytes): Promise<void>
}

/** Puts groups there one at a time, however often it takes. */
export class Mirrored {
  readonly #mirror: JournalMirror
  readonly #clock: Clock
  readonly #log: Log
  #problem: string | null = null
  /** Since when the group under way is waited for, on the monotonic clock. */
  #since: number | null = null
  #stopping = false
  #retry: { timer: Timer; resume: () => void } | null = null

  constructor(mirror: JournalMirror, clock: Clock, log: Log) {
    this.#mirror = mirror
    this.#clock = clock
    this.#log = log
  }

  /** A sentence where it does not take groups at the moment, else null. */
  get problem(): string | null {
    const isLate = this.#since !== null && this.#clock.monotonic() - this.#since >= LATE_MS
    return this.#problem ?? (isLate ? LATE : null)
  }

  /** True once the group is there; false where it cannot be any more, or the journal is stopping. */
  async keep(group: Group): Promise<boolean> {
    const { chunk, start, end, firstSeq, count } = group
    const records = chunk.bytes.subarray(start + GROUP_HEADER_BYTES, end)
    for (;;) {
      this.#since ??= this.#clock.monotonic()
      try {
        await this.#mirror.keep({ firstSeq, lastSeq: firstSeq + count - 1, records })
        if (this.#problem !== null) this.#log.info('The copy of the journal is written again.')
        this.#problem = null
        this.#since = null
        return true
      } catch (cause) {
        if (!(cause instanceof Refusal)) throw cause
        const final = (cause as Refusal & { readonly passing?: boolean }).passing === false
        this.#failed(cause.message, final)
        this.#since = null
        if (final || this.#stopping) return false
      }
      await this.#pause()
    }
  }

  /** One last attempt is made of what is under way. */
  stop(): void {
    this.#stopping = true
    this.#retry?.timer.cancel()
    this.#retry?.resume()
  }

  #failed(sentence: string, final: boolean): void {
    const problem = final
      ? sentence
      : `${sentence} Nothing is acknowledged until the copy of the journal is written; it is tried again every second.`
    if (this.#problem !== problem) this.#log.error(problem)
    this.#problem = problem
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const resume = (): void => {
        this.#retry = null
        resolve()
      }
      this.#retry = { timer: this.#clock.after(RETRY_MS, resume), resume }
    })
  }
}
