import { describe, expect, it } from 'vitest'
import type { Journal } from '../../../src/ingest/journal/journal.ts'
import { ManualClock } from '../../../src/platform/clock.ts'
import type { Log } from '../../../src/platform/log.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { Refusal } from '../../../src/platform/problem.ts'
import { Random } from '../../../src/platform/random.ts'
import { failure, MemoryDisk, type Operation } from './memoryDisk.ts'
import { appendAll, chanceText, FOLDER, journalOn, readAllFrom, START, textOf } from './records.ts'

interface Bench {
  readonly disk: MemoryDisk
  readonly clock: ManualClock
  readonly journal: Journal
  readonly lines: string[]
}

async function bench(segmentBytes = 4096): Promise<Bench> {
  const disk = new MemoryDisk()
  const clock = new ManualClock(START)
  const lines: string[] = []
  const note = (sentence: string): void => void lines.push(sentence)
  const log: Log = { ...silentLog, info: note, warn: note, error: note }
  const journal = journalOn(disk, { clock, log, segmentBytes })
  await journal.start()
  await appendAll(journal, ['before'])
  await settled()
  return { disk, clock, journal, lines }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function failing(code: string, when: (operation: Operation, file: string) => boolean) {
  return (operation: Operation, file: string): null => {
    if (when(operation, file)) throw failure(code, operation)
    return null
  }
}

describe('a full disk', () => {
  for (const code of ['ENOSPC', 'EDQUOT']) {
    it(`acknowledges nothing, says so, is tried every second and goes on by itself (${code})`, async () => {
      const { disk, clock, journal, lines } = await bench()
      disk.fault = failing(code, (operation) => operation === 'write')
      const done: number[] = []
      for (const body of ['a', 'b', 'c']) journal.append('telemetry', 't', Buffer.from(body), (seq) => done.push(seq))
      await settled()
      for (let second = 0; second < 5; second++) {
        expect(done).toEqual([])
        expect(journal.health()).toMatchObject({ state: 'full', flushedSeq: 1 })
        expect(journal.health().problem).toBe(
          `The disk of the journal folder ${FOLDER} is full: nothing is acknowledged until there is room. Free some space there; it goes on by itself.`
        )
        expect(journal.watermark()).toBe(START - 1)
        clock.moveTo(START + second * 1000 + 1000)
        await settled()
      }
      journal.append('telemetry', 't', Buffer.from('d'), (seq) => done.push(seq))
      disk.fault = () => null
      clock.moveTo(START + 6000)
      await settled()
      expect(done).toEqual([2, 3, 4, 5])
      expect(journal.health()).toMatchObject({ state: 'ok', problem: null, flushedSeq: 5 })
      expect((await readAllFrom(journal)).map(textOf)).toEqual(['before', 'a', 'b', 'c', 'd'])
      expect(lines).toEqual([expect.stringContaining('is full'), 'The journal is written again.'])
      await journal.stop()
    })
  }

  it('may take a part of what it is given: the rest follows, and after a failure all of it again', async () => {
    const { disk, clock, journal } = await bench()
    let writes = 0
    disk.fault = (operation, _file, length) => {
      if (operation !== 'write') return null
      writes++
      if (writes === 4) throw failure('ENOSPC', 'write')
      return Math.min(length, 10)
    }
    const bodies = ['a'.repeat(50), 'b'.repeat(50)]
    const appended = appendAll(journal, bodies)
    await settled()
    expect(journal.health().state).toBe('full')
    clock.moveTo(START + 1000)
    expect(await appended).toEqual([2, 3])
    expect((await readAllFrom(journal)).map(textOf)).toEqual(['before', ...bodies])
    await journal.stop()
  })

  it('that takes no bytes at all counts as full', async () => {
    const { disk, clock, journal } = await bench()
    disk.fault = (operation) => (operation === 'write' ? 0 : null)
    const appended = appendAll(journal, ['a'])
    await settled()
    expect(journal.health().state).toBe('full')
    disk.fault = () => null
    clock.moveTo(START + 1000)
    expect(await appended).toEqual([2])
    await journal.stop()
  })

  it('where no spare segment can be made only makes segments grow as they are written', async () => {
    const disk = new MemoryDisk()
    disk.fault = failing('ENOSPC', (operation, file) => operation === 'write' && file === 'spare.tmp')
    const journal = journalOn(disk)
    await journal.start()
    const bodies = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(150))
    for (let i = 0; i < 100; i += 10) await appendAll(journal, bodies.slice(i, i + 10))
    expect((await readAllFrom(journal)).map(textOf)).toEqual(bodies)
    expect(journal.health().state).toBe('ok')
    await journal.stop()
    expect(disk.paths.every((path) => path.endsWith('.journal'))).toBe(true)
  })

  it('that frees space by a power failure has kept what was acknowledged', async () => {
    const { disk, journal } = await bench()
    disk.fault = failing('ENOSPC', (operation) => operation === 'datasync')
    journal.append('telemetry', 't', Buffer.from('never acknowledged'), () => expect.unreachable())
    await settled()
    const next = journalOn(disk.afterPowerLoss(new Random(1)))
    await next.start()
    expect((await readAllFrom(next)).map(textOf).slice(0, 1)).toEqual(['before'])
    await next.stop()
  })
})

