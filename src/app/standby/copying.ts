// Keeps the copy in PostgreSQL such that another instance can go on from it: each snapshot joins it, what nobody needs any
// more leaves it, and what it has lost of the rest is put back. Runs behind the loop; a failure costs a longer catching up at a
// take-over, nothing else.

import { readFile } from 'node:fs/promises'
import type { Log } from '../../platform/log.ts'
import { messageOf } from '../../platform/problem.ts'
import { type JournalCopy, recordsText } from '../../store/journalCopy.ts'
import { fillCopy, fillPlants } from './copyMirror.ts'

/** Snapshots kept for recovery; the second in case the first cannot be read. */
const SNAPSHOTS = 2

export class Copying {
  readonly #copy: JournalCopy
  readonly #folder: string
  readonly #log: Log
  #problem: string | null = null
  #lacks: string | null = null

  constructor(copy: JournalCopy, folder: string, log: Log) {
    this.#copy = copy
    this.#folder = folder
    this.#log = log
  }

  /** A sentence while the copy lacks what nobody can put back, else null: nobody could take over with it. */
  get lacks(): string | null {
    return this.#lacks
  }

  /** Takes in the snapshot of `seq`, whose file this is; `storedSeq` is how far history is stored. Never throws. */
  async snapshot(seq: number, file: string, storedSeq: number): Promise<void> {
    try {
      await this.#copy.keepSnapshot(seq, await readFile(file))
      await this.#copy.setHistorySeq(storedSeq)
      const seqs = await this.#copy.snapshots()
      const forHistory = seqs.findLast((at) => at <= storedSeq)
      const kept = seqs.filter((at, index) => index >= seqs.length - SNAPSHOTS || at === forHistory)
      // Until history has come as far as any of them, all of the journal is needed.
      await this.#copy.prune(forHistory === undefined ? 0 : (kept[0] ?? 0), kept)
      await this.#heal()
      if (this.#problem !== null) this.#log.info('snapshots are copied to PostgreSQL again')
      this.#problem = null
    } catch (cause) {
      const problem = `a snapshot could not be copied to PostgreSQL (${messageOf(cause)}); a take-over would read more of the journal`
      if (this.#problem !== problem) this.#log.warn(problem)
      this.#problem = problem
    }
  }
  /** The newest groups are looked after by those that follow them; here, whatever else has been lost or deleted there. */
  async #heal(): Promise<void> {
    await fillPlants(this.#copy, this.#folder)
    const { lacked, left } = await fillCopy(this.#copy, this.#folder, 0)
    if (left.length < lacked.length)
      this.#log.error(
        `the copy of the journal in PostgreSQL lacked ${recordsText(lacked)}, which it had confirmed; put back from the data folder is all that this holds. Find out what happened to the server.`
      )
    this.#lacks =
      left.length === 0
        ? null
        : `The copy of the journal in PostgreSQL lacks ${recordsText(left)}, and the data folder ${this.#folder} no longer holds them: no other instance can take over until snapshots have gone past them, in a minute or as soon as history has caught up. Find out what happened to the server.`
  }
}
