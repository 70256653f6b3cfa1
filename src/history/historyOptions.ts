// What history is opened with, and how it says it is: the same for every store.

import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { InfluxSettings } from './influxSettings.ts'

export interface HistoryOptions {
  /** Holds `open.duckdb` and `days/*.parquet`, or the position in InfluxDB; created where missing. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  readonly memoryMb: number
  readonly threads: number
  /** A file is deleted this many days after its last day ended and it was last written; null: never. */
  readonly retentionDays: number | null
  /** Rows that may wait to be stored; default LIMITS.history.pendingRows. */
  readonly pendingRows?: number
  /** InfluxDB in place of the embedded store. */
  readonly influx?: InfluxSettings | null
  /** Another worker in place of these: for tests of its failures. */
  readonly workerFile?: URL
}

export interface HistoryHealth {
  /**
   * behind: the last offer was not taken; the caller catches up from the journal.
   * away: the server does not take readings, or not all; what waits is in the journal.
   */
  readonly state: 'ok' | 'behind' | 'away' | 'failing'
  /** One sentence where the state is not ok. */
  readonly problem: string | null
  readonly storedSeq: number
  readonly pendingRows: number
}
