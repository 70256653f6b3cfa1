import { describe, expect, it } from 'vitest'
import { numberFleet } from '../../src/model/fleet.ts'
import { Engine } from '../../src/rules/engine.ts'
import { EPOCH, PROFILE, plantOf, rule, World } from './world.ts'

const high = (limit: number) => rule({ id: 'high', tiers: { red: { when: `a > ${limit}`, for: '10s' } } })
const other = rule({ id: 'other', tiers: { blue: { when: 'b > 0' } } })

describe('under another plant', () => {
  it('an unchanged rule keeps its alarm and its running delays', () => {
    const world = new World([high(5)])
      .say(0, { a: 9 })
      .under([other, high(5)], 4)
      .pass(30)
    expect(world.log).toEqual(['10 high/D clear -> red: a 9 > 5 for 10s'])
    world.under([high(5)], 40).say(41, { a: 1 })
    expect(world.turns).toEqual(['10 high/D clear -> red', '41 high/D red -> clear'])
  })

  it('a changed limit is judged at once, and its delay starts anew', () => {
    const world = new World([high(50)])
      .say(0, { a: 9 })
      .pass(20)
      .under([high(5)], 20)
      .pass(40)
    expect(world.turns).toEqual(['30 high/D clear -> red'])
    expect(world.under([high(8.5)], 41).turns.length).toBe(1)
    expect(world.under([high(9)], 42).log[1]).toBe('42 high/D red -> clear: a 9 <= 9')
  })

  it('clears what is gone: the rule, the device, the tier', () => {
    const both = rule({ id: 'two', tiers: { blue: { when: 'a > 1' }, red: { when: 'a > 5' } } })
    const onlyBlue = rule({ id: 'two', tiers: { blue: { when: 'a > 1' } } })
    const world = new World([both, other], [{ id: 'D' }, { id: 'E' }]).say(0, { a: 9, b: 1 }).say(0, { a: 9 }, 'E')
    world.under([onlyBlue], 10, [{ id: 'D' }])
    expect(world.log.slice(3)).toEqual([
      '10 other/D blue -> clear: rule removed',
      '10 two/D red -> blue: rule removed',
      '10 two/E red -> clear: rule removed'
    ])
    expect([...world.engine.standing()].map(({ id }) => id)).toEqual([`two/D#${EPOCH}`])
  })

  it('a new rule looks at what is held', () => {
    const world = new World([other]).say(0, { a: 9 }).under([rule({ id: 'new', tiers: { red: { when: 'a > 5' } } })], 20)
    expect(world.turns).toEqual(['20 new/D clear -> red'])
    expect(new World([other]).say(0, { a: 9 }).under([rule({ id: 'new', tiers: { red: { when: 'a > 5' } } })], 90).turns).toEqual([])
  })

  it('lines, held values and windows go on, by device and metric', () => {
    const rising = rule({ id: 'rising', tiers: { red: { when: "delta(a, '30s') > 5" } } })
    const shuffled = { ...PROFILE, metrics: PROFILE.metrics.toReversed() }
    const world = new World([rising], [{ id: 'D' }]).say(0, { a: 1 }, 'D', { received: 7 }).say(20, { a: 9 }, 'D', { received: 27 })
    world.under([rising], 30, [{ id: 'new' }, { id: 'D' }], [shuffled]).pass(60)
    expect(world.turns).toEqual(['30 rising/D clear -> red', '50 rising/D red -> clear'])
  })

  it('an area keeps its alarm while its members stay, and is judged anew where they change', () => {
    const gas = rule({ id: 'gas', per: 'area', tiers: { red: { when: 'voted(1, a > 5)' } } })
    const world = new World(
      [gas],
      [
        { id: 'D', area: 'x' },
        { id: 'E', area: 'x' }
      ]
    )
      .say(0, { a: 9 })
      .say(0, { a: 1 }, 'E')
    world.under([gas, other], 5, [
      { id: 'D', area: 'x' },
      { id: 'E', area: 'x' }
    ])
    expect(world.turns).toEqual(['0 gas/x clear -> red'])
    world.under([gas], 10, [
      { id: 'D', area: 'y' },
      { id: 'E', area: 'x' }
    ])
    expect(world.turns.slice(1)).toEqual(['10 gas/x red -> clear', '10 gas/y clear -> red'])
  })

  it('changes nothing where nothing has changed', () => {
    const rules = [high(5), other, rule({ id: 'lost', tiers: { blue: { when: "silent('45s')" } } })]
    const plain = new World(rules).say(0, { a: 9, b: 1 }).say(5, { a: null }).say(30, { a: 8 }).pass(200)
    const moved = new World(rules)
      .say(0, { a: 9, b: 1 })
      .under(rules, 3)
      .say(5, { a: null })
      .under(rules, 20)
      .say(30, { a: 8 })
      .under(rules, 31)
    expect(moved.pass(200).events).toEqual(plain.events)
  })
})

describe('snapshots', () => {
  it('are refused under another plant', () => {
    const snapshot = new World([high(5)]).engine.snapshot()
    expect(() => Engine.restore(numberFleet(plantOf([high(6)])), snapshot)).toThrow(/taken under plant/)
  })

  it('do not change while the engine goes on', () => {
    const world = new World([high(5)]).say(0, { a: 9 })
    const snapshot = world.engine.snapshot()
    world.pass(30).say(31, { a: 1 })
    const again = Engine.restore(world.fleet, structuredClone(snapshot))
    const out: typeof world.events = []
    again.advance(EPOCH + 30_000, out)
    expect(out).toEqual(world.events.slice(0, 1))
  })
})
