// What the book answers from the store: bounded pages, always inside the asker's enterprises.

import { sql } from 'kysely'
import type { Scope } from '../model/scope.ts'
import { levelRank } from '../model/tier.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Problem } from '../platform/problem.ts'
import { guarded } from '../store/failure.ts'
import type { AlarmRow, State } from '../store/schema.ts'
import { inScope } from '../store/scope.ts'
import type { AlarmFilter, BookedAlarm, CommittedEvent, EventFilter, Page, PageRequest, QuarantinedReject } from './booked.ts'
import { type CursorKind, cursorText, parseCursor, type SortKey } from './cursor.ts'
import { alarmOfRow, eventOfRow, rejectOfRow } from './rows.ts'

/** Written into the statement, not bound: only so does SQLite see that the index of active alarms fits. */
const ACTIVE = sql.lit(1)

/** Alarms of a filter. active: highest tier first, then newest; all: newest first. */
export async function listAlarms(state: State, filter: AlarmFilter, page: PageRequest, scope: Scope): Promise<Page<BookedAlarm> | Problem> {
  const kind = filter.state === 'active' ? 'active' : 'raised'
  const after = parseCursor(kind, kind === 'active' ? ['number', 'number', 'string'] : ['number', 'string'], page.cursor)
  if (isProblem(after)) return after
  const limit = pageLimit(page)
  const { tiers, site, enterprise, device, from, to } = filter
  let query = state.selectFrom('alarms').selectAll()
  if (scope !== null) query = query.where(inScope(scope))
  if (tiers !== undefined) query = query.where('tier', 'in', tiers.length === 0 ? [-1] : tiers.map(levelRank))
  if (site !== undefined) query = query.where('site', '=', site)
  if (enterprise !== undefined) query = query.where('enterprise', '=', enterprise)
  if (device !== undefined) query = query.where('device', '=', device)
  if (from !== undefined) query = query.where('raised_at', '>=', from)
  if (to !== undefined) query = query.where('raised_at', '<', to)
  for (const [column, wanted] of [
    ['shelved', filter.shelved],
    ['suppressed', filter.suppressed],
    ['out_of_service', filter.outOfService]
  ] as const) {
    if (wanted !== undefined) query = query.where(column, '=', wanted ? 1 : 0)
  }
  if (kind === 'active') {
    const withheld = filter.shelved === true || filter.suppressed === true || filter.outOfService === true
    if (!withheld) query = query.where('active', '=', ACTIVE)
    else query = query.where('standing', '=', ACTIVE).where(sql<boolean>`shelved + suppressed + out_of_service > 0`)
    query = query.orderBy('tier', 'desc')
    if (after !== null) query = query.where(sql<boolean>`(tier, raised_at, id) < (${after[0]}, ${after[1]}, ${after[2]})`)
  } else if (after !== null) {
    query = query.where(sql<boolean>`(raised_at, id) < (${after[0]}, ${after[1]})`)
  }
  query = query.orderBy('raised_at', 'desc').orderBy('id', 'desc')
  const rows = await guarded(() => query.limit(limit + 1).execute())
  const keyOf = (row: AlarmRow): SortKey => (kind === 'active' ? [row.tier, row.raised_at, row.id] : [row.raised_at, row.id])
  return pageOf(rows, limit, kind, keyOf, alarmOfRow)
}

/** The alarm of this id, whether active or long gone. */
export async function alarmById(state: State, id: string): Promise<BookedAlarm | null> {
  const row = await guarded(() => state.selectFrom('alarms').selectAll().where('id', '=', id).executeTakeFirst())
  return row === undefined ? null : alarmOfRow(row)
}

/** The newest events of one alarm, in their order. */
export async function eventsOfAlarm(state: State, id: string): Promise<CommittedEvent[]> {
  const query = state.selectFrom('alarm_events').selectAll().where('alarm', '=', id).orderBy('n', 'desc').limit(LIMITS.book.eventsPerAlarm)
  return (await guarded(() => query.execute())).map(eventOfRow).reverse()
}

/** Events in journal order. */
export async function listEvents(
  state: State,
  { from, to }: EventFilter,
  page: PageRequest,
  scope: Scope
): Promise<Page<CommittedEvent> | Problem> {
  const after = parseCursor('events', ['number'], page.cursor)
  if (isProblem(after)) return after
  const limit = pageLimit(page)
  let query = state.selectFrom('alarm_events').selectAll().orderBy('n')
  if (scope !== null) query = query.where(inScope(scope))
  if (after !== null) query = query.where('n', '>', after[0] as number)
  if (from !== undefined || to !== undefined) {
    // Numbers run roughly with time: the index of `at` says which of them to look at, so a day out of years stays cheap.
    const [low, high] = [from ?? Number.MIN_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER]
    const span = await guarded(() =>
      state
        .selectFrom('alarm_events')
        .select(({ fn }) => [fn.min('n').as('first'), fn.max('n').as('last')])
        .where('at', '>=', low)
        .where('at', '<', high)
        .executeTakeFirstOrThrow()
    )
    if (span.first === null) return { items: [], next: null }
    query = query.where('n', '>=', span.first).where('n', '<=', span.last).where('at', '>=', low).where('at', '<', high)
  }
  const rows = await guarded(() => query.limit(limit + 1).execute())
  return pageOf(rows, limit, 'events', (row) => [row.n], eventOfRow)
}

/** Up to `limit` events numbered above `n`. */
export async function listEventsAfter(state: State, n: number, limit: number, scope: Scope): Promise<CommittedEvent[]> {
  let query = state.selectFrom('alarm_events').selectAll().where('n', '>', n).orderBy('n').limit(limit)
  if (scope !== null) query = query.where(inScope(scope))
  return (await guarded(() => query.execute())).map(eventOfRow)
}

/** Quarantined rejects, newest first. */
export async function listQuarantine(state: State, page: PageRequest, scope: Scope): Promise<Page<QuarantinedReject> | Problem> {
  const after = parseCursor('quarantine', ['number'], page.cursor)
  if (isProblem(after)) return after
  const limit = pageLimit(page)
  let query = state.selectFrom('quarantine').selectAll().orderBy('id', 'desc')
  if (scope !== null) query = query.where(inScope(scope))
  if (after !== null) query = query.where('id', '<', after[0] as number)
  const rows = await guarded(() => query.limit(limit + 1).execute())
  return pageOf(rows, limit, 'quarantine', (row) => [row.id], rejectOfRow)
}

export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  kind: CursorKind,
  keyOf: (row: Row) => SortKey,
  itemOf: (row: Row) => Item
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(itemOf), next: rows.length > limit && last !== undefined ? cursorText(kind, keyOf(last)) : null }
}

export function pageLimit({ limit }: PageRequest): number {
  return Math.max(1, Math.min(LIMITS.api.itemsPerPage, Math.floor(limit)))
}

export function isProblem(value: SortKey | null | Problem): value is Problem {
  return value !== null && 'kind' in value
}
