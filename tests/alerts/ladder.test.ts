// The ladder under load and over restarts: red always passes, everything has its reason, and nothing is planned twice.

import path from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { toldBy } from '../../src/alerts/dutyPreview.ts'
import { FloodWatch } from '../../src/alerts/floodWatch.ts'
import { Ladder } from '../../src/alerts/ladder.ts'
import { type Bearer, Marks } from '../../src/alerts/marks.ts'
import { loadPlant } from '../../src/app/config/load.ts'
import { type Alarm, type DeskEvent, type Transition, UNTOUCHED } from '../../src/model/alarm.ts'
import { numberFleet } from '../../src/model/fleet.ts'
import type { DeliveryReport, PlannedNotification } from '../../src/model/notification.ts'
import type { Plant } from '../../src/model/plant.ts'
import type { Level, Tier } from '../../src/model/tier.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { Random } from '../../src/platform/random.ts'

const SAMPLE = loadPlant(path.join(import.meta.dirname, '../../config'), {}).plant as Plant
const START = Date.parse('2026-02-01T02:00:00Z')
const TANK = SAMPLE.devices.find(({ id }) => id === 'T-101')!
const MANY: Plant = { ...SAMPLE, devices: Array.from({ length: 2_000 }, (_, i) => ({ ...TANK, id: `T-${i}` })) }
const FLEET = numberFleet(MANY)
/** Alarms carry no marks here: it is about floods alone. */
const NOBODY: Bearer = { mark: () => {}, alarm: () => null }

function turn(device: string, clock: number, from: Level, to: Level, before: Alarm | null = null): DeskEvent {
  const id = before?.id ?? `tank-level/${device}#${clock}`
  const event: Transition = {
    kind: 'transition',
    at: clock,
    rule: 'tank-level',
    device,
    area: null,
    from,
    to,
    id,
    because: 'level_pct 86 > 85'
  }
  const tier = (to === 'clear' ? before?.tier : to) as Tier
  const base = before ?? {
    ...UNTOUCHED,
    id,
    rule: 'tank-level',
    device,
    area: null,
    tier,
    worstTier: tier,
    raisedAt: clock,
    clearedAt: null,
    because: event.because
  }
  const alarm: Alarm = { ...base, tier, clearedAt: to === 'clear' ? clock : null }
  return { event, alarm, before, announced: to !== 'clear', withheld: null, cause: 'transition', clock }
}

describe('two thousand alarms in twelve seconds', () => {
  const out: PlannedNotification[] = []
  const floods = new FloodWatch()
  const ladder = new Ladder(MANY, floods)
  for (let i = 0; i < 2_000; i++) {
    floods.note({ site: null, enterprise: 'daxie-chem' }, START + i * 6, [])
    ladder.take([turn(`T-${i}`, START + i * 6, 'clear', i % 100 === 99 ? 'red' : 'yellow')], out)
  }
  ladder.advance(START + 11 * 60_000, out)

  it('plan every message once, each with its reason or without one', () => {
    expect(new Set(out.map(({ id }) => id)).size).toBe(out.length)
    expect(new Set(out.map(({ withheld }) => withheld))).toEqual(new Set([null, 'grouped', 'flood']))
  })
  it('let red pass at once, however many there are', () => {
    const red = out.filter(({ tier, rung, occurrence, channel }) => tier === 'red' && rung === 1 && occurrence === 1 && channel !== 'voice')
    expect(red).toHaveLength(20 * 2)
    for (const { alarms, at, withheld } of red) expect([at, withheld]).toEqual([Number(alarms[0]!.split('#')[1]), null])
  })
  it('become one message per person and way every five minutes, of bounded size', () => {
    const digests = out.filter(({ reason }) => reason === 'digest')
    expect(digests.map(({ at, channel, alarms }) => [Math.floor((at - START) / 1000), channel, alarms.length])).toEqual([
      // Of 1,970 alarms the most severe carry their ids; the text counts all.
      [300, 'sms', LIMITS.duty.alarmsPerDigest],
      [300, 'push', LIMITS.duty.alarmsPerDigest]
    ])
    expect(digests[0]!.text).toMatch(/^大榭化工:19\d\d 条报警:黄色 19\d\d,/)
  })
  it('keep no more than the alarms that stand', () => {
    expect(ladder.size).toBe(2_000)
  })
})

