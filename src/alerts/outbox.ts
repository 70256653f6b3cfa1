// The outbox as the courier works on it. Invariant: 'sending' is on disk before a provider is called, and what came of the
// call is on disk before anybody is told; so a row found in 'sending' at the start may have gone out, and is marked.

import { sql } from 'kysely'
import type { ChannelKind, DeliveryReport } from '../model/notification.ts'
import { LIMITS } from '../platform/limits.ts'
import { guarded } from '../store/failure.ts'
import type { EarlyReceiptRow, NotificationRow, State } from '../store/schema.ts'

/** A queued notification as dispatchers pass it on: whatever else there is to know stands in its row. */
export interface DueNotification {
  readonly n: number
  readonly kind: ChannelKind
  /** Rank: 4 red … 1 blue. */
  readonly tier: number
  readonly dueAt: number
  readonly tries: number
  readonly address: string | null
}

/** What a row becomes. Keys that are missing stay as they are. */
export interface Settlement {
  readonly n: number
  readonly set: Partial<Omit<NotificationRow, 'n' | 'id'>>
  /** The early receipt that this uses up. */
  readonly early?: Pick<EarlyReceiptRow, 'provider' | 'provider_id'>
}

/** How much waits, and since when. */
export interface OutboxFigures {
  readonly queued: number
  /** When the oldest of them was due, epoch ms; null: none waits. */
  readonly oldestDueAt: number | null
  readonly deadLetters: number
}

const NS_PER_QUERY = 500
/** Written into the statement, so that the partial indexes are seen to fit. */
const QUEUED = sql.lit('queued')

export class Outbox {
  readonly #state: State

  constructor(state: State) {
    this.#state = state
  }

  /** The state store itself, for what is written beside the outbox. */
  get state(): State {
    return this.#state
  }

  /** What is due of one kind and tier, oldest first. */
  async due(kind: ChannelKind, tier: number, now: number, limit: number): Promise<DueNotification[]> {
    const query = this.#state
      .selectFrom('notifications')
      .select(['n', 'next_at', 'tries', 'address'])
      .where('state', '=', QUEUED)
      .where('channel', '=', kind)
      .where('tier', '=', tier)
      .where('next_at', '<=', now)
      .orderBy('next_at')
      .orderBy('n')
      .limit(limit)
    const rows = await guarded(() => query.execute())
    return rows.map(({ n, next_at, tries, address }) => ({ n, kind, tier, dueAt: next_at, tries, address }))
  }

  /** The kinds that anything is queued for. */
  async kindsQueued(): Promise<ChannelKind[]> {
    const query = this.#state.selectFrom('notifications').select('channel').distinct().where('state', '=', QUEUED)
    return (await guarded(() => query.execute())).map(({ channel }) => channel as ChannelKind)
  }

