// Robots of group chats: signatures against published values and OpenSSL, to a server that keeps what arrived.

import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { dingtalkSignature, feishuSignature, Robot } from '../../../src/alerts/channels/robots.ts'
import type { RobotSettings } from '../../../src/alerts/channels/settings.ts'
import { ManualClock } from '../../../src/platform/clock.ts'
import { Secret } from '../../../src/platform/secret.ts'
import { endpoint, GO_ON, groundOf, kindOf, MESSAGE } from './yard.ts'

const NOW = 1_599_360_473_123

function robot(kind: RobotSettings['kind'], url: string, secret: string | null = 'SEC1'): Robot {
  const settings: RobotSettings = {
    id: kind,
    kind,
    provider: 'robot',
    perSecond: null,
    url: new Secret(url),
    secret: secret === null ? null : new Secret(secret)
  }
  return new Robot(settings, groundOf({ clock: new ManualClock(NOW) }))
}

test("kind: 'dingtalk' signs time and secret in the address, and mentions by number", async () => {
  const server = await endpoint()
  server.answer = { status: 200, body: '{"errcode":0,"errmsg":"ok"}' }
  const channel = robot('dingtalk', `${server.url}/robot/send?access_token=t`)
  expect(await channel.send({ ...MESSAGE, ackUrl: 'https://a.example.com/k/abc' }, GO_ON)).toEqual({ kind: 'accepted', providerId: null })
  const [arrived] = server.arrived
  const query = new URLSearchParams(arrived?.path.split('?')[1])
  expect([query.get('access_token'), query.get('timestamp')]).toEqual(['t', String(NOW)])
  expect(query.get('sign')).toBe(opensslHmac('SEC1', `${NOW}\nSEC1`))
  expect(JSON.parse(arrived?.body ?? '')).toEqual({
    msgtype: 'text',
    text: { content: `${MESSAGE.text}\n确认：https://a.example.com/k/abc\n@13800000001` },
    at: { atMobiles: ['13800000001'] }
  })
})

test("kind: 'feishu' signs in the body, with the text as key and nothing signed", async () => {
  const server = await endpoint()
  server.answer = { status: 200, body: '{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}' }
  expect((await robot('feishu', `${server.url}/open-apis/bot/v2/hook/x`).send(MESSAGE, GO_ON)).kind).toBe('accepted')
  const seconds = Math.floor(NOW / 1000)
  expect(JSON.parse(server.arrived[0]?.body ?? '')).toEqual({
    timestamp: String(seconds),
    sign: opensslHmac(`${seconds}\nSEC1`, ''),
    msg_type: 'text',
    content: { text: MESSAGE.text }
  })
})

test("kind: 'wecom' takes 2048 bytes, cut between characters", async () => {
  const server = await endpoint()
  server.answer = { status: 200, body: '{"errcode":0,"errmsg":"ok"}' }
  const channel = robot('wecom', `${server.url}/cgi-bin/webhook/send?key=k`, null)
  expect((await channel.send({ ...MESSAGE, to: 'group', text: '罐'.repeat(1000) }, GO_ON)).kind).toBe('accepted')
  const { text } = JSON.parse(server.arrived[0]?.body ?? '')
  expect(text).toEqual({ content: `${'罐'.repeat(681)}…`, mentioned_mobile_list: [] })
  expect(Buffer.byteLength(text.content)).toBeLessThanOrEqual(2048)
})

/** What OpenSSL says: HMAC-SHA256 of `text` with `key`. */
function opensslHmac(key: string, text: string): string {
  return execFileSync('openssl', ['dgst', '-sha256', '-hmac', key, '-binary'], { input: text }).toString('base64')
}

test('signatures are those that others publish for the same input, and those of OpenSSL', () => {
  // The secret of DingTalk's documentation with the value that implementations of others are tested by.
  const dingtalk = 'hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM='
  expect([dingtalkSignature('this is secret', 1577262236757), opensslHmac('this is secret', '1577262236757\nthis is secret')]).toEqual([
    ...[dingtalk, dingtalk]
  ])
  // By which libraries for Feishu are tested.
  const feishu = 'QnWVTSBe6FmQDE0bG6X0mURbI+DnvVyu1h+j5dHOjrU='
  expect([feishuSignature('xxx', 1661860880), opensslHmac('1661860880\nxxx', '')]).toEqual([feishu, feishu])
})

test.each([
  ['dingtalk', '{"errcode":130101,"errmsg":"send too fast"}', 'failed', 10_000],
  ['dingtalk', '{"errcode":310000,"errmsg":"keywords not in content"}', 'refused: provider', undefined],
  ['dingtalk', '{"errcode":-1,"errmsg":"busy"}', 'failed', null],
  ['feishu', '{"code":9499,"msg":"too many request"}', 'failed', 10_000],
  [
    'feishu',
    '{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}',
    'refused: provider',
    undefined
  ],
  ['wecom', '{"errcode":45009,"errmsg":"api freq out of limit"}', 'failed', 10_000],
  ['wecom', '{"errcode":93000,"errmsg":"invalid webhook url"}', 'refused: provider', undefined],
  ['wecom', 'garbage', 'doubtful', undefined],
  ['feishu', '{}', 'doubtful', undefined]
] as const)('%s answers 200 with %s', async (kind, body, outcomeKind, retryAfterMs) => {
  const server = await endpoint()
  server.answer = { status: 200, body }
  const outcome = await robot(kind, server.url).send(MESSAGE, GO_ON)
  expect([kindOf(outcome), (outcome as { retryAfterMs?: number | null }).retryAfterMs]).toEqual([outcomeKind, retryAfterMs])
})
