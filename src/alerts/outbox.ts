// The outbox as the courier works on it. Invariant: 'sending' is on disk before a provider is called, and what came of the
// call is on disk before anybody is told; so a row found in 'sending' whose sender is gone may have gone out, and is marked.
// Several processes may work on it: a claim is one atomic step, and only who holds it writes what came of it.

import { sql } from 'kysely'
import type { ChannelKind, DeliveryReport, NotificationState } from '../model/notification.ts'
import { LIMITS } from '../platform/limits.ts'
import { guarded } from '../store/failure.ts'
import type { EarlyReceiptRow, NotificationRow, State } from '../store/schema.ts'
import { hostOf } from './hosts.ts'
import { byReceipt, countsFor } from './outcomes.ts'

/** A queued notification as dispatchers pass it on: whatever else there is to know stands in its row. */
export interface DueNotification {
  readonly n: number
  readonly kind: ChannelKind
  /** Rank: 4 red … 1 blue. */
  readonly tier: number
  readonly dueAt: number
  readonly tries: number
  /** The server it goes to, where the way lets every address have its own; else ''. */
  readonly host: string
}

/** What a row becomes. Keys that are missing stay as they are. */
export interface Settlement {
  readonly n: number
  readonly set: Partial<Omit<NotificationRow, 'n' | 'id'>>
  /** Only where this sender still holds the claim, or nobody else has claimed it since. */
  readonly claim?: string
  /** Only where it is in one of these states. */
  readonly from?: readonly NotificationState[]
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

/** A row whose outcome the journal is to hear of, and how it stood when that was read. */
export interface Unreported {
  readonly n: number
  readonly report: DeliveryReport
  readonly stood: Pick<NotificationRow, 'state' | 'tries' | 'failed_at'>
}

const NS_PER_QUERY = 500
const HOSTS_PER_QUERY = 50
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

