// Who is limited to one site reads nothing of another on any route of the API, and can do nothing to it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LiveReader } from './sse.ts'
import { openTwoSites, type Route, routesOf, type TwoSites } from './twoSites.ts'

let plant: TwoSites
let routes: Route[]
let level: string
let drill: string
let limited: Record<'viewer' | 'admin', string>

async function token(role: string, sites: readonly string[]): Promise<string> {
  return (await plant.yard.ask('POST', '/tokens', { name: role, role, sites })).body.token
}

beforeAll(async () => {
  plant = await openTwoSites()
  routes = await routesOf(plant.yard)
  level = await plant.alarm('level', 'T-beta')
  QUERIES['/people/choices'] = `?alarm=${await plant.alarm('level', 'T-alpha')}`
  const drills: { id: string; site: string }[] = (await plant.yard.ask('GET', '/drills')).body.items
  drill = encodeURIComponent(drills.find(({ site }) => site === 'beta')?.id ?? '')
  limited = { viewer: await token('viewer', ['alpha']), admin: await token('admin', ['alpha']) }
})
afterAll(() => plant.close())

const FOREIGN = /beta/i
/** Not answered as one body: the stream is looked at below, and these lead away from here. */
const APART = new Set(['/live', '/session/oidc', '/session/oidc/callback'])
const QUERIES: Record<string, string> = {
  '/alarms': '?state=all&limit=1000',
  '/alarm-events': '?limit=1000',
  '/readings': '?device=T-beta&metric=level_pct',
  '/duty/preview': '?rule=level&device=T-beta'
}
/** Listings where the whole plant does show the other site: so that silence above means something. */
const TELLING = [
  '/alarm-events',
  '/alarms',
  '/amendments',
  '/devices',
  '/drills',
  '/duty',
  '/duty/plan',
  '/duty/preview',
  '/gateways',
  '/hazard-sources',
  '/notifications',
  '/out-of-service',
  '/overview',
  '/people/choices',
  '/quarantine',
  '/rules',
  '/sites',
  '/states'
]

const soon = (): string => new Date(Date.now() + 600_000).toISOString()
/** Things of the other site, by the beginning of the path. */
const things = (): Record<string, string> => ({
  '/alarms/': level,
  '/drills/': drill,
  '/devices/': 'T-beta',
  '/gateways/': 'gw-beta',
  '/rules/': 'only-beta',
  '/sites/': 'beta',
  '/areas/': 'area-beta'
})

