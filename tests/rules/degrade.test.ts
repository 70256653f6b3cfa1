// The whole truth table of a two-out-of-three vote, in each way of degrading, against counting by hand.

import { describe, expect, it } from 'vitest'
import type { Degrade } from '../../src/model/plant.ts'
import { rule, World } from './world.ts'

const DEVICES = ['G-1', 'G-2', 'G-3'].map((id) => ({ id, area: 'pit' }))
const VALUES = { yes: 30, no: 1, unknown: null } as const
type Word = keyof typeof VALUES
const WORDS = Object.keys(VALUES) as Word[]
const ROWS = WORDS.flatMap((one) => WORDS.flatMap((two) => WORDS.map((three) => [one, two, three] as const)))

/** Contract 4 without a word; IEC 61511's 1oo2 or 2oo2 with one. */
function expected(row: readonly Word[], degrade: Degrade | undefined): Word {
  const [yes, no] = [row.filter((word) => word === 'yes').length, row.filter((word) => word === 'no').length]
  const known = yes + no
  if (degrade === undefined) return yes >= 2 ? 'yes' : no >= 2 ? 'no' : 'unknown'
  if (known === 0) return 'unknown'
  const needed = { towardsTrip: [1, 1, 2], towardsRun: [1, 2, 2] }[degrade][known - 1] as number
  return yes >= needed ? 'yes' : 'no'
}

describe.each([undefined, 'towardsTrip', 'towardsRun'] as const)('2oo3, degrade %s', (degrade) => {
  const vote = { ...rule({ id: 'gas', per: 'area', tiers: { red: { when: 'voted(2, a > 20)' } } }), ...(degrade && { degrade }) }
  const when = (world: World) => world.engine.explain('gas', { device: null, area: 'pit' })?.tiers[0]

  it.each(ROWS)('%s %s %s', (...row) => {
    const world = new World([vote], DEVICES)
    for (const { id } of DEVICES) world.say(0, { a: 1 }, id)
    for (const [index, { id }] of DEVICES.entries()) world.row(1, { a: VALUES[row[index] as Word] }, id)
    world.flush(1)
    const told = when(world)
    expect(told?.when.verdict).toBe(expected(row, degrade))
    expect(told?.on).toBe(expected(row, degrade) === 'yes')
    const members = row.filter((word) => word === 'unknown').length
    const degraded = degrade !== undefined && members > 0 && members < 3
    expect(told?.when.parts[0]?.degraded !== undefined).toBe(degraded)
  })

  it.each(ROWS)('once it is on, %s %s %s clears only where the whole vote is surely no', (...row) => {
    const world = new World([vote], DEVICES)
    for (const { id } of DEVICES) world.say(0, { a: 30 }, id)
    for (const [index, { id }] of DEVICES.entries()) world.row(1, { a: VALUES[row[index] as Word] }, id)
    world.flush(1)
    expect(when(world)?.on).toBe(expected(row, undefined) !== 'no')
  })
})
