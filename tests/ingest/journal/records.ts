// Journals and records for the tests of the journal.

import { Journal, type JournalOptions } from '../../../src/ingest/journal/journal.ts'
import type { JournalRecord } from '../../../src/model/journal.ts'
import { ManualClock } from '../../../src/platform/clock.ts'
import { silentLog } from '../../../src/platform/log.ts'
import type { Random } from '../../../src/platform/random.ts'
import type { MemoryDisk } from './memoryDisk.ts'

export const FOLDER = '/data/journal'
export const START = Date.UTC(2026, 0, 1)

/** A journal on a disk in memory, small enough that a few records fill a segment. */
export function journalOn(disk: MemoryDisk, options: Partial<JournalOptions> = {}): Journal {
  return new Journal({
    folder: FOLDER,
    clock: new ManualClock(START),
    log: silentLog,
    segmentBytes: 4096,
    groupBytes: 1024,
    tailBytes: 4096,
    disk,
    ...options
  })
}

/** Appends one record per body and waits until all are acknowledged. */
export async function appendAll(journal: Journal, bodies: readonly string[]): Promise<number[]> {
  return Promise.all(bodies.map((body) => journal.appended('telemetry', 'fh/1/gw-01/telemetry', Buffer.from(body))))
}

/** Everything flushed, read from disk in turns of `most`. */
export async function readAllFrom(journal: Journal, afterSeq = 0, most = 7): Promise<JournalRecord[]> {
  const records: JournalRecord[] = []
  for (let seq = afterSeq; seq < journal.flushedSeq; seq = (records.at(-1) as JournalRecord).seq) {
    records.push(...(await journal.read(seq, most, 1_000_000)))
  }
  return records
}

export function textOf(record: JournalRecord): string {
  return Buffer.from(record.body).toString()
}

/** A text of chance length and content. */
export function chanceText(random: Random, most: number): string {
  let text = ''
  for (let length = random.between(0, most); length > 0; length--) text += String.fromCharCode(random.between(32, 126))
  return text
}
