// Questions to history and their bounds: pure, the same for every store.

import type { Quality } from '../model/quality.ts'
import { formatDuration } from '../platform/duration.ts'
import { Refusal } from '../platform/problem.ts'

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
  /** At most this many items; never more than LIMITS.history.rowsPerQuery. */
  readonly limit: number
}

/** The greatest instant that can be asked for: the end of the year 9999. */
export const LAST_INSTANT = 253_402_300_799_999

/** Whole instants within what can be stored; a NaN stretch is empty. */
export function boundStretch(from: number, to: number): { from: number; to: number } {
  const hold = (at: number): number => Math.min(Math.max(Math.ceil(at) || 0, 0), LAST_INSTANT + 1)
  return { from: hold(from), to: hold(to) }
}

/** How many intervals of `everyMs`, aligned to the epoch, touch `[from, to)`. */
export function bucketCount(from: number, to: number, everyMs: number): number {
  return to <= from ? 0 : Math.floor((to - 1) / everyMs) - Math.floor(from / everyMs) + 1
}

/** The shortest `every` of whole seconds (of milliseconds below one second) that needs at most `most` intervals. */
export function smallestEvery(from: number, to: number, most: number): number {
  const unit = (to - from) / most > 500 ? 1000 : 1
  let every = Math.max(unit, Math.floor((to - from) / most / unit) * unit)
  while (bucketCount(from, to, every) > most) every += unit
  return every
}

/**
 * Throws a Refusal where the intervals are not whole milliseconds, or where there would be more of them than `limit` and
 * the bound allow; the sentence names the shortest `every` that fits.
 */
export function checkBuckets(from: number, to: number, everyMs: number, most: number): void {
  if (!Number.isSafeInteger(everyMs) || everyMs < 1)
    throw new Refusal(`every must be at least 1ms, in whole milliseconds; it is ${everyMs}ms`)
  const count = bucketCount(from, to, everyMs)
  if (count <= most) return
  const every = formatDuration(smallestEvery(from, to, Math.max(1, most)))
  throw new Refusal(
    `every=${formatDuration(everyMs)} would give ${count} intervals, and one answer holds ${most}: ask for every=${every} or longer, or for a shorter stretch of time`
  )
}
