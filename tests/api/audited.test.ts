// Everything that can be done through the API is in the audit log: every route that is not for looking, done once, leaves a
// record that says by whom, what was before and what is after. What leaves none is named here, with the reason.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTwoSites, type Route, routesOf, type TwoSites } from './twoSites.ts'

let plant: TwoSites
let routes: Route[]

beforeAll(async () => {
  plant = await openTwoSites()
  routes = await routesOf(plant.yard)
})
afterAll(() => plant.close())

const UNRECORDED: Record<string, string> = {
  'POST /telemetry': 'readings are in the journal',
  'POST /callbacks/{channel}/{secret}': 'what a provider reports is in the journal and the outbox',
  'POST /a/{token}': 'the acknowledgement that it makes is recorded where it is applied',
  'POST /drills/{id}/acknowledge': 'the drill ends by it, and its end is chained with its signed record',
  'POST /rules/check': 'it changes nothing',
  'POST /quarantine/{id}/retry': 'needs a correction of the plant: tests/behaviour/changes.test.ts',
  'POST /notifications/{id}/retry': 'needs a dead letter: tests/api/notifications.test.ts'
}

const PASSWORD = 'seven purple kettles'
const soon = (ms = 600_000): string => new Date(Date.now() + ms).toISOString()
const note = { note: 'seen to' }

/** What each is recorded as, and how it is done once; in this order, since some undo others. */
function deeds(): [string, string, string, unknown, Record<string, string>?][] {
  const level = (device: string) => `/alarms/${alarms[device]}`
  const window = { until: soon(), note: 'maintenance' }
  const rule = { id: 'new', appliesTo: { profile: 'tank' }, tiers: { blue: { when: 'level_pct > 105' } } }
  const gateway = { id: 'gw-new', enterprise: 'e', secret: 'a-secret-of-some-length' }
  const device = { id: 'T-new', profile: 'tank', area: 'area-alpha' }
  const { secret: _, ...named } = gateway
  return [
    ['POST /alarms/{id}/acknowledge', 'alarm.acknowledge', `${level('T-alpha')}/acknowledge`, note],
    ['POST /alarms/{id}/comment', 'alarm.comment', `${level('T-alpha')}/comment`, note],
    ['POST /alarms/{id}/assign', 'alarm.assign', `${level('T-alpha')}/assign`, { assignee: 'li' }],
    ['POST /alarms/{id}/shelve', 'alarm.shelve', `${level('T-alpha')}/shelve`, { ...note, until: soon() }],
    ['POST /alarms/{id}/unshelve', 'alarm.unshelve', `${level('T-alpha')}/unshelve`, note],
    ['POST /alarms/{id}/reset', 'alarm.reset', `${level('T-beta')}/reset`, note],
    ['POST /alarms/{id}/close', 'alarm.close', `${level('T-beta')}/close`, { note: 'it was real', disposition: 'real', verifier: 'li' }],
    ['POST /devices/{id}/out-of-service', 'outOfService', '/devices/T-alpha/out-of-service', window],
    ['POST /devices/{id}/return-to-service', 'returnToService', '/devices/T-alpha/return-to-service', note],
    ['POST /areas/{id}/out-of-service', 'outOfService', '/areas/area-alpha/out-of-service', window],
    ['POST /areas/{id}/return-to-service', 'returnToService', '/areas/area-alpha/return-to-service', note],
    ['POST /sites/{id}/out-of-service', 'outOfService', '/sites/alpha/out-of-service', window],
    ['POST /sites/{id}/return-to-service', 'returnToService', '/sites/alpha/return-to-service', note],
    ['POST /states/{id}/enter', 'enterState', '/states/works/enter', { area: 'area-alpha', until: soon(), note: 'painting' }],
    ['POST /states/{id}/leave', 'leaveState', '/states/works/leave', { area: 'area-alpha' }],
    ['POST /drill', 'drill.begin', '/drill', { site: 'alpha' }],
    ['POST /rules', 'rule.change', '/rules', rule],
    ['PUT /rules/{id}', 'rule.change', '/rules/new', { ...rule, title: 'New' }],
    ['DELETE /rules/{id}', 'rule.change', '/rules/new', undefined],
    ['POST /gateways', 'gateway.change', '/gateways', gateway],
    ['PUT /gateways/{id}', 'gateway.change', '/gateways/gw-new', { ...named, name: 'New' }],
    ['DELETE /gateways/{id}', 'gateway.change', '/gateways/gw-new', undefined],
    ['POST /devices', 'device.change', '/devices', device],
    ['PUT /devices/{id}', 'device.change', '/devices/T-new', { ...device, labels: { new: 'yes' } }],
    ['DELETE /devices/{id}', 'device.change', '/devices/T-new', undefined],
    [
      'POST /devices/import',
      'device.change',
      '/devices/import',
      'id,profile,area\nT-csv,tank,area-alpha\n',
      { 'content-type': 'text/csv' }
    ],
    ['POST /users', 'user.create', '/users', { name: 'mei', password: PASSWORD, role: 'viewer' }],
    ['PUT /users/{name}', 'user.change', '/users/mei', { role: 'operator' }],
    ['DELETE /users/{name}', 'user.remove', '/users/mei', undefined],
    ['POST /tokens', 'token.create', '/tokens', { name: 'map' }],
    ['DELETE /tokens/{id}', 'token.revoke', '/tokens/TOKEN', undefined],
    ['POST /session', 'session.begin', '/session', { username: 'admin', password: ADMIN }],
    ['DELETE /sessions/{id}', 'session.revoke', '/sessions/OTHER', undefined],
    ['POST /session/password', 'user.password', '/session/password', { present: ADMIN, password: PASSWORD }],
    ['DELETE /session', 'session.end', '/session', undefined]
  ]
}

