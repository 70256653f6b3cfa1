// Users, sessions, passwords and the audit log over HTTP; what is taken back ends at once, live streams included.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/platform/limits.ts'
import { House, PASSWORD } from './harness.ts'
import { LiveReader } from './sse.ts'

const LONG = 'seven purple kettles'
let house: House
let admin: string

beforeEach(async () => {
  house = await House.open()
  admin = await house.token('admin')
})
afterEach(() => house.close())

const post = (url: string, payload: object, token: string | null = admin) => house.ask(url, token, { payload })
const put = (url: string, payload: object, token = admin) => house.ask(url, token, { method: 'PUT', payload })
const remove = (url: string, token = admin) => house.ask(url, token, { method: 'DELETE' })

async function signedIn(username: string, password: string): Promise<string> {
  const answer = await house.app.inject({ method: 'POST', url: '/api/v1/session', payload: { username, password } })
  expect(answer.statusCode, answer.body).toBe(200)
  return `fenghuo_session=${answer.cookies[0]?.value}`
}

const whoAmI = async (cookie: string) => (await house.ask('/api/v1/session', null, { headers: { cookie } })).statusCode

describe('users', () => {
  it('are made, changed, disabled and removed by an administrator', async () => {
    const li = { name: 'li', password: LONG, role: 'operator', enterprises: ['daxie'], sites: ['farm'] }
    const made = await post('/api/v1/users', li)
    expect(made.statusCode).toBe(201)
    const body = {
      name: 'li',
      role: 'operator',
      enterprises: ['daxie'],
      sites: ['farm'],
      disabled: false,
      external: false,
      createdAt: '2026-01-01T08:00:00.000Z'
    }
    expect(made.json()).toEqual(body)
    expect((await house.ask('/api/v1/users/li', admin)).json()).toEqual(body)
    expect((await house.ask('/api/v1/users', admin)).json().items.map(({ name }: { name: string }) => name)).toEqual(['admin', 'li'])
    const cookie = await signedIn('li', LONG)
    expect((await house.ask('/api/v1/session', null, { headers: { cookie } })).json()).toEqual({
      username: 'li',
      role: 'operator',
      enterprises: ['daxie'],
      sites: ['farm'],
      via: 'session',
      external: false,
      signOutAt: null
    })
    expect((await put('/api/v1/users/li', { role: 'viewer', sites: null })).json()).toEqual({ ...body, role: 'viewer', sites: null })
    expect((await put('/api/v1/users/li', { disabled: true })).json()).toMatchObject({ disabled: true })
    expect(await whoAmI(cookie)).toBe(401)
    expect((await remove('/api/v1/users/li')).statusCode).toBe(204)
    expect((await remove('/api/v1/users/li')).statusCode).toBe(404)
    const audit = (await house.ask('/api/v1/audit?limit=3', admin)).json()
    expect(audit.items.map(({ what }: { what: string }) => what)).toEqual(['user.remove li', 'user.change li', 'user.change li'])
    expect(JSON.stringify(audit)).not.toContain('argon2')
  })

  it('are refused with a sentence where they cannot be', async () => {
    const tries: [object, RegExp][] = [
      [{ name: 'li', password: '        ' }, /more than blanks/],
      [{ name: 'li', password: 'short' }, /8 to 1024 characters/],
      [{ name: 'li', password: 'aaaaaaaaaa' }, /repeats a few characters/],
      [{ name: 'li', password: '1234567890' }, /tried first/],
      [{ name: 'li', password: 'Password123!' }, /tried first/],
      [{ name: 'zhang.wei', password: 'Zhang.Wei1' }, /hardly more than the user name/],
      [{ name: 'li wei', password: LONG }, /A user name is/],
      [{ name: 'admin', password: LONG }, /already/],
      [{ name: 'li', password: LONG, enterprises: ['nowhere'] }, /no enterprise nowhere/],
      [{ name: 'li', password: LONG, sites: ['nowhere'] }, /no site nowhere/],
      [{ name: 'li', password: LONG, enterprises: ['daxie'], sites: ['street'] }, /not among those given/]
    ]
    for (const [payload, sentence] of tries) {
      const answer = await post('/api/v1/users', payload)
      expect([answer.statusCode, answer.json().detail]).toEqual([422, expect.stringMatching(sentence)])
    }
    expect((await put('/api/v1/users/nobody', { role: 'viewer' })).statusCode).toBe(404)
    expect((await put('/api/v1/users/admin', { role: 'viewer' })).json().detail).toMatch(/only administrator of everything/)
    expect((await remove('/api/v1/users/admin')).json().detail).toMatch(/Nobody removes themselves/)
    const daxie = await house.token('admin', ['daxie'], ['farm'])
    expect((await post('/api/v1/users', { name: 'li', password: LONG, enterprises: ['daxie'] }, daxie)).json().detail).toMatch(
      /sites outside their own: name only farm/
    )
    expect((await put('/api/v1/users/admin', { disabled: true }, daxie)).statusCode).toBe(404)
    expect((await house.ask('/api/v1/audit', daxie)).statusCode).toBe(403)
  })
})

