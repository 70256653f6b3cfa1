// Marks as the book keeps them: every going on and off, numbered, in the transaction of the events that caused it.

import { type FloodScope, MARK_KINDS, type MarkChange, type MarkKind } from '../model/mark.ts'
import type { Scope } from '../model/scope.ts'
import type { Problem } from '../platform/problem.ts'
import { BulkWrite } from '../store/bulk.ts'
import { guarded } from '../store/failure.ts'
import type { MarkRow, State } from '../store/schema.ts'
import { inScope } from '../store/scope.ts'
import type { BookedAlarm, Page, PageRequest } from './booked.ts'
import { parseCursor } from './cursor.ts'
import { isProblem, pageLimit, pageOf } from './listings.ts'

/** A mark that went on or off, with its number: 1, 2, 3 … in the order of our clock. */
export interface BookedMark extends MarkChange {
  readonly n: number
}

/** All given must match; `from` (inclusive) and `to` (exclusive) bound `at`, epoch ms. */
export interface MarkFilter {
  readonly kind?: MarkKind | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

const COLUMNS = [
  'n',
  'kind',
  'at',
  'begins',
  'since',
  'scope',
  'rule',
  'device',
  'area',
  'in_area',
  'site',
  'enterprise',
  'alarms',
  'announced'
] as const satisfies readonly (keyof MarkRow)[]

/** Appends marks. Call `write` inside the transaction. */
export class MarkBook {
  readonly #rows = new BulkWrite<MarkRow>(COLUMNS, (state, rows) => state.insertInto('marks').values(rows).compile())

  async write(state: State, marks: readonly MarkChange[]): Promise<void> {
    if (marks.length === 0) return
    const last = await state
      .selectFrom('marks')
      .select(({ fn }) => fn.max('n').as('n'))
      .executeTakeFirst()
    const first = (last?.n ?? 0) + 1
    await this.#rows.write(
      state,
      marks.map((mark, place) => rowOf(first + place, mark))
    )
  }
}

/** Puts the marks on the alarms, in their order; alarms that are not among these are passed over. */
export function markAlarms(alarms: Map<string, BookedAlarm>, marks: readonly MarkChange[]): string[] {
  const marked: string[] = []
  for (const { kind, on, alarms: ids } of marks) {
    if (kind === 'flood') continue
    for (const id of ids) {
      const alarm = alarms.get(id)
      if (alarm === undefined) continue
      if (alarm[kind] !== on) alarms.set(id, { ...alarm, [kind]: on })
      marked.push(id)
    }
  }
  return marked
}

/** Newest first. A cursor from elsewhere is a problem. */
export async function listMarks(
  state: State,
  { kind, from, to }: MarkFilter,
  page: PageRequest,
  scope: Scope
): Promise<Page<BookedMark> | Problem> {
  const after = parseCursor('marks', ['number'], page.cursor)
  if (isProblem(after)) return after
  const limit = pageLimit(page)
  let query = state.selectFrom('marks').selectAll().orderBy('n', 'desc')
  if (scope !== null) query = query.where(inScope(scope))
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (from !== undefined) query = query.where('at', '>=', from)
  if (to !== undefined) query = query.where('at', '<', to)
  if (after !== null) query = query.where('n', '<', after[0] as number)
  const rows = await guarded(() => query.limit(limit + 1).execute())
  return pageOf(rows, limit, 'marks', ({ n }) => [n], markOfRow)
}

function rowOf(n: number, mark: MarkChange): MarkRow {
  const { kind, at, on, since, scope, rule, device, area, inArea, site, enterprise, alarms, count } = mark
  const text = JSON.stringify(alarms)
  return {
    n,
    kind,
    at,
    begins: on ? 1 : 0,
    since,
    scope,
    rule,
    device,
    area,
    in_area: inArea,
    site,
    enterprise,
    alarms: text,
    announced: count
  }
}

function markOfRow(row: MarkRow): BookedMark {
  const { n, at, since, rule, device, area, site, enterprise } = row
  return {
    ...{ n, at, since, rule, device, area, site, enterprise, inArea: row.in_area, count: row.announced, on: row.begins === 1 },
    kind: MARK_KINDS.find((kind) => kind === row.kind) ?? 'flood',
    scope: row.scope as FloodScope | null,
    alarms: JSON.parse(row.alarms) as string[]
  }
}
