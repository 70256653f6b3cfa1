// From samples to readings: each gets its instant and one quality (contract 3). Knows per device the instant of its last judged
// reading and what it said at that instant. Pure: the receipt is an argument; equal inputs give equal readings.

import type { Fleet } from '../model/fleet.ts'
import { CLOCK_SKEWED, GOOD, LATE, OUT_OF_RANGE, SENSOR_FAULT } from '../model/quality.ts'
import type { ReadingColumns } from '../model/readings.ts'
import type { Samples } from './decoders/samples.ts'

const YEAR_2000 = Date.UTC(2000, 0, 1)
/** The last judged samples of a device, recognised when a gateway that missed an acknowledgement sends them again. */
const REMEMBERED = 16

/** Since the process began. */
export interface QualifyCounts {
  /** Readings passed on: values, whatever their quality. */
  readings: number
  /** Readings of exact repeats, ignored. */
  duplicates: number
  late: number
  clockSkewed: number
  outOfRange: number
  sensorFault: number
}

export interface TimeLinesSnapshot {
  readonly devices: readonly string[]
  /** Epoch ms; -Infinity where a device was never judged. */
  readonly lastAt: Float64Array
  readonly seen: Uint32Array
  readonly seenCount: Uint8Array
}

export class Qualifier {
  readonly counts: QualifyCounts = { readings: 0, duplicates: 0, late: 0, clockSkewed: 0, outOfRange: 0, sensorFault: 0 }
  readonly #fleet: Fleet
  readonly #clockSkewMs: number
  readonly #min: Float64Array
  readonly #max: Float64Array
  /** Of the metric's id, so that what was seen is recognised under another numbering too. */
  readonly #nameHash: Int32Array
  readonly #lastAt: Float64Array
  /** REMEMBERED hashes per device, of the last samples that were judged, in a ring. */
  readonly #seen: Uint32Array
  readonly #seenCount: Uint8Array
  readonly #bits = new Float64Array(1)
  readonly #words = new Uint32Array(this.#bits.buffer)

  /** `clockSkewMs`: a time stamp further ahead of its receipt is not believed. */
  constructor(fleet: Fleet, clockSkewMs: number) {
    this.#fleet = fleet
    this.#clockSkewMs = clockSkewMs
    this.#min = new Float64Array(fleet.seriesCount)
    this.#max = new Float64Array(fleet.seriesCount)
    this.#nameHash = new Int32Array(fleet.seriesCount)
    for (let device = 0; device < fleet.devices.length; device++) {
      const first = fleet.firstSeries[device] as number
      for (const [place, { id, min, max }] of (fleet.profiles[device]?.metrics ?? []).entries()) {
        this.#min[first + place] = min
        this.#max[first + place] = max
        this.#nameHash[first + place] = hashOf(id)
      }
    }
    this.#lastAt = new Float64Array(fleet.devices.length).fill(Number.NEGATIVE_INFINITY)
    this.#seen = new Uint32Array(fleet.devices.length * REMEMBERED)
    this.#seenCount = new Uint8Array(fleet.devices.length)
  }

  /** Appends the readings of the samples, received at `receivedAt`, to `into`. */
  qualify(samples: Samples, receivedAt: number, into: ReadingColumns): void {
    for (let sample = 0; sample < samples.count; sample++) this.#qualifySample(samples, sample, receivedAt, into)
  }

  snapshot(): TimeLinesSnapshot {
    return {
      devices: this.#fleet.devices.map(({ id }) => id),
      lastAt: this.#lastAt.slice(),
      seen: this.#seen.slice(),
      seenCount: this.#seenCount.slice()
    }
  }

  /** Takes over what the snapshot knows of the devices that are still there. */
  restore({ devices, lastAt, seen, seenCount }: TimeLinesSnapshot): void {
    for (const [from, id] of devices.entries()) {
      const to = this.#fleet.deviceNumber.get(id)
      if (to === undefined) continue
      this.#lastAt[to] = lastAt[from] as number
      this.#seenCount[to] = seenCount[from] as number
      this.#seen.set(seen.subarray(from * REMEMBERED, (from + 1) * REMEMBERED), to * REMEMBERED)
    }
  }

