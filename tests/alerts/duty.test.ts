// Who is on duty: turns, handovers across changes of the clocks, overrides, swaps, holes.

import { describe, expect, it } from 'vitest'
import { holes, onDuty, outlook, stretchAt, stretches } from '../../src/alerts/duty.ts'
import type { Duty, Party, Rota, Shift } from '../../src/model/duty.ts'
import { dayOf, Zone } from '../../src/platform/zone.ts'

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]
const person = (id: string): Party => ({ kind: 'person', id })

function shift(from: number, to: number, order: readonly string[], more: Partial<Shift> = {}): Shift {
  return { hours: { from: from * 60, to: to * 60 }, days: EVERY_DAY, order: order.map(person), rotateDays: 1, offset: 0, ...more }
}

function dutyOf(rota: Partial<Rota>): Duty {
  const full: Rota = {
    id: 'r',
    name: { zh: '', en: '' },
    zone: 'Asia/Shanghai',
    startDay: dayOf('2026-01-01')!,
    shifts: [],
    overrides: [],
    ...rota
  }
  return {
    ...{ people: [], teams: [{ id: 't', name: { zh: '', en: '' }, people: ['x', 'y'] }], rotas: [full], responsible: [], ladders: [] },
    ...{ groupWindowMs: 0, throttle: null, floodDigestMs: 300_000, receipts: [] }
  }
}

function at(text: string, zone = 'Asia/Shanghai'): number {
  const [date, time] = text.split(' ') as [string, string]
  const [hour, minute] = time.split(':').map(Number) as [number, number]
  return Zone.named(zone)!.instantOf(dayOf(date)!, hour * 60 + minute)
}

describe('turns', () => {
  // 四班两倒: a day, a night, two days off.
  const four = dutyOf({ shifts: [shift(8, 20, ['a', 'b', 'c', 'd']), shift(20, 8, ['a', 'b', 'c', 'd'], { offset: 3 })] })

  it('pass on at handover, to the minute', () => {
    expect(stretches(four, 'r', at('2026-01-01 08:00'), at('2026-01-04 08:00')).map(({ from, people }) => [from, ...people])).toEqual([
      [at('2026-01-01 08:00'), 'a'],
      [at('2026-01-01 20:00'), 'd'],
      [at('2026-01-02 08:00'), 'b'],
      [at('2026-01-02 20:00'), 'a'],
      [at('2026-01-03 08:00'), 'c'],
      [at('2026-01-03 20:00'), 'b']
    ])
    expect(onDuty(four, 'r', at('2026-01-02 08:00') - 1)).toEqual(['d'])
    expect(onDuty(four, 'r', at('2026-01-02 08:00'))).toEqual(['b'])
  })
  it('do not begin before their first day, and never stop', () => {
    expect(onDuty(four, 'r', at('2026-01-01 07:59'))).toEqual([])
    expect(holes(four, 'r', at('2026-01-01 08:00'), at('2027-06-01 00:00'))).toEqual([])
  })
  it('are found for any instant as the stretches say', () => {
    for (const { from, to, people } of stretches(four, 'r', at('2026-01-01 08:00'), at('2026-01-10 08:00'))) {
      for (const instant of [from, Math.floor((from + to) / 2), to - 1]) {
        expect(onDuty(four, 'r', instant)).toEqual(people)
        expect(stretchAt(four, 'r', instant).people).toEqual(people)
        expect(stretchAt(four, 'r', instant).from).toBeLessThanOrEqual(instant)
        expect(stretchAt(four, 'r', instant).to).toBeGreaterThan(instant)
      }
    }
  })
  it('of a week pass on weekly, and a team is all of its people', () => {
    const weekly = dutyOf({ shifts: [{ ...shift(9, 9, ['a'], { rotateDays: 7 }), order: [person('a'), { kind: 'team', id: 't' }] }] })
    expect(onDuty(weekly, 'r', at('2026-01-08 08:59'))).toEqual(['a'])
    expect(onDuty(weekly, 'r', at('2026-01-08 09:00'))).toEqual(['x', 'y'])
  })
})

