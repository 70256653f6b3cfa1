// A journal with a second place for every group: nothing is acknowledged before it is there, and it goes on by itself.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Group } from '../../../src/ingest/journal/group.ts'
import { Journal } from '../../../src/ingest/journal/journal.ts'
import { type GroupBytes, Mirrored } from '../../../src/ingest/journal/mirror.ts'
import { rawGroups, writeRawGroups } from '../../../src/ingest/journal/raw.ts'
import { ManualClock, SystemClock } from '../../../src/platform/clock.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { StateFailure } from '../../../src/store/failure.ts'

const clock = new SystemClock()
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fenghuo-mirror-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Keeps groups in memory; fails as it is told to. */
class Elsewhere {
  readonly groups: GroupBytes[] = []
  tries = 0
  failure: StateFailure | null = null

  async keep({ firstSeq, lastSeq, records }: GroupBytes): Promise<void> {
    this.tries++
    await Promise.resolve()
    if (this.failure !== null) throw this.failure
    this.groups.push({ firstSeq, lastSeq, records: Uint8Array.from(records) })
  }
}

function open(name: string, mirror: Elsewhere | null): Journal {
  return new Journal({ folder: join(folder, name), clock, log: silentLog, mirror, segmentBytes: 4_096 })
}

function append(journal: Journal, from: number, count: number, done: (seq: number) => void = () => {}): void {
  for (let n = from; n < from + count; n++) journal.append('telemetry', 'fh/1/gw/telemetry', Buffer.from(`message ${n}`), done)
}

it('acknowledges nothing while the other place does not take it, says so, and goes on by itself', async () => {
  const elsewhere = new Elsewhere()
  const journal = open('one', elsewhere)
  await journal.start()
  const done: number[] = []
  append(journal, 1, 3, (seq) => done.push(seq))
  await vi.waitFor(() => expect(done).toEqual([1, 2, 3]))
  elsewhere.failure = new StateFailure('unreachable', null, 'server')
  append(journal, 4, 2, (seq) => done.push(seq))
  await vi.waitFor(() => expect(journal.health().state).toBe('failing'))
  expect(journal.health().problem).toContain('Nothing is acknowledged until the copy of the journal is written')
  append(journal, 6, 2, (seq) => done.push(seq))
  await vi.waitFor(() => expect(elsewhere.tries).toBeGreaterThanOrEqual(3), { timeout: 5_000 })
  expect([done, journal.flushedSeq]).toEqual([[1, 2, 3], 3])
  expect(journal.unflushedBytes).toBeGreaterThan(0)
  elsewhere.failure = null
  await vi.waitFor(() => expect(done).toEqual([1, 2, 3, 4, 5, 6, 7]), { timeout: 5_000 })
  expect(journal.health()).toMatchObject({ state: 'ok', problem: null, flushedSeq: 7 })
  await journal.stop()
  expect(elsewhere.groups.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([
    [1, 3],
    [4, 5],
    [6, 7]
  ])
})

it('says so where the other place neither takes a group nor refuses it', async () => {
  const manual = new ManualClock(0)
  let take = (): void => {}
  const held = new Promise<void>((resolve) => {
    take = resolve
  })
  const mirrored = new Mirrored({ keep: () => held }, manual, silentLog)
  const group = { chunk: { bytes: new Uint8Array(64) }, start: 0, end: 64, firstSeq: 1, count: 1 } as Group
  const kept = mirrored.keep(group)
  manual.moveTo(4_999)
  expect(mirrored.problem).toBeNull()
  manual.moveTo(5_000)
  expect(mirrored.problem).toContain('PostgreSQL has not answered for 5 s. Nothing is acknowledged until it does')
  take()
  await expect(kept).resolves.toBe(true)
  expect(mirrored.problem).toBeNull()
})

it('never tries again once another instance has taken over, and still ends', async () => {
  const elsewhere = new Elsewhere()
  elsewhere.failure = new StateFailure('taken', null, 'server')
  const journal = open('one', elsewhere)
  await journal.start()
  const done: number[] = []
  append(journal, 1, 2, (seq) => done.push(seq))
  await vi.waitFor(() => expect(journal.health().problem).toContain('Another Fenghuo has taken over'))
  append(journal, 3, 2, (seq) => done.push(seq))
  await journal.stop()
  expect([done, elsewhere.tries]).toEqual([[], 1])
})

it('makes of the groups elsewhere the very journal that they were copied from, and of its bytes the groups again', async () => {
  const elsewhere = new Elsewhere()
  const journal = open('one', elsewhere)
  await journal.start()
  for (let n = 1; n <= 400; n += 8) {
    append(journal, n, 8)
    await vi.waitFor(() => expect(journal.flushedSeq).toBe(n + 7))
  }
  const records = (await journal.read(0, 1_000, 1e9)).map(({ seq, receivedAt, source, body }) => [
    seq,
    receivedAt,
    source,
    Buffer.from(body).toString()
  ])
  await journal.stop()
  const copied: GroupBytes[] = []
  for await (const group of rawGroups(join(folder, 'one'), 13)) copied.push(group)
  expect([copied[0]?.firstSeq, copied.at(-1)?.lastSeq]).toEqual([14, 400])
  const given = async function* (): AsyncGenerator<GroupBytes> {
    yield* elsewhere.groups.filter(({ lastSeq }) => lastSeq > 40)
  }
  await writeRawGroups(join(folder, 'two'), given())
  const other = open('two', null)
  await other.start()
  expect(other.health().oldestSeq).toBe(41)
  const again = (await other.read(40, 1_000, 1e9)).map(({ seq, receivedAt, source, body }) => [
    seq,
    receivedAt,
    source,
    Buffer.from(body).toString()
  ])
  expect(again).toEqual(records.slice(40))
  expect(await other.appended('telemetry', 'x', Buffer.from('next'))).toBe(401)
  await other.stop()
})

it('goes on behind the end of a journal that died with less than the copy', async () => {
  const elsewhere = new Elsewhere()
  const journal = open('one', elsewhere)
  await journal.start()
  append(journal, 1, 5)
  await vi.waitFor(() => expect(journal.flushedSeq).toBe(5))
  await journal.stop()
  const more = open('more', elsewhere)
  await writeRawGroups(
    join(folder, 'more'),
    (async function* () {
      yield* elsewhere.groups
    })()
  )
  await more.start()
  append(more, 6, 5)
  await vi.waitFor(() => expect(more.flushedSeq).toBe(10))
  await more.stop()
  await writeRawGroups(
    join(folder, 'one'),
    (async function* () {
      yield* elsewhere.groups.filter(({ firstSeq }) => firstSeq > 5)
    })()
  )
  const again = open('one', null)
  await again.start()
  expect((await again.read(0, 100, 1e9)).map(({ body }) => Buffer.from(body).toString())).toEqual(
    Array.from({ length: 10 }, (_, n) => `message ${n + 1}`)
  )
  await again.stop()
})
