import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Channel, ChannelAnswer, ChannelCallback } from '../../src/alerts/channels/channel.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { plannedAt } from '../alerts/courierYard.ts'
import { type LedgerCarrier, LedgerChannel } from '../alerts/ledgerCarrier.ts'
import { type House, START, turn } from './harness.ts'
import { openTold } from './toldDuty.ts'

const WAIT = { timeout: 10_000, interval: 10 }
const ALARM = `tank-level/T-101#${START}`

/** A channel whose callbacks carry receipts and answers as JSON, proven by a header. */
class CalledBack extends LedgerChannel {
  callback({ headers, body }: ChannelCallback): ReturnType<NonNullable<Channel['callback']>> {
    if (headers['x-proof'] !== 'right') return { kind: 'refused', problem: 'the proof is missing' }
    const { receipts = [], answers = [] } = JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, never[]>
    return { kind: 'taken', receipts, answers, reply: { contentType: 'text/plain', body: 'thanks' } }
  }
}

let house: House
let carrier: LedgerCarrier
let close: () => Promise<void>

beforeEach(async () => {
  ;({ house, carrier, close } = await openTold(CalledBack))
})
afterEach(() => close())

const told = (id: string, more = {}) => plannedAt(id, house.clock.now(), { alarms: [ALARM], enterprise: 'daxie', ...more })
const raise = () => house.commit(turn('tank-level', { device: 'T-101' }, START, START, 'clear', 'red'))
const answer = async (text: string, from = '13800000001', providerId: string | null = null) =>
  house.parts.telling.answer('sms-main', { from, text, providerId } satisfies ChannelAnswer)
const send = async (...planned: ReturnType<typeof told>[]) => {
  await house.parts.telling.start()
  await house.parts.telling.add(planned)
  await vi.waitFor(async () => {
    const rows = await Promise.all(planned.map(({ id }) => house.parts.telling.notices.one(id, null)))
    expect(rows.every((row) => row?.state === 'sent' || row?.state === 'withheld' || row?.state === 'failed')).toBe(true)
  }, WAIT)
}

describe('notifications by API', () => {
  it('are listed with whom, how and why not; numbers masked for viewers; and stand with their alarm', async () => {
    const { viewer, operator } = await house.tokens()
    await raise()
    await send(told('one'), told('two', { person: 'zhang', address: '13900000002', withheld: 'throttled' }))
    const list = (await house.ask('/api/v1/notifications', operator)).json()
    expect(list).toMatchObject({
      items: [
        { id: 'two', person: 'zhang', state: 'withheld', withheld: 'throttled', sentAt: null },
        {
          id: 'one',
          person: 'li',
          state: 'sent',
          address: '+8613800000001',
          tries: 1,
          provider: 'sms-main',
          providerId: 'p-one',
          late: false
        }
      ],
      next: null
    })
    const masked = (await house.ask(`/api/v1/alarms/${encodeURIComponent(ALARM)}`, viewer)).json()
    expect(masked.notifications.map(({ id, address }: { id: string; address: string }) => [id, address])).toEqual([
      ['one', '…0001'],
      ['two', '…0002']
    ])
    const first = (await house.ask('/api/v1/notifications?limit=1', viewer)).json()
    const second = (await house.ask(`/api/v1/notifications?limit=1&cursor=${first.next}`, viewer)).json()
    expect([first.items[0].id, second.items[0].id, second.next]).toEqual(['two', 'one', null])
    const only = async (query: string) =>
      (await house.ask(`/api/v1/notifications?${query}`, viewer)).json().items.map(({ id }: { id: string }) => id)
    expect(await only('state=withheld')).toEqual(['two'])
    expect(await only('person=li')).toEqual(['one'])
    expect(await only(`alarm=${encodeURIComponent(ALARM)}`)).toEqual(['two', 'one'])
    expect(await only('alarm=other')).toEqual([])
    const foreign = await house.token('viewer', ['somebody-else'])
    expect((await house.ask('/api/v1/notifications', foreign)).json().items).toEqual([])
  })

  it('dead letters are sent again by an operator, on the record', async () => {
    const { viewer, operator } = await house.tokens()
    carrier.treat = () => 'refuse'
    await send(told('dead'))
    carrier.treat = () => 'take'
    const retry = (id: string, token: string) => house.ask(`/api/v1/notifications/${id}/retry`, token, { method: 'POST' })
    expect((await retry('dead', viewer)).statusCode).toBe(403)
    expect((await retry('none', operator)).statusCode).toBe(404)
    // The courier may be quicker than the answer.
    expect((await retry('dead', operator)).json()).toMatchObject({ id: 'dead', state: expect.stringMatching(/^(queued|sending|sent)$/) })
    await vi.waitFor(async () => expect((await house.parts.telling.notices.one('dead', null))?.state).toBe('sent'), WAIT)
    expect((await retry('dead', operator)).statusCode).toBe(409)
    const [record] = await house.parts.access.audit.list(1)
    expect(record).toMatchObject({ what: 'notification.retry dead', before: { state: 'failed' }, after: { state: 'queued' } })
  })
})

