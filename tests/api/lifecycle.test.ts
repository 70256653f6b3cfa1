// Shelving, assigning, closing and windows out of service by HTTP: who may, what is answered, what the lists show.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Role } from '../../src/access/roles.ts'
import type { Duty } from '../../src/model/duty.ts'
import { House, START, turn } from './harness.ts'
import { PLANT } from './plant.ts'

const T101 = `tank-level/T-101#${START}`
const T102 = `tank-level/T-102#${START + 1000}`
const S1 = `smoke/S-1#${START + 3000}`
const HOUR = 3_600_000

const DUTY: Duty = {
  people: [
    {
      ...{ id: 'wang', name: { zh: 'wang', en: 'wang' }, language: 'zh', zone: 'Asia/Shanghai', enterprise: null, user: null, quiet: null },
      addresses: {}
    }
  ],
  ...{ teams: [], rotas: [], responsible: [], ladders: [], groupWindowMs: 0, throttle: null, floodDigestMs: 0, receipts: [] }
}

let house: House
let tokens: Record<Role, string>

beforeEach(async () => {
  house = await House.open({ plant: { ...PLANT, duty: DUTY } })
  tokens = await house.tokens()
  await house.commit(
    turn('tank-level', { device: 'T-101' }, START, START, 'clear', 'yellow'),
    turn('tank-level', { device: 'T-102' }, START + 1000, START + 1000, 'clear', 'yellow'),
    turn('smoke', { device: 'S-1' }, START + 3000, START + 3000, 'clear', 'red')
  )
})
afterEach(() => house.close())

const iso = (at: number): string => new Date(at).toISOString()
const path = (id: string): string => `/api/v1/alarms/${encodeURIComponent(id)}`

async function act(id: string, action: string, payload: object, role: Role = 'operator') {
  const answer = await house.ask(`${path(id)}/${action}`, tokens[role], { payload })
  return { status: answer.statusCode, body: answer.json() }
}

async function ids(query: string): Promise<string[]> {
  const answer = await house.ask(`/api/v1/alarms${query}`, tokens.viewer)
  return answer.json().items.map(({ id }: { id: string }) => id)
}

describe('shelving', () => {
  it('shows until when, is listed apart, and ends by itself', async () => {
    const until = house.clock.now() + HOUR
    const { status, body } = await act(T101, 'shelve', { until: iso(until), note: 'sensor being cleaned' })
    expect([status, body.shelvedUntil, body.isaState]).toEqual([200, iso(until), 'G'])
    expect(body.shelved).toEqual({ by: expect.any(String), at: iso(house.clock.now()), until: iso(until), note: 'sensor being cleaned' })
    expect(await ids('')).toEqual([S1, T102, T101])
    expect(await ids('?shelved=true')).toEqual([T101])
    expect(await ids('?shelved=false')).toEqual([S1, T102])
    const overview = (await house.ask('/api/v1/overview', tokens.viewer)).json()
    expect(overview.alarms).toMatchObject({
      yellow: 1,
      red: 1,
      unacknowledged: 2,
      withheld: { shelved: 1, suppressed: 0, outOfService: 0 }
    })
    house.clock.moveTo(house.clock.now() + HOUR + 1)
    await house.pass()
    const after = (await house.ask(path(T101), tokens.viewer)).json()
    expect([after.shelvedUntil, after.isaState]).toEqual([null, 'B'])
    expect(after.events.map((event: { action?: string }) => event.action ?? 'turn')).toEqual(['turn', 'shelve', 'unshelve'])
    expect(after.events[1]).toMatchObject({ action: 'shelve', until: iso(until), note: 'sensor being cleaned' })
    expect(after.events[2]).toMatchObject({ at: iso(until), action: 'unshelve', by: 'fenghuo' })
  })

  it('says what is missing, too long, or for somebody else to do', async () => {
    const now = house.clock.now()
    const cases: [string, object, Role, number][] = [
      [T101, { note: 'why' }, 'operator', 422],
      [T101, { until: iso(now + HOUR) }, 'operator', 422],
      [T101, { until: iso(now - 1), note: 'why' }, 'operator', 422],
      [T101, { until: iso(now + 13 * HOUR), note: 'why' }, 'operator', 422],
      [T101, { until: iso(now + HOUR), note: 'why' }, 'viewer', 403],
      [S1, { until: iso(now + HOUR), note: 'why' }, 'operator', 403],
      [S1, { until: iso(now + HOUR), note: 'why' }, 'engineer', 200],
      [S1, { until: iso(now + HOUR), note: 'why' }, 'admin', 409]
    ]
    for (const [id, payload, role, expected] of cases) {
      const { status, body } = await act(id, 'shelve', payload, role)
      expect([payload, role, status]).toEqual([payload, role, expected])
      if (status !== 200) expect(body.detail).toMatch(/^[A-Z].*[.]$/)
    }
    expect((await act(S1, 'unshelve', {})).body).toMatchObject({ shelvedUntil: null, isaState: 'B' })
  })

  it('lets one of two win', async () => {
    // Both are the administrator's tokens: who asks twice for the same has it.
    const until = (minutes: number): string => iso(house.clock.now() + minutes * 60_000)
    const both = await Promise.all([
      act(T101, 'shelve', { until: until(60), note: 'mine' }, 'operator'),
      act(T101, 'shelve', { until: until(61), note: 'mine' }, 'engineer')
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 409])
  })
})