describe('one’s own password', () => {
  it('is changed by whoever knows the present one; the other sessions end', async () => {
    const [here, there] = [await signedIn('admin', PASSWORD), await signedIn('admin', PASSWORD)]
    const change = (present: string, password: string) =>
      house.ask('/api/v1/session/password', null, { payload: { present, password }, headers: { cookie: here } })
    expect((await change('wrong', LONG)).json()).toMatchObject({
      status: 403,
      detail: expect.stringContaining('present password is wrong')
    })
    expect((await change(PASSWORD, 'password1')).statusCode).toBe(422)
    expect((await change(PASSWORD, LONG)).statusCode).toBe(204)
    expect([await whoAmI(here), await whoAmI(there)]).toEqual([200, 401])
    await signedIn('admin', LONG)
    expect((await post('/api/v1/session/password', { present: LONG, password: PASSWORD })).json().detail).toMatch(/not by an API token/)
  })

  it('cannot be guessed by way of changing it', async () => {
    const cookie = await signedIn('admin', PASSWORD)
    const guess = () => house.ask('/api/v1/session/password', null, { payload: { present: 'wrong', password: LONG }, headers: { cookie } })
    for (let i = 0; i < LIMITS.access.failuresPerUser; i++) expect((await guess()).statusCode).toBe(403)
    const locked = await guess()
    expect([locked.statusCode, locked.headers['retry-after']]).toEqual([429, '60'])
  })
})

describe('sessions', () => {
  it('are listed and ended: one’s own, by an administrator anybody’s', async () => {
    await post('/api/v1/users', { name: 'li', password: LONG, role: 'viewer' })
    const [mine, other, boss] = [await signedIn('li', LONG), await signedIn('li', LONG), await signedIn('admin', PASSWORD)]
    const list = async (cookie: string): Promise<{ id: string; user: string; current: boolean }[]> =>
      (await house.ask('/api/v1/sessions', null, { headers: { cookie } })).json().items
    const own = await list(mine)
    expect(own.map(({ user, current }) => [user, current]).toSorted()).toEqual([
      ['li', false],
      ['li', true]
    ])
    const all = await list(boss)
    const bosses = all.find(({ current }) => current)
    const end = (id: string | undefined, cookie: string) =>
      house.ask(`/api/v1/sessions/${id}`, null, { method: 'DELETE', headers: { cookie } })
    expect((await end(bosses?.id, mine)).statusCode).toBe(404)
    expect((await end(own.find(({ current }) => !current)?.id, mine)).statusCode).toBe(204)
    expect([await whoAmI(mine), await whoAmI(other)]).toEqual([200, 401])
    expect((await end(own.find(({ current }) => current)?.id, boss)).statusCode).toBe(204)
    expect([await whoAmI(mine), await whoAmI(boss)]).toEqual([401, 200])
    for (const id of ['g', '_', 'ffffffffffffffff']) expect((await end(id, boss)).statusCode).toBe(404)
  })

  it('end with their live streams at once, however they end', async () => {
    const address = await house.listen()
    await post('/api/v1/users', { name: 'li', password: LONG, role: 'viewer' })
    const stream = async (): Promise<{ cookie: string; reader: LiveReader }> => {
      const cookie = await signedIn('li', LONG)
      const reader = await LiveReader.open(address, '', '', { cookie, authorization: '' })
      await reader.until(({ events }) => events.length > 0)
      return { cookie, reader }
    }
    const ends: (() => Promise<unknown>)[] = []
    const streams = [await stream(), await stream(), await stream()] as const
    const sessions = (await house.ask('/api/v1/sessions', admin)).json().items.filter(({ user }: { user: string }) => user === 'li')
    expect(sessions).toHaveLength(3)
    ends.push(() => house.ask('/api/v1/session', null, { method: 'DELETE', headers: { cookie: streams[0].cookie } }))
    const third = house.parts.access.sessionId(streams[1].cookie.split('=')[1] as string)
    ends.push(() => remove(`/api/v1/sessions/${third}`))
    ends.push(() => put('/api/v1/users/li', { sites: ['farm'] }))
    for (const [place, end] of ends.entries()) {
      expect(streams[place]?.reader.ended).toBe(false)
      await end()
      await streams[place]?.reader.untilEnded()
    }
    // A narrower scope ends the stream, not the session: it begins anew with what may be seen.
    expect(await whoAmI(streams[2].cookie)).toBe(200)
    const { id, token } = (await post('/api/v1/tokens', { name: 'map' })).json()
    const byToken = await LiveReader.open(address, token)
    await byToken.until(({ events }) => events.length > 0)
    await remove(`/api/v1/tokens/${id}`)
    await byToken.untilEnded()
  })
})

describe('the audit log', () => {
  it('is read page by page, newest first', async () => {
    for (const name of ['a1', 'a2', 'a3']) await post('/api/v1/users', { name, password: LONG })
    const first = (await house.ask('/api/v1/audit?limit=2', admin)).json()
    expect(first.items.map(({ what }: { what: string }) => what)).toEqual(['user.create a3', 'user.create a2'])
    const second = (await house.ask(`/api/v1/audit?limit=2&cursor=${first.next}`, admin)).json()
    expect(second.items[0]).toMatchObject({ who: 'admin', what: 'user.create a1', before: null, after: { role: 'viewer', sites: null } })
    expect((await house.ask('/api/v1/audit?cursor=x', admin)).statusCode).toBe(422)
  })
})
