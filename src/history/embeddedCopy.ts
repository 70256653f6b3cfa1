// A copy of the table of open rows while rows go on being stored. Invariant: the copy is one committed state, position included.

import { rmSync } from 'node:fs'
import type { Keeper } from './embedded.ts'
import { DATABASE_FILE } from './failure.ts'
import { quoted } from './parquet.ts'

/** DuckDB names a database after its file. */
const OPEN = `"${DATABASE_FILE.replace(/\.[^.]*$/, '')}"`

/** Copies the database behind `keeper` to the file `target`, replacing one, and answers the position in the copy. */
export async function copyOpenRows(keeper: Keeper, target: string): Promise<number> {
  dropCopy(target)
  await keeper.run(`ATTACH ${quoted(target)} AS copied`)
  let storedSeq: number
  try {
    await keeper.run(`COPY FROM DATABASE ${OPEN} TO copied`)
    storedSeq = (await keeper.ask('SELECT stored_seq::DOUBLE FROM copied.position'))[0]?.[0] ?? 0
  } catch (cause) {
    await keeper.run('DETACH copied').catch(() => undefined)
    dropCopy(target)
    throw cause
  }
  await keeper.run('DETACH copied')
  return storedSeq
}

/** Removes a copy that is there no longer for anybody. */
export function dropCopy(target: string): void {
  for (const file of [target, `${target}.wal`]) rmSync(file, { force: true })
}
