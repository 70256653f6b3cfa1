// Who may be named for an alarm, and that whoever has two names is one: on the phone, in the console, as verifier.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Identity } from '../../src/access/roles.ts'
import type { Duty } from '../../src/model/duty.ts'
import { scopeFrom } from '../../src/model/scope.ts'
import { plannedAt } from '../alerts/courierYard.ts'
import { LedgerCarrier, LedgerChannel } from '../alerts/ledgerCarrier.ts'
import { House, PASSWORD, START, turn } from './harness.ts'
import { PLANT } from './plant.ts'

const T101 = `tank-level/T-101#${START}`
const WAIT = { timeout: 10_000, interval: 10 }

const person = (id: string, user: string | null, enterprise: string | null = 'daxie'): Duty['people'][number] => ({
  ...{ id, name: { zh: `${id}中`, en: id }, language: 'zh', zone: 'Asia/Shanghai', enterprise, user, quiet: null },
  addresses: { sms: `+861380000${String(id.length).padStart(4, '0')}` }
})
const steps = [{ afterMs: 0, tell: [{ kind: 'person' as const, id: 'wang-wu' }], by: [['sms' as const]], repeatMs: null, times: 1 }]
const DUTY: Duty = {
  people: [person('wang-wu', 'wang.wu'), person('zhao', null), person('foreman', null, 'market'), person('anybody', null, null)],
  ...{ teams: [], rotas: [], responsible: [], groupWindowMs: 0, throttle: null, floodDigestMs: 0, receipts: [] },
  ladders: [
    {
      ...{ id: 'farm', receiptWithinMs: null, rungs: steps },
      appliesTo: { tiers: null, rules: null, area: null, site: 'farm', enterprise: null }
    }
  ]
}

let house: House
let carrier: LedgerCarrier
let admin: string
const bearer: Record<string, string> = {}

async function user(name: string, role: 'viewer' | 'operator' | 'engineer', enterprises: string[] | null, sites: string[] | null = null) {
  await house.ask('/api/v1/users', admin, { payload: { name, password: `${PASSWORD} of ${name}`, role, enterprises, sites } })
  const by: Identity = { user: name, role, scope: scopeFrom({ enterprises, sites }), via: 'session', expiresAt: null }
  const made = await house.parts.access.createToken(by, { name: 'phone', role, enterprises, sites })
  if ('problem' in made) throw new Error(made.problem)
  bearer[name] = made.secret
}

const ask = (who: string, url: string, payload?: object) => house.ask(url, bearer[who] as string, payload === undefined ? {} : { payload })
const act = async (who: string, action: string, payload: object) => {
  const answer = await ask(who, `/api/v1/alarms/${encodeURIComponent(T101)}/${action}`, payload)
  return { status: answer.statusCode, body: answer.json() }
}
const choices = async (who: string, query = '') => {
  const answer = await ask(who, `/api/v1/people/choices?alarm=${encodeURIComponent(T101)}${query}`)
  return { status: answer.statusCode, body: answer.json() }
}

beforeEach(async () => {
  carrier = await LedgerCarrier.open()
  house = await House.open({
    plant: { ...PLANT, duty: DUTY },
    channels: [new LedgerChannel({ url: carrier.url, id: 'sms-main', receipts: true })]
  })
  admin = await house.token('admin')
  await user('wang.wu', 'operator', ['daxie'])
  await user('mei', 'viewer', ['daxie'])
  await user('elsewhere', 'operator', ['market'])
  await user('farmhand', 'operator', ['daxie'], ['farm'])
  await user('gone', 'engineer', null)
  await house.ask('/api/v1/users/gone', admin, { method: 'PUT', payload: { role: 'engineer', disabled: true } })
  await house.commit(turn('tank-level', { device: 'T-101' }, START, START, 'clear', 'red'))
})
afterEach(async () => {
  await house.parts.telling.stop()
  await carrier.close()
  await house.close()
})

