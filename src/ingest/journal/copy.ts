// What of a journal's folder a copy needs: whole segments, and of the last one the bytes up to the end of a group.
// Invariant: what is named is flushed and is never written again, so it may be copied while a service goes on behind it.

import { basename } from 'node:path'
import { type Disk, systemDisk } from './disk.ts'
import { GROUP_HEADER_BYTES, groupBodyBytes } from './format.ts'
import { listSegments } from './recover.ts'
import { brokenRefusal } from './refusals.ts'
import { GroupScan } from './scan.ts'
import type { Segment } from './segment.ts'

export interface JournalPiece {
  readonly path: string
  readonly name: string
  /** From the beginning of the file. */
  readonly bytes: number
}

export interface JournalPieces {
  readonly pieces: readonly JournalPiece[]
  /** The first and the last record in them; 1 and 0 where there is none. */
  readonly from: number
  readonly to: number
}

/**
 * The pieces that hold every record through `throughSeq`, which must be flushed; those of its group come along. Infinity: all
 * there is, in a folder that nobody writes. Whoever asks sees to it that no segment is deleted meanwhile.
 */
export async function journalPieces(folder: string, throughSeq: number, disk: Disk = systemDisk): Promise<JournalPieces> {
  const segments = (await listSegments(disk, folder)).filter(({ firstSeq }) => firstSeq <= throughSeq)
  const pieces: JournalPiece[] = []
  let to = 0
  while (segments.length > 0 && to === 0) {
    const last = segments.pop() as Segment
    const end = await endOf(disk, last, throughSeq)
    // A segment begun but never used holds nothing.
    if (end.to < last.firstSeq) continue
    to = end.to
    pieces.push({ path: last.path, name: basename(last.path), bytes: end.bytes })
  }
  pieces.unshift(...segments.map(({ path, bytes }) => ({ path, name: basename(path), bytes })))
  if (Number.isFinite(throughSeq) && to < throughSeq) {
    throw brokenRefusal(pieces.at(-1)?.path ?? folder, pieces.at(-1)?.bytes ?? 0, to + 1, `records up to ${throughSeq} should follow`)
  }
  return { pieces, from: segments[0]?.firstSeq ?? (to === 0 ? 1 : firstOf(pieces)), to }
}

function firstOf(pieces: readonly JournalPiece[]): number {
  return Number.parseInt(pieces[0]?.name ?? '1', 10)
}

async function endOf(disk: Disk, segment: Segment, throughSeq: number): Promise<{ bytes: number; to: number }> {
  const scan = new GroupScan(disk, segment.path, segment.salt, segment.bytes)
  let to = segment.firstSeq - 1
  let bytes = scan.offset
  while (to < throughSeq) {
    const at = scan.offset
    const step = scan.step()
    if (step === 'more') await scan.fill()
    else if (step !== 'group') break
    else {
      to = scan.firstSeq + scan.count - 1
      bytes = at + GROUP_HEADER_BYTES + groupBodyBytes(scan.block, scan.start)
    }
  }
  return { bytes, to }
}
