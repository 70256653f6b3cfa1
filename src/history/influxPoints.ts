// Readings as points of InfluxDB: measurement = profile; tags device, area, site, enterprise; of each metric `level_pct` (what
// rules may use), `level_pct.unusable` (a value out of range), `level_pct.quality` (its index in QUALITIES). All are floats.
// Invariant: within a batch there is one point per device and instant, holding per metric what stands there.

import { LATE, OUT_OF_RANGE, SENSOR_FAULT } from '../model/quality.ts'
import type { FleetNames, SharedBatch } from './messages.ts'
import { viewSegment } from './outbox.ts'

/** The latest instant InfluxDB can hold, in whole ms. */
export const LAST_INFLUX_INSTANT = 9_223_372_036_854

/** What one device said at one instant: parallel lists, one entry per metric. */
export interface InfluxPoint {
  readonly device: number
  readonly at: number
  /** Places of the metrics in the device's profile. */
  readonly places: number[]
  readonly values: number[]
  readonly qualities: number[]
}

/** The points of one batch, and the rows they were made of. */
export interface InfluxBatch {
  readonly throughSeq: number
  readonly rows: number
  readonly names: FleetNames
  readonly points: readonly InfluxPoint[]
}

/** Makes points of a batch; `names` numbered its series. */
export function pointsOf({ throughSeq, segments }: SharedBatch, names: FleetNames): InfluxBatch {
  const deviceOf = new SeriesOwner(names)
  const byInstant: Map<number, InfluxPoint>[] = []
  const points: InfluxPoint[] = []
  let rows = 0
  let point: InfluxPoint | null = null
  for (const { memory, length } of segments) {
    const { at, value, series, quality } = viewSegment(memory)
    for (let row = 0; row < length; row++) {
      const number = series[row]!
      if (number === -1) continue
      rows++
      let instant = at[row]!
      // One impossible instant must not keep everything behind it from being stored; intake bounds them.
      if (!(instant >= 0 && instant <= LAST_INFLUX_INSTANT)) instant = instant > 0 ? LAST_INFLUX_INSTANT : 0
      const device = deviceOf.find(number)
      if (point === null || point.device !== device || point.at !== instant) {
        const instants: Map<number, InfluxPoint> = (byInstant[device] ??= new Map())
        point = instants.get(instant) ?? null
        if (point === null) {
          point = { device, at: instant, places: [], values: [], qualities: [] }
          instants.set(instant, point)
          points.push(point)
        }
      }
      put(point, number - deviceOf.first, value[row]!, Number.isNaN(value[row]!) ? SENSOR_FAULT : quality[row]!)
    }
  }
  return { throughSeq, rows, names, points }
}

/** The later row stands, but what came late does not stand over what came in time. */
function put(point: InfluxPoint, place: number, value: number, quality: number): void {
  const index = point.places.indexOf(place)
  if (index === -1) {
    point.places.push(place)
    point.values.push(value)
    point.qualities.push(quality)
  } else if (quality !== LATE || point.qualities[index] === LATE) {
    point.values[index] = value
    point.qualities[index] = quality
  }
}

/** Takes one metric out of a point. */
export function withoutPlace(point: InfluxPoint, index: number): void {
  point.places.splice(index, 1)
  point.values.splice(index, 1)
  point.qualities.splice(index, 1)
}

/** The lines of points; one without any metric has none. */
export function linesOf(points: readonly InfluxPoint[], names: FleetNames): string {
  const lines: string[] = []
  const keys = new Map<number, string>()
  for (const { device, at, places, values, qualities } of points) {
    if (places.length === 0) continue
    const metrics = names.metrics[device]!
    let fields = ''
    for (let i = 0; i < places.length; i++) {
      const metric = metrics[places[i]!]!
      const quality = qualities[i]!
      if (i > 0) fields += ','
      fields += `${metric}.quality=${quality}`
      if (quality === OUT_OF_RANGE) fields += `,${metric}.unusable=${values[i]}`
      else if (quality < OUT_OF_RANGE) fields += `,${metric}=${values[i]}`
    }
    let key = keys.get(device)
    if (key === undefined) keys.set(device, (key = keyOf(names, device)))
    lines.push(`${key} ${fields} ${at}`)
  }
  return lines.join('\n')
}

/** Measurement and tags of a device; ids need no escaping. */
function keyOf({ devices, places }: FleetNames, device: number): string {
  const { profile, area, site, enterprise } = places[device]!
  const tag = (key: string, value: string | null): string => (value === null ? '' : `,${key}=${value}`)
  return `${profile}${tag('area', area)},device=${devices[device]}${tag('enterprise', enterprise)}${tag('site', site)}`
}

/** Which device a series belongs to; rows of one device mostly follow each other. */
class SeriesOwner {
  readonly #firsts: number[] = [0]
  #device = 0
  /** The first series of the device found last. */
  first = 0
  #end = 0

  constructor({ metrics }: FleetNames) {
    let series = 0
    for (const ofDevice of metrics) this.#firsts.push((series += ofDevice.length))
    this.#end = this.#firsts[1] ?? 0
  }

  find(series: number): number {
    if (series >= this.first && series < this.#end) return this.#device
    let [low, high] = [0, this.#firsts.length - 2]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#firsts[middle]! <= series) low = middle
      else high = middle - 1
    }
    this.#device = low
    this.first = this.#firsts[low]!
    this.#end = this.#firsts[low + 1]!
    return low
  }
}
