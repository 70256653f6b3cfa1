// Sign-in by OpenID Connect against a real provider: the whole way, and each way in which it must not end signed in.

import type { LightMyRequestResponse } from 'fastify'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OidcSettings } from '../../src/access/oidc.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { Secret } from '../../src/platform/secret.ts'
import { House, PASSWORD } from './harness.ts'
import { IdentityProvider, type People, signInThere } from './identityProvider.ts'

const BACK = 'http://console.test/api/v1/session/oidc/callback'
const people: People = {}
let provider: IdentityProvider
let house: House
let admin: string

beforeAll(async () => {
  provider = await IdentityProvider.open(people, BACK)
})
afterAll(() => provider.close())

const settings = (): OidcSettings => ({
  issuer: provider.issuer,
  clientId: 'fenghuo',
  clientSecret: new Secret('a secret of the client'),
  name: { zh: '统一登录', en: 'Company sign-in' },
  scopes: 'openid profile',
  roleClaim: 'groups',
  mapping: [
    { value: 'bosses', role: 'admin', enterprises: null, sites: null },
    { value: 'farm-crew', role: 'operator', enterprises: ['daxie'], sites: ['farm'] }
  ],
  redirectUrl: BACK,
  signedOutUrl: null,
  hosts: [],
  allowLoopback: true
})

beforeEach(async () => {
  provider.down = false
  for (const name of Object.keys(people)) delete people[name]
  Object.assign(people, { mei: { roles: ['everybody', 'farm-crew'] }, stranger: { roles: ['everybody'] } })
  house = await House.open({ oidc: settings() })
  // Tokens of the provider are dated by the real clock; the ticket's time is ours.
  admin = await house.token('admin')
})
afterEach(() => house.close())

const get = (url: string, headers: Record<string, string> = {}) => house.app.inject({ method: 'GET', url, headers })

async function begin(): Promise<{ url: string; cookie: string }> {
  const answer = await get('/api/v1/session/oidc')
  expect(answer.statusCode, answer.body).toBe(302)
  const [set] = answer.cookies
  expect(set).toMatchObject({ name: 'fenghuo_oidc', path: '/api/v1/session/oidc', httpOnly: true, sameSite: 'Lax', maxAge: 600 })
  return { url: String(answer.headers.location), cookie: `fenghuo_oidc=${set?.value}` }
}

const callback = (back: string, cookie: string, headers: Record<string, string> = {}) =>
  get(back.replace('http://console.test', ''), { cookie, ...headers })

async function whole(person: string): Promise<LightMyRequestResponse> {
  const { url, cookie } = await begin()
  return callback(await signInThere(url, person, BACK), cookie)
}

const sessionOf = (answer: LightMyRequestResponse): string =>
  `fenghuo_session=${answer.cookies.find(({ name }) => name === 'fenghuo_session')?.value}`
const me = async (cookie: string) => (await get('/api/v1/session', { cookie })).json()
const audited = async (limit: number) => (await house.ask(`/api/v1/audit?limit=${limit}`, admin)).json().items
const hasSession = (answer: LightMyRequestResponse): boolean => answer.cookies.some(({ name }) => name === 'fenghuo_session')

