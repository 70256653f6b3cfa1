import { describe, expect, it } from 'vitest'
import { alarmEventLine } from '../../src/model/alarm.ts'
import { EPOCH, rule, World } from './world.ts'

const tankLevel = rule({
  id: 'tank-level',
  tiers: {
    yellow: { when: 'level_pct > limits.high', deadband: 2, for: '5s', clearFor: '10s' },
    red: { when: 'level_pct > limits.high_high', clear: 'level_pct < 93', for: '2s' }
  }
})

describe('one device', () => {
  it('enters after `for`, at exactly that instant, however rarely it is called', () => {
    const world = new World([tankLevel]).say(0, { level_pct: 86.1 }).pass(30)
    expect(world.log).toEqual(['5 tank-level/D clear -> yellow: level_pct 86.1 > 85 for 5s'])
    expect(alarmEventLine(world.events[0]!)).toBe(
      '{"at":"2026-01-01T00:00:05.000Z","rule":"tank-level","device":"D","from":"clear","to":"yellow","id":"tank-level/D#1767225605000","because":"level_pct 86.1 > 85 for 5s"}'
    )
  })

  it('falls from red to yellow and to clear by the exits of the tiers', () => {
    const world = new World([tankLevel])
    world.say(0, { level_pct: 96 }).say(10, { level_pct: 92 }).say(20, { level_pct: 84 }).say(30, { level_pct: 82.9 }).pass(60)
    expect(world.log).toEqual([
      '2 tank-level/D clear -> red: level_pct 96 > 95 for 2s',
      '10 tank-level/D red -> yellow: level_pct 92 < 93',
      '40 tank-level/D yellow -> clear: level_pct 82.9 <= 83 for 10s'
    ])
    expect(new Set(world.events.map(({ id }) => id))).toEqual(new Set([`tank-level/D#${EPOCH + 2000}`]))
  })

  it('does not enter when a reading says no at the very instant (true at 0:00, false at 1:00, for 60s)', () => {
    const world = new World([rule({ tiers: { red: { when: 'a > 1', for: '60s' } } })])
    expect(world.say(0, { a: 2 }).say(60, { a: 0 }).pass(300).log).toEqual([])
  })

  it('enters when readings of that instant still say yes', () => {
    const world = new World([rule({ tiers: { red: { when: 'a > 1', for: '60s' } } })])
    expect(world.say(0, { a: 2 }).say(60, { a: 3 }).pass(60).log).toEqual(['60 r/D clear -> red: a 3 > 1 for 1m'])
  })

  it('lets every reading of an instant act before a delay runs out in it', () => {
    const world = new World([rule({ tiers: { red: { when: 'a > 1 && b > 1', for: '30s' } } })])
    world.say(0, { a: 2, b: 2 }).say(30, { a: 2 }).say(30, { b: 0 }).pass(100)
    expect(world.log).toEqual([])
  })

  it.each([
    [{ when: 'a < 0.14', deadband: 0.01 }, 0.13, 0.149, 0.15],
    [{ when: 'a > 1.2', deadband: 0.1 }, 1.3, 1.11, 1.1],
    [{ when: 'a < -0.3', deadband: 0.1 }, -0.4, -0.21, -0.2]
  ])('leaves at exactly the limit and the deadband of %o, as decimals', (red, beyond, between, exit) => {
    const world = new World([rule({ tiers: { red } })]).say(0, { a: beyond }).say(10, { a: between }).say(20, { a: exit })
    expect(world.turns).toEqual(['0 r/D clear -> red', '20 r/D red -> clear'])
  })

  it('starts anew after a break, and names an alarm by its own raise', () => {
    const world = new World([rule({ tiers: { red: { when: 'a > 1', for: '10s' } } })])
    for (const [at, a] of [
      [0, 2],
      [9, 0],
      [10, 2],
      [25, 0],
      [30, 2]
    ] as const)
      world.say(at, { a })
    expect(world.pass(60).turns).toEqual(['20 r/D clear -> red', '25 r/D red -> clear', '40 r/D clear -> red'])
    expect(world.events.map(({ id }) => id)).toEqual([`r/D#${EPOCH + 20_000}`, `r/D#${EPOCH + 20_000}`, `r/D#${EPOCH + 40_000}`])
  })

  it('prints the default exit as the negation', () => {
    const world = new World([rule({ tiers: { red: { when: 'level_pct > limits.high' } } })])
    expect(world.say(0, { level_pct: 86.10000000000001 }).say(1, { level_pct: 84 }).log).toEqual([
      '0 r/D clear -> red: level_pct 86.1 > 85',
      '1 r/D red -> clear: level_pct 84 <= 85'
    ])
  })

  it('writes one transition where two tiers turn in one instant', () => {
    const both = rule({ tiers: { blue: { when: 'a > 1', for: '5s' }, orange: { when: 'a > 2', for: '5s' } } })
    expect(new World([both]).say(0, { a: 3 }).pass(9).turns).toEqual(['5 r/D clear -> orange'])
  })

  it('goes straight to the highest tier and down each by its own exit', () => {
    const world = new World([
      rule({
        tiers: {
          blue: { when: 'a > 40', clear: 'a < 30' },
          yellow: { when: 'a > 60', clear: 'a < 50' },
          red: { when: 'a > 80', clear: 'a < 70' }
        }
      })
    ])
    const values = [45, 40, 30, 29, 45, 61, 49, 29, 45, 61, 81, 69, 50, 41, 25]
    for (const [at, a] of values.entries()) world.say(at, { a })
    expect(world.turns.map((line) => line.replace('r/D ', ''))).toEqual([
      '0 clear -> blue',
      '3 blue -> clear',
      '4 clear -> blue',
      '5 blue -> yellow',
      '6 yellow -> blue',
      '7 blue -> clear',
      '8 clear -> blue',
      '9 blue -> yellow',
      '10 yellow -> red',
      '11 red -> yellow',
      '13 yellow -> blue',
      '14 blue -> clear'
    ])
  })
})

