import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, START, turn } from './harness.ts'
import { bigPlant, PLANT } from './plant.ts'

let house: House
let viewer: string
let daxie: string

beforeAll(async () => {
  house = await House.open({ plant: bigPlant(250) })
  viewer = await house.token('viewer')
  daxie = await house.token('viewer', ['daxie'])
  await house.receive('gw-01', [{ device: 'T-101', ts: START - 1000, values: { level_pct: 71.25, temperature_c: 400 } }])
  await house.receive('gw-02', [{ device: 'S-1', values: { alarm: null } }])
  house.clock.moveTo(START + 60_000)
  await house.receive('gw-01', [{ device: 'T-102', ts: START + 59_000, values: { level_pct: 90 } }])
  await house.commit(
    turn('tank-level', { device: 'T-102' }, START + 59_000, START + 59_000, 'clear', 'yellow'),
    turn('tank-level', { device: 'T-101' }, START - 1000, START - 1000, 'clear', 'red'),
    turn('tank-level', { device: 'T-101' }, START - 1000, START + 1000, 'red', 'clear'),
    turn('bund-gas', { area: 'bund-1' }, START, START, 'clear', 'orange')
  )
})
afterAll(() => house.close())

const get = async (url: string, token = viewer) => (await house.ask(url, token)).json()
const ids = async (query: string, token = viewer): Promise<string[]> =>
  (await get(`/api/v1/devices?limit=1000&${query}`, token)).items.map((device: { id: string }) => device.id)

describe('GET /devices', () => {
  it('shows a device with its last values, their age and quality', async () => {
    const { items, total, next } = await get('/api/v1/devices?ids=T-101')
    expect({ total, next }).toEqual({ total: 1, next: null })
    expect(items[0]).toEqual({
      id: 'T-101',
      name: { zh: '甲醇储罐', en: 'Methanol tank' },
      profile: 'storage-tank',
      profileName: { zh: '储罐', en: 'Storage tank' },
      gateway: 'gw-01',
      gatewayOnline: null,
      area: 'bund-1',
      areaName: { zh: '1# 围堰', en: 'Bund 1' },
      site: 'farm',
      siteName: { zh: 'A 罐区', en: 'Tank farm A' },
      enterprise: 'daxie',
      enterpriseName: { zh: '大榭化工', en: 'Daxie Chemicals' },
      labels: { medium: 'methanol' },
      limits: { level_high: 85, level_high_high: 95 },
      online: true,
      neverReported: false,
      state: 'online',
      lastReceivedAt: '2026-01-01T08:00:00.000Z',
      ageMs: 60_000,
      silentAfterMs: 90_000,
      worstTier: null,
      values: [
        {
          metric: 'level_pct',
          name: { zh: 'level_pct', en: 'level_pct' },
          unit: '%',
          min: 0,
          max: 110,
          value: 71.25,
          at: '2026-01-01T07:59:59.000Z',
          ageMs: 61_000,
          quality: 'good'
        },
        expect.objectContaining({ metric: 'temperature_c', value: 400, quality: 'outOfRange' })
      ]
    })
  })

  it('shows a faulty value as none, and what never came as nothing', async () => {
    const { items } = await get('/api/v1/devices?ids=S-1,S-2')
    expect(items.map((device: { values: unknown[] }) => device.values[0])).toMatchObject([
      { value: null, quality: 'sensorFault', at: '2026-01-01T08:00:00.000Z' },
      { value: null, quality: null, at: null, ageMs: null }
    ])
    expect(items[1]).toMatchObject({ online: false, neverReported: true, state: 'never', lastReceivedAt: null, ageMs: null })
  })

  it('filters by everything at once', async () => {
    expect(await ids('profile=storage-tank')).toEqual(['T-101', 'T-102'])
    expect(await ids('area=bund-1&q=t-102')).toEqual(['T-102'])
    expect(await ids('site=street&q=烟感')).toEqual(['S-1'])
    expect(await ids('q=METHANOL')).toEqual(['T-101'])
    expect(await ids('enterprise=daxie')).toEqual(['T-101', 'T-102'])
    expect(await ids('gateway=gw-01')).toEqual(['T-101', 'T-102'])
    expect(await ids('quality=sensorFault')).toEqual(['S-1'])
    expect(await ids('quality=good')).toEqual(['T-101', 'T-102'])
    expect(await ids('state=bad')).toEqual(['S-1', 'T-101'])
    expect(await ids('state=online')).toEqual(['S-1', 'T-101', 'T-102'])
    expect(await ids('state=never&profile=storage-tank')).toEqual([])
    expect(await ids('profile=nothing')).toEqual([])
  })

  it('pages through all of them in the order of their ids', async () => {
    const seen: string[] = []
    let cursor = ''
    do {
      const { items, next, total } = await get(`/api/v1/devices?limit=100${cursor}`)
      expect(total).toBe(255)
      seen.push(...items.map((device: { id: string }) => device.id))
      cursor = next === null ? '' : `&cursor=${encodeURIComponent(next)}`
    } while (cursor !== '')
    expect(seen).toEqual(house.fleet.devices.map(({ id }) => id).sort())
  })

  it('shows the worst that is on, not what has cleared', async () => {
    const { items } = await get('/api/v1/devices?ids=T-101,T-102')
    expect(items.map((device: { worstTier: unknown }) => device.worstTier)).toEqual([null, 'yellow'])
  })

  it('keeps to the scope', async () => {
    expect(await ids('', daxie)).toEqual(['T-101', 'T-102'])
    expect((await house.ask('/api/v1/devices/S-1', daxie)).statusCode).toBe(404)
    expect((await house.ask('/api/v1/devices/X-1', daxie)).statusCode).toBe(404)
    expect((await house.ask('/api/v1/devices/T-101', daxie)).statusCode).toBe(200)
    expect((await house.ask('/api/v1/readings?device=S-1&metric=alarm', daxie)).statusCode).toBe(404)
  })
})

