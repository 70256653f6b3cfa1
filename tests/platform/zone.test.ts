// Wall clocks against known changes of clocks: Europe/Berlin 2026 sets forward on 29 March at 02:00 and back on 25 October
// at 03:00; Asia/Shanghai has none since 1991; Australia/Lord_Howe changes by half an hour.

import { describe, expect, it } from 'vitest'
import { dayOf, weekdayOf, Zone } from '../../src/platform/zone.ts'

const iso = (at: number): string => new Date(at).toISOString()
const instant = (zone: string, date: string, minute: number): string => iso(Zone.named(zone)!.instantOf(dayOf(date)!, minute))

describe('the wall clock', () => {
  it('shows the day and minute of its place', () => {
    const at = Date.UTC(2026, 0, 1, 16, 30)
    expect(Zone.named('Asia/Shanghai')!.wallClock(at)).toEqual({ day: dayOf('2026-01-02'), minute: 30 })
    expect(Zone.named('America/New_York')!.wallClock(at)).toEqual({ day: dayOf('2026-01-01'), minute: 690 })
  })

  it('comes to a minute once, whatever is done to the clocks', () => {
    expect(instant('Asia/Shanghai', '2026-05-01', 8 * 60)).toBe('2026-05-01T00:00:00.000Z')
    expect(instant('Europe/Berlin', '2026-03-28', 150)).toBe('2026-03-28T01:30:00.000Z')
    expect(instant('Europe/Berlin', '2026-03-29', 119)).toBe('2026-03-29T00:59:00.000Z')
    expect(instant('Europe/Berlin', '2026-03-29', 150)).toBe('2026-03-29T01:00:00.000Z')
    expect(instant('Europe/Berlin', '2026-03-29', 180)).toBe('2026-03-29T01:00:00.000Z')
    expect(instant('Europe/Berlin', '2026-10-25', 150)).toBe('2026-10-25T00:30:00.000Z')
    expect(instant('Europe/Berlin', '2026-10-25', 180)).toBe('2026-10-25T02:00:00.000Z')
    expect(instant('Europe/Berlin', '2026-10-25', 1440)).toBe('2026-10-25T23:00:00.000Z')
    expect(instant('Australia/Lord_Howe', '2026-10-04', 135)).toBe('2026-10-03T15:30:00.000Z')
  })

  it('knows which zones and dates there are', () => {
    expect(Zone.named('Asia/Shangri-La')).toBeNull()
    expect(dayOf('2026-02-29')).toBeNull()
    expect(dayOf('2028-02-29')).not.toBeNull()
    expect(weekdayOf(dayOf('2026-11-23')!)).toBe(0)
    expect(weekdayOf(dayOf('1969-12-28')!)).toBe(6)
  })
})
