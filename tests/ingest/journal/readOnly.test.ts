// The journal for whoever only reads it: beside its writer, behind a torn tail, not behind a broken middle; it changes nothing.

import { appendFileSync, cpSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Journal } from '../../../src/ingest/journal/journal.ts'
import { ReadOnlyJournal } from '../../../src/ingest/journal/readOnly.ts'
import { ManualClock } from '../../../src/platform/clock.ts'

let home: string
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'read-only-'))
})

afterEach(() => rmSync(home, { recursive: true }))

const folder = (): string => path.join(home, 'journal')

async function writer(segmentBytes = 1024): Promise<Journal> {
  const journal = new Journal({ folder: folder(), clock: new ManualClock(1000), log: silent, segmentBytes })
  await journal.start()
  return journal
}

async function append(journal: Journal, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await journal.appended('telemetry', 'fh/1/g/telemetry', Buffer.from('x'.repeat(100)))
}

async function seqs(): Promise<number[]> {
  const journal = await ReadOnlyJournal.open(folder())
  const found: number[] = []
  for (let after = journal.oldestSeq - 1; ; ) {
    const records = await journal.read(after, 7)
    if (records.length === 0) return found
    found.push(...records.map(({ seq }) => seq))
    after = found.at(-1)!
  }
}

/** The bytes of every file. */
const files = (): string[] => readdirSync(folder()).map((name) => `${name} ${readFileSync(path.join(folder(), name)).toString('base64')}`)

it('reads every segment while the writer has the lock, up to what was there, and changes nothing', async () => {
  const journal = await writer()
  await append(journal, 30)
  const before = files()
  const opened = await ReadOnlyJournal.open(folder())
  expect([opened.oldestSeq, opened.lastSeq, opened.lastReceivedAt]).toEqual([1, 30, 1000])
  expect(await seqs()).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  expect(files()).toEqual(before)
  await append(journal, 5)
  expect(await opened.read(29, 100)).toHaveLength(1)
  expect(await seqs()).toHaveLength(35)
  await journal.stop()
})

it('stops before a group that is being written, and refuses a broken middle', async () => {
  const journal = await writer(1024 * 1024)
  await append(journal, 10)
  await journal.stop()
  const copy = path.join(home, 'copy')
  cpSync(folder(), copy, { recursive: true })
  const segment = path.join(folder(), readdirSync(folder()).find((name) => name.endsWith('.journal'))!)
  const bytes = readFileSync(segment)
  const salt = bytes.subarray(16, 24)
  const starts: number[] = []
  for (let at = bytes.indexOf(salt, 32); at >= 0; at = bytes.indexOf(salt, at + 1)) starts.push(at)
  expect(starts).toHaveLength(10)
  // The last group half written.
  writeFileSync(segment, bytes.subarray(0, starts[9]! + 60))
  expect(await seqs()).toHaveLength(9)
  // One in the middle damaged.
  writeFileSync(segment, bytes)
  const file = openSync(segment, 'r+')
  writeSync(file, Buffer.from('!'), 0, 1, starts[5]! + 60)
  await expect(seqs()).rejects.toThrow(/broken in the middle/)
})

it('says what is wrong with a folder that holds no journal', async () => {
  await expect(ReadOnlyJournal.open(path.join(home, 'none'))).rejects.toThrow(/cannot be read: .*Name the data folder/)
  const journal = await writer()
  await journal.stop()
  expect(await seqs()).toEqual([])
  appendFileSync(path.join(folder(), 'note.txt'), 'not ours')
  expect(await seqs()).toEqual([])
})
