// Where tests keep their state: in an SQLite file, or, where tests/services/postgresState.test.ts runs the same tests, in
// PostgreSQL: a database for each path, so that opening the path again finds what was there.

import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { SystemClock } from '../../src/platform/clock.ts'
import { takeLease } from '../../src/store/lease.ts'
import type { State } from '../../src/store/schema.ts'
import { openState as open } from '../../src/store/state.ts'

/** Answers the address of the database that stands for a path. */
type Databases = (path: string) => Promise<string>

declare global {
  var stateDatabases: Databases | undefined
}

/** From now on state is kept on a server. Call it before the tests are imported. */
export function keepStateOnServer(databases: Databases): void {
  globalThis.stateDatabases = databases
}

/** A test that is about a file: over a server there is none. */
export function itInFile(name: string, test: () => Promise<void>, timeout?: number): void {
  if (inFile()) it(name, test, timeout)
}

/** Whether state is kept in a file. */
export function inFile(): boolean {
  return globalThis.stateDatabases === undefined
}

/** As `openState` of the product does, at the place that stands for this path. */
export async function openState(path: string, options?: Parameters<typeof open>[1]): Promise<State> {
  const databases = globalThis.stateDatabases
  return databases === undefined ? looked(await open(path, options)) : open(await databases(path), options)
}

/** As `openState`, with what a service only reads by. */
export async function openStore(path: string): Promise<{ readonly state: State; readonly reads: State }> {
  const databases = globalThis.stateDatabases
  if (databases === undefined) {
    const state = await openState(path)
    return { state, reads: state }
  }
  const lease = await takeLease(await databases(path), { instance: 'tests', host: '', clock: new SystemClock(), log: null })
  if (lease === null) throw new Error(`somebody else works with the database of ${path}`)
  return lease
}

/** Before it is closed, every column of whole numbers must hold nothing else: SQLite keeps a fraction there, a server refuses it. */
function looked(state: State): State {
  const destroy = state.destroy.bind(state)
  state.destroy = async () => {
    // Whoever closes it again closes nothing.
    state.destroy = destroy
    const found = await fractions(state)
    await destroy()
    expect(found, 'no whole numbers').toEqual([])
  }
  return state
}

async function fractions(state: State): Promise<string[]> {
  const columns = await sql<{ place: string; tab: string; col: string }>`
    select m.name || '.' || c.name as place, m.name as tab, c.name as col from sqlite_schema m join pragma_table_info(m.name) c
    where m.type = 'table' and lower(c.type) in ('integer', 'bigint')`.execute(state)
  const each = columns.rows.map(
    ({ place, tab, col }) =>
      sql`select ${place} as place where exists (select 1 from ${sql.table(tab)} where typeof(${sql.ref(col)}) not in ('integer', 'null'))`
  )
  return (await sql<{ place: string }>`${sql.join(each, sql` union all `)}`.execute(state)).rows.map(({ place }) => place)
}

/** The setting by which a service on this data folder keeps its state where these tests do. */
export async function stateEnv(data: string): Promise<Record<string, string>> {
  const databases = globalThis.stateDatabases
  return databases === undefined ? {} : { FENGHUO_POSTGRES_URL: await databases(data) }
}

interface Trouble {
  readonly kind: 'full' | 'readOnly'
  readonly end: () => Promise<unknown>
}

/** Makes writes fail until `end` is called. */
export async function refuseWrites(state: State): Promise<Trouble> {
  const [on, off] = inFile()
    ? [sql`pragma query_only = on`, sql`pragma query_only = off`]
    : [sql`set default_transaction_read_only = on`, sql`set default_transaction_read_only = off`]
  await on.execute(state)
  return { kind: 'readOnly', end: () => off.execute(state) }
}

/** Leaves a file no room until `end` is called; a server takes no writes then. */
export async function fillUp(state: State): Promise<Trouble> {
  if (!inFile()) return refuseWrites(state)
  const { page_count } = (await sql<{ page_count: number }>`pragma page_count`.execute(state)).rows[0] as { page_count: number }
  await sql`pragma max_page_count = ${sql.lit(page_count)}`.execute(state)
  return { kind: 'full', end: () => sql`pragma max_page_count = 1000000`.execute(state) }
}