describe('what is withheld is no active alarm in any figure', () => {
  const figures = async () => {
    const get = async (url: string) => (await house.ask(url, tokens.viewer)).json()
    const [overview, sites, device, devices, rule] = await Promise.all(
      ['/overview', '/sites', '/devices/T-101', '/devices?limit=10', '/rules/tank-level'].map((url) => get(`/api/v1${url}`))
    )
    const site = sites.items.find(({ id }: { id: string }) => id === 'farm')
    expect(overview.sites.find(({ id }: { id: string }) => id === 'farm')).toEqual(site)
    expect(devices.items.find(({ id }: { id: string }) => id === 'T-101').worstTier).toBe(device.worstTier)
    return {
      ...{
        overview: overview.alarms.yellow,
        withheld: overview.alarms.withheld,
        site: [site.worstTier, site.alarms.yellow, site.withheld]
      },
      ...{ device: device.worstTier, rule: rule.standing.yellow }
    }
  }
  const none = { shelved: 0, suppressed: 0, outOfService: 0 }

  beforeEach(() => house.commit(turn('tank-level', { device: 'T-102' }, START + 1000, START + 2000, 'yellow', 'clear')))

  it('shelved and taken out of service', async () => {
    await act(T102, 'acknowledge', {})
    expect(await figures()).toEqual({ overview: 1, withheld: none, site: ['yellow', 1, none], device: 'yellow', rule: 1 })
    await act(T101, 'shelve', { until: iso(house.clock.now() + HOUR), note: 'cleaning' })
    const shelved = { ...none, shelved: 1 }
    expect(await figures()).toEqual({ overview: 0, withheld: shelved, site: [null, 0, shelved], device: null, rule: 0 })
    const payload = { until: iso(house.clock.now() + HOUR), note: 'calibration' }
    await house.ask('/api/v1/devices/T-101/out-of-service', tokens.engineer, { payload })
    const out = { ...none, outOfService: 1 }
    expect(await figures()).toEqual({ overview: 0, withheld: out, site: [null, 0, out], device: null, rule: 0 })
  })

  it('suppressed by design', async () => {
    await act(T102, 'acknowledge', {})
    const payload = { device: 'T-101', until: iso(house.clock.now() + HOUR), note: 'works' }
    expect((await house.ask('/api/v1/states/works/enter', tokens.engineer, { payload })).statusCode).toBeLessThan(300)
    const suppressed = { ...none, suppressed: 1 }
    expect(await figures()).toEqual({ overview: 0, withheld: suppressed, site: [null, 0, suppressed], device: null, rule: 0 })
  })
})

describe('assigning and closing', () => {
  it('closes once the alarm has cleared, also when it is long over', async () => {
    expect((await act(T101, 'assign', { assignee: 'wang' })).body.assignee).toBe('wang')
    expect((await act(T101, 'assign', {})).status).toBe(422)
    expect((await act(T101, 'close', { disposition: 'real' })).status).toBe(409)
    await house.commit(turn('tank-level', { device: 'T-101' }, START, START + 9000, 'yellow', 'clear'))
    await act(T101, 'acknowledge', {})
    expect(await ids('')).toEqual([S1, T102])
    expect((await act(T101, 'close', { disposition: 'no idea' })).status).toBe(422)
    const { status, body } = await act(T101, 'close', { disposition: 'instrumentFault', verifier: 'wang', note: 'float stuck' })
    expect([status, body.isaState]).toEqual([200, 'A'])
    expect(body.closed).toMatchObject({ disposition: 'instrumentFault', verifier: 'wang', note: 'float stuck' })
    expect((await act(T101, 'close', { disposition: 'real' }, 'engineer')).status).toBe(409)
  })
})

