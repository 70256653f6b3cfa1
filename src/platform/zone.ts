// The one door to time zones: what the wall clock of a place shows, and when it shows it, through every change of clocks.
// Instants are epoch ms; a day is a count of days since 1970-01-01 of the proleptic calendar, without any zone.

import { IANAZone } from 'luxon'

const MINUTE = 60_000
const DAY = 86_400_000

/** What the clock on the wall shows. */
export interface WallClock {
  readonly day: number
  /** Minutes since midnight, with fractions. */
  readonly minute: number
}

export class Zone {
  readonly name: string
  readonly #zone: IANAZone

  private constructor(name: string, zone: IANAZone) {
    this.name = name
    this.#zone = zone
  }

  /** The zone of an IANA name such as Asia/Shanghai; null where there is none. */
  static named(name: string): Zone | null {
    let zone = known.get(name)
    if (zone !== undefined) return zone
    if (!IANAZone.isValidZone(name)) return null
    zone = new Zone(name, IANAZone.create(name))
    known.set(name, zone)
    return zone
  }

  wallClock(at: number): WallClock {
    const local = at + this.#offset(at)
    const day = Math.floor(local / DAY)
    return { day, minute: (local - day * DAY) / MINUTE }
  }

  /** The day that the wall clock shows, yyyy-MM-dd. */
  dayName(at: number): string {
    return new Date(this.wallClock(at).day * DAY).toISOString().slice(0, 10)
  }

  /**
   * The first instant at which the wall clock of that day has come to `minute` (0 to 1440): where clocks are set forward
   * over it, the instant of the change; where they are set back behind it, its first occurrence.
   */
  instantOf(day: number, minute: number): number {
    const local = day * DAY + minute * MINUTE
    const [before, after] = [this.#offset(local - DAY), this.#offset(local + DAY)]
    const candidates = [local - before, local - after].filter((at) => at + this.#offset(at) === local)
    if (candidates.length > 0) return Math.min(...candidates)
    return this.#changeBetween(local - Math.max(before, after), local - Math.min(before, after))
  }

  #offset(at: number): number {
    return this.#zone.offset(at) * MINUTE
  }

  /** The instant from which the later of two offsets holds. */
  #changeBetween(from: number, to: number): number {
    const before = this.#offset(from)
    let [low, high] = [from, to]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.#offset(middle) === before) low = middle
      else high = middle
    }
    return high
  }
}

const known = new Map<string, Zone>()

/** The day of a date `yyyy-mm-dd`; null where there is no such date. */
export function dayOf(date: string): number | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date)
  if (parts === null) return null
  const at = Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]))
  return new Date(at).toISOString().startsWith(date) ? at / DAY : null
}

/** 0 for Monday to 6 for Sunday. */
export function weekdayOf(day: number): number {
  return (((day + 3) % 7) + 7) % 7
}