const ADMIN = 'a-test-password-of-some-length'
const alarms: Record<string, string> = {}

it('names every route that is not for looking', () => {
  const all = routes.map(({ method, path }) => `${method} ${path}`).filter((name) => !name.startsWith('GET '))
  const known = [...deeds().map(([name]) => name), ...Object.keys(UNRECORDED)]
  expect(all.toSorted()).toEqual(known.toSorted())
})

it('records each that is done', async () => {
  const { yard } = plant
  const token = (await yard.ask('POST', '/tokens', { name: 'auditor', role: 'admin' })).body.token
  const audit = async () => (await yard.ask('GET', '/audit?limit=5', undefined, { token })).body.items
  for (const device of ['T-alpha', 'T-beta']) alarms[device] = await plant.alarm('level', device)
  await yard.send('gw-beta', 'secret-b', { device: 'T-beta', values: { level_pct: 20, temperature_c: 20 } })
  let made = ''
  for (const [name, recorded, path, body, headers = {}] of deeds()) {
    const before = (await audit())[0].n
    const other =
      name === 'DELETE /sessions/{id}'
        ? (await yard.ask('GET', '/sessions')).body.items.find((one: { current: boolean }) => !one.current).id
        : ''
    const answer = await yard.ask(name.split(' ')[0] as string, path.replace('TOKEN', made).replace('OTHER', other), body, { headers })
    expect([name, answer.status, answer.status < 300 ? '' : answer.body]).toEqual([name, answer.status < 300 ? answer.status : 200, ''])
    if (name === 'POST /tokens') made = answer.body.id
    const fresh = (await audit()).filter(({ n }: { n: number }) => n > before)
    const said = fresh.map(({ who, what }: { who: string; what: string }) => `${who} ${what.split(' ')[0]}`)
    expect([name, said]).toEqual([name, [`admin ${recorded}`]])
    const [record] = fresh
    if (name !== 'DELETE /session') expect([name, record.before !== null || record.after !== null]).toEqual([name, true])
    if (name.startsWith('PUT ')) expect([name, record.before !== null && record.after !== null]).toEqual([name, true])
  }
})
