// Time stamps of recorded data: text to epoch ms. Local times without an offset are read in a zone of the IANA database:
// a time that a clock change repeats is its first occurrence, one that it skips is read with the offset before the change.

/** Epoch ms of a time text, or null where it is not of the format. */
export type TimeReader = (text: string) => number | null

export const NAMED_FORMATS = ['iso', 'epoch-s', 'epoch-ms', 'elapsed-s'] as const

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?$/
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** An IANA zone as a function from local to UTC, or null where the name is unknown. */
export function zoneReader(zone: string): ((localMs: number) => number) | null {
  if (zone === 'UTC' || zone === 'Etc/UTC') return (localMs) => localMs
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric'
    })
  } catch {
    return null
  }
  const offsets = new Map<number, number>()
  // Offsets change at full quarters of an hour at the finest; one look-up per quarter is enough.
  const offsetAt = (utcMs: number): number => {
    const quarter = Math.floor(utcMs / 900_000)
    let offset = offsets.get(quarter)
    if (offset === undefined) {
      offset = localOf(format, quarter * 900_000) - quarter * 900_000
      if (offsets.size > 10_000) offsets.clear()
      offsets.set(quarter, offset)
    }
    return offset
  }
  return (localMs) => {
    const before = offsetAt(localMs - 86_400_000)
    const after = offsetAt(localMs + 86_400_000)
    const early = localMs - before
    if (before === after || offsetAt(early) === before) return early
    const late = localMs - after
    return offsetAt(late) === after ? late : early
  }
}

function localOf(format: Intl.DateTimeFormat, utcMs: number): number {
  const parts: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(utcMs)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** ISO 8601 with an offset or `Z`; without one, local time of `toUtc`. A date alone is its midnight. */
export function isoReader(toUtc: (localMs: number) => number): TimeReader {
  return (text) => {
    const match = ISO.exec(text)
    if (match === null) return null
    const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset] = match
    const ms = Number(fraction.padEnd(3, '0').slice(0, 3))
    const local = calendar(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second), ms)
    if (local === null) return null
    if (offset === undefined) return toUtc(local)
    if (offset === 'Z' || offset === 'z') return local
    const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3).replace(':', '') || 0)
    return local - (offset.startsWith('-') ? -minutes : minutes) * 60_000
  }
}

/** Numbers: seconds or milliseconds since `originMs`. */
export function countReader(unitMs: number, originMs: number): TimeReader {
  return (text) => {
    if (!NUMBER.test(text)) return null
    const at = Math.round(originMs + Number(text) * unitMs)
    return Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? at : null
  }
}

const FIELDS: Record<string, [field: string, pattern: string]> = {
  yyyy: ['year', '(\\d{4})'],
  yy: ['shortYear', '(\\d{2})'],
  MM: ['month', '(\\d{2})'],
  M: ['month', '(\\d{1,2})'],
  dd: ['day', '(\\d{2})'],
  d: ['day', '(\\d{1,2})'],
  HH: ['hour', '(\\d{2})'],
  H: ['hour', '(\\d{1,2})'],
  mm: ['minute', '(\\d{2})'],
  m: ['minute', '(\\d{1,2})'],
  ss: ['second', '(\\d{2})'],
  s: ['second', '(\\d{1,2})'],
  SSS: ['ms', '(\\d{3})']
}

/**
 * A reader for a pattern such as `dd/MM/yy HH` in the letters of Unicode TR 35 (y M d H m s S; other letters in single
 * quotes), or a sentence that says why it is none. Two-digit years are 1970 to 2069.
 */
export function patternReader(pattern: string, toUtc: (localMs: number) => number): TimeReader | string {
  const fields: string[] = []
  let expression = ''
  for (const [piece] of pattern.matchAll(/'[^']*'|([A-Za-z])\1*|[^A-Za-z']+|'/g)) {
    if (piece.startsWith("'")) expression += escaped(piece.slice(1, piece.endsWith("'") ? -1 : undefined))
    else if (/^[A-Za-z]/.test(piece)) {
      const known = FIELDS[piece]
      if (known === undefined) return `"${piece}" is no part of a time pattern; use ${Object.keys(FIELDS).join(', ')}`
      fields.push(known[0])
      expression += known[1]
    } else expression += escaped(piece)
  }
  const missing = ['month', 'day'].filter((field) => !fields.includes(field))
  if (!fields.includes('year') && !fields.includes('shortYear')) missing.unshift('year')
  if (missing.length > 0) return `the time pattern has no ${missing.join(', no ')}`
  const whole = new RegExp(`^${expression}$`)
  return (text) => {
    const match = whole.exec(text)
    if (match === null) return null
    const found: Record<string, number> = {}
    for (const [i, field] of fields.entries()) found[field] = Number(match[i + 1])
    const { shortYear, month = 1, day = 1, hour = 0, minute = 0, second = 0, ms = 0 } = found
    const year = found.year ?? ((shortYear as number) < 70 ? 2000 : 1900) + (shortYear as number)
    const local = calendar(year, month, day, hour, minute, second, ms)
    return local === null ? null : toUtc(local)
  }
}

/** UTC ms of a calendar date that exists, 24:00 excluded; null for 30 February. */
function calendar(year: number, month: number, day: number, hour: number, minute: number, second: number, ms: number): number | null {
  if (hour > 23 || minute > 59 || second > 59) return null
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms))
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : null
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