describe('who may be named', () => {
  it('users who see the alarm and duty people of its enterprise, each once, under one name', async () => {
    const none = { name: null, person: null, me: false }
    const { body } = await choices('wang.wu')
    expect(body).toEqual({
      more: false,
      items: [
        { id: 'admin', user: 'admin', ...none },
        { id: 'anybody', name: { zh: 'anybody中', en: 'anybody' }, user: null, person: 'anybody', me: false },
        { id: 'farmhand', user: 'farmhand', ...none },
        { id: 'mei', user: 'mei', ...none },
        { id: 'wang.wu', name: { zh: 'wang-wu中', en: 'wang-wu' }, user: 'wang.wu', person: 'wang-wu', me: true },
        { id: 'zhao', name: { zh: 'zhao中', en: 'zhao' }, user: null, person: 'zhao', me: false }
      ]
    })
    expect((await choices('wang.wu', '&q=Wu%E4%B8%AD')).body.items.map(({ id }: { id: string }) => id)).toEqual(['wang.wu'])
  })

  it('whoever is limited to a site reads of duty people who may be called there only; others learn nothing', async () => {
    const ids = (await choices('farmhand')).body.items.map(({ id }: { id: string }) => id)
    expect(ids).toEqual(['admin', 'farmhand', 'mei', 'wang.wu'])
    expect([(await choices('mei')).status, (await choices('elsewhere')).status]).toEqual([403, 404])
  })

  it('nobody else is taken: 422 with a sentence that says where to look', async () => {
    for (const name of ['nobody-at-all', 'elsewhere', 'foreman', 'gone', 'fenghuo']) {
      const { status, body } = await act('wang.wu', 'assign', { assignee: name })
      const problem = `${name} is neither a user who may sign in and see this alarm nor one of its duty people: choose one of GET /people/choices.`
      expect([name, status, body.detail, body.faults]).toEqual([name, 422, problem, [{ at: 'assignee', problem }]])
    }
    expect((await act('wang.wu', 'assign', { assignee: 'zhao' })).body.assignee).toBe('zhao')
    expect((await act('wang.wu', 'assign', { assignee: ' wang-wu ' })).body.assignee).toBe('wang.wu')
    expect((await act('wang.wu', 'assign', { assignee: 'wang.wu' })).body.assignee).toBe('wang.wu')
    expect((await act('wang.wu', 'assign', { assignee: null })).body.assignee).toBeNull()
    const events = (await ask('wang.wu', `/api/v1/alarms/${encodeURIComponent(T101)}`)).json().events
    expect(events.flatMap(({ assignee }: { assignee?: string | null }) => (assignee === undefined ? [] : [assignee]))).toEqual([
      ...['zhao', 'wang.wu', null]
    ])
  })
})

describe('one person is one', () => {
  it('whoever closes does not verify it under the other name; somebody else does', async () => {
    await house.commit(turn('tank-level', { device: 'T-101' }, START, START + 9000, 'red', 'clear'))
    for (const verifier of ['wang-wu', 'wang.wu']) {
      const { status, body } = await act('wang.wu', 'close', { disposition: 'real', verifier })
      expect([verifier, status, body.detail]).toEqual([
        ...[verifier, 422, 'The verifier must be somebody else than wang.wu, who closes the alarm.']
      ])
    }
    expect((await act('wang.wu', 'close', { disposition: 'real', verifier: 'somebody' })).body.faults).toMatchObject([{ at: 'verifier' }])
    const { status, body } = await act('wang.wu', 'close', { disposition: 'real', verifier: 'zhao' })
    expect([status, body.closed]).toMatchObject([200, { by: 'wang.wu', verifier: 'zhao' }])
  })

  it('an answer by SMS and a press of the link are the user’s, and name the duty person', async () => {
    const { telling } = house.parts
    const told = (id: string) => plannedAt(id, house.clock.now(), { alarms: [T101], enterprise: 'daxie', person: 'wang-wu' })
    await telling.start()
    await telling.add([told('one')])
    await vi.waitFor(async () => expect((await telling.notices.one('one', null))?.state).toBe('sent'), WAIT)
    const { address } = (await telling.notices.one('one', null)) as { address: string }
    expect(await telling.answer('sms-main', { from: address, text: '1', providerId: null })).toBe('acknowledged')
    expect((await house.book.alarm(T101, null))?.acknowledged).toMatchObject({
      ...{ by: 'wang.wu', note: 'by message: 1 (wang-wu of the duty plan)' }
    })
    await house.commit(turn('tank-level', { device: 'T-101' }, START, START + 1000, 'red', 'clear'))
    await house.commit(turn('tank-level', { device: 'T-101' }, START, START + 2000, 'clear', 'yellow'))
    await telling.add([told('two')])
    await vi.waitFor(() => expect(carrier.ledger.map(({ id }) => id)).toContain('two'), WAIT)
    const { pathname } = new URL((carrier.ledger.find(({ id }) => id === 'two') as { ackUrl: string }).ackUrl)
    expect((await house.ask(pathname, null, { method: 'POST' })).body).toContain('确认人 wang.wu')
    expect((await house.book.alarm(T101, null))?.acknowledged).toMatchObject({
      ...{ by: 'wang.wu', note: 'by the link in the message (wang-wu of the duty plan)' }
    })
  })
})

describe('whose phone a drill may ring', () => {
  const held = async (who: string, person: string) => (await ask(who, '/api/v1/drill', { site: 'farm', person })).statusCode

  it('those of the caller who are called there, whatever site of their own they name', async () => {
    await user('chief', 'engineer', ['daxie'])
    await user('local', 'engineer', ['daxie'], ['farm'])
    expect(await Promise.all([held('chief', 'foreman'), held('local', 'foreman'), held('local', 'zhao')])).toEqual([404, 404, 404])
    expect(carrier.ledger).toEqual([])
    const after = []
    for (const [who, person] of [
      ['chief', 'zhao'],
      ['chief', 'anybody'],
      ['local', 'wang-wu']
    ] as const) {
      house.clock.moveTo(house.clock.now() + 1)
      after.push(await held(who, person))
    }
    expect(after).toEqual([202, 202, 202])
  })
})
