import { describe, expect, it } from 'vitest'
import type { Explanation } from '../../src/rules/explain.ts'
import { parseCondition } from '../../src/rules/expression.ts'
import { textOf } from '../../src/rules/nodeText.ts'
import { shapeOf } from '../../src/rules/tree.ts'
import { EPOCH, rule, World } from './world.ts'

const LEVEL = rule({
  tiers: {
    yellow: { when: 'level_pct > limits.high', deadband: 2, for: '30s', clearFor: '10s' },
    red: { when: 'level_pct > limits.high_high', for: '2s' }
  }
})

function why(world: World, device = 'D'): Explanation {
  return world.engine.explain('r', { device, area: null }) as Explanation
}

const seconds = (at: number | null): number | null => (at === null ? null : (at - EPOCH) / 1000)

describe('why a rule fired or did not', () => {
  it('says what keeps it off, with every value', () => {
    const world = new World([LEVEL]).say(10, { level_pct: 71 }).pass(15)
    const told = why(world)
    expect(told).toMatchObject({ device: 'D', area: null, level: 'clear', alarm: null, since: null })
    expect([seconds(told.clock), seconds(told.at)]).toEqual([15, 15])
    expect(told.sentence).toBe('yellow: not on: level_pct 71 <= 85')
    const [yellow] = told.tiers
    expect(yellow).toMatchObject({ tier: 'yellow', on: false, turnedAt: null, clock: null })
    expect(yellow?.when).toEqual({
      text: 'level_pct > limits.high',
      verdict: 'no',
      parts: [
        {
          depth: 0,
          device: 'D',
          text: 'level_pct > limits.high',
          verdict: 'no',
          shown: null,
          value: null,
          metric: null,
          at: null,
          ageMs: null,
          unknown: []
        },
        {
          depth: 1,
          device: 'D',
          text: 'level_pct',
          verdict: null,
          shown: '71',
          value: 71,
          metric: 'level_pct',
          at: EPOCH + 10_000,
          ageMs: 5_000,
          unknown: []
        },
        {
          depth: 1,
          device: 'D',
          text: 'limits.high',
          verdict: null,
          shown: '85',
          value: 85,
          metric: null,
          at: null,
          ageMs: null,
          unknown: []
        }
      ]
    })
    expect(yellow?.clear).toMatchObject({ text: 'level_pct <= limits.high - 2', verdict: 'yes' })
  })

  it('counts a running delay, on the way up and down', () => {
    const world = new World([LEVEL]).say(10, { level_pct: 86.1 }).pass(22)
    expect(why(world).sentence).toBe('yellow: not yet: level_pct 86.1 > 85 holds since 12s of 30s')
    const { clock } = why(world).tiers[0]!
    expect(clock).toEqual({ of: 'when', since: EPOCH + 10_000, patienceMs: 30_000, elapsedMs: 12_000, dueAt: EPOCH + 40_000 })
    expect(seconds(world.engine.nextDue())).toBe(40)

    world.pass(41)
    const on = why(world)
    expect(on).toMatchObject({ level: 'yellow', alarm: `r/D#${EPOCH + 40_000}`, since: EPOCH + 40_000 })
    expect(on.sentence).toBe('yellow: stays on: level_pct 86.1 > 83')
    expect([on.tiers[0]?.on, seconds(on.tiers[0]?.turnedAt ?? null)]).toEqual([true, 40])

    world.say(50, { level_pct: 80 }).pass(54)
    expect(why(world).sentence).toBe('yellow: leaving: level_pct 80 <= 83 holds since 4s of 10s')
    expect(why(world).tiers[0]?.clock).toMatchObject({ of: 'clear', dueAt: EPOCH + 60_000 })
    expect(world.turns).toEqual(['40 r/D clear -> yellow'])
  })

  it('tells of the higher tier that is on its way before the one that is on', () => {
    const world = new World([LEVEL]).say(0, { level_pct: 86 }).pass(35).say(40, { level_pct: 96 })
    expect(why(world).sentence).toBe('red: not yet: level_pct 96 > 95 holds since 0s of 2s')
    world.pass(43)
    expect(why(world).sentence).toBe('red: stays on: level_pct 96 > 95')
  })

  it('says where the clock of the device stands against ours', () => {
    const world = new World([LEVEL]).say(10, { level_pct: 86 }, 'D', { received: 100 }).pass(105)
    const told = why(world)
    expect([seconds(told.clock), seconds(told.at)]).toEqual([105, 15])
    expect(told.tiers[0]?.clock).toMatchObject({ since: EPOCH + 10_000, elapsedMs: 5_000, dueAt: EPOCH + 130_000 })
    expect(seconds(world.engine.nextDue())).toBe(130)
  })
})

