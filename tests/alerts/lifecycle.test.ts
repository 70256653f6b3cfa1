// The whole table of the lifecycle (ISA-18.2, domain 4.1): from every state, by every event, to which state, and whether an
// operator is told.

import { describe, expect, it } from 'vitest'
import { Desk } from '../../src/alerts/desk.ts'
import { type DeskEvent, type IsaState, isaState, type Transition } from '../../src/model/alarm.ts'
import { numberFleet } from '../../src/model/fleet.ts'
import type { OperatorActionBody } from '../../src/model/journal.ts'
import type { Level } from '../../src/model/tier.ts'
import { turn, YARD } from './yard.ts'

const MINUTE = 60_000
const T0 = 1_000_000
const ID = `level/T-1#${T0}`
const SELECTOR = { profile: null, devices: null, labels: {}, area: null, site: null, enterprise: null }
const NAME = { zh: 'level', en: 'level' }
const RULED = numberFleet({
  ...YARD.plant,
  hash: 'ruled',
  rules: [
    {
      id: 'level',
      title: NAME,
      appliesTo: SELECTOR,
      per: 'device',
      latched: false,
      realarmMs: 15 * MINUTE,
      realarmAcknowledgedMs: 8 * 60 * MINUTE,
      tiers: [],
      guidance: NAME,
      source: null
    }
  ]
})
const TARGET = { device: 'T-1', area: null, site: null }

/** One alarm on a desk, a minute passing before each step. */
class Alarm {
  readonly desk = new Desk(RULED)
  readonly out: DeskEvent[] = []
  /** The engine's word for latched alarms: on, and the cause is gone. */
  causeGone = false
  #now = T0 - MINUTE
  #level: Level = 'clear'

  get state(): IsaState {
    const alarm = this.desk.alarm(ID)
    return alarm === null ? 'A' : isaState(alarm, this.causeGone)
  }

  gone(causeGone: boolean): this {
    this.causeGone = causeGone
    return this
  }

