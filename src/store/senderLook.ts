// Which delivery workers are there, for somebody who only looks on: those that have counted up between two looks.

import { Kysely } from 'kysely'
import { EvenDialect, PostgresLink } from './postgres.ts'
import type { Schema, SenderRow, State } from './schema.ts'

export type SeenWorker = Pick<SenderRow, 'id' | 'host' | 'pid' | 'version' | 'problem'>

/** `between`: lets at least two of their counts pass. Throws what the server said where it does not let us in, or has no such table. */
export async function lookForWorkers(url: string, between: () => Promise<void>): Promise<SeenWorker[]> {
  const link = new PostgresLink(url, { name: 'fenghuo doctor', readOnly: true })
  const state: State = new Kysely<Schema>({ dialect: new EvenDialect(link) })
  const query = state.selectFrom('senders').select(['id', 'host', 'pid', 'version', 'problem', 'beat']).where('role', '=', 'worker')
  try {
    await link.open()
    const before = new Map((await query.execute()).map(({ id, beat }) => [id, beat]))
    await between()
    return (await query.orderBy('host').orderBy('pid').execute()).filter(({ id, beat }) => before.get(id) !== beat)
  } finally {
    await state.destroy()
    await link.end()
  }
}
