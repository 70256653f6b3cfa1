// Robots of group chats: DingTalk, Feishu, WeCom. They answer 200 with a code of their own; none knows an idempotency key.
// The address of a person is the number to mention in the group; anything else mentions nobody.

import { createHmac } from 'node:crypto'
import { type Answered, byBareStatus, byCode, type CodeMeaning, objectIn, textOf } from './answers.ts'
import type { OutgoingMessage, SendOutcome } from './channel.ts'
import { OverHttp } from './overHttp.ts'
import { phoneNumber } from './phone.ts'
import type { RobotSettings } from './settings.ts'
import { textWithAnswers } from './texts.ts'

/** How one vendor's robot is spoken to. */
interface Dialect {
  /** Longest text in bytes. */
  readonly bytes: number
  readonly request: (url: string, secret: string | null, now: number, text: string, mention: string | null) => { url: string; body: object }
  /** Its code in an answer; null where there is none. */
  readonly code: (body: Readonly<Record<string, unknown>>) => number | null
  readonly meaning: (code: number) => CodeMeaning
}

/** After the vendor: base64(HMAC-SHA256(secret, milliseconds + "\n" + secret)). */
export function dingtalkSignature(secret: string, timestamp: number): string {
  return createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64')
}

/** After the vendor: the text to sign is the key, and the message is empty. `timestamp` in seconds. */
export function feishuSignature(secret: string, timestamp: number): string {
  return createHmac('sha256', `${timestamp}\n${secret}`).digest('base64')
}

const dingtalk: Dialect = {
  bytes: 18_000,
  request: (url, secret, now, text, mention) => {
    const address = new URL(url)
    if (secret !== null) {
      address.searchParams.set('timestamp', String(now))
      address.searchParams.set('sign', dingtalkSignature(secret, now))
    }
    // A mention shows only where the text carries it.
    const content = mention === null ? text : `${text}\n@${mention}`
    return { url: address.href, body: { msgtype: 'text', text: { content }, at: { atMobiles: mention === null ? [] : [mention] } } }
  },
  code: ({ errcode }) => (typeof errcode === 'number' ? errcode : null),
  // -1 busy; 88 and 90030 call limits, 130101 and 410100 too fast (20 a minute; then silenced for 10 minutes).
  // Every refusal is about the robot (token, signature, keyword); a person is only mentioned.
  meaning: (code) => (code === -1 ? 'failed' : [88, 90018, 90030, 130101, 410100].includes(code) ? 'throttled' : 'refused')
}

const feishu: Dialect = {
  bytes: 18_000,
  request: (url, secret, now, text) => {
    const timestamp = Math.floor(now / 1000)
    const signed = secret === null ? {} : { timestamp: String(timestamp), sign: feishuSignature(secret, timestamp) }
    return { url, body: { ...signed, msg_type: 'text', content: { text } } }
  },
  code: ({ code, StatusCode }) => (typeof code === 'number' ? code : typeof StatusCode === 'number' ? StatusCode : null),
  // 9499 and 11232 too many requests (100 a minute, 5 a second).
  meaning: (code) => ([9499, 11232, 11233, 99991400].includes(code) ? 'throttled' : code === 19036 ? 'failed' : 'refused')
}

const wecom: Dialect = {
  bytes: 2_048,
  request: (url, _secret, _now, text, mention) => ({
    url,
    body: { msgtype: 'text', text: { content: text, mentioned_mobile_list: mention === null ? [] : [mention] } }
  }),
  code: ({ errcode }) => (typeof errcode === 'number' ? errcode : null),
  // -1 busy; 45009 called too often (20 a minute), 45033 too many at once.
  meaning: (code) => (code === -1 ? 'failed' : [45009, 45033].includes(code) ? 'throttled' : 'refused')
}

const DIALECTS: Readonly<Record<RobotSettings['kind'], Dialect>> = { dingtalk, feishu, wecom }

export class Robot extends OverHttp<RobotSettings> {
  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const dialect = DIALECTS[this.kind]
    const text = textWithAnswers(message, false, (whole) => Buffer.byteLength(whole) <= dialect.bytes)
    const mention = phoneNumber(message.to)?.replace(/^\+86/, '') ?? null
    const { url, secret } = this.settings
    const request = dialect.request(url.reveal(), secret?.reveal() ?? null, this.ground.clock.now(), text, mention)
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    const post = { url: request.url, headers, body: JSON.stringify(request.body), signal }
    return this.post(post, 'provider', (answer, now) => outcomeIn(answer, dialect, now))
  }
}

function outcomeIn(answer: Answered, dialect: Dialect, now: number): SendOutcome {
  const body = objectIn(answer.body)
  const code = body === null ? null : dialect.code(body)
  if (body === null || code === null) return byBareStatus(answer, now)
  if (code === 0) return { kind: 'accepted', providerId: null }
  return byCode(dialect.meaning(code), code, textOf(body.errmsg) || textOf(body.msg) || textOf(body.StatusMessage))
}
