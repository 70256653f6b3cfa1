// Webhooks: verified by the reference library of Standard Webhooks; every answer is an outcome.

import { Webhook as Verifier } from 'standardwebhooks'
import { expect, test } from 'vitest'
import type { WebhookSettings } from '../../../src/alerts/channels/settings.ts'
import { Webhook, webhookHeaders } from '../../../src/alerts/channels/webhook.ts'
import { Secret } from '../../../src/platform/secret.ts'
import { endpoint, GO_ON, groundOf, kindOf, MESSAGE } from './yard.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const SETTINGS: WebhookSettings = { id: 'hook', kind: 'webhook', provider: 'standard', perSecond: null, secret: new Secret(SECRET) }
const BODY = { type: 'alarm.raised', at: '2026-01-01T00:00:05.000Z', alarm: { id: 'tank-level/T-101#1767225605000' }, text: MESSAGE.text }

test('the signature of the specification', () => {
  const headers = webhookHeaders(new Secret(SECRET), 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}')
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('the reference library verifies it, under the same id at every try', async () => {
  const server = await endpoint()
  const channel = new Webhook(SETTINGS, groundOf())
  const message = { ...MESSAGE, to: `${server.url}/hook?a=b`, body: BODY }
  const accepted = { kind: 'accepted', providerId: MESSAGE.id }
  expect([await channel.send(message, GO_ON), await channel.send(message, GO_ON)]).toEqual([accepted, accepted])
  for (const { headers, body, path } of server.arrived) {
    expect(new Verifier(SECRET).verify(body, headers as Record<string, string>)).toEqual(BODY)
    expect([path, headers['webhook-id']]).toEqual(['/hook?a=b', MESSAGE.id])
    expect(() => new Verifier('whsec_AAAA').verify(body, headers as Record<string, string>)).toThrow()
  }
})

test.each([
  [204, {}, 'accepted', undefined],
  [301, { location: 'https://example.com' }, 'refused: recipient', undefined],
  [410, {}, 'refused: recipient', undefined],
  [401, {}, 'refused: provider', undefined],
  [404, {}, 'refused: recipient', undefined],
  [429, { 'retry-after': '7' }, 'failed', 7_000],
  [429, {}, 'failed', 10_000],
  [503, { 'retry-after': '999999999' }, 'failed', 3_600_000],
  [500, {}, 'failed', null]
])('%i %o', async (status, headers, kind, retryAfterMs) => {
  const server = await endpoint()
  server.answer = { status, headers, body: status === 204 ? '' : 'x'.repeat(5_000) }
  const outcome = await new Webhook(SETTINGS, groundOf()).send({ ...MESSAGE, to: server.url }, GO_ON)
  expect([kindOf(outcome), (outcome as { retryAfterMs?: number | null }).retryAfterMs]).toEqual([kind, retryAfterMs])
  expect(JSON.stringify(outcome).length).toBeLessThan(400)
})

test('a private host is refused for good; silence after sending may be tried again, since the id tells a repeat', async () => {
  const server = await endpoint()
  const message = { ...MESSAGE, to: server.url }
  const refused = await new Webhook(SETTINGS, groundOf({ allowPrivate: [] })).send(message, GO_ON)
  expect(refused).toEqual({ kind: 'refused', about: 'recipient', problem: expect.stringContaining('127.0.0.1 is not a public address') })
  server.answer = (response) => void response.socket?.resetAndDestroy()
  expect((await new Webhook(SETTINGS, groundOf()).send(message, GO_ON)).kind).toBe('failed')
  expect((await new Webhook(SETTINGS, groundOf()).send({ ...MESSAGE, to: 'not a url' }, GO_ON)).kind).toBe('refused')
})