  #qualifySample(samples: Samples, sample: number, receivedAt: number, into: ReadingColumns): void {
    const device = samples.device[sample] as number
    const from = samples.firstRow[sample] as number
    const to = samples.firstRow[sample + 1] as number
    const ts = samples.ts[sample] as number
    const lastAt = this.#lastAt[device] as number
    // Not a number compares as false: no time stamp is not believed either.
    const isBelieved = ts >= YEAR_2000 && ts <= receivedAt + this.#clockSkewMs
    const at = isBelieved ? ts : receivedAt
    const isLate = at < lastAt
    const hash = this.#hash(samples, from, to, at)
    if (at <= lastAt && this.#isKnown(device, hash)) {
      this.counts.duplicates += to - from
      return
    }
    // A late sample is not remembered: an old batch sent again must not push out what the newest repeats are known by.
    if (!isLate) {
      this.#remember(device, hash)
      this.#lastAt[device] = at
    }
    const quality = isBelieved ? (isLate ? LATE : GOOD) : CLOCK_SKEWED
    // A device without a clock is not wrong about the time.
    const judged = isLate ? 0 : isBelieved || Number.isNaN(ts) ? 1 : 2
    if (from === to) into.push(device, -1, at, Number.NaN, quality, 1, judged)
    for (let row = from; row < to; row++) {
      const series = samples.series[row] as number
      const value = samples.value[row] as number
      const own = this.#qualityOf(series, value, quality)
      into.push(device, series, at, value, own, row === from ? 1 : 0, judged)
      this.#count(own)
    }
  }

  #qualityOf(series: number, value: number, otherwise: number): number {
    if (Number.isNaN(value)) return SENSOR_FAULT
    return value < (this.#min[series] as number) || value > (this.#max[series] as number) ? OUT_OF_RANGE : otherwise
  }

  #count(quality: number): void {
    const { counts } = this
    counts.readings++
    if (quality === GOOD) return
    if (quality === LATE) counts.late++
    else if (quality === CLOCK_SKEWED) counts.clockSkewed++
    else if (quality === OUT_OF_RANGE) counts.outOfRange++
    else counts.sensorFault++
  }

  #isKnown(device: number, hash: number): boolean {
    const first = device * REMEMBERED
    const end = first + Math.min(this.#seenCount[device] as number, REMEMBERED)
    for (let i = first; i < end; i++) if (this.#seen[i] === hash) return true
    return false
  }

  #remember(device: number, hash: number): void {
    let count = this.#seenCount[device] as number
    this.#seen[device * REMEMBERED + (count % REMEMBERED)] = hash
    // Beyond what is remembered, the oldest is overwritten; the count goes round without falling back to fewer than all.
    if (++count === 2 * REMEMBERED) count = REMEMBERED
    this.#seenCount[device] = count
  }

  /** Of the instant and the values of a sample, whatever their order. */
  #hash(samples: Samples, from: number, to: number, at: number): number {
    this.#bits[0] = at
    const low = this.#words[0] as number
    // Different instants of one size come to different numbers: equal values at other times are no repeat.
    let sum = (Math.imul(low ^ (low >>> 16), 0x9e3779b1) + (this.#words[1] as number) + to - from) >>> 0
    for (let row = from; row < to; row++) {
      this.#bits[0] = samples.value[row] as number
      let h = (this.#nameHash[samples.series[row] as number] as number) ^ (this.#words[0] as number)
      h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) ^ (this.#words[1] as number)
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
      sum = (sum + (h ^ (h >>> 16))) >>> 0
    }
    return sum
  }
}

function hashOf(name: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return Math.imul(hash ^ (hash >>> 15), 0x9e3779b1)
}
