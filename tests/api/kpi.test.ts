import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { House, START, turn } from './harness.ts'
import { PLANT } from './plant.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const iso = (at: number): string => new Date(at).toISOString()

let house: House
let everyone: string

beforeEach(async () => {
  house = await House.open()
  everyone = await house.token('viewer')
})
afterEach(() => house.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into by paths
async function kpi(query = '', token = everyone): Promise<any> {
  return (await house.ask(`/api/v1/kpi${query}`, token)).json()
}

describe('the days of GET /kpi', () => {
  // 22:30 on the 31st and 01:30 on the 1st in UTC: in Shanghai both are the 1st, in New York both the 31st.
  const late = Date.parse('2025-12-31T22:30:00.000Z')
  const early = Date.parse('2026-01-01T01:30:00.000Z')
  const happen = (at: House) =>
    at.commit(
      turn('tank-level', { device: 'T-101' }, late, late, 'clear', 'yellow'),
      turn('tank-level', { device: 'T-102' }, early, early, 'clear', 'yellow')
    )
  const days = async (query: string, of = house, token = everyone): Promise<unknown> => {
    const { zone, days: told } = (await of.ask(`/api/v1/kpi${query}`, token)).json()
    return [zone, told.map(({ day, alarms }: { day: string; alarms: number }) => [day, alarms])]
  }

  it('are those of the zone that is asked for', async () => {
    await happen(house)
    expect(await days('')).toEqual([
      'UTC',
      [
        ['2025-12-31', 1],
        ['2026-01-01', 1]
      ]
    ])
    expect(await days('?zone=Asia/Shanghai')).toEqual(['Asia/Shanghai', [['2026-01-01', 2]]])
    expect(await days('?zone=America/New_York')).toEqual(['America/New_York', [['2025-12-31', 2]]])
    const wrong = await house.ask('/api/v1/kpi?zone=Asia/Shangai', everyone)
    expect([wrong.statusCode, wrong.json().detail]).toEqual([
      422,
      'There is no time zone Asia/Shangai: give an IANA name such as Asia/Shanghai.'
    ])
  })

  it('are those of the plant’s calendar', async () => {
    const calendar = { zone: 'Asia/Shanghai', holidays: [], workdays: [] }
    const there = await House.open({ plant: { ...PLANT, calendar } })
    await happen(there)
    expect(await days('', there, await there.token('viewer'))).toEqual(['Asia/Shanghai', [['2026-01-01', 2]]])
    expect(((await days('?zone=UTC', there, await there.token('viewer'))) as [string])[0]).toBe('UTC')
    await there.close()
  })
})

describe('GET /kpi', () => {
  it('has zeros, not nothing, where nothing happened', async () => {
    expect(await kpi()).toEqual({
      from: iso(START - 7 * 24 * HOUR),
      to: iso(START),
      zone: 'UTC',
      alarms: 0,
      announced: 0,
      standing: 0,
      perHour: 0,
      perDay: 0,
      peakIn10Min: null,
      tiers: ['red', 'orange', 'yellow', 'blue'].map((tier) => ({ tier, announced: 0, share: 0, activeMs: 0, firstAt: null })),
      days: [],
      floods: [],
      floodCount: 0,
      floodShare: 0,
      chattering: [],
      chatteringCount: 0,
      stale: [],
      staleCount: 0,
      topTen: [],
      topTenShare: 0
    })
  })

  it('counts what was raised and what rose, by tier, day and actor', async () => {
    const at = START - 10 * HOUR
    await house.commit(
      turn('tank-level', { device: 'T-101' }, at, at, 'clear', 'yellow'),
      turn('tank-level', { device: 'T-101' }, at, at + HOUR, 'yellow', 'red'),
      turn('tank-level', { device: 'T-101' }, at, at + 2 * HOUR, 'red', 'clear'),
      turn('bund-gas', { area: 'bund-1' }, at + 3 * HOUR, at + 3 * HOUR, 'clear', 'orange')
    )
    const told = await kpi(`?from=${iso(START - 20 * HOUR)}&to=${iso(START)}`)
    expect(told).toMatchObject({ alarms: 2, announced: 3, standing: 1, perHour: 0.15, floodCount: 0, staleCount: 0 })
    expect(told.perDay).toBeCloseTo(3.6, 9)
    expect(told.tiers.map((one: { tier: string; announced: number; activeMs: number }) => [one.tier, one.announced, one.activeMs])).toEqual(
      [
        ['red', 1, HOUR],
        ['orange', 1, 7 * HOUR],
        ['yellow', 1, HOUR],
        ['blue', 0, 0]
      ]
    )
    expect(told.days).toEqual([
      { day: '2025-12-31', alarms: 1, announced: { blue: 0, yellow: 1, orange: 0, red: 1 } },
      { day: '2026-01-01', alarms: 1, announced: { blue: 0, yellow: 0, orange: 1, red: 0 } }
    ])
    expect(told.topTen).toEqual([
      { rule: 'tank-level', device: 'T-101', area: null, alarms: 1, announced: 2, activeMs: 2 * HOUR, firstAt: iso(at), share: 0.5 },
      {
        rule: 'bund-gas',
        device: null,
        area: 'bund-1',
        alarms: 1,
        announced: 1,
        activeMs: 7 * HOUR,
        firstAt: iso(at + 3 * HOUR),
        share: 0.5
      }
    ])
    expect(told.topTenShare).toBe(1)
  })

  it('knows what stood when the stretch began, and at which tier', async () => {
    const at = START - 50 * HOUR
    await house.commit(
      turn('tank-level', { device: 'T-101' }, at, at, 'clear', 'yellow'),
      turn('tank-level', { device: 'T-102' }, at, at, 'clear', 'yellow'),
      turn('tank-level', { device: 'T-102' }, at, at + HOUR, 'yellow', 'red'),
      turn('smoke', { device: 'S-1' }, at, at, 'clear', 'blue'),
      turn('smoke', { device: 'S-1' }, at, at + 2 * HOUR, 'blue', 'clear'),
      turn('tank-level', { device: 'T-102' }, at, START - HOUR, 'red', 'clear')
    )
    // T-101 stands all the time, T-102 is red until after the end, S-1 is over before the beginning.
    const told = await kpi(`?from=${iso(START - 10 * HOUR)}&to=${iso(START - 8 * HOUR)}`)
    expect(told).toMatchObject({ alarms: 0, announced: 0, standing: 2, perHour: 0, staleCount: 2, topTen: [] })
    expect(told.tiers.map((one: { tier: string; activeMs: number }) => [one.tier, one.activeMs])).toEqual([
      ['red', 2 * HOUR],
      ['orange', 0],
      ['yellow', 2 * HOUR],
      ['blue', 0]
    ])
    expect(told.stale.map((one: { device: string; raisedAt: string }) => [one.device, one.raisedAt])).toEqual([
      ['T-101', iso(at)],
      ['T-102', iso(at)]
    ])
  })

  it('finds floods and chattering in more events than one page holds', async () => {
    const at = START - 5 * HOUR
    const events = Array.from({ length: 700 }, (_, n) => {
      const raised = at + n * 10_000
      return [
        turn('tank-level', { device: 'T-101' }, raised, raised, 'clear', 'yellow'),
        turn('tank-level', { device: 'T-101' }, raised, raised + 4_000, 'yellow', 'clear')
      ]
    })
    await house.commit(...events.flat())
    const told = await kpi(`?from=${iso(START - 10 * HOUR)}`)
    expect(told).toMatchObject({
      alarms: 700,
      announced: 700,
      standing: 0,
      perHour: 70,
      floodCount: 1,
      chatteringCount: 1,
      peakIn10Min: 60
    })
    expect(told.chattering).toEqual([{ rule: 'tank-level', device: 'T-101', area: null, episodes: 1, cycles: 700, firstAt: iso(at) }])
    // From the eleventh within ten minutes on, until ten minutes bring fewer than five; of ten hours.
    expect(told.floods).toEqual([{ from: iso(at + 100_000), to: iso(at + 7_550_000), announced: 700, peak: 60 }])
    expect(told.floodShare).toBeCloseTo(7_450_000 / (10 * HOUR), 9)
  })

  it('counts inside the scope alone', async () => {
    const at = START - HOUR
    await house.commit(
      turn('tank-level', { device: 'T-101' }, at, at, 'clear', 'yellow'),
      turn('smoke', { device: 'S-1' }, at + 1, at + 1, 'clear', 'red'),
      turn('smoke', { device: 'X-1' }, at + 2, at + 2, 'clear', 'red')
    )
    expect(await kpi()).toMatchObject({ alarms: 3 })
    const market = await kpi('', await house.token('viewer', ['market']))
    expect(market).toMatchObject({ alarms: 1, standing: 1, topTen: [{ rule: 'smoke', device: 'S-1' }] })
    expect((await house.ask('/api/v1/kpi', null)).statusCode).toBe(401)
  })

  it('refuses a stretch that is empty or too long, in a sentence', async () => {
    expect(await kpi(`?from=${iso(START)}`)).toMatchObject({ status: 422, faults: [{ at: 'from' }] })
    expect(await kpi(`?from=2024-01-01&to=2026-01-01`)).toMatchObject({
      status: 422,
      detail: 'The stretch is longer than 400 days: ask for a shorter one.'
    })
    expect((await kpi('?to=2030-01-01')).to).toBe(iso(START))
  })
})
