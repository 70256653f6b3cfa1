// Floods, chattering, stale and first-out alarms by HTTP: what is on now, what was, and what goes to live consoles.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AlarmEvent } from '../../src/model/alarm.ts'
import { House, START, turn } from './harness.ts'
import { bigPlant } from './plant.ts'
import { LiveReader } from './sse.ts'

const DAY = 86_400_000
let house: House
let viewer: string
let market: string

beforeEach(async () => {
  house = await House.open({ plant: bigPlant(12) })
  viewer = await house.token('viewer')
  market = await house.token('viewer', ['market'])
})
afterEach(() => house.close())

const get = async (path: string, token = viewer) => (await house.ask(path, token)).json()
const iso = (ms: number): string => new Date(START + ms).toISOString()

/** The alarm of T-101 comes and goes three times within a minute. */
async function chatter(): Promise<void> {
  for (const at of [0, 20_000, 40_000]) {
    const raisedAt = START + at
    house.clock.moveTo(raisedAt + 10_000)
    await house.commit(
      turn('tank-level', { device: 'T-101' }, raisedAt, raisedAt, 'clear', 'yellow'),
      turn('tank-level', { device: 'T-101' }, raisedAt, raisedAt + 10_000, 'yellow', 'clear')
    )
  }
}

function announced(devices: number): AlarmEvent[] {
  return house.fleet.devices
    .filter(({ id }) => id.startsWith('D'))
    .slice(0, devices)
    .map(({ id }, place) => turn('smoke', { device: id }, START + place * 1_000, START + place * 1_000, 'clear', 'yellow'))
}

describe('an alarm that chatters', () => {
  it('is listed, counted and marked, and so is its end', async () => {
    await chatter()
    const last = `tank-level/T-101#${START + 40_000}`
    const place = { rule: 'tank-level', device: 'T-101', area: 'bund-1', site: 'farm', enterprise: 'daxie' }
    const on = { kind: 'chattering', at: iso(50_000), on: true, since: null, scope: null, ...place, alarms: [last], count: null }
    expect(await get('/api/v1/notices?kind=chattering')).toEqual({ items: [on], next: null })
    expect(await get('/api/v1/overview')).toMatchObject({ chattering: 1, stale: 0, floods: [] })
    expect(await get(`/api/v1/alarms/${encodeURIComponent(last)}`)).toMatchObject({ chattering: true })
    house.clock.moveTo(START + 51_000)
    expect((await get('/api/v1/kpi')).chatteringCount).toBe(1)
    house.clock.moveTo(START + 700_000)
    await house.pass()
    expect((await get('/api/v1/notices?kind=chattering')).items[0]).toEqual({ ...on, at: iso(640_000), on: false, since: iso(50_000) })
    expect((await get('/api/v1/overview')).chattering).toBe(0)
    expect(await get(`/api/v1/alarms/${encodeURIComponent(last)}`)).toMatchObject({ chattering: false })
  })

  it('is nobody else’s business', async () => {
    await chatter()
    expect((await get('/api/v1/notices', market)).items).toEqual([])
    expect((await get('/api/v1/overview', market)).chattering).toBe(0)
  })

  it('is told to live consoles, with the alarm as it is then', async () => {
    const reader = await LiveReader.open(await house.listen(), viewer, '', {})
    await chatter()
    await reader.until(() => reader.of('notice').length === 7)
    const kinds = reader.of('notice').map(({ data }) => `${data.kind} ${data.on}`)
    expect(kinds).toEqual([
      'firstOut true',
      'firstOut false',
      'firstOut true',
      'firstOut false',
      'firstOut true',
      'chattering true',
      'firstOut false'
    ])
    await reader.until(() => reader.of('alarm-state').at(-1)?.data.alarm.chattering === true)
    reader.close()
  })
})

it('a flood is on for the site, its enterprise, and whoever sees everything', async () => {
  house.clock.moveTo(START + 12_000)
  await house.commit(...announced(12))
  const flood = { since: iso(10_000), count: 12 }
  const of = { scope: 'enterprise', site: null, enterprise: 'market', ...flood }
  const here = { scope: 'site', site: 'street', enterprise: 'market', ...flood }
  const everywhere = { scope: 'installation', site: null, enterprise: null, ...flood }
  expect((await get('/api/v1/overview')).floods).toEqual([everywhere, of, here])
  expect((await get('/api/v1/overview', market)).floods).toEqual([of, here])
  expect((await get('/api/v1/kpi')).floods).toMatchObject([{ from: iso(10_000), announced: 12 }])
  house.clock.moveTo(START + 3_600_000)
  await house.pass()
  expect((await get('/api/v1/overview')).floods).toEqual([])
  const ends = (await get('/api/v1/notices?kind=flood', market)).items
  expect(ends.map(({ scope, on, at }: { scope: string; on: boolean; at: string }) => [scope, on, at])).toEqual([
    ['site', false, iso(607_000)],
    ['enterprise', false, iso(607_000)],
    ['site', true, iso(10_000)],
    ['enterprise', true, iso(10_000)]
  ])
  expect((await get('/api/v1/kpi')).floods).toMatchObject([{ from: iso(10_000), to: iso(607_000), announced: 12 }])
})

it('an alarm is stale after exactly a day; notices come in pages and stretches', async () => {
  await house.commit(turn('tank-level', { device: 'T-101' }, START, START, 'clear', 'yellow'))
  house.clock.moveTo(START + DAY)
  await house.pass()
  expect((await get('/api/v1/overview')).stale).toBe(0)
  house.clock.moveTo(START + DAY + 1)
  await house.pass()
  expect((await get('/api/v1/overview')).stale).toBe(1)
  expect((await get('/api/v1/alarms')).items).toMatchObject([{ stale: true, firstOut: true }])
  const first = await get('/api/v1/notices?limit=1')
  expect(first.items).toMatchObject([{ kind: 'stale', at: iso(DAY) }])
  expect(await get(`/api/v1/notices?limit=1&cursor=${first.next}`)).toMatchObject({ items: [{ kind: 'firstOut', at: iso(0) }], next: null })
  expect((await get(`/api/v1/notices?from=${iso(1)}`)).items).toHaveLength(1)
  expect((await house.ask('/api/v1/notices?cursor=nonsense', viewer)).statusCode).toBe(422)
})
