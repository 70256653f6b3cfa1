// A lock that one live process holds. Node has no file locks of its own; SQLite's, on an empty file, is let go by the kernel
// together with the process, so a killed one never blocks the next, whatever has become of its pid.

import fs from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

const SQLITE_BUSY = 5

/**
 * Takes the lock on a file, made where it does not exist; the answer lets it go. Null where another process holds it, or this
 * one already does. Throws what the system threw where the file cannot be opened.
 */
export function takeLock(path: string): (() => void) | null {
  fs.closeSync(fs.openSync(path, 'a'))
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) return null
    throw cause
  }
  return () => database.close()
}
