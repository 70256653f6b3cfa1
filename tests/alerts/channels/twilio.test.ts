// Twilio: what its SDK sends to the same server, and its own check of callback signatures.

import twilio from 'twilio'
import { expect, test } from 'vitest'
import type { TwilioSmsSettings } from '../../../src/alerts/channels/settings.ts'
import { TwilioSms } from '../../../src/alerts/channels/twilio.ts'
import { Secret } from '../../../src/platform/secret.ts'
import { endpoint, GO_ON, groundOf, kindOf, MESSAGE } from './yard.ts'

const SID = `AC${'0'.repeat(32)}`
const CALLBACK = 'https://alarms.example.com/api/v1/callbacks/sms-twilio'

const settings = (url: string): TwilioSmsSettings => ({
  id: 'sms-twilio',
  kind: 'sms',
  provider: 'twilio',
  perSecond: 1,
  accountSid: SID,
  authToken: new Secret('12345'),
  from: '+15005550006',
  endpoint: url,
  callbackUrl: CALLBACK,
  maxLength: 500
})

test("the vendor's SDK and our request say the same to the same server", async () => {
  const server = await endpoint()
  server.answer = { status: 201, body: '{"sid":"SM1","status":"queued","error_code":null}' }
  const text = `${MESSAGE.text}\n回复1确认`
  // The SDK knows one host only; its request is sent where ours goes.
  const httpClient = {
    request: async (options: { method: string; uri: string; username: string; password: string; data: Record<string, string> }) => {
      const body = new URLSearchParams(options.data).toString()
      const authorization = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`
      const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
      await fetch(options.uri.replace('https://api.twilio.com', server.url), { method: options.method, body, headers })
      return { statusCode: 201, body: { sid: 'SM1' } }
    }
  }
  const client = twilio(SID, '12345', { httpClient: httpClient as never })
  await client.messages.create({ to: '+8613800000001', from: '+15005550006', body: text, statusCallback: CALLBACK })
  const outcome = await new TwilioSms(settings(server.url), groundOf()).send(MESSAGE, GO_ON)
  expect(outcome).toEqual({ kind: 'accepted', providerId: 'SM1' })
  const said = server.arrived.map(({ method, path, headers, body }) => ({
    method,
    path,
    authorization: headers.authorization,
    form: Object.fromEntries(new URLSearchParams(body))
  }))
  expect(said[1]).toEqual(said[0])
})

test('what is too long is cut before the link, which is whole or left out', async () => {
  const server = await endpoint()
  server.answer = { status: 201, body: '{"sid":"SM1"}' }
  const link = { ...MESSAGE, text: '罐'.repeat(200), ackUrl: `https://alarms.example.com/a/${'k'.repeat(36)}` }
  for (const maxLength of [160, 70]) await new TwilioSms({ ...settings(server.url), maxLength }, groundOf()).send(link, GO_ON)
  const [whole, short] = server.arrived.map(({ body }) => new URLSearchParams(body).get('Body'))
  const answers = `…\n确认：${link.ackUrl}\n回复1确认`
  expect(whole).toBe('罐'.repeat(160 - answers.length) + answers)
  expect(short).toBe(`${'罐'.repeat(63)}…\n回复1确认`)
})

test.each([
  [400, '{"code":21211,"message":"The To number is not valid","status":400}', 'refused: recipient', undefined],
  [400, '{"code":21610,"message":"unsubscribed","status":400}', 'refused: recipient', undefined],
  [400, '{"code":21408,"message":"region","status":400}', 'refused: provider', undefined],
  [429, '{"code":20429,"message":"Too many requests","status":429}', 'failed', 10_000],
  [500, '{"code":20500,"message":"Internal","status":500}', 'failed', null],
  [401, '{"code":20003,"message":"Authenticate","status":401}', 'refused: provider', undefined],
  [201, 'garbage', 'doubtful', undefined],
  [502, '<html>', 'doubtful', undefined]
])('%i %s', async (status, body, kind, retryAfterMs) => {
  const server = await endpoint()
  server.answer = { status, body }
  const outcome = await new TwilioSms(settings(server.url), groundOf()).send(MESSAGE, GO_ON)
  expect([kindOf(outcome), (outcome as { retryAfterMs?: number | null }).retryAfterMs]).toEqual([kind, retryAfterMs])
})

/** As Twilio would send it: signed by Twilio's own library. */
function signed(form: Record<string, string>, query = '', token = '12345', address = CALLBACK) {
  const signature = twilio.getExpectedTwilioSignature(token, address + query, form)
  return {
    method: 'POST',
    url: `/api/v1/callbacks/sms-twilio${query}`,
    headers: { 'x-twilio-signature': signature },
    body: Buffer.from(new URLSearchParams(form).toString())
  }
}

test("a port of the callback's address is signed or not, as the vendor's own library allows for", () => {
  const form = { MessageSid: 'SM1', MessageStatus: 'delivered' }
  const [host, path] = ['https://alarms.example.com', '/api/v1/callbacks/sms-twilio']
  for (const [callbackUrl, spellings] of [
    [`${host}:8443${path}`, [`${host}:8443${path}`, `${host}${path}`]],
    [`${host}${path}`, [`${host}:443${path}`, `${host}${path}`]],
    [`https://[2001:db8::1]:8443${path}`, [`https://[2001:db8::1]:8443${path}`, `https://[2001:db8::1]${path}`]]
  ] as const) {
    const channel = new TwilioSms({ ...settings('https://api.twilio.com'), callbackUrl }, groundOf())
    for (const address of spellings) {
      const callback = signed(form, '?a=1', '12345', address)
      expect(twilio.validateRequest('12345', callback.headers['x-twilio-signature'], `${callbackUrl}?a=1`, form)).toBe(true)
      expect(channel.callback(callback).kind).toBe('taken')
    }
    expect(channel.callback(signed(form, '', '12345', `${host}:9999${path}`)).kind).toBe('refused')
  }
})

test("receipts and replies, signed by the vendor's own library", () => {
  const channel = new TwilioSms(settings('https://api.twilio.com'), groundOf())
  const receipt = (MessageStatus: string) =>
    channel.callback(signed({ MessageSid: 'SM1', MessageStatus, To: '+8613800000001', ErrorCode: '' }))
  expect(receipt('delivered')).toEqual({
    kind: 'taken',
    receipts: [{ providerId: 'SM1', state: 'delivered', problem: null }],
    answers: [],
    reply: { contentType: 'text/xml', body: '<Response/>' }
  })
  expect(receipt('undelivered')).toMatchObject({ receipts: [{ state: 'failed', problem: 'not delivered: undelivered' }] })
  expect(receipt('sent')).toMatchObject({ receipts: [] })
  const reply = { MessageSid: 'SM9', From: '+8613800000001', To: '+15005550006', Body: '确认 & 前往' }
  expect(channel.callback(signed(reply, '?a=1&b=2'))).toMatchObject({
    answers: [{ from: '+8613800000001', text: '确认 & 前往', providerId: 'SM9' }]
  })
  expect(channel.callback(signed(reply, '', 'other token')).kind).toBe('refused')
  const changed = signed(reply)
  expect(channel.callback({ ...changed, body: Buffer.from('From=%2B8613900000009&Body=1&MessageSid=SM9') }).kind).toBe('refused')
  expect(channel.callback({ ...changed, headers: {} }).kind).toBe('refused')
})
