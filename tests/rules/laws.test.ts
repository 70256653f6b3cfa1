// Laws of the engine, on random rules and data: it agrees with a plain evaluation second by second; ticks, restarts and
// strangers change nothing; alarms stay whole whatever the lines do.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Transition } from '../../src/model/alarm.ts'
import { compileRules } from '../../src/rules/compile.ts'
import { Engine } from '../../src/rules/engine.ts'
import {
  and,
  type Condition,
  delta,
  either,
  faulty,
  fold,
  type NaiveTier,
  naiveTurns,
  not,
  or,
  outOfRange,
  over,
  ruleTextOf,
  type Sample,
  silent,
  stuck
} from './naive.ts'
import { EPOCH, rule, World } from './world.ts'

const RUNS = { numRuns: 300 }

const metric = fc.constantFrom('a', 'b')
const operator = fc.constantFrom('>', '>=', '<', '<=')
const limit = fc.integer({ min: -3, max: 3 })
const window = fc.constantFrom(1, 5, 10, 30, 45, 60, 90)

const simple: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(metric, operator, limit).map((args) => over(...args)) },
  { weight: 2, arbitrary: fc.tuple(metric, window, operator, limit).map((args) => delta(...args)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('avg' as const, 'min' as const, 'max' as const), metric, window, operator, limit)
      .map((args) => fold(...args))
  },
  { weight: 1, arbitrary: window.map(silent) },
  { weight: 1, arbitrary: metric.map(faulty) },
  { weight: 1, arbitrary: metric.map(outOfRange) },
  { weight: 1, arbitrary: fc.tuple(metric, window).map((args) => stuck(...args)) }
)

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    simple,
    tie('condition').map(not),
    fc.tuple(tie('condition'), tie('condition')).map((args) => and(...args)),
    fc.tuple(tie('condition'), tie('condition')).map((args) => or(...args)),
    fc.tuple(tie('condition'), tie('condition'), tie('condition')).map((args) => either(...args))
  )
}))

const patience = fc.constantFrom(0, 0, 1, 5, 10, 30, 60, 75)

/** The exit is the opposite of `when`, or that and something more: never yes together with it. */
const tier = (name: NaiveTier['tier']): fc.Arbitrary<NaiveTier> =>
  fc
    .record({ when: condition, more: fc.option(condition, { freq: 2 }), forS: patience, clearForS: patience })
    .map(({ when, more, forS, clearForS }) => ({ tier: name, when, clear: more === null ? null : and(not(when), more), forS, clearForS }))

const tiers = fc.oneof(fc.tuple(tier('yellow')), fc.tuple(tier('yellow'), tier('red')), fc.tuple(tier('blue'), tier('orange'), tier('red')))

const value = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: -4, max: 4 }) },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant(5000) }
)
const values = fc.oneof(
  { weight: 4, arbitrary: fc.record({ a: value }) },
  { weight: 3, arbitrary: fc.record({ a: value, b: value }) },
  { weight: 1, arbitrary: fc.record({ b: value }) },
  { weight: 1, arbitrary: fc.constant({}) }
)
const gap = fc.oneof(
  { weight: 4, arbitrary: fc.constant(10) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(60, 61, 90, 150) }
)
const samples: fc.Arbitrary<Sample[]> = fc.array(fc.tuple(gap, values), { minLength: 1, maxLength: 40 }).map((steps) => {
  let at = 0
  return steps.map(([after, said]) => ({ at: (at += after), values: said }))
})

describe('the engine', () => {
  it('agrees with looking at every second', () => {
    fc.assert(
      fc.property(tiers, samples, (some, series) => {
        const world = new World([rule(ruleTextOf(some))])
        for (const { at, values: said } of series) world.say(at, said)
        const end = (series.at(-1)?.at ?? 0) + 200
        expect(world.pass(end).turns).toEqual(naiveTurns(some.filter(isJudged(some)), series, end))
      }),
      { numRuns: 600 }
    )
  })
})

/** Tiers whose condition or exit is impossible are refused by the check and not judged. */
function isJudged(some: readonly NaiveTier[]): (tier: NaiveTier) => boolean {
  const world = new World([rule(ruleTextOf(some))])
  const judged = new Set(judgedTiers(world))
  return ({ tier: name }) => judged.has(name)
}

function judgedTiers(world: World): string[] {
  return compileRules(world.fleet).rules.flatMap(({ tiers: compiled }) => compiled.map(({ tier: name }) => name))
}

interface Step {
  readonly kind: 'sample' | 'offline' | 'reset'
  readonly device: string
  /** By our clock, seconds. */
  readonly received: number
  /** How far the sample's time lies before its receipt. */
  readonly age: number
  readonly values: Record<string, number | null>
}

const DEVICES = [
  { id: 'D', area: 'x' },
  { id: 'E', area: 'x' },
  { id: 'F', area: 'y' }
]

const step = fc.record({
  kind: fc.constantFrom('sample', 'sample', 'sample', 'sample', 'sample', 'sample', 'sample', 'offline', 'reset') as fc.Arbitrary<
    Step['kind']
  >,
  device: fc.constantFrom('D', 'E', 'F'),
  after: fc.oneof(fc.constantFrom(0, 0, 1, 5, 10, 30, 60, 100), fc.integer({ min: 0, max: 50 })),
  age: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -20, max: 400 }) }),
  values
})
const steps: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 1, maxLength: 40 }).map((some) => {
  let received = 0
  return some.map(({ after, ...rest }) => ({ ...rest, received: (received += after) }))
})

