// Whole groups out of a journal's folder and into one, as bytes: for a copy that is kept elsewhere, and for the folder made
// of it. Invariant: nobody else writes the folder meanwhile; what is written is on disk when it is done.

import { join } from 'node:path'
import { LIMITS } from '../../platform/limits.ts'
import { type Disk, type DiskFile, systemDisk, writeAll } from './disk.ts'
import { GROUP_HEADER_BYTES, groupBodyBytes, recordEnd, SEGMENT_HEADER_BYTES, sealGroup } from './format.ts'
import type { GroupBytes } from './mirror.ts'
import { listSegments } from './recover.ts'
import { brokenRefusal } from './refusals.ts'
import { GroupScan } from './scan.ts'
import { createBlank, nameBlank, type Segment } from './segment.ts'
import { newSalt } from './spare.ts'
import { NEXT_NAME } from './writer.ts'

/** The groups with records after `afterSeq` up to the end of what is sound; of the first, only those records. */
export async function* rawGroups(folder: string, afterSeq: number, disk: Disk = systemDisk): AsyncGenerator<GroupBytes> {
  const segments = await listSegments(disk, folder)
  const first = Math.max(
    0,
    segments.findLastIndex(({ firstSeq }) => firstSeq <= afterSeq + 1)
  )
  for (let i = first; i < segments.length; i++) {
    const segment = segments[i] as Segment
    const end = segments[i + 1]?.firstSeq ?? Number.POSITIVE_INFINITY
    yield* groupsOf(disk, segment, afterSeq, end)
  }
}

async function* groupsOf(disk: Disk, segment: Segment, afterSeq: number, endSeq: number): AsyncGenerator<GroupBytes> {
  const scan = new GroupScan(disk, segment.path, segment.salt, segment.bytes)
  let expected = segment.firstSeq
  while (expected < endSeq) {
    const at = scan.offset
    const step = scan.step()
    if (step === 'more') await scan.fill()
    else if (step !== 'group') {
      // What stands behind the last group of the last segment was never acknowledged.
      if (endSeq === Number.POSITIVE_INFINITY) return
      throw brokenRefusal(segment.path, at, expected, 'the checksum does not match')
    } else {
      const { firstSeq, count, start, block } = scan
      if (firstSeq !== expected) throw brokenRefusal(segment.path, at, expected, `record ${firstSeq} stands there`)
      expected += count
      if (expected - 1 <= afterSeq) continue
      let from = start + GROUP_HEADER_BYTES
      for (let seq = firstSeq; seq <= afterSeq; seq++) from = recordEnd(block, from)
      const end = start + GROUP_HEADER_BYTES + groupBodyBytes(block, start)
      yield { firstSeq: Math.max(firstSeq, afterSeq + 1), lastSeq: expected - 1, records: block.subarray(from, end) }
    }
  }
}

/** Writes groups into segments of their own behind whatever the folder holds, which must end where they begin. */
export async function writeRawGroups(folder: string, groups: AsyncIterable<GroupBytes>, disk: Disk = systemDisk): Promise<void> {
  await disk.makeFolder(folder)
  let open: { readonly file: DiskFile; readonly salt: Buffer; bytes: number } | null = null
  const close = async (): Promise<void> => {
    await open?.file.datasync()
    await open?.file.close()
    open = null
  }
  for await (const { firstSeq, lastSeq, records } of groups) {
    const length = GROUP_HEADER_BYTES + records.length
    if (open !== null && open.bytes + length > LIMITS.journal.segmentBytes) await close()
    if (open === null) {
      const blank = await createBlank(disk, join(folder, NEXT_NAME), newSalt())
      await nameBlank(disk, folder, blank, firstSeq, 0)
      open = { file: blank.file, salt: blank.salt, bytes: SEGMENT_HEADER_BYTES }
    }
    const group = Buffer.allocUnsafeSlow(length)
    group.set(records, GROUP_HEADER_BYTES)
    sealGroup(group, 0, length, lastSeq - firstSeq + 1, firstSeq, open.salt)
    await writeAll(open.file, group, 0, length, open.bytes)
    open.bytes += length
  }
  await close()
  await disk.syncFolder(folder)
}