describe('unknown', () => {
  const five = rule({ tiers: { red: { when: 'a > 5', for: '10s', clearFor: '10s' } } })

  it('neither raises nor clears', () => {
    const world = new World([five]).say(0, { a: null }).pass(30).say(40, { a: 9 }).say(60, { a: null }).pass(300)
    expect(world.turns).toEqual(['50 r/D clear -> red'])
  })

  it('lets the delay neither run out nor start anew', () => {
    const world = new World([five]).say(0, { a: 9 }).say(5, { a: null }).pass(12)
    expect(world.turns).toEqual([])
    expect(world.say(15, { a: 9 }).turns).toEqual(['15 r/D clear -> red'])
  })

  it('is over before the delay runs out: the delay keeps its instant', () => {
    const world = new World([five]).say(0, { a: 9 }).say(3, { a: null }).say(6, { a: 9 }).pass(30)
    expect(world.turns).toEqual(['10 r/D clear -> red'])
  })

  it('is what lies out of range', () => {
    expect(new World([five]).say(0, { a: 5000 }).pass(30).turns).toEqual([])
  })

  it('is a value held longer than silentAfter, to the millisecond', () => {
    const minute = rule({ tiers: { red: { when: 'a > 5', for: '60s' } } })
    expect(new World([minute]).say(0, { a: 9 }).pass(100).turns).toEqual(['60 r/D clear -> red'])
    const longer = rule({ tiers: { red: { when: 'a > 5', for: '60001ms' } } })
    const world = new World([longer]).say(0, { a: 9 }).pass(100)
    expect(world.turns).toEqual([])
    expect(world.say(120, { a: 9 }).turns).toEqual(['120 r/D clear -> red'])
  })

  it('is everything a gateway said, once it is offline, until the device reports again', () => {
    const world = new World([five]).say(0, { a: 9 }).offline(5).pass(50)
    expect(world.turns).toEqual([])
    expect(world.say(52, { b: 1 }).pass(55).turns).toEqual([])
    expect(world.say(56, { a: 8 }).turns).toEqual(['56 r/D clear -> red'])
  })

  it('leaves an alarm standing when data stops', () => {
    const world = new World([five]).say(0, { a: 9 }).pass(10).offline(12).pass(100_000)
    expect(world.turns).toEqual(['10 r/D clear -> red'])
    expect([...world.engine.standing()]).toEqual([{ id: `r/D#${EPOCH + 10_000}`, rule: 'r', subject: 'D', level: 'red' }])
  })

  it('is absorbed by a decisive part', () => {
    const world = new World([
      rule({ id: 'and', tiers: { red: { when: '!(a > 0 && b > 0)' } } }),
      rule({ id: 'or', tiers: { red: { when: 'a > 0 || b > 0' } } })
    ])
    expect(world.say(0, { a: -1 }).log).toEqual(['0 and/D clear -> red: a -1 <= 0'])
    expect(world.say(1, { a: null, b: 1 }).log.slice(1)).toEqual(['1 or/D clear -> red: b 1 > 0'])
  })
})

