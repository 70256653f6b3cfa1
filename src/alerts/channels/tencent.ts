// Tencent Cloud SMS (2021-01-11 SendSms), signed by TC3-HMAC-SHA256. Variables go by their place in the template. Receipts and
// replies are not signed; the secret in their path is all that proves them.

import { createHash, createHmac } from 'node:crypto'
import { byBareStatus, byCode, type CodeMeaning, type Entry, objectIn, pushed, referenceOf, refused, textOf } from './answers.ts'
import type { CallbackOutcome, ChannelAnswer, ChannelCallback, ChannelReceipt, OutgoingMessage, SendOutcome } from './channel.ts'
import { OverHttp } from './overHttp.ts'
import { carrierNumber, phoneNumber } from './phone.ts'
import type { TencentSmsSettings } from './settings.ts'
import { templateFor, valuesFor } from './texts.ts'

/** What is signed of a POST of JSON to `/`. */
export interface Tc3Request {
  readonly service: string
  readonly host: string
  readonly contentType: string
  readonly body: string
  /** Epoch seconds. */
  readonly timestamp: number
}

/** The Authorization header. */
export function tc3Authorization(request: Tc3Request, secretId: string, secretKey: string): string {
  const { service, host, contentType, body, timestamp } = request
  const date = new Date(timestamp * 1000).toISOString().slice(0, 10)
  const headers = `content-type:${contentType}\nhost:${host}\n`
  const signedHeaders = 'content-type;host'
  const canonical = ['POST', '/', '', headers, signedHeaders, sha256(body)].join('\n')
  const scope = `${date}/${service}/tc3_request`
  const key = hmac(hmac(hmac(`TC3${secretKey}`, date), service), 'tc3_request')
  const signature = hmac(key, ['TC3-HMAC-SHA256', timestamp, scope, sha256(canonical)].join('\n')).toString('hex')
  return `TC3-HMAC-SHA256 Credential=${secretId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** After Tencent's list; every other code is about the account, the signature or the template: another provider may take it. */
const MEANINGS: readonly (readonly [RegExp, CodeMeaning])[] = [
  [
    /^(InvalidParameterValue\.IncorrectPhoneNumber|FailedOperation\.(PhoneNumber(In|On)Blacklist|PhoneNumberParseFail|\w*Unsubscri\w*))/,
    'badRecipient'
  ],
  // Hours or days: too late for an alarm.
  [/^LimitExceeded\.\w*(Daily|OneHour|Blacklist)/, 'refused'],
  [/^(LimitExceeded|RequestLimitExceeded)/, 'throttled'],
  [/^(InternalError|ServiceUnavailable|FailedOperation\.FailResolvePacket|AuthFailure\.SignatureExpire)/, 'failed']
]

const CONTENT_TYPE = 'application/json; charset=utf-8'

export class TencentSms extends OverHttp<TencentSmsSettings> {
  override get receipts(): boolean {
    return this.settings.callbackSecret !== null
  }

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const { settings } = this
    const number = phoneNumber(message.to)
    if (number === null) return refused('the address is not a phone number', 'recipient')
    const template = templateFor(settings.templates, message)
    if (template === null) return refused(`no template of channel ${this.id} serves ${message.reason}`, 'provider')
    const body = JSON.stringify({
      PhoneNumberSet: [number],
      SmsSdkAppId: settings.appId,
      SignName: settings.signName,
      TemplateId: template.code,
      TemplateParamSet: valuesFor(template, message, settings.variableLength).map(({ value }) => value),
      SessionContext: referenceOf(message.id)
    })
    const url = new URL(settings.endpoint)
    const timestamp = Math.floor(this.ground.clock.now() / 1000)
    // The port is not signed, as in the vendor's SDK.
    const request = { service: 'sms', host: url.hostname, contentType: CONTENT_TYPE, body, timestamp }
    const headers = {
      host: url.host,
      'content-type': CONTENT_TYPE,
      'x-tc-action': 'SendSms',
      'x-tc-version': '2021-01-11',
      'x-tc-region': settings.region,
      'x-tc-timestamp': String(timestamp),
      authorization: tc3Authorization(request, settings.secretId.reveal(), settings.secretKey.reveal())
    }
    const post = { url: `${url.origin}/`, headers, body, signal }
    return this.post(post, 'provider', (answer, now) => outcomeIn(answer.body) ?? byBareStatus(answer, now))
  }

  callback(callback: ChannelCallback): CallbackOutcome {
    return pushed(callback, this.settings.callbackSecret, receiptIn, answerIn, '{"result":0,"errmsg":"OK"}')
  }
}

function outcomeIn(body: string): SendOutcome | null {
  const response = objectIn(body)?.Response
  if (typeof response !== 'object' || response === null) return null
  const { Error: error, SendStatusSet: statuses } = response as Entry
  const [status] = Array.isArray(statuses) ? statuses : []
  const { Code: code, Message: text, SerialNo: serial } = ((error ?? status) || {}) as Entry
  if (typeof code !== 'string') return null
  if (error === undefined && code === 'Ok') return { kind: 'accepted', providerId: textOf(serial) || null }
  return byCode(MEANINGS.find(([pattern]) => pattern.test(code))?.[1] ?? 'refused', code, textOf(text))
}

function receiptIn({ sid, report_status, errmsg, description }: Entry): ChannelReceipt | null {
  const providerId = textOf(sid)
  if (providerId === '' || (report_status !== 'SUCCESS' && report_status !== 'FAIL')) return null
  if (report_status === 'SUCCESS') return { providerId, state: 'delivered', problem: null }
  return { providerId, state: 'failed', problem: `not delivered: ${textOf(errmsg)} ${textOf(description)}`.trim() }
}

function answerIn({ mobile, nationcode, text, sid, time }: Entry): ChannelAnswer | null {
  if (typeof text !== 'string' || textOf(mobile) === '' || sid !== undefined) return null
  const nation = textOf(nationcode)
  const from = nation === '' ? carrierNumber(textOf(mobile)) : `+${nation}${textOf(mobile).replace(/^\+/, '')}`
  // No id of its own: the same person, instant and text is the same reply pushed again.
  return { from, text, providerId: textOf(time) === '' ? null : `${from}/${textOf(time)}/${text.slice(0, 32)}` }
}
