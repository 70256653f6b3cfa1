// The history of readings as a part: takes rows from the loop without ever blocking it, answers bounded queries.
// Invariant: what is stored is a gap-free prefix of the journal; everything through `storedSeq` is on disk.

import type { Fleet } from '../model/fleet.ts'
import type { Quality } from '../model/quality.ts'
import type { ReadingColumns } from '../model/readings.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'

export interface HistoryOptions {
  /** Holds `open.duckdb` and `days/*.parquet`; created where missing. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  readonly memoryMb: number
  readonly threads: number
  /** A file is deleted this many days after its last day ended and it was last written; null: never. */
  readonly retentionDays: number | null
}

/** One stored reading. `value` is null where the device itself called it bad. */
export interface StoredReading {
  readonly at: number
  readonly value: number | null
  readonly quality: Quality
}

/** The usable values (good, late, clockSkewed; not null) of one interval `[at, at + everyMs)`. */
export interface Bucket {
  readonly at: number
  readonly min: number
  readonly max: number
  readonly avg: number
  /** The value at the latest `at` in the interval. */
  readonly last: number
  readonly count: number
}

/** A stretch of one series: `from <= at < to`, epoch ms. */
export interface SeriesStretch {
  readonly device: string
  readonly metric: string
  readonly from: number
  readonly to: number
  readonly limit: number
}

export interface HistoryHealth {
  readonly state: 'ok' | 'behind' | 'failing'
  /** One sentence where the state is not ok. */
  readonly problem: string | null
  readonly storedSeq: number
  readonly pendingRows: number
}

export class History implements Part {
  readonly name = 'history'
  /** Everything through this journal seq is on disk. */
  storedSeq = 0
  /** Everything through this journal seq has been taken: stored, or waiting here to be stored. */
  acceptedSeq = 0
  /** Rows committed since the start of this process. */
  storedRows = 0
  /** Rows taken and not yet committed. */
  pendingRows = 0

  constructor(options: HistoryOptions) {
    void options
  }

  /** Opens the store and reads `storedSeq`. A locked or unreadable database throws a Refusal. */
  async start(): Promise<void> {}

  /** Drains what is pending, checkpoints and closes, within a bounded time. */
  async stop(): Promise<void> {}

  /** From the next offer on, series numbers are those of this fleet. */
  setFleet(fleet: Fleet): void {
    void fleet
  }

  /**
   * Takes the rows [0, length) of the records in `(afterSeq, throughSeq]`; copies them and never blocks. True: taken (or
   * already stored, then nothing is done). False: not taken, because the queue is full or because rows before `afterSeq`
   * were not taken either; the caller goes on, and later offers again from the journal after `acceptedSeq`.
   * `afterSeq` left out means: where the previous offer, taken or not, ended.
   */
  offer(columns: ReadingColumns, throughSeq: number, afterSeq?: number): boolean {
    void columns
    void throughSeq
    void afterSeq
    return true
  }

  /** Resolves when everything accepted so far is committed. */
  async flush(): Promise<void> {}

  /** Readings in time order; one per instant (the last in journal order); `after` continues behind that instant. */
  async readings(stretch: SeriesStretch & { readonly after?: number }): Promise<StoredReading[]> {
    void stretch
    return []
  }

  /** Intervals aligned to the epoch, empty ones left out. More than the bound is refused with the smallest `every` that fits. */
  async buckets(stretch: SeriesStretch & { readonly everyMs: number }): Promise<Bucket[]> {
    void stretch
    return []
  }

  health(): HistoryHealth {
    return { state: 'ok', problem: null, storedSeq: this.storedSeq, pendingRows: this.pendingRows }
  }
}