describe('GET /devices/{id}', () => {
  it('has the limits its rules hold its metrics against', async () => {
    const { thresholds, rules } = await get('/api/v1/devices/T-101')
    expect(thresholds).toEqual([
      { metric: 'level_pct', rule: 'tank-level', tier: 'yellow', op: '>', value: 85, limit: 'level_high' },
      { metric: 'level_pct', rule: 'tank-level', tier: 'red', op: '>', value: 95, limit: 'level_high_high' },
      { metric: 'temperature_c', rule: 'bund-gas', tier: 'orange', op: '>=', value: 60, limit: null }
    ])
    expect(rules.map((rule: { id: string }) => rule.id)).toEqual(['tank-level', 'bund-gas'])
    expect(rules[0].tiers[0]).toEqual({
      tier: 'yellow',
      when: 'level_pct > limits.level_high',
      clear: null,
      deadband: 2,
      for: '5s',
      clearFor: '10s'
    })
  })

  it('says which device there is not', async () => {
    const answer = await house.ask('/api/v1/devices/T-999', viewer)
    expect([answer.statusCode, answer.json().detail]).toEqual([404, 'There is no device T-999 that you may see.'])
  })
})

describe('whether a device is there', () => {
  it('goes by its receipts, its gateway, and our clock', async () => {
    const other = await House.open()
    const token = await other.token('viewer')
    const state = async () => (await other.ask('/api/v1/devices/T-101', token)).json().state
    expect(await state()).toBe('never')
    await other.receive('gw-01', { device: 'T-101', values: { level_pct: 50 } })
    expect(await state()).toBe('online')
    other.clock.moveTo(START + 90_000)
    expect(await state()).toBe('online')
    other.clock.moveTo(START + 90_001)
    expect(await state()).toBe('silent')
    other.present('gw-01', false)
    expect(await state()).toBe('offline')
    other.clock.moveTo(START + 90_002)
    await other.receive('gw-01', { device: 'T-101', values: {} })
    expect(await state()).toBe('online')
    await other.close()
  })
})

