// The sentences with which the journal refuses to start or to read: what is wrong, where, what to do.

import { messageOf, Refusal } from '../../platform/problem.ts'
import { errnoOf } from './errno.ts'

const WHY: Record<string, string> = {
  EACCES: 'this user has no permission',
  EPERM: 'this user has no permission',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'part of the path is a file, not a folder',
  EEXIST: 'there is a file of that name',
  ENOENT: 'the folder above it does not exist',
  ENAMETOOLONG: 'the path is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open'
}

/** The folder cannot be used at all. */
export function folderRefusal(folder: string, cause: unknown): Refusal {
  const code = errnoOf(cause) ?? ''
  const why = WHY[code] ?? messageOf(cause)
  return new Refusal(
    `The journal folder ${folder} cannot be written: ${why}${code === '' ? '' : ` (${code})`}. Give the user that runs Fenghuo the right to write there, or choose another data folder (FENGHUO_DATA).`,
    { cause }
  )
}

/** Another live process has the folder. */
export function lockedRefusal(folder: string, pid: number | null): Refusal {
  const who = pid === null ? 'another process' : `another process (pid ${pid})`
  return new Refusal(`The journal folder ${folder} is in use by ${who}. Stop that one first, or choose another data folder (FENGHUO_DATA).`)
}

/** A segment is damaged where acknowledged records must be. */
export function brokenRefusal(path: string, offset: number, seq: number, wrong: string): Refusal {
  return new Refusal(
    `The journal is broken in the middle: ${path} at byte ${offset}, where record ${seq} should begin: ${wrong}. Acknowledged records would be lost without a trace, so nothing is read past it. Keep a copy of the data folder, then restore it from a backup (fenghuo restore), or start with an empty data folder.`
  )
}

/** The folder belongs to a version to come. */
export function newerRefusal(path: string, format: number, known: number): Refusal {
  return new Refusal(
    `The journal segment ${path} was written by a newer Fenghuo (format ${format}, this one reads up to ${known}): start that version, or restore a backup made with this one.`
  )
}

/** The records asked for are no longer kept. */
export function prunedRefusal(folder: string, seq: number, oldestSeq: number): Refusal {
  return new Refusal(
    `Record ${seq} is no longer in the journal ${folder}: the oldest one kept is ${oldestSeq}. What depends on it must be restored from a backup that fits this journal, or started anew.`
  )
}
