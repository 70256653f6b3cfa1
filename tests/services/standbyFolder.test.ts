// Whose data folder is gone on with: the one that served last; any other is set aside and made anew from PostgreSQL, and one of
// another installation is refused.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { claimFolder } from '../../src/app/standby/claim.ts'
import { Copying } from '../../src/app/standby/copying.ts'
import { CopyMirror } from '../../src/app/standby/copyMirror.ts'
import { instanceOf } from '../../src/app/standby/instance.ts'
import { readRecord, recordEnd } from '../../src/ingest/journal/format.ts'
import { Journal } from '../../src/ingest/journal/journal.ts'
import { rawGroups } from '../../src/ingest/journal/raw.ts'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { JournalCopy } from '../../src/store/journalCopy.ts'
import { type LeasedState, takeLease } from '../../src/store/lease.ts'
import { openPostgres, type PostgresServer } from './postgresServer.ts'

const clock = new SystemClock()
let postgres: PostgresServer
let url: string
let root: string

beforeAll(async () => {
  postgres = await openPostgres()
})

afterAll(() => postgres?.close())

beforeEach(async () => {
  url = await postgres.database()
  root = mkdtempSync(path.join(tmpdir(), 'fenghuo-claim-'))
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

interface Serving {
  readonly folder: string
  readonly lease: LeasedState
  readonly copy: JournalCopy
  readonly journal: Journal
  readonly rebuilt: object | null
  /** Whether the server is seen to have lost what it had confirmed. */
  readonly wentBack: boolean
  readonly mirror: CopyMirror
  /** As a kill does: nothing is noted, everything is let go. */
  end(): Promise<void>
}

/** A service as far as folder, lease and journal go. */
async function serve(
  name: string,
  { committedSeq = 0, copies = true, at = url }: { committedSeq?: number; copies?: boolean; at?: string } = {}
): Promise<Serving> {
  const folder = path.join(root, name)
  const instance = await instanceOf(folder)
  const lease = (await takeLease(at, { instance: instance.instance, host: name, clock, log: null }))!
  const copy = new JournalCopy(at, lease.epoch)
  const end = async (): Promise<void> => {
    await copy.close()
    await lease.release()
  }
  try {
    const { rebuilt, wentBack } = await claimFolder({
      folder,
      instance,
      epoch: lease.epoch,
      copy,
      copies,
      committedSeq,
      knownAs: null,
      log: silentLog
    })
    const mirror = new CopyMirror(copy, folder, silentLog)
    const journal = new Journal({ folder: path.join(folder, 'journal'), clock, log: silentLog, mirror: copies ? mirror : null })
    await journal.start()
    return { folder, lease, copy, journal, rebuilt, wentBack, mirror, end: async () => journal.stop().then(end) }
  } catch (cause) {
    await end()
    throw cause
  }
}

async function append({ journal }: Serving, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await journal.appended('telemetry', 'fh/1/gw/telemetry', Buffer.from(`record ${journal.flushedSeq + 1}`))
}

async function recordsOf({ journal }: Serving): Promise<string[]> {
  const { oldestSeq } = journal.health()
  return (await journal.read(oldestSeq - 1, 10_000, 1e9)).map(({ seq, body }) => `${seq}: ${Buffer.from(body)}`)
}

const expected = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, n) => `${from + n}: record ${from + n}`)
const asides = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('set-aside'))

it('goes on with its own folder, and makes a new one elsewhere of the copy', async () => {
  const a = await serve('a')
  await append(a, 20)
  await a.end()
  const again = await serve('a')
  expect([again.rebuilt, await recordsOf(again), again.lease.takenOver]).toEqual([null, expected(1, 20), false])
  await append(again, 5)
  await again.end()
  const b = await serve('b', { committedSeq: 25 })
  expect([b.rebuilt, await recordsOf(b), b.lease.takenOver]).toEqual([{ historySeq: 0, lastSeq: 25 }, expected(1, 25), true])
  await append(b, 5)
  await b.end()
  // What it holds is of an earlier term.
  const back = await serve('a')
  expect([back.rebuilt, await recordsOf(back)]).toEqual([{ historySeq: 0, lastSeq: 30 }, expected(1, 30)])
  expect(asides(back.folder)).toEqual(['set-aside-before-term-4'])
  expect(
    readdirSync(path.join(back.folder, 'set-aside-before-term-4', 'journal')).filter((name) => name.endsWith('.journal'))
  ).toHaveLength(1)
  await back.end()
})