describe('why a condition is unknown', () => {
  const sentence = (world: World): string => why(world).sentence

  it('names what is missing, faulty, too old, or gone with its gateway', () => {
    expect(sentence(new World([LEVEL]))).toBe('yellow: not on: unknown: D has not reported yet')
    expect(sentence(new World([LEVEL]).say(1, { a: 1 }))).toBe(
      'yellow: not on: unknown: level_pct has not been reported, or not since the gateway went offline'
    )
    expect(sentence(new World([LEVEL]).say(1, { level_pct: null }))).toBe('yellow: not on: unknown: level_pct is faulty')
    expect(sentence(new World([LEVEL]).say(1, { level_pct: 111 }))).toBe('yellow: not on: unknown: level_pct is out of range')
    expect(sentence(new World([LEVEL]).say(1, { level_pct: 5 }).pass(71))).toBe(
      'yellow: not on: unknown: level_pct was last reported 1m10s ago and counts for 1m'
    )
    expect(sentence(new World([LEVEL]).say(1, { level_pct: 5 }).offline(9))).toBe(
      'yellow: not on: unknown: level_pct has not been reported, or not since the gateway went offline'
    )
  })

  it('keeps an alarm on, and a delay waiting', () => {
    const world = new World([LEVEL]).say(0, { level_pct: 86 }).pass(12).say(13, { level_pct: null })
    expect(sentence(world)).toBe(
      'yellow: not on: unknown: level_pct is faulty; what has lasted for 13s of 30s waits until it is known again'
    )
    expect(why(world).tiers[0]?.clock).toMatchObject({ elapsedMs: 13_000, dueAt: null })
    world.say(14, { level_pct: 86 }).pass(30).say(31, { level_pct: null })
    expect(world.turns).toEqual(['30 r/D clear -> yellow'])
    expect(sentence(world)).toBe('yellow: stays on: whether it may leave is unknown: level_pct is faulty')
  })

  it('names only the parts that decide', () => {
    const both = rule({ tiers: { red: { when: 'a > 1 && b > 1' } } })
    const world = new World([both]).say(0, { a: 5 })
    expect(sentence(world)).toBe('red: not on: unknown: b has not been reported, or not since the gateway went offline')
    expect(why(world).tiers[0]?.when.parts.map(({ depth, text, verdict, shown }) => [depth, text, verdict ?? shown])).toEqual([
      [0, 'a > 1 && b > 1', 'unknown'],
      [1, 'a > 1', 'yes'],
      [2, 'a', '5'],
      [1, 'b > 1', 'unknown'],
      [2, 'b', 'unknown']
    ])
    expect(sentence(world.say(1, { a: 0 }))).toBe('red: not on: a 0 <= 1')
  })

  it('says what a window lacks', () => {
    const looks = (when: string): World => new World([rule({ tiers: { red: { when } } })]).say(0, { a: 5 })
    expect(sentence(looks("delta(a, '30s') > 1"))).toBe('red: not on: unknown: no value of a is known from 30s ago')
    expect(sentence(looks("timeTo(a, 9, '30s') < 1"))).toBe('red: not on: unknown: too few good samples of a in the last 30s')
    const never = looks("timeTo(a, 9, '30s') < 1").say(10, { a: 4 })
    expect(sentence(never)).toBe('red: not on: timeTo(a, 9, 30s) Infinity >= 1')
    expect(why(never).tiers[0]?.when.parts[1]).toMatchObject({ text: "timeTo(a, 9, '30s')", shown: 'Infinity', value: null })
  })
})