  turn(to: Level): this {
    this.#now += MINUTE
    this.desk.take([turn('T-1', T0, this.#now, this.#level, to) as Transition], [], this.#now, this.out)
    this.#level = to
    return this
  }

  act(action: string, more: Partial<OperatorActionBody> = {}, moved = false): this {
    this.#now += MINUTE
    this.desk.act({ id: ID, action, note: 'because', ...more }, 'li', this.#now, moved, this.out)
    return this
  }

  suppress(on: boolean): this {
    this.#now += MINUTE
    this.desk.take([], [{ at: this.#now, id: ID, by: 'state:cleaning', on, because: 'cleaning' }], this.#now, this.out)
    return this
  }

  outOfService(): this {
    this.#now += MINUTE
    const body = { id: null, action: 'outOfService' as const, target: TARGET, until: this.#now + 10 * MINUTE, note: 'calibration' }
    this.desk.serve(body, 'li', this.#now, this.out)
    return this
  }

  returned(): this {
    this.#now += MINUTE
    this.desk.serve({ id: null, action: 'returnToService', target: TARGET, note: null }, 'li', this.#now, this.out)
    return this
  }

  pass(ms: number): this {
    this.#now += ms
    this.desk.advance(this.#now, this.out)
    return this
  }

  shelve(): this {
    this.act('shelve', { until: this.#now + 11 * MINUTE })
    return this
  }
}

const STATES: Record<string, (alarm: Alarm) => unknown> = {
  A: (a) => a,
  'A (over)': (a) => a.turn('yellow').turn('clear').act('acknowledge'),
  B: (a) => a.turn('yellow'),
  C: (a) => a.turn('yellow').act('acknowledge'),
  D: (a) => a.turn('yellow').turn('clear'),
  E: (a) => a.turn('yellow').gone(true),
  F: (a) => a.turn('yellow').act('acknowledge').gone(true),
  'G (on)': (a) => a.turn('yellow').shelve(),
  'G (on, seen)': (a) => a.turn('yellow').act('acknowledge').shelve(),
  'G (clear)': (a) => a.turn('yellow').shelve().turn('clear'),
  H: (a) => a.turn('yellow').suppress(true),
  'I (on)': (a) => a.turn('yellow').outOfService(),
  'I (clear)': (a) => a.turn('yellow').outOfService().turn('clear'),
  'G and H': (a) => a.turn('yellow').shelve().suppress(true)
}

const EVENTS: Record<string, (alarm: Alarm) => unknown> = {
  'condition true': (a) => a.turn('yellow'),
  rises: (a) => a.turn('red'),
  clears: (a) => a.turn('clear'),
  acknowledge: (a) => a.act('acknowledge'),
  'reset, cause gone': (a) => a.act('reset', {}, true).gone(false).turn('clear'),
  'reset, cause there': (a) => a.act('reset', {}, false),
  shelve: (a) => a.shelve(),
  unshelve: (a) => a.act('unshelve'),
  suppress: (a) => a.suppress(true),
  unsuppress: (a) => a.suppress(false),
  'out of service': (a) => a.outOfService(),
  'return to service': (a) => a.returned(),
  expiry: (a) => a.pass(11 * MINUTE),
  're-alarm': (a) => a.pass(15 * MINUTE),
  're-alarm of the seen': (a) => a.pass(8 * 60 * MINUTE)
}

/** To which state; `!`: an operator is told now; `(…)`: would be told, were it not withheld. Left out: the event changes nothing. */
const TABLE: Record<string, Record<string, string>> = {
  A: { 'condition true': 'B!' },
  'A (over)': { 'condition true': 'B!', shelve: 'G' },
  B: {
    rises: 'B!',
    clears: 'D',
    acknowledge: 'C',
    'reset, cause gone': 'D',
    shelve: 'G',
    suppress: 'H',
    'out of service': 'I',
    're-alarm': 'B!'
  },
  C: {
    rises: 'B!',
    clears: 'A',
    'reset, cause gone': 'A',
    shelve: 'G',
    suppress: 'H',
    'out of service': 'I',
    're-alarm of the seen': 'B!'
  },
  D: { 'condition true': 'B!', acknowledge: 'A', shelve: 'G', 'out of service': 'I' },
  E: {
    rises: 'E!',
    clears: 'D',
    acknowledge: 'F',
    'reset, cause gone': 'D',
    shelve: 'G',
    suppress: 'H',
    'out of service': 'I',
    're-alarm': 'E!'
  },
  F: {
    rises: 'E!',
    clears: 'A',
    'reset, cause gone': 'A',
    shelve: 'G',
    suppress: 'H',
    'out of service': 'I',
    're-alarm of the seen': 'E!'
  },
  'G (on)': { rises: 'B!', unshelve: 'B!', suppress: 'H', 'out of service': 'I', expiry: 'B!', 're-alarm': 'B!' },
  'G (on, seen)': { rises: 'B!', unshelve: 'B!', suppress: 'H', 'out of service': 'I', expiry: 'B!', 're-alarm': 'B!' },
  'G (clear)': { 'condition true': 'G(shelved)', unshelve: 'A', 'out of service': 'I', expiry: 'A', 're-alarm': 'A' },
  H: { rises: 'H(suppressed)', clears: 'A', 'reset, cause gone': 'A', shelve: 'H', unsuppress: 'B!', 'out of service': 'I' },
  'I (on)': { rises: 'I(outOfService)', 'return to service': 'B!', expiry: 'B!', 're-alarm': 'B!' },
  'I (clear)': { 'condition true': 'I(outOfService)', 'return to service': 'A', expiry: 'A', 're-alarm': 'A' },
  'G and H': {
    rises: 'H(suppressed)',
    clears: 'A',
    'reset, cause gone': 'A',
    unshelve: 'H(suppressed)',
    unsuppress: 'G(shelved)',
    'out of service': 'I',
    expiry: 'H(suppressed)',
    're-alarm': 'H(suppressed)'
  }
}

/** Events that are no happening in a state: there is nothing to rise, to clear or to come back. */
function isSense(state: string, event: string): boolean {
  const on = !['A', 'A (over)', 'D', 'G (clear)', 'I (clear)'].includes(state)
  if (event === 'condition true') return !on
  return on || !['rises', 'clears', 'reset, cause gone'].includes(event)
}

const CASES = Object.keys(STATES).flatMap((state) =>
  Object.keys(EVENTS)
    .filter((event) => isSense(state, event))
    .map((event) => [state, event, TABLE[state]?.[event] ?? null] as const)
)

describe('the lifecycle of an alarm', () => {
  it.each(CASES)('%s, %s -> %s', (state, event, expected) => {
    const alarm = new Alarm()
    STATES[state]!(alarm)
    const letter = state.startsWith('G and H') ? 'H' : state.charAt(0)
    expect(alarm.state).toBe(letter)
    const from = alarm.out.length
    EVENTS[event]!(alarm)
    const told = alarm.out.slice(from).filter(({ announced }) => announced).length
    const withheld = alarm.out.slice(from).flatMap(({ withheld: reason }) => (reason === null ? [] : [`(${reason})`]))
    expect(told).toBeLessThanOrEqual(event === 're-alarm of the seen' ? 40 : 2)
    const came = `${alarm.state}${told > 0 ? '!' : ''}${[...new Set(withheld)].join('')}`
    const unasked = expected === null && event.startsWith('re-alarm') ? letterAfterTime(state) : letter
    expect(came).toBe(expected ?? unasked)
  })

  /** A long time by itself: what is withheld for a while has come back, what is unacknowledged is announced. */
  function letterAfterTime(state: string): string {
    if (['B', 'E'].includes(state)) return `${state}!`
    if (/^[GI] \(on/.test(state)) return 'B!'
    if (/^[GI] \(clear/.test(state)) return 'A'
    return state === 'G and H' ? 'H(suppressed)' : state.charAt(0)
  }
})
