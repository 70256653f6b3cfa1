// Where the state store is: an SQLite file in the data folder, or PostgreSQL under its lease.

import { existsSync } from 'node:fs'
import path from 'node:path'
import { Refusal } from '../platform/problem.ts'
import { isServer, serverName } from '../store/postgres.ts'
import type { State } from '../store/schema.ts'
import type { Config } from './config/service.ts'

export const STATE_FILE = 'state.db'
/** What the names of the files of one SQLite database end with. */
export const STATE_ENDS = ['', '-wal', '-shm']
/** Ends the name of a file whose content was moved to a server. */
export const MOVED = '.moved'

export interface StateStore {
  readonly state: State
  /** The same, for whoever only asks: what takes long there holds up no commit. */
  readonly reads: State
  /** A sentence while it does not answer. */
  problem(): string | null
  /** Resolves, if ever, with why nothing can be written any more. */
  readonly lost: Promise<Refusal>
}

/** Where the state is: a file of the data folder, or the address of a server. */
export function stateAt({ data, state }: Pick<Config, 'data' | 'state'>): string {
  return state.url ?? path.join(data, STATE_FILE)
}

/** Throws a Refusal where the state of this data folder was moved to a server and nothing says so to this start: it would begin anew. */
export function refuseMoved(folder: string): void {
  const file = path.join(folder, STATE_FILE)
  if (existsSync(file) || !existsSync(`${file}${MOVED}`)) return
  throw new Refusal(
    `The state of ${folder} was moved to PostgreSQL: set FENGHUO_POSTGRES_URL, or bring it back by fenghuo state migrate --to ${file}. (${file}${MOVED} is what it was before.)`
  )
}

/** A place of state as people are told of it: never with a password. */
export function placeOf(where: string): string {
  return isServer(where) ? `PostgreSQL ${serverName(where)}` : where
}
