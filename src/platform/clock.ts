// The only home of Date.now, performance.now and timers. Pure code takes `at`; parts hold a Clock.
// Invariant: `now()` never goes back, and timers run on the monotonic clock, so a stepped wall clock freezes nothing.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Epoch ms, whole; never smaller than the last answer. */
  now(): number
  /** How far `now()` is ahead of the wall clock, which was set back; null or missing: it is not. */
  readonly ahead?: Ahead | null
  /** Milliseconds of the monotonic clock, with fractions: for measuring durations only. */
  monotonic(): number
  /** Calls `act` once after `ms`. A pending timer does not keep the process alive. */
  after(ms: number, act: () => void): Timer
  /** Calls `act` every `ms` until cancelled. */
  every(ms: number, act: () => void): Timer
}

/** The wall clock was set back, and has not caught up yet. */
export interface Ahead {
  readonly ms: number
  /** When that was noticed, by the wall clock, epoch ms. */
  readonly since: number
}

const DAY_MS = 86_400_000

/** Keeps the process alive until it is cancelled: for a command that has nothing but time to wait for. */
export function awake(): Timer {
  const timer = setInterval(() => {}, DAY_MS)
  return { cancel: () => clearInterval(timer) }
}

/** Resolves after `ms` of the clock. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}

/**
 * The system's clock. Where the wall clock is stepped back, `now()` goes on at half speed from where it was until the
 * wall clock has caught up: instants stay ordered and delays still run out.
 */
export class SystemClock implements Clock {
  readonly #wall: () => number
  readonly #monotonic: () => number
  #last = 0
  #lastMonotonic = 0
  #aheadSince: number | null = null

  constructor(wall: () => number = Date.now, monotonic: () => number = () => performance.now()) {
    this.#wall = wall
    this.#monotonic = monotonic
  }

  now(): number {
    const wall = this.#wall()
    const elapsed = this.#monotonic()
    this.#last = wall >= this.#last ? wall : this.#last + Math.max(0, elapsed - this.#lastMonotonic) / 2
    this.#lastMonotonic = elapsed
    this.#aheadSince = wall >= this.#last ? null : (this.#aheadSince ?? wall)
    return Math.floor(this.#last)
  }

  get ahead(): Ahead | null {
    const now = this.now()
    return this.#aheadSince === null ? null : { ms: now - this.#wall(), since: this.#aheadSince }
  }

  monotonic(): number {
    return this.#monotonic()
  }

  after(ms: number, act: () => void): Timer {
    const timer = setTimeout(act, ms)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  }

  every(ms: number, act: () => void): Timer {
    const timer = setInterval(act, ms)
    timer.unref()
    return { cancel: () => clearInterval(timer) }
  }
}

interface Pending {
  readonly due: number
  readonly order: number
  readonly act: () => void
}

/** A clock that stands still until it is told to move: for tests, scenarios and simulation. */
export class ManualClock implements Clock {
  #now: number
  #order = 0
  #pending: Pending[] = []

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  after(ms: number, act: () => void): Timer {
    const entry = { due: this.#now + ms, order: this.#order++, act }
    this.#pending.push(entry)
    return { cancel: () => void (this.#pending = this.#pending.filter((other) => other !== entry)) }
  }

  every(ms: number, act: () => void): Timer {
    let timer: Timer
    const again = (): void => {
      timer = this.after(ms, again)
      act()
    }
    timer = this.after(ms, again)
    return { cancel: () => timer.cancel() }
  }

  /** Moves to `to`, calling every timer due on the way at its own instant. */
  moveTo(to: number): void {
    for (;;) {
      const due = this.#pending.filter((entry) => entry.due <= to).sort((a, b) => a.due - b.due || a.order - b.order)[0]
      if (due === undefined) break
      this.#pending = this.#pending.filter((entry) => entry !== due)
      this.#now = Math.max(this.#now, due.due)
      due.act()
    }
    this.#now = Math.max(this.#now, to)
  }
}
