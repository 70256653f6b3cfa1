// The recent samples of one series, for the functions that look back. A ring holds every sample of the window and the
// one before it (the value held when the window began). NaN stands for a faulty sample.

import { LIMITS } from '../platform/limits.ts'

const START = 16

/** Samples in time order, bounded; what leaves the window is forgotten as new samples come. */
export class Ring {
  readonly windowMs: number
  readonly #bound: number
  #at = new Float64Array(START)
  #value = new Float64Array(START)
  #head = 0
  #count = 0

  /** `bound`: samples kept at most, a power of two; denser ones are thinned to an even spacing. */
  constructor(windowMs: number, bound: number = LIMITS.rules.samplesPerWindow) {
    this.windowMs = windowMs
    this.#bound = bound
  }

  get count(): number {
    return this.#count
  }

  /** The instant of the i-th oldest sample. */
  at(i: number): number {
    return this.#at[(this.#head + i) & (this.#at.length - 1)] as number
  }

  value(i: number): number {
    return this.#value[(this.#head + i) & (this.#at.length - 1)] as number
  }

  /** Adds a sample; `at` is never before the last one's. */
  push(at: number, value: number): void {
    const from = at - this.windowMs
    while (this.#count > 1 && this.at(1) <= from) {
      this.#head = (this.#head + 1) & (this.#at.length - 1)
      this.#count--
    }
    if (this.#count === this.#at.length) {
      if (this.#count < this.#bound) this.#resize(this.#count * 2)
      else this.#thin()
    }
    const slot = (this.#head + this.#count) & (this.#at.length - 1)
    this.#at[slot] = at
    this.#value[slot] = value
    this.#count++
  }

  /** How many samples lie at or before `at`. */
  countUpTo(at: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.at(middle) <= at) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The value held at `at`, at most `holdMs` after its sample; NaN where there is none. */
  heldAt(at: number, holdMs: number): number {
    const index = this.countUpTo(at) - 1
    return index < 0 || at - this.at(index) > holdMs ? Number.NaN : this.value(index)
  }

  #resize(capacity: number): void {
    const [at, value] = [new Float64Array(capacity), new Float64Array(capacity)]
    for (let i = 0; i < this.#count; i++) {
      at[i] = this.at(i)
      value[i] = this.value(i)
    }
    this.#at = at
    this.#value = value
    this.#head = 0
  }

  /** Keeps samples that are further apart than the window divided by half the bound: at most half of them. */
  #thin(): void {
    const spacing = this.windowMs / (this.#bound / 2 - 2)
    let kept = 1
    for (let i = 1; i < this.#count; i++) {
      if (this.at(i) - this.at(kept - 1) < spacing) continue
      const [at, value] = [this.at(i), this.value(i)]
      const slot = (this.#head + kept) & (this.#at.length - 1)
      this.#at[slot] = at
      this.#value[slot] = value
      kept++
    }
    this.#count = kept
  }
}

/** The mean of the good samples in (from, to]; NaN without any. */
export function average(ring: Ring, from: number, to: number): number {
  let sum = 0
  let count = 0
  for (let i = ring.countUpTo(from); i < ring.count && ring.at(i) <= to; i++) {
    const value = ring.value(i)
    if (Number.isNaN(value)) continue
    sum += value
    count++
  }
  return sum / count
}

/** The least (sign 1) or greatest (sign -1) good sample in (from, to]; NaN without any. */
export function extreme(ring: Ring, from: number, to: number, sign: 1 | -1): number {
  let found = Number.NaN
  for (let i = ring.countUpTo(from); i < ring.count && ring.at(i) <= to; i++) {
    const value = ring.value(i)
    if (!Number.isNaN(value) && !(value * sign >= found * sign)) found = value
  }
  return found
}

/**
 * Minutes from `to` until the least-squares line through the good samples in (from, to] reaches `target`; Infinity where
 * it leads away from it or is level; NaN (unknown) with fewer than two instants.
 */
export function minutesTo(ring: Ring, from: number, to: number, target: number): number {
  if (Number.isNaN(target)) return Number.NaN
  let count = 0
  let meanT = 0
  let meanV = 0
  const first = ring.countUpTo(from)
  for (let i = first; i < ring.count && ring.at(i) <= to; i++) {
    if (Number.isNaN(ring.value(i))) continue
    count++
    meanT += (ring.at(i) - to - meanT) / count
    meanV += (ring.value(i) - meanV) / count
  }
  let squares = 0
  let products = 0
  for (let i = first; i < ring.count && ring.at(i) <= to; i++) {
    if (Number.isNaN(ring.value(i))) continue
    const distance = ring.at(i) - to - meanT
    squares += distance * distance
    products += distance * (ring.value(i) - meanV)
  }
  if (count < 2 || squares === 0) return Number.NaN
  const slope = products / squares
  const now = meanV - slope * meanT
  if (now === target) return 0
  const minutes = (target - now) / slope / 60_000
  return minutes > 0 && Number.isFinite(minutes) ? minutes : Number.POSITIVE_INFINITY
}
