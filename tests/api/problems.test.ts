import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PROBLEMS, problemOf } from '../../src/api/problems.ts'
import { Refusal } from '../../src/platform/problem.ts'
import { StateFailure } from '../../src/store/failure.ts'
import { House } from './harness.ts'

let house: House
let admin: string

beforeAll(async () => {
  house = await House.open()
  admin = await house.token('admin')
})
afterAll(() => house.close())

const get = (url: string) => house.ask(url, admin)

describe('every problem', () => {
  it('is an RFC 9457 body with a sentence', async () => {
    const answer = await get('/api/v1/devices/T-999?x=1')
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(answer.json()).toEqual({
      type: 'urn:fenghuo:problem:unknown',
      title: 'No such thing',
      status: 404,
      detail: 'There is no device T-999 that you may see.',
      instance: '/api/v1/devices/T-999'
    })
  })

  it('has a status of its own', () => {
    const statuses = Object.values(PROBLEMS).map(({ status }) => status)
    expect(new Set(statuses).size).toBe(statuses.length)
    expect(statuses).toEqual(statuses.toSorted((a, b) => a - b))
  })
})

describe('bad input', () => {
  const QUERIES: readonly (readonly [string, RegExp, string])[] = [
    ['/api/v1/alarms?state=some', /state in the query/, 'state'],
    ['/api/v1/alarms?tier=pink', /tiers are blue, yellow, orange, red/, 'tier/0'],
    ['/api/v1/alarms?limit=0', /limit in the query/, 'limit'],
    ['/api/v1/alarms?limit=1001', /limit in the query/, 'limit'],
    ['/api/v1/alarms?limit=many', /whole number from 1 to 1000/, 'limit'],
    ['/api/v1/alarms?from=yesterday', /ISO 8601/, 'from'],
    ['/api/v1/alarms?from=2026-01-01T00:00:00', /ISO 8601 with a zone/, 'from'],
    ['/api/v1/alarms?from=1767225600000', /ISO 8601/, 'from'],
    ['/api/v1/alarms?cursor=!!!', /cursor/, 'cursor'],
    ['/api/v1/alarms?cursor=eyJhIjoxfQ', /cursor/, 'cursor'],
    ['/api/v1/alarm-events?cursor=abc', /cursor/, 'cursor'],
    ['/api/v1/quarantine?cursor=abc', /cursor/, 'cursor'],
    ['/api/v1/devices?cursor=abc', /cursor/, 'cursor'],
    ['/api/v1/devices?cursor=MQ', /cursor/, 'cursor'],
    ['/api/v1/sites?cursor=IngiCg', /cursor/, 'cursor'],
    ['/api/v1/devices?quality=fine', /quality in the query/, 'quality'],
    ['/api/v1/devices?site=%00', /an id has 1 to 64/, 'site'],
    ['/api/v1/readings?metric=level_pct', /device in the query/, 'device'],
    ['/api/v1/readings?device=T-101&metric=level_pct&every=10', /10s, 5m or 1h/, 'every'],
    ['/api/v1/readings?device=T-101&metric=level_pct&every=0s', /10s, 5m or 1h/, 'every'],
    ['/api/v1/readings?device=T-101&metric=level_pct&cursor=Zm9v', /cursor/, 'cursor'],
    ['/api/v1/readings?device=T-101&metric=level_pct&limit=10001', /limit in the query/, 'limit'],
    ['/api/v1/alarms?state=active&state=all', /state in the query/, 'state']
  ]

  for (const [url, sentence, at] of QUERIES) {
    it(`is named: ${url}`, async () => {
      const answer = await get(url)
      const body = answer.json()
      expect([answer.statusCode, body.faults?.[0]?.at]).toEqual([422, at])
      expect(body.detail).toMatch(sentence)
      expect(body.detail).toMatch(/\.$/)
    })
  }

  it('is named in a body', async () => {
    const answer = await house.ask('/api/v1/tokens', admin, { payload: { name: '', role: 'king', enterprises: 'daxie' } })
    expect([answer.statusCode, answer.json().faults.map(({ at }: { at: string }) => at)]).toEqual([422, ['/name', '/role', '/enterprises']])
    expect(answer.json().detail).toMatch(/\/name in the body: .* \(and 2 more, see faults\)\.$/)
  })

  it('is refused as JSON, as media type, by size', async () => {
    const post = (payload: string, type = 'application/json') =>
      house.ask('/api/v1/tokens', admin, { payload, headers: { 'content-type': type } })
    const cases = [
      [await post('{"name": '), 400, 'malformed'],
      [await post('"text"'), 422, 'invalid'],
      [await post('[]'), 422, 'invalid'],
      [await post(''), 422, 'invalid'],
      [await post('{"__proto__": {"role": "admin"}, "name": "x"}'), 400, 'malformed'],
      [await post('name=x', 'application/x-www-form-urlencoded'), 415, 'mediaType'],
      [await post(JSON.stringify({ name: 'x'.repeat(1024 * 1024) })), 413, 'tooLarge'],
      [await post(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), 422, 'invalid']
    ] as const
    for (const [answer, status, kind] of cases) {
      expect([answer.statusCode, answer.json().type]).toEqual([status, `urn:fenghuo:problem:${kind}`])
    }
  })

  it('is named as a person would', async () => {
    const missing = await get('/api/v1/readings?metric=level_pct')
    expect(missing.json().detail).toBe('Not acceptable: device in the query: missing; a string is expected.')
    const state = await get('/api/v1/alarms?state=foo')
    expect(state.json().detail).toBe('Not acceptable: state in the query: expected one of "active"|"all".')
  })

  it('in a path is not found, or not a path', async () => {
    expect((await get('/api/v1/alarms/%E0%A4%A')).json()).toMatchObject({ status: 400, type: 'urn:fenghuo:problem:malformed' })
    expect((await get(`/api/v1/alarms/${'x'.repeat(301)}`)).statusCode).toBe(404)
    expect((await get('/api/v1/alarms/%00')).statusCode).toBe(404)
    expect((await get("/api/v1/alarms/' or 1=1 --")).statusCode).toBe(404)
    expect((await get('/api/v1/nothing')).json().detail).toBe('There is nothing at GET /api/v1/nothing. The API is described at /docs.')
    expect((await house.ask('/api/v1/alarms', admin, { method: 'PATCH' })).statusCode).toBe(404)
    expect((await house.ask('/api/v1/alarms/x/explode', admin, { payload: {} })).statusCode).toBe(404)
  })

  it('on the socket itself costs one answer', async () => {
    const { hostname, port } = new URL(await house.listen())
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end('GARBAGE\r\n\r\n'))
      let text = ''
      socket.on('data', (data) => (text += data))
      socket.on('close', () => resolve(text))
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('bytes that never become a request', () => {
  it.each([
    [`GET /readyz HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`, 431, 'headersTooLarge'],
    ['\u0010\u000c\u0000\u0004MQTT\r\n\r\n', 400, 'malformed']
  ])('are answered with a problem: %#', async (bytes, status, kind) => {
    const { port } = new URL(await house.listen())
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(bytes)
    const answer = (await socket.setEncoding('utf8').toArray()).join('')
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\ncontent-type: application/problem\\+json\r\n`))
    expect(JSON.parse(body)).toMatchObject({ type: `urn:fenghuo:problem:${kind}`, status, detail: expect.stringMatching(/^[A-Z].*\.$/) })
  })
})

describe('faults of our own', () => {
  it('leave no trace of their inside', () => {
    const problem = problemOf(new TypeError("Cannot read properties of undefined (reading 'secret')"))
    expect([problem.kind, problem.message]).toEqual(['internal', 'The service failed at this request. The log says why; please report it.'])
  })

  it('of the disk are told as such', () => {
    const problem = problemOf(new StateFailure('full'))
    expect([problem.kind, problem.headers]).toEqual(['unavailable', { 'retry-after': '5' }])
    expect(problemOf(new Refusal('every is too short')).kind).toBe('invalid')
  })

  it('are logged in full and answered in one sentence', async () => {
    const other = await House.open()
    const logged: unknown[] = []
    Object.assign(other.parts.log, { error: (sentence: string, fields: unknown) => logged.push(sentence, fields) })
    Object.assign(other, { health: null })
    const answer = await other.ask('/healthz', null)
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toMatch(/TypeError|\.ts:|null/)
    expect(logged).toEqual(['GET /healthz failed', { stack: expect.stringContaining('TypeError') }])
    await other.close()
  })
})
