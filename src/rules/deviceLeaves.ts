// What a device's memory answers to a condition: held values, limits, windows, silence. One set per profile; the limits
// are looked up per device. A value is held for `silentAfter` after its sample, to the very millisecond, and then unknown.

import type { Profile } from '../model/plant.ts'
import { CLOCK_RIGHT, CLOCK_WRONG, HELD, type Held, NONE, OUTSIDE } from './held.ts'
import type { LimitRows } from './limitRows.ts'
import type { ComparisonNode, ComparisonOperator, FactNode, NumberNode, TruthNode } from './tree.ts'
import { type Leaves, NO, type NumberOf, type TruthOf, UNKNOWN, YES } from './truth.ts'
import { average, extreme, minutesTo, type Ring } from './windows.ts'

type WindowNode = Extract<NumberNode, { kind: 'window' }>

export class DeviceLeaves implements Leaves {
  readonly #held: Held
  readonly #limits: LimitRows
  readonly #profile: Profile
  readonly #placeOf: ReadonlyMap<string, number>
  readonly #limitPlaceOf: ReadonlyMap<string, number>

  constructor(held: Held, limits: LimitRows, profile: Profile) {
    this.#held = held
    this.#limits = limits
    this.#profile = profile
    this.#placeOf = held.fleet.metricPlace.get(profile.id) ?? new Map()
    this.#limitPlaceOf = limits.places.get(profile.id) ?? new Map()
  }

  metric(name: string): NumberOf {
    const { value, valueAt, firstSeries } = this.#held
    const place = this.#place(name)
    const holdMs = this.#profile.silentAfterMs
    return (device, at) => {
      const series = (firstSeries[device] as number) + place
      return at - (valueAt[series] as number) <= holdMs ? (value[series] as number) : Number.NaN
    }
  }

  limit(name: string): NumberOf {
    const { rowOf, table } = this.#limits
    const place = this.#limitPlaceOf.get(name)
    if (place === undefined) return () => Number.NaN
    return (device) => table[(rowOf[device] as number) + place] as number
  }

