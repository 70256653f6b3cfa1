// Whether a schedule is on at an instant, and when that changes next. A pure function of schedule, calendar and instant,
// right through every change of clocks.

import { type Calendar, type Schedule, WEEKDAYS } from '../model/plant.ts'
import { LIMITS } from '../platform/limits.ts'
import { dayOf, weekdayOf, Zone } from '../platform/zone.ts'

export interface ScheduledNow {
  readonly on: boolean
  /** Epoch ms at which `on` next changes; Infinity where it does not within the time that is looked ahead. */
  readonly changesAt: number
}

/** Days as numbers, for looking up. */
interface Days {
  readonly holidays: readonly (readonly [number, number])[]
  readonly workdays: ReadonlySet<number>
}

/** Answers for one schedule; its zone exists (`Zone.named`). */
export class ScheduleClock {
  readonly #schedule: Schedule
  readonly #zone: Zone
  readonly #days: Days

  constructor(schedule: Schedule, calendar: Calendar | undefined) {
    const zone = Zone.named(schedule.zone)
    if (zone === null) throw new Error(`there is no time zone ${schedule.zone}`)
    this.#schedule = schedule
    this.#zone = zone
    this.#days = daysOf(calendar)
  }

  at(at: number): ScheduledNow {
    const today = this.#zone.wallClock(at).day
    // Yesterday's may reach into today; windows that touch each other are one.
    let day = today - 1
    let window = this.#windowOn(day)
    for (const last = today + LIMITS.rules.scheduleDaysAhead; day < last; ) {
      const next = this.#windowOn(++day)
      if (window !== null && window.to > at) {
        if (window.from > at) return { on: false, changesAt: window.from }
        if (next === null || next.from > window.to) return { on: true, changesAt: window.to }
        window = { from: window.from, to: Math.max(window.to, next.to) }
      } else window = next
    }
    return { on: window !== null && window.from <= at && window.to > at, changesAt: Number.POSITIVE_INFINITY }
  }

  /** From when to when it is on, beginning on this day; null: it does not begin on it. */
  #windowOn(day: number): { readonly from: number; readonly to: number } | null {
    const { days, fromMinute, toMinute } = this.#schedule
    if (!isOneOf(days, day, this.#days)) return null
    const from = this.#zone.instantOf(day, fromMinute)
    const to = this.#zone.instantOf(toMinute <= fromMinute ? day + 1 : day, toMinute)
    // Both ends may lie in an hour that a change of clocks leaves out.
    return from < to ? { from, to } : null
  }
}

/** Whether people work on the day: Monday to Friday without holidays, and the make-up days. */
export function isWorkday(date: string, calendar: Calendar | undefined): boolean {
  const day = dayOf(date)
  return day !== null && isOneOf('workdays', day, daysOf(calendar))
}

function isOneOf(days: Schedule['days'], day: number, { holidays, workdays }: Days): boolean {
  if (days === 'every') return true
  const weekday = weekdayOf(day)
  if (days !== 'workdays' && days !== 'holidays') return days.some((name) => WEEKDAYS.indexOf(name) === weekday)
  const working = workdays.has(day) || (weekday < 5 && !holidays.some(([from, to]) => from <= day && day <= to))
  return working === (days === 'workdays')
}

function daysOf(calendar: Calendar | undefined): Days {
  const holidays = (calendar?.holidays ?? []).map(({ from, to }) => [dayOf(from) ?? 0, dayOf(to) ?? -1] as const)
  const workdays = new Set((calendar?.workdays ?? []).flatMap((date) => dayOf(date) ?? []))
  return { holidays, workdays }
}
