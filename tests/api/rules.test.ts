import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RuleBody } from '../../src/api/shapes.ts'
import type { Transition } from '../../src/model/alarm.ts'
import { House, START, turn } from './harness.ts'
import { PLANT } from './plant.ts'

const HOUR = 3_600_000

let house: House
let everyone: string
let daxie: string
let market: string

beforeEach(async () => {
  house = await House.open()
  everyone = await house.token('viewer')
  daxie = await house.token('viewer', ['daxie'])
  market = await house.token('viewer', ['market'])
})
afterEach(() => house.close())

async function rules(token: string, query = ''): Promise<RuleBody[]> {
  const answer = await house.ask(`/api/v1/rules${query}`, token)
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json().items
}

const none = { blue: 0, yellow: 0, orange: 0, red: 0 }

describe('GET /rules', () => {
  it('lists what each rule says, whom it watches, and that it never fired', async () => {
    const [tankLevel, bundGas, smoke] = await rules(everyone)
    expect(tankLevel).toEqual({
      id: 'tank-level',
      title: { zh: '储罐液位', en: 'Tank level' },
      guidance: { zh: '停止进料', en: 'Stop filling' },
      source: 'GB 17681-2024',
      per: 'device',
      latched: false,
      origin: 'file',
      shadow: false,
      appliesTo: { profile: 'storage-tank', devices: null, labels: {}, area: null, site: null, enterprise: null },
      tiers: [
        { tier: 'yellow', when: 'level_pct > limits.level_high', clear: null, deadband: 2, for: '5s', clearFor: '10s' },
        {
          tier: 'red',
          when: 'level_pct > limits.level_high_high || rate(level_pct, "10m") > 5',
          clear: 'level_pct < 88',
          deadband: null,
          for: '2s',
          clearFor: '0s'
        }
      ],
      subjects: 2,
      standing: none,
      lastFiredAt: null,
      firing: 'never',
      unknown: null
    })
    // Two tanks in one bund are one subject of a rule per area.
    expect(bundGas).toMatchObject({ id: 'bund-gas', per: 'area', latched: true, subjects: 1, firing: 'never' })
    expect(smoke).toMatchObject({ id: 'smoke', subjects: 3 })
  })

  it('counts what stands now and says when a rule last raised an alarm', async () => {
    const at = START - HOUR
    await house.commit(
      turn('tank-level', { device: 'T-101' }, at, at, 'clear', 'yellow'),
      turn('tank-level', { device: 'T-101' }, at, at + 1000, 'yellow', 'red'),
      turn('tank-level', { device: 'T-102' }, at + 5000, at + 5000, 'clear', 'yellow'),
      turn('tank-level', { device: 'T-102' }, at + 5000, at + 9000, 'yellow', 'clear')
    )
    const [tankLevel, bundGas] = await rules(everyone)
    expect(tankLevel).toMatchObject({
      standing: { ...none, red: 1 },
      lastFiredAt: new Date(at + 5000).toISOString(),
      firing: 'sometimes'
    })
    expect(bundGas).toMatchObject({ lastFiredAt: null, firing: 'never' })
    expect((await rules(everyone, '?firing=never')).map(({ id }) => id)).toEqual(['bund-gas', 'smoke'])
  })

  it('tells a rule that always fires: on every subject for more than a day', async () => {
    const long = START - 25 * HOUR
    await house.commit(turn('tank-level', { device: 'T-101' }, long, long, 'clear', 'yellow'))
    expect(await rules(everyone, '?firing=always')).toEqual([])
    await house.commit(turn('tank-level', { device: 'T-102' }, long + 1, long + 1, 'clear', 'yellow'))
    expect((await rules(everyone, '?firing=always')).map(({ id }) => id)).toEqual(['tank-level'])
    expect((await rules(everyone, '?firing=sometimes')).map(({ id }) => id)).toEqual([])
  })

  it('tells rules that fail: on how many subjects they cannot be judged, and why', async () => {
    await house.receive('gw-01', [{ device: 'T-101', ts: START, values: { level_pct: 50, temperature_c: 20 } }])
    house.clock.moveTo(START + 1_000)
    const failing = await rules(everyone, '?firing=failing')
    expect(failing.map(({ id, unknown }) => [id, unknown])).toEqual([
      [
        'tank-level',
        {
          looked: 2,
          count: 2,
          share: 1,
          reasons: [
            {
              reason: 'no value of level_pct is known from 10m ago',
              reasonText: { zh: 'level_pct在 10 分钟前没有已知值', en: 'no value of level_pct is known from 10m ago' },
              count: 2
            },
            {
              reason: 'the device has not reported yet',
              reasonText: { zh: '设备从未上报', en: 'the device has not reported yet' },
              count: 1
            }
          ]
        }
      ]
    ])
    expect((await rules(everyone, '?firing=never')).map(({ unknown }) => unknown)).toEqual([null, null, null])
  })

  it('shows to a limited scope what watches something of theirs, counted over that alone', async () => {
    const at = START - HOUR
    await house.commit(
      turn('smoke', { device: 'X-1' }, at, at, 'clear', 'red'),
      turn('smoke', { device: 'S-1' }, at - 1000, at - 1000, 'clear', 'yellow')
    )
    expect((await rules(daxie)).map(({ id }) => id)).toEqual(['tank-level', 'bund-gas'])
    const [smoke, ...others] = await rules(market)
    expect(others).toEqual([])
    expect(smoke).toMatchObject({
      id: 'smoke',
      subjects: 2,
      standing: { ...none, yellow: 1 },
      lastFiredAt: new Date(at - 1000).toISOString()
    })
    expect((await house.ask('/api/v1/rules/smoke', daxie)).statusCode).toBe(404)
    expect((await house.ask('/api/v1/rules/smoke', market)).json()).toMatchObject({
      ...smoke,
      unknown: { looked: 0, count: 0, share: 0, reasons: [] }
    })
    expect((await house.ask('/api/v1/rules/smoke', null)).statusCode).toBe(401)
  })

  it('answers in pages', async () => {
    const first = (await house.ask('/api/v1/rules?limit=2', everyone)).json()
    expect(first.items.map(({ id }: RuleBody) => id)).toEqual(['tank-level', 'bund-gas'])
    const second = (await house.ask(`/api/v1/rules?limit=2&cursor=${first.next}`, everyone)).json()
    expect(second.items.map(({ id }: RuleBody) => id)).toEqual(['smoke'])
    expect(second.next).toBeNull()
    const wrong = (await house.ask('/api/v1/rules?cursor=nonsense', everyone)).json()
    expect(wrong).toMatchObject({ status: 422, faults: [{ at: 'cursor' }] })
  })
})

