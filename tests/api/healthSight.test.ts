// Who reads what of the duty in health: strangers a count, others the rotas that concern them, nobody else's.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dutyParts } from '../../src/app/dutyHealth.ts'
import type { Duty } from '../../src/model/duty.ts'
import { House, START } from './harness.ts'
import { PLANT } from './plant.ts'

const person = (id: string, enterprise: string): Duty['people'][number] => ({
  ...{ id, name: { zh: id, en: id }, language: 'en', zone: 'UTC', enterprise, user: null, quiet: null },
  addresses: {}
})
/** On duty from midnight to noon: from noon on nobody is. */
const rota = (id: string, who: string): Duty['rotas'][number] => ({
  ...{ id, name: { zh: id, en: id }, zone: 'UTC', startDay: 0, overrides: [] },
  shifts: [{ hours: { from: 0, to: 720 }, days: [0, 1, 2, 3, 4, 5, 6], order: [{ kind: 'person', id: who }], rotateDays: 1, offset: 0 }]
})
const ladder = (id: string, site: string, of: string): Duty['ladders'][number] => ({
  ...{ id, receiptWithinMs: null, appliesTo: { tiers: null, rules: null, area: null, site, enterprise: null } },
  rungs: [{ afterMs: 0, tell: [{ kind: 'duty', rota: of }], by: [['sms']], repeatMs: null, times: 1 }]
})
const DUTY: Duty = {
  people: [person('li', 'daxie'), person('wu', 'market')],
  ...{ teams: [], responsible: [], groupWindowMs: 0, throttle: null, floodDigestMs: 0, receipts: [] },
  rotas: [rota('farm-rota', 'li'), rota('street-rota', 'wu')],
  ladders: [ladder('farm-ladder', 'farm', 'farm-rota'), ladder('street-ladder', 'street', 'street-rota')]
}

let house: House

beforeEach(async () => {
  const plant = { ...PLANT, duty: DUTY }
  house = await House.open({ plant })
  house.health = { ...house.health, parts: [...house.health.parts, ...dutyParts(DUTY, START)] }
})
afterEach(() => house.close())

const dutyOf = (parts: { part: string }[]) => parts.filter(({ part }) => part.startsWith('duty'))

describe('the duty in health', () => {
  it.each(['/healthz', '/readyz'])('%s tells strangers how many rotas leave nobody on duty, and no name', async (url) => {
    const answer = await house.ask(url, null)
    expect([answer.statusCode, dutyOf(answer.json().parts)]).toEqual([
      200,
      [{ part: 'duty', state: 'degraded', problem: 'Nobody is on duty in 2 rotas, now or within 24 hours: sign in to see which.' }]
    ])
    expect(answer.body).not.toMatch(/farm|street|"li"|"wu"/)
  })

  it('the overview names the rotas that concern whoever asks', async () => {
    const seen = async (enterprises: string[] | null, sites: string[] | null) => {
      const { health, problems } = (await house.ask('/api/v1/overview', await house.token('viewer', enterprises, sites))).json()
      return { parts: dutyOf(health).map(({ part }) => part), problems: problems.filter((text: string) => text.includes('on duty')) }
    }
    const [farm, street] = ['farm', 'street'].map(
      (place) =>
        `Nobody will be on duty in the rota ${place}-rota from 2026-01-01T12:00 until 2026-01-02T00:00 (UTC): add a shift or an override.`
    )
    expect(await seen(null, null)).toEqual({ parts: ['duty', 'duty farm-rota', 'duty street-rota'], problems: [farm, street] })
    expect(await seen(['daxie'], null)).toEqual({ parts: ['duty', 'duty farm-rota'], problems: [farm] })
    expect(await seen(null, ['farm'])).toEqual({ parts: ['duty', 'duty farm-rota'], problems: [farm] })
    expect(await seen(['market'], ['street'])).toEqual({ parts: ['duty', 'duty street-rota'], problems: [street] })
  })

  it('an empty rota of this moment says what happens meanwhile', () => {
    expect(dutyParts(DUTY, START + 13 * 3_600_000)[1]).toMatchObject({
      part: 'duty farm-rota',
      rota: 'farm-rota',
      state: 'degraded',
      problem:
        'Nobody is on duty in the rota farm-rota until 2026-01-02T00:00 (UTC): the next rung of each ladder is called instead. Add a shift or an override.'
    })
  })

  it('without a hole nothing is added, and without duty everybody reads that nobody is told', async () => {
    house.health = { ...house.health, parts: dutyParts(undefined, START) }
    expect((await house.ask('/healthz', null)).json().parts).toEqual([
      {
        ...{ part: 'duty', state: 'ok' },
        problem: 'Nobody is told of alarms: the plant folder has no duty.yaml with ladders. They show in the console only.'
      }
    ])
  })
})
