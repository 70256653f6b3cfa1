// The last value of every series, for people to look at. Late readings change no value, but they are a sign of life.

import type { Fleet } from '../model/fleet.ts'
import { QUALITIES, type Quality } from '../model/quality.ts'
import type { ReadingColumns } from '../model/readings.ts'

export interface LatestValue {
  readonly metric: string
  /** Null with quality sensorFault. */
  readonly value: number | null
  /** Epoch ms on the device's time line. */
  readonly at: number
  readonly quality: Quality
}

export interface LatestSnapshot {
  /** Per device its id and its metrics, in the order of the arrays. */
  readonly devices: readonly string[]
  readonly metrics: readonly (readonly string[])[]
  /** Epoch ms; NaN where a device never reported. */
  readonly receivedAt: Float64Array
  /** Epoch ms; NaN where a series never had a value. */
  readonly at: Float64Array
  readonly value: Float64Array
  readonly quality: Uint8Array
}

export class Latest {
  readonly #fleet: Fleet
  readonly #receivedAt: Float64Array
  readonly #at: Float64Array
  readonly #value: Float64Array
  readonly #quality: Uint8Array
  #reportedCount = 0

  constructor(fleet: Fleet) {
    this.#fleet = fleet
    this.#receivedAt = new Float64Array(fleet.devices.length).fill(Number.NaN)
    this.#at = new Float64Array(fleet.seriesCount).fill(Number.NaN)
    this.#value = new Float64Array(fleet.seriesCount).fill(Number.NaN)
    this.#quality = new Uint8Array(fleet.seriesCount)
  }

  /** What the snapshot knew of the devices and metrics that are in the fleet. */
  static restore(fleet: Fleet, snapshot: LatestSnapshot): Latest {
    const latest = new Latest(fleet)
    let from = 0
    for (const [i, id] of snapshot.devices.entries()) {
      const metrics = snapshot.metrics[i] as readonly string[]
      const device = fleet.deviceNumber.get(id)
      if (device !== undefined) latest.#takeOver(snapshot, i, from, metrics, device)
      from += metrics.length
    }
    return latest
  }

  /** The same for another fleet; what is no longer there is forgotten. */
  under(fleet: Fleet): Latest {
    return Latest.restore(fleet, this.snapshot())
  }

  /** Devices that have ever reported. */
  get reportedCount(): number {
    return this.#reportedCount
  }

  /** Takes rows `from` up to `to`, received at `receivedAt`. */
  note(columns: ReadingColumns, from: number, to: number, receivedAt: number): void {
    for (let row = from; row < to; row++) {
      if (columns.head[row] === 1) this.#noteReceipt(columns.device[row] as number, receivedAt)
      const series = columns.series[row] as number
      if (series < 0 || columns.judged[row] === 0) continue
      this.#at[series] = columns.at[row] as number
      this.#value[series] = columns.value[row] as number
      this.#quality[series] = columns.quality[row] as number
    }
  }

  /** The last receipt from a device, epoch ms; null where it never reported. */
  receivedAt(device: number): number | null {
    const receivedAt = this.#receivedAt[device] ?? Number.NaN
    return Number.isNaN(receivedAt) ? null : receivedAt
  }

  /** The device's last receipt and the last values of its metrics; metrics that never had one are left out. */
  of(device: number): { receivedAt: number | null; values: LatestValue[] } {
    const values: LatestValue[] = []
    const first = this.#fleet.firstSeries[device] ?? 0
    for (const [place, { id }] of (this.#fleet.profiles[device]?.metrics ?? []).entries()) {
      const at = this.#at[first + place] as number
      if (Number.isNaN(at)) continue
      const value = this.#value[first + place] as number
      const quality = QUALITIES[this.#quality[first + place] as number] as Quality
      values.push({ metric: id, value: Number.isNaN(value) ? null : value, at, quality })
    }
    return { receivedAt: this.receivedAt(device), values }
  }

  /** A copy; goes through v8.serialize. */
  snapshot(): LatestSnapshot {
    const metricsOf = new Map(this.#fleet.plant.profiles.map(({ id, metrics }) => [id, metrics.map((metric) => metric.id)]))
    return {
      devices: this.#fleet.devices.map(({ id }) => id),
      // One list per profile, shared: serialised once.
      metrics: this.#fleet.devices.map(({ profile }) => metricsOf.get(profile) ?? []),
      receivedAt: this.#receivedAt.slice(),
      at: this.#at.slice(),
      value: this.#value.slice(),
      quality: this.#quality.slice()
    }
  }

  #noteReceipt(device: number, receivedAt: number): void {
    if (Number.isNaN(this.#receivedAt[device])) this.#reportedCount++
    this.#receivedAt[device] = receivedAt
  }

  #takeOver(snapshot: LatestSnapshot, index: number, from: number, metrics: readonly string[], device: number): void {
    const receivedAt = snapshot.receivedAt[index] as number
    if (!Number.isNaN(receivedAt)) this.#noteReceipt(device, receivedAt)
    const first = this.#fleet.firstSeries[device] as number
    const places = this.#fleet.metricPlace.get(this.#fleet.devices[device]?.profile ?? '')
    for (const [i, metric] of metrics.entries()) {
      const place = places?.get(metric)
      if (place === undefined) continue
      this.#at[first + place] = snapshot.at[from + i] as number
      this.#value[first + place] = snapshot.value[from + i] as number
      this.#quality[first + place] = snapshot.quality[from + i] as number
    }
  }
}