it('keeps the folders of the latest terms that it set aside, and no more', async () => {
  for (const name of ['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b', 'a', 'b']) {
    const one = await serve(name)
    await append(one, 1)
    await one.end()
  }
  expect(asides(path.join(root, 'b')).sort()).toEqual(['set-aside-before-term-10', 'set-aside-before-term-6', 'set-aside-before-term-8'])
})

it('brings into the copy what it flushed beyond it, and into the folder what the copy has beyond it', async () => {
  const a = await serve('a')
  await append(a, 10)
  await a.end()
  const offline = new Journal({ folder: path.join(a.folder, 'journal'), clock, log: silentLog })
  await offline.start()
  for (let n = 11; n <= 14; n++) await offline.appended('telemetry', 'x', Buffer.from(`record ${n}`))
  await offline.stop()
  const ahead = await serve('a')
  expect(await ahead.copy.extent()).toEqual({ firstSeq: 1, lastSeq: 14 })
  const records = Buffer.from(await firstGroupOf(ahead))
  await ahead.copy.keep({ firstSeq: 15, lastSeq: 15, records })
  await ahead.end()
  const behind = await serve('a')
  expect([behind.rebuilt, behind.journal.flushedSeq]).toEqual([null, 15])
  await behind.end()
})

it('keeps from the newest snapshot on, with plants, and never forgets where the numbers go on', async () => {
  const a = await serve('a')
  await append(a, 50)
  const snapshot = Buffer.alloc(3_000_000, 'state')
  for (let n = 0; n < snapshot.length; n += 3) snapshot[n] = (n * 31 + (n >> 8)) & 255
  await a.copy.keepSnapshot(30, snapshot)
  await a.copy.keepSnapshot(50, snapshot)
  await a.copy.keepPlant('abc', Buffer.from('{"plant":1}'))
  await a.copy.prune(50, [50])
  expect([await a.copy.snapshots(), await a.copy.extent()]).toEqual([[50], { firstSeq: 50, lastSeq: 50 }])
  await a.end()
  const b = await serve('b', { committedSeq: 50 })
  expect(await recordsOf(b)).toEqual(expected(50, 50))
  expect(readFileSync(path.join(b.folder, 'snapshots', '0000000000000050.snapshot')).equals(snapshot)).toBe(true)
  expect(readFileSync(path.join(b.folder, 'plants', 'abc.json'), 'utf8')).toBe('{"plant":1}')
  expect(await b.journal.appended('telemetry', 'x', Buffer.from('x'))).toBe(51)
  await b.end()
})

it('begins again where a start was killed half way', async () => {
  const a = await serve('a')
  await append(a, 10)
  await a.end()
  const b = await serve('b', { committedSeq: 10 })
  await b.end()
  // As if the note of the term had not been written.
  const note = path.join(b.folder, 'instance.json')
  writeFileSync(note, JSON.stringify({ ...JSON.parse(readFileSync(note, 'utf8')), term: 0 }))
  const again = await serve('b', { committedSeq: 10 })
  expect([again.rebuilt, await recordsOf(again), asides(again.folder)]).toEqual([
    { historySeq: 0, lastSeq: 10 },
    expected(1, 10),
    ['set-aside-before-term-3']
  ])
  await again.end()
})

