// States and inhibitions by API: what is on, what is held back, and states that people switch.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Role } from '../../src/access/roles.ts'
import { House, START, turn } from './harness.ts'

let house: House
let tokens: Record<Role, string>

beforeEach(async () => {
  house = await House.open()
  tokens = await house.tokens()
})
afterEach(() => house.close())

const iso = (at: number): string => new Date(at).toISOString()
const LEVEL = `tank-level/T-101#${START}`
const raised = turn('tank-level', { device: 'T-101' }, START, START, 'clear', 'yellow')
const gas = turn('bund-gas', { area: 'bund-1' }, START, START, 'clear', 'red')

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into by paths
async function first(list: 'states' | 'inhibitions', token = tokens.viewer): Promise<any> {
  return (await house.ask(`/api/v1/${list}`, token)).json().items[0]
}

describe('inhibitions', () => {
  it('tell which alarm explains which others', async () => {
    await house.commit(gas, raised)
    expect(await first('inhibitions')).toEqual({
      id: 'gas-first',
      title: { zh: '气体', en: 'Gas first' },
      suppresses: { rules: ['tank-level'], upTo: 'orange' },
      source: { rule: 'bund-gas', tier: 'red' },
      within: 'area',
      on: [
        {
          scope: 'area bund-1',
          source: gas.id,
          since: iso(START),
          until: null,
          because: 'bund-gas/bund-1: because of red',
          becauseText: { zh: 'bund-gas/bund-1: because of red', en: 'bund-gas/bund-1: because of red' }
        }
      ],
      holdsBack: [LEVEL]
    })
    expect((await house.ask(`/api/v1/alarms/${encodeURIComponent(LEVEL)}`, tokens.viewer)).json()).toMatchObject({ isaState: 'H' })
  })

  it('tell nobody of places that are none of theirs', async () => {
    await house.commit(gas, raised)
    const stranger = await house.token('viewer', ['market'])
    expect(await first('inhibitions', stranger)).toMatchObject({ on: [], holdsBack: [] })
  })
})

describe('a state that people switch', () => {
  const enter = (payload: object, token = tokens.engineer) => house.ask('/api/v1/states/works/enter', token, { payload })

  it('is on until its time, or until it is switched off', async () => {
    await house.commit(raised)
    const until = iso(START + 600_000)
    const told = await enter({ device: 'T-101', until, note: 'new gauge' })
    expect(told.json()).toMatchObject({
      id: 'works',
      kind: 'manual',
      on: [{ scope: 'device T-101', source: 'person', since: iso(START), until }],
      holdsBack: [LEVEL]
    })
    expect((await first('states')).on[0].because).toMatch(/^switched on by .+: new gauge$/)
    const left = await house.ask('/api/v1/states/works/leave', tokens.engineer, { payload: { device: 'T-101' } })
    expect(left.json()).toMatchObject({ on: [], holdsBack: [] })
  })

  it('is refused in a sentence', async () => {
    const until = iso(START + 600_000)
    const answers = [
      await enter({ device: 'T-101', until }, tokens.operator),
      await enter({ until }),
      await enter({ device: 'T-101', area: 'bund-1', until }),
      await enter({ device: 'T-999', until }),
      await enter({ device: 'T-101', until: iso(START + 7_200_000) }),
      await enter({ device: 'T-101', until: iso(START - 1) }),
      await house.ask('/api/v1/states/works/leave', tokens.engineer, { payload: { device: 'T-101' } }),
      await house.ask('/api/v1/states/nothing/enter', tokens.engineer, { payload: { device: 'T-101', until } })
    ]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([403, 422, 422, 404, 409, 409, 409, 404])
    expect(answers[4]?.json().detail).toBe('The state works may be on for 60 minutes at most.')
  })
})