describe('out of service', () => {
  const device = '/api/v1/devices/T-101'

  it('takes a device out and back, lists the windows, and marks its alarms', async () => {
    const now = house.clock.now()
    const payload = { until: iso(now + HOUR), note: 'calibration' }
    expect((await house.ask(`${device}/out-of-service`, tokens.operator, { payload })).statusCode).toBe(403)
    const taken = await house.ask(`${device}/out-of-service`, tokens.engineer, { payload })
    const window = { device: 'T-101', area: null, site: null, from: iso(now), until: iso(now + HOUR), note: 'calibration', running: true }
    expect([taken.statusCode, taken.json()]).toEqual([200, { items: [{ ...window, by: expect.any(String) }] }])
    expect((await house.ask(`${device}/out-of-service`, tokens.engineer, { payload })).statusCode).toBe(409)
    expect((await house.ask('/api/v1/out-of-service', tokens.viewer)).json().items).toMatchObject([window])
    expect(await ids('?outOfService=true')).toEqual([T101])
    expect((await house.ask(path(T101), tokens.viewer)).json()).toMatchObject({
      isaState: 'I',
      outOfService: { until: iso(now + HOUR), note: 'calibration' }
    })
    const back = await house.ask(`${device}/return-to-service`, tokens.engineer, { payload: {} })
    expect([back.statusCode, back.json()]).toEqual([200, { items: [] }])
    expect((await house.ask(path(T101), tokens.viewer)).json()).toMatchObject({ isaState: 'B', outOfService: null })
  })

  it('does not say that a device is back while its site is out', async () => {
    const payload = { until: iso(house.clock.now() + HOUR), note: 'turnaround' }
    await house.ask('/api/v1/sites/farm/out-of-service', tokens.engineer, { payload })
    for (const [place, name] of [
      ['devices/T-101', 'device T-101'],
      ['areas/bund-1', 'area bund-1']
    ]) {
      const back = await house.ask(`/api/v1/${place}/return-to-service`, tokens.engineer, { payload: {} })
      expect([back.statusCode, back.json().detail]).toEqual([
        409,
        `${name} is out of service with all of site farm, until ${payload.until}, declared by admin: return that to service, or wait for its end.`
      ])
    }
    expect(await ids('?outOfService=true')).toEqual([T102, T101])
    expect((await house.ask('/api/v1/sites/farm/return-to-service', tokens.engineer, { payload: {} })).statusCode).toBe(200)
    const again = await house.ask(`${device}/return-to-service`, tokens.engineer, { payload: {} })
    expect([again.statusCode, again.json()]).toEqual([200, { items: [] }])
  })

  it('plans an area ahead, and knows no strangers', async () => {
    const now = house.clock.now()
    const payload = { from: iso(now + HOUR), until: iso(now + 2 * HOUR), note: 'pressure test' }
    const planned = await house.ask('/api/v1/areas/bund-1/out-of-service', tokens.engineer, { payload })
    expect(planned.json().items).toMatchObject([{ area: 'bund-1', running: false }])
    expect(await ids('?outOfService=true')).toEqual([])
    house.clock.moveTo(house.clock.now() + HOUR + 1)
    await house.pass()
    expect(await ids('?outOfService=true')).toEqual([T102, T101])
    house.clock.moveTo(house.clock.now() + HOUR)
    await house.pass()
    expect(await ids('?outOfService=true')).toEqual([])
    const market = await house.token('engineer', ['market'])
    for (const place of ['areas/bund-1', 'areas/nowhere', 'sites/farm', 'devices/T-101', 'devices/T-999']) {
      const answer = await house.ask(`/api/v1/${place}/out-of-service`, market, { payload })
      expect([place, answer.statusCode]).toEqual([place, 404])
    }
    const wrong = { until: iso(now), note: 'past' }
    expect((await house.ask(`${device}/out-of-service`, tokens.engineer, { payload: wrong })).statusCode).toBe(422)
  })
})
