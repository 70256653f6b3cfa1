// The journal of a data folder for whoever only reads: without its lock, while a service goes on writing it. Invariant: it
// changes nothing on disk, and answers the records that were there when it was opened, or a Refusal.

import type { JournalRecord } from '../../model/journal.ts'
import { LIMITS } from '../../platform/limits.ts'
import { messageOf, Refusal } from '../../platform/problem.ts'
import { type Disk, systemDisk } from './disk.ts'
import { errnoOf } from './errno.ts'
import { JournalReader } from './reader.ts'
import { findEnd, listSegments, type SegmentEnd } from './recover.ts'
import { prunedRefusal } from './refusals.ts'
import type { Segment } from './segment.ts'

/** A service that prunes or begins a segment in between is looked at again this often. */
const LOOKS = 5

export class ReadOnlyJournal {
  /** The oldest record, and the last one; 1 and 0 where there is none. */
  readonly oldestSeq: number
  readonly lastSeq: number
  /** Receipt of the last record, epoch ms; 0 where there is none. */
  readonly lastReceivedAt: number
  readonly #disk: Disk
  readonly #folder: string
  readonly #reader: JournalReader

  private constructor(disk: Disk, folder: string, segments: readonly Segment[], end: SegmentEnd | null) {
    this.#disk = disk
    this.#folder = folder
    this.#reader = new JournalReader(disk, folder, segments)
    this.lastSeq = end === null ? 0 : end.nextSeq - 1
    this.oldestSeq = Math.min(segments[0]?.firstSeq ?? 1, this.lastSeq + 1)
    this.lastReceivedAt = end?.lastReceivedAt ?? 0
  }

  /** Throws a Refusal where the folder holds no journal, or a broken one. */
  static async open(folder: string, disk: Disk = systemDisk): Promise<ReadOnlyJournal> {
    let broken = ''
    for (let look = 1; ; look++) {
      try {
        const segments = await listSegments(disk, folder)
        return new ReadOnlyJournal(disk, folder, segments, await lastEnd(disk, segments))
      } catch (cause) {
        if (errnoOf(cause) === 'ENOENT' && look < LOOKS && (await exists(disk, folder))) continue
        if (errnoOf(cause) !== null)
          throw new Refusal(`The journal folder ${folder} cannot be read: ${messageOf(cause)}. Name the data folder of a service.`, {
            cause
          })
        // A group just being written looks broken once; one that is broken looks so at the same place again.
        if (messageOf(cause) === broken || look >= LOOKS) throw cause
        broken = messageOf(cause)
      }
    }
  }

  /** The records after `afterSeq`; [] at the end. Throws a Refusal where they have been let go in the meantime. */
  async read(
    afterSeq: number,
    maxRecords: number = LIMITS.loop.recordsPerTurn,
    maxBytes: number = LIMITS.loop.bytesPerTurn
  ): Promise<JournalRecord[]> {
    if (afterSeq + 1 < this.oldestSeq) throw prunedRefusal(this.#folder, afterSeq + 1, this.oldestSeq)
    try {
      return await this.#reader.read(afterSeq, this.lastSeq, maxRecords, maxBytes)
    } catch (cause) {
      const [oldest] = await listSegments(this.#disk, this.#folder).catch(() => [])
      throw oldest !== undefined && oldest.firstSeq > afterSeq + 1 ? prunedRefusal(this.#folder, afterSeq + 1, oldest.firstSeq) : cause
    }
  }
}

/** The end of the last segment that holds a record; an empty one was just begun. Drops those behind it from the list. */
async function lastEnd(disk: Disk, segments: Segment[]): Promise<SegmentEnd | null> {
  for (let last = segments.at(-1); last !== undefined; last = segments.at(-1)) {
    const end = await findEnd(disk, last)
    if (end.lastGroupAt !== null || segments.length === 1) return end
    segments.pop()
  }
  return null
}

async function exists(disk: Disk, folder: string): Promise<boolean> {
  return disk.list(folder).then(
    () => true,
    () => false
  )
}
