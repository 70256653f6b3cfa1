import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { House, START, turn } from './harness.ts'

let house: House
let everyone: string

beforeEach(async () => {
  house = await House.open()
  everyone = await house.token('viewer')
})
afterEach(() => house.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into by paths
async function why(rule: string, query: string, token = everyone): Promise<any> {
  return (await house.ask(`/api/v1/rules/${rule}/explain?${query}`, token)).json()
}
const iso = (at: number): string => new Date(at).toISOString()

describe('GET /rules/{id}/explain', () => {
  it('tells a delay that runs, with every value, its age and quality', async () => {
    await house.receive('gw-01', { device: 'T-101', ts: START, values: { level_pct: 86.1 } })
    house.clock.moveTo(START + 3_000)
    const told = await why('tank-level', 'device=T-101')
    expect(told).toMatchObject({
      rule: 'tank-level',
      device: 'T-101',
      area: null,
      at: iso(START + 3_000),
      lineAt: iso(START + 3_000),
      level: 'clear',
      alarm: null,
      since: null,
      sentence: 'yellow: not yet: level_pct 86.1 > 85 holds since 3s of 5s',
      sentenceText: {
        zh: '黄色: 尚未:level_pct 86.1% > 85%,已持续 3 秒(需 5 秒)',
        en: 'yellow: not yet: level_pct 86.1% > 85% holds since 3s of 5s'
      },
      transitions: []
    })
    const [yellow, red] = told.tiers
    expect(yellow.clock).toEqual({ of: 'when', since: iso(START), patienceMs: 5_000, elapsedMs: 3_000, dueAt: iso(START + 5_000) })
    expect(yellow.when.parts[1]).toEqual({
      depth: 1,
      device: 'T-101',
      text: 'level_pct',
      verdict: null,
      shown: '86.1',
      value: 86.1,
      metric: 'level_pct',
      at: iso(START),
      ageMs: 3_000,
      quality: 'good',
      unknown: [],
      unknownText: []
    })
    expect(red.sentence).toBe('not on: unknown: no value of level_pct is known from 10m ago')
    house.clock.moveTo(START + 6_000)
    expect(await why('tank-level', 'device=T-101')).toMatchObject({ level: 'yellow', alarm: `tank-level/T-101#${START + 5_000}` })
  })

  it('names the quality of what cannot be used', async () => {
    await house.receive('gw-01', { device: 'T-101', ts: START, values: { level_pct: 120, temperature_c: null } })
    const told = await why('tank-level', 'device=T-101')
    expect(told.sentence).toBe('yellow: not on: unknown: level_pct is out of range')
    expect(told.tiers[0].when.parts[1]).toMatchObject({ value: null, shown: 'unknown', quality: 'outOfRange' })
    const area = await why('bund-gas', 'area=bund-1')
    expect(area.tiers[0].when.parts).toMatchObject([
      { depth: 0, device: null, text: 'voted(2, temperature_c >= 60)', verdict: 'unknown' },
      { depth: 1, device: 'T-102', verdict: 'unknown', unknown: ['T-102 has not reported yet'] },
      { depth: 2, device: 'T-102', metric: 'temperature_c', at: null, quality: null },
      { depth: 1, device: 'T-101', verdict: 'unknown', unknown: ['temperature_c is faulty'] },
      { depth: 2, device: 'T-101', metric: 'temperature_c', at: iso(START), quality: 'sensorFault' }
    ])
  })

  it('adds what the rule last did there, and nowhere else', async () => {
    const at = START - 60_000
    await house.commit(
      turn('tank-level', { device: 'T-101' }, at, at, 'clear', 'yellow'),
      turn('tank-level', { device: 'T-101' }, at, at + 1_000, 'yellow', 'clear'),
      turn('tank-level', { device: 'T-102' }, at, at, 'clear', 'red'),
      turn('tank-level', { device: 'T-101' }, at + 9_000, at + 9_000, 'clear', 'red'),
      { kind: 'action', at: START, id: `tank-level/T-101#${at + 9_000}`, action: 'acknowledge', by: 'li', note: null }
    )
    const { transitions } = await why('tank-level', 'device=T-101')
    expect(transitions.map((one: { from: string; to: string; because: string }) => [one.from, one.to, one.because])).toEqual([
      ['clear', 'yellow', 'because of yellow'],
      ['yellow', 'clear', 'because of clear'],
      ['clear', 'red', 'because of red']
    ])
    for (let n = 1; n <= 30; n++)
      await house.commit(turn('tank-level', { device: 'T-102' }, START + n, START + n, 'clear', n % 2 === 0 ? 'red' : 'yellow'))
    const many = (await why('tank-level', 'device=T-102')).transitions
    expect([many.length, many[0].at, many.at(-1).at]).toEqual([20, iso(START + 11), iso(START + 30)])
  })

  it('answers only about what the rule watches and the caller may see', async () => {
    const market = await house.token('viewer', ['market'])
    for (const [rule, query, token, status] of [
      ['tank-level', 'device=S-1', everyone, 404],
      ['tank-level', 'device=nobody', everyone, 404],
      ['nothing', 'device=T-101', everyone, 404],
      ['tank-level', 'device=T-101', market, 404],
      ['smoke', 'device=X-1', market, 404],
      ['tank-level', '', everyone, 422],
      ['tank-level', 'area=bund-1', everyone, 422],
      ['bund-gas', 'device=T-101', everyone, 422],
      ['bund-gas', 'device=T-101&area=bund-1', everyone, 422],
      ['bund-gas', 'area=bund-2', everyone, 404]
    ] as const) {
      expect([rule, query, (await why(rule, query, token)).status]).toEqual([rule, query, status])
    }
    expect((await why('bund-gas', 'device=T-101')).detail).toBe('The rule bund-gas watches areas: name one with area=ID, and nothing else.')
  })
})
