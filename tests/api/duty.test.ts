import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Duty } from '../../src/model/duty.ts'
import { House, START } from './harness.ts'
import { PLANT } from './plant.ts'

const name = (id: string): { zh: string; en: string } => ({ zh: id, en: id })
const DAY = START / 86_400_000
// From 08:00 to 20:00 UTC ann, then nobody.
const DUTY: Duty = {
  people: [
    { id: 'ann', name: name('ann'), language: 'en', zone: 'UTC', enterprise: 'daxie', user: null, addresses: { sms: '000 1' }, quiet: null }
  ],
  teams: [],
  rotas: [
    {
      ...{ id: 'gate', name: name('gate'), zone: 'UTC', startDay: Math.floor(DAY), overrides: [] },
      shifts: [
        { hours: { from: 480, to: 1200 }, days: [0, 1, 2, 3, 4, 5, 6], order: [{ kind: 'person', id: 'ann' }], rotateDays: 1, offset: 0 }
      ]
    }
  ],
  responsible: [],
  ladders: [
    {
      ...{ id: 'farm', appliesTo: { tiers: null, rules: null, area: null, site: 'farm', enterprise: null }, receiptWithinMs: null },
      rungs: [{ afterMs: 0, tell: [{ kind: 'duty', rota: 'gate' }], by: [['sms']], repeatMs: 60_000, times: 2 }]
    }
  ],
  ...{ groupWindowMs: 0, throttle: null, floodDigestMs: 300_000, receipts: ['sms'] }
}

let house: House
beforeEach(async () => {
  house = await House.open({ plant: { ...PLANT, duty: DUTY } })
})
afterEach(() => house.close())

describe('GET /duty', () => {
  it('says who is on duty now and next, and when nobody is', async () => {
    const body = (await house.ask('/api/v1/duty', await house.token('viewer', ['daxie']))).json()
    expect(body.configured).toBe(true)
    const { holes, ...rota } = body.rotas[0]
    expect(rota).toEqual({
      ...{
        rota: 'gate',
        name: name('gate'),
        zone: 'UTC',
        people: [{ id: 'ann', name: name('ann') }],
        until: '2026-01-01T20:00:00.000Z',
        next: []
      }
    })
    expect(holes[0]).toEqual({ from: '2026-01-01T20:00:00.000Z', to: '2026-01-02T08:00:00.000Z' })
  })
  it('keeps to the scope of the caller', async () => {
    expect((await house.ask('/api/v1/duty', await house.token('viewer', ['market']))).json().rotas).toEqual([])
  })
})

describe('GET /duty/preview', () => {
  it('says who would be told, when and by what', async () => {
    const answer = await house.ask('/api/v1/duty/preview?rule=tank-level&device=T-101&tier=red', await house.token('viewer'))
    expect(answer.statusCode, answer.body).toBe(200)
    const { ladder, items } = answer.json()
    expect(ladder).toBe('farm')
    expect(items.map((one: Record<string, unknown>) => [one.at, one.rung, one.occurrence, one.person, one.channel, one.withheld])).toEqual([
      ['2026-01-01T08:00:00.000Z', 1, 1, 'ann', 'sms', null],
      ['2026-01-01T08:01:00.000Z', 1, 2, 'ann', 'sms', null]
    ])
    expect(answer.body).not.toContain('000 1')
  })
  it('says so where nobody is on duty, and where no ladder takes the alarm', async () => {
    const token = await house.token('viewer')
    const night = (await house.ask('/api/v1/duty/preview?rule=tank-level&device=T-101&at=2026-01-01T22:00:00Z', token)).json()
    expect(night.items.map((one: Record<string, unknown>) => [one.person, one.personName, one.withheld])).toEqual([
      ['duty:gate', null, 'nobodyOnDuty']
    ])
    expect((await house.ask('/api/v1/duty/preview?rule=smoke&device=S-1', token)).json()).toMatchObject({ ladder: null, items: [] })
  })
  it('knows only what the caller may see', async () => {
    const token = await house.token('viewer', ['market'])
    expect((await house.ask('/api/v1/duty/preview?rule=smoke&device=T-101', token)).statusCode).toBe(404)
    expect((await house.ask('/api/v1/duty/preview?rule=smoke', token)).statusCode).toBe(422)
  })
})

describe('GET /duty/plan', () => {
  it('tells the ladders that are seen, with the names behind their rungs', async () => {
    const token = await house.token('viewer', ['daxie'])
    expect((await house.ask('/api/v1/duty/plan', token)).json()).toEqual({
      ladders: [
        {
          ...{ id: 'farm', receiptWithinMs: null },
          appliesTo: { tiers: null, rules: null, area: null, site: 'farm', enterprise: null },
          rungs: [{ afterMs: 0, tell: [{ target: 'duty:gate', name: name('gate') }], by: [['sms']], repeatMs: 60_000, times: 2 }]
        }
      ],
      responsible: []
    })
    expect((await house.ask('/api/v1/duty/plan', await house.token('viewer', ['market']))).json()).toEqual({ ladders: [], responsible: [] })
  })
  it('names the three responsible people of each hazard source, those of its site where it has none, and nobody where nobody is', async () => {
    const source = { name: name('bund'), site: 'farm', exposed: 10, inventory: [] }
    const hazardSources = [
      { ...source, id: 'bund' },
      { ...source, id: 'yard' }
    ]
    const responsible = [
      { hazardSource: 'bund', site: null, roles: { operation: 'ann' } },
      { hazardSource: null, site: 'farm', roles: { main: 'ann' } }
    ]
    await house.close()
    house = await House.open({ plant: { ...PLANT, hazardSources, duty: { ...DUTY, responsible } } })
    const { responsible: told } = (await house.ask('/api/v1/duty/plan', await house.token('viewer'))).json()
    const people = told.map((one: { hazardSource: string; roles: { person: string | null }[] }) => [
      one.hazardSource,
      ...one.roles.map(({ person }) => person)
    ])
    expect(people).toEqual([
      ['bund', 'ann', null, null],
      ['yard', null, null, 'ann']
    ])
  })
})
