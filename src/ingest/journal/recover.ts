// What a start finds in the folder: checks the end of the journal, cuts a torn tail, refuses a broken middle.
// Invariant: what is recovered is on disk before anyone relies on it, also where the last process died between write and flush.

import { join } from 'node:path'
import { type Disk, type DiskFile, readAll, writeAll } from './disk.ts'
import {
  FORMAT,
  firstSeqOf,
  GROUP_HEADER_BYTES,
  groupBodyBytes,
  groupFirstSeq,
  isGroupBody,
  isGroupHeader,
  readSegmentHeader,
  recordEnd,
  recordReceivedAt,
  SEGMENT_HEADER_BYTES
} from './format.ts'
import { brokenRefusal, newerRefusal } from './refusals.ts'
import { GroupScan } from './scan.ts'
import type { Segment } from './segment.ts'
import { SPARE_NAME } from './spare.ts'
import { NEXT_NAME } from './writer.ts'

export interface Recovered {
  /** From the oldest to the newest. */
  readonly segments: Segment[]
  /** The newest segment's file, open for writing; null where there is no segment. */
  readonly file: DiskFile | null
  readonly flushedSeq: number
  /** Receipt of the last record, epoch ms; 0 where there is none. */
  readonly lastReceivedAt: number
  /** What was cut off, one sentence; null where nothing was. */
  readonly notice: string | null
}

/** Where the sound groups of the newest segment end. */
export interface SegmentEnd {
  readonly offset: number
  readonly lastGroupAt: number | null
  readonly nextSeq: number
  readonly lastReceivedAt: number
  readonly tornBytes: number
}

export async function recoverJournal(disk: Disk, folder: string): Promise<Recovered> {
  await removeBlanks(disk, folder)
  const segments = await listSegments(disk, folder)
  const emptied: Segment[] = []
  let last = segments.at(-1)
  if (last === undefined) return { segments, file: null, flushedSeq: 0, lastReceivedAt: 0, notice: null }
  let end = await findEnd(disk, last)
  // A segment begun but never used: the one before it goes on.
  while (end.lastGroupAt === null && segments.length > 1) {
    emptied.push(segments.pop() as Segment)
    const next = last.firstSeq
    last = segments.at(-1) as Segment
    end = await findEnd(disk, last)
    if (end.nextSeq < next) throw brokenRefusal(last.path, end.offset, end.nextSeq, 'the file ends too early')
  }
  for (const { path } of emptied) await disk.remove(path)
  const file = await disk.open(last.path, 'write')
  if (end.tornBytes > 0) await file.truncate(end.offset)
  if (end.lastGroupAt !== null) await writeAgain(file, end.lastGroupAt, end.offset)
  await file.datasync()
  await disk.syncFolder(folder)
  last.bytes = end.offset
  const notice =
    end.tornBytes === 0
      ? null
      : `The journal ended in ${end.tornBytes} bytes of a group that was never acknowledged (${last.path} at byte ${end.offset}, record ${end.nextSeq}); they were cut off.`
  return { segments, file, flushedSeq: end.nextSeq - 1, lastReceivedAt: end.lastReceivedAt, notice }
}

async function removeBlanks(disk: Disk, folder: string): Promise<void> {
  for (const name of await disk.list(folder)) if (name === SPARE_NAME || name === NEXT_NAME) await disk.remove(join(folder, name))
}

/** The segments of a folder, from the oldest to the newest. Changes nothing. */
export async function listSegments(disk: Disk, folder: string): Promise<Segment[]> {
  const segments: Segment[] = []
  for (const name of (await disk.list(folder)).sort()) {
    const firstSeq = firstSeqOf(name)
    if (firstSeq !== null) segments.push(await describe(disk, join(folder, name), firstSeq))
  }
  return segments
}

