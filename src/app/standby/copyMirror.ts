// Keeps the copy of the journal whole: each group says what must be there before it, so a server that has lost some of what it
// had confirmed is found out by the next one. The data folder has all of it: what is missing is put back first, so that whoever
// takes over lacks nothing; then the service must end, because the state beside the copy may have lost as much.

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { GroupBytes, JournalMirror } from '../../ingest/journal/mirror.ts'
import { rawGroups } from '../../ingest/journal/raw.ts'
import type { Log } from '../../platform/log.ts'
import { Refusal } from '../../platform/problem.ts'
import { StateFailure } from '../../store/failure.ts'
import { type JournalCopy, type MissingStretch, recordsText } from '../../store/journalCopy.ts'
import { namesIn } from '../backup/files.ts'

/** What was done about what the copy lacked. */
export interface Filling {
  /** What it lacked. */
  readonly lacked: readonly MissingStretch[]
  /** What of it the data folder does not hold either. */
  readonly left: readonly MissingStretch[]
  /** Groups that were put back. */
  readonly groups: number
}

export class CopyMirror implements JournalMirror {
  /** Resolves, if ever, with why the state in PostgreSQL is not to be believed any more: the process must end. */
  readonly lost: Promise<Refusal>
  readonly #copy: JournalCopy
  readonly #folder: string
  readonly #log: Log
  #tellLost: (why: Refusal) => void = () => {}

  constructor(copy: JournalCopy, folder: string, log: Log) {
    this.#copy = copy
    this.#folder = folder
    this.#log = log
    this.lost = new Promise((resolve) => {
      this.#tellLost = resolve
    })
  }

  async keep(group: GroupBytes): Promise<void> {
    if (await this.#copy.follow(group)) return
    const { lacked } = await fillCopy(this.#copy, this.#folder, group.firstSeq - 1)
    await this.#copy.keep(group)
    // One whose answer was lost, tried again after those before it were let go, lacks nothing.
    if (lacked.length === 0) return
    const why = new StateFailure('goneBack', null, 'server')
    this.#log.error(`${why.message} The copy of the journal lacked ${recordsText(lacked)}.`)
    this.#tellLost(new Refusal(why.message, { cause: why }))
  }
}

/** Puts back from the data folder what the copy lacks up to `lastSeq`, which is flushed. Throws a StateFailure where the server does not take it. */
export async function fillCopy(copy: JournalCopy, folder: string, lastSeq: number): Promise<Filling> {
  const lacked = await copy.missing(lastSeq)
  const left: MissingStretch[] = []
  let groups = 0
  for (const stretch of lacked) {
    let next = stretch.from
    try {
      for await (const group of rawGroups(path.join(folder, 'journal'), stretch.from - 1)) {
        if (group.firstSeq !== next || group.lastSeq > stretch.to) break
        await copy.keep(group)
        groups += 1
        next = group.lastSeq + 1
        if (next > stretch.to) break
      }
    } catch (cause) {
      if (cause instanceof StateFailure) throw cause
    }
    if (next !== stretch.to + 1) left.push({ from: next, to: stretch.to })
  }
  return { lacked, left, groups }
}

/** Puts back the plants that the copy lacks. */
export async function fillPlants(copy: JournalCopy, folder: string): Promise<void> {
  const plants = path.join(folder, 'plants')
  const kept = new Set(await copy.plants())
  for (const name of await namesIn(plants)) {
    const hash = /^(\w+)\.json$/.exec(name)?.[1]
    if (hash !== undefined && !kept.has(hash)) await copy.keepPlant(hash, await readFile(path.join(plants, name)))
  }
}
