// What a trend draws: readings or buckets in columns, with the gaps left open. Invariant: two points are joined only
// when the first one's value still held at the second; a bad value is a gap, never a line.

import { type Bucket, buckets, type Reading, readings } from './api.ts'

export const RANGES = ['15m', '1h', '8h', '24h', '7d'] as const
export type RangeName = (typeof RANGES)[number]

const MINUTE = 60_000
export const RANGE_MS: Readonly<Record<RangeName, number>> = {
  '15m': 15 * MINUTE,
  '1h': 60 * MINUTE,
  '8h': 480 * MINUTE,
  '24h': 1440 * MINUTE,
  '7d': 10_080 * MINUTE
}

export type Resolution = 'raw' | '10s' | '1m' | '2m' | '15m'
export const RESOLUTION_MS: Readonly<Record<Exclude<Resolution, 'raw'>, number>> = {
  '10s': 10_000,
  '1m': MINUTE,
  '2m': 2 * MINUTE,
  '15m': 15 * MINUTE
}

/** The finest resolution that fits a range, for a trend of at most about 800 points across; null: raw readings. */
export const DEFAULT_RESOLUTION: Readonly<Record<RangeName, Resolution>> = {
  '15m': 'raw',
  '1h': 'raw',
  '8h': '1m',
  '24h': '2m',
  '7d': '15m'
}

/** What may be chosen by hand: nothing that would draw more than some thousand points. */
export const RESOLUTIONS: Readonly<Record<RangeName, readonly Resolution[]>> = {
  '15m': ['raw', '10s', '1m'],
  '1h': ['raw', '10s', '1m'],
  '8h': ['raw', '1m', '2m', '15m'],
  '24h': ['raw', '2m', '15m'],
  '7d': ['15m']
}

/** Columns for the chart, ascending in time; null is a gap. `low` and `high` are empty for raw readings. */
export interface TrendColumns {
  /** Epoch seconds, as the chart wants them. */
  readonly at: readonly number[]
  readonly value: readonly (number | null)[]
  readonly low: readonly (number | null)[]
  readonly high: readonly (number | null)[]
  /** Out-of-range values: shown as crosses, never joined. */
  readonly odd: readonly (number | null)[]
}

export interface TrendAnswer {
  /** Raw readings, or null where the answer is in buckets. */
  readonly readings: readonly Reading[] | null
  readonly columns: TrendColumns
  /** What was drawn: coarser than asked for where there were too many readings. */
  readonly resolution: Resolution
}

const RAW_PAGE = 5000

export interface TrendQuestion {
  readonly device: string
  readonly metric: string
  readonly range: RangeName
  /** End of the range, epoch ms on the device's time line. */
  readonly to: number
  readonly resolution: Resolution
  /** A value holds this long. */
  readonly holdMs: number
}

/** Reads one trend; where there are too many raw readings, the next coarser resolution of that range. */
export async function readTrend(question: TrendQuestion, signal: AbortSignal): Promise<TrendAnswer> {
  const { device, metric, range, to, resolution, holdMs } = question
  const span = { device, metric, from: new Date(to - RANGE_MS[range]).toISOString(), to: new Date(to).toISOString(), limit: RAW_PAGE }
  if (resolution === 'raw') {
    const page = await readings(span, signal)
    if (page.next === null) return { readings: page.items, columns: rawColumns(page.items, holdMs), resolution }
    const coarser = RESOLUTIONS[range].find((one) => one !== 'raw') ?? '15m'
    return readTrend({ ...question, resolution: coarser }, signal)
  }
  const page = await buckets({ ...span, every: resolution }, signal)
  return { readings: null, columns: bucketColumns(page.items, RESOLUTION_MS[resolution], holdMs), resolution }
}

export function rawColumns(items: readonly Reading[], holdMs: number): TrendColumns {
  const at: number[] = []
  const value: (number | null)[] = []
  const odd: (number | null)[] = []
  let before = Number.NEGATIVE_INFINITY
  const push = (when: number, good: number | null, bad: number | null): void => {
    at.push(when / 1000)
    value.push(good)
    odd.push(bad)
  }
  for (const reading of items) {
    const when = Date.parse(reading.at)
    if (when - before > holdMs && at.length > 0) push(before + 1, null, null)
    const bad = reading.quality === 'outOfRange' || reading.quality === 'sensorFault' || reading.value === null
    push(when, bad ? null : reading.value, bad ? reading.value : null)
    before = when
  }
  return { at, value, low: [], high: [], odd }
}

export function bucketColumns(items: readonly Bucket[], everyMs: number, holdMs: number): TrendColumns {
  const at: number[] = []
  const value: (number | null)[] = []
  const low: (number | null)[] = []
  const high: (number | null)[] = []
  let before = Number.NEGATIVE_INFINITY
  for (const bucket of items) {
    const when = Date.parse(bucket.at)
    if (when - before > everyMs + holdMs && at.length > 0) {
      at.push((before + everyMs) / 1000)
      value.push(null)
      low.push(null)
      high.push(null)
    }
    at.push(when / 1000)
    value.push(bucket.avg)
    low.push(bucket.min)
    high.push(bucket.max)
    before = when
  }
  return { at, value, low, high, odd: [] }
}