describe('shadow rules', () => {
  const at = START - HOUR
  const did = (device: string, n: number): Transition => ({
    ...(turn('smoke', { device }, at + n, at + n, 'clear', 'red') as Transition),
    shadow: true
  })
  let shadowed: House

  beforeEach(async () => {
    const rules = PLANT.rules.map((rule) => (rule.id === 'smoke' ? { ...rule, shadow: true as const } : rule))
    shadowed = await House.open({ plant: { ...PLANT, rules } })
    await shadowed.shadow(did('S-1', 1), did('X-1', 2), did('S-2', 3))
  })
  afterEach(() => shadowed.close())

  it('are listed as such, with when they would last have fired, and stand nowhere', async () => {
    const token = await shadowed.token('viewer')
    const body = (await shadowed.ask('/api/v1/rules/smoke', token)).json()
    expect(body).toMatchObject({ shadow: true, standing: none, lastFiredAt: new Date(at + 3).toISOString(), firing: 'sometimes' })
    for (const list of ['alarms?state=all', 'alarm-events']) expect((await shadowed.ask(`/api/v1/${list}`, token)).json().items).toEqual([])
    expect((await shadowed.ask('/api/v1/kpi', token)).json()).toMatchObject({ alarms: 0, standing: 0 })
    const overview = (await shadowed.ask('/api/v1/overview', token)).json()
    expect(overview.alarms).toMatchObject({ red: 0, unacknowledged: 0 })
    const device = (await shadowed.ask('/api/v1/devices/S-1', token)).json()
    expect([device.rules, device.thresholds, device.worstTier]).toEqual([[], [], null])
  })

  it('have a list of their own: newest first, in pages, inside the scope', async () => {
    const token = await shadowed.token('viewer')
    const first = (await shadowed.ask('/api/v1/rules/smoke/shadow-events?limit=2', token)).json()
    expect(first.items).toEqual(
      [did('S-2', 3), did('X-1', 2)].map(({ rule, device, area, from, to, id, because, at: when }) => ({
        at: new Date(when).toISOString(),
        rule,
        device,
        area,
        from,
        to,
        id,
        because
      }))
    )
    const second = (await shadowed.ask(`/api/v1/rules/smoke/shadow-events?limit=2&cursor=${first.next}`, token)).json()
    expect([second.items.map(({ device }: { device: string }) => device), second.next]).toEqual([['S-1'], null])
    const scoped = await shadowed.token('viewer', ['market'])
    const theirs = (await shadowed.ask('/api/v1/rules/smoke/shadow-events', scoped)).json()
    expect(theirs.items.map(({ device }: { device: string }) => device)).toEqual(['S-2', 'S-1'])
    expect((await shadowed.ask('/api/v1/rules/smoke/shadow-events', await shadowed.token('viewer', ['daxie']))).statusCode).toBe(404)
    expect((await shadowed.ask('/api/v1/rules/smoke/shadow-events?cursor=x', token)).statusCode).toBe(422)
    expect((await shadowed.ask('/api/v1/rules/tank-level/shadow-events', token)).json()).toEqual({ items: [], next: null })
  })
})
