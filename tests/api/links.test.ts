// A one-time link that cannot be used, or not now: always a page for any phone, with why and what to do.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AckLinks } from '../../src/alerts/ackLinks.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { serviceSecret } from '../../src/store/serviceSecrets.ts'
import { plannedAt } from '../alerts/courierYard.ts'
import type { LedgerCarrier } from '../alerts/ledgerCarrier.ts'
import { type House, START, turn } from './harness.ts'
import { openTold } from './toldDuty.ts'

const WAIT = { timeout: 10_000, interval: 10 }
const ALARM = `tank-level/T-101#${START}`

let house: House
let carrier: LedgerCarrier
let close: () => Promise<void>

beforeEach(async () => {
  ;({ house, carrier, close } = await openTold())
})
afterEach(() => close())

const told = (id: string, more = {}) => plannedAt(id, house.clock.now(), { alarms: [ALARM], enterprise: 'daxie', ...more })
const raise = () => house.commit(turn('tank-level', { device: 'T-101' }, START, START, 'clear', 'red'))
const send = async (...planned: ReturnType<typeof told>[]) => {
  await house.parts.telling.start()
  await house.parts.telling.add(planned)
  await vi.waitFor(() => expect(carrier.ledger).toHaveLength(planned.length), WAIT)
}

describe('a link that cannot be used says why and what to do, as a page for any phone', () => {
  const text = (body: string): string[] =>
    [...body.matchAll(/<p[^>]*>(.*?)<\/p>/g)].map(([, line]) => (line as string).replaceAll(/<[^>]+>/g, ''))
  const pageOf = async (path: string, method: 'GET' | 'POST' = 'POST') => {
    const { statusCode, headers, body } = await house.ask(path, null, { method })
    expect([path, headers['content-type'], headers['cache-control'], /<script|src=|href=/.test(body)]).toEqual([
      ...[path, 'text/html; charset=utf-8', 'no-store', false]
    ])
    return { status: statusCode, lang: /<html lang="(\w+)">/.exec(body)?.[1], lines: text(body) }
  }
  const linkOf = async (more = {}): Promise<string> => {
    await raise()
    await send(told('one', more))
    return new URL((carrier.ledger[0] as { ackUrl: string }).ackUrl).pathname
  }
  const ENGLISH = { person: 'zhang', address: '13900000002', language: 'en' }

  it('foreign, cut short, too long: in both languages', async () => {
    await send()
    const foreign = new AckLinks('the secret of another service', 'https://fenghuo.test', house.clock)
    const wrong = [foreign.token(1), foreign.token(1).slice(0, 20), 'x'.repeat(200), 'x'.repeat(500), '%E4%BD%A0', '%zz', '', 'one/two']
    for (const path of wrong.map((end) => `/a/${end}`)) {
      for (const method of ['GET', 'POST'] as const) {
        expect(await pageOf(path, method)).toEqual({
          ...{ status: 404, lang: 'zh' },
          lines: [
            '这个链接不是本系统发出的，或者复制时少了几个字。请从收到的消息里重新点开，或登录控制台确认报警。',
            'This link is not one of this service, or a part of it is missing. Open it from the message again, or acknowledge the alarm in the console.'
          ]
        })
      }
    }
  })

  it('whose message is gone', async () => {
    const path = await linkOf()
    const links = new AckLinks(await serviceSecret(house.state, 'links'), 'https://fenghuo.test', house.clock)
    expect(path).toContain(links.token(1).slice(0, 8))
    expect(await pageOf(`/a/${links.token(9_999)}`)).toMatchObject({
      ...{ status: 410, lang: 'zh' },
      lines: [
        expect.stringContaining('已不再保留。请用最新一条消息确认'),
        expect.stringContaining('not kept any more. Answer the newest message')
      ]
    })
  })

  it('that has ended, in the language of its message', async () => {
    const path = await linkOf(ENGLISH)
    house.clock.moveTo(house.clock.now() + 25 * 3_600_000)
    expect(await pageOf(path)).toEqual({
      ...{ status: 410, lang: 'en' },
      lines: [
        'This link has ended, and nothing was acknowledged by it. Answer the newest message, or sign in to the console to see the alarm.'
      ]
    })
    expect((await house.book.alarm(ALARM, null))?.acknowledged).toBeNull()
  })

  it('pressed with more than a press', async () => {
    const path = await linkOf(ENGLISH)
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { statusCode, headers: said, body } = await house.ask(path, null, { method: 'POST', headers, payload: 'x'.repeat(5_000) })
    expect([statusCode, said['content-type'], text(body)]).toEqual([
      413,
      'text/html; charset=utf-8',
      ['Too much was sent: the alarm is NOT acknowledged. Open the link from the message again, and press nothing but its button.']
    ])
    expect((await house.book.alarm(ALARM, null))?.acknowledged).toBeNull()
  })

  it('that has been used', async () => {
    const path = await linkOf(ENGLISH)
    expect(await pageOf(path)).toMatchObject({ status: 200, lang: 'en' })
    for (const method of ['GET', 'POST'] as const) {
      const { status, lines } = await pageOf(path, method)
      expect([status, lines.slice(-2)[0]]).toEqual([
        200,
        method === 'GET'
          ? 'It has been acknowledged; there is nothing more to press. Do what is asked.'
          : 'Acknowledged, thank you. Do what is asked.'
      ])
    }
  })

  it('while nothing can be recorded, or it is not certain, or too many ask', async () => {
    const path = await linkOf(ENGLISH)
    house.obstacle = 'The disk is full.'
    expect(await pageOf(path)).toEqual({
      ...{ status: 503, lang: 'en' },
      lines: [
        'The service cannot record anything at the moment: the alarm is NOT acknowledged. Press again in a minute; if it still fails, call the control room.'
      ]
    })
    house.obstacle = null
    house.stuck = true
    const late = pageOf(path)
    let answered = false
    void late.then(() => (answered = true))
    await vi.waitFor(() => {
      house.clock.moveTo(house.clock.now() + LIMITS.api.submitMs)
      expect(answered).toBe(true)
    }, WAIT)
    expect(await late).toMatchObject({ status: 503, lang: 'en', lines: [expect.stringContaining('not certain yet')] })
    // It may be on its way all the same: from here on nothing of it comes through.
    for (let n = 0; n < LIMITS.courier.linksPerMinute; n++) await house.ask(path, null)
    const tooMany = await pageOf(path, 'GET')
    expect(tooMany).toMatchObject({ status: 429, lines: [expect.stringContaining('answer the message by 1')] })
    expect((await house.book.alarm(ALARM, null))?.acknowledged).toBeNull()
  })
})
