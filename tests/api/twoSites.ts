// The whole service over a plant of one enterprise with two sites. Everything of the second has "beta" in its id, and nothing
// else has: whoever is limited to the first must never read that word.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { vi } from 'vitest'
import { AmendYard } from '../app/amendYard.ts'
import type { TankPlant } from '../app/tankPlant.ts'

const PLANT = `enterprises: [{ id: e }]
sites: [{ id: alpha, enterprise: e }, { id: beta, enterprise: e }]
areas: [{ id: area-alpha, site: alpha }, { id: area-beta, site: beta }]
gateways: [{ id: gw-alpha, enterprise: e, secret: secret-a }, { id: gw-beta, enterprise: e, secret: secret-b }]
devices:
  - { id: T-alpha, profile: tank, gateway: gw-alpha, area: area-alpha }
  - { id: T-beta, profile: tank, gateway: gw-beta, area: area-beta }
hazardSources:
  - { id: hz-beta, site: beta, exposed: 5, inventory: [{ cas: "67-56-1", amount_t: 900, tank: T-beta }] }
`

const RULES = `rules:
  - { id: level, appliesTo: { profile: tank }, latched: true, tiers: { red: { when: level_pct > 90 } } }
  - { id: warm, appliesTo: { devices: [T-alpha, T-beta] }, tiers: { yellow: { when: temperature_c > 60 } } }
  - { id: only-beta, appliesTo: { site: beta }, tiers: { yellow: { when: level_pct > 95 } } }
  - { id: shadow, shadow: true, appliesTo: { profile: tank }, tiers: { blue: { when: level_pct > 10 } } }
states:
  - { id: works, manual: { atMost: 8h }, appliesTo: { profile: tank }, within: area, suppresses: { rules: [warm] } }
`

const DUTY = `people:
  - { id: li, enterprise: e, phone: "+86 000 0000 0101" }
  - { id: wu-of-beta, enterprise: e, phone: "+86 000 0000 0102" }
rotas:
  - { id: rota-alpha, start: 2026-01-01, shifts: [{ from: "00:00", to: "00:00", order: [person:li] }] }
  - { id: rota-beta, start: 2026-01-01, shifts: [{ from: "00:00", to: "00:00", order: [person:wu-of-beta] }] }
ladders:
  - { id: ladder-alpha, appliesTo: { site: alpha }, steps: [{ after: 0s, tell: [duty:rota-alpha], by: [sms] }] }
  - { id: ladder-beta, appliesTo: { site: beta }, steps: [{ after: 0s, tell: [duty:rota-beta], by: [sms] }] }
`

function twoSitesPlant(): TankPlant {
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-sites-'))
  const plantFolder = path.join(folder, 'plant')
  for (const name of ['profiles', 'rules']) mkdirSync(path.join(plantFolder, name), { recursive: true })
  const write = (name: string, text: string): void => writeFileSync(path.join(plantFolder, name), text)
  write('fenghuo.yaml', 'logLevel: info\n')
  write('plant.yaml', PLANT)
  write('rules/rules.yaml', RULES)
  write('duty.yaml', DUTY)
  write(
    'profiles/tank.yaml',
    'id: tank\nmetrics: { level_pct: { unit: "%", min: 0, max: 110 }, temperature_c: { unit: Cel, min: -60, max: 250 } }\nsilentAfter: 1h\n'
  )
  return { folder, config: path.join(plantFolder, 'fenghuo.yaml'), write, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export interface TwoSites {
  readonly yard: AmendYard
  /** An alarm of rule and device that is on. */
  alarm(rule: string, device: string): Promise<string>
  close(): Promise<void>
}

/** Starts it, and has something happen at both sites: alarms, bad messages, changes, states, windows, drills, people told. */
export async function openTwoSites(): Promise<TwoSites> {
  const files = twoSitesPlant()
  const yard = await AmendYard.open(files)
  const done = async (method: string, url: string, body?: unknown): Promise<void> => {
    const answer = await yard.ask(method, url, body)
    if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  for (const site of ['alpha', 'beta']) {
    await yard.send(`gw-${site}`, `secret-${site[0]}`, { device: `T-${site}`, values: { level_pct: 99, temperature_c: 80 } })
    await yard.send(`gw-${site}`, `secret-${site[0]}`, { device: `T-${site}`, values: { unheard_of: 1 } })
    const device = (await yard.ask('GET', `/devices/T-${site}`)).body.written
    await done('PUT', `/devices/T-${site}`, { ...device, labels: { changed: 'yes' } })
    await done('POST', `/drill`, { site, note: `of ${site}` })
  }
  const soon = (ms: number): string => new Date(Date.now() + ms).toISOString()
  await done('POST', '/sites/beta/out-of-service', { from: soon(3_600_000), until: soon(7_200_000), note: 'planned' })
  await done('POST', '/areas/area-beta/out-of-service', { from: soon(3_600_000), until: soon(7_200_000), note: 'planned' })
  const gateway = (await yard.ask('GET', '/gateways/gw-beta')).body.written
  await done('PUT', '/gateways/gw-beta', { ...gateway, name: 'beta gate' })
  const rule = (await yard.ask('GET', '/rules/only-beta')).body.written
  await done('PUT', '/rules/only-beta', { ...rule, title: 'Only there' })
  await vi.waitFor(async () => {
    const { items } = (await yard.ask('GET', '/notifications')).body
    if (!JSON.stringify(items).includes('level/T-beta')) throw new Error('nobody was told yet')
  }, 10_000)
  await done('POST', '/states/works/enter', { area: 'area-beta', until: soon(3_600_000), note: 'painting' })
  return {
    yard,
    async alarm(id, device) {
      const { items } = (await yard.ask('GET', '/alarms?state=all&limit=1000')).body
      const found = items.find((one: { rule: string; device: string }) => one.rule === id && one.device === device)
      if (found === undefined) throw new Error(`there is no alarm of ${id} at ${device}`)
      return encodeURIComponent(found.id)
    },
    async close() {
      await yard.stop()
      files.remove()
    }
  }
}

export interface Route {
  readonly method: string
  /** Without /api/v1, with {parameters}. */
  readonly path: string
}

/** The routes of the API as its own description lists them. */
export async function routesOf(yard: AmendYard): Promise<Route[]> {
  const { paths } = (await yard.ask('GET', '/openapi.json')).body as { paths: Record<string, Record<string, unknown>> }
  return Object.entries(paths).flatMap(([url, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: url.replace('/api/v1', '') }))
  )
}
