import { describe, expect, it } from 'vitest'
import { GROUP_HEADER_BYTES, SEGMENT_HEADER_BYTES } from '../../../src/ingest/journal/format.ts'
import { Refusal } from '../../../src/platform/problem.ts'
import { Random } from '../../../src/platform/random.ts'
import { MemoryDisk } from './memoryDisk.ts'
import { appendAll, chanceText, FOLDER, journalOn, readAllFrom, textOf } from './records.ts'

const FIRST = `${FOLDER}/0000000000000001.journal`

/** A disk on which one journal wrote each list of bodies as one group; and where the groups begin, the last entry being the end. */
async function written(groups: readonly (readonly string[])[], segmentBytes = 1 << 16): Promise<{ disk: MemoryDisk; starts: number[] }> {
  const disk = new MemoryDisk()
  const journal = journalOn(disk, { segmentBytes, groupBytes: 1 << 15 })
  await journal.start()
  const starts = [SEGMENT_HEADER_BYTES]
  for (const group of groups) {
    await appendAll(journal, group)
    starts.push(journal.health().bytes)
  }
  await journal.stop()
  return { disk, starts }
}

async function refusalOf(disk: MemoryDisk): Promise<string> {
  const journal = journalOn(disk)
  const thrown = await journal.start().then(
    () => null,
    (cause: unknown) => cause
  )
  expect(thrown).toBeInstanceOf(Refusal)
  return (thrown as Refusal).message
}

describe('a torn tail', () => {
  it('is cut off wherever the last group ends, and the journal goes on from there', async () => {
    const { disk, starts } = await written([['a', 'b'], ['c'], ['torn 1', 'torn 2']])
    const whole = disk.contents(FIRST)
    const [, , last, end] = starts as [number, number, number, number]
    for (let cut = last; cut < end; cut++) {
      const torn = new MemoryDisk()
      torn.replace(FIRST, whole.subarray(0, cut))
      const journal = journalOn(torn)
      await journal.start()
      expect(journal.flushedSeq).toBe(3)
      expect(journal.health().notice === null).toBe(cut === last)
      expect(await appendAll(journal, ['d'])).toEqual([4])
      expect((await readAllFrom(journal)).map(textOf)).toEqual(['a', 'b', 'c', 'd'])
      await journal.stop()
    }
  })

  it('is cut off wherever a byte of the last group is wrong', async () => {
    const { disk, starts } = await written([['a', 'b'], ['c'], ['torn 1', 'torn 2']])
    const [, , last, end] = starts as [number, number, number, number]
    for (let at = last; at < end; at++) {
      const torn = disk.afterKill()
      const bytes = torn.contents(FIRST)
      bytes[at] = (bytes[at] as number) ^ 0x41
      torn.replace(FIRST, bytes)
      const journal = journalOn(torn)
      await journal.start()
      expect(journal.health()).toMatchObject({ flushedSeq: 3, state: 'ok' })
      expect(journal.health().notice).toContain(`${FIRST} at byte ${last}, record 4`)
      expect((await readAllFrom(journal)).map(textOf)).toEqual(['a', 'b', 'c'])
      await journal.stop()
      const again = journalOn(torn)
      await again.start()
      expect(again.health().notice).toBeNull()
      await again.stop()
    }
  })

  it('is cut off where the segment was preallocated: zeros behind it are no damage', async () => {
    const { disk, starts } = await written([['a'], ['b']])
    const padded = Buffer.concat([disk.contents(FIRST).subarray(0, starts[2]), Buffer.alloc(5000)])
    disk.replace(FIRST, padded)
    const clean = journalOn(disk)
    await clean.start()
    expect(clean.health()).toMatchObject({ flushedSeq: 2, notice: null })
    await clean.stop()
    padded.write('half of a group', (starts[2] as number) + 100)
    disk.replace(FIRST, padded)
    const torn = journalOn(disk)
    await torn.start()
    expect(torn.health().notice).toContain('115 bytes of a group that was never acknowledged')
    expect((await readAllFrom(torn)).map(textOf)).toEqual(['a', 'b'])
    await torn.stop()
  })

  it('is not taken for a broken middle when a message holds the bytes of another journal', async () => {
    const other = (await written([['x'.repeat(200), 'y']])).disk.contents(FIRST).subarray(0, 400)
    const disk = new MemoryDisk()
    const journal = journalOn(disk, { segmentBytes: 1 << 16, groupBytes: 1 << 15 })
    await journal.start()
    await appendAll(journal, ['a'])
    const start = journal.health().bytes
    await journal.appended('telemetry', 't', other)
    await journal.stop()
    const bytes = disk.contents(FIRST)
    bytes[start + 9] = (bytes[start + 9] as number) ^ 0x41
    disk.replace(FIRST, bytes)
    const torn = journalOn(disk)
    await torn.start()
    expect(torn.flushedSeq).toBe(1)
    expect(torn.health().notice).toContain('record 2')
    await torn.stop()
  })

  it('may be all there is', async () => {
    const { disk, starts } = await written([['a']])
    disk.replace(FIRST, disk.contents(FIRST).subarray(0, (starts[1] as number) - 1))
    const journal = journalOn(disk)
    await journal.start()
    expect(journal.flushedSeq).toBe(0)
    expect(await appendAll(journal, ['b'])).toEqual([1])
    expect((await readAllFrom(journal)).map(textOf)).toEqual(['b'])
    await journal.stop()
  })
})

