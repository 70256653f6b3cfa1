// Puts groups on disk, one at a time: a group is written only after the one before it is flushed.
// Invariant: after a failure nothing is assumed; the whole group is written again, to the same place or to a new segment.

import { join } from 'node:path'
import { type Disk, type DiskFile, writeAll } from './disk.ts'
import { errnoOf } from './errno.ts'
import { SEGMENT_HEADER_BYTES, sealGroup } from './format.ts'
import type { Group } from './group.ts'
import { type Blank, createBlank, nameBlank, type Segment } from './segment.ts'
import { newSalt, Spare } from './spare.ts'

export const NEXT_NAME = 'next.tmp'

export class SegmentWriter {
  readonly #disk: Disk
  readonly #folder: string
  readonly #segments: Segment[]
  readonly #segmentBytes: number
  readonly #spare: Spare
  #segment: Segment | null = null
  #file: DiskFile | null = null
  #closing: Promise<void> = Promise.resolve()

  /** `segments` is shared with the reader and with retention: the writer appends to it. */
  constructor(disk: Disk, folder: string, segments: Segment[], segmentBytes: number) {
    this.#disk = disk
    this.#folder = folder
    this.#segments = segments
    this.#segmentBytes = segmentBytes
    this.#spare = new Spare(disk, folder, segmentBytes)
  }

  get active(): Segment | null {
    return this.#segment
  }

  /** Goes on in the last segment of an earlier run, and makes the first spare. */
  resume(file: DiskFile | null): void {
    this.#file = file
    this.#segment = file === null ? null : (this.#segments.at(-1) ?? null)
    this.#spare.prepare()
  }

  /** Resolves once the group is on disk. Throws what the system threw; then the same group is to be given again. */
  async write(group: Group): Promise<void> {
    const length = group.end - group.start
    let segment = this.#segment
    const isFull = segment !== null && segment.bytes + length > this.#segmentBytes && segment.bytes > SEGMENT_HEADER_BYTES
    if (segment === null || isFull) segment = await this.#begin(group)
    const file = this.#file as DiskFile
    sealGroup(group.chunk.bytes, group.start, group.end, group.count, group.firstSeq, segment.salt)
    await writeAll(file, group.chunk.bytes, group.start, length, segment.bytes)
    await file.datasync()
    segment.bytes += length
  }

  /** The disk is full: where a spare has room put by, the next attempt goes there. */
  yieldToSpare(): void {
    if (this.#spare.isReady) this.abandon()
  }

  /** Leaves a segment whose file failed; the next attempt begins a new one. What is flushed in it stays. */
  abandon(): void {
    const file = this.#file
    const bytes = this.#segment?.bytes ?? 0
    this.#file = null
    this.#segment = null
    if (file !== null) this.#close(file, bytes)
  }

  async stop(): Promise<void> {
    await this.#spare.stop()
    await this.#closing
    const file = this.#file
    this.#file = null
    this.#segment = null
    await file?.close()
  }

  async #begin(group: Group): Promise<Segment> {
    this.abandon()
    const blank = this.#spare.take() ?? (await createBlank(this.#disk, join(this.#folder, NEXT_NAME), newSalt()))
    const segment = await this.#named(blank, group)
    if (this.#segments.at(-1)?.firstSeq === segment.firstSeq) this.#segments.pop()
    this.#segments.push(segment)
    this.#segment = segment
    this.#file = blank.file
    this.#spare.prepare()
    return segment
  }

  async #named(blank: Blank, group: Group): Promise<Segment> {
    try {
      return await nameBlank(this.#disk, this.#folder, blank, group.firstSeq, group.firstReceivedAt)
    } catch (cause) {
      this.#close(blank.file, null)
      throw cause
    }
  }

  /** Cuts off zeros left over, and what a failed attempt left behind; where that fails they do no harm. */
  #close(file: DiskFile, bytes: number | null): void {
    const close = async (): Promise<void> => {
      try {
        if (bytes !== null) await file.truncate(bytes)
        await file.close()
      } catch (cause) {
        if (errnoOf(cause) === null) throw cause
      }
    }
    this.#closing = this.#closing.then(close)
  }
}
