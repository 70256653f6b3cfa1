// Which segments may go. Invariant: only whole segments from the oldest on, and nothing that is still needed.

import type { Log } from '../../platform/log.ts'
import { messageOf } from '../../platform/problem.ts'
import type { Disk } from './disk.ts'
import { errnoOf } from './errno.ts'
import type { Segment } from './segment.ts'

export interface Bounds {
  /** The first record still needed. */
  readonly beforeSeq: number
  readonly maxBytes: number
  /** By receipt. */
  readonly maxAgeMs: number
}

/** Deletes what `bounds` let go, the oldest first. What cannot be deleted now is tried again by the next call. */
export async function pruneSegments(
  disk: Disk,
  folder: string,
  segments: Segment[],
  active: Segment | null,
  { beforeSeq, maxBytes, maxAgeMs }: Bounds,
  now: number,
  log: Log
): Promise<void> {
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
  let isChanged = false
  for (;;) {
    const [oldest, next] = segments
    if (oldest === undefined || next === undefined || oldest === active || next.firstSeq > beforeSeq) break
    if (bytes <= maxBytes && next.firstReceivedAt >= now - maxAgeMs) break
    try {
      await disk.remove(oldest.path)
    } catch (cause) {
      if (errnoOf(cause) === null) throw cause
      if (errnoOf(cause) !== 'ENOENT') {
        log.warn(`The journal segment ${oldest.path} could not be deleted: ${messageOf(cause)}. It is tried again later.`)
        break
      }
    }
    segments.splice(segments.indexOf(oldest), 1)
    bytes -= oldest.bytes
    isChanged = true
  }
  if (isChanged) await disk.syncFolder(folder)
}
