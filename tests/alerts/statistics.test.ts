// Every figure of the alarm statistics, held against logs that were counted by hand.

import { describe, expect, it } from 'vitest'
import { compareAlarms, SpanCollector } from '../../src/alerts/comparing.ts'
import { floodsIn } from '../../src/alerts/floods.ts'
import { AlarmTally, utcDay } from '../../src/alerts/statistics.ts'
import type { Transition } from '../../src/model/alarm.ts'
import type { Level } from '../../src/model/tier.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')
const raisedAt = new Map<string, number>()

/** `seconds rule/device from>to`, one a line, as transitions. */
function log(text: string): Transition[] {
  raisedAt.clear()
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [seconds, name, turn] = line.trim().split(/\s+/) as [string, string, string]
      const [rule, device] = name.split('/') as [string, string]
      const [from, to] = turn.split('>') as [Level, Level]
      const at = T0 + Number(seconds) * 1000
      if (from === 'clear') raisedAt.set(name, at)
      return { kind: 'transition', at, rule, device, area: null, from, to, id: `${name}#${raisedAt.get(name)}`, because: 'b' }
    })
}

function tally(text: string, until: number): ReturnType<AlarmTally['result']> {
  const counted = new AlarmTally(T0)
  for (const event of log(text)) counted.take(event)
  return counted.result(T0 + until * 1000)
}

describe('counts', () => {
  const LOG = `
    10 level/A clear>yellow
    20 level/A yellow>red
    30 gas/B clear>red
    50 level/A red>yellow
    60 level/A yellow>clear
    70 level/A clear>yellow
    90 gas/B red>clear`

  it('by rule, tier and subject, with the time each stood', () => {
    const { total, tiers, rules, subjects, badActors, first } = tally(LOG, 100)
    expect(total).toEqual({
      alarms: 3,
      announced: 4,
      activeMs: 50_000 + 30_000 + 60_000,
      redMs: 30_000 + 60_000,
      firstAt: T0 + 10_000,
      worst: { blue: 0, yellow: 1, orange: 0, red: 2 },
      standing: 1
    })
    expect(tiers).toEqual([
      { tier: 'red', announced: 2, activeMs: 90_000, firstAt: T0 + 20_000 },
      { tier: 'orange', announced: 0, activeMs: 0, firstAt: null },
      { tier: 'yellow', announced: 2, activeMs: 50_000, firstAt: T0 + 10_000 },
      { tier: 'blue', announced: 0, activeMs: 0, firstAt: null }
    ])
    expect(rules.map(({ rule, alarms, announced, redMs, subjects: of }) => [rule, alarms, announced, redMs, of])).toEqual([
      ['level', 2, 3, 30_000, 1],
      ['gas', 1, 1, 60_000, 1]
    ])
    expect(subjects.map(({ device, alarms, firstAt }) => [device, alarms, firstAt])).toEqual([
      ['A', 2, T0 + 10_000],
      ['B', 1, T0 + 30_000]
    ])
    expect(badActors.map(({ rule, device, share }) => [rule, device, share])).toEqual([
      ['level', 'A', 2 / 3],
      ['gas', 'B', 1 / 3]
    ])
    expect(first).toEqual({ rule: 'level', device: 'A', area: null, at: T0 + 10_000, tier: 'yellow' })
  })

  it('by day, with the day named as asked for', () => {
    const late = 15 * 3600
    const text = `${late} r/A clear>blue\n${late + 10} r/A blue>clear\n${late + 3600 * 2} r/A clear>blue\n${late + 3600 * 10} r/B clear>red`
    expect(tally(text, 4e5).days).toEqual([
      { day: '2026-01-01', alarms: 2, announced: { blue: 2, yellow: 0, orange: 0, red: 0 } },
      { day: '2026-01-02', alarms: 1, announced: { blue: 0, yellow: 0, orange: 0, red: 1 } }
    ])
    const shanghai = new AlarmTally(T0, (at) => utcDay(at + 8 * 3_600_000))
    for (const event of log(text)) shanghai.take(event)
    expect(shanghai.result(T0 + 4e8).days.map(({ day, alarms }) => [day, alarms])).toEqual([
      ['2026-01-01', 1],
      ['2026-01-02', 2]
    ])
  })

  it('at most ten bad actors, the worst first, equals by name', () => {
    const lines: string[] = []
    for (let device = 0; device < 12; device++) {
      for (let n = 0; n <= (device === 7 ? 2 : 0); n++)
        lines.push(`${n * 100} r/D${device} clear>blue`, `${n * 100 + 1} r/D${device} blue>clear`)
    }
    const { badActors } = tally(lines.join('\n'), 1000)
    expect(badActors.map(({ device }) => device)).toEqual(['D7', 'D0', 'D1', 'D10', 'D11', 'D2', 'D3', 'D4', 'D5', 'D6'])
    expect(badActors[0]).toMatchObject({ alarms: 3, share: 3 / 14 })
  })

  it('what stood before counts its time, not its raise; escalation counts as an announcement', () => {
    const counted = new AlarmTally(T0)
    counted.stands({ rule: 'r', device: 'A', area: null, level: 'yellow', id: `r/A#${T0 - 5000}` })
    counted.stands({ rule: 'r', device: 'B', area: null, level: 'red', id: `r/B#${T0 - 90_000_000}` })
    for (const event of log('10 r/A yellow>red\n20 r/A red>clear')) counted.take(event)
    const { total, stale } = counted.result(T0 + 30_000)
    expect(total).toMatchObject({ alarms: 0, announced: 1, activeMs: 50_000, redMs: 40_000, standing: 1, firstAt: null })
    expect(stale.map(({ device, raisedAt: at, forMs }) => [device, at, forMs])).toEqual([['B', T0 - 90_000_000, 90_030_000]])
  })

  it('stale: longer than 24 h, exactly 24 h is not', () => {
    const { stale, staleCount } = tally('0 r/A clear>blue\n0 r/B clear>blue\n86400 r/A blue>clear\n86401 r/B blue>clear', 90_000)
    expect([stale.map(({ device, forMs }) => [device, forMs]), staleCount]).toEqual([[['B', 86_401_000]], 1])
  })
})