  threshold(node: ComparisonNode): TruthOf | null {
    if (node.left.kind !== 'metric') return null
    const { value, valueAt, firstSeries } = this.#held
    const place = this.#place(node.left.name)
    const holdMs = this.#profile.silentAfterMs
    const values: Values = { value, valueAt, firstSeries, place, holdMs }
    if (node.right.kind === 'number') return fixedThreshold(node.operator, node.right.value, values)
    const limitPlace = node.right.kind === 'limit' ? this.#limitPlaceOf.get(node.right.name) : undefined
    return limitPlace === undefined ? null : limitThreshold(node.operator, limitPlace, this.#limits, values)
  }

  window(node: WindowNode, target: NumberOf): NumberOf {
    const { firstSeries, valueAt, state, value, rings, lastAt } = this.#held
    const place = this.#place(node.metric.name)
    const holdMs = this.#profile.silentAfterMs
    const { windowMs } = node
    const known = (series: number, at: number): boolean => state[series] === HELD && at - (valueAt[series] as number) <= holdMs
    const ringOf = (series: number): Ring => rings.get(series) as Ring
    switch (node.name) {
      case 'delta':
      case 'rate': {
        const divisor = node.name === 'delta' ? 1 : windowMs / 60_000
        return (device, at) => {
          const series = (firstSeries[device] as number) + place
          if (!known(series, at)) return Number.NaN
          return ((value[series] as number) - ringOf(series).heldAt(at - windowMs, holdMs)) / divisor
        }
      }
      case 'avg':
      case 'min':
      case 'max': {
        const fold = node.name === 'avg' ? average : node.name === 'min' ? least : greatest
        return (device, at) => {
          const series = (firstSeries[device] as number) + place
          if (!known(series, at)) return Number.NaN
          const reported = lastAt[device] as number
          return fold(ringOf(series), reported - windowMs, reported)
        }
      }
      case 'timeTo':
        return (device, at, clock) => {
          const series = (firstSeries[device] as number) + place
          if (!known(series, at)) return Number.NaN
          const reported = lastAt[device] as number
          return minutesTo(ringOf(series), reported - windowMs, reported, target(device, at, clock))
        }
    }
  }

  truth(node: FactNode): TruthOf {
    const { firstSeries, valueAt, state, lastReceipt } = this.#held
    const holdMs = this.#profile.silentAfterMs
    switch (node.kind) {
      case 'faulty': {
        const place = this.#place(node.metric.name)
        return (device, at) => {
          const series = (firstSeries[device] as number) + place
          if (!(at - (valueAt[series] as number) <= holdMs)) return UNKNOWN
          return state[series] === NONE ? UNKNOWN : state[series] === HELD ? NO : YES
        }
      }
      case 'outOfRange': {
        const place = this.#place(node.metric.name)
        return (device, at) => {
          const series = (firstSeries[device] as number) + place
          if (!(at - (valueAt[series] as number) <= holdMs) || state[series] === NONE) return UNKNOWN
          return state[series] === OUTSIDE ? YES : NO
        }
      }
      case 'clockWrong': {
        const { lastAt } = this.#held
        const clock = this.#held.clock as Uint8Array
        return (device, at) => {
          if (!(at - (lastAt[device] as number) <= holdMs)) return UNKNOWN
          return clock[device] === CLOCK_WRONG ? YES : clock[device] === CLOCK_RIGHT ? NO : UNKNOWN
        }
      }
      case 'stuck': {
        const place = this.#place(node.metric.name)
        const windowMs = stuckWindow(node, this.#profile)
        const since = this.#held.steadySince as Float64Array
        return (device, at) => {
          const series = (firstSeries[device] as number) + place
          if (state[series] !== HELD || !(at - (valueAt[series] as number) <= holdMs)) return UNKNOWN
          return at - (since[series] as number) >= windowMs ? YES : NO
        }
      }
      case 'silent': {
        const { windowMs } = node
        return (device, _at, clock) => {
          const received = lastReceipt[device] as number
          return Number.isNaN(received) ? UNKNOWN : clock - received >= windowMs ? YES : NO
        }
      }
      case 'voted':
        return () => UNKNOWN
    }
  }

  #place(name: string): number {
    const place = this.#placeOf.get(name)
    if (place === undefined) throw new Error(`profile ${this.#profile.id} has no metric ${name}`)
    return place
  }
}

/** The window of a `stuck`: its own, or the metric's `stuckAfter`. */
export function stuckWindow(node: Extract<TruthNode, { kind: 'stuck' }>, profile: Profile): number {
  const metric = profile.metrics.find(({ id }) => id === node.metric.name)
  return node.windowMs ?? metric?.stuckAfterMs ?? Number.POSITIVE_INFINITY
}

const least = (ring: Ring, from: number, to: number): number => extreme(ring, from, to, 1)
const greatest = (ring: Ring, from: number, to: number): number => extreme(ring, from, to, -1)

interface Values {
  readonly value: Float64Array
  readonly valueAt: Float64Array
  readonly firstSeries: Int32Array
  readonly place: number
  readonly holdMs: number
}

/** `metric op number`, the shape of most rules: one call, no call inside it. */
function fixedThreshold(operator: ComparisonOperator, limit: number, values: Values): TruthOf | null {
  const { value, valueAt, firstSeries, place, holdMs } = values
  const held = (device: number, at: number): number => {
    const series = (firstSeries[device] as number) + place
    return at - (valueAt[series] as number) <= holdMs ? (value[series] as number) : Number.NaN
  }
  switch (operator) {
    case '>':
      return (device, at) => {
        const now = held(device, at)
        return now > limit ? YES : now <= limit ? NO : UNKNOWN
      }
    case '>=':
      return (device, at) => {
        const now = held(device, at)
        return now >= limit ? YES : now < limit ? NO : UNKNOWN
      }
    case '<':
      return (device, at) => {
        const now = held(device, at)
        return now < limit ? YES : now >= limit ? NO : UNKNOWN
      }
    case '<=':
      return (device, at) => {
        const now = held(device, at)
        return now <= limit ? YES : now > limit ? NO : UNKNOWN
      }
    case '==':
    case '!=':
      return null
  }
}

/** `metric op limits.name`: the same with the device's own limit. */
function limitThreshold(operator: ComparisonOperator, limitPlace: number, limits: LimitRows, values: Values): TruthOf | null {
  const { value, valueAt, firstSeries, place, holdMs } = values
  const { rowOf, table } = limits
  const held = (device: number, at: number): number => {
    const series = (firstSeries[device] as number) + place
    return at - (valueAt[series] as number) <= holdMs ? (value[series] as number) : Number.NaN
  }
  switch (operator) {
    case '>':
      return (device, at) => {
        const now = held(device, at)
        const limit = table[(rowOf[device] as number) + limitPlace] as number
        return now > limit ? YES : now <= limit ? NO : UNKNOWN
      }
    case '>=':
      return (device, at) => {
        const now = held(device, at)
        const limit = table[(rowOf[device] as number) + limitPlace] as number
        return now >= limit ? YES : now < limit ? NO : UNKNOWN
      }
    case '<':
      return (device, at) => {
        const now = held(device, at)
        const limit = table[(rowOf[device] as number) + limitPlace] as number
        return now < limit ? YES : now >= limit ? NO : UNKNOWN
      }
    case '<=':
      return (device, at) => {
        const now = held(device, at)
        const limit = table[(rowOf[device] as number) + limitPlace] as number
        return now <= limit ? YES : now > limit ? NO : UNKNOWN
      }
    case '==':
    case '!=':
      return null
  }
}
