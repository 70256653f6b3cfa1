// What operators do to alarms: every action, its event, its answer, and what is refused; and that a shelf ends by itself, also
// where it ends while the service is down.

import { expect, it, vi } from 'vitest'
import { type Answer, type Line, onEachBackEnd, WAIT, type Yard } from './yard.ts'

const RULES = `rules:
  - { id: level, title: { zh: 液位, en: Level }, appliesTo: { profile: tank }, tiers: { yellow: { when: level_pct > limits.high }, red: { when: level_pct > limits.high_high } } }
  - { id: trip, appliesTo: { profile: tank }, latched: true, tiers: { orange: { when: tripped > 0 } } }
  - { id: warm, appliesTo: { profile: tank }, acknowledgeNote: required, tiers: { blue: { when: temperature_c > 60 } } }
`

/** Sends a value now, and resolves with the id of the alarm of the rule once it has the wanted tier, or 'clear'. */
async function make(yard: Yard, device: string, rule: string, values: Record<string, number>, wanted: string): Promise<string> {
  expect((await yard.post(`gw-${Number(device.slice(2)) % 2}`, { device, ts: Date.now(), values })).status).toBe(202)
  const own = (line: Line): boolean => line.rule === rule && line.device === device
  const lines = await yard.eventsOnce((all) => expect(all.filter(own).at(-1)?.to).toBe(wanted))
  return lines.filter(own).at(-1)?.id as string
}

const facts = ({ status, body }: Answer): unknown[] => [status, body.isaState, body.acknowledged?.by ?? null]
const detail = ({ status, body }: Answer): unknown[] => [status, body.type?.replace('urn:fenghuo:problem:', '')]

/** The actions on an alarm, and its transitions, as they stand in the journal. */
async function story(yard: Yard, id: string): Promise<string[]> {
  const lines = (await yard.events()).filter((line) => line.id === id)
  return lines.map(({ from, to, action, by, note }) => (action === undefined ? `${from} -> ${to}` : `${action} by ${by}: ${note}`))
}

const inMinutes = (n: number): string => new Date(Date.now() + n * 60_000).toISOString()

