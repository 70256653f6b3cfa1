// What is known of each device: its line, its last receipt, and the value each series holds. Flat arrays by number.
// Invariant: `valueAt` of a series is never after `lastAt` of its device.

import type { Fleet } from '../model/fleet.ts'
import { CLOCK_SKEWED, GOOD, OUT_OF_RANGE } from '../model/quality.ts'
import { Ring } from './windows.ts'

/** Nothing is held: never reported, or its gateway went offline since. */
export const NONE = 0
export const HELD = 1
/** The device calls the value bad. */
export const BAD = 2
/** The value lies outside the metric's range. */
export const OUTSIDE = 3

/** What is known of a device's clock. */
export const CLOCK_UNKNOWN = 0
export const CLOCK_RIGHT = 1
export const CLOCK_WRONG = 2

/** Which series need more than their last value. */
export interface Needs {
  /** Longest window per series, 0 for none; null where no rule looks back. */
  readonly windowMs: Float64Array | null
  readonly stuck: boolean
  readonly clock: boolean
}

export class Held {
  readonly fleet: Fleet
  readonly firstSeries: Int32Array
  /** Instant of the last judged reading on the device's line; -Infinity before the first. */
  readonly lastAt: Float64Array
  /** Our clock minus the device's line. */
  readonly offset: Float64Array
  /** Our clock at the last sign of life; NaN before the first. */
  readonly lastReceipt: Float64Array
  /** NaN unless the series' state is HELD. */
  readonly value: Float64Array
  readonly valueAt: Float64Array
  readonly state: Uint8Array
  /** The last good value and since when it has not changed; null where no rule asks. */
  readonly steadyValue: Float64Array | null
  readonly steadySince: Float64Array | null
  /** Per device, whether the time stamp of its last judged sample was believed; null where no rule asks. */
  readonly clock: Uint8Array | null
  /** The ring of each series, where a rule looks back. */
  readonly rings: ReadonlyMap<number, Ring>
  readonly #ringed: Uint8Array | null
  #devicesOfGateway: readonly Int32Array[] | null = null

  constructor(fleet: Fleet, needs: Needs) {
    const devices = fleet.devices.length
    const series = fleet.seriesCount
    this.fleet = fleet
    this.firstSeries = fleet.firstSeries
    this.lastAt = new Float64Array(devices).fill(Number.NEGATIVE_INFINITY)
    this.offset = new Float64Array(devices)
    this.lastReceipt = new Float64Array(devices).fill(Number.NaN)
    this.value = new Float64Array(series).fill(Number.NaN)
    this.valueAt = new Float64Array(series).fill(Number.NEGATIVE_INFINITY)
    this.state = new Uint8Array(series)
    this.steadyValue = needs.stuck ? new Float64Array(series).fill(Number.NaN) : null
    this.steadySince = needs.stuck ? new Float64Array(series) : null
    this.clock = needs.clock ? new Uint8Array(devices) : null
    const rings = new Map<number, Ring>()
    this.#ringed = needs.windowMs === null ? null : new Uint8Array(series)
    for (let i = 0; needs.windowMs !== null && i < series; i++) {
      const windowMs = needs.windowMs[i] as number
      if (windowMs === 0) continue
      rings.set(i, new Ring(windowMs))
      ;(this.#ringed as Uint8Array)[i] = 1
    }
    this.rings = rings
  }

  /** Takes one value of a sample at `at`. */
  take(series: number, at: number, value: number, quality: number): void {
    const good = (quality === GOOD || quality === CLOCK_SKEWED) && !Number.isNaN(value)
    this.value[series] = good ? value : Number.NaN
    this.valueAt[series] = at
    this.state[series] = good ? HELD : quality === OUT_OF_RANGE ? OUTSIDE : BAD
    if (this.#ringed !== null && this.#ringed[series] === 1) (this.rings.get(series) as Ring).push(at, good ? value : Number.NaN)
    if (this.steadyValue !== null && good && this.steadyValue[series] !== value) {
      this.steadyValue[series] = value
      ;(this.steadySince as Float64Array)[series] = at
    }
  }

  /** Nothing that the gateway's devices last said is known any more; answers these devices. */
  forget(gateway: number): Int32Array {
    const devices = this.#ofGateway(gateway)
    for (const device of devices) {
      if (this.clock !== null) this.clock[device] = CLOCK_UNKNOWN
      for (let series = this.firstSeries[device] as number; series < (this.firstSeries[device + 1] as number); series++) {
        this.value[series] = Number.NaN
        this.valueAt[series] = Number.NEGATIVE_INFINITY
        this.state[series] = NONE
      }
    }
    return devices
  }

  #ofGateway(gateway: number): Int32Array {
    if (this.#devicesOfGateway === null) {
      const lists: number[][] = this.fleet.plant.gateways.map(() => [])
      this.fleet.gatewayOf.forEach((of, device) => void (of >= 0 && (lists[of] as number[]).push(device)))
      this.#devicesOfGateway = lists.map((list) => Int32Array.from(list))
    }
    return this.#devicesOfGateway[gateway] as Int32Array
  }
}
