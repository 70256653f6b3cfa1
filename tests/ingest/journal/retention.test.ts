import { describe, expect, it } from 'vitest'
import type { Journal } from '../../../src/ingest/journal/journal.ts'
import { ManualClock } from '../../../src/platform/clock.ts'
import { Refusal } from '../../../src/platform/problem.ts'
import { failure, MemoryDisk } from './memoryDisk.ts'
import { appendAll, journalOn, readAllFrom, START, textOf } from './records.ts'

const NOTHING = { beforeSeq: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY }

/** A journal of 40 records, one a minute, about six to a segment. */
async function filled(): Promise<{ disk: MemoryDisk; clock: ManualClock; journal: Journal; bodies: string[] }> {
  const disk = new MemoryDisk()
  const clock = new ManualClock(START)
  const journal = journalOn(disk, { clock, segmentBytes: 1024, groupBytes: 512, tailBytes: 512 })
  await journal.start()
  const bodies = Array.from({ length: 40 }, (_, i) => `${i + 1}`.padEnd(70))
  for (const body of bodies) {
    await appendAll(journal, [body])
    clock.moveTo(clock.now() + 60_000)
  }
  return { disk, clock, journal, bodies }
}

function firstSeqs(disk: MemoryDisk): number[] {
  return disk.paths.filter((path) => path.endsWith('.journal')).map((path) => Number(path.slice(-24, -8)))
}

describe('rotation', () => {
  it('begins a new segment where the next group would not fit, named by its first seq', async () => {
    const { disk, journal, bodies } = await filled()
    expect(firstSeqs(disk)).toEqual([1, 8, 15, 22, 29, 36])
    for (const path of disk.paths.filter((path) => path.endsWith('.journal'))) expect(disk.contents(path).length).toBeLessThanOrEqual(1024)
    expect((await readAllFrom(journal)).map(textOf)).toEqual(bodies)
    await journal.stop()
  })

  it('reads from any seq', async () => {
    const { disk, journal, bodies } = await filled()
    for (let after = 0; after <= 40; after++) {
      expect((await readAllFrom(journal, after)).map(textOf)).toEqual(bodies.slice(after))
    }
    await journal.stop()
    const next = journalOn(disk)
    await next.start()
    for (let after = 40; after >= 0; after--) expect((await readAllFrom(next, after, 3)).map(textOf)).toEqual(bodies.slice(after))
    await next.stop()
  })
})

describe('retention', () => {
  it('by size deletes the oldest segments until the rest fits', async () => {
    const { disk, journal } = await filled()
    const { bytes } = journal.health()
    await journal.prune({ ...NOTHING, maxBytes: bytes })
    expect(firstSeqs(disk)[0]).toBe(1)
    await journal.prune({ ...NOTHING, maxBytes: bytes - 1 })
    expect(firstSeqs(disk)[0]).toBe(8)
    await journal.prune({ ...NOTHING, maxBytes: 2000 })
    expect(journal.health()).toMatchObject({ oldestSeq: 29, flushedSeq: 40 })
    expect(journal.health().bytes).toBeLessThanOrEqual(2000)
    await journal.prune({ ...NOTHING, maxBytes: 0 })
    expect(firstSeqs(disk)).toEqual([36])
    expect(await appendAll(journal, ['on'])).toEqual([41])
    await journal.stop()
  })

  it('by age deletes segments all of whose records are older', async () => {
    const { disk, clock, journal } = await filled()
    // Record n was received at minute n - 1; now is minute 40. Record 7, the last of its segment, is 34 minutes old.
    await journal.prune({ ...NOTHING, maxAgeMs: 33 * 60_000 })
    expect(firstSeqs(disk)[0]).toBe(1)
    await journal.prune({ ...NOTHING, maxAgeMs: 33 * 60_000 - 1 })
    expect(firstSeqs(disk)[0]).toBe(8)
    await journal.stop()
    const next = journalOn(disk, { clock })
    await next.start()
    await next.prune({ ...NOTHING, maxAgeMs: 20 * 60_000 })
    expect(firstSeqs(disk)[0]).toBe(15)
    await next.stop()
  })

  it('never touches what is still needed', async () => {
    const { disk, journal } = await filled()
    await journal.prune({ beforeSeq: 14, maxBytes: 0, maxAgeMs: 0 })
    expect(firstSeqs(disk)[0]).toBe(8)
    await journal.prune({ beforeSeq: 15, maxBytes: 0, maxAgeMs: 0 })
    expect(firstSeqs(disk)[0]).toBe(15)
    await journal.stop()
  })

  it('is refused to whoever asks for what is gone', async () => {
    const { disk, journal, bodies } = await filled()
    await journal.prune({ ...NOTHING, maxBytes: 3000 })
    const { oldestSeq } = journal.health()
    await expect(journal.read(oldestSeq - 2, 10, 1e6)).rejects.toThrow(
      `Record ${oldestSeq - 1} is no longer in the journal /data/journal: the oldest one kept is ${oldestSeq}.`
    )
    await expect(journal.read(0, 10, 1e6)).rejects.toBeInstanceOf(Refusal)
    expect((await readAllFrom(journal, oldestSeq - 1)).map(textOf)).toEqual(bodies.slice(oldestSeq - 1))
    await journal.stop()
    const next = journalOn(disk)
    await next.start()
    expect(next.health().oldestSeq).toBe(oldestSeq)
    await next.stop()
  })

  it('tries again later what could not be deleted', async () => {
    const { disk, journal } = await filled()
    disk.fault = (operation) => {
      if (operation === 'remove') throw failure('EBUSY', 'unlink')
      return null
    }
    await journal.prune({ ...NOTHING, maxBytes: 0 })
    expect(journal.health().oldestSeq).toBe(1)
    disk.fault = () => null
    await journal.prune({ ...NOTHING, maxBytes: 0 })
    expect(journal.health().oldestSeq).toBe(36)
    await journal.stop()
  })
})

describe('reading while it is written', () => {
  it('gives several readers the same records, none twice and none left out', async () => {
    const journal = journalOn(new MemoryDisk(), { segmentBytes: 2048, groupBytes: 512, tailBytes: 1024 })
    await journal.start()
    let sent = 0
    const acknowledged: number[] = []
    const read: number[][] = [[], [], []]
    const writing = (async () => {
      for (let turn = 0; turn < 80; turn++) {
        for (let i = 0; i < 5; i++) journal.append('telemetry', 't', Buffer.from(`${++sent}`.padEnd(60)), (seq) => acknowledged.push(seq))
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const readers = read.map(async (seqs, reader) => {
      while (seqs.length < 400) {
        const after = seqs.at(-1) ?? 0
        const records =
          (reader === 0 ? journal.tail(after, 11, 1e6) : null) ?? (await journal.read(after, 3 + reader * 20, reader === 1 ? 500 : 1e6))
        for (const record of records) {
          expect(textOf(record).trim()).toBe(`${record.seq}`)
          seqs.push(record.seq)
        }
        if (records.length === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })
    await Promise.all([writing, ...readers])
    for (const seqs of [...read, acknowledged]) expect(seqs).toEqual(Array.from({ length: 400 }, (_, i) => i + 1))
    await journal.stop()
  })
})
