// Which alarm an answer counts for, where its sender was told of several: by a plain reply, and by the link of one message.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { plannedAt } from '../alerts/courierYard.ts'
import type { LedgerCarrier } from '../alerts/ledgerCarrier.ts'
import { type House, START, turn } from './harness.ts'
import { openTold } from './toldDuty.ts'

const WAIT = { timeout: 10_000, interval: 10 }

let house: House
let carrier: LedgerCarrier
let close: () => Promise<void>

beforeEach(async () => {
  ;({ house, carrier, close } = await openTold())
  await house.parts.telling.start()
})
afterEach(() => close())

const idOf = (device: string) => `tank-level/${device}#${START}`
const raise = async (device: string, tier: 'red' | 'yellow' | 'blue') => {
  await house.commit(turn('tank-level', { device }, START, START, 'clear', tier))
  return idOf(device)
}
const wordsOf = (device: string) => ({ where: device, what: '储罐液位', howMuch: '', toDo: '', when: '' })
const send = async (id: string, alarms: readonly string[], more = {}) => {
  house.clock.moveTo(house.clock.now() + 1000)
  await house.parts.telling.add([plannedAt(id, house.clock.now(), { alarms, enterprise: 'daxie', ...more })])
  await vi.waitFor(() => expect(carrier.ids()).toContain(id), WAIT)
  await vi.waitFor(async () => expect((await house.parts.telling.outbox.byId(id))?.state).toBe('sent'), WAIT)
}
const reply = async () => {
  const outcome = await house.parts.telling.answer('sms-main', { from: '13800000001', text: '1', providerId: null })
  const [back] = (await house.ask('/api/v1/notifications?person=li', await house.token('operator'))).json().items
  return [outcome, back.text]
}
const by = async (id: string) => (await house.book.alarm(id, null))?.acknowledged?.by ?? null

it('a plain reply counts for the most severe open alarm, of several the newest told; it is told which, and how many are left', async () => {
  const [red, yellow, blue] = [await raise('T-101', 'red'), await raise('T-102', 'yellow'), await raise('T-103', 'blue')]
  await send('red', [red], { words: wordsOf('T-101') })
  await send('yellow', [yellow], { words: wordsOf('T-102'), tier: 'yellow' })
  await send('many', [yellow, blue], { words: { ...wordsOf(''), where: 'A 罐区', what: '2 条报警' }, tier: 'yellow', reason: 'digest' })
  expect(await reply()).toEqual(['acknowledged', '已确认:T-101 储罐液位。还有2条未确认,再回复1确认下一条。'])
  expect(await Promise.all([red, yellow, blue].map(by))).toEqual(['li', null, null])
  expect(await reply()).toEqual(['acknowledged', '已确认:T-102 储罐液位。还有1条未确认,再回复1确认下一条。'])
  expect(await reply()).toEqual(['acknowledged', '已确认:T-103 tank-level。'])
  expect(await Promise.all([red, yellow, blue].map(by))).toEqual(['li', 'li', 'li'])
})

it('of one tier the one told last goes first; the present tier decides, not the one that was told', async () => {
  const [first, second] = [await raise('T-101', 'yellow'), await raise('T-102', 'yellow')]
  await send('first', [first], { words: wordsOf('T-101'), tier: 'yellow' })
  await send('second', [second], { words: wordsOf('T-102'), tier: 'yellow' })
  await send('reminder', [first], { words: wordsOf('T-101'), tier: 'yellow', reason: 'reminder' })
  expect((await reply())[1]).toContain('已确认:T-101')
  const third = await raise('T-103', 'blue')
  await send('third', [third], { words: wordsOf('T-103'), tier: 'blue' })
  await house.commit(turn('tank-level', { device: 'T-103' }, START, START + 1000, 'blue', 'red'))
  expect((await reply())[1]).toContain('已确认:T-103')
  expect(await Promise.all([first, second, third].map(by))).toEqual(['li', null, 'li'])
})

