// What came of sending: written into the outbox first, however long the disk takes, then told to the journal. Only the service has
// a journal: what a delivery worker has written is found here and reported; the rest of the house-keeping is the service's too.

import type { ChannelKind, DeliveryReport } from '../model/notification.ts'
import { levelRank } from '../model/tier.ts'
import { type Clock, pause } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { Together } from '../platform/together.ts'
import { StateFailure } from '../store/failure.ts'
import type { NotificationRow } from '../store/schema.ts'
import { type Outbox, type Settlement, type Unreported, unreportedOf } from './outbox.ts'
import { expired, notReceived, notServed } from './outcomes.ts'
import { lateReceipts } from './receipts.ts'

const ROWS_PER_BATCH = 500
const STORE_RETRY_MS = 1_000
const PRUNE_EVERY_MS = 60_000
/** Tiers whose lateness makes the ladder step on. */
const LATE_FROM = levelRank('orange')

/** Puts a report into the journal; `done` is called once it is on disk. */
export type ReportTo = (report: DeliveryReport, done: () => void) => void

export interface SettlingParts {
  readonly outbox: Outbox
  readonly clock: Clock
  /** Null: this process is no service and reports nothing. */
  readonly journal: ReportTo | null
  readonly running: () => boolean
  /** Whether a message is still news although it is old. */
  readonly isStillNews: (row: NotificationRow) => Promise<boolean>
  /** The store could not be written, for now. */
  readonly trouble: (sentence: string) => void
}

export class Settling {
  readonly #parts: SettlingParts
  readonly #settlements: Together<Settlement, boolean>
  readonly #reported: Together<Unreported, null>
  /** Given to the journal and not yet on disk there, by number. */
  readonly #reporting = new Map<number, Unreported>()
  #hasKeptHouse = false
  #prunedAt = 0

  constructor(parts: SettlingParts) {
    this.#parts = parts
    const { outbox } = parts
    this.#settlements = new Together(ROWS_PER_BATCH, (all) => outbox.settle(all))
    this.#reported = new Together(ROWS_PER_BATCH, (all) => outbox.reported(all).then(() => all.map(() => null)))
  }

  /** Writes what is known for certain, however long the disk takes; then tells the journal. */
  async settle(settlement: Settlement): Promise<void> {
    for (;;) {
      try {
        if (!(await this.#settlements.add(settlement))) return
        break
      } catch (cause) {
        if (!(cause instanceof StateFailure && cause.passing)) throw cause
        this.#parts.trouble(cause.message)
        if (!this.#parts.running()) throw cause
        await pause(this.#parts.clock, STORE_RETRY_MS)
      }
    }
    if (settlement.set.unreported !== 1 || this.#parts.journal === null) return
    const row = await this.#parts.outbox.byN(settlement.n)
    const unreported = row === null || row.unreported === 0 ? null : unreportedOf(row)
    if (unreported !== null) this.#report(unreported)
  }

  /** What the journal did not get to hear: of an earlier life, or of what other processes have sent. */
  async reportOthers(): Promise<void> {
    if (this.#parts.journal === null) return
    const under = this.#reporting.size
    for (const one of await this.#parts.outbox.unreported(under + ROWS_PER_BATCH)) this.#report(one)
  }

  async settled(): Promise<void> {
    await this.#settlements.settled()
    await this.#reported.settled()
  }

  /** Receipts that waited or do not come, what is no news any more, what nobody serves, what is late, what is too much. */
  async keepHouse(served: readonly ChannelKind[], busy: (n: number) => boolean): Promise<void> {
    const { clock, outbox, journal } = this.#parts
    if (journal === null) return
    const now = clock.now()
    if (!this.#hasKeptHouse) await outbox.forgetLate()
    this.#hasKeptHouse = true
    for (const settlement of await lateReceipts(outbox, ROWS_PER_BATCH)) await this.settle(settlement)
    for (const row of await outbox.unreceipted(now, ROWS_PER_BATCH)) await this.settle(notReceived(row, now))
    for (const { n, at, channel } of await outbox.hopeless(now - LIMITS.courier.expireMs, served, ROWS_PER_BATCH)) {
      if (busy(n)) continue
      if (at < now - LIMITS.courier.expireMs && !(await this.#isStillNews(n))) await this.settle(expired(n, now))
      else if (!served.some((kind) => kind === channel)) await this.settle(notServed(n, channel, await outbox.hasOtherWay(n, served), now))
    }
    for (const { n, id, problem } of await outbox.newlyLate(now - LIMITS.courier.lateMs, LATE_FROM, ROWS_PER_BATCH)) {
      const why = `Not sent within ${LIMITS.courier.lateMs / 1000} s of being due; it is still tried.${problem === null ? '' : ` ${problem}`}`
      if (!(await this.#settlements.add({ n, from: ['queued'], set: { late: 1 } }))) continue
      journal({ id, state: 'failed', providerId: null, problem: why }, () => {})
    }
    if (clock.monotonic() - this.#prunedAt < PRUNE_EVERY_MS) return
    this.#prunedAt = clock.monotonic()
    await outbox.prune()
    await outbox.pruneEarly(now - LIMITS.courier.earlyMs)
  }

  async #isStillNews(n: number): Promise<boolean> {
    const row = await this.#parts.outbox.byN(n)
    return row !== null && this.#parts.isStillNews(row)
  }

  #report(unreported: Unreported): void {
    const { journal, running } = this.#parts
    const { n, stood } = unreported
    if (journal === null || !running() || sameAs(this.#reporting.get(n)?.stood, stood)) return
    this.#reporting.set(n, unreported)
    journal(unreported.report, () => {
      const forget = (): void => {
        if (this.#reporting.get(n) === unreported) this.#reporting.delete(n)
      }
      // What is not written down is reported once more: reports may come twice.
      if (running()) this.#reported.add(unreported).then(forget, forget)
    })
  }
}

function sameAs(one: Unreported['stood'] | undefined, other: Unreported['stood']): boolean {
  return one !== undefined && one.state === other.state && one.tries === other.tries && one.failed_at === other.failed_at
}
