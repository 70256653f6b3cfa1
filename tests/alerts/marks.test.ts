// Marks against the figures: over any log, what was marked live is what the statistics of the log say. And older snapshots.

import { deserialize, serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { Desk } from '../../src/alerts/desk.ts'
import { Marks } from '../../src/alerts/marks.ts'
import { AlarmTally, STALE_MS } from '../../src/alerts/statistics.ts'
import type { DeskEvent, Transition } from '../../src/model/alarm.ts'
import type { MarkChange, MarkKind } from '../../src/model/mark.ts'
import type { Level } from '../../src/model/tier.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { Random } from '../../src/platform/random.ts'
import { YARD } from './yard.ts'

const T0 = Date.UTC(2026, 0, 1)
const SECOND = 1_000
const MINUTE = 60_000

/** Twenty rules on one device each, which come and go with the haste of the moment; lines run with our clock. */
function logOf(seed: number): Transition[] {
  const random = new Random(seed)
  const standing = new Map<string, { id: string; level: Level }>()
  const log: Transition[] = []
  let at = T0
  let haste = MINUTE
  for (let i = 0; i < 400; i++) {
    if (random.next() < 0.05) haste = random.pick([5 * SECOND, 20 * SECOND, MINUTE, 10 * MINUTE, 3 * 60 * MINUTE, 11 * 60 * MINUTE])
    // Round instants, so that ends and beginnings meet.
    at += random.between(0, Math.ceil(haste / SECOND)) * SECOND
    const rule = `r${random.between(0, haste < MINUTE ? 3 : 20)}`
    const known = standing.get(rule)
    const from: Level = known?.level ?? 'clear'
    const to = random.pick((['clear', 'clear', 'yellow', 'red'] as const).filter((level) => level !== from))
    const id = known?.id ?? `${rule}/T-1#${at}`
    // One alarm cannot be raised twice in one instant.
    if (log.some((one) => one.id === id && from === 'clear')) continue
    log.push({ kind: 'transition', at, rule, device: 'T-1', area: null, from, to, id, because: 'x' })
    if (to === 'clear') standing.delete(rule)
    else standing.set(rule, { id, level: to })
  }
  return log
}

/** Time advances at some rate, and the process may restart at any moment. */
function marksOf(log: readonly Transition[], until: number, tickMs: number | null, restarting: boolean): MarkChange[] {
  const out: MarkChange[] = []
  let desk = new Desk(YARD)
  let marks = new Marks(YARD)
  let ticked = T0
  const told: DeskEvent[] = []
  for (const transition of log) {
    while (tickMs !== null && ticked + tickMs < transition.at) marks.advance((ticked += tickMs), desk, out)
    if (restarting) {
      marks = Marks.restore(YARD, deserialize(serialize(marks.snapshot())))
      desk = Desk.restore(YARD, deserialize(serialize(desk.snapshot())))
    }
    desk.take([transition], [], transition.at, told)
    for (const event of told.splice(0)) {
      const marked = marks.take(event, desk, out)
      // The alarm carries what the marks say.
      expect(desk.alarm(event.alarm.id)).toEqual(marked.alarm)
    }
  }
  marks.advance(until, desk, out)
  return out
}

function of(changes: readonly MarkChange[], kind: MarkKind): MarkChange[] {
  return changes.filter((change) => change.kind === kind)
}

describe('what is marked live is what the figures of the log say', () => {
  const found = { floods: 0, chattering: 0, stale: 0 }
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('seed %i', (seed) => {
    const log = logOf(seed)
    const until = (log.at(-1)?.at ?? T0) + 5 * MINUTE
    const tally = new AlarmTally(T0)
    for (const transition of log) tally.take(transition)
    // What happens at `until` is in the marks: figures end just behind it.
    const { floods, chattering, staleCount } = tally.result(until + 1)
    const changes = marksOf(log, until, null, false)

    const everywhere = of(changes, 'flood').filter(({ scope }) => scope === 'installation')
    expect(everywhere.filter(({ on }) => on).map(({ at }) => at)).toEqual(floods.map(({ from }) => from))
    expect(everywhere.filter(({ on }) => !on).map(({ since, at, count }) => [since, at, count])).toEqual(
      floods.filter(({ to }) => to <= until).map(({ from, to, announced }) => [from, to, announced])
    )
    const episodes = Map.groupBy(
      of(changes, 'chattering').filter(({ on }) => on),
      ({ rule }) => rule
    )
    expect(new Map([...episodes].map(([rule, { length }]) => [rule, length]))).toEqual(
      new Map(chattering.map((one) => [one.rule, one.episodes]))
    )
    expect(of(changes, 'stale').filter(({ on }) => on)).toHaveLength(staleCount)

    found.floods += floods.length
    found.chattering += chattering.length
    found.stale += staleCount
  })

  it('is not because nothing ever happened', () => {
    expect(Object.entries(found).filter(([, count]) => count < 20)).toEqual([])
  })
})

it('says the same at any tick rate and over restarts at any moment, in the order of our clock, and each end after its beginning', () => {
  for (let seed = 0; seed < 12; seed++) {
    const log = logOf(seed)
    const until = (log.at(-1)?.at ?? T0) + 30 * 60 * MINUTE
    const expected = marksOf(log, until, null, false)
    expect(marksOf(log, until, 17 * MINUTE, false)).toEqual(expected)
    expect(marksOf(log, until, null, true)).toEqual(expected)
    expect(expected.map(({ at }) => at)).toEqual(expected.map(({ at }) => at).toSorted((a, b) => a - b))
    const on = new Map<string, number>()
    for (const { kind, at, on: begins, since, scope, site, enterprise, rule, alarms } of expected) {
      const key = `${kind} ${scope} ${site} ${enterprise} ${rule} ${kind === 'stale' || kind === 'firstOut' ? alarms[0] : ''}`
      if (begins) {
        expect(on.has(key)).toBe(false)
        on.set(key, at)
      } else {
        expect(on.get(key)).toBe(since)
        on.delete(key)
      }
    }
  }
})

it('takes over alarms that stood before there were marks: they grow stale, and none of them was the first', () => {
  const desk = new Desk(YARD)
  const told: DeskEvent[] = []
  const raise = (rule: string, at: number): Transition => ({
    ...{ kind: 'transition', at, rule, device: 'T-1', area: null, from: 'clear', to: 'yellow', id: `${rule}/T-1#${at}`, because: 'x' }
  })
  desk.take([raise('old', T0), raise('older', T0 - 2 * STALE_MS)], [], T0, told)
  const marks = new Marks(YARD)
  marks.adopt(desk.standing(), T0 + MINUTE)
  const out: MarkChange[] = []
  desk.take([raise('new', T0 + 2 * MINUTE)], [], T0 + 2 * MINUTE, told)
  marks.take(told.at(-1) as DeskEvent, desk, out)
  marks.advance(T0 + STALE_MS, desk, out)
  expect(out.map(({ kind, on, at, rule }) => [kind, on, at, rule])).toEqual([
    ['stale', true, T0 + MINUTE + 1, 'older'],
    ['stale', true, T0 + STALE_MS, 'old']
  ])
})

it('remembers no more than it needs', () => {
  const desk = new Desk(YARD)
  const marks = new Marks(YARD)
  const out: MarkChange[] = []
  let at = T0
  for (let i = 0; i < 20_000; i++) {
    at += 10 * SECOND
    const [rule, id] = [`r${i % 5_000}`, `r${i % 5_000}/T-1#${at}`]
    const told: DeskEvent[] = []
    const turn = { kind: 'transition', at, rule, device: 'T-1', area: null, id, because: 'x' } as const
    desk.take(
      [
        { ...turn, from: 'clear', to: 'yellow' },
        { ...turn, from: 'yellow', to: 'clear' }
      ],
      [],
      at,
      told
    )
    for (const event of told) marks.take(event, desk, out)
  }
  const { on, chatter, floods, firstOut } = marks.snapshot()
  expect([on.length, chatter.raised.length, chatter.episodes.length, firstOut.length]).toEqual([0, 0, 0, 0])
  // One each ten seconds, for as long as a mark may need them.
  expect(chatter.recent.length).toBeLessThanOrEqual(LIMITS.marks.chatterQuietMs / (10 * SECOND) + 1)
  expect(floods.every(([, { instants }]) => instants.length <= 11)).toBe(true)
})