describe('a scope of one site', () => {
  it('shows nothing of another on any listing', async () => {
    const told: string[] = []
    for (const { method, path } of routes) {
      if (method !== 'GET' || path.includes('{') || !path.startsWith('/') || APART.has(path) || /^\/(healthz|readyz|metrics)/.test(path))
        continue
      const url = `${path}${QUERIES[path] ?? ''}`
      const all = await plant.yard.ask('GET', url)
      expect(all.status, url).toBe(200)
      if (FOREIGN.test(JSON.stringify(all.body))) told.push(path)
      for (const who of [limited.viewer, limited.admin]) {
        const seen = await plant.yard.ask('GET', url, undefined, { token: who })
        // What is named in the question is named in the refusal.
        if (QUERIES[path]?.includes('beta') === true) expect([path, seen.status]).toEqual([path, 404])
        else
          expect([path, [200, 403].includes(seen.status), FOREIGN.exec(JSON.stringify(seen.body))?.input]).toEqual([path, true, undefined])
      }
    }
    expect(TELLING.filter((path) => !told.includes(path))).toEqual([])
  })

  it('names nobody to be chosen for an alarm of another site', async () => {
    const answer = await plant.yard.ask('GET', `/people/choices?alarm=${level}`, undefined, { token: limited.admin })
    expect(answer.status).toBe(404)
  })

  it('shows its own site on them', async () => {
    for (const path of ['/alarms', '/devices', '/gateways', '/sites', '/rules', '/notifications', '/quarantine', '/drills', '/duty']) {
      expect(JSON.stringify((await plant.yard.ask('GET', path, undefined, { token: limited.viewer })).body), path).toContain('alpha')
    }
    const warm = (await plant.yard.ask('GET', '/rules/warm', undefined, { token: limited.viewer })).body
    expect([warm.appliesTo.devices, warm.subjects, warm.written]).toEqual([['T-alpha'], 1, {}])
    expect((await plant.yard.ask('GET', '/rules/warm?format=yaml', undefined, { token: limited.viewer })).status).toBe(403)
  })

  it('answers what is named of another site as if it were not there', async () => {
    const looked: string[] = []
    for (const { method, path } of routes) {
      if (method !== 'GET' || !path.includes('{')) continue
      const thing = Object.entries(things()).find(([start]) => path.startsWith(start))
      if (thing === undefined) continue
      const query = path.endsWith('/explain') ? '?device=T-beta' : ''
      const answer = await plant.yard.ask('GET', path.replace(/\{\w+\}/, thing[1]) + query, undefined, { token: limited.viewer })
      expect([path, answer.status]).toEqual([path, 404])
      looked.push(path)
    }
    expect(looked.length).toBeGreaterThanOrEqual(9)
    for (const url of ['/rules/warm/explain?device=T-beta', '/live?devices=T-beta'])
      expect((await plant.yard.ask('GET', url, undefined, { token: limited.viewer })).status, url).toBe(404)
    expect((await plant.yard.ask('GET', '/rules/warm/versions', undefined, { token: limited.viewer })).status).toBe(404)
  })

  it('lets nothing be done to what belongs to another', async () => {
    const notification = (await plant.yard.ask('GET', '/notifications')).body.items.find(({ site }: { site: string }) => site === 'beta')
    const quarantined = (await plant.yard.ask('GET', '/quarantine')).body.items.find(({ site }: { site?: string }) => site !== 'alpha')
    const target = { area: 'area-beta', until: soon(), note: 'no' }
    const bodies: Record<string, unknown> = {
      'POST /drill': { site: 'beta' },
      'POST /states/{id}/enter': target,
      'POST /states/{id}/leave': { area: 'area-beta' },
      'POST /devices': { id: 'T-new', profile: 'tank', area: 'area-beta' },
      'POST /gateways': { id: 'gw-new', enterprise: 'e', secret: 'a-secret-of-some-length' },
      'POST /rules': { id: 'new', appliesTo: { site: 'beta' }, tiers: { blue: { when: 'level_pct > 1' } } },
      'POST /rules/check': { id: 'new', appliesTo: { profile: 'tank' }, tiers: { blue: { when: 'level_pct > 1' } } },
      'POST /devices/import': 'id,profile,area\nT-new,tank,area-beta\n',
      'POST /users': { name: 'mei', password: 'seven purple kettles', sites: null },
      'POST /tokens': { name: 'more', role: 'viewer', sites: ['beta'] },
      'PUT /users/{name}': { role: 'viewer' },
      'PUT /devices/{id}': { id: 'T-beta', profile: 'tank', area: 'area-alpha' },
      'PUT /gateways/{id}': { id: 'gw-beta', enterprise: 'e' },
      'PUT /rules/{id}': { id: 'only-beta', appliesTo: { site: 'alpha' }, tiers: { blue: { when: 'level_pct > 1' } } }
    }
    const ids: Record<string, string> = {
      ...things(),
      '/notifications/': encodeURIComponent(notification.id),
      '/quarantine/': String(quarantined.id),
      '/states/': 'works',
      '/users/': 'admin'
    }
    const before = (await plant.yard.ask('GET', '/alarm-events?limit=1000')).body.items.length
    for (const { method, path } of routes) {
      const name = `${method} ${path}`
      if (method === 'GET' || /^\/(session|telemetry|callbacks|a\/|tokens\/|sessions\/)/.test(path)) continue
      const id = Object.entries(ids).find(([start]) => path.startsWith(start))?.[1]
      expect(path.includes('{') && id === undefined ? `${name}: which thing of the other site is that?` : '').toBe('')
      const body =
        bodies[name] ?? (path.endsWith('out-of-service') ? { until: soon(), note: 'no' } : method === 'POST' ? { note: 'no' } : undefined)
      const headers: Record<string, string> = name === 'POST /devices/import' ? { 'content-type': 'text/csv' } : {}
      const answer = await plant.yard.ask(method, path.replace(/\{\w+\}/, id ?? ''), body, { token: limited.admin, headers })
      const grants = path === '/users' || path === '/tokens'
      expect([name, answer.status, answer.body?.detail]).toEqual([name, grants ? 422 : expect.toBeOneOf([403, 404]), expect.any(String)])
    }
    expect((await plant.yard.ask('GET', '/alarm-events?limit=1000')).body.items.length).toBe(before)
  })

  it('keeps the live stream to its own site', async () => {
    const reader = await LiveReader.open(plant.yard.address, limited.viewer, '?lastEventId=0&devices=T-alpha')
    await plant.yard.send('gw-beta', 'secret-b', { device: 'T-beta', values: { level_pct: 20 } })
    await plant.yard.send('gw-alpha', 'secret-a', { device: 'T-alpha', values: { level_pct: 21, temperature_c: 20 } })
    await reader.until(({ events }) => events.some(({ event, text }) => event === 'alarm' && text.includes('"to":"clear"')))
    reader.close()
    const text = JSON.stringify(reader.events)
    expect([FOREIGN.test(text), text.includes('warm/T-alpha')]).toEqual([false, true])
  })
})
