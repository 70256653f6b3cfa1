// A group that is being filled: records side by side in a chunk, flushed and acknowledged together.

import { GROUP_HEADER_BYTES, writeRecord } from './format.ts'
import type { Chunk } from './tail.ts'

export type Done = (seq: number) => void

export class Group {
  readonly chunk: Chunk
  readonly start: number
  readonly firstSeq: number
  readonly firstReceivedAt: number
  end: number
  count = 0
  /** Told in order, the first of them firstSeq. */
  readonly done: Done[] = []

  /** Begins where the chunk's last group ends. */
  constructor(chunk: Chunk, firstSeq: number, firstReceivedAt: number) {
    this.chunk = chunk
    this.start = chunk.used
    this.firstSeq = firstSeq
    this.firstReceivedAt = firstReceivedAt
    this.end = this.start + GROUP_HEADER_BYTES
  }

  /** Copies one record in; the bytes it took. The caller has made sure that it fits. */
  add(kind: number, source: string, body: Uint8Array, receivedAt: number, done: Done): number {
    const { chunk, end } = this
    this.end = writeRecord(chunk.bytes, chunk.view, end, kind, source, body, receivedAt)
    chunk.used = this.end
    this.count++
    this.done.push(done)
    return this.end - end
  }
}
