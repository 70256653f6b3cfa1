// Alarm floods (ISA-18.2): one begins when more than ten alarms were announced within ten minutes and ends when fewer than
// five were. Pure: the window slides continuously, so the answer does not depend on when anybody looks.

export const FLOOD_WINDOW_MS = 600_000
/** More announcements than this within the window begin a flood. */
export const FLOOD_ABOVE = 10
/** Fewer than this end it. */
export const FLOOD_BELOW = 5

export interface FloodState {
  /** The newest announcements, as many as decide. */
  readonly instants: readonly number[]
  readonly since: number | null
  readonly count: number
}

/** The one arithmetic of floods. The window at `t` is `(t - 10 min, t]`; what is announced at an instant acts before what leaves it. */
export class FloodWindow {
  #instants: number[]
  #since: number | null
  #count: number

  constructor({ instants, since, count }: FloodState = { instants: [], since: null, count: 0 }) {
    this.#instants = [...instants]
    this.#since = since
    this.#count = count
  }

  /** The announcement that made it a flood; null: there is none. */
  get since(): number | null {
    return this.#since
  }

  /** Announcements of the flood so far, those in the window at its beginning included. */
  get count(): number {
    return this.#count
  }

  /** When the flood ends if nothing more is announced; Infinity: there is none. */
  get endsAt(): number {
    const deciding = this.#instants[this.#instants.length - FLOOD_BELOW]
    return this.#since === null || deciding === undefined ? Number.POSITIVE_INFINITY : deciding + FLOOD_WINDOW_MS
  }

  /** Something is announced; instants never go back, and a flood that ends before `at` has been ended. True: a flood begins. */
  note(at: number): boolean {
    this.#instants.push(at)
    if (this.#instants.length > FLOOD_ABOVE + 1) this.#instants.shift()
    if (this.#since !== null) {
      this.#count++
      return false
    }
    if (this.#instants.length <= FLOOD_ABOVE || (this.#instants[0] as number) + FLOOD_WINDOW_MS <= at) return false
    this.#since = at
    this.#count = this.#instants.length
    return true
  }

  end(): void {
    this.#since = null
    this.#count = 0
  }

  state(): FloodState {
    return { instants: [...this.#instants], since: this.#since, count: this.#count }
  }
}

export interface Flood {
  /** The announcement that made it a flood, epoch ms. */
  readonly from: number
  /** Where it ended, or where the log did. */
  readonly to: number
  /** Announcements, those in the window at its beginning included. */
  readonly announced: number
  /** The most announcements in ten minutes. */
  readonly peak: number
}

/** The floods among announcements at these instants (ascending, epoch ms); the log ends at `until`. */
export function floodsIn(instants: ArrayLike<number>, until: number): Flood[] {
  const floods: Flood[] = []
  const window = new FloodWindow()
  let low = 0
  let peak = 0
  const end = (to: number): void => {
    floods.push({ from: window.since ?? to, to, announced: window.count, peak })
    window.end()
    peak = 0
  }
  for (let place = 0; place < instants.length; place++) {
    const at = instants[place] as number
    if (at > until) break
    if (window.endsAt < at) end(window.endsAt)
    while ((instants[low] as number) + FLOOD_WINDOW_MS <= at) low++
    window.note(at)
    if (window.since !== null) peak = Math.max(peak, place - low + 1)
  }
  if (window.since !== null) end(Math.min(window.endsAt, until))
  return floods
}