describe('changes of the clocks', () => {
  const london = dutyOf({ zone: 'Europe/London', shifts: [shift(0, 12, ['a']), shift(12, 24, ['b'])] })

  it('make a shift longer or shorter, never double and never empty', () => {
    const found = stretches(london, 'r', at('2026-03-28 00:00', 'Europe/London'), at('2026-03-30 00:00', 'Europe/London'))
    expect(found.map(({ from, to, people }) => [people[0], (to - from) / 3_600_000])).toEqual([
      ['a', 12],
      ['b', 12],
      ['a', 11],
      ['b', 12]
    ])
    const autumn = stretches(london, 'r', at('2026-10-25 00:00', 'Europe/London'), at('2026-10-26 00:00', 'Europe/London'))
    expect(autumn.map(({ from, to, people }) => [people[0], (to - from) / 3_600_000])).toEqual([
      ['a', 13],
      ['b', 12]
    ])
    expect(holes(london, 'r', at('2026-01-02 00:00'), at('2027-01-02 00:00'))).toEqual([])
  })
  it('leave no hole where a handover falls into the hour that does not exist', () => {
    const split = dutyOf({ zone: 'Europe/London', shifts: [shift(0, 1.5, ['a']), shift(1.5, 24, ['b'])] })
    expect(holes(split, 'r', at('2026-03-28 00:00', 'Europe/London'), at('2026-03-31 00:00', 'Europe/London'))).toEqual([])
  })
})

describe('overrides and swaps', () => {
  const shifts = [shift(0, 24, ['a', 'b'])]
  const day = (date: string): { from: number; to: number } => ({ from: at(`${date} 00:00`), to: at(`${date} 00:00`) + 86_400_000 })

  it('put somebody in place of whoever it is, or of one person only', () => {
    const note = null
    const duty = dutyOf({
      shifts,
      overrides: [
        { ...day('2026-01-01'), who: person('z'), instead: null, note },
        { from: at('2026-01-03 00:00'), to: at('2026-01-07 00:00'), who: person('y'), instead: person('b'), note }
      ]
    })
    const of = (date: string): readonly string[] => onDuty(duty, 'r', at(`${date} 12:00`))
    expect(['01', '02', '03', '04', '05', '06', '07', '08'].map((date) => of(`2026-01-${date}`)[0])).toEqual([
      'z',
      'b',
      'a',
      'y',
      'a',
      'y',
      'a',
      'b'
    ])
  })
  it('exchange two people', () => {
    const range = { from: at('2026-01-01 00:00'), to: at('2026-01-03 00:00'), note: null }
    const duty = dutyOf({
      shifts,
      overrides: [
        { ...range, who: person('b'), instead: person('a') },
        { ...range, who: person('a'), instead: person('b') }
      ]
    })
    expect(['01', '02', '03', '04'].map((date) => onDuty(duty, 'r', at(`2026-01-${date} 12:00`))[0])).toEqual(['b', 'a', 'a', 'b'])
  })
  it('close a hole', () => {
    const weekdays = dutyOf({ shifts: [shift(0, 24, ['a'], { days: [0, 1, 2, 3, 4] })] })
    const weekend = { from: at('2026-01-03 00:00'), to: at('2026-01-05 00:00') }
    expect(holes(weekdays, 'r', at('2026-01-01 00:00'), at('2026-01-08 00:00'))).toEqual([{ ...weekend, people: [] }])
    const covered = dutyOf({ shifts: weekdays.rotas[0]!.shifts, overrides: [{ ...weekend, who: person('b'), instead: null, note: null }] })
    expect(holes(covered, 'r', at('2026-01-01 00:00'), at('2026-01-08 00:00'))).toEqual([])
  })
})

describe('what lies ahead of a rota', () => {
  it('is the next handover, however far, and who comes then', () => {
    const monthly = dutyOf({ shifts: [shift(8, 8, ['a', 'b'], { rotateDays: 28 })] })
    expect(outlook(monthly, 'r', at('2026-01-02 12:00'))).toEqual({ people: ['a'], until: at('2026-01-29 08:00'), next: ['b'], holes: [] })
  })
  it('has no handover where the same person stays: nobody is missing', () => {
    const always = dutyOf({ shifts: [shift(0, 24, ['a'])] })
    expect(outlook(always, 'r', at('2026-01-02 12:00'))).toEqual({ people: ['a'], until: null, next: [], holes: [] })
  })
  it('is a hole where nobody comes', () => {
    const days = dutyOf({ shifts: [shift(8, 20, ['a'])] })
    const { holes: ahead, ...now } = outlook(days, 'r', at('2026-01-02 12:00'))
    expect(now).toEqual({ people: ['a'], until: at('2026-01-02 20:00'), next: [] })
    expect(ahead[0]).toEqual({ from: at('2026-01-02 20:00'), to: at('2026-01-03 08:00'), people: [] })
  })
})