const areaTier = fc.record({ of: condition, count: fc.constantFrom(1, 2), forS: patience, clearForS: patience })
const rules = fc.record({ own: tiers, latched: fc.boolean(), vote: areaTier }).map(({ own, latched, vote }) => [
  rule({ ...ruleTextOf(own), id: 'own', latched }),
  rule({
    id: 'vote',
    per: 'area',
    appliesTo: { area: 'x' },
    tiers: { red: { when: `voted(${vote.count}, ${vote.of.text})`, for: `${vote.forS}s`, clearFor: `${vote.clearForS}s` } }
  })
])

interface Disturbance {
  /** Advances time to these instants (seconds) on the way. */
  readonly ticks?: readonly number[]
  /** Restores the engine from its snapshot before these steps. */
  readonly restarts?: ReadonlySet<number>
  /** Devices that are only noise, with a sample before every step. */
  readonly strangers?: boolean
}

/** Plays the steps as the live loop does, and answers the events of the devices D, E and F. */
function play(
  some: Parameters<typeof rule>[0][] | ReturnType<typeof rule>[],
  script: readonly Step[],
  how: Disturbance = {}
): Transition[] {
  const strangers = how.strangers === true ? [{ id: 'S', area: 'z' }, { id: 'T' }] : []
  const world = new World(some as ReturnType<typeof rule>[], [...strangers, ...DEVICES])
  const lastAt = new Map<string, number>()
  const end = (script.at(-1)?.received ?? 0) + 500
  let ticks = [...(how.ticks ?? [])].sort((a, b) => a - b)
  for (const [index, { kind, device, received, age, values: said }] of script.entries()) {
    for (const tick of ticks.filter((at) => at < received)) world.pass(tick)
    ticks = ticks.filter((at) => at >= received)
    if (how.restarts?.has(index) === true) world.engine = Engine.restore(world.fleet, structuredClone(world.engine.snapshot()))
    for (const { id } of strangers) world.say(received, { a: index % 7 }, id)
    if (kind === 'offline') world.offline(received)
    else if (kind === 'reset') {
      world.pass(received - 0.001)
      for (const { id } of [...world.engine.standing()]) world.engine.reset(id, EPOCH + received * 1000, world.events)
    } else {
      const late = received - age < (lastAt.get(device) ?? Number.NEGATIVE_INFINITY)
      if (!late) lastAt.set(device, received - age)
      world.say(received - age, said, device, { received, late })
    }
  }
  world.pass(end)
  return world.events.filter(({ device, area }) => device !== 'S' && device !== 'T' && area !== 'z')
}

describe('the log', () => {
  it('does not depend on how often time is advanced', () => {
    fc.assert(
      fc.property(rules, steps, fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 30 }), (some, script, ticks) => {
        expect(play(some, script, { ticks })).toEqual(play(some, script))
      }),
      RUNS
    )
  })

  it('is the same when the engine is restored from a snapshot at any point', () => {
    fc.assert(
      fc.property(rules, steps, fc.array(fc.nat(39), { maxLength: 10 }), (some, script, restarts) => {
        expect(play(some, script, { restarts: new Set(restarts) })).toEqual(play(some, script))
      }),
      RUNS
    )
  })

  it('is the same with other devices in between', () => {
    fc.assert(
      fc.property(rules, steps, (some, script) => {
        const scoped = some.map((one) =>
          one.per === 'area' ? one : { ...one, appliesTo: { ...one.appliesTo, devices: ['D', 'E', 'F', 'S', 'T'] } }
        )
        expect(play(scoped, script, { strangers: true })).toEqual(play(scoped, script))
      }),
      RUNS
    )
  })

  it('tells whole alarms: each begins at clear, goes on from where it was, and never goes back in time', () => {
    fc.assert(
      fc.property(rules, steps, (some, script) => {
        const last = new Map<string, Transition>()
        for (const event of play(some, script)) {
          const key = `${event.rule}/${event.device ?? event.area}`
          const before = last.get(key)
          expect(event.from).toBe(before?.to ?? 'clear')
          expect(event.to).not.toBe(event.from)
          expect(event.at).toBeGreaterThanOrEqual(before?.at ?? Number.NEGATIVE_INFINITY)
          expect(event.id).toBe(event.from === 'clear' ? `${key}#${event.at}` : before?.id)
          last.set(key, event)
        }
      }),
      RUNS
    )
  })

  it('knows beforehand when something may happen', () => {
    fc.assert(
      fc.property(rules, steps, (some, script) => {
        const world = new World(some, DEVICES)
        for (const { device, received, age, values: said } of script.filter(({ kind }) => kind === 'sample')) {
          world.say(received - age, said, device, { received, late: false })
        }
        for (
          let due = world.engine.nextDue(), rounds = 0;
          due < Number.POSITIVE_INFINITY && rounds < 1000;
          due = world.engine.nextDue(), rounds++
        ) {
          const before = world.events.length
          world.engine.advance(due - 1, world.events)
          expect(world.events.length).toBe(before)
          world.engine.advance(due, world.events)
          expect(world.engine.nextDue()).toBeGreaterThan(due)
        }
      }),
      { numRuns: 100 }
    )
  })
})