onEachBackEnd({ rules: RULES, alone: ['postgres'] }, (yard) => {
  it('acknowledges once, by one person, and lets the alarm go when it has cleared too', async () => {
    for (const name of ['li', 'wang']) {
      expect((await yard().ask('POST', '/users', { body: { name, password: `a phrase of ${name} and more` } })).status).toBe(201)
    }
    const id = await make(yard(), 'T-0', 'level', { level_pct: 90 }, 'yellow')
    const listed = async (state: string): Promise<string[]> =>
      (await yard().get(`/alarms?state=${state}&device=T-0`)).body.items.map(
        (alarm: { id: string; isaState: string }) => `${alarm.isaState} ${alarm.id}`
      )
    expect(await listed('active')).toEqual([`B ${id}`])
    const operator = await yard().token('operator')
    expect(facts(await yard().act(id, 'acknowledge', { note: 'seen' }))).toEqual([200, 'C', 'admin'])
    expect(facts(await yard().act(id, 'acknowledge', { note: 'seen' }))).toEqual([200, 'C', 'admin'])
    expect(detail(await yard().act(id, 'acknowledge', { note: 'me too' }))).toEqual([409, 'conflict'])
    expect(detail(await yard().act(id, 'close', { disposition: 'real', note: 'x' }))).toEqual([409, 'conflict'])
    expect(facts(await yard().act(id, 'comment', { note: 'valve is shut' }, operator))).toEqual([200, 'C', 'admin'])
    expect(detail(await yard().act(id, 'comment', {}))).toEqual([422, 'invalid'])
    expect(detail(await yard().act(id, 'assign', { assignee: 'nobody-we-know' }))).toEqual([422, 'invalid'])
    expect((await yard().act(id, 'assign', { assignee: 'li' })).body.assignee).toBe('li')
    expect(await make(yard(), 'T-0', 'level', { level_pct: 50 }, 'clear')).toBe(id)
    expect(await listed('active')).toEqual([])
    expect(await listed('all')).toEqual([`A ${id}`])
    expect(detail(await yard().act(id, 'close', { disposition: 'nonsense' }))).toEqual([422, 'invalid'])
    const closed = await yard().act(id, 'close', { disposition: 'real', note: 'overfilled', verifier: 'wang' })
    expect([closed.status, closed.body.closed]).toEqual([
      200,
      { by: 'admin', at: expect.any(String), disposition: 'real', verifier: 'wang', note: 'overfilled' }
    ])
    expect(await story(yard(), id)).toEqual([
      'clear -> yellow',
      'acknowledge by admin: seen',
      'comment by admin: valve is shut',
      'assign by admin: null',
      'yellow -> clear',
      'close by admin: overfilled'
    ])
    const one = await yard().get(`/alarms/${encodeURIComponent(id)}`)
    // Beside each reason stands the same in words; the rest is the line of the journal.
    const lines = one.body.events.map(({ becauseText: _words, ...line }: Record<string, unknown>) => line)
    expect(lines).toEqual((await yard().events()).filter((line) => line.id === id))
    expect(detail(await yard().act('level/T-0#1', 'acknowledge'))).toEqual([404, 'unknown'])
    expect(detail(await yard().act(id, 'acknowledge', {}, await yard().token('viewer')))).toEqual([403, 'forbidden'])
  })

  it('clears first and is acknowledged then; a note may be asked for', async () => {
    const id = await make(yard(), 'T-2', 'warm', { temperature_c: 70 }, 'blue')
    expect(detail(await yard().act(id, 'acknowledge'))).toEqual([422, 'invalid'])
    await make(yard(), 'T-2', 'warm', { temperature_c: 20 }, 'clear')
    const active = (await yard().get('/alarms?device=T-2')).body.items
    expect(active).toMatchObject([{ id, isaState: 'D', tier: 'blue', clearedAt: expect.any(String), acknowledged: null }])
    expect(facts(await yard().act(id, 'acknowledge', { note: 'a hot day' }))).toEqual([200, 'A', 'admin'])
    expect((await yard().get('/alarms?device=T-2')).body.items).toEqual([])
    const next = await make(yard(), 'T-2', 'warm', { temperature_c: 71 }, 'blue')
    expect(next).not.toBe(id)
  })

  it('of two who acknowledge at once one is told that the other was quicker', async () => {
    const id = await make(yard(), 'T-4', 'level', { level_pct: 90 }, 'yellow')
    const both = await Promise.all(['one', 'two', 'three', 'four'].map((note) => yard().act(id, 'acknowledge', { note })))
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409])
    const won = both.findIndex(({ status }) => status === 200)
    expect(await story(yard(), id)).toEqual(['clear -> yellow', `acknowledge by admin: ${['one', 'two', 'three', 'four'][won]}`])
  })

  it('keeps a latched alarm until somebody resets it, once its cause is gone', async () => {
    const id = await make(yard(), 'T-6', 'trip', { tripped: 1 }, 'orange')
    expect(detail(await yard().act(id, 'reset'))).toEqual([409, 'conflict'])
    expect((await yard().post('gw-0', { device: 'T-6', ts: Date.now(), values: { tripped: 0 } })).status).toBe(202)
    const answer = await vi.waitFor(async () => {
      const { status, body } = await yard().act(id, 'reset', { note: 'checked' })
      expect(status).toBe(200)
      return body
    }, WAIT)
    expect(answer).toMatchObject({ isaState: 'D', clearedAt: expect.any(String) })
    expect(await story(yard(), id)).toEqual(['clear -> orange', 'reset by admin: checked', 'orange -> clear'])
  })

  it('shelves for a while, with a reason; the shelf ends by itself, also while the service is down', async () => {
    const id = await make(yard(), 'T-8', 'level', { level_pct: 90 }, 'yellow')
    const other = await make(yard(), 'T-10', 'level', { level_pct: 90 }, 'yellow')
    const red = await make(yard(), 'T-1', 'level', { level_pct: 95 }, 'red')
    expect(detail(await yard().act(id, 'shelve', { note: 'why' }))).toEqual([422, 'invalid'])
    expect(detail(await yard().act(id, 'shelve', { until: inMinutes(5) }))).toEqual([422, 'invalid'])
    expect(detail(await yard().act(id, 'shelve', { until: inMinutes(-1), note: 'why' }))).toEqual([422, 'invalid'])
    expect(detail(await yard().act(id, 'shelve', { until: inMinutes(60 * 24 * 30), note: 'why' }))).toEqual([422, 'invalid'])
    const operator = await yard().token('operator')
    expect(detail(await yard().act(red, 'shelve', { until: inMinutes(5), note: 'why' }, operator))).toEqual([403, 'forbidden'])
    const [soon, later] = [new Date(Date.now() + 2_500).toISOString(), inMinutes(30)]
    const shelved = await yard().act(id, 'shelve', { until: soon, note: 'filling' })
    expect([shelved.status, shelved.body.isaState, shelved.body.shelvedUntil]).toEqual([200, 'G', soon])
    expect((await yard().act(other, 'shelve', { until: later, note: 'filling' })).status).toBe(200)
    expect(detail(await yard().act(other, 'shelve', { until: inMinutes(40), note: 'longer' }))).toEqual([409, 'conflict'])
    await yard().restart('kill')
    const ended = await vi.waitFor(async () => {
      const { body } = await yard().get(`/alarms/${encodeURIComponent(id)}`)
      expect(body.isaState).toBe('B')
      return body
    }, WAIT)
    expect(ended.shelvedUntil).toBeNull()
    const events = (await yard().events()).filter((line) => line.id === id)
    expect(events.slice(1).map(({ at, action, by, until }) => [action, by, at === soon, until])).toEqual([
      ['shelve', 'admin', false, soon],
      ['unshelve', expect.any(String), true, undefined]
    ])
    expect((await yard().get(`/alarms/${encodeURIComponent(other)}`)).body).toMatchObject({ isaState: 'G', shelvedUntil: later })
    expect(facts(await yard().act(other, 'unshelve', { note: 'done' }))).toEqual([200, 'B', null])
    expect(facts(await yard().act(other, 'unshelve'))).toEqual([200, 'B', null])
  })

  it('shows all of it after a restart as before', async () => {
    const seen = async (): Promise<unknown[]> => [await yard().events(), await yard().service.all('/api/v1/alarms?state=all')]
    const before = await seen()
    await yard().restart('kill')
    expect(await seen()).toEqual(before)
    await yard().restart('stop')
    expect(await seen()).toEqual(before)
  })
})
