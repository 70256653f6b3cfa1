// What the main thread and the history worker say to each other. Rows travel in shared memory and stay with the main
// thread until they are committed, so a lost worker loses no row.

import type { InfluxSettings } from './influxSettings.ts'
import type { Bucket, StoredReading } from './stretch.ts'

export interface WorkerOptions {
  readonly folder: string
  readonly memoryMb: number
  readonly threads: number
  /** Our clock at the start, epoch ms. */
  readonly now: number
  /** For the worker that stores in InfluxDB. */
  readonly influx?: InfluxSettings
}

/** The series of a fleet in the order of their numbers: those of device d are `metrics[d]`; `places[d]` is where it belongs. */
export interface FleetNames {
  readonly devices: readonly string[]
  readonly metrics: readonly (readonly string[])[]
  readonly places: readonly DevicePlace[]
}

export interface DevicePlace {
  readonly profile: string
  readonly area: string | null
  readonly site: string | null
  readonly enterprise: string | null
}

/** Why a server keeps no reading of ours: it is older than what it keeps, or it refuses the point for another reason. */
export const DROP_REASONS = ['retention', 'refused'] as const
export type Drops = Readonly<Record<(typeof DROP_REASONS)[number], number>>
export const NO_DROPS: Drops = { retention: 0, refused: 0 }

/** Rows in shared memory, laid out as `viewSegment` says. */
export interface SharedSegment {
  readonly memory: SharedArrayBuffer
  readonly length: number
}

/** Whole offers, stored in one transaction together with `throughSeq`. */
export interface SharedBatch {
  readonly throughSeq: number
  readonly segments: readonly SharedSegment[]
}

export type Question =
  | {
      readonly kind: 'readings'
      readonly device: string
      readonly metric: string
      readonly from: number
      readonly to: number
      readonly limit: number
    }
  | {
      readonly kind: 'buckets'
      readonly device: string
      readonly metric: string
      readonly from: number
      readonly to: number
      readonly everyMs: number
    }

export type ToWorker =
  | { readonly kind: 'fleet'; readonly names: FleetNames }
  | { readonly kind: 'store'; readonly batch: SharedBatch; readonly now: number }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'tend'; readonly id: number; readonly now: number; readonly retentionDays: number | null }
  /** Leaves a copy of the open rows in `target`; no file of a closed day is written or deleted between this and the end of the hold. */
  | { readonly kind: 'copy'; readonly id: number; readonly target: string }
  | { readonly kind: 'close' }

export type Answer =
  | { readonly readings: StoredReading[] }
  | { readonly buckets: Bucket[] }
  | { readonly tended: Tended }
  | { readonly copiedSeq: number }

/** What one round of tending did. */
export interface Tended {
  /** Files written or written anew. */
  readonly written: readonly string[]
  /** Files past retention, deleted. */
  readonly deleted: readonly string[]
}

export type FromWorker =
  | { readonly kind: 'opened'; readonly storedSeq: number }
  /** The database cannot be opened: one sentence. The worker ends. */
  | { readonly kind: 'refused'; readonly problem: string }
  /** `rows` with those dropped. */
  | { readonly kind: 'stored'; readonly throughSeq: number; readonly rows: number; readonly drops?: Drops }
  /** The server has lost what lies behind `storedSeq`: nothing that was posted is stored any more. */
  | { readonly kind: 'rewound'; readonly storedSeq: number; readonly problem: string }
  /** Readings were dropped: one sentence. `expected`: they are older than what is kept, as somebody has set it. */
  | { readonly kind: 'dropped'; readonly problem: string; readonly expected: boolean }
  /** What keeps rows or files from being written, retried by the worker; null: it is over. */
  | { readonly kind: 'trouble'; readonly about: 'storing' | 'tending'; readonly problem: string | null }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  /** `refused`: the question asks too much; else history cannot answer at the moment. */
  | { readonly kind: 'failure'; readonly id: number; readonly refused: boolean; readonly problem: string }
  /** A bug: the worker closes the database and ends. */
  | { readonly kind: 'crashed'; readonly problem: string }
