// Transactions for what the journal can make again. They need not wait for the disk: a killed process loses none of them,
// and after a power loss the store is whole as it was some commits earlier, position included, and the journal is read
// again from there. Everything else (people, sessions, tokens, audit) commits with `synchronous = full`. On PostgreSQL all
// commits are: its server can crash without us, and we would go on with more than it still knows.

import { sql } from 'kysely'
import { onServer } from './postgres.ts'
import type { State } from './schema.ts'

/** Runs `act` in one transaction that is atomic, ordered, and durable against a crash of the process. */
export function rebuildable<Answer>(state: State, act: (transaction: State) => Promise<Answer>): Promise<Answer> {
  if (onServer(state)) return state.transaction().execute(act)
  return state.connection().execute(async (connection) => {
    await sql`pragma synchronous = normal`.execute(connection)
    try {
      return await connection.transaction().execute(act)
    } finally {
      await sql`pragma synchronous = full`.execute(connection)
    }
  })
}
