// Keeps the copy in PostgreSQL such that another instance can go on from it: each snapshot joins it, and what nobody needs any
// more leaves it. Runs behind the loop; a failure costs a longer catching up at a take-over, nothing else.

import { readFile } from 'node:fs/promises'
import type { Log } from '../../platform/log.ts'
import { messageOf } from '../../platform/problem.ts'
import type { JournalCopy } from '../../store/journalCopy.ts'

/** Snapshots kept for recovery; the second in case the first cannot be read. */
const SNAPSHOTS = 2

export class Copying {
  readonly #copy: JournalCopy
  readonly #log: Log
  #problem: string | null = null

  constructor(copy: JournalCopy, log: Log) {
    this.#copy = copy
    this.#log = log
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
      if (this.#problem !== null) this.#log.info('snapshots are copied to PostgreSQL again')
      this.#problem = null
    } catch (cause) {
      const problem = `a snapshot could not be copied to PostgreSQL (${messageOf(cause)}); a take-over would read more of the journal`
      if (this.#problem !== problem) this.#log.warn(problem)
      this.#problem = problem
    }
  }
}
