// Rows on their way to the worker: copied out of the loop's columns into shared memory, a few memcpys per offer.
// Invariant: a batch holds whole offers, in the order they were made, and `throughSeq` is that of the last one.

import type { ReadingColumns } from '../model/readings.ts'
import type { FleetNames, SharedBatch } from './messages.ts'

const SEGMENT_ROWS = 32_768
/** at, value: 8 bytes; series: 4; quality: 1. */
const ROW_BYTES = 21
const SPARE_SEGMENTS = 8

/** The columns of one piece of shared memory. */
export interface SegmentView {
  readonly at: Float64Array
  readonly value: Float64Array
  readonly series: Int32Array
  readonly quality: Uint8Array
}

/** Both threads see a segment through these views. */
export function viewSegment(memory: SharedArrayBuffer): SegmentView {
  return {
    at: new Float64Array(memory, 0, SEGMENT_ROWS),
    value: new Float64Array(memory, 8 * SEGMENT_ROWS, SEGMENT_ROWS),
    series: new Int32Array(memory, 16 * SEGMENT_ROWS, SEGMENT_ROWS),
    quality: new Uint8Array(memory, 20 * SEGMENT_ROWS, SEGMENT_ROWS)
  }
}

interface Segment extends SegmentView {
  readonly memory: SharedArrayBuffer
  length: number
}

/** Offers sealed together; `rows` counts those with a value or a fault, not the signs of life. */
export interface Batch {
  readonly throughSeq: number
  readonly rows: number
  readonly segments: readonly Segment[]
}

/** What waits for the worker, in order: batches, and from which point on another fleet numbers the series. */
export type Parcel = { readonly kind: 'batch'; readonly batch: Batch } | { readonly kind: 'fleet'; readonly names: FleetNames }

export class Outbox {
  readonly #rowsPerBatch: number
  readonly #parcels: Parcel[] = []
  #segments: Segment[] = []
  #spare: Segment[] = []
  #openRows = 0
  #openSeq: number | null = null
  /** Rows with a value or a fault in here, those handed out by `peek` included until they are done. */
  rows = 0
  /** All rows in here, signs of life included: what is bounded. */
  held = 0

  constructor(rowsPerBatch: number) {
    this.#rowsPerBatch = rowsPerBatch
  }

  /** True when a parcel can be had without sealing. */
  get hasParcel(): boolean {
    return this.#parcels.length > 0
  }

  get isEmpty(): boolean {
    return this.#parcels.length === 0 && this.#openSeq === null
  }

  /** Copies the rows of one offer. */
  add(columns: ReadingColumns, rows: number, throughSeq: number): void {
    const length = columns.length
    let from = 0
    while (from < length) {
      let segment = this.#segments[this.#segments.length - 1]
      if (segment === undefined || segment.length === SEGMENT_ROWS) {
        segment = this.#freshSegment()
        this.#segments.push(segment)
      }
      const until = Math.min(length, from + SEGMENT_ROWS - segment.length)
      segment.at.set(columns.at.subarray(from, until), segment.length)
      segment.value.set(columns.value.subarray(from, until), segment.length)
      segment.series.set(columns.series.subarray(from, until), segment.length)
      segment.quality.set(columns.quality.subarray(from, until), segment.length)
      segment.length += until - from
      from = until
    }
    this.rows += rows
    this.held += length
    this.#openRows += rows
    this.#openSeq = throughSeq
    if (this.#openRows >= this.#rowsPerBatch) this.seal()
  }

  /** Closes the batch that is being filled. */
  seal(): void {
    if (this.#openSeq === null) return
    this.#parcels.push({ kind: 'batch', batch: { throughSeq: this.#openSeq, rows: this.#openRows, segments: this.#segments } })
    this.#segments = []
    this.#openRows = 0
    this.#openSeq = null
  }

  /** From the next offer on, `names` numbers the series. */
  addFleet(names: FleetNames): void {
    this.seal()
    this.#parcels.push({ kind: 'fleet', names })
  }

  /** The first parcel, which stays in here until `done`. */
  peek(): Parcel | undefined {
    return this.#parcels[0]
  }

  /** The first parcel has been dealt with; its memory is used again. */
  done(): void {
    const parcel = this.#parcels.shift()
    if (parcel?.kind !== 'batch') return
    this.rows -= parcel.batch.rows
    for (const segment of parcel.batch.segments) {
      this.held -= segment.length
      segment.length = 0
      if (this.#spare.length < SPARE_SEGMENTS) this.#spare.push(segment)
    }
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.#parcels.length = 0
    this.#segments = []
    this.rows = this.held = this.#openRows = 0
    this.#openSeq = null
  }

  #freshSegment(): Segment {
    const spare = this.#spare.pop()
    if (spare !== undefined) return spare
    const memory = new SharedArrayBuffer(SEGMENT_ROWS * ROW_BYTES)
    return { memory, length: 0, ...viewSegment(memory) }
  }
}

/** What is posted of a batch. */
export function sharedBatch({ throughSeq, segments }: Batch): SharedBatch {
  return { throughSeq, segments: segments.map(({ memory, length }) => ({ memory, length })) }
}