it('plans the same at any tick rate, and over a restart at any moment', () => {
  const random = new Random(7)
  const standing: { device: string; event: DeskEvent }[] = []
  let clock = START
  const script: { clock: number; act: (ladder: Ladder, out: PlannedNotification[], note: (event: DeskEvent) => void) => void }[] = []
  for (let i = 0; i < 120; i++) {
    clock += random.between(1, 90_000)
    const now = clock
    const kind = random.between(0, 9)
    const one = standing[random.between(0, Math.max(0, standing.length - 1))]
    if (one === undefined || kind < 5) {
      const event = turn(`T-${i}`, now, 'clear', kind === 0 ? 'red' : 'yellow')
      standing.push({ device: `T-${i}`, event })
      script.push({
        clock: now,
        act: (ladder, out, note) => {
          note(event)
          ladder.take([event], out)
        }
      })
    } else if (kind < 7) {
      const event = turn(one.device, now, one.event.alarm.tier, 'clear', one.event.alarm)
      standing.splice(standing.indexOf(one), 1)
      script.push({
        clock: now,
        act: (ladder, out, note) => {
          note(event)
          ladder.take([event], out)
        }
      })
    } else {
      // Whatever was planned last, its end comes now.
      const state = (['sent', 'delivered', 'failed'] as const)[kind - 7] as DeliveryReport['state']
      const pick = random.between(1, 5)
      script.push({
        clock: now,
        act: (ladder, out) => {
          const sent = out.filter(({ withheld, at }) => withheld === null && at < now)
          const id = sent.at(-pick)?.id
          if (id !== undefined) ladder.report({ id, state, providerId: null, problem: null }, now, out)
        }
      })
    }
  }
  const run = (tickMs: number | null, restarting: boolean): PlannedNotification[] => {
    const out: PlannedNotification[] = []
    let marks = new Marks(FLEET)
    const floods = { flooding: (enterprise: string | null) => marks.flooding(enterprise) }
    let ladder = new Ladder(MANY, floods)
    const advance = (to: number): void => {
      for (let now = Math.min(marks.nextDue, ladder.nextDue); now <= to; now = Math.min(marks.nextDue, ladder.nextDue)) {
        marks.advance(now, NOBODY, [])
        ladder.advance(now, out)
      }
    }
    let ticked = START
    for (const { clock: at, act } of script) {
      while (tickMs !== null && ticked + tickMs < at) advance((ticked += tickMs))
      advance(at - 1)
      if (restarting) {
        marks = Marks.restore(FLEET, deserialize(serialize(marks.snapshot())))
        ladder = Ladder.restore(MANY, deserialize(serialize(ladder.snapshot())), floods)
      }
      act(ladder, out, (event) => void marks.take(event, NOBODY, []))
    }
    advance(clock + 3_600_000)
    return out
  }
  const expected = run(null, false)
  expect(expected.length).toBeGreaterThan(300)
  expect(new Set(expected.map(({ id }) => id)).size).toBe(expected.length)
  expect(run(997, false)).toEqual(expected)
  expect(run(60_000, false)).toEqual(expected)
  expect(run(null, true)).toEqual(expected)
})

it('knows of which alarms nobody could be told, until somebody is or it is over', () => {
  const out: PlannedNotification[] = []
  const ladder = new Ladder(SAMPLE, { flooding: () => false })
  const raised = turn('T-101', START, 'clear', 'red')
  ladder.take([raised], out)
  let clock = START
  const unreached = () => ladder.unreached().map(({ id }) => id)
  const end = (state: 'failed' | 'sent', message: PlannedNotification) =>
    ladder.report({ id: message.id, state, providerId: null, problem: null }, ++clock, out)
  for (let i = 0; i < out.length; i++) {
    // While anything may still arrive, or a rung is still to be called, nothing is lost.
    expect([out[i]?.channel, unreached()]).toEqual([out[i]?.channel, []])
    end('failed', out[i] as PlannedNotification)
  }
  expect(new Set(out.map(({ rung }) => rung))).toEqual(new Set([1, 2, 3, 4]))
  expect(unreached()).toEqual([raised.alarm.id])
  expect(Ladder.restore(SAMPLE, deserialize(serialize(ladder.snapshot())), { flooding: () => false }).unreached()).toHaveLength(1)
  const failed = out.length
  ladder.advance(START + 120_000, out)
  // The repeat of the first rung is under way: it may arrive.
  expect([out.length > failed, unreached()]).toEqual([true, []])
  for (let i = failed; i < out.length; i++) end('failed', out[i] as PlannedNotification)
  expect(unreached()).toEqual([raised.alarm.id])
  const acknowledged = { ...raised.alarm, acknowledged: { by: 'li', at: clock, note: null } }
  const event = { kind: 'action', at: clock, id: raised.alarm.id, action: 'acknowledge', by: 'li', note: null } as const
  const answer = { event, alarm: acknowledged, before: raised.alarm, announced: false, withheld: null, cause: 'action', clock }
  ladder.take([answer as unknown as DeskEvent], out)
  expect(unreached()).toEqual([])
})

describe('a preview', () => {
  const alarm = { rule: 'tank-level', tier: 'red', device: 'T-101', area: null } as const

  it('shows the ladder of a hazard source to its end: duty, operation, technical, main', () => {
    const { ladder, told } = toldBy(SAMPLE, alarm, Date.parse('2026-02-01T14:30:00Z'))
    expect(ladder).toBe('hazard-source')
    const first = told.filter(({ occurrence }) => occurrence === 1)
    expect(
      first.map(({ at, rung, person, channel }) => [(at - Date.parse('2026-02-01T14:30:00Z')) / 60_000, rung, person, channel])
    ).toEqual([
      [0, 1, 'wang', 'sms'],
      [0, 1, 'wang', 'push'],
      [3, 2, 'chen', 'voice'],
      [8, 3, 'lin', 'voice'],
      [15, 4, 'gao', 'voice']
    ])
  })
  it('says the limits of the device in numbers', () => {
    const { told } = toldBy(SAMPLE, alarm, START)
    expect(told[0]?.words.howMuch).toBe('液位 > 95%')
  })
  it('is the same for the same question, and nobody where there is no duty', () => {
    const { duty: _duty, ...silent } = SAMPLE
    expect(toldBy(SAMPLE, alarm, START)).toEqual(toldBy(SAMPLE, alarm, START))
    expect(toldBy(silent as Plant, alarm, START)).toEqual({ ladder: null, told: [] })
  })
})