describe('time lines', () => {
  const quick = rule({ tiers: { red: { when: 'a > 5', for: '10s', clearFor: '10s' } } })

  it('judges a backlog as it happened', () => {
    const world = new World([quick]).say(0, { a: 1 }).offline(5).pass(600)
    world.row(20, { a: 9 }).row(40, { a: 9 }).row(50, { a: 1 }).row(70, { a: 1 })
    expect(world.flush(600).turns).toEqual(['30 r/D clear -> red', '60 r/D red -> clear'])
  })

  it('never lets a sample from the past run a delay out at once', () => {
    const world = new World([quick]).say(0, { a: 9 }, 'D', { received: 3600 }).pass(3600)
    expect(world.turns).toEqual([])
    expect(world.pass(3610).turns).toEqual(['10 r/D clear -> red'])
  })

  it('runs between readings as our clock does', () => {
    const world = new World([quick]).say(0, { a: 1 }, 'D', { received: 100 }).say(5, { a: 9 }, 'D', { received: 105 })
    expect(world.pass(114.999).turns).toEqual([])
    expect(world.engine.nextDue()).toBe(EPOCH + 115_000)
    expect(world.pass(115).turns).toEqual(['15 r/D clear -> red'])
  })

  it('lets what was due on the way happen first when a reading moves the line ahead', () => {
    const world = new World([quick]).say(0, { a: 9 }, 'D', { received: 100 }).say(30, { a: 1 }, 'D', { received: 101 })
    expect(world.turns).toEqual(['10 r/D clear -> red'])
    expect(world.pass(200).turns).toEqual(['10 r/D clear -> red', '40 r/D red -> clear'])
  })

  it('never clears an alarm before it was raised', () => {
    const silent = rule({ tiers: { yellow: { when: "silent('30s')" } } })
    const world = new World([silent]).say(0, { a: 1 }).pass(100)
    expect(world.say(10, { a: 1 }, 'D', { received: 100 }).log).toEqual([
      '30 r/D clear -> yellow: nothing received for 30s',
      '30 r/D yellow -> clear: received within 30s'
    ])
  })

  it('takes a late sample as a sign of life only', () => {
    const silent = rule({ id: 'silent', tiers: { yellow: { when: "silent('30s')" } } })
    const world = new World([silent, quick]).say(10, { a: 1 }).say(5, { a: 99 }, 'D', { received: 35, late: true }).pass(64)
    expect(world.turns).toEqual([])
    expect(world.pass(65).turns).toEqual(['65 silent/D clear -> yellow'])
  })

  it('does not know whether a device that never reported is silent', () => {
    const silent = rule({ tiers: { yellow: { when: "silent('30s')" } } })
    expect(new World([silent]).pass(1e6).turns).toEqual([])
  })

  it('gives each device its own, and orders events by our clock first', () => {
    const world = new World([quick], [{ id: 'A' }, { id: 'B' }])
    world.say(0, { a: 9 }, 'B').say(0, { a: 9 }, 'A', { received: 3 }).pass(60)
    expect(world.turns).toEqual(['10 r/B clear -> red', '10 r/A clear -> red'])
  })

  it('orders what one record causes by instant, rule, subject', () => {
    const now = (id: string) => rule({ id, tiers: { red: { when: 'a > 5' } } })
    const world = new World([now('y'), now('x')], [{ id: 'B' }, { id: 'A' }])
    world.row(2, { a: 9 }, 'B').row(1, { a: 9 }, 'A').flush(3)
    expect(world.turns).toEqual(['1 x/A clear -> red', '1 y/A clear -> red', '2 x/B clear -> red', '2 y/B clear -> red'])
  })
})

