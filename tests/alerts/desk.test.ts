// The desk: what shelving, windows and suppression mean over several alarms and over time, and the law that it may die and
// come back anywhere.

import { deserialize, serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { Desk } from '../../src/alerts/desk.ts'
import { alarmEventLine, type DeskEvent, isaState, type Transition } from '../../src/model/alarm.ts'
import { type Fleet, numberFleet } from '../../src/model/fleet.ts'
import type { OperatorActionBody, ServiceTarget } from '../../src/model/journal.ts'
import type { Rule } from '../../src/model/plant.ts'
import type { SuppressionChange } from '../../src/model/suppression.ts'
import { LEVELS, type Level } from '../../src/model/tier.ts'
import { Random } from '../../src/platform/random.ts'
import { turn, YARD } from './yard.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const RULE: Rule = {
  id: 'level',
  title: { zh: 'level', en: 'level' },
  appliesTo: { profile: null, devices: null, labels: {}, area: null, site: null, enterprise: null },
  per: 'device',
  latched: false,
  tiers: [],
  guidance: { zh: '', en: '' },
  source: null
}

function ruled(more: Partial<Rule>): Fleet {
  return numberFleet({ ...YARD.plant, hash: 'ruled', rules: [{ ...RULE, ...more }] })
}

/** Events as `minute what announced`, the alarm by its subject and the minute of its raise. */
function told(out: readonly DeskEvent[]): string[] {
  return out.map(({ event, announced, withheld, clock }) => {
    const [subject, raised] = event.id.slice('level/'.length).split('#')
    const what = event.kind === 'transition' ? `${event.from}>${event.to}` : event.action
    return `${clock / MINUTE} ${subject}#${Number(raised) / MINUTE} ${what}${announced ? ' !' : ''}${withheld === null ? '' : ` (${withheld})`}`
  })
}

class World {
  readonly out: DeskEvent[] = []
  desk: Desk
  readonly #fleet: Fleet

  constructor(fleet: Fleet = YARD) {
    this.#fleet = fleet
    this.desk = new Desk(fleet)
  }

  /** A turn of the alarm that was raised at `raised`, all in minutes. */
  turn(subject: string, raised: number, at: number, from: Level, to: Level, changes: SuppressionChange[] = []): void {
    this.pass(at)
    this.desk.take([turn(subject, raised * MINUTE, at * MINUTE, from, to) as Transition], changes, at * MINUTE, this.out)
  }

  act(id: string, at: number, action: string, more: Partial<OperatorActionBody> = {}): string {
    this.pass(at)
    const [subject, raised] = id.split('#')
    const body = { id: `level/${subject}#${Number(raised) * MINUTE}`, action, note: 'because', ...more }
    const outcome = this.desk.act(body, 'li', at * MINUTE, false, this.out)
    return outcome.kind === 'refused' ? outcome.reason : outcome.kind
  }

  serve(target: Partial<ServiceTarget>, at: number, from: number | null, until: number | null): string | null {
    this.pass(at)
    const whole = { device: null, area: null, site: null, ...target }
    const action = until === null ? ('returnToService' as const) : ('outOfService' as const)
    const window = { from: from === null ? null : from * MINUTE, until: until === null ? null : until * MINUTE }
    return this.desk.serve({ id: null, action, target: whole, ...window, note: 'calibration' }, 'li', at * MINUTE, this.out)
  }

  /** Time passes to just before this minute. */
  pass(minute: number): void {
    this.desk.advance(minute * MINUTE - 1, this.out)
  }