it('the page of a link and its button speak of the same alarm of a message about several', async () => {
  const [red, yellow] = [await raise('T-101', 'red'), await raise('T-102', 'yellow')]
  await send('many', [red, yellow])
  const { operator } = await house.tokens()
  await house.ask(`/api/v1/alarms/${encodeURIComponent(red)}/acknowledge`, operator, { payload: { note: 'seen' } })
  const path = new URL((carrier.ledger[0] as { ackUrl: string }).ackUrl).pathname
  const look = async (method: 'GET' | 'POST') => {
    const { body } = await house.ask(path, null, { method })
    return [/这次确认的是：(.*?)</.exec(body)?.[1], /确认人 (.*?)</.exec(body)?.[1], body.includes('<form')]
  }
  expect(await look('GET')).toEqual([' T-102 tank-level', undefined, true])
  expect(await look('POST')).toEqual([' T-102 tank-level', 'li', false])
  expect(await look('GET')).toEqual([' T-102 tank-level', 'li', false])
  expect([await by(red), await by(yellow)]).toEqual(['admin', 'li'])
})

it('an answer that is brought again, because taking it broke off in the middle, still means the alarm that it meant', async () => {
  const [red, yellow] = [await raise('T-101', 'red'), await raise('T-102', 'yellow')]
  await send('red', [red], { words: wordsOf('T-101') })
  await send('yellow', [yellow], { words: wordsOf('T-102'), tier: 'yellow' })
  const bring = () => house.parts.telling.answer('sms-main', { from: '13800000001', text: '1', providerId: 'mo-1' })
  const brokenOff = (before: () => Promise<void>) => {
    house.beforeAct = async () => {
      house.beforeAct = null
      await before()
      throw new Error('The connection broke.')
    }
  }
  brokenOff(async () => {})
  await expect(bring()).rejects.toThrow('The connection broke.')
  expect(await Promise.all([red, yellow].map(by))).toEqual([null, null])
  brokenOff(() => house.parts.submit.action({ id: red, action: 'acknowledge', note: 'by message: 1' }, 'li'))
  await expect(bring()).rejects.toThrow('The connection broke.')
  expect(await Promise.all([red, yellow].map(by))).toEqual(['li', null])
  expect(await bring()).toBe('acknowledged')
  expect(await bring()).toBeNull()
  expect(await Promise.all([red, yellow].map(by))).toEqual(['li', null])
  const answers = (await house.ask('/api/v1/answers', await house.token('operator'))).json().items
  expect(answers).toMatchObject([{ alarm: red, outcome: 'acknowledged', text: '1' }])
  const [back] = (await house.ask('/api/v1/notifications?person=li', await house.token('operator'))).json().items
  expect(back.text).toBe('已确认:T-101 储罐液位。还有1条未确认,再回复1确认下一条。')
})

it('the same words brought again before the first were taken, by a way that gives answers no id, are one answer', async () => {
  const [red, yellow] = [await raise('T-101', 'red'), await raise('T-102', 'yellow')]
  await send('red', [red], { words: wordsOf('T-101') })
  await send('yellow', [yellow], { words: wordsOf('T-102'), tier: 'yellow' })
  const { promise: journal, resolve: goOn } = Promise.withResolvers<void>()
  house.beforeAct = () => journal
  const bring = (text: string) => house.parts.telling.answer('sms-main', { from: '13800000001', text, providerId: null })
  const brought = [bring('1'), bring('1'), bring('?')]
  goOn()
  expect(await Promise.all(brought)).toEqual(['acknowledged', 'acknowledged', 'unknownText'])
  house.beforeAct = null
  expect(await Promise.all([red, yellow].map(by))).toEqual(['li', null])
  expect(await bring('1')).toBe('acknowledged')
  expect(await Promise.all([red, yellow].map(by))).toEqual(['li', 'li'])
})