describe('latched', () => {
  const latched = rule({ latched: true, tiers: { red: { when: 'a > 5', clearFor: '10s' } } })
  const id = `r/D#${EPOCH}`

  it('stands until an operator resets it, which needs its cause gone for clearFor', () => {
    const world = new World([latched]).say(0, { a: 9 }).say(1, { a: 1 }).pass(5)
    expect(world.engine.reset(id, EPOCH + 6000, world.events)).toBe(false)
    expect(world.pass(50).turns).toEqual(['0 r/D clear -> red'])
    expect(world.engine.reset(id, EPOCH + 50_000, world.events)).toBe(true)
    expect(world.log).toEqual(['0 r/D clear -> red: a 9 > 5', '50 r/D red -> clear: a 1 <= 5 for 10s, reset by an operator'])
    expect(world.engine.reset(id, EPOCH + 51_000, world.events)).toBe(false)
  })

  it('is not reset while the cause stands or is not known to be gone', () => {
    const world = new World([latched]).say(0, { a: 9 })
    expect(world.engine.reset(id, EPOCH + 1000, world.events)).toBe(false)
    world.say(2, { a: null })
    expect(world.engine.reset(id, EPOCH + 30_000, world.events)).toBe(false)
  })

  it('cannot reset what is not latched or not standing', () => {
    const world = new World([rule({ tiers: { red: { when: 'a > 5' } } })]).say(0, { a: 9 })
    expect(world.engine.reset(id, EPOCH + 1000, world.events)).toBe(false)
    expect(world.engine.reset('nonsense', EPOCH + 1000, world.events)).toBe(false)
    expect(world.engine.reset('r/X#1', EPOCH + 1000, world.events)).toBe(false)
  })
})

describe('per area', () => {
  const gas = rule({
    id: 'gas',
    per: 'area',
    tiers: { orange: { when: 'voted(1, a > 20)' }, red: { when: 'voted(2, a > 20)', for: '10s' } }
  })
  const devices = [{ id: 'G-1', area: 'pit' }, { id: 'G-2', area: 'pit' }, { id: 'G-3', area: 'pit' }, { id: 'X' }]

  it('is one alarm of the area, with the devices that voted', () => {
    const world = new World([gas], devices)
    for (const id of ['G-1', 'G-2', 'G-3', 'X']) world.say(0, { a: 1 }, id)
    world
      .say(5, { a: 30 }, 'G-2')
      .say(6, { a: 25 }, 'G-1')
      .say(6, { a: 99 }, 'X')
      .pass(20)
      .say(21, { a: 1 }, 'G-2')
      .say(22, { a: 1 }, 'G-1')
    expect(world.log).toEqual([
      '5 gas/pit clear -> orange: 1 of 3 devices: G-2 a 30 > 20',
      '16 gas/pit orange -> red: 2 of 3 devices: G-1 a 25 > 20, G-2 a 30 > 20 for 10s',
      '21 gas/pit red -> orange: only 1 of 3 devices',
      '22 gas/pit orange -> clear: only 0 of 3 devices'
    ])
    expect(world.events[0]!.area).toBe('pit')
    expect(world.events[0]!.device).toBe(null)
  })

  it('is no only when it no longer can be yes', () => {
    const world = new World([gas], devices)
    world.say(0, { a: 30 }, 'G-1').say(1, { a: 1 }, 'G-1')
    expect(world.turns).toEqual(['0 gas/pit clear -> orange'])
    world.say(2, { a: 1 }, 'G-2').say(3, { a: 1 }, 'G-3')
    expect(world.turns).toEqual(['0 gas/pit clear -> orange', '3 gas/pit orange -> clear'])
  })

  it('does not enter when a member says no at the very instant', () => {
    const world = new World([gas], devices)
    world.say(0, { a: 30 }, 'G-1').say(0, { a: 30 }, 'G-2').say(0, { a: 30 }, 'G-3')
    world.say(10, { a: 30 }, 'G-1').say(10, { a: 1 }, 'G-2').say(10, { a: 1 }, 'G-3').pass(60)
    expect(world.turns).toEqual(['0 gas/pit clear -> orange'])
  })

  it('keeps the latest line of its members', () => {
    const world = new World([gas], devices)
    world.say(0, { a: 30 }, 'G-1', { received: 100 }).say(95, { a: 30 }, 'G-2', { received: 100 }).pass(200)
    // G-2's line is 5 s behind our clock and leads: the delay runs from 95 to 105 on it.
    expect(world.turns).toEqual(['0 gas/pit clear -> orange', '105 gas/pit orange -> red'])
  })

  it('holds an unknown member open', () => {
    const world = new World([gas], devices)
    world.say(0, { a: 30 }, 'G-1').say(0, { a: 30 }, 'G-2').pass(10)
    expect(world.turns).toEqual(['0 gas/pit clear -> orange', '10 gas/pit orange -> red'])
    world.say(11, { a: null }, 'G-1').say(11, { a: 1 }, 'G-3')
    expect(world.turns.length).toBe(2)
    expect(world.say(12, { a: 1 }, 'G-2').turns[2]).toBe('12 gas/pit red -> orange')
  })
})
