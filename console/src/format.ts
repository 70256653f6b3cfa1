// Numbers, times and durations as operators read them. All pure; instants are epoch ms, shown in the browser's zone.

import { ApiProblem } from './api.ts'
import type { Words } from './words.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A length of time in its one or two largest units: `4 s`, `12 min`, `3 h 5 min`, `2 d`. Never negative. */
export function formatAge(ms: number, words: Words): string {
  const span = Math.max(0, ms)
  if (span < MINUTE) return words.time.seconds(Math.floor(span / SECOND))
  if (span < HOUR) return words.time.minutes(Math.floor(span / MINUTE))
  if (span < DAY) return words.time.hours(Math.floor(span / HOUR), Math.floor((span % HOUR) / MINUTE))
  return words.time.days(Math.floor(span / DAY), span > 10 * DAY ? 0 : Math.floor((span % DAY) / HOUR))
}

/** How long ago, `now` below one second. */
export function formatAgo(ms: number, words: Words): string {
  return ms < SECOND ? words.time.now : words.time.ago(formatAge(ms, words))
}

const two = (n: number): string => String(n).padStart(2, '0')

/** `03:12:44` today, `11-22 03:12:44` on another day of this year, else with the year. */
export function formatInstant(at: number, now: number): string {
  const then = new Date(at)
  const today = new Date(now)
  const time = `${two(then.getHours())}:${two(then.getMinutes())}:${two(then.getSeconds())}`
  if (then.toDateString() === today.toDateString()) return time
  const day = `${two(then.getMonth() + 1)}-${two(then.getDate())}`
  return then.getFullYear() === today.getFullYear() ? `${day} ${time}` : `${then.getFullYear()}-${day} ${time}`
}

/** A value with at most four significant digits after rounding, never in exponent form where a person can read it. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return '—'
  const size = Math.abs(value)
  if (size >= 1e7 || (size > 0 && size < 1e-4)) return value.toExponential(2)
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3
  return String(Number(value.toFixed(digits)))
}

/** The unit as shown; "1" and "" mean none. */
export const formatUnit = (unit: string): string => (unit === '1' || unit === '' ? '' : unit)

/** A lag in ms or seconds. */
export const formatLag = (ms: number): string => (ms < SECOND ? `${Math.round(ms)} ms` : `${(ms / SECOND).toFixed(1)} s`)

/** One sentence for a call that did not succeed: the service's own where it gave one. */
export function sayProblem(problem: unknown, words: Words): string {
  if (!(problem instanceof ApiProblem)) return String(problem)
  if (problem.status === 0) return words.problem.unreachable
  if (problem.status === 403) return `${words.problem.forbidden} ${problem.message}`.trim()
  return problem.message === '' ? words.problem.status(problem.status) : problem.message
}

/** A number, mail address or web address as others may see it over the operator's shoulder. */
export function maskAddress(address: string): string {
  if (address.includes('*') || address.includes('…')) return address
  const at = address.indexOf('@')
  if (at > 0) return `${address.slice(0, 1)}***${address.slice(at)}`
  if (/^[a-z]+:\/\//i.test(address)) return `${address.split('/').slice(0, 3).join('/')}/…`
  return address.length <= 6 ? '***' : `${address.slice(0, 3)}****${address.slice(-4)}`
}