describe('a disk that answers with errors', () => {
  for (const operation of ['write', 'datasync'] as const) {
    it(`gets the group again in a new segment after a failed ${operation}, and nothing is acknowledged before`, async () => {
      const { disk, clock, journal } = await bench()
      disk.fault = failing('EIO', (done, file) => done === operation && file === '0000000000000001.journal')
      const acknowledged: number[] = []
      for (const body of ['a', 'b']) journal.append('telemetry', 't', Buffer.from(body), (seq) => acknowledged.push(seq))
      await settled()
      expect(acknowledged).toEqual([])
      expect(journal.health()).toMatchObject({ state: 'failing', flushedSeq: 1 })
      expect(journal.health().problem).toContain(`The journal in ${FOLDER} cannot be written: EIO`)
      clock.moveTo(START + 1000)
      await settled()
      expect(acknowledged).toEqual([2, 3])
      expect(journal.health()).toMatchObject({ state: 'ok', problem: null })
      expect((await readAllFrom(journal)).map(textOf)).toEqual(['before', 'a', 'b'])
      expect(disk.paths).toContain(`${FOLDER}/0000000000000002.journal`)
      await journal.stop()
      const next = journalOn(disk)
      await next.start()
      expect((await readAllFrom(next)).map(textOf)).toEqual(['before', 'a', 'b'])
      await next.stop()
    })
  }

  it('may fail for long, at every step of beginning a new segment', async () => {
    for (const failingStep of ['open', 'write', 'datasync', 'rename', 'syncFolder'] as const) {
      const { disk, clock, journal } = await bench()
      disk.fault = failing('EIO', (operation) => operation === failingStep || operation === 'datasync')
      const appended = appendAll(journal, ['a', 'b'])
      for (let second = 1; second <= 4; second++) {
        await settled()
        expect(journal.health()).toMatchObject({ state: 'failing', flushedSeq: 1 })
        clock.moveTo(START + second * 1000)
      }
      disk.fault = () => null
      await settled()
      clock.moveTo(START + 6000)
      expect(await appended).toEqual([2, 3])
      expect(await appendAll(journal, ['c'])).toEqual([4])
      expect((await readAllFrom(journal)).map(textOf)).toEqual(['before', 'a', 'b', 'c'])
      const next = journalOn(disk.afterPowerLoss(new Random(7)))
      await next.start()
      expect((await readAllFrom(next)).map(textOf)).toEqual(['before', 'a', 'b', 'c'])
      await next.stop()
      await journal.stop()
    }
  })

  it('does not keep stop from ending: one last attempt, and what is not on disk stays unacknowledged', async () => {
    const { disk, journal } = await bench()
    disk.fault = failing('EIO', (operation) => operation === 'datasync')
    journal.append('telemetry', 't', Buffer.from('a'), () => expect.unreachable())
    await settled()
    await journal.stop()
    expect(journal.flushedSeq).toBe(1)
  })

  it('gets it right in the end, whatever fails and whenever', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new Random(seed)
      const { disk, clock, journal } = await bench(1024)
      disk.fault = (operation, _file, length) => {
        if (random.next() < 0.15) throw failure(random.pick(['EIO', 'ENOSPC', 'EDQUOT', 'EROFS']), operation)
        return operation === 'write' && random.next() < 0.2 ? random.between(1, length) : null
      }
      const sent = ['before']
      const acknowledged: number[] = []
      for (let batch = 0; batch < 15; batch++) {
        for (let i = random.between(1, 4); i > 0; i--) {
          sent.push(chanceText(random, 200))
          journal.append('telemetry', 't', Buffer.from(sent.at(-1) as string), (seq) => acknowledged.push(seq))
        }
        for (let turns = random.between(0, 8); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
        clock.moveTo(clock.now() + random.between(0, 1500))
      }
      for (let i = 0; i < 60 && journal.unflushedBytes > 0; i++) {
        clock.moveTo(clock.now() + 1000)
        await settled()
      }
      expect(acknowledged).toEqual(sent.slice(1).map((_, i) => i + 2))
      disk.fault = () => null
      expect((await readAllFrom(journal)).map(textOf)).toEqual(sent)
      const after = journalOn(disk.afterPowerLoss(random), { segmentBytes: 1024 })
      await after.start()
      expect((await readAllFrom(after)).map(textOf)).toEqual(sent)
      await after.stop()
      await journal.stop()
    }
  })
})

describe('a start on a disk that refuses', () => {
  it('is refused with a sentence', async () => {
    const { disk, journal } = await bench()
    await journal.stop()
    for (const [code, why] of [
      ['EROFS', 'the file system is read-only (EROFS)'],
      ['EACCES', 'this user has no permission (EACCES)'],
      ['EIO', 'EIO: open (EIO)']
    ] as const) {
      disk.fault = failing(code, (operation) => operation === 'open')
      const next = journalOn(disk)
      const thrown = await next.start().catch((cause: unknown) => cause)
      expect(thrown).toBeInstanceOf(Refusal)
      expect((thrown as Refusal).message).toBe(
        `The journal folder ${FOLDER} cannot be written: ${why}. Give the user that runs Fenghuo the right to write there, or choose another data folder (FENGHUO_DATA).`
      )
    }
  })

  it('is possible on a full disk: it is said, and nothing is acknowledged until there is room', async () => {
    const disk = new MemoryDisk()
    disk.fault = failing('ENOSPC', (operation) => operation === 'write' || operation === 'open')
    const clock = new ManualClock(START)
    const journal = journalOn(disk, { clock })
    await journal.start()
    const appended = appendAll(journal, ['a'])
    await settled()
    expect(journal.health().state).toBe('full')
    disk.fault = () => null
    clock.moveTo(START + 1000)
    expect(await appended).toEqual([1])
    await journal.stop()
  })
})
