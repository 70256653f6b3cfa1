// The newest records in memory: chunks into which groups are written one after another, kept until their bytes exceed a bound.
// Invariant: only flushed records are handed out, and what is not flushed yet is never dropped.

import type { JournalRecord } from '../../model/journal.ts'
import { GROUP_HEADER_BYTES, groupBodyBytes, groupCount, groupFirstSeq, readRecord, recordEnd } from './format.ts'

/** A buffer that holds whole groups back to back. */
export class Chunk {
  readonly bytes: Buffer
  readonly view: DataView
  /** The first seq of its first group. */
  readonly firstSeq: number
  /** Where the next group begins. */
  used = 0
  flushedEnd = 0
  flushedSeq: number

  constructor(size: number, firstSeq: number) {
    this.bytes = Buffer.allocUnsafeSlow(size)
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, size)
    this.firstSeq = firstSeq
    this.flushedSeq = firstSeq - 1
  }
}

interface Place {
  readonly chunk: Chunk
  /** The start of the group that holds `seq`. */
  group: number
  /** The start of record `seq`. */
  record: number
  seq: number
}

export class Tail {
  readonly #bound: number
  readonly #chunks: Chunk[] = []
  #bytes = 0
  #place: Place | null = null

  /** Keeps about `bound` bytes, in whole chunks; the newest chunk stays in any case. */
  constructor(bound: number) {
    this.#bound = bound
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes a new chunk in; further groups go there. */
  open(size: number, firstSeq: number): Chunk {
    const chunk = new Chunk(size, firstSeq)
    this.#chunks.push(chunk)
    this.#bytes += size
    return chunk
  }

  /** Drops the oldest flushed chunks above the bound. */
  trim(): void {
    while (this.#bytes > this.#bound && this.#chunks.length > 1) {
      const oldest = this.#chunks[0] as Chunk
      if (oldest.flushedEnd < oldest.used) return
      this.#chunks.shift()
      this.#bytes -= oldest.bytes.length
      if (this.#place?.chunk === oldest) this.#place = null
    }
  }

  /** The flushed records after `afterSeq`, at least one if there is one; null where they have fallen out of memory. */
  take(afterSeq: number, flushedSeq: number, maxRecords: number, maxBytes: number): JournalRecord[] | null {
    const records: JournalRecord[] = []
    if (afterSeq >= flushedSeq) return records
    const place = this.#find(afterSeq + 1)
    if (place === null) return null
    let { chunk, group, record, seq } = place
    let bytes = 0
    while (seq <= flushedSeq && records.length < maxRecords && (bytes < maxBytes || records.length === 0)) {
      const groupEnd = group + GROUP_HEADER_BYTES + groupBodyBytes(chunk.bytes, group)
      if (record >= groupEnd) {
        group = groupEnd
        if (group >= chunk.flushedEnd) {
          const next = this.#chunks[this.#chunks.indexOf(chunk) + 1]
          if (next === undefined) break
          chunk = next
          group = 0
        }
        record = group + GROUP_HEADER_BYTES
        continue
      }
      records.push(readRecord(chunk.bytes, record, seq))
      const end = recordEnd(chunk.bytes, record)
      bytes += end - record
      record = end
      seq++
    }
    this.#place = { chunk, group, record, seq }
    return records
  }

  #find(seq: number): Place | null {
    if (this.#place?.seq === seq) return this.#place
    let chunk: Chunk | null = null
    for (let i = this.#chunks.length - 1; i >= 0 && chunk === null; i--) {
      const candidate = this.#chunks[i] as Chunk
      if (candidate.firstSeq <= seq) chunk = candidate
    }
    if (chunk === null || seq > chunk.flushedSeq) return null
    let group = 0
    while (groupFirstSeq(chunk.bytes, group) + groupCount(chunk.bytes, group) <= seq) {
      group += GROUP_HEADER_BYTES + groupBodyBytes(chunk.bytes, group)
    }
    let record = group + GROUP_HEADER_BYTES
    for (let skip = seq - groupFirstSeq(chunk.bytes, group); skip > 0; skip--) record = recordEnd(chunk.bytes, record)
    return { chunk, group, record, seq }
  }
}
