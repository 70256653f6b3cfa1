// Who has to wait before the next password is tried. In memory and bounded; an attempt counts as failed from its beginning
// until it has succeeded, so that many attempts at once win nothing.

import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'

interface Failures {
  count: number
  lastAt: number
  lockedUntil: number
}

export class Lockout {
  readonly #clock: Clock
  /** The most recently used last. */
  readonly #failures = new Map<string, Failures>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How long this user must wait at this address, ms; 0: an attempt may be made now. */
  waitMs(user: string, address: string): number {
    const now = this.#clock.now()
    const until = keysOf(user, address).map(([key]) => this.#failures.get(key)?.lockedUntil ?? 0)
    return Math.max(0, ...until.map((instant) => instant - now))
  }

  /** An attempt begins. True where, should it fail, the user or the address is locked out by it. */
  attempt(user: string, address: string): boolean {
    const { lockMs, longestLockMs, failureMemoryMs } = LIMITS.access
    const now = this.#clock.now()
    let locks = false
    for (const [key, most] of keysOf(user, address)) {
      const before = this.#failures.get(key)
      const fresh = before === undefined || now - before.lastAt > failureMemoryMs + longestLockMs
      const count = fresh ? 1 : before.count + 1
      const over = count - most
      const lockedUntil = over < 0 ? 0 : now + Math.min(longestLockMs, lockMs * 2 ** Math.min(over, 20))
      locks ||= over >= 0
      this.#remember(key, { count, lastAt: now, lockedUntil })
    }
    return locks
  }

  /** The attempt was not made after all. */
  takeBack(user: string, address: string): void {
    for (const [key, most] of keysOf(user, address)) {
      const entry = this.#failures.get(key)
      if (entry === undefined) continue
      entry.count -= 1
      if (entry.count < most) entry.lockedUntil = 0
    }
  }

  /** The password was right. What the address has failed with other users stays counted. */
  succeeded(user: string, address: string): void {
    this.takeBack(user, address)
    this.#failures.delete(userKey(user, address))
  }

  #remember(key: string, failures: Failures): void {
    this.#failures.delete(key)
    this.#failures.set(key, failures)
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= LIMITS.access.failureEntries) break
      this.#failures.delete(oldest)
    }
  }
}

function keysOf(user: string, address: string): readonly (readonly [string, number])[] {
  return [
    [userKey(user, address), LIMITS.access.failuresPerUser],
    [network(address), LIMITS.access.failuresPerAddress]
  ]
}

function userKey(user: string, address: string): string {
  return `${network(address)} ${user}`
}

/** One IPv4 address, or the /64 of an IPv6 address: whoever has one has them all. */
export function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1] as string
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('%')[0]?.toLowerCase().split('::') ?? []
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length)
  const groups = [...front, ...Array.from({ length: zeros }, () => '0'), ...back]
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
