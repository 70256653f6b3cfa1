// What shadow rules did: transitions that are nobody's alarm. Numbered by themselves, bounded, and written in the transaction
// of the commit that they belong to, so a replay finds them there exactly once.

import type { Transition } from '../model/alarm.ts'
import type { Scope } from '../model/scope.ts'
import { LEVELS, type Level, levelRank } from '../model/tier.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Problem } from '../platform/problem.ts'
import { BulkWrite } from '../store/bulk.ts'
import { guarded } from '../store/failure.ts'
import type { ShadowEventRow, State } from '../store/schema.ts'
import { inScope } from '../store/scope.ts'
import type { Page, PageRequest } from './booked.ts'
import { parseCursor } from './cursor.ts'
import { isProblem, pageLimit, pageOf } from './listings.ts'
import { EVENT_PLACE_COLUMNS } from './rows.ts'
import type { Whereabouts } from './whereabouts.ts'

const COLUMNS = [...EVENT_PLACE_COLUMNS, 'from_level', 'to_level', 'because'] as const satisfies readonly (keyof ShadowEventRow)[]

/** Appends what shadow rules did; what is older than the bound goes. Call `write` inside the commit's transaction. */
export class ShadowBook {
  readonly #rows = new BulkWrite<ShadowEventRow>(COLUMNS, (state, rows) => state.insertInto('shadow_events').values(rows).compile())
  #last = 0

  /** Reads the last number. */
  async load(state: State): Promise<void> {
    const row = await state
      .selectFrom('shadow_events')
      .select(({ fn }) => fn.max('n').as('last'))
      .executeTakeFirst()
    this.#last = row?.last ?? 0
  }

  /** The number of the last event after these were written, to be given to `written` once the transaction is through. */
  async write(state: State, transitions: readonly Transition[], whereabouts: Whereabouts): Promise<number> {
    const kept = transitions.slice(-LIMITS.book.shadowEvents)
    if (kept.length === 0) return this.#last
    await this.#rows.write(
      state,
      kept.map((transition, place) => rowOf(this.#last + place + 1, transition, whereabouts))
    )
    const last = this.#last + kept.length
    await state
      .deleteFrom('shadow_events')
      .where('n', '<=', last - LIMITS.book.shadowEvents)
      .execute()
    return last
  }

  written(last: number): void {
    this.#last = last
  }
}

/** What a shadow rule did, newest first. A cursor from elsewhere is a problem. */
export async function listShadow(state: State, rule: string, page: PageRequest, scope: Scope): Promise<Page<Transition> | Problem> {
  const after = parseCursor('shadow', ['number'], page.cursor)
  if (isProblem(after)) return after
  const limit = pageLimit(page)
  let query = state.selectFrom('shadow_events').selectAll().where('rule', '=', rule).orderBy('n', 'desc')
  if (scope !== null) query = query.where(inScope(scope))
  if (after !== null) query = query.where('n', '<', after[0] as number)
  const rows = await guarded(() => query.limit(limit + 1).execute())
  return pageOf(rows, limit, 'shadow', (row) => [row.n], transitionOf)
}

/** The newest transitions of a shadow rule on a subject, at most `limit`, in their order. */
export async function shadowOf(state: State, rule: string, subject: string, limit: number, scope: Scope): Promise<Transition[]> {
  let query = state
    .selectFrom('shadow_events')
    .selectAll()
    .where('alarm', '>', `${rule}/${subject}#`)
    .where('alarm', '<', `${rule}/${subject}$`)
    .orderBy('alarm', 'desc')
    .orderBy('n', 'desc')
    .limit(limit)
  if (scope !== null) query = query.where(inScope(scope))
  const rows = await guarded(() => query.execute())
  return rows.sort((one, other) => one.n - other.n).map(transitionOf)
}

/** When a shadow rule last went on, epoch ms; null: never, as far as is kept. */
export async function lastShadowRaise(state: State, rule: string, scope: Scope): Promise<number | null> {
  let query = state
    .selectFrom('shadow_events')
    .select('at')
    .where('rule', '=', rule)
    .where('from_level', '=', 0)
    .orderBy('n', 'desc')
    .limit(1)
  if (scope !== null) query = query.where(inScope(scope))
  return (await guarded(() => query.executeTakeFirst()))?.at ?? null
}

function rowOf(n: number, { at, id, rule, device, area, from, to, because }: Transition, whereabouts: Whereabouts): ShadowEventRow {
  const { site, enterprise } = whereabouts.of(device, area)
  return { n, at, alarm: id, rule, device, area, site, enterprise, from_level: levelRank(from), to_level: levelRank(to), because }
}

function transitionOf({ at, alarm: id, rule, device, area, from_level, to_level, because }: ShadowEventRow): Transition {
  const levelOf = (rank: number): Level => LEVELS[rank] ?? 'clear'
  return { kind: 'transition', at, rule, device, area, from: levelOf(from_level), to: levelOf(to_level), id, because, shadow: true }
}
