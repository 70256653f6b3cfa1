// Where tests keep their state: in an SQLite file, or, where tests/services/postgresState.test.ts runs the same tests, in
// PostgreSQL: a database for each path, so that opening the path again finds what was there.

import { sql } from 'kysely'
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

/** For the few tests that are about a file. */
export function inFile(): boolean {
  return globalThis.stateDatabases === undefined
}

/** As `openState` of the product does, at the place that stands for this path. */
export async function openState(path: string, options?: Parameters<typeof open>[1]): Promise<State> {
  const databases = globalThis.stateDatabases
  return open(databases === undefined ? path : await databases(path), options)
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
