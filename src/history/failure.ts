// What fails in history, as sentences that say what to do.

import { join } from 'node:path'
import { messageOf, Refusal } from '../platform/problem.ts'

export const DATABASE_FILE = 'open.duckdb'
/** Where large sorts spill to. */
export const SPILL_FOLDER = 'tmp'

/** History cannot answer or store at the moment, for no fault of the question: ask again later. */
export class HistoryFailure extends Error {
  override readonly name = 'HistoryFailure'
}

/** Why the database could not be opened, and what to do, in one sentence. */
export function whyNotOpened(folder: string, cause: unknown): string {
  if (cause instanceof Refusal) return cause.message
  const said = messageOf(cause).split('\n')[0]!
  const file = join(folder, DATABASE_FILE)
  if (/Could not set lock/.test(said)) {
    const pid = /\(PID (\d+)\)/.exec(said)?.[1]
    const holder = pid === undefined ? 'another process' : `process ${pid}`
    return `The history in ${folder} is in use by ${holder}: stop that one, or give this service a data folder of its own`
  }
  if (/Read-only file system|Permission denied|Cannot open file/.test(said)) {
    return `The history database ${file} cannot be opened for writing (${said}): make the folder writable for this user and start again`
  }
  return `The history database ${file} cannot be read (${said}): move ${DATABASE_FILE} and ${DATABASE_FILE}.wal away and start again; the closed days in ${join(folder, 'days')} stay, and what the journal still holds is stored again`
}