  reborn(): void {
    this.desk = Desk.restore(this.#fleet, deserialize(serialize(this.desk.snapshot())))
  }
}

describe('shelving', () => {
  it('holds for every alarm of the rule on the subject, and returns by itself at its instant', () => {
    const world = new World()
    world.turn('T-1', 1, 1, 'clear', 'yellow')
    expect(world.act('T-1#1', 2, 'shelve', { until: 62 * MINUTE })).toBe('accepted')
    world.turn('T-1', 1, 3, 'yellow', 'clear')
    world.turn('T-1', 4, 4, 'clear', 'yellow')
    world.turn('T-1', 4, 5, 'yellow', 'clear')
    world.turn('T-1', 6, 6, 'clear', 'yellow')
    world.turn('T-2', 7, 7, 'clear', 'yellow')
    world.reborn()
    world.pass(100)
    expect(told(world.out)).toEqual([
      '1 T-1#1 clear>yellow !',
      '2 T-1#1 shelve',
      '3 T-1#1 yellow>clear',
      '4 T-1#4 clear>yellow (shelved)',
      '5 T-1#4 yellow>clear',
      '6 T-1#6 clear>yellow (shelved)',
      '7 T-2#7 clear>yellow !',
      '62 T-1#1 unshelve',
      '62 T-1#6 unshelve !'
    ])
    const states = ['T-1#1', 'T-1#4', 'T-1#6'].map((id) => {
      const [subject, raised] = id.split('#')
      return isaState(world.desk.alarm(`level/${subject}#${Number(raised) * MINUTE}`)!)
    })
    expect(states).toEqual(['A', 'A', 'B'])
  })

  it('does not hide what is worse than what was shelved', () => {
    const world = new World()
    world.turn('T-1', 1, 1, 'clear', 'yellow')
    world.act('T-1#1', 2, 'shelve', { until: 62 * MINUTE })
    world.turn('T-1', 1, 3, 'yellow', 'orange')
    world.turn('T-1', 1, 4, 'orange', 'clear')
    world.turn('T-1', 5, 5, 'clear', 'yellow')
    world.pass(100)
    expect(told(world.out).slice(2)).toEqual([
      '3 T-1#1 unshelve',
      '3 T-1#1 yellow>orange !',
      '4 T-1#1 orange>clear',
      '5 T-1#5 clear>yellow !'
    ])
  })

  it.each<[Level, number, string | undefined, string]>([
    ['blue', 24 * HOUR, 'operator', 'accepted'],
    ['blue', 24 * HOUR + 1, 'admin', 'invalid'],
    ['yellow', 12 * HOUR, 'operator', 'accepted'],
    ['yellow', 12 * HOUR + 1, 'operator', 'invalid'],
    ['orange', 4 * HOUR, 'operator', 'accepted'],
    ['orange', 4 * HOUR + 1, 'operator', 'invalid'],
    ['red', HOUR, 'operator', 'forbidden'],
    ['red', HOUR, 'engineer', 'accepted'],
    ['red', HOUR, undefined, 'accepted'],
    ['red', HOUR + 1, 'admin', 'invalid'],
    ['red', 0, 'admin', 'invalid']
  ])('%s for %d ms by %s: %s', (tier, ms, role, expected) => {
    const world = new World()
    world.turn('T-1', 1, 1, 'clear', tier)
    expect(world.act('T-1#1', 2, 'shelve', { until: 2 * MINUTE + ms, ...(role === undefined ? {} : { role }) })).toBe(expected)
  })

  it('takes its longest time from the plant, and wants a reason', () => {
    const world = new World(numberFleet({ ...YARD.plant, hash: 'strict', shelving: { yellow: 5 * MINUTE } }))
    world.turn('T-1', 1, 1, 'clear', 'yellow')
    expect(world.act('T-1#1', 2, 'shelve', { until: 8 * MINUTE })).toBe('invalid')
    expect(world.act('T-1#1', 2, 'shelve', { until: 7 * MINUTE, note: ' ' })).toBe('invalid')
    expect(world.act('T-1#1', 2, 'shelve', { until: 7 * MINUTE })).toBe('accepted')
    expect(world.act('T-1#1', 3, 'shelve', { until: 7 * MINUTE })).toBe('conflict')
  })
})

describe('out of service', () => {
  it('begins and ends by itself, whatever dies in between, for what stands in the place', () => {
    const world = new World()
    world.turn('T-1', 1, 1, 'clear', 'red')
    world.turn('S-1', 1, 1, 'clear', 'red')
    world.turn('area:bund', 1, 1, 'clear', 'red')
    expect(world.serve({ area: 'bund' }, 2, 10, 20)).toBeNull()
    world.reborn()
    world.turn('T-2', 12, 12, 'clear', 'red')
    world.turn('T-2', 12, 13, 'red', 'clear')
    world.turn('T-1', 1, 14, 'red', 'clear')
    world.reborn()
    world.pass(30)
    expect(told(world.out).slice(3)).toEqual([
      '10 T-1#1 outOfService',
      '10 bund#1 outOfService',
      '12 T-2#12 clear>red (outOfService)',
      '13 T-2#12 red>clear',
      '14 T-1#1 red>clear',
      '20 T-1#1 returnToService',
      '20 bund#1 returnToService !'
    ])
    expect(world.desk.windows()).toEqual([])
  })

  it('lasts as long as any window covers the device', () => {
    const world = new World()
    world.turn('T-1', 1, 1, 'clear', 'red')
    world.serve({ device: 'T-1' }, 2, null, 10)
    world.serve({ site: 'farm' }, 3, 5, 20)
    expect(world.serve({ device: 'T-1' }, 4, 6, 30)).toMatch(/^device T-1 is out of service from .* return it to service first/)
    expect(world.serve({ device: 'T-1' }, 7, null, null)).toBeNull()
    expect(world.serve({ device: 'T-1' }, 8, null, null)).toMatch(/not out of service/)
    world.pass(40)
    expect(told(world.out).slice(1)).toEqual(['2 T-1#1 outOfService', '5 T-1#1 outOfService', '20 T-1#1 returnToService !'])
  })
})

describe('suppression by design', () => {
  const change = (id: string, at: number, on: boolean): SuppressionChange => {
    return { at: at * MINUTE, id: `level/${id}`, by: 'state:cleaning', on, because: 'cleaning' }
  }

  it('acts before the raise it comes with, whether it is told before, with it, or long ahead', () => {
    const world = new World()
    world.turn('T-1', 1, 1, 'clear', 'yellow', [change(`T-1#${MINUTE}`, 1, true)])
    world.desk.take([], [change(`T-2#${2 * MINUTE}`, 2, true)], 2 * MINUTE, world.out)
    world.reborn()
    world.turn('T-2', 2, 2, 'clear', 'yellow')
    world.turn('T-1', 1, 3, 'yellow', 'red', [change(`T-1#${MINUTE}`, 3, false)])
    expect(told(world.out)).toEqual([
      '1 T-1#1 clear>yellow (suppressed)',
      '1 T-1#1 suppress',
      '2 T-2#2 clear>yellow (suppressed)',
      '2 T-2#2 suppress',
      '3 T-1#1 unsuppress',
      '3 T-1#1 yellow>red !'
    ])
    expect(alarmEventLine(world.out[1]!.event)).toBe(
      '{"at":"1970-01-01T00:01:00.000Z","id":"level/T-1#60000","action":"suppress","by":"state:cleaning","note":"cleaning"}'
    )
  })
})

describe('what people say', () => {
  it('wants a note where the rule demands one', () => {
    const world = new World(ruled({ acknowledgeNote: 'required' }))
    world.turn('T-1', 1, 1, 'clear', 'yellow')
    expect(world.act('T-1#1', 2, 'acknowledge', { note: ' ' })).toBe('invalid')
    expect(world.act('T-1#1', 3, 'acknowledge', { note: 'on my way' })).toBe('accepted')
  })

  it('closes with a disposition and another verifier once the alarm has cleared, also long after it is over', () => {
    const world = new World()
    world.turn('T-1', 1, 1, 'clear', 'yellow')
    const closing = { disposition: 'instrument-fault', verifier: 'wang' }
    expect(world.act('T-1#1', 2, 'close', closing)).toBe('conflict')
    expect(world.act('T-1#1', 2, 'assign', { assignee: 'zhao' })).toBe('accepted')
    expect(world.act('T-1#1', 2, 'assign', { assignee: 'zhao' })).toBe('unchanged')
    world.turn('T-1', 1, 3, 'yellow', 'clear')
    expect(world.act('T-1#1', 4, 'close', { disposition: 'bored' })).toBe('invalid')
    expect(world.act('T-1#1', 4, 'close', { ...closing, verifier: 'li' })).toBe('invalid')
    const over = world.desk.alarm(`level/T-1#${MINUTE}`)!
    expect(world.act('T-1#1', 5, 'close', closing)).toBe('accepted')
    expect(world.act('T-1#1', 6, 'close', closing)).toBe('unchanged')
    expect(world.act('T-1#1', 6, 'close', { disposition: 'real' })).toBe('conflict')
    expect(alarmEventLine(world.out.at(-1)!.event)).toBe(
      '{"at":"1970-01-01T00:05:00.000Z","id":"level/T-1#60000","action":"close","by":"li","note":"because","disposition":"instrumentFault","verifier":"wang"}'
    )
    expect(world.out.at(-1)?.alarm).toMatchObject({
      assignee: 'zhao',
      acknowledged: { by: 'li' },
      closed: { by: 'li', at: 5 * MINUTE, disposition: 'instrumentFault', verifier: 'wang', note: 'because' }
    })
    // Another desk, which has never heard of it, is told by the record.
    const later = new World()
    expect(later.act('T-1#1', 9, 'comment')).toBe('unknownAlarm')
    expect(later.act('T-1#1', 9, 'close', { ...closing, alarm: over })).toBe('accepted')
    expect(later.act('T-1#1', 9, 'close', { disposition: 'real', alarm: over })).toBe('conflict')
  })

  it('announces again and again until somebody acknowledges, and never what is withheld', () => {
    const world = new World(ruled({ realarmMs: 15 * MINUTE }))
    world.turn('T-1', 1, 1, 'clear', 'yellow')
    world.act('T-1#1', 40, 'acknowledge')
    world.turn('T-1', 1, 50, 'yellow', 'red')
    world.act('T-1#1', 51, 'shelve', { until: 100 * MINUTE })
    world.reborn()
    world.pass(120)
    expect(told(world.out)).toEqual([
      '1 T-1#1 clear>yellow !',
      '16 T-1#1 realarm !',
      '31 T-1#1 realarm !',
      '40 T-1#1 acknowledge',
      '50 T-1#1 yellow>red !',
      '51 T-1#1 shelve',
      '100 T-1#1 unshelve !',
      '115 T-1#1 realarm !'
    ])
  })
})

it('tells the same wherever it dies, and however often it is asked what is due', () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const [whole, mortal] = [new World(ruled({ realarmMs: 7 * MINUTE })), new World(ruled({ realarmMs: 7 * MINUTE }))]
    const chance = new Random(seed + 100)
    live(whole, new Random(seed), () => {})
    live(mortal, new Random(seed), (minute) => {
      if (chance.next() < 0.5) mortal.reborn()
      if (chance.next() < 0.5) mortal.pass(minute + chance.next())
    })
    expect(mortal.out).toEqual(whole.out)
    expect(whole.out.length).toBeGreaterThan(300)
    const clocks = whole.out.map(({ clock }) => clock)
    expect(clocks).toEqual(clocks.toSorted((one, other) => one - other))
    for (const { announced, alarm, withheld } of whole.out) {
      if (announced) expect([alarm.shelved, alarm.suppressedBy, alarm.outOfService, withheld]).toEqual([null, [], null, null])
    }
  }
})