  /** What is due of one kind and tier for these hosts, so many for each; oldest first. */
  async due(kind: ChannelKind, tier: number, hosts: readonly string[], now: number, limit: number): Promise<DueNotification[]> {
    const found: DueNotification[] = []
    for (let from = 0; from < hosts.length; from += HOSTS_PER_QUERY) {
      const each = hosts.slice(from, from + HOSTS_PER_QUERY).map(
        (host) => sql`select * from (select n, next_at, tries, address from notifications
          where state = 'queued' and channel = ${kind} and tier = ${tier} and host = ${host} and next_at <= ${now}
          order by next_at, n limit ${limit}) as due`
      )
      const query = sql<Pick<NotificationRow, 'n' | 'next_at' | 'tries' | 'address'>>`${sql.join(each, sql` union all `)}`
      const { rows } = await guarded(() => query.execute(this.#state))
      for (const { n, next_at, tries, address } of rows) found.push({ n, kind, tier, dueAt: next_at, tries, host: hostOf(kind, address) })
    }
    return found.sort((one, other) => one.dueAt - other.dueAt || one.n - other.n)
  }

  /** The hosts that anything of one kind and tier is queued for, in order, after `after`. As quick as there are hosts, however much is queued. */
  async hostsQueued(kind: ChannelKind, tier: number, after: string | null, limit: number): Promise<string[]> {
    const queued = sql`state = 'queued' and channel = ${kind} and tier = ${tier}`
    const query = sql<{ host: string }>`with recursive place (host) as (
      select * from (select host from notifications where ${queued} ${after === null ? sql`` : sql`and host > ${after}`} order by host limit 1) as first
      union all
      select (select host from notifications where ${queued} and host > place.host order by host limit 1) from place where place.host is not null
    ) select host from place where host is not null limit ${limit}`
    return (await guarded(() => query.execute(this.#state))).rows.map(({ host }) => host)
  }

  /** Takes queued rows for this sender; null for one that is not queued (any more) or not due. One transaction, on disk when it resolves. */
  async claim(ns: readonly number[], now: number, by: string): Promise<(NotificationRow | null)[]> {
    const rows = await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const claimed: NotificationRow[] = []
        for (const some of chunks(ns.toSorted((one, other) => one - other))) {
          const query = state
            .updateTable('notifications')
            .set(({ eb }) => ({ state: 'sending', sending_at: now, claimed_by: by, tries: eb('tries', '+', 1) }))
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

  /** Writes what became of rows, in one transaction; answers which of them stood as they had to. */
  async settle(settlements: readonly Settlement[]): Promise<boolean[]> {
    return guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const done = settlements.map(() => true)
        // By number, as everybody writes: two processes that wait for each other's rows would never end.
        for (const [i, { n, set, claim, from, early }] of [...settlements.entries()].sort(([, one], [, other]) => one.n - other.n)) {
          if (Object.keys(set).length > 0) done[i] = await update(state, n, set, claim, from)
          if (early !== undefined) await deleteEarly(state, early)
        }
        await joinEarly(
          state,
          settlements.filter((_one, i) => done[i])
        )
        return done
      })
    )
  }

  /** Rows in 'sending' whose sender is not among these (null: is none): they may have gone out. They are queued again and marked; answers how many. */
  async requeueDoubtful(now: number, senders: readonly string[] | null): Promise<number> {
    const outcome = await guarded(() => {
      const query = this.#state
        .updateTable('notifications')
        .set({ state: 'queued', possible_duplicate: 1, next_at: now, problem: DOUBTFUL })
        .where('state', '=', sql.lit('sending'))
      if (senders === null || senders.length === 0) return query.executeTakeFirst()
      return query.where(({ eb, or }) => or([eb('claimed_by', 'is', null), eb('claimed_by', 'not in', senders)])).executeTakeFirst()
    })
    return Number(outcome.numUpdatedRows)
  }

  /** What has become of notifications, where the journal does not have it yet. */
  async unreported(limit: number): Promise<Unreported[]> {
    const query = this.#state.selectFrom('notifications').selectAll().where('unreported', '=', sql.lit(1)).orderBy('n').limit(limit)
    const rows = await guarded(() => query.execute())
    return rows.flatMap((row) => unreportedOf(row) ?? [])
  }

  /** The journal has them, as they stood; what has become of one since is still to be reported. */
  async reported(all: readonly Pick<Unreported, 'n' | 'stood'>[]): Promise<void> {
    await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        for (const { n, stood } of all.toSorted((one, other) => one.n - other.n)) {
          const query = state.updateTable('notifications').set({ unreported: 0 }).where('n', '=', n).where('state', '=', stood.state)
          await query.where('tries', '=', stood.tries).where('failed_at', 'is not distinct from', stood.failed_at).execute()
        }
      })
    )
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

  /** All that are late are so newly: whether the journal has heard of those of an earlier life, nobody knows. */
  async forgetLate(): Promise<void> {
    await guarded(() =>
      this.#state.updateTable('notifications').set({ late: 0 }).where('state', '=', QUEUED).where('late', '=', 1).execute()
    )
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

  /** Whether the same call tells the same person by one of these ways too, and that has not failed. */
  async hasOtherWay(n: number, served: readonly ChannelKind[]): Promise<boolean> {
    if (served.length === 0) return false
    const query = this.#state
      .selectFrom('notifications as one')
      .innerJoin('notifications as other', (join) =>
        join
          .onRef('other.at', '=', 'one.at')
          .onRef('other.person', '=', 'one.person')
          .onRef('other.alarms', '=', 'one.alarms')
          .onRef('other.reason', '=', 'one.reason')
          .onRef('other.rung', '=', 'one.rung')
          .onRef('other.occurrence', '=', 'one.occurrence')
      )
      .select('other.n')
      .where('one.n', '=', n)
      .where('other.channel', 'in', served)
      .where('other.state', 'in', ['queued', 'sending', 'sent', 'delivered'])
      .limit(1)
    return (await guarded(() => query.executeTakeFirst())) !== undefined
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
    const named = sql<boolean>`exists (select 1 from notifications where provider_id = early.provider_id and provider = early.provider)`
    const known = this.#state.selectFrom('early_receipts as early').selectAll().where(named).orderBy('at').limit(limit)
    const matched: { receipt: EarlyReceiptRow; row: NotificationRow }[] = []
    for (const receipt of await guarded(() => known.execute())) {
      const row = await this.byProviderId(receipt.provider, receipt.provider_id)
      if (row !== null) matched.push({ receipt, row })
    }
    return matched
  }

  /** Deletes early receipts that no message will ask for any more, and the oldest beyond the bound. */
  async pruneEarly(before: number): Promise<void> {
    const newest = this.#state.selectFrom('early_receipts').select('at').orderBy('at', 'desc').offset(LIMITS.courier.earlyReceipts).limit(1)
    const beyond = await guarded(() => newest.executeTakeFirst())
    const until = Math.max(before, (beyond?.at ?? -1) + 1)
    await guarded(() => this.#state.deleteFrom('early_receipts').where('at', '<', until).execute())
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

const DOUBTFUL = 'The process that was sending this ended: it may have gone out, and is sent again under the same id.'

async function update(
  state: State,
  n: number,
  set: Settlement['set'],
  claim: Settlement['claim'],
  from: Settlement['from']
): Promise<boolean> {
  let query = state.updateTable('notifications').set(set).where('n', '=', n)
  if (claim !== undefined) query = query.where('claimed_by', '=', claim).where('state', 'in', ['sending', 'queued'])
  if (from !== undefined) query = query.where('state', 'in', from)
  return (await query.executeTakeFirst()).numUpdatedRows > 0n
}

async function deleteEarly(state: State, { provider, provider_id }: Pick<EarlyReceiptRow, 'provider' | 'provider_id'>): Promise<void> {
  await state.deleteFrom('early_receipts').where('provider', '=', provider).where('provider_id', '=', provider_id).execute()
}

/** Receipts that were quicker than the answer to their send, whoever took them. */
async function joinEarly(state: State, settled: readonly Settlement[]): Promise<void> {
  const accepted = settled.filter(({ set }) => set.state === 'sent' && typeof set.provider_id === 'string' && set.receipt_due != null)
  for (let from = 0; from < accepted.length; from += NS_PER_QUERY) {
    const some = accepted.slice(from, from + NS_PER_QUERY)
    const ids = some.map(({ set }) => set.provider_id as string)
    for (const early of await state.selectFrom('early_receipts').selectAll().where('provider_id', 'in', ids).execute()) {
      const of = some.find(({ set }) => set.provider_id === early.provider_id && set.provider === early.provider)
      if (of === undefined) continue
      await update(state, of.n, byReceipt(early, early.at), undefined, countsFor(early))
      await deleteEarly(state, early)
    }
  }
}

export function unreportedOf(row: NotificationRow): Unreported | null {
  const { n, state, tries, failed_at } = row
  const report = reportOf(row)
  return report === null ? null : { n, report, stood: { state, tries, failed_at } }
}

/** What the journal is to hold about a row; null while nothing has become of it. By a way that nobody serves it cannot arrive. */
export function reportOf({ id, state, provider_id, problem, withheld }: NotificationRow): DeliveryReport | null {
  if (state === 'withheld' && withheld === 'noChannel') return { id, state: 'failed', providerId: null, problem }
  if (state !== 'sent' && state !== 'delivered' && state !== 'failed') return null
  return { id, state, providerId: provider_id, problem }
}

function* chunks(ns: readonly number[]): Generator<number[]> {
  for (let from = 0; from < ns.length; from += NS_PER_QUERY) yield ns.slice(from, from + NS_PER_QUERY)
}
