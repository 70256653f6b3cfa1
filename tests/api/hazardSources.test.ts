// Live S, R and grade: by the levels now; what is unknown counts as full, and is said.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { House, START } from './harness.ts'
import { PLANT } from './plant.ts'

let house: House
let token: string

beforeEach(async () => {
  const text = (en: string): { zh: string; en: string } => ({ zh: en, en })
  const substance = (tank: string | null): object => ({ cas: '67-56-1', class: null, name: text('methanol'), amountT: 1000, tank })
  const inventory = [substance('T-101'), substance('T-102'), substance(null)] as never
  const hazardSources = [{ id: 'tanks', site: 'farm', name: text('Tanks'), exposed: 60, inventory }]
  house = await House.open({ plant: { ...PLANT, hazardSources } })
  token = await house.token('viewer')
})
afterEach(() => house.close())

// biome-ignore lint/suspicious/noExplicitAny: bodies are looked into by paths
const source = async (): Promise<any> => (await house.ask('/api/v1/hazard-sources', token)).json().items[0]

it('counts unknown levels as full and known ones as they are, with their age', async () => {
  const before = await source()
  expect(before).toMatchObject({ id: 'tanks', design: { s: 6, major: true }, live: { s: 6, unknownLevels: 3 } })
  expect(before.live.r).toBe(before.design.r)
  expect(before.inventory.map(({ unknown }: { unknown: string }) => unknown)).toEqual([
    'T-101 has never reported its level',
    'T-102 has never reported its level',
    'no tank with a level is named'
  ])
  await house.receive('gw-01', [
    { device: 'T-101', ts: START, values: { level_pct: 50 } },
    { device: 'T-102', ts: START, values: { level_pct: null } }
  ])
  house.clock.moveTo(START + 60_000)
  const live = await source()
  expect(live.live).toMatchObject({ s: 5, unknownLevels: 2 })
  expect(live.live.r / live.design.r).toBeCloseTo(5 / 6)
  expect(live.inventory[0]).toMatchObject({ designT: 1000, liveT: 500, levelPct: 50, levelAgeMs: 60_000, unknown: null })
  expect(live.inventory[1]).toMatchObject({ liveT: 1000, levelPct: null, unknown: 'the level sensor of T-102 is faulty' })
  house.present('gw-01', false)
  expect((await source()).inventory[0]).toMatchObject({ liveT: 1000, unknown: 'the gateway of T-101 is offline' })
  house.present('gw-01', true)
  house.clock.moveTo(START + 91_000)
  expect((await source()).inventory[0]).toMatchObject({ liveT: 1000, unknown: 'T-101 has not reported its level within its time' })
})

it('is shown inside the scope only', async () => {
  const market = await house.token('viewer', ['market'])
  expect((await house.ask('/api/v1/hazard-sources', market)).json().items).toEqual([])
  expect((await house.ask('/api/v1/hazard-sources', null)).statusCode).toBe(401)
})