it('refuses the folder of another installation, a database gone back, a copy that does not reach, and a folder not shared', async () => {
  const a = await serve('a')
  await append(a, 10)
  await a.end()
  const elsewhere = await postgres.database()
  const other = await serve('other', { at: elsewhere })
  await append(other, 3)
  await other.end()
  await expect(serve('other')).rejects.toThrow('belongs to another installation')
  expect(asides(path.join(root, 'other'))).toEqual([])
  const plain = new Journal({ folder: path.join(root, 'plain', 'journal'), clock, log: silentLog })
  await plain.start()
  await plain.appended('telemetry', 'x', Buffer.from('x'))
  await plain.stop()
  await expect(serve('plain')).rejects.toThrow('belongs to another installation')
  await expect(serve('plain', { at: await postgres.database() })).rejects.toThrow('run fenghuo state migrate first')
  await expect(serve('new', { at: await postgres.database(), committedSeq: 5 })).rejects.toThrow(
    'start first on the data folder that the state was migrated from'
  )
  await expect(serve('b', { committedSeq: 11 })).rejects.toThrow('no copy of the journal that reaches it (records 1 to 10)')
  await expect(serve('b', { committedSeq: 10, copies: false })).rejects.toThrow('is not the one that served last')
  const note = path.join(root, 'a', 'instance.json')
  writeFileSync(note, JSON.stringify({ ...JSON.parse(readFileSync(note, 'utf8')), term: 99 }))
  await expect(serve('a')).rejects.toThrow('has served term 99')
})

it('refuses the writes of one whose place was taken', async () => {
  const a = await serve('a')
  await append(a, 3)
  const acknowledged: number[] = []
  // What whoever takes over does first.
  await postgres.run(url, 'update lease set epoch = epoch + 1')
  a.journal.append('telemetry', 'x', Buffer.from('late'), (seq) => acknowledged.push(seq))
  await vi.waitFor(() => expect(a.journal.health().problem).toContain('Another Fenghuo has taken over'))
  await expect(a.copy.keepPlant('late', Buffer.from('x'))).rejects.toMatchObject({ kind: 'taken' })
  await expect(a.copy.prune(3, [])).rejects.toMatchObject({ kind: 'taken' })
  expect([await a.copy.extent(), acknowledged]).toEqual([{ firstSeq: 1, lastSeq: 3 }, []])
  await a.end()
})

