// The whole state from one store into another, whichever databases they are: at one instant, in chunks, all or nothing.

import { type Kysely, sql } from 'kysely'
import { Refusal } from '../platform/problem.ts'
import { guarded } from './failure.ts'
import { onServer } from './postgres.ts'
import type { State } from './schema.ts'
import { contentsOf } from './upgrade.ts'

/** What belongs to a server and its lease, and not to the state: a store that is moved begins without it. */
const OF_THE_PLACE = new Set([
  'lease',
  'senders',
  'journal_groups',
  'engine_snapshots',
  'kept_plants',
  'copy_state',
  'schema_migrations',
  'schema_migrations_lock'
])
/** Others point at these. */
const FIRST = ['users']
const ROWS_READ = 1_000
/** Of one statement; SQLite takes 32,766 of them, PostgreSQL 65,535. */
const PARAMETERS = 10_000

export interface Transferred {
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>
  /** The last journal seq whose effects are in the state. */
  readonly seq: number
}

type Tables = Kysely<Record<string, Record<string, unknown>>>

/** Throws a Refusal where the store, named so to people, holds anything. */
export async function refuseFilled(state: State, place: string): Promise<void> {
  await guarded(async () => {
    const { seq } = await state.selectFrom('position').select('seq').executeTakeFirstOrThrow()
    const filled = seq > 0 ? 'position' : await firstFilled(state as unknown as Tables, await tablesOf(state))
    if (filled !== null) throw new Refusal(`${place} holds a state already (in its table ${filled}): name an empty database.`)
  })
}

/**
 * Copies everything into an empty store at the newest schema, as it was at one instant; whoever uses `from` goes on meanwhile.
 * Where it throws, nothing is in `to`.
 */
export async function transfer(from: State, to: State): Promise<Transferred> {
  return guarded(() =>
    atOneInstant(from, (source) =>
      to.transaction().execute(async (target) => {
        const rows: Record<string, number> = {}
        await target.deleteFrom('position').execute()
        for (const table of await tablesOf(target)) {
          rows[table] = await copyTable(table, source, target)
          await refuseDifference(table, rows[table] ?? 0, target as unknown as Tables)
        }
        const { seq } = await target.selectFrom('position').select('seq').executeTakeFirstOrThrow()
        return { rows, seq }
      })
    )
  )
}

async function tablesOf(state: State): Promise<string[]> {
  const names = (await contentsOf(state)).tables.filter((name) => !OF_THE_PLACE.has(name) && !name.startsWith('sqlite_'))
  return [...FIRST, ...names.filter((name) => !FIRST.includes(name)).sort()]
}

async function firstFilled(state: Tables, tables: readonly string[]): Promise<string | null> {
  for (const table of tables) {
    if (table === 'position') continue
    if ((await state.selectFrom(table).select(sql`1`.as('one')).limit(1).execute()).length > 0) return table
  }
  return null
}

/** Reads in one transaction that sees nothing of what others commit meanwhile. */
function atOneInstant<Result>(state: State, act: (state: State) => Promise<Result>): Promise<Result> {
  const transaction = state.transaction()
  return (onServer(state) ? transaction.setIsolationLevel('repeatable read') : transaction).execute(act)
}

async function copyTable(table: string, source: State, target: State): Promise<number> {
  let count = 0
  for await (const rows of chunksOf(table, source)) {
    const columns = Object.keys(rows[0] ?? {}).length
    const most = Math.max(1, Math.floor(PARAMETERS / columns))
    for (let at = 0; at < rows.length; at += most) {
      await (target as unknown as Tables)
        .insertInto(table)
        .values(rows.slice(at, at + most))
        .execute()
    }
    count += rows.length
  }
  return count
}

async function* chunksOf(table: string, source: State): AsyncGenerator<Record<string, unknown>[]> {
  if (onServer(source)) {
    await sql`declare rows_of_table no scroll cursor for select * from ${sql.table(table)}`.execute(source)
    for (;;) {
      const { rows } = await sql<Record<string, unknown>>`fetch ${sql.lit(ROWS_READ)} from rows_of_table`.execute(source)
      if (rows.length > 0) yield rows
      if (rows.length < ROWS_READ) break
    }
    await sql`close rows_of_table`.execute(source)
    return
  }
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const { rows } = await sql<Record<string, unknown> & { place: number }>`
      select rowid as place, * from ${sql.table(table)} where rowid > ${after} order by rowid limit ${ROWS_READ}`.execute(source)
    after = rows.at(-1)?.place ?? after
    if (rows.length > 0) yield rows.map(({ place: _, ...row }) => row)
    if (rows.length < ROWS_READ) return
  }
}

async function refuseDifference(table: string, expected: number, target: Tables): Promise<void> {
  const [row] = await target
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .execute()
  if (row?.count === expected) return
  throw new Refusal(`Of table ${table} ${expected} rows were read, but ${row?.count ?? 0} are there: nothing was moved. Try again.`)
}
