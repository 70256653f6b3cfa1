import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROLES, type Role } from '../../src/access/roles.ts'
import { House, PASSWORD, START, turn } from './harness.ts'

type Asker = 'nobody' | 'gateway' | Role
const ASKERS: readonly Asker[] = ['nobody', 'gateway', ...ROLES]

const ALARM = encodeURIComponent(`tank-level/T-101#${START}`)

/** Who gets in where; everybody else is answered 401 (has not said who) or 403 (may not). */
const DOORS: readonly (readonly [string, string, readonly Asker[]])[] = [
  ['GET', '/api/v1/session', ROLES],
  ['DELETE', '/api/v1/session', ASKERS],
  ['GET', '/api/v1/tokens', ['admin']],
  ['POST', '/api/v1/tokens', ['admin']],
  ['DELETE', '/api/v1/tokens/none', ['admin']],
  ['GET', '/api/v1/users', ['admin']],
  ['POST', '/api/v1/users', ['admin']],
  ['PUT', '/api/v1/users/none', ['admin']],
  ['DELETE', '/api/v1/users/none', ['admin']],
  ['GET', '/api/v1/audit', ['admin']],
  ['GET', '/api/v1/sessions', ROLES],
  ['DELETE', '/api/v1/sessions/none', ROLES],
  ['GET', '/api/v1/alarms', ROLES],
  ['GET', `/api/v1/alarms/${ALARM}`, ROLES],
  ['POST', `/api/v1/alarms/${ALARM}/acknowledge`, ['operator', 'engineer', 'admin']],
  ['POST', `/api/v1/alarms/${ALARM}/comment`, ['operator', 'engineer', 'admin']],
  ['POST', `/api/v1/alarms/${ALARM}/shelve`, ['operator', 'engineer', 'admin']],
  ['POST', `/api/v1/alarms/${ALARM}/reset`, ['operator', 'engineer', 'admin']],
  ['GET', '/api/v1/alarm-events', ROLES],
  ['GET', '/api/v1/devices', ROLES],
  ['GET', '/api/v1/devices/T-101', ROLES],
  ['GET', '/api/v1/readings?device=T-101&metric=level_pct', ROLES],
  ['GET', '/api/v1/sites', ROLES],
  ['GET', '/api/v1/overview', ROLES],
  ['GET', '/api/v1/notices', ROLES],
  ['GET', '/api/v1/quarantine', ROLES],
  ['POST', '/api/v1/telemetry', ['gateway']],
  ['GET', '/healthz', ASKERS],
  ['GET', '/readyz', ASKERS],
  ['GET', '/metrics', ASKERS],
  ['GET', '/openapi.json', ASKERS],
  ['GET', '/docs/', ASKERS]
]

let house: House
let tokens: Record<Role, string>

beforeAll(async () => {
  house = await House.open()
  tokens = await house.tokens()
  await house.commit(turn('tank-level', { device: 'T-101' }, START, START, 'clear', 'yellow'))
})
afterAll(() => house.close())

function authorization(asker: Asker): Record<string, string> {
  if (asker === 'nobody') return {}
  if (asker === 'gateway') return { authorization: `Basic ${Buffer.from('gw-01:secret-one').toString('base64')}` }
  return { authorization: `Bearer ${tokens[asker]}` }
}

async function signIn(password = PASSWORD, headers: Record<string, string> = {}) {
  return house.app.inject({ method: 'POST', url: '/api/v1/session', payload: { username: 'admin', password }, headers })
}

async function cookie(): Promise<string> {
  const [set] = (await signIn()).cookies
  return `fenghuo_session=${set?.value}`
}

/** Nobody here comes from elsewhere. */
const LOCAL = { external: false, signOutAt: null }

describe('who may use what', () => {
  for (const [method, url, allowed] of DOORS) {
    it(`${method} ${url} lets in ${allowed.length === ASKERS.length ? 'everybody' : allowed.join(', ')}`, async () => {
      for (const asker of ASKERS) {
        const payload = method === 'POST' ? { note: 'seen' } : undefined
        const answer = await house.app.inject({ method: method as 'GET', url, headers: authorization(asker), ...(payload && { payload }) })
        const outside = asker === 'nobody' || asker === 'gateway' || url.endsWith('/telemetry') ? 401 : 403
        if (allowed.includes(asker)) expect([401, 403], `${asker} at ${method} ${url}`).not.toContain(answer.statusCode)
        else expect(answer.statusCode, `${asker} at ${method} ${url}`).toBe(outside)
      }
    })
  }

  it('refuses before it reads a body', async () => {
    const answer = await house.app.inject({
      method: 'POST',
      url: '/api/v1/tokens',
      payload: '{ this is not json',
      headers: { 'content-type': 'application/json' }
    })
    expect(answer.statusCode).toBe(401)
  })

  it('says in a sentence what is missing', async () => {
    expect((await house.ask('/api/v1/alarms', null)).json().detail).toMatch(/Sign in at POST \/api\/v1\/session/)
    expect((await house.ask('/api/v1/alarms', 'wrong')).json().detail).toMatch(/unknown or was revoked/)
    expect((await house.ask('/api/v1/tokens', tokens.engineer)).json().detail).toBe(
      'This needs the role admin; admin is engineer. Ask an administrator.'
    )
    const basic = await house.ask('/api/v1/alarms', null, { headers: authorization('gateway') })
    expect(basic.json().detail).toMatch(/HTTP Basic is for gateways/)
    const telemetry = await house.ask('/api/v1/telemetry', tokens.admin, { payload: {} })
    expect(telemetry.headers['www-authenticate']).toMatch(/^Basic /)
  })
})