describe('a copy that has lost groups', () => {
  const lost = (from: number, to: number): Promise<unknown> =>
    postgres.run(url, 'delete from journal_groups where first_seq between $1 and $2', [from, to])
  const copied = async ({ copy }: Serving): Promise<string[]> => {
    const found: string[] = []
    let seq = 0
    for await (const { firstSeq, records } of copy.groups(0)) {
      for (let at = 0, n = firstSeq; at < records.length; n++) {
        const bytes = Buffer.from(records)
        const end = recordEnd(bytes, at)
        found.push(`${n}: ${Buffer.from(readRecord(bytes, at, n).body)}`)
        at = end
        seq = n
      }
    }
    expect(seq).toBe(found.length)
    return found
  }

  it('is made whole by the next group while the service runs, which then ends: the server has gone back', async () => {
    const a = await serve('a')
    await append(a, 20)
    await lost(12, 20)
    await append(a, 1)
    expect((await a.mirror.lost).cause).toMatchObject({ kind: 'goneBack', passing: false })
    expect(await copied(a)).toEqual(expected(1, 21))
    // Whoever takes over lacks nothing of what was acknowledged.
    await a.end()
    const b = await serve('b', { committedSeq: 21 })
    expect([b.rebuilt, await recordsOf(b)]).toEqual([{ historySeq: 0, lastSeq: 21 }, expected(1, 21)])
    await b.end()
  })

  it('is made whole also where all of it is gone, and where only the answer was lost nothing ends', async () => {
    const a = await serve('a')
    await append(a, 20)
    await lost(1, 20)
    await append(a, 1)
    expect((await a.mirror.lost).cause).toMatchObject({ kind: 'goneBack' })
    expect(await copied(a)).toEqual(expected(1, 21))
    await a.end()
    const b = await serve('b', { committedSeq: 21 })
    await append(b, 1)
    // The group was committed, its answer lost, and all before it pruned before it was tried again.
    const [last] = await postgres.run<{ first_seq: string }>(url, 'select max(first_seq) as first_seq from journal_groups')
    await b.copy.keepSnapshot(21, Buffer.from('state'))
    await b.copy.prune(21, [21])
    const group = { firstSeq: 22, lastSeq: 22, records: Buffer.from(await firstGroupOf(b)) }
    expect(last?.first_seq).toBe('22')
    await b.mirror.keep(group)
    await append(b, 1)
    expect([await Promise.race([b.mirror.lost, pause(clock, 0)]), await b.copy.extent()]).toEqual([
      undefined,
      { firstSeq: 22, lastSeq: 23 }
    ])
    await b.end()
  })

  it('is made whole behind a snapshot where groups in the middle or plants are gone, and says what the folder no longer holds', async () => {
    const a = await serve('a')
    await append(a, 30)
    const plants = path.join(a.folder, 'plants')
    mkdirSync(plants)
    writeFileSync(path.join(plants, 'abc.json'), '{"plant":1}')
    const file = path.join(root, 'a.snapshot')
    writeFileSync(file, 'state')
    const copying = new Copying(a.copy, a.folder, silentLog)
    await lost(12, 17)
    await copying.snapshot(5, file, 0)
    expect([await copied(a), await a.copy.plants(), copying.lacks]).toEqual([expected(1, 30), ['abc'], null])
    await lost(12, 17)
    renameSync(path.join(a.folder, 'journal'), path.join(a.folder, 'elsewhere'))
    await copying.snapshot(6, file, 0)
    expect(copying.lacks).toMatch(
      /^The copy of the journal in PostgreSQL lacks the records 12 to 17, and the data folder .* no longer holds them/
    )
    await expect(serveElsewhere(a)).rejects.toThrow('lacks the records 12 to 17')
    // Nothing needs them any more once the snapshots are beyond them.
    await copying.snapshot(20, file, 30)
    await copying.snapshot(25, file, 30)
    expect([copying.lacks, await a.copy.missing()]).toEqual([null, []])
    renameSync(path.join(a.folder, 'elsewhere'), path.join(a.folder, 'journal'))
    await a.end()
  })

  it('is made whole at a start, which tells a server that has gone back from a process that was killed', async () => {
    const a = await serve('a')
    await append(a, 20)
    await a.end()
    await lost(20, 20)
    const killed = await serve('a')
    expect([killed.wentBack, await copied(killed)]).toEqual([false, expected(1, 20)])
    await killed.end()
    await lost(19, 20)
    const back = await serve('a')
    expect([back.wentBack, await copied(back)]).toEqual([true, expected(1, 20)])
    await back.end()
    await lost(7, 7)
    const torn = await serve('a')
    expect([torn.wentBack, await copied(torn)]).toEqual([true, expected(1, 20)])
    await torn.end()
  })

  it('is not taken over from where a stretch is missing: the folder of whoever would is left as it is', async () => {
    const a = await serve('a')
    await append(a, 10)
    await a.end()
    const b = await serve('b', { committedSeq: 10 })
    await append(b, 10)
    await b.end()
    await lost(4, 6)
    await expect(serve('a', { committedSeq: 20 })).rejects.toThrow('lacks the records 4 to 6')
    expect(asides(path.join(root, 'a'))).toEqual([])
    const whole = await serve('b', { committedSeq: 20 })
    expect([whole.wentBack, await copied(whole)]).toEqual([true, expected(1, 20)])
    await whole.end()
  })

  /** What another instance would find at this moment. */
  async function serveElsewhere(active: Serving): Promise<void> {
    const folder = path.join(root, 'elsewhere')
    const instance = await instanceOf(folder)
    const claim = { folder, instance, epoch: active.lease.epoch + 1, copy: active.copy, copies: true, committedSeq: 10, knownAs: null }
    await claimFolder({ ...claim, log: silentLog })
  }
})

async function firstGroupOf({ folder }: Serving): Promise<Uint8Array> {
  for await (const { records } of rawGroups(path.join(folder, 'journal'), 0)) return records
  throw new Error('no group')
}