describe('sign-in by OpenID Connect', () => {
  it('is told to the sign-in page', async () => {
    expect((await get('/api/v1/session/ways')).json()).toEqual({
      local: true,
      oidc: { name: { zh: '统一登录', en: 'Company sign-in' }, begin: '/api/v1/session/oidc', available: true }
    })
  })

  it('makes a user with what the claims grant, and keeps to it at every sign-in', async () => {
    const first = await whole('mei')
    expect([first.statusCode, first.headers.location]).toEqual([302, '/'])
    expect(first.cookies.find(({ name }) => name === 'fenghuo_oidc')).toMatchObject({ value: '' })
    const session = first.cookies.find(({ name }) => name === 'fenghuo_session')
    expect(session).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' })
    expect(await me(sessionOf(first))).toEqual({
      username: 'mei',
      role: 'operator',
      enterprises: ['daxie'],
      sites: ['farm'],
      via: 'session',
      external: true,
      signOutAt: expect.stringMatching(/\/session\/end\?client_id=fenghuo$/)
    })
    expect((await house.ask('/api/v1/users/mei', admin)).json()).toMatchObject({ external: true, disabled: false })
    expect((await audited(2)).map(({ who, what }: { who: string; what: string }) => [who, what])).toEqual([
      ['mei', 'session.begin'],
      [provider.issuer, 'user.create mei']
    ])
    people.mei = { roles: ['bosses'], name: 'renamed' }
    const second = await whole('mei')
    expect(await me(sessionOf(second))).toMatchObject({ username: 'mei', role: 'admin', enterprises: null })
    expect(await me(sessionOf(first))).toMatchObject({ role: 'admin' })
    expect((await audited(2)).map(({ what }: { what: string }) => what)).toEqual(['session.begin', 'user.change mei'])
    const local = await house.app.inject({ method: 'POST', url: '/api/v1/session', payload: { username: 'mei', password: 'any password' } })
    expect(local.statusCode).toBe(401)
    const own = await house.ask('/api/v1/session/password', null, {
      payload: { present: 'any', password: 'seven purple kettles' },
      headers: { cookie: sessionOf(second) }
    })
    expect(own.json()).toMatchObject({ status: 422, detail: expect.stringContaining('has no password here') })
  })

  it('ends there too: who came from the provider is told where, and nobody else', async () => {
    const mine = await me(sessionOf(await whole('mei')))
    expect([mine.external, mine.signOutAt]).toEqual([true, `${provider.issuer}/session/end?client_id=fenghuo`])
    const local = await house.app.inject({ method: 'POST', url: '/api/v1/session', payload: { username: 'admin', password: PASSWORD } })
    expect(local.json()).toMatchObject({ external: false, signOutAt: null })
    expect(await me(sessionOf(local))).toEqual(local.json())
  })

  it('asks for a code with PKCE, state and nonce', async () => {
    const asked = new URL((await begin()).url).searchParams
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: BACK,
      scope: 'openid profile',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/)
    })
  })

  it('is refused with a wrong state, a wrong nonce, a replayed code, without or with somebody else’s ticket, and too late', async () => {
    const refused = async (answer: LightMyRequestResponse, sentence: RegExp): Promise<void> => {
      expect([answer.statusCode, hasSession(answer)]).toEqual([403, false])
      expect(answer.json().detail).toMatch(sentence)
    }
    const one = await begin()
    const back = await signInThere(one.url, 'mei', BACK)
    await refused(await callback(back.replace(/state=[^&]+/, 'state=other'), one.cookie), /does not hold .*state/)
    await refused(await callback(back, one.cookie), /has been used already/)

    const two = await begin()
    const forged = two.url.replace(/nonce=[^&]+/, 'nonce=other')
    await refused(await callback(await signInThere(forged, 'mei', BACK), two.cookie), /does not hold .*nonce/)

    const three = await begin()
    const good = await signInThere(three.url, 'mei', BACK)
    await refused(await callback(good, ''), /begin again/)
    await refused(await callback(good, (await begin()).cookie), /does not hold/)
    expect((await callback(good, three.cookie)).statusCode).toBe(302)
    await refused(await callback(good, three.cookie), /has been used already/)
    const four = await begin()
    const state = new URL(four.url).searchParams.get('state') as string
    await refused(await callback(good.replace(/state=[^&]+/, `state=${state}`), four.cookie), /does not hold/)

    const five = await begin()
    const late = await signInThere(five.url, 'mei', BACK)
    house.clock.moveTo(house.clock.now() + LIMITS.access.oidcBegunMs)
    await refused(await callback(late, five.cookie), /too long ago/)
    await refused(await callback(`${BACK}?error=access_denied&state=x`, (await begin()).cookie), /does not hold/)
    expect((await house.ask('/api/v1/sessions', admin)).json().items.filter(({ user }: { user: string }) => user === 'mei')).toHaveLength(1)
  })

  it('is refused without a mapping; who had one and lost it is signed out everywhere', async () => {
    const stranger = await whole('stranger')
    expect([stranger.statusCode, stranger.json().detail]).toEqual([
      403,
      'stranger may sign in there, but has no role here: ask an administrator.'
    ])
    expect((await house.ask('/api/v1/users/stranger', admin)).statusCode).toBe(404)
    const cookie = sessionOf(await whole('mei'))
    people.mei = { roles: ['everybody'] }
    expect((await whole('mei')).statusCode).toBe(403)
    expect((await get('/api/v1/session', { cookie })).statusCode).toBe(401)
    expect((await audited(1))[0]).toMatchObject({ what: 'user.end mei' })
  })

  it('is refused to who is disabled here, and to who would take a local user’s name', async () => {
    await whole('mei')
    await house.ask('/api/v1/users/mei', admin, { method: 'PUT', payload: { disabled: true } })
    expect((await whole('mei')).json().detail).toBe('mei is disabled here: ask an administrator.')
    people.mallory = { roles: ['bosses'], name: 'admin' }
    expect((await whole('mallory')).json().detail).toMatch(/There is another user admin here already/)
  })

  it('shows people a page and programs a problem', async () => {
    const answer = await callback(BACK, '', { accept: 'text/html,*/*' })
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([403, 'text/html; charset=utf-8'])
    expect(answer.body).toMatch(/begin again.*Back to the sign-in/)
  })
})

describe('while the provider is down', () => {
  it('local accounts work, health has a sentence, and it is found again', async () => {
    provider.down = true
    const { access } = house.parts
    await access.start()
    const answer = await get('/api/v1/session/oidc')
    expect([answer.statusCode, answer.json().detail]).toEqual([503, expect.stringContaining('sign in with a local account')])
    expect(access.elsewhere?.problem).toMatch(/^Nobody can sign in by Company sign-in .* Local accounts work\.$/)
    expect((await get('/api/v1/session/ways')).json().oidc.available).toBe(false)
    const local = await house.app.inject({ method: 'POST', url: '/api/v1/session', payload: { username: 'admin', password: PASSWORD } })
    expect(local.statusCode).toBe(200)
    provider.down = false
    house.clock.moveTo(house.clock.now() + LIMITS.access.oidcRetryMs)
    await vi.waitFor(() => expect(access.elsewhere?.problem).toBe(null), 5_000)
    expect((await whole('mei')).statusCode).toBe(302)
    await access.stop()
  })

  it('a sign-in that had begun ends in a sentence', async () => {
    const { url, cookie } = await begin()
    const back = await signInThere(url, 'mei', BACK)
    provider.down = true
    const answer = await callback(back, cookie)
    expect([answer.statusCode, hasSession(answer)]).toEqual([403, false])
  })
})
