// One file of the journal, as the writer, the reader and retention share it.

import { join } from 'node:path'
import { type Disk, type DiskFile, writeAll } from './disk.ts'
import { SEGMENT_HEADER_BYTES, segmentHeader, segmentName } from './format.ts'

export interface Segment {
  readonly path: string
  readonly firstSeq: number
  readonly salt: Buffer
  /** Where its flushed groups end; for one closed in an earlier run, the size of its file. */
  bytes: number
  /** Receipt of its first record, epoch ms; Infinity where it is not known. */
  firstReceivedAt: number
}

/** A file with a header on disk, not yet a segment: it becomes one by its name. */
export interface Blank {
  readonly path: string
  readonly file: DiskFile
  readonly salt: Buffer
}

/** Creates an empty file with its header flushed, replacing one of that name. */
export async function createBlank(disk: Disk, path: string, salt: Buffer): Promise<Blank> {
  const file = await disk.open(path, 'create')
  try {
    await writeAll(file, segmentHeader(salt), 0, SEGMENT_HEADER_BYTES, 0)
    await file.datasync()
  } catch (cause) {
    await file.close()
    throw cause
  }
  return { path, file, salt }
}

/** Gives a blank its place in the journal, durably. A segment of that name, of which nothing was acknowledged, is replaced. */
export async function nameBlank(disk: Disk, folder: string, blank: Blank, firstSeq: number, firstReceivedAt: number): Promise<Segment> {
  const path = join(folder, segmentName(firstSeq))
  await disk.rename(blank.path, path)
  await disk.syncFolder(folder)
  return { path, firstSeq, salt: blank.salt, bytes: SEGMENT_HEADER_BYTES, firstReceivedAt }
}
