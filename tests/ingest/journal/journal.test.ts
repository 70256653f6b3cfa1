import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/platform/clock.ts'
import type { Log } from '../../../src/platform/log.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { MemoryDisk } from './memoryDisk.ts'
import { appendAll, journalOn, readAllFrom, START, textOf } from './records.ts'

/** Lets every flush that is under way, and those it sets off, come to their end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('append', () => {
  it('numbers records 1, 2, 3 … and gives them back as they were sent, from memory and from disk', async () => {
    const journal = journalOn(new MemoryDisk())
    await journal.start()
    const seqs = await Promise.all([
      journal.appended('telemetry', 'fh/1/gw-01/telemetry', Buffer.from('{}')),
      journal.appended('presence', 'gw-01', Buffer.from('{"online":true,"why":"connected"}')),
      journal.appended('action', '值班员', Buffer.from('')),
      journal.appended('plant', 'abc', Buffer.from([0, 255, 10]))
    ])
    expect(seqs).toEqual([1, 2, 3, 4])
    for (const records of [journal.tail(0, 100, 1e6), await journal.read(0, 100, 1e6)]) {
      expect(records?.map(({ seq, kind, source, receivedAt }) => [seq, kind, source, receivedAt])).toEqual([
        [1, 'telemetry', 'fh/1/gw-01/telemetry', START],
        [2, 'presence', 'gw-01', START],
        [3, 'action', '值班员', START],
        [4, 'plant', 'abc', START]
      ])
      expect(records?.map(({ body }) => [...body])).toEqual([
        [...Buffer.from('{}')],
        [...Buffer.from('{"online":true,"why":"connected"}')],
        [],
        [0, 255, 10]
      ])
    }
    await journal.stop()
  })

  it('calls done after the flush, never between write and flush', async () => {
    const disk = new MemoryDisk()
    const journal = journalOn(disk)
    await journal.start()
    const order: string[] = []
    disk.fault = (operation, path) => {
      if (path.endsWith('.journal')) order.push(operation)
      return null
    }
    journal.append('telemetry', 't', Buffer.from('a'), () => order.push('done'))
    await settled()
    expect(order.slice(-3)).toEqual(['write', 'datasync', 'done'])
    await journal.stop()
  })

  it('flushes what arrives together as one group, and the next only after it', async () => {
    const disk = new MemoryDisk()
    const journal = journalOn(disk)
    await journal.start()
    await appendAll(journal, ['first'])
    const order: string[] = []
    disk.fault = (operation, path) => {
      if (path.endsWith('.journal')) order.push(operation)
      return null
    }
    let flushes = 0
    journal.onFlush(() => void flushes++)
    const first = appendAll(journal, ['a', 'b', 'c'])
    await new Promise((resolve) => setImmediate(resolve))
    const second = appendAll(journal, ['d', 'e'])
    expect(await first).toEqual([2, 3, 4])
    expect(await second).toEqual([5, 6])
    expect(order).toEqual(['write', 'datasync', 'write', 'datasync'])
    expect(flushes).toBe(2)
    await journal.stop()
  })

  it('goes on for whoever appends as soon as he is answered', async () => {
    const journal = journalOn(new MemoryDisk())
    await journal.start()
    for (let i = 1; i <= 50; i++) expect(await journal.appended('telemetry', 't', Buffer.from(`${i}`))).toBe(i)
    await journal.stop()
  })

  it('copies the body', async () => {
    const journal = journalOn(new MemoryDisk())
    await journal.start()
    const body = Buffer.from('before')
    const appended = journal.appended('telemetry', 't', body)
    body.write('after!')
    await appended
    expect((await readAllFrom(journal)).map(textOf)).toEqual(['before'])
    await journal.stop()
  })

  it('takes a message larger than a group and than a segment', async () => {
    const journal = journalOn(new MemoryDisk())
    await journal.start()
    const bodies = ['a', 'b'.repeat(20_000), 'c', 'd'.repeat(5_000), 'e']
    await appendAll(journal, bodies)
    expect((await readAllFrom(journal)).map(textOf)).toEqual(bodies)
    await journal.stop()
  })

  it('counts what is not flushed yet', async () => {
    const journal = journalOn(new MemoryDisk())
    await journal.start()
    const appended = appendAll(journal, ['x'.repeat(100), 'y'.repeat(100)])
    expect(journal.unflushedBytes).toBeGreaterThanOrEqual(200)
    expect(journal.tail(0, 10, 1e6)).toEqual([])
    await appended
    expect(journal.unflushedBytes).toBe(0)
    await journal.stop()
  })

  it('refuses when it is not running', async () => {
    const journal = journalOn(new MemoryDisk())
    expect(() => journal.append('telemetry', 't', Buffer.from(''), () => {})).toThrow('not running')
    await journal.start()
    await journal.stop()
    expect(() => journal.append('telemetry', 't', Buffer.from(''), () => {})).toThrow('not running')
  })

  it('flushes and acknowledges everything before stop ends', async () => {
    const journal = journalOn(new MemoryDisk())
    await journal.start()
    let acknowledged = 0
    for (let i = 0; i < 100; i++) journal.append('telemetry', 't', Buffer.alloc(100), () => void acknowledged++)
    await journal.stop()
    expect(acknowledged).toBe(100)
    await journal.stop()
  })
})

describe('time', () => {
  it('stamps receipts with our clock, and the watermark stays before what is not flushed', async () => {
    const clock = new ManualClock(START)
    const journal = journalOn(new MemoryDisk(), { clock })
    await journal.start()
    expect(journal.watermark()).toBe(START - 1)
    clock.moveTo(START + 10)
    const first = journal.appended('telemetry', 't', Buffer.from('a'))
    clock.moveTo(START + 25)
    const second = journal.appended('telemetry', 't', Buffer.from('b'))
    clock.moveTo(START + 90)
    expect(journal.watermark()).toBe(START + 9)
    await Promise.all([first, second])
    expect(journal.watermark()).toBe(START + 89)
    expect(journal.tail(0, 10, 1e6)?.map(({ receivedAt }) => receivedAt)).toEqual([START + 10, START + 25])
    await journal.stop()
  })

  it('never goes back: after a restart with a clock that is behind, it goes on at half speed', async () => {
    const disk = new MemoryDisk()
    const before = journalOn(disk, { clock: new ManualClock(START + 60_000) })
    await before.start()
    await appendAll(before, ['a'])
    await before.stop()

    const clock = new ManualClock(START)
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: (sentence) => void warnings.push(sentence) }
    const journal = journalOn(disk, { clock, log })
    await journal.start()
    expect(warnings).toEqual([expect.stringContaining("received 60 s ahead of this machine's clock")])
    expect(journal.watermark()).toBe(START + 59_999)
    clock.moveTo(START + 10_000)
    await appendAll(journal, ['b'])
    clock.moveTo(START + 120_000)
    await appendAll(journal, ['c'])
    clock.moveTo(START + 130_000)
    await appendAll(journal, ['d'])
    expect((await readAllFrom(journal)).map(({ receivedAt }) => receivedAt - START)).toEqual([60_000, 65_000, 120_000, 130_000])
    await journal.stop()
  })
})

describe('restart', () => {
  it('goes on with the next seq and reads what came before', async () => {
    const disk = new MemoryDisk()
    for (let run = 0; run < 4; run++) {
      const journal = journalOn(disk)
      await journal.start()
      expect(journal.flushedSeq).toBe(run * 3)
      expect(await appendAll(journal, [`${run}a`, `${run}b`, `${run}c`])).toEqual([run * 3 + 1, run * 3 + 2, run * 3 + 3])
      await journal.stop()
    }
    const journal = journalOn(disk)
    await journal.start()
    expect((await readAllFrom(journal)).map(textOf)).toEqual(['0a', '0b', '0c', '1a', '1b', '1c', '2a', '2b', '2c', '3a', '3b', '3c'])
    expect(journal.health()).toMatchObject({ state: 'ok', problem: null, notice: null, oldestSeq: 1, flushedSeq: 12 })
    await journal.stop()
  })

  it('starts empty in an empty folder, and again when nothing was ever appended', async () => {
    const disk = new MemoryDisk()
    for (let run = 0; run < 2; run++) {
      const journal = journalOn(disk)
      await journal.start()
      expect(journal.health()).toEqual({ state: 'ok', problem: null, notice: null, bytes: 0, oldestSeq: 1, flushedSeq: 0 })
      expect(journal.tail(0, 10, 1e6)).toEqual([])
      expect(await journal.read(0, 10, 1e6)).toEqual([])
      await journal.stop()
    }
    expect(disk.paths).toEqual([])
  })

  it('flushes once more what the last process may have left in the cache only', async () => {
    const disk = new MemoryDisk()
    const journal = journalOn(disk, { segmentBytes: 1 << 20 })
    await journal.start()
    await appendAll(journal, ['kept'])
    disk.fault = (operation, path) => (operation === 'datasync' && path.endsWith('.journal') ? 'never' : null)
    let acknowledged = false
    journal.append('telemetry', 't', Buffer.from('written, not flushed'), () => {
      acknowledged = true
    })
    await settled()
    expect(acknowledged).toBe(false)
    const found = disk.afterKill()
    const order: string[] = []
    found.fault = (operation, path) => {
      if (path.endsWith('.journal')) order.push(operation)
      return null
    }
    const next = journalOn(found)
    await next.start()
    expect(next.flushedSeq).toBe(2)
    expect(order).toEqual(['open', 'write', 'datasync'])
    await next.stop()
  })
})

describe('tail', () => {
  it('answers in pieces, and null where the records have fallen out of memory', async () => {
    const journal = journalOn(new MemoryDisk(), { tailBytes: 2048, groupBytes: 512 })
    await journal.start()
    const bodies = Array.from({ length: 60 }, (_, i) => `${i} ${'.'.repeat(60)}`)
    for (let i = 0; i < 60; i += 3) await appendAll(journal, bodies.slice(i, i + 3))
    expect(journal.tail(0, 10, 1e6)).toBeNull()
    expect(journal.tail(60, 10, 1e6)).toEqual([])
    const seqs: number[] = []
    let seq = 50
    for (;;) {
      const records = journal.tail(seq, 3, 1e6) ?? (await journal.read(seq, 3, 1e6))
      if (records.length === 0) break
      for (const record of records) {
        expect(textOf(record)).toBe(bodies[record.seq - 1])
        seqs.push(record.seq)
      }
      seq = seqs.at(-1) as number
    }
    expect(seqs).toEqual([51, 52, 53, 54, 55, 56, 57, 58, 59, 60])
    await journal.stop()
  })

  it('holds to the bounds on records and bytes, but answers at least one', async () => {
    const journal = journalOn(new MemoryDisk(), { groupBytes: 1 << 16, tailBytes: 1 << 16 })
    await journal.start()
    await appendAll(
      journal,
      Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(100))
    )
    expect(journal.tail(0, 5, 1e6)?.length).toBe(5)
    expect(journal.tail(0, 100, 1)?.length).toBe(1)
    expect((await journal.read(0, 100, 1)).length).toBe(1)
    expect(journal.tail(7, 100, 300)?.map(({ seq }) => seq)).toEqual([8, 9, 10])
    expect((await journal.read(7, 100, 300)).map(({ seq }) => seq)).toEqual([8, 9, 10])
    await journal.stop()
  })

  it('is empty after a restart: everything older is read from disk', async () => {
    const disk = new MemoryDisk()
    const before = journalOn(disk)
    await before.start()
    await appendAll(before, ['a', 'b'])
    await before.stop()
    const journal = journalOn(disk)
    await journal.start()
    expect(journal.tail(0, 10, 1e6)).toBeNull()
    expect(journal.tail(2, 10, 1e6)).toEqual([])
    await appendAll(journal, ['c'])
    expect(journal.tail(1, 10, 1e6)).toBeNull()
    expect(journal.tail(2, 10, 1e6)?.map(textOf)).toEqual(['c'])
    await journal.stop()
  })
})