describe('GET /sites and GET /overview', () => {
  it('name the worst tier of each site', async () => {
    const { items, next } = await get('/api/v1/sites')
    expect(next).toBeNull()
    expect(items).toMatchObject([
      {
        id: 'farm',
        name: PLANT.sites[0]?.name,
        areas: [{ id: 'bund-1' }],
        worstTier: 'orange',
        alarms: { blue: 0, yellow: 1, orange: 1, red: 1 },
        unacknowledged: 3,
        devices: { total: 2, online: 2, silent: 0, neverReported: 0 }
      },
      { id: 'street', worstTier: null, unacknowledged: 0, devices: { total: 252, online: 1, silent: 0, neverReported: 251 } }
    ])
    expect((await get('/api/v1/sites?limit=1')).items).toHaveLength(1)
    const { next: cursor } = await get('/api/v1/sites?limit=1')
    expect((await get(`/api/v1/sites?limit=1&cursor=${cursor}`)).items).toMatchObject([{ id: 'street' }])
  })

  it('count the plant', async () => {
    house.health = { ...house.health, intakeLagMs: 12, historyLagRecords: 3 }
    const overview = await get('/api/v1/overview')
    expect(overview).toMatchObject({
      at: '2026-01-01T08:01:00.000Z',
      alarms: { yellow: 1, orange: 1, red: 1, unacknowledged: 3, states: { unacknowledged: 2, acknowledged: 0, clearedUnacknowledged: 1 } },
      devices: { total: 255, online: 3, silent: 0, neverReported: 252 },
      intake: { lagMs: 12 },
      history: { lagRecords: 3 },
      problems: []
    })
    const active = (await get('/api/v1/alarms')).items.length
    const { blue, yellow, orange, red } = overview.alarms
    expect(blue + yellow + orange + red).toBe(active)
  })

  it('keep to the scope', async () => {
    const overview = await get('/api/v1/overview', daxie)
    expect(overview.devices.total).toBe(2)
    expect(overview.sites.map((site: { id: string }) => site.id)).toEqual(['farm'])
    expect((await get('/api/v1/sites', daxie)).items).toHaveLength(1)
  })

  it('say what is wrong with the service itself', async () => {
    house.health = { ...house.health, parts: [{ part: 'journal', state: 'full', problem: 'The disk is full.' }] }
    expect((await get('/api/v1/overview')).problems).toEqual(['The disk is full.'])
    expect((await house.ask('/healthz', null)).statusCode).toBe(200)
    const ready = await house.ask('/readyz', null)
    expect([ready.statusCode, ready.json().detail]).toEqual([503, 'The disk is full.'])
    expect(ready.json().faults).toEqual([{ at: 'journal', problem: 'The disk is full.' }])
  })
})