async function describe(disk: Disk, path: string, firstSeq: number): Promise<Segment> {
  const file = await disk.open(path, 'read')
  try {
    const head = Buffer.alloc(SEGMENT_HEADER_BYTES + GROUP_HEADER_BYTES + 64)
    const count = await readAll(file, head, 0, head.length, 0)
    const header = readSegmentHeader(head.subarray(0, Math.min(count, SEGMENT_HEADER_BYTES)))
    if ('wrong' in header && header.newer !== undefined) throw newerRefusal(path, header.newer, FORMAT)
    if ('wrong' in header) throw brokenRefusal(path, 0, firstSeq, header.wrong)
    const hasGroup = isGroupHeader(head, SEGMENT_HEADER_BYTES, count, header.salt)
    const firstReceivedAt = hasGroup ? recordReceivedAt(head, SEGMENT_HEADER_BYTES + GROUP_HEADER_BYTES) : Infinity
    return { path, firstSeq, salt: header.salt, bytes: await file.size(), firstReceivedAt }
  } finally {
    await file.close()
  }
}

/** Where the segment's records end. Throws a Refusal where it is broken in the middle. Changes nothing. */
export async function findEnd(disk: Disk, segment: Segment): Promise<SegmentEnd> {
  const scan = new GroupScan(disk, segment.path, segment.salt, segment.bytes)
  let nextSeq = segment.firstSeq
  let lastGroupAt: number | null = null
  let lastReceivedAt = 0
  for (;;) {
    const offset = scan.offset
    const step = scan.step()
    if (step === 'more') {
      await scan.fill()
      continue
    }
    if (step === 'group' && scan.firstSeq !== nextSeq) {
      throw brokenRefusal(segment.path, offset, nextSeq, `record ${scan.firstSeq} stands there`)
    }
    if (step !== 'group') {
      const tornBytes = step === 'end' ? 0 : await tornBytesAt(disk, segment, offset, nextSeq)
      return { offset, lastGroupAt, nextSeq, lastReceivedAt, tornBytes }
    }
    nextSeq += scan.count
    lastGroupAt = offset
    lastReceivedAt = lastReceipt(scan.block, scan.start)
  }
}

function lastReceipt(bytes: Buffer, group: number): number {
  const end = group + GROUP_HEADER_BYTES + groupBodyBytes(bytes, group)
  let receivedAt = 0
  for (let at = group + GROUP_HEADER_BYTES; at < end; at = recordEnd(bytes, at)) receivedAt = recordReceivedAt(bytes, at)
  return receivedAt
}

/**
 * How much stands behind the last sound group: 0 where there are only the zeros of preallocation. One group is in flight at
 * a time, so a sound group behind an unsound one means that the middle is damaged, not that the tail is torn.
 */
async function tornBytesAt(disk: Disk, segment: Segment, offset: number, seq: number): Promise<number> {
  const rest = Buffer.allocUnsafeSlow(segment.bytes - offset)
  const file = await disk.open(segment.path, 'read')
  let count: number
  try {
    count = await readAll(file, rest, 0, rest.length, offset)
  } finally {
    await file.close()
  }
  for (let at = rest.indexOf(segment.salt); at >= 0; at = rest.indexOf(segment.salt, at + 1)) {
    if (!isGroupHeader(rest, at, count, segment.salt) || at + GROUP_HEADER_BYTES + groupBodyBytes(rest, at) > count) continue
    if (!isGroupBody(rest, at)) continue
    throw brokenRefusal(
      segment.path,
      offset,
      seq,
      `the checksum does not match, and the records from ${groupFirstSeq(rest, at)} on stand behind it`
    )
  }
  let torn = count
  while (torn > 0 && rest[torn - 1] === 0) torn--
  return torn
}

/** The last group may stand in the system's cache only, even after a flush that failed: it is written once more. */
async function writeAgain(file: DiskFile, from: number, to: number): Promise<void> {
  const bytes = Buffer.allocUnsafeSlow(to - from)
  await readAll(file, bytes, 0, bytes.length, from)
  await writeAll(file, bytes, 0, bytes.length, from)
}