describe('floods', () => {
  const seconds = (list: number[]) => list.map((at) => at * 1000)

  it('begin above 10 in 10 minutes and end below 5', () => {
    // The 11th comes at 0:10. Below five in (t - 10 min, t] once the seventh, of 0:06, has left: at 10:06.
    expect(floodsIn(seconds([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), 3_600_000)).toEqual([
      { from: 10_000, to: 606_000, announced: 11, peak: 11 }
    ])
    expect(floodsIn(seconds([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), 3_600_000)).toEqual([])
  })

  it('ten minutes are over at ten minutes', () => {
    const ten = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    expect(floodsIn(seconds([0, ...ten, 600]), 3_600_000)).toEqual([])
    expect(floodsIn(seconds([0.001, ...ten, 600]), 3_600_000)).toHaveLength(1)
  })

  it('go on while five or more come, and are cut where the log ends', () => {
    const every2m = Array.from({ length: 20 }, (_, i) => 10 + i * 120)
    const [flood] = floodsIn(seconds([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...every2m]), 1_000_000)
    expect(flood).toEqual({ from: 10_000, to: 1_000_000, announced: 19, peak: 15 })
  })

  it('all at one instant', () => {
    expect(floodsIn(seconds(Array(11).fill(5)), 700_000)).toEqual([{ from: 5000, to: 605_000, announced: 11, peak: 11 }])
  })

  it('are counted from the log, whatever order devices told it in', () => {
    const lines = Array.from({ length: 12 }, (_, i) => `${(i * 7) % 12} r/D${i} clear>blue`)
    const { floods, floodMs } = tally(lines.join('\n'), 3600)
    expect(floods).toEqual([{ from: T0 + 10_000, to: T0 + 607_000, announced: 12, peak: 12 }])
    expect(floodMs).toBe(597_000)
  })
})

describe('chattering', () => {
  const cycles = (starts: number[], length: number) => starts.map((at) => `${at} r/A clear>blue\n${at + length} r/A blue>clear`).join('\n')

  it('is three full cycles within a minute', () => {
    expect(tally(cycles([0, 20, 50], 10), 100).chattering).toMatchObject([{ rule: 'r', device: 'A', episodes: 1, cycles: 3, firstAt: T0 }])
    expect(tally(cycles([0, 20, 51], 10), 100).chattering).toEqual([])
    expect(tally(cycles([0, 20], 10), 100).chattering).toEqual([])
  })

  it('counts each cycle once, and separate episodes', () => {
    expect(tally(cycles([0, 10, 20, 30, 1000, 1010, 1020], 5), 2000).chattering).toMatchObject([{ episodes: 2, cycles: 7 }])
  })
})

describe('comparing two logs', () => {
  const spans = (text: string) => {
    const collector = new SpanCollector()
    for (const event of log(text)) collector.take(event)
    return collector.spans
  }
  const changes = (was: string, now: string) =>
    compareAlarms(spans(was), spans(now)).changes.map(({ change, rule, device, byMs }) => `${change} ${rule}/${device} ${byMs}`)

  it('names what is added, removed, earlier and later', () => {
    const was = '10 r/A clear>red\n20 r/A red>clear\n100 r/B clear>red\n200 r/B red>clear\n300 r/C clear>red\n400 r/C red>clear'
    const now = '90 r/B clear>red\n200 r/B red>clear\n310 r/C clear>red\n400 r/C red>clear\n500 r/D clear>red'
    expect(changes(was, now)).toEqual(['removed r/A null', 'earlier r/B 10000', 'later r/C 10000', 'added r/D null'])
    expect(compareAlarms(spans(was), spans(now))).toMatchObject({ same: 0, counts: { added: 1, removed: 1, earlier: 1, later: 1 } })
  })

  it('alarms that do not stand together are different ones', () => {
    expect(changes('10 r/A clear>red\n20 r/A red>clear', '20 r/A clear>red\n30 r/A red>clear')).toEqual([
      'removed r/A null',
      'added r/A null'
    ])
    expect(changes('10 r/A clear>red\n20 r/A red>clear', '19 r/A clear>red\n30 r/A red>clear')).toEqual(['later r/A 9000'])
  })

  it('sees tiers and ends move', () => {
    const raise = '10 r/A clear>yellow'
    expect(changes(`${raise}\n20 r/A yellow>red`, `${raise}\n30 r/A yellow>red`)).toEqual(['lower r/A 10000'])
    expect(changes(`${raise}\n20 r/A yellow>red`, `${raise}`)).toEqual(['lower r/A null'])
    expect(changes(`${raise}`, `${raise}\n20 r/A yellow>red`)).toEqual(['higher r/A null'])
    expect(changes(`${raise}\n50 r/A yellow>clear`, `${raise}\n60 r/A yellow>clear`)).toEqual(['longer r/A 10000'])
    expect(changes(`${raise}\n50 r/A yellow>clear`, `${raise}\n50 r/A yellow>clear`)).toEqual([])
  })

  it('pairs one long alarm with the first of several', () => {
    expect(changes('10 r/A clear>red', '10 r/A clear>red\n20 r/A red>clear\n30 r/A clear>red\n40 r/A red>clear')).toEqual([
      'shorter r/A null',
      'added r/A null'
    ])
  })
})