describe('GET /readings', () => {
  let other: House
  let token: string
  const second = (s: number): string => new Date(START + s * 1000).toISOString()

  beforeAll(async () => {
    other = await House.open()
    token = await other.token('viewer')
    other.clock.moveTo(START + 100_000)
    const samples = Array.from({ length: 100 }, (_, s) => ({
      device: 'T-101',
      ts: START + s * 1000,
      values: { level_pct: s === 7 ? 200 : s, temperature_c: null }
    }))
    await other.receive('gw-01', samples)
    await other.history.flush()
  })
  afterAll(() => other.close())

  const ask = async (query: string) => (await other.ask(`/api/v1/readings?device=T-101&${query}`, token)).json()

  it('answers raw values in time order, with their quality', async () => {
    const { items, next } = await ask(`metric=level_pct&from=${second(5)}&to=${second(9)}`)
    expect(items).toEqual([
      { at: second(5), value: 5, quality: 'good' },
      { at: second(6), value: 6, quality: 'good' },
      { at: second(7), value: 200, quality: 'outOfRange' },
      { at: second(8), value: 8, quality: 'good' }
    ])
    expect(next).toBeNull()
    const bad = await ask(`metric=temperature_c&from=${second(5)}&to=${second(6)}`)
    expect(bad.items).toEqual([{ at: second(5), value: null, quality: 'sensorFault' }])
  })

  it('takes the last day where no window is given', async () => {
    expect((await ask('metric=level_pct')).items).toHaveLength(100)
    expect((await ask(`metric=level_pct&to=${second(10)}`)).items).toHaveLength(10)
  })

  it('answers a thousand raw values where no limit is given', async () => {
    const many = Array.from({ length: 1_200 }, (_, i) => ({ device: 'T-102', ts: START + i, values: { level_pct: i % 100 } }))
    await other.receive('gw-01', many)
    await other.history.flush()
    const page = (await other.ask('/api/v1/readings?device=T-102&metric=level_pct', token)).json()
    expect(page.items).toHaveLength(1_000)
    const rest = (await other.ask(`/api/v1/readings?device=T-102&metric=level_pct&cursor=${page.next}`, token)).json()
    expect([rest.items.length, rest.items[0].at, rest.next]).toEqual([200, second(1), null])
  })

  it('pages', async () => {
    const seen: string[] = []
    let cursor = ''
    do {
      const { items, next } = await ask(`metric=level_pct&limit=30${cursor}`)
      seen.push(...items.map((item: { at: string }) => item.at))
      cursor = next === null ? '' : `&cursor=${next}`
    } while (cursor !== '')
    expect(seen).toEqual(Array.from({ length: 100 }, (_, s) => second(s)))
  })

  it('answers intervals of the usable values', async () => {
    const { items, next } = await ask(`metric=level_pct&from=${second(0)}&to=${second(30)}&every=10s`)
    expect(items).toEqual([
      { at: second(0), min: 0, max: 9, avg: (45 - 7) / 9, last: 9, count: 9 },
      { at: second(10), min: 10, max: 19, avg: 14.5, last: 19, count: 10 },
      { at: second(20), min: 20, max: 29, avg: 24.5, last: 29, count: 10 }
    ])
    expect(next).toBeNull()
    const first = await ask(`metric=level_pct&from=${second(0)}&to=${second(30)}&every=10s&limit=2`)
    const rest = await ask(`metric=level_pct&from=${second(0)}&to=${second(30)}&every=10s&limit=2&cursor=${first.next}`)
    expect([...first.items, ...rest.items]).toEqual(items)
    const behindAGap = await ask(`metric=level_pct&from=${second(-3600)}&to=${second(30)}&every=10s&limit=2`)
    expect([behindAGap.items, behindAGap.next]).toEqual([items.slice(0, 2), first.next])
  })

  it('refuses more intervals than anybody can look at, and says what would do', async () => {
    const answer = await other.ask('/api/v1/readings?device=T-101&metric=level_pct&from=2025-01-01&to=2026-01-01&every=1s', token)
    expect(answer.statusCode).toBe(422)
    expect(answer.json().detail).toBe(
      'every=1s from 2025-01-01T00:00:00.000Z to 2026-01-01T00:00:00.000Z makes 31536000 intervals; at most 10000 are answered. Ask for every=52m34s or longer, or for a shorter window.'
    )
    const again = await other.ask('/api/v1/readings?device=T-101&metric=level_pct&from=2025-01-01&to=2026-01-01&every=52m34s', token)
    expect(again.statusCode).toBe(200)
  })

  it('names the metrics there are', async () => {
    const answer = await other.ask('/api/v1/readings?device=T-101&metric=speed', token)
    expect([answer.statusCode, answer.json().detail]).toEqual([404, 'T-101 has no metric speed; it has level_pct, temperature_c.'])
  })

  it('refuses a window that ends before it begins', async () => {
    const answer = await other.ask(`/api/v1/readings?device=T-101&metric=level_pct&from=${second(9)}&to=${second(5)}`, token)
    expect([answer.statusCode, answer.json().faults]).toEqual([422, [{ at: 'from', problem: 'not before to' }]])
  })
})