describe('what comes back', () => {
  it('receipts and answers by callback, which must prove itself', async () => {
    await raise()
    await send(told('one'))
    const call = (proof: string, body: object) =>
      house.ask('/api/v1/callbacks/sms-main/secret', null, {
        method: 'POST',
        headers: { 'x-proof': proof, 'content-type': 'application/json' },
        payload: JSON.stringify(body)
      })
    const receipt = { receipts: [{ providerId: 'p-one', state: 'delivered', problem: null }] }
    expect((await call('wrong', receipt)).statusCode).toBe(403)
    expect((await house.parts.telling.notices.one('one', null))?.state).toBe('sent')
    const taken = await call('right', receipt)
    expect([taken.statusCode, taken.body]).toEqual([200, 'thanks'])
    expect((await house.parts.telling.notices.one('one', null))?.state).toBe('delivered')
    await call('right', { answers: [{ from: '8613800000001', text: '收到。', providerId: 'mo-1' }] })
    expect((await house.book.alarm(ALARM, null))?.acknowledged).toMatchObject({ by: 'li', note: 'by message: 收到。' })
    expect((await house.ask('/api/v1/callbacks/none/secret', null, { method: 'POST', payload: '{}' })).statusCode).toBe(404)
  })

  it('a receipt that comes a day later still says that the message arrived, and changes nothing else', async () => {
    await raise()
    await send(told('one'))
    await answer('1')
    const before = await house.book.get(ALARM, null)
    house.clock.moveTo(house.clock.now() + 25 * 3_600_000)
    const receipt = { receipts: [{ providerId: 'p-one', state: 'delivered', problem: null }] }
    const headers = { 'x-proof': 'right', 'content-type': 'application/json' }
    const call = { method: 'POST' as const, headers, payload: JSON.stringify(receipt) }
    for (let again = 0; again < 2; again++) {
      expect((await house.ask('/api/v1/callbacks/sms-main/secret', null, call)).statusCode).toBe(200)
      expect(await house.parts.telling.notices.one('one', null)).toMatchObject({ state: 'delivered' })
    }
    expect(await house.book.get(ALARM, null)).toEqual(before)
    expect(carrier.ledger.filter(({ id }) => id === 'one')).toHaveLength(1)
  })

  it('two people and the console at once: one acknowledges, the others learn who', async () => {
    const { operator } = await house.tokens()
    await raise()
    await send(told('one'), told('two', { person: 'zhang', address: '13900000002' }))
    const url = `/api/v1/alarms/${encodeURIComponent(ALARM)}`
    const [li, zhang, console] = await Promise.all([
      answer('1'),
      answer('ok', '13900000002'),
      house.ask(`${url}/acknowledge`, operator, { payload: { note: 'seen on the screen' } })
    ])
    const { acknowledged, events } = (await house.ask(url, operator)).json()
    expect(events.filter(({ action }: { action?: string }) => action === 'acknowledge')).toHaveLength(1)
    expect([[li, zhang], console.statusCode]).toEqual(
      acknowledged.by === 'admin'
        ? [expect.arrayContaining([expect.stringMatching(/^(acknowledged|nothingOpen)$/)]), 200]
        : [['acknowledged', 'nothingOpen'], 409]
    )
    if (console.statusCode === 409) expect(console.json().detail).toContain(`was acknowledged by ${acknowledged.by} at`)
  })

  it('whoever answers a moment after the console acknowledged is told who did, and acknowledges nothing else', async () => {
    const { operator } = await house.tokens()
    const second = `tank-level/T-102#${START}`
    await raise()
    await house.commit(turn('tank-level', { device: 'T-102' }, START, START, 'clear', 'yellow'))
    await send(told('one', { alarms: [second] }))
    house.clock.moveTo(START + 2000)
    const words = { where: 'A 罐区 T-101', what: '储罐液位(红色)', howMuch: '', toDo: '', when: '' }
    await send(told('two', { words }))
    house.beforeAct = async () => {
      const url = `/api/v1/alarms/${encodeURIComponent(ALARM)}/acknowledge`
      expect((await house.ask(url, operator, { payload: { note: 'seen on the screen' } })).statusCode).toBe(200)
    }
    expect(await answer('1')).toBe('nothingOpen')
    const by = async (id: string) => (await house.book.alarm(id, null))?.acknowledged?.by ?? null
    expect([await by(ALARM), await by(second)]).toEqual(['admin', null])
    const back = (await house.ask('/api/v1/notifications?person=li', operator)).json().items
    expect(back[0]).toMatchObject({
      reason: 'answer',
      text: 'A 罐区 T-101 储罐液位(红色)已由admin确认。还有1条未确认,再回复1确认下一条。'
    })
  })

  it('an answer acknowledges the newest open alarm its sender was told of; everything else is kept and shown', async () => {
    const second = `tank-level/T-102#${START + 1000}`
    await raise()
    await house.commit(turn('tank-level', { device: 'T-102' }, START + 1000, START + 1000, 'clear', 'red'))
    await send(told('one'))
    house.clock.moveTo(START + 2000)
    await send(told('two', { alarms: [second] }), told('three', { person: 'zhang', address: '13900000002', withheld: 'throttled' }))
    expect(await answer('what?', '+86 138 0000 0001')).toBe('unknownText')
    expect(await answer('1', '13700000009')).toBe('unknownSender')
    expect(await answer('1', '13900000002')).toBe('unknownSender')
    expect(await answer(' ACK. ', '008613800000001', 'mo-1')).toBe('acknowledged')
    expect(await answer(' ACK. ', '008613800000001', 'mo-1')).toBeNull()
    const by = async (id: string) => (await house.book.alarm(id, null))?.acknowledged?.by ?? null
    expect([await by(ALARM), await by(second)]).toEqual([null, 'li'])
    expect(await answer('１')).toBe('acknowledged')
    expect([await by(ALARM), await by(second)]).toEqual(['li', 'li'])
    expect(await answer('1')).toBe('nothingOpen')
    const items = (await house.ask('/api/v1/answers', await house.token('viewer'))).json().items
    expect(items.map((one: Record<string, unknown>) => [one.address, one.text, one.person, one.outcome])).toEqual([
      ['…0001', '1', 'li', 'nothingOpen'],
      ['…0001', '１', 'li', 'acknowledged'],
      ['…0001', ' ACK. ', 'li', 'acknowledged'],
      ['…0002', '1', null, 'unknownSender'],
      ['…0009', '1', null, 'unknownSender'],
      ['…0001', 'what?', 'li', 'unknownText']
    ])
  })

  it('a link whose press could not be taken can be pressed again; two presses at once are one; taken back, it says so', async () => {
    await house.commit(turn('tank-level', { device: 'T-101' }, START, START, 'clear', 'yellow'))
    await send(told('one', { words: { where: 'T-101', what: '储罐液位(红色,尚未确认)', howMuch: '', toDo: '', when: '' } }))
    const path = new URL((carrier.ledger[0] as { ackUrl: string }).ackUrl).pathname
    const press = () => house.ask(path, null, { method: 'POST' })
    house.refuseActions = true
    const refused = await press()
    expect([refused.statusCode, refused.headers['content-type']]).toEqual([503, 'text/html; charset=utf-8'])
    expect(refused.body).toContain('报警还没有确认。请过一分钟再按一次')
    expect(refused.body).not.toContain('NOT acknowledged')
    expect((await house.ask(path, null)).body).toContain('<form method="post">')
    house.refuseActions = false
    const both = await Promise.all([press(), press()])
    expect(both.map(({ body }) => [body.includes('已确认，谢谢'), body.includes('确认人 li'), body.includes('尚未确认')])).toEqual([
      [true, true, false],
      [true, true, false]
    ])
    const events = (await house.book.get(ALARM, null))?.events.filter(({ event }) => 'action' in event)
    expect(events).toHaveLength(1)
    await house.commit(turn('tank-level', { device: 'T-101' }, START, START + 1000, 'yellow', 'red'))
    expect((await house.ask(path, null)).body).toContain('报警现在又未确认')
    expect((await press()).statusCode).toBe(409)
    expect((await house.book.alarm(ALARM, null))?.acknowledged).toBeNull()
  })

  it('a one-time link shows by GET, acknowledges by POST, once, and ends', async () => {
    await raise()
    await send(told('one'))
    const { ackUrl } = carrier.ledger[0] as { ackUrl: string }
    expect(ackUrl).toMatch(/^https:\/\/fenghuo\.test\/a\/[\w-]{36}$/)
    const path = new URL(ackUrl).pathname
    const look = await house.ask(path, null)
    expect([look.statusCode, look.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect(look.body).toContain('<form method="post">')
    expect(look.body).not.toContain('<script')
    expect((await house.book.alarm(ALARM, null))?.acknowledged).toBeNull()
    const press = await house.ask(path, null, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: ''
    })
    expect(press.body).toContain('已确认，谢谢')
    expect((await house.book.alarm(ALARM, null))?.acknowledged).toMatchObject({ by: 'li' })
    expect((await house.ask(path, null)).body).toContain('已经确认')
    const forged = `${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`
    expect((await house.ask(forged, null, { method: 'POST' })).statusCode).toBe(404)
    house.clock.moveTo(house.clock.now() + 25 * 3_600_000)
    expect((await house.ask(path, null, { method: 'POST' })).statusCode).toBe(410)
  })
})

describe('a drill', () => {
  const chained: unknown[] = []
  const closeDue = () =>
    house.parts.telling.drills.closeDue(house.clock.now(), async (_state, who, what, after) => void chained.push({ who, what, after }))
  const until = (look: () => Promise<void>) => vi.waitFor(look, WAIT)

  it('climbs the ladder, marked, is no alarm, ends by an answer, and leaves a signed record', async () => {
    const { operator, engineer } = await house.tokens()
    await send()
    expect((await house.ask('/api/v1/drill', operator, { payload: {} })).statusCode).toBe(403)
    expect((await house.ask('/api/v1/drill', engineer, { payload: { site: 'nowhere' } })).statusCode).toBe(404)
    const begun = await house.ask('/api/v1/drill', engineer, { payload: { site: 'farm', note: 'monthly', fast: 10 } })
    const id = `@drill/farm#${START}`
    expect([begun.statusCode, begun.json()]).toEqual([202, { id, drill: true, ladder: 'standard', notifications: 1 }])
    await until(async () =>
      expect(await house.parts.telling.notices.list({ state: 'sent' }, { limit: 9 }, null)).toMatchObject({ items: [{}] })
    )
    expect(carrier.ledger[0]).toMatchObject({ text: expect.stringMatching(/^【演练】.*【演练】/), title: expect.stringContaining('演练') })
    expect(await closeDue()).toBe(0)
    house.clock.moveTo(START + 20_000)
    expect(await answer('1')).toBe('drill')
    // Looked at again while the first look goes on: one of them closes it.
    await until(async () => {
      expect((await Promise.all([closeDue(), closeDue()])).toSorted()).toEqual([0, 1])
    })
    const url = `/api/v1/drills/${encodeURIComponent(id)}`
    const shown = (await house.ask(url, operator)).json()
    expect(shown).toMatchObject({
      ...{ id, drill: true, by: 'admin', site: 'farm', tier: 'red', ladder: 'standard', factor: 10, note: 'monthly' },
      ...{ endedAt: '2026-01-01T08:00:20.000Z', outcome: 'acknowledged', genuine: true },
      acknowledged: { by: 'li', at: '2026-01-01T08:00:20.000Z', note: 'by message: 1' },
      steps: [{ person: 'li', channel: 'sms', rung: 1, state: 'delivered', acknowledgedAt: '2026-01-01T08:00:20.000Z' }]
    })
    expect(chained).toMatchObject([{ who: 'admin', what: `drill.close ${id}`, after: { signature: shown.signature, drill: true } }])
    expect((await house.ask('/api/v1/alarms?state=all', operator)).json().items).toEqual([])
    expect((await house.ask('/api/v1/alarm-events', operator)).body).not.toContain('drill')
    expect((await house.ask('/api/v1/drills', operator)).json().items).toMatchObject([{ id, signature: shown.signature }])
    expect((await house.ask(`${url}/acknowledge`, operator, { payload: {} })).statusCode).toBe(409)
  })

  it('is acknowledged by the link of its message, and by API', async () => {
    const { operator, engineer } = await house.tokens()
    await send()
    const hold = async () => (await house.ask('/api/v1/drill', engineer, { payload: { person: 'li' } })).json().id as string
    const first = await hold()
    await until(async () => expect(carrier.ledger).toHaveLength(1))
    const path = new URL((carrier.ledger[0] as { ackUrl: string }).ackUrl).pathname
    expect((await house.ask(path, null)).body).toContain('演练，不是真实报警')
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await house.ask(path, null, { method: 'POST', headers: form, payload: '' })).body).toContain('确认人 li')
    house.clock.moveTo(START + 1000)
    const second = await hold()
    await house.ask(`/api/v1/drills/${encodeURIComponent(second)}/acknowledge`, operator, { payload: { note: 'seen' } })
    const [one, other] = await Promise.all([first, second].map((id) => house.parts.telling.drills.one(id, null)))
    expect([one?.record.acknowledged?.by, other?.record.acknowledged]).toMatchObject(['li', { by: 'admin', note: 'seen' }])
  })

  it('that nobody answers ends after the last rung', async () => {
    const { engineer } = await house.tokens()
    await send()
    const { id } = (await house.ask('/api/v1/drill', engineer, { payload: { site: 'farm', tier: 'yellow' } })).json()
    house.clock.moveTo(START + 6 * 60_000)
    await house.pass()
    const shown = await house.parts.telling.drills.one(id, null)
    expect(shown?.record).toMatchObject({ tier: 'yellow', outcome: 'unanswered', endedAt: '2026-01-01T08:05:00.000Z', acknowledged: null })
  })

  it('that is over is acknowledged by nothing any more, and nobody is thanked for it', async () => {
    const { operator, engineer } = await house.tokens()
    await send()
    const { id } = (await house.ask('/api/v1/drill', engineer, { payload: { site: 'farm', tier: 'yellow' } })).json()
    await until(async () => expect(carrier.ledger).toHaveLength(1))
    const path = new URL((carrier.ledger[0] as { ackUrl: string }).ackUrl).pathname
    house.clock.moveTo(START + 6 * 60_000)
    await house.pass()
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const press = await house.ask(path, null, { method: 'POST', headers: form, payload: '' })
    expect([press.statusCode, press.body.includes('这次演练已经结束'), press.body.includes('谢谢')]).toEqual([409, true, false])
    expect((await house.ask(path, null)).body).not.toContain('<form')
    expect(await answer('1')).toBe('nothingOpen')
    const steps = (await house.ask(`/api/v1/drills/${encodeURIComponent(id)}`, operator)).json().steps
    expect(steps).toMatchObject([{ acknowledgedAt: null }])
  })

  it('that is over does not stand before an alarm of which the sender was told earlier', async () => {
    const { engineer } = await house.tokens()
    await raise()
    await send(told('one'))
    const { id } = (await house.ask('/api/v1/drill', engineer, { payload: { person: 'li' } })).json()
    await until(async () => expect(carrier.ledger).toHaveLength(2))
    await house.ask(`/api/v1/drills/${encodeURIComponent(id)}/acknowledge`, engineer, { payload: {} })
    house.clock.moveTo(START + LIMITS.drill.settleMs)
    await until(async () => expect(await closeDue()).toBe(1))
    expect(await answer('1')).toBe('acknowledged')
    expect((await house.book.alarm(ALARM, null))?.acknowledged).toMatchObject({ by: 'li' })
  })
})
