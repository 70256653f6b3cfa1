// Opens the state store: an SQLite file, or a PostgreSQL database.

import { Kysely } from 'kysely'
import { SystemClock } from '../platform/clock.ts'
import { Refusal } from '../platform/problem.ts'
import { failureSentence, stateFailure } from './failure.ts'
import { takeLease } from './lease.ts'
import { EvenDialect, isServer, PostgresLink, serverName } from './postgres.ts'
import type { Schema, State } from './schema.ts'
import { NodeSqliteDialect, SqliteFile } from './sqlite.ts'
import { checkVersion, migrate } from './upgrade.ts'

/** How a state store is opened. */
export interface OpenOptions {
  /** Nothing is written: the store must be there and up to date. On a server no lease is needed: somebody else may hold it. */
  readonly readOnly?: boolean
  /** Who takes the lease of a store on a server, to write to it. */
  readonly instance?: string
}

/**
 * Opens the state store at the newest schema: `where` is the path of an SQLite file, made where it is missing, or a
 * `postgres://` address. `state.destroy()` closes it.
 * Throws a Refusal where it cannot be opened, is damaged, locked, leased, foreign, or newer than this program.
 */
export async function openState(where: string, options: OpenOptions = {}): Promise<State> {
  const readOnly = options.readOnly ?? false
  if (!isServer(where)) return openFile(where, readOnly)
  if (readOnly) return readServer(where)
  const leased = await takeLease(where, { instance: options.instance ?? 'command', host: '', clock: new SystemClock(), log: null })
  if (leased !== null) return leased.state
  throw new Refusal(`A Fenghuo works with the state in PostgreSQL (${serverName(where)}): stop it first.`)
}

async function openFile(path: string, readOnly: boolean): Promise<State> {
  let state: State | null = null
  try {
    state = new Kysely<Schema>({ dialect: new NodeSqliteDialect(new SqliteFile(path, readOnly)) })
    await checkVersion(state, path, readOnly)
    if (!readOnly) await migrate(state)
    return state
  } catch (cause) {
    await state?.destroy()
    const failure = stateFailure(cause)
    if (failure === null) throw cause
    throw new Refusal(failureSentence(failure, path), { cause })
  }
}

/** The store on a server, to look at: beside whoever holds its lease. */
async function readServer(url: string): Promise<State> {
  const link = new PostgresLink(url, { name: 'fenghuo reading', readOnly: true })
  const state = new Kysely<Schema>({ dialect: new EvenDialect(link) })
  try {
    await link.open()
    await checkVersion(state, serverName(url), true)
    return state
  } catch (cause) {
    await state.destroy()
    await link.end()
    const failure = stateFailure(cause)
    if (failure === null) throw cause
    throw new Refusal(failureSentence(failure, serverName(url)), { cause })
  }
}
