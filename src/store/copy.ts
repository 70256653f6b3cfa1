// A copy of the state store beside a service that goes on writing it. Invariant: the copy is one instant of the store, whole.

import fs from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { stateFailure } from './failure.ts'
import { openState } from './state.ts'
import { transfer } from './transfer.ts'

/** All pages in one step: a reader of a write-ahead log holds nobody up, and a copy in several steps would begin anew with each commit. */
const ALL_PAGES = 0x7fffffff

/**
 * Copies the store at `from` to the file `to`, which must not exist, and answers the last journal seq whose effects are in it.
 * Throws a StateFailure where the disk or the file is in trouble.
 */
export async function copyState(from: string, to: string): Promise<{ readonly seq: number }> {
  try {
    // Made here, so that nobody but its owner can ever read it.
    fs.closeSync(fs.openSync(to, 'wx', 0o600))
    const source = new DatabaseSync(from, { readOnly: true })
    try {
      await backup(source, to, { rate: ALL_PAGES })
    } finally {
      source.close()
    }
    const copy = new DatabaseSync(to)
    try {
      const [verdict] = copy.prepare('pragma quick_check(1)').all() as { quick_check: string }[]
      if (verdict?.quick_check !== 'ok') throw Object.assign(new Error(verdict?.quick_check ?? 'no answer'), { errcode: 11 })
      const row = copy.prepare('select seq from position').get() as { seq: number } | undefined
      return { seq: row?.seq ?? 0 }
    } finally {
      copy.close()
    }
  } catch (cause) {
    throw stateFailure(cause) ?? cause
  }
}

/** The same of a store on a server: the file is as large as what is in it, and opens like any other. */
export async function copyServerState(url: string, to: string): Promise<{ readonly seq: number }> {
  const source = await openState(url, { readOnly: true })
  try {
    fs.closeSync(fs.openSync(to, 'wx', 0o600))
    const target = await openState(to)
    try {
      return { seq: (await transfer(source, target)).seq }
    } finally {
      await target.destroy()
    }
  } catch (cause) {
    throw stateFailure(cause) ?? cause
  } finally {
    await source.destroy()
  }
}
