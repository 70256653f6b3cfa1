import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, START } from './harness.ts'

let house: House
let viewer: string

beforeAll(async () => {
  house = await House.open()
  viewer = await house.token('viewer')
})
afterAll(() => house.close())

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

function send(payload: string | Buffer | object, headers: Record<string, string> = {}) {
  return house.app.inject({
    method: 'POST',
    url: '/api/v1/telemetry',
    payload,
    headers: { authorization: basic('gw-01:secret-one'), ...headers }
  })
}

describe('POST /telemetry', () => {
  it('takes one sample, and an array', async () => {
    const one = await send({ device: 'T-101', values: { level_pct: 50 } })
    expect([one.statusCode, one.json()]).toEqual([202, { accepted: 1, rejected: [] }])
    const two = await send([
      { device: 'T-101', ts: START + 1, values: { level_pct: 51 } },
      { device: 'T-102', ts: '2026-01-01T08:00:00Z', values: { level_pct: 52 } }
    ])
    expect([two.statusCode, two.json()]).toEqual([202, { accepted: 2, rejected: [] }])
    const { items } = (await house.ask('/api/v1/devices?ids=T-101,T-102', viewer)).json()
    expect(items.map((device: { values: { value: number }[] }) => device.values[0]?.value)).toEqual([51, 52])
  })

  it('takes what is good and names what is not, which is then in quarantine', async () => {
    const answer = await send([
      { device: 'T-101', ts: START + 2, values: { level_pct: 53 } },
      { device: 'S-1', values: { alarm: 1 } },
      { device: 'T-999', values: { level_pct: 1 } }
    ])
    expect(answer.statusCode).toBe(202)
    const { accepted, rejected } = answer.json()
    expect(accepted).toBe(1)
    expect(rejected.map((item: { index: number }) => item.index)).toEqual([1, 2])
    for (const { problem } of rejected) expect(problem).toMatch(/^[A-Z].*\.$/)
    const { items } = (await house.ask('/api/v1/quarantine', viewer)).json()
    expect(items.map((item: { problem: string }) => item.problem).toSorted()).toEqual(
      rejected.map((item: { problem: string }) => item.problem).toSorted()
    )
    expect(items[0]).toMatchObject({ gateway: 'gw-01', enterprise: 'daxie', topic: 'fh/1/gw-01/telemetry', at: '2026-01-01T08:00:00.000Z' })
    const stranger = await house.token('viewer', ['market'])
    expect((await house.ask('/api/v1/quarantine', stranger)).json().items).toEqual([])
  })

  it('does not mind which media type a simple device names', async () => {
    const body = '{"device":"T-101","values":{"level_pct":54}}'
    for (const type of ['application/json', 'text/plain', 'application/octet-stream', 'application/x-www-form-urlencoded']) {
      expect((await send(body, { 'content-type': type })).statusCode).toBe(202)
    }
  })

  it('refuses what can never be read', async () => {
    for (const body of ['{"device": "T-101", "values": {', '', '\u0000', 'NaN']) {
      const answer = await send(body)
      expect([body, answer.statusCode]).toEqual([body, 400])
      expect(answer.json().detail).toMatch(/^The (body|message) .*/)
    }
  })

  it('counts a sample of which nothing can be used as rejected only', async () => {
    const answer = await send([
      { device: 'T-101', values: { level_pct: 'high' } },
      { device: 'T-101', values: { level_pct: 54, nope: 1 } },
      { device: 'T-101', values: {} }
    ])
    const { accepted, rejected } = answer.json()
    expect([accepted, rejected.map((item: { index: number }) => item.index)]).toEqual([2, [0, 1]])
  })

  it('does not take compressed bytes for text', async () => {
    const answer = await send(Buffer.from([0x1f, 0x8b, 8, 0]), { 'content-encoding': 'gzip' })
    expect([answer.statusCode, answer.json().detail]).toEqual([415, 'The body is encoded as gzip; send it as it is, without compression.'])
  })

  it('asks gateways for their secret', async () => {
    for (const credentials of [
      'gw-01:wrong',
      'gw-01:',
      'gw-01',
      ':',
      'gw-99:secret-one',
      'gw-02:secret-one',
      'admin:correct horse battery'
    ]) {
      expect([credentials, (await send({}, { authorization: basic(credentials) })).statusCode]).toEqual([credentials, 401])
    }
    expect((await send({}, { authorization: 'Basic %%%' })).statusCode).toBe(401)
  })

  it('refuses a body beyond the limit', async () => {
    const answer = await send(Buffer.alloc(1024 * 1024 + 1, 0x20))
    expect([answer.statusCode, answer.json().type]).toEqual([413, 'urn:fenghuo:problem:tooLarge'])
  })

  it('does not promise what is not on disk', async () => {
    house.obstacle = 'The disk of the data folder is full; nothing is accepted until there is space.'
    const full = await send({ device: 'T-101', values: { level_pct: 55 } })
    expect([full.statusCode, full.headers['retry-after'], full.json().detail]).toEqual([503, '5', house.obstacle])
    house.obstacle = null
    house.stuck = true
    const asked = send({ device: 'T-101', values: { level_pct: 56 } })
    await house.late(asked)
    const stuck = await asked
    expect([stuck.statusCode, stuck.json().detail]).toEqual([503, 'The message is not on disk yet. Send it again: a repeat is ignored.'])
    house.stuck = false
  })
})
