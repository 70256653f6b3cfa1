// Chance comes from here alone, and only seeded; secrets come from `secretText`.

import { randomBytes } from 'node:crypto'

/** A reproducible source of chance (mulberry32): equal seeds give equal sequences. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number in [low, high]. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  /** A normally distributed number (Box–Muller) with mean 0 and standard deviation 1. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
  }

  pick<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)] as T
  }

  /** An independent source, reproducible from this one's seed and the name. */
  fork(name: string): Random {
    let hash = this.#state ^ 0x811c9dc5
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
    return new Random(hash)
  }
}

/** An unguessable text of `bytes` bytes of the system's randomness, base64url. */
export function secretText(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}
