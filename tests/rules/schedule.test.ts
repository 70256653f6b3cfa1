// Schedules minute by minute against the plain definition, and their changes at exact instants.

import { describe, expect, it } from 'vitest'
import type { Calendar, Schedule } from '../../src/model/plant.ts'
import { isWorkday, ScheduleClock } from '../../src/rules/schedule.ts'

const CALENDAR: Calendar = {
  zone: 'Asia/Shanghai',
  holidays: [{ from: '2026-02-15', to: '2026-02-23', name: '春节' }],
  workdays: ['2026-02-14', '2026-02-28']
}

const schedule = (days: Schedule['days'], fromMinute: number, toMinute: number, zone = 'Asia/Shanghai'): Schedule => ({
  zone,
  days,
  fromMinute,
  toMinute
})

/** Every change from one instant on, as it is told one after the other. */
function changes(clock: ScheduleClock, from: string, count: number): string[] {
  const told: string[] = []
  let at = Date.parse(from)
  for (let i = 0; i < count; i++) {
    const { on, changesAt } = clock.at(at)
    expect(clock.at(changesAt - 1).on).toBe(on)
    expect(clock.at(changesAt).on).toBe(!on)
    at = changesAt
    told.push(`${new Date(at).toISOString()} ${on ? 'off' : 'on'}`)
  }
  return told
}

describe('a schedule', () => {
  it('is on from its first instant to just before its last', () => {
    expect(changes(new ScheduleClock(schedule('every', 480, 1080), undefined), '2026-01-01T00:00:00Z', 3)).toEqual([
      '2026-01-01T10:00:00.000Z off',
      '2026-01-02T00:00:00.000Z on',
      '2026-01-02T10:00:00.000Z off'
    ])
  })

  it('reaches over midnight, into a day that is none of its own', () => {
    const fridays = new ScheduleClock(schedule(['fri'], 22 * 60, 6 * 60), undefined)
    expect(changes(fridays, '2026-01-01T00:00:00Z', 3)).toEqual([
      '2026-01-02T14:00:00.000Z on',
      '2026-01-02T22:00:00.000Z off',
      '2026-01-09T14:00:00.000Z on'
    ])
  })

  it('keeps holidays, and works on make-up days', () => {
    expect(
      ['2026-02-13', '2026-02-14', '2026-02-16', '2026-02-24', '2026-02-28', '2026-03-01'].map((day) => isWorkday(day, CALENDAR))
    ).toEqual([true, true, false, true, true, false])
    expect(changes(new ScheduleClock(schedule('workdays', 480, 1080), CALENDAR), '2026-02-14T00:00:00Z', 2)).toEqual([
      '2026-02-14T10:00:00.000Z off',
      '2026-02-24T00:00:00.000Z on'
    ])
  })

  it('is one stretch over days that touch', () => {
    const closed = new ScheduleClock(schedule('holidays', 0, 1440), CALENDAR)
    expect(changes(closed, '2026-02-13T00:00:00Z', 4)).toEqual([
      '2026-02-14T16:00:00.000Z on',
      '2026-02-23T16:00:00.000Z off',
      '2026-02-28T16:00:00.000Z on',
      '2026-03-01T16:00:00.000Z off'
    ])
    expect(new ScheduleClock(schedule('every', 0, 1440), undefined).at(0)).toEqual({ on: true, changesAt: Number.POSITIVE_INFINITY })
    expect(new ScheduleClock(schedule('every', 600, 600), undefined).at(0).changesAt).toBe(Number.POSITIVE_INFINITY)
    expect(new ScheduleClock(schedule([], 0, 600), undefined).at(0)).toEqual({ on: false, changesAt: Number.POSITIVE_INFINITY })
  })

  it('begins with the change of clocks where its hour is left out, and does not come twice where it is repeated', () => {
    const berlin = new ScheduleClock(schedule('every', 150, 240, 'Europe/Berlin'), undefined)
    expect(changes(berlin, '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:00:00.000Z on', '2026-03-29T02:00:00.000Z off'])
    expect(changes(berlin, '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30:00.000Z on', '2026-10-25T03:00:00.000Z off'])
    const lost = new ScheduleClock(schedule('every', 130, 160, 'Europe/Berlin'), undefined)
    expect(changes(lost, '2026-03-28T12:00:00Z', 1)).toEqual(['2026-03-30T00:10:00.000Z on'])
  })
})
