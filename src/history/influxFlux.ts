// The same questions in Flux, for `api: v2`: pure. Text made of numbers, checked names and quoted names only.

import { LIMITS } from '../platform/limits.ts'
import type { InfluxSeries } from './influx.ts'
import { type LateRun, USABLE_BELOW, withinInflux } from './influxQuestions.ts'
import type { Question } from './messages.ts'

type Row = Readonly<Record<string, string | number | null>>

function quoted(text: string): string {
  return `"${text.replace(/["\\$]/g, (mark) => `\\${mark}`)}"`
}

function source(bucket: string, from: number, last: number): string {
  return `from(bucket: ${quoted(bucket)}) |> range(start: ${new Date(from).toISOString()}, stop: ${new Date(last + 1).toISOString()})`
}

function fields(device: string, names: readonly string[]): string {
  const any = names.map((name) => `r._field == ${quoted(name)}`).join(' or ')
  return `|> filter(fn: (r) => r.device == ${quoted(device)} and (${any}))`
}

const SIDE_BY_SIDE = '|> group() |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") |> sort(columns: ["_time"])'

/** The query of a question; null where nothing can answer it. */
export function fluxOf(bucket: string, question: Question): string | null {
  const { device, metric } = question
  const within = withinInflux(question.from, question.to)
  if (within === null) return null
  const begin = source(bucket, within.from, within.last)
  if (question.kind === 'readings') {
    return `${begin} ${fields(device, [metric, `${metric}.quality`, `${metric}.unusable`])} ${SIDE_BY_SIDE} |> limit(n: ${question.limit})`
  }
  const value = `r[${quoted(metric)}]`
  return `${begin} ${fields(device, [metric, `${metric}.quality`])} ${SIDE_BY_SIDE}
    |> filter(fn: (r) => exists ${value} and r[${quoted(`${metric}.quality`)}] < ${USABLE_BELOW}.0)
    |> map(fn: (r) => ({_time: r._time, _value: ${value}}))
    |> window(every: ${question.everyMs}ms)
    |> reduce(identity: {count: 0, min: 0.0, max: 0.0, sum: 0.0, last: 0.0}, fn: (r, accumulator) => ({
      count: accumulator.count + 1,
      min: if accumulator.count == 0 or r._value < accumulator.min then r._value else accumulator.min,
      max: if accumulator.count == 0 or r._value > accumulator.max then r._value else accumulator.max,
      sum: accumulator.sum + r._value,
      last: r._value
    }))
    |> group() |> sort(columns: ["_start"]) |> limit(n: ${LIMITS.history.rowsPerQuery + 1})`
}

/** The rows of an answer in the form in which InfluxQL gives them. */
export function fluxReadings(rows: readonly Row[], metric: string): InfluxSeries {
  const cell = (row: Row, name: string): number | null => (typeof row[name] === 'number' ? row[name] : null)
  const values = rows.map((row) => [
    instantOf(row._time),
    ...[metric, `${metric}.quality`, `${metric}.unusable`].map((name) => cell(row, name))
  ])
  return { name: '', columns: [], values }
}

/** The first interval is cut where the question begins: it is named by where it would begin. */
export function fluxBuckets(rows: readonly Row[], everyMs: number): InfluxSeries {
  const values = rows.map((row) => [
    Math.floor(instantOf(row._start) / everyMs) * everyMs,
    ...['min', 'max', 'sum', 'count', 'last'].map((name) => Number(row[name]))
  ])
  return { name: '', columns: [], values }
}

/** What stands of these metrics: a row per instant, columns `level_pct.quality`. */
export function fluxStanding(bucket: string, { measurement, device, metrics, from, last }: LateRun): string {
  const names = metrics.map((metric) => `${metric}.quality`)
  return `${source(bucket, from, last)} |> filter(fn: (r) => r._measurement == ${quoted(measurement)}) ${fields(device, names)} ${SIDE_BY_SIDE} |> limit(n: ${LIMITS.history.rowsPerQuery})`
}

export function fluxStandingRows(rows: readonly Row[], { metrics }: LateRun): InfluxSeries {
  const values = rows.map((row) => [
    instantOf(row._time),
    ...metrics.map((metric) => (typeof row[`${metric}.quality`] === 'number' ? Number(row[`${metric}.quality`]) : null))
  ])
  return { name: '', columns: [], values }
}

/** How far an installation is stored: the furthest of its positions. */
export function fluxPosition(bucket: string, measurement: string, installation: string): string {
  return `from(bucket: ${quoted(bucket)}) |> range(start: 1970-01-01T00:00:00Z) |> filter(fn: (r) => r._measurement == ${quoted(measurement)} and r.installation == ${quoted(installation)} and r._field == "seq") |> group() |> max()`
}

function instantOf(text: string | number | null | undefined): number {
  return typeof text === 'number' ? text : Date.parse(String(text))
}