describe('sessions', () => {
  it('sets a cookie that scripts and other sites do not get, and knows who comes with it', async () => {
    const answer = await signIn()
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({ ...LOCAL, username: 'admin', role: 'admin', enterprises: null, sites: null, via: 'session' })
    expect(answer.body).not.toContain(answer.cookies[0]?.value)
    expect(answer.cookies).toMatchObject([{ name: 'fenghuo_session', httpOnly: true, sameSite: 'Lax', path: '/' }])
    const me = await house.app.inject({ url: '/api/v1/session', headers: { cookie: await cookie() } })
    expect(me.json()).toMatchObject({ username: 'admin', via: 'session' })
  })

  it('ends at sign-out', async () => {
    const headers = { cookie: await cookie() }
    expect((await house.app.inject({ url: '/api/v1/session', headers })).statusCode).toBe(200)
    const out = await house.app.inject({ method: 'DELETE', url: '/api/v1/session', headers })
    expect([out.statusCode, out.body]).toEqual([204, ''])
    const after = await house.app.inject({ url: '/api/v1/session', headers })
    expect([after.statusCode, after.json().detail]).toEqual([401, 'Your session has ended. Sign in again.'])
  })

  it('answers a wrong password with a problem, and not which half was wrong', async () => {
    const wrong = await signIn('wrong')
    const unknown = await house.app.inject({ method: 'POST', url: '/api/v1/session', payload: { username: 'nobody', password: 'wrong' } })
    expect([wrong.statusCode, unknown.statusCode]).toEqual([401, 401])
    expect(wrong.json().detail).toBe(unknown.json().detail)
    expect(wrong.cookies).toEqual([])
  })

  it('refuses what a page of another site makes a browser send', async () => {
    const url = `/api/v1/alarms/${ALARM}/comment`
    const session = await cookie()
    const post = (headers: Record<string, string>) =>
      house.app.inject({ method: 'POST', url, payload: { note: 'seen' }, headers: { cookie: session, host: 'plant:8080', ...headers } })
    expect((await post({ origin: 'http://evil.example' })).statusCode).toBe(403)
    expect((await post({ origin: 'http://plant:9090' })).statusCode).toBe(403)
    expect((await post({ origin: 'null' })).statusCode).toBe(403)
    expect((await post({ 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403)
    expect((await post({ origin: 'http://plant:8080' })).statusCode).toBe(200)
    expect((await post({})).statusCode).toBe(200)
    const login = await signIn(PASSWORD, { origin: 'http://evil.example', host: 'plant:8080' })
    expect([login.statusCode, login.cookies]).toEqual([403, []])
    const read = await house.app.inject({ url: '/api/v1/alarms', headers: { cookie: session, origin: 'http://evil.example' } })
    expect(read.statusCode).toBe(200)
    expect(read.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('slows down somebody who tries many passwords', async () => {
    const other = await House.open()
    const codes: number[] = []
    for (let attempt = 0; attempt < 12; attempt++) {
      const answer = await other.app.inject({ method: 'POST', url: '/api/v1/session', payload: { username: 'admin', password: 'guess' } })
      codes.push(answer.statusCode)
      if (answer.statusCode === 429) {
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
        expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
      }
    }
    expect(codes.slice(0, 5)).toEqual([401, 401, 401, 401, 401])
    expect(codes.slice(-5)).toEqual([429, 429, 429, 429, 429])
    await other.close()
  })

  it('answers 429 to a flood of sign-ins from one address, right or wrong', async () => {
    const other = await House.open()
    const codes = new Set<number>()
    for (let attempt = 0; attempt < 62; attempt++) {
      const answer = await other.app.inject({ method: 'POST', url: '/api/v1/session', payload: { username: 7 } })
      codes.add(answer.statusCode)
    }
    expect([...codes]).toEqual([422, 429])
    await other.close()
  })
})

describe('API tokens', () => {
  it('are shown once, work at once, and stop at once when revoked', async () => {
    const made = await house.ask('/api/v1/tokens', tokens.admin, { payload: { name: 'map', role: 'viewer', enterprises: ['daxie'] } })
    expect(made.statusCode).toBe(201)
    const { id, token, enterprises } = made.json()
    expect(enterprises).toEqual(['daxie'])
    expect((await house.ask('/api/v1/session', token)).json()).toEqual({
      ...LOCAL,
      username: 'admin',
      role: 'viewer',
      enterprises: ['daxie'],
      sites: null,
      via: 'token'
    })
    const list = await house.ask('/api/v1/tokens', tokens.admin)
    expect(list.json().items.find((item: { id: string }) => item.id === id)).toMatchObject({ name: 'map', revokedAt: null })
    expect(list.body).not.toContain(token)
    expect((await house.ask(`/api/v1/tokens/${id}`, tokens.admin, { method: 'DELETE' })).statusCode).toBe(204)
    expect((await house.ask('/api/v1/session', token)).statusCode).toBe(401)
    expect((await house.ask(`/api/v1/tokens/${id}`, tokens.admin, { method: 'DELETE' })).statusCode).toBe(404)
  })

  it('are not made for enterprises that do not exist', async () => {
    const made = await house.ask('/api/v1/tokens', tokens.admin, { payload: { name: 'map', enterprises: ['nowhere'] } })
    expect([made.statusCode, made.json().detail]).toEqual([422, 'There is no enterprise nowhere; the plant names daxie, market.'])
  })
})
