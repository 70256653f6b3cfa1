// Times of a scenario: m:ss, m:ss.mmm where needed, h:mm:ss from one hour on, relative to its beginning.

import { parseDuration } from '../../platform/duration.ts'

/** Every scenario begins here. */
export const SCENARIO_EPOCH = Date.UTC(2026, 0, 1)

/** `1:05`, `0:00.250`, `1:00:00`; before the beginning with a minus sign. */
export function formatTime(ms: number): string {
  const sign = ms < 0 ? '-' : ''
  const whole = Math.abs(ms)
  const hours = Math.floor(whole / 3_600_000)
  const minutes = Math.floor(whole / 60_000) % 60
  const seconds = String(Math.floor(whole / 1000) % 60).padStart(2, '0')
  const fraction = whole % 1000 === 0 ? '' : `.${String(whole % 1000).padStart(3, '0')}`
  const clock = hours === 0 ? `${minutes}:${seconds}` : `${hours}:${String(minutes).padStart(2, '0')}:${seconds}`
  return `${sign}${clock}${fraction}`
}

/** Milliseconds of a time of the log, or null. */
export function parseTime(text: string): number | null {
  const parts = /^(-?)(?:(\d+):)?(\d+):(\d\d)(?:\.(\d{1,3}))?$/.exec(text)
  if (parts === null) return null
  const [, sign, hours = '0', minutes, seconds, fraction = ''] = parts
  if (Number(seconds) > 59 || (parts[2] !== undefined && Number(minutes) > 59)) return null
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(fraction.padEnd(3, '0'))
  return sign === '-' ? -ms : ms
}

/** An instant above the line: a duration since the beginning (`2m30s`) or a time of the log (`2:30`). */
export function parseInstant(text: string): number | null {
  return text === '0' ? 0 : (parseDuration(text) ?? parseTime(text))
}
