// Who may do what: users, roles, scopes, tokens, lockout; all of it written down in a chain that `fenghuo audit verify` checks.

import { expect, it } from 'vitest'
import { ADMIN_PASSWORD } from '../liveService.ts'
import { type Answer, onEachBackEnd, START } from './yard.ts'

const RULES = `rules:
  - { id: level, appliesTo: { profile: tank }, tiers: { yellow: { when: level_pct > limits.high } } }
`
const PASSWORD = 'a long enough phrase of hers'

onEachBackEnd({ rules: RULES }, (yard) => {
  const signIn = (username: string, password: string): Promise<Answer> =>
    yard().ask('POST', '/session', { token: '', body: { username, password } })
  const sessionOf = (answer: Answer): string =>
    answer.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; ')

  it('makes users who see and do what their role and scope allow', async () => {
    const made = await yard().ask('POST', '/users', { body: { name: 'li', password: PASSWORD, role: 'operator', enterprises: ['east'] } })
    expect([made.status, made.body]).toEqual([
      201,
      { name: 'li', role: 'operator', enterprises: ['east'], sites: null, disabled: false, external: false, createdAt: expect.any(String) }
    ])
    expect((await yard().ask('POST', '/users', { body: { name: 'LI', password: PASSWORD, role: 'viewer' } })).status).toBe(422)
    expect((await yard().ask('POST', '/users', { body: { name: 'wang', password: 'short' } })).status).toBe(422)
    for (const [gateway, device] of [
      ['gw-0', 'T-0'],
      ['gw-1', 'T-1']
    ] as const) {
      expect((await yard().post(gateway, { device, ts: START, values: { level_pct: 90 } })).status).toBe(202)
    }
    await yard().eventsOnce((lines) => expect(lines.map(({ device }) => device)).toEqual(['T-0', 'T-1']))
    const signedIn = await signIn('li', PASSWORD)
    expect([signedIn.status, signedIn.body.role, signedIn.body.enterprises]).toEqual([200, 'operator', ['east']])
    const cookie = sessionOf(signedIn)
    const asLi = (method: string, address: string, body?: unknown): Promise<Answer> =>
      yard().ask(method, address, { token: '', headers: { cookie }, ...(body === undefined ? {} : { body }) })
    const devices = (await asLi('GET', '/devices')).body.items.map(({ id }: { id: string }) => id)
    expect(devices).toEqual(['T-0', 'T-10', 'T-2', 'T-4', 'T-6', 'T-8'])
    expect((await asLi('GET', '/alarms')).body.items.map(({ device }: { device: string }) => device)).toEqual(['T-0'])
    expect((await asLi('GET', '/alarm-events')).body.items.map(({ device }: { device: string }) => device)).toEqual(['T-0'])
    expect((await asLi('GET', '/devices/T-1')).status).toBe(404)
    expect((await asLi('GET', '/readings?device=T-1&metric=level_pct')).status).toBe(404)
    const foreign = encodeURIComponent(`level/T-1#${START}`)
    expect((await asLi('POST', `/alarms/${foreign}/acknowledge`)).status).toBe(404)
    expect((await asLi('POST', `/alarms/${encodeURIComponent(`level/T-0#${START}`)}/acknowledge`)).body.acknowledged.by).toBe('li')
    expect((await asLi('DELETE', '/rules/level')).status).toBe(403)
    expect((await asLi('GET', '/users')).status).toBe(403)
    expect((await asLi('GET', '/audit')).status).toBe(403)
    expect((await yard().ask('GET', '/alarms', { token: '' })).status).toBe(401)
    expect((await yard().ask('PUT', '/users/li', { body: { disabled: true } })).status).toBe(200)
    expect((await asLi('GET', '/alarms')).status).toBe(401)
    expect((await signIn('li', PASSWORD)).status).toBe(401)
  })

  it('gives tokens that work until they are revoked, over restarts', async () => {
    const made = await yard().ask('POST', '/tokens', { body: { name: 'map', role: 'viewer', sites: ['yard-1'] } })
    expect(made.status).toBe(201)
    const { token, id } = made.body
    const seen = async (): Promise<unknown> => {
      const { status, body } = await yard().get('/alarms', token)
      return status === 200 ? body.items.map(({ device }: { device: string }) => device) : status
    }
    expect(await seen()).toEqual(['T-1'])
    await yard().restart('kill')
    expect(await seen()).toEqual(['T-1'])
    const { body } = await yard().get('/tokens')
    expect(body.items.map((one: { name: string }) => one.name)).toContain('map')
    expect(JSON.stringify(body)).not.toContain(token)
    expect((await yard().ask('DELETE', `/tokens/${id}`)).status).toBe(204)
    expect(await seen()).toBe(401)
    await yard().restart('stop')
    expect(await seen()).toBe(401)
  })

  it('locks a name out after wrong passwords, and nobody else', async () => {
    expect((await yard().ask('POST', '/users', { body: { name: 'zhao', password: PASSWORD, role: 'viewer' } })).status).toBe(201)
    const statuses: number[] = []
    for (let attempt = 0; attempt < 7; attempt++) statuses.push((await signIn('zhao', 'a wrong one of some length')).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
    const locked = await signIn('zhao', PASSWORD)
    expect([locked.status, Number(locked.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect((await signIn('admin', ADMIN_PASSWORD)).status).toBe(200)
  })

  it('writes every change into a chain that holds together, and says who did what', async () => {
    const { body } = await yard().get('/audit?limit=1000')
    const said = body.items.toReversed().map(({ who, what }: { who: string; what: string }) => `${who} ${what}`)
    for (const line of [
      'admin user.create li',
      'admin user.change li',
      'admin user.create zhao',
      `li alarm.acknowledge level/T-0#${START}`
    ]) {
      expect(said.filter((one: string) => one === line)).toEqual([line])
    }
    expect(said.filter((line: string) => line.includes('token.revoke'))).toHaveLength(1)
    expect(JSON.stringify(body)).not.toContain(PASSWORD)
    const verified = await yard().command('audit', 'verify', '--config', yard().config, '--json')
    const verdict = verified.output.split('\n').find((line) => line.startsWith('{')) ?? verified.output
    expect([verified.code, JSON.parse(verdict)]).toEqual([
      0,
      { kind: 'whole', count: body.items[0].n, hash: body.items[0].hash, anchors: expect.any(Number) }
    ])
  })
})