/** Some hours of a plant on which everything happens. */
function live(world: World, random: Random, between: (minute: number) => void): void {
  const standing = new Map<string, { raised: number; level: Level }>()
  const ids: string[] = []
  for (let minute = 1; minute < 300; minute++) {
    const subject = random.pick(['T-1', 'T-2', 'S-1', 'area:bund'])
    const choice = random.next()
    if (choice < 0.5) {
      const { raised, level } = standing.get(subject) ?? { raised: minute, level: 'clear' as const }
      const to = random.pick(LEVELS.filter((other) => other !== level))
      world.turn(subject, raised, minute, level, to)
      if (level === 'clear') ids.push(`${subject.replace('area:', '')}#${raised}`)
      if (to === 'clear') standing.delete(subject)
      else standing.set(subject, { raised, level: to })
    } else if (choice < 0.8 && ids.length > 0) {
      const action = random.pick(['acknowledge', 'shelve', 'unshelve', 'comment', 'assign', 'close'])
      const until = (minute + random.between(1, 40)) * MINUTE
      world.act(random.pick(ids.slice(-8)), minute, action, { until, assignee: 'wang', disposition: 'test' })
    } else if (choice < 0.9) {
      const target = random.pick<Partial<ServiceTarget>>([{ device: 'T-1' }, { area: 'bund' }, { site: 'street' }])
      const from = minute + random.between(0, 5)
      world.serve(target, minute, from, random.next() < 0.3 ? null : from + random.between(1, 20))
    } else if (ids.length > 0) {
      const [name, raised] = random.pick(ids.slice(-4)).split('#')
      const on = random.next() < 0.6
      const change = { at: minute * MINUTE, id: `level/${name}#${Number(raised) * MINUTE}`, by: 'state:x' as const, on, because: 'x' }
      world.pass(minute)
      world.desk.take([], [change], minute * MINUTE, world.out)
    }
    between(minute)
  }
  world.pass(400)
}
