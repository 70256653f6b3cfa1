// One live process per journal folder. SQLite's lock on an empty file is let go by the kernel with the process, so a
// killed one never blocks the next, whatever became of its pid. The pid stands beside it, for the sentence only.

import fs from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isFull } from './errno.ts'
import { folderRefusal, lockedRefusal } from './refusals.ts'

const SQLITE_BUSY = 5

/** Takes the folder for this process, or throws a Refusal; the answer lets it go again. */
export function lockFolder(folder: string): () => void {
  const pidPath = join(folder, 'journal.pid')
  let database: DatabaseSync | null = null
  try {
    fs.closeSync(fs.openSync(join(folder, 'journal.lock'), 'a'))
    database = new DatabaseSync(join(folder, 'journal.lock'), { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database?.close()
    if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) throw lockedRefusal(folder, pidIn(pidPath), cause)
    throw folderRefusal(folder, cause)
  }
  writePid(pidPath)
  const held = database
  return () => held.close()
}

function writePid(path: string): void {
  try {
    fs.writeFileSync(path, `${process.pid}\n`)
  } catch (cause) {
    // A full disk must not keep the service from starting; the lock itself holds.
    if (!isFull(cause)) throw folderRefusal(path, cause)
  }
}

function pidIn(path: string): number | null {
  try {
    const pid = Number.parseInt(fs.readFileSync(path, 'latin1'), 10)
    return Number.isSafeInteger(pid) ? pid : null
  } catch {
    return null
  }
}