  /** Takes queued rows for sending; null for one that is not queued (any more) or not due. One transaction, on disk when it resolves. */
  async claim(ns: readonly number[], now: number): Promise<(NotificationRow | null)[]> {
    const rows = await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const claimed: NotificationRow[] = []
        for (const some of chunks(ns)) {
          const query = state
            .updateTable('notifications')
            .set(({ eb }) => ({ state: 'sending', sending_at: now, tries: eb('tries', '+', 1) }))
            .where('n', 'in', some)
            .where('state', '=', QUEUED)
            .where('next_at', '<=', now)
            .returningAll()
          claimed.push(...(await query.execute()))
        }
        return claimed
      })
    )
    const byN = new Map(rows.map((row) => [row.n, row]))
    return ns.map((n) => {
      const row = byN.get(n) ?? null
      // Asked for twice in one batch: only the first may send.
      byN.delete(n)
      return row
    })
  }

  /** Writes what became of rows, in one transaction. */
  async settle(settlements: readonly Settlement[]): Promise<void> {
    await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        for (const { n, set, early } of settlements) {
          if (Object.keys(set).length > 0) await state.updateTable('notifications').set(set).where('n', '=', n).execute()
          if (early === undefined) continue
          const used = state.deleteFrom('early_receipts').where('provider', '=', early.provider)
          await used.where('provider_id', '=', early.provider_id).execute()
        }
      })
    )
  }

  /** Rows in 'sending' when nobody sends: they may have gone out. They are queued again and marked; answers how many. */
  async requeueDoubtful(now: number): Promise<number> {
    const outcome = await guarded(() =>
      this.#state
        .updateTable('notifications')
        .set({
          state: 'queued',
          possible_duplicate: 1,
          next_at: now,
          problem: 'The service ended while this was being sent: it may have gone out, and is sent again under the same id.'
        })
        .where('state', '=', sql.lit('sending'))
        .executeTakeFirst()
    )
    return Number(outcome.numUpdatedRows)
  }

  /** What has become of a notification, where the journal does not have it yet. */
  async unreported(limit: number): Promise<{ n: number; report: DeliveryReport }[]> {
    const query = this.#state.selectFrom('notifications').selectAll().where('unreported', '=', sql.lit(1)).orderBy('n').limit(limit)
    const rows = await guarded(() => query.execute())
    return rows.flatMap((row) => {
      const report = reportOf(row)
      return report === null ? [] : [{ n: row.n, report }]
    })
  }

  /** Queued rows that have waited since before `before`, of this tier or above, of which the ladder does not know yet. */
  async newlyLate(before: number, tier: number, limit: number): Promise<{ n: number; id: string; problem: string | null }[]> {
    const query = this.#state
      .selectFrom('notifications')
      .select(['n', 'id', 'problem'])
      .where('state', '=', QUEUED)
      .where('at', '<', before)
      .where('tier', '>=', tier)
      .where('late', '=', 0)
      .limit(limit)
    return guarded(() => query.execute())
  }

  /** Queued rows that are no news any more, or whose way no provider serves. */
  async hopeless(expired: number, served: readonly ChannelKind[], limit: number): Promise<{ n: number; channel: string; at: number }[]> {
    const query = this.#state
      .selectFrom('notifications')
      .select(['n', 'channel', 'at'])
      .where('state', '=', QUEUED)
      .where(({ eb, or }) => or([eb('at', '<', expired), eb('channel', 'not in', served.length === 0 ? [''] : served)]))
      .limit(limit)
    return guarded(() => query.execute())
  }

  /** Accepted rows whose receipt has not come by `now`. */
  async unreceipted(now: number, limit: number): Promise<NotificationRow[]> {
    const query = this.#state.selectFrom('notifications').selectAll().where('receipt_due', '<=', now).orderBy('receipt_due').limit(limit)
    return guarded(() => query.execute())
  }

  /** The notification that a provider calls so. */
  async byProviderId(provider: string, providerId: string): Promise<NotificationRow | null> {
    const query = this.#state
      .selectFrom('notifications')
      .selectAll()
      .where('provider_id', '=', providerId)
      .where('provider', '=', provider)
      .orderBy('n', 'desc')
      .limit(1)
    return (await guarded(() => query.executeTakeFirst())) ?? null
  }

  /** Keeps a receipt of which no message is known yet. */
  async keepEarly(receipt: EarlyReceiptRow): Promise<void> {
    const { state, problem, at } = receipt
    await guarded(() =>
      this.#state
        .insertInto('early_receipts')
        .values(receipt)
        .onConflict((conflict) => conflict.columns(['provider', 'provider_id']).doUpdateSet({ state, problem, at }))
        .execute()
    )
  }

  /** Early receipts whose message has meanwhile been accepted, perhaps by another process or before a restart. */
  async earlyMatched(limit: number): Promise<{ receipt: EarlyReceiptRow; row: NotificationRow }[]> {
    const waiting = await guarded(() => this.#state.selectFrom('early_receipts').selectAll().orderBy('at').limit(limit).execute())
    const matched: { receipt: EarlyReceiptRow; row: NotificationRow }[] = []
    for (const receipt of waiting) {
      const row = await this.byProviderId(receipt.provider, receipt.provider_id)
      if (row !== null) matched.push({ receipt, row })
    }
    return matched
  }

  /** Deletes early receipts that no message will ask for any more. */
  async pruneEarly(before: number): Promise<void> {
    await guarded(() => this.#state.deleteFrom('early_receipts').where('at', '<', before).execute())
  }

  async byN(n: number): Promise<NotificationRow | null> {
    return (await guarded(() => this.#state.selectFrom('notifications').selectAll().where('n', '=', n).executeTakeFirst())) ?? null
  }

  async byId(id: string): Promise<NotificationRow | null> {
    return (await guarded(() => this.#state.selectFrom('notifications').selectAll().where('id', '=', id).executeTakeFirst())) ?? null
  }

  /** Makes a dead letter a queued notification again; false where it is none. */
  async retry(id: string, now: number): Promise<boolean> {
    const outcome = await guarded(() =>
      this.#state
        .updateTable('notifications')
        .set({ state: 'queued', tries: 0, next_at: now, at: now, failed_at: null, receipt_due: null, unreported: 0, late: 0 })
        .where('id', '=', id)
        .where('state', '=', 'failed')
        .executeTakeFirst()
    )
    return outcome.numUpdatedRows > 0n
  }

  async figures(): Promise<OutboxFigures> {
    const [queued, dead] = await guarded(() =>
      Promise.all([
        this.#state
          .selectFrom('notifications')
          .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min('next_at').as('oldest')])
          .where('state', '=', QUEUED)
          .executeTakeFirstOrThrow(),
        this.#state
          .selectFrom('notifications')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('state', '=', sql.lit('failed'))
          .executeTakeFirstOrThrow()
      ])
    )
    return { queued: queued.count, oldestDueAt: queued.oldest, deadLetters: dead.count }
  }

  /** Deletes what is over beyond the bound, the oldest first. */
  async prune(): Promise<void> {
    const last = await guarded(() =>
      this.#state
        .selectFrom('notifications')
        .select(({ fn }) => fn.max('n').as('n'))
        .executeTakeFirst()
    )
    const before = (last?.n ?? 0) - LIMITS.courier.rows
    if (before <= 0) return
    await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const over = await state
          .selectFrom('notifications')
          .select('n')
          .where('n', '<=', before)
          .where('state', 'not in', ['queued', 'sending'])
          .where('unreported', '=', 0)
          .orderBy('n')
          .limit(5 * NS_PER_QUERY)
          .execute()
        for (const some of chunks(over.map(({ n }) => n))) {
          await state.deleteFrom('notification_alarms').where('n', 'in', some).execute()
          await state.deleteFrom('notifications').where('n', 'in', some).execute()
        }
      })
    )
  }
}

/** What the journal is to hold about a row; null while nothing has become of it. */
export function reportOf({ id, state, provider_id, problem }: NotificationRow): DeliveryReport | null {
  if (state !== 'sent' && state !== 'delivered' && state !== 'failed') return null
  return { id, state, providerId: provider_id, problem }
}

function* chunks(ns: readonly number[]): Generator<number[]> {
  for (let from = 0; from < ns.length; from += NS_PER_QUERY) yield ns.slice(from, from + NS_PER_QUERY)
}
