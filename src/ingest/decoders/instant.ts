// ISO 8601 instants, strictly: a date, a time and an offset. `2026-01-01T08:00:00.250+08:00`, `2026-01-01T00:00Z`.

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-])(\d\d):?(\d\d))$/
const LOCAL = /^\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?)?$/

/** Epoch ms of an instant, fractions of a millisecond cut off; null where the text is not one or names a day or time there is not. */
export function parseInstant(text: string): number | null {
  const match = INSTANT.exec(text)
  if (match === null) return null
  const [, year, month, day, hour, minute, second = '0', fraction = '', zulu, sign, offsetHour = '0', offsetMinute = '0'] = match
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day))
  const check = new Date(date)
  // Date.UTC takes 00xx for 19xx, and the 31st of June for the 1st of July.
  if (check.getUTCFullYear() !== Number(year) || check.getUTCMonth() + 1 !== Number(month) || check.getUTCDate() !== Number(day))
    return null
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null
  const offset = zulu === undefined ? (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -1 : 1) : 0
  const ms = Number(fraction.padEnd(3, '0').slice(0, 3))
  return date + ((Number(hour) * 60 + Number(minute) - offset) * 60 + Number(second)) * 1000 + ms
}

/** Whether the text would be an instant if it said its offset from UTC. */
export function lacksOffset(text: string): boolean {
  return LOCAL.test(text)
}
