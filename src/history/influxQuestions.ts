// What is asked of InfluxDB in InfluxQL, and what its answers mean: pure. Text made of numbers and checked names only.
// Every statement has both ends of its time and a bound on its rows: without, one statement can take the server down.

import { OUT_OF_RANGE, QUALITIES } from '../model/quality.ts'
import { LIMITS } from '../platform/limits.ts'
import type { InfluxSeries } from './influx.ts'
import { LAST_INFLUX_INSTANT } from './influxPoints.ts'
import type { Question } from './messages.ts'
import type { Bucket, StoredReading } from './stretch.ts'

type Cell = number | string | boolean | null

/** Every measurement: a device that changed its profile has points in two. */
const ANYWHERE = '/./'
/** Qualities below this index are those rules may judge by. */
export const USABLE_BELOW = OUT_OF_RANGE

/** `[from, to)` as far as InfluxDB reaches; null: nothing of it. */
export function withinInflux(from: number, to: number): { from: number; last: number } | null {
  const last = Math.min(to - 1, LAST_INFLUX_INSTANT)
  return from > last ? null : { from, last }
}

function time(from: number, last: number): string {
  return `time >= ${from}ms AND time <= ${last}ms`
}

/** The statement of a question; null where nothing can answer it. */
export function statementOf(question: Question): string | null {
  const { device, metric, from, to } = question
  const within = withinInflux(from, to)
  if (within === null) return null
  const where = `WHERE "device" = '${device}' AND ${time(within.from, within.last)}`
  if (question.kind === 'readings') {
    const fields = `"${metric}", "${metric}.quality", "${metric}.unusable"`
    return `SELECT ${fields} FROM ${ANYWHERE} ${where} ORDER BY time LIMIT ${question.limit}`
  }
  const values = ['min', 'max', 'sum', 'count', 'last'].map((name) => `${name}("${metric}")`).join(', ')
  // The bound is held by whoever asks: `checkBuckets`; the limit here is a second one.
  return `SELECT ${values} FROM ${ANYWHERE} ${where} AND "${metric}.quality" < ${USABLE_BELOW} GROUP BY time(${question.everyMs}ms) fill(none) LIMIT ${LIMITS.history.rowsPerQuery + 1}`
}

/** Readings of one question, in time order, one per instant. */
export function readingsIn(series: readonly InfluxSeries[], limit: number): StoredReading[] {
  const rows = series.flatMap(({ values }) => values.map(([at, value, quality, unusable]) => reading(at, value, quality, unusable)))
  if (rows.some((row, i) => i > 0 && rows[i - 1]!.at >= row.at)) return onePerInstant(rows).slice(0, limit)
  return rows.slice(0, limit)
}

export function reading(at: Cell | undefined, value: Cell | undefined, code: Cell | undefined, unusable: Cell | undefined): StoredReading {
  const quality = QUALITIES[Number(code ?? 0)] ?? 'sensorFault'
  const stands = quality === 'outOfRange' ? unusable : quality === 'sensorFault' ? null : value
  return { at: Number(at), value: stands === null || stands === undefined ? null : Number(stands), quality }
}

/** A device that changed profile or place has two series: what came late in one does not stand over the other. */
export function onePerInstant(rows: readonly StoredReading[]): StoredReading[] {
  const standing = new Map<number, StoredReading>()
  for (const row of rows) {
    const other = standing.get(row.at)
    if (other === undefined || row.quality !== 'late' || other.quality === 'late') standing.set(row.at, row)
  }
  return [...standing.values()].sort((a, b) => a.at - b.at)
}

/** Intervals of one question, in time order. */
export function bucketsIn(series: readonly InfluxSeries[]): Bucket[] {
  const merged = new Map<number, Bucket>()
  for (const { values } of series) {
    for (const [at, min, max, sum, count, last] of values as readonly (readonly number[])[]) {
      if (!count) continue
      const fresh: Bucket = { at: at!, min: min!, max: max!, avg: sum! / count, last: last!, count }
      const other = merged.get(fresh.at)
      merged.set(fresh.at, other === undefined ? fresh : together(other, fresh))
    }
  }
  return [...merged.values()].sort((a, b) => a.at - b.at)
}

function together(a: Bucket, b: Bucket): Bucket {
  const count = a.count + b.count
  const avg = (a.avg * a.count + b.avg * b.count) / count
  return { at: a.at, min: Math.min(a.min, b.min), max: Math.max(a.max, b.max), avg, last: b.last, count }
}

/** Instants of one device, close to each other, at which something may stand already. */
export interface LateRun {
  readonly measurement: string
  readonly device: string
  readonly metrics: readonly string[]
  readonly from: number
  readonly last: number
}

/** What stands of these metrics: (time, quality of each). */
export function standingStatement({ measurement, device, metrics, from, last }: LateRun): string {
  const fields = metrics.map((metric) => `"${metric}.quality"`).join(', ')
  return `SELECT ${fields} FROM "${measurement}" WHERE "device" = '${device}' AND ${time(from, last)} ORDER BY time LIMIT ${LIMITS.history.rowsPerQuery}`
}
