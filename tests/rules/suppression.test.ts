// What no scenario can show: another plant in force, and a copy that goes on.

import { expect, it } from 'vitest'
import type { Transition } from '../../src/model/alarm.ts'
import { numberFleet } from '../../src/model/fleet.ts'
import type { Inhibition, Plant } from '../../src/model/plant.ts'
import type { SuppressionChange } from '../../src/model/suppression.ts'
import type { Level } from '../../src/model/tier.ts'
import { Suppression } from '../../src/rules/suppression.ts'
import { plantOf, rule } from './world.ts'

const RULES = ['power', 'flow'].map((id) => rule({ id, tiers: { yellow: { when: 'a > 1' }, red: { when: 'a > 9' } } }))
const NO_POWER: Inhibition = {
  id: 'no-power',
  title: { zh: '', en: '' },
  rule: 'power',
  tier: 'yellow',
  within: 'area',
  clearForMs: 5_000,
  suppresses: { rules: ['flow'], upTo: 'orange' },
  source: null
}
const DEVICES = [{ id: 'P-1', area: 'pit' }, { id: 'P-2', area: 'pit' }, { id: 'P-3' }]
const plant = (inhibitions: readonly Inhibition[]): Plant => ({ ...plantOf(RULES, DEVICES), inhibitions })
const turn = (id: string, device: string, from: Level, to: Level): Transition => ({
  ...{ kind: 'transition', at: 0, rule: id, device, area: null, from, to, id: `${id}/${device}#0`, because: 'so' }
})
const told = (changes: readonly SuppressionChange[]): string[] =>
  changes.map(({ at, id, on, because }) => `${at} ${id} ${on ? 'on' : 'off'}: ${because}`)
const standing = [
  { id: 'power/P-2#0', rule: 'power', subject: 'P-2', level: 'yellow' as const },
  { id: 'flow/P-1#0', rule: 'flow', subject: 'P-1', level: 'yellow' as const }
]
const begun = (): Suppression => {
  const suppression = new Suppression(numberFleet(plant([NO_POWER])), 0, [])
  const first = [turn('flow', 'P-1', 'clear', 'yellow'), turn('flow', 'P-3', 'clear', 'yellow'), turn('power', 'P-2', 'clear', 'yellow')]
  expect(told(suppression.take(first, 1, false))).toEqual(['1 flow/P-1#0 on: power/P-2: so'])
  return suppression
}

it('goes on from its copy, and over after its source by its own time', () => {
  const before = begun()
  before.take([turn('power', 'P-2', 'yellow', 'clear')], 10, false)
  const suppression = Suppression.restore(numberFleet(plant([NO_POWER])), structuredClone(before.snapshot()), 10)
  expect(suppression.nextDue).toBe(5_010)
  expect(told(suppression.take([], 5_010, true))).toEqual(['5010 flow/P-1#0 off: its source is over'])
  expect(suppression.snapshot().reasons).toEqual([])
})

it('lets go of what another plant no longer holds back', () => {
  const changes: SuppressionChange[] = []
  begun().under(numberFleet(plant([])), 20, standing, changes)
  expect(told(changes)).toEqual(['20 flow/P-1#0 off: it is no longer configured'])
})

it('says nothing where another plant holds back the same, and begins where it holds back more', () => {
  const changes: SuppressionChange[] = []
  const same = begun().under(numberFleet(plant([NO_POWER])), 20, standing, changes)
  expect(told(changes)).toEqual([])
  const wider = { ...NO_POWER, within: 'site' as const }
  const more = [...standing, { id: 'flow/P-3#0', rule: 'flow', subject: 'P-3', level: 'yellow' as const }]
  same.under(numberFleet(plant([wider])), 30, more, changes)
  expect(told(changes)).toEqual(['30 flow/P-3#0 on: power/P-2: it was so before'])
})
