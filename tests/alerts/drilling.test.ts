// Drills: when scheduled ones begin, how each climbs its ladder, and what ends it.

import { deserialize, serialize } from 'node:v8'
import { expect, it } from 'vitest'
import { type DrillEffects, Drilling, type DrillingSnapshot } from '../../src/alerts/drilling.ts'
import { nextDrills } from '../../src/alerts/drillSchedule.ts'
import type { DrillAsked } from '../../src/model/drill.ts'
import type { DrillSchedule, Duty } from '../../src/model/duty.ts'
import { PLANT } from '../api/plant.ts'

const AT = Date.parse('2026-01-01T00:00:00Z')
const MINUTE = 60_000
const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())
const schedule = (more: Partial<DrillSchedule> = {}): DrillSchedule => ({
  ...{ id: 'monthly', site: 'farm', tier: 'red', zone: 'Asia/Shanghai', minute: 600, days: [3], week: null, factor: 1 },
  ...more
})
const DUTY: Duty = {
  people: [
    {
      ...{ id: 'li', name: { zh: '李', en: 'Li' }, language: 'zh', zone: 'Asia/Shanghai', enterprise: 'daxie', user: null, quiet: null },
      addresses: { sms: '13800000001' }
    }
  ],
  ...{ teams: [], rotas: [], responsible: [] },
  ladders: [
    {
      id: 'standard',
      appliesTo: { tiers: null, rules: null, area: null, site: null, enterprise: null },
      rungs: [{ afterMs: 0, tell: [{ kind: 'person', id: 'li' }], by: [['sms']], repeatMs: 2 * MINUTE, times: 3 }],
      receiptWithinMs: null
    }
  ],
  drills: [schedule()],
  ...{ groupWindowMs: 30_000, throttle: { max: 1, perMs: 600_000 }, floodDigestMs: 0, receipts: [] }
}
const ASKED: DrillAsked = { site: 'farm', device: null, rule: null, tier: 'yellow', person: null, note: 'monthly', factor: 1 }
const none = (): DrillEffects => ({ notifications: [], drills: [] })

it('schedules begin at their time of day, weekday and week of the month, through changes of clocks', () => {
  const next = (more: Partial<DrillSchedule>, after = AT): string | null => iso(nextDrills([schedule(more)], after)?.at)
  expect(next({})).toBe('2026-01-01T02:00:00.000Z')
  expect(next({}, Date.parse('2026-01-01T02:00:00Z'))).toBe('2026-01-08T02:00:00.000Z')
  expect(next({ days: [0], week: 2 })).toBe('2026-01-12T02:00:00.000Z')
  expect(next({ days: [6], week: 5 })).toBe('2026-03-29T02:00:00.000Z')
  // Berlin sets its clocks forward over half past two.
  expect(next({ days: [6], minute: 150, zone: 'Europe/Berlin' }, Date.parse('2026-03-28T00:00:00Z'))).toBe('2026-03-29T01:00:00.000Z')
  const both = nextDrills([schedule({ id: 'one' }), schedule({ id: 'other' })], AT)
  expect(both?.schedules.map(({ id }) => id)).toEqual(['one', 'other'])
  expect(nextDrills([], AT)).toBeNull()
})

it('a scheduled drill begins by the clock alone, climbs unhindered by throttles, and ends; whoever restarts in the middle goes on alike', () => {
  const plant = { ...PLANT, duty: DUTY }
  const whole = new Drilling(plant, AT)
  const all = none()
  whole.advance(AT + 180 * MINUTE, all)
  expect(all.notifications.map(({ id, at, reason, drill, withheld }) => [id, iso(at), reason, drill, withheld])).toEqual([
    ['@drill/farm#1767232800000~1.1.1.drill~li~sms', '2026-01-01T02:00:00.000Z', 'drill', true, null],
    ['@drill/farm#1767232800000~1.1.2.drill~li~sms', '2026-01-01T02:02:00.000Z', 'drill', true, null],
    ['@drill/farm#1767232800000~1.1.3.drill~li~sms', '2026-01-01T02:04:00.000Z', 'drill', true, null]
  ])
  expect(all.notifications.every(({ text }) => text.startsWith('【演练】') && text.endsWith('【演练】'))).toBe(true)
  expect(all.drills).toMatchObject([
    { kind: 'begun', by: 'schedule:monthly', ladder: 'standard', enterprise: 'daxie' },
    { kind: 'ended', at: AT + 129 * MINUTE, outcome: 'unanswered' }
  ])
  const parts = none()
  let one = new Drilling(plant, AT)
  for (let minute = 0; minute <= 180; minute++) {
    one.advance(AT + minute * MINUTE, parts)
    one = Drilling.restore(plant, deserialize(serialize(one.snapshot())) as DrillingSnapshot)
  }
  expect(parts).toEqual(all)
})

it('ends at a whole instant, whatever its delays are divided by', () => {
  const drilling = new Drilling({ ...PLANT, duty: { ...DUTY, drills: [] } }, AT)
  const into = none()
  drilling.begin('@drill/farm#1', { ...ASKED, factor: 7 }, 'anna', AT, into)
  drilling.advance(AT + 60 * MINUTE, into)
  expect(into.drills).toMatchObject([{ kind: 'begun' }, { kind: 'ended', outcome: 'unanswered', at: AT + 77_144 }])
})

it('is ended by an acknowledgement once, and refuses what leads to nobody', () => {
  const drilling = new Drilling({ ...PLANT, duty: { ...DUTY, drills: [] } }, AT)
  const into = none()
  drilling.begin('@drill/farm#1', ASKED, 'anna', AT, into)
  drilling.begin('@drill/farm#1', ASKED, 'anna', AT, into)
  const acknowledge = { id: '@drill/farm#1', action: 'acknowledge', note: null }
  drilling.act({ ...acknowledge, action: 'comment' }, 'li', AT + 1, into)
  drilling.act(acknowledge, 'li', AT + 2, into)
  drilling.act(acknowledge, 'anna', AT + 3, into)
  drilling.begin('@drill/nobody#1', { ...ASKED, person: 'nobody' }, 'anna', AT + 4, into)
  drilling.advance(AT + 100 * MINUTE, into)
  expect(into.notifications).toHaveLength(1)
  expect(into.drills.map((turn) => [turn.id, turn.kind === 'begun' ? 'begun' : [turn.outcome, turn.by]])).toEqual([
    ['@drill/farm#1', 'begun'],
    ['@drill/farm#1', ['acknowledged', 'li']],
    ['@drill/nobody#1', 'begun'],
    ['@drill/nobody#1', ['nobody', null]]
  ])
  expect([drilling.size, drilling.nextDue]).toEqual([0, Number.POSITIVE_INFINITY])
})
