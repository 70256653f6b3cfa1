// Alarm floods (ISA-18.2): one begins when more than ten alarms were announced within ten minutes and ends when fewer than
// five were. Pure: the window slides continuously, so the answer does not depend on when anybody looks.

export const FLOOD_WINDOW_MS = 600_000
/** More announcements than this within the window begin a flood. */
export const FLOOD_ABOVE = 10
/** Fewer than this end it. */
export const FLOOD_BELOW = 5

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
  /** The window at `t` is `(t - 10 min, t]`: instants `low` up to, not including, `high`. */
  let low = 0
  let high = 0
  let flood: { from: number; firstIndex: number; peak: number } | null = null
  while (low < instants.length) {
    const arrives = high < instants.length ? (instants[high] as number) : Number.POSITIVE_INFINITY
    const expires = low < high ? (instants[low] as number) + FLOOD_WINDOW_MS : Number.POSITIVE_INFINITY
    const now = Math.min(arrives, expires)
    if (now > until) break
    // Everything of one instant at once.
    while (low < high && (instants[low] as number) + FLOOD_WINDOW_MS === now) low++
    while (high < instants.length && instants[high] === now) high++
    const count = high - low
    if (flood === null) {
      if (count > FLOOD_ABOVE) flood = { from: now, firstIndex: low, peak: count }
      continue
    }
    flood.peak = Math.max(flood.peak, count)
    if (count < FLOOD_BELOW) {
      floods.push({ from: flood.from, to: now, announced: high - flood.firstIndex, peak: flood.peak })
      flood = null
    }
  }
  if (flood !== null) floods.push({ from: flood.from, to: until, announced: high - flood.firstIndex, peak: flood.peak })
  return floods
}