describe('areas, latches, and what is not watched', () => {
  const VOTE = rule({ per: 'area', latched: true, tiers: { orange: { when: 'voted(2, a > 10)' } } })
  const DEVICES = ['G1', 'G2', 'G3'].map((id) => ({ id, area: 'hall' }))

  it('shows a vote member by member', () => {
    const world = new World([VOTE], DEVICES).say(0, { a: 50 }, 'G1').say(5, { a: 1 }, 'G2')
    const told = world.engine.explain('r', { device: null, area: 'hall' }) as Explanation
    expect(told).toMatchObject({ device: null, area: 'hall', sentence: 'orange: not on: unknown: G3 has not reported yet' })
    expect(told.tiers[0]?.when.parts.map(({ depth, device, text, verdict, shown }) => [depth, device, text, verdict ?? shown])).toEqual([
      [0, null, 'voted(2, a > 10)', 'unknown'],
      [1, 'G1', 'a > 10', 'yes'],
      [2, 'G1', 'a', '50'],
      [1, 'G2', 'a > 10', 'no'],
      [2, 'G2', 'a', '1'],
      [1, 'G3', 'a > 10', 'unknown'],
      [2, 'G3', 'a', 'unknown']
    ])
    world.say(6, { a: 1 }, 'G3')
    expect(world.engine.explain('r', { device: null, area: 'hall' })?.sentence).toBe('orange: not on: only 1 of 3 devices')
  })

  it('says that a latched alarm waits for its reset', () => {
    const world = new World([VOTE], DEVICES)
    for (const id of ['G1', 'G2', 'G3']) world.say(0, { a: 50 }, id)
    const told = () => world.engine.explain('r', { device: null, area: 'hall' })?.sentence
    expect(told()).toBe('orange: stays on: 3 of 3 devices: G1 a 50 > 10, G2 a 50 > 10, G3 a 50 > 10')
    for (const id of ['G1', 'G2', 'G3']) world.say(9, { a: 5 }, id)
    expect(told()).toBe('orange: stays on until an operator resets it; its exit is met: only 0 of 3 devices')
  })

  it('has nothing to say where the rule does not watch', () => {
    const world = new World([LEVEL, VOTE], DEVICES)
    expect(world.engine.explain('r', { device: 'nobody', area: null })).toBeNull()
    expect(world.engine.explain('none', { device: 'G1', area: null })).toBeNull()
  })
})

describe('looking', () => {
  it('changes nothing, whenever it is done', () => {
    const rules = [
      LEVEL,
      rule({ id: 'vote', per: 'area', tiers: { red: { when: 'voted(1, rate(a, "30s") > 1 || stuck(b))', for: '5s' } } })
    ]
    const devices = ['D', 'E'].map((id) => ({ id, area: 'hall' }))
    const run = (look: boolean): World => {
      const world = new World(rules, devices)
      for (let t = 0; t < 200; t += 7) {
        world.say(t, { level_pct: (t * 37) % 110, a: (t * t) % 90, b: t < 90 ? 1 : t }, t % 2 === 0 ? 'D' : 'E').pass(t + 3)
        if (!look) continue
        const before = JSON.stringify(world.engine.snapshot())
        for (const id of ['D', 'E']) why(world, id)
        world.engine.explain('vote', { device: null, area: 'hall' })
        expect(JSON.stringify(world.engine.snapshot())).toBe(before)
      }
      return world
    }
    const [seen, unseen] = [run(true), run(false)]
    expect(seen.events.length).toBeGreaterThan(4)
    expect(seen.events).toEqual(unseen.events)
  })

  it('writes conditions that mean what was read', () => {
    for (const text of [
      'level_pct > limits.high',
      'level_pct > limits["high-1"]',
      "delta(a, '10m') > 5 && (b < 3 || !faulty(a)) && silent('90s')",
      'abs(a - b) * 2 >= -3 % (a + 1)',
      "(a > 1 ? a : b) in [1, 2] || stuck(a, '6h') == stuck(b)",
      "voted(2, timeTo(a, limits.high, '15m') < 10)",
      'a > 1 ? b > 2 : b > 3'
    ]) {
      const { condition } = parseCondition(text)
      expect(condition, text).not.toBeNull()
      const again = parseCondition(textOf(condition!))
      expect(again.condition && shapeOf(again.condition), textOf(condition!)).toBe(shapeOf(condition!))
    }
  })
})
