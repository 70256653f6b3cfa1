// What the main thread and the history worker say to each other. Rows travel in shared memory and stay with the main
// thread until they are committed, so a lost worker loses no row.

import type { Bucket, StoredReading } from './stretch.ts'

export interface WorkerOptions {
  readonly folder: string
  readonly memoryMb: number
  readonly threads: number
  /** Our clock at the start, epoch ms. */
  readonly now: number
}

/** The series of a fleet in the order of their numbers: those of device d are `metrics[d]`. */
export interface FleetNames {
  readonly devices: readonly string[]
  readonly metrics: readonly (readonly string[])[]
}

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
  | { readonly kind: 'close' }

export type Answer = { readonly readings: StoredReading[] } | { readonly buckets: Bucket[] } | { readonly tended: Tended }

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
  | { readonly kind: 'stored'; readonly throughSeq: number; readonly rows: number }
  /** What keeps rows or files from being written, retried by the worker; null: it is over. */
  | { readonly kind: 'trouble'; readonly about: 'storing' | 'tending'; readonly problem: string | null }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  /** `refused`: the question asks too much; else history cannot answer at the moment. */
  | { readonly kind: 'failure'; readonly id: number; readonly refused: boolean; readonly problem: string }
  /** A bug: the worker closes the database and ends. */
  | { readonly kind: 'crashed'; readonly problem: string }