describe('a broken middle', () => {
  it('is refused wherever a byte before the last group is wrong, naming file, byte, record and what to do', async () => {
    const { disk, starts } = await written([['a', 'b'], ['c'], ['d', 'e']])
    const [first, second, third] = starts as [number, number, number, number]
    for (let at = first; at < third; at++) {
      const broken = disk.afterKill()
      const bytes = broken.contents(FIRST)
      bytes[at] = (bytes[at] as number) ^ 0x41
      broken.replace(FIRST, bytes)
      const where = at < second ? `byte ${first}, where record 1` : `byte ${second}, where record 3`
      const sentence = await refusalOf(broken)
      expect(sentence).toContain(`${FIRST} at ${where} should begin: the checksum does not match`)
      expect(sentence).toContain('restore it from a backup')
      expect(broken.contents(FIRST)).toEqual(bytes)
    }
  })

  it('is refused where a group is missing, or stands there twice', async () => {
    const { disk, starts } = await written([['a', 'b'], ['c'], ['d']])
    const bytes = disk.contents(FIRST)
    const [, second, third, end] = starts as [number, number, number, number]
    const missing = new MemoryDisk()
    missing.replace(FIRST, Buffer.concat([bytes.subarray(0, second), bytes.subarray(third, end)]))
    expect(await refusalOf(missing)).toContain('record 4 stands there')
    const twice = new MemoryDisk()
    twice.replace(FIRST, Buffer.concat([bytes.subarray(0, third), bytes.subarray(second, end)]))
    expect(await refusalOf(twice)).toContain('record 3 stands there')
  })

  it('is refused where the header of a segment is wrong', async () => {
    const { disk } = await written([['a']])
    for (let at = 0; at < SEGMENT_HEADER_BYTES; at++) {
      const broken = disk.afterKill()
      const bytes = broken.contents(FIRST)
      bytes[at] = (bytes[at] as number) ^ 0x41
      broken.replace(FIRST, bytes)
      expect(await refusalOf(broken)).toMatch(/at byte 0, where record 1 should begin: .*(header|begin like a journal segment)/)
    }
    const short = new MemoryDisk()
    short.replace(FIRST, Buffer.from('FENG'))
    expect(await refusalOf(short)).toContain('too short to hold a header')
  })

  it('is refused by whoever reads it, where it lies in an older segment', async () => {
    const random = new Random(5)
    const bodies = Array.from({ length: 40 }, () => chanceText(random, 300))
    const { disk } = await written(
      bodies.map((body) => [body]),
      2048
    )
    const paths = disk.paths
    expect(paths.length).toBeGreaterThan(3)
    const damaged = paths[1] as string
    const bytes = disk.contents(damaged)
    const at = SEGMENT_HEADER_BYTES + GROUP_HEADER_BYTES + 20
    bytes[at] = (bytes[at] as number) ^ 1
    disk.replace(damaged, bytes)
    const journal = journalOn(disk)
    await journal.start()
    await expect(readAllFrom(journal)).rejects.toThrow(`${damaged} at byte ${SEGMENT_HEADER_BYTES}`)
    const after = Number(paths[2]?.slice(-24, -8)) - 1
    expect((await readAllFrom(journal, after)).map(textOf)).toEqual(bodies.slice(after))
    await journal.stop()

    disk.delete(damaged)
    const missing = journalOn(disk)
    await missing.start()
    await expect(readAllFrom(missing)).rejects.toThrow('the file ends too early')
    await missing.stop()
  })
})

describe('a segment begun but not used', () => {
  it('is given up, and the one before it goes on', async () => {
    const { disk } = await written([['a'], ['b']])
    const other = (await written([['x']])).disk.contents(FIRST)
    disk.replace(`${FOLDER}/0000000000000003.journal`, other.subarray(0, SEGMENT_HEADER_BYTES))
    disk.replace(`${FOLDER}/spare.tmp`, Buffer.alloc(100))
    disk.replace(`${FOLDER}/notes.txt`, Buffer.from('not ours'))
    const journal = journalOn(disk)
    await journal.start()
    expect(await appendAll(journal, ['c'])).toEqual([3])
    expect((await readAllFrom(journal)).map(textOf)).toEqual(['a', 'b', 'c'])
    await journal.stop()
    expect(disk.paths).toEqual([FIRST, `${FOLDER}/notes.txt`])
  })

  it('is a broken middle when the one before it ends too early', async () => {
    const { disk } = await written([['a'], ['b']])
    const other = (await written([['x']])).disk.contents(FIRST)
    disk.replace(`${FOLDER}/0000000000000007.journal`, other.subarray(0, SEGMENT_HEADER_BYTES))
    expect(await refusalOf(disk)).toContain('where record 3 should begin: the file ends too early')
  })
})
