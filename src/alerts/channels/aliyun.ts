// Aliyun: SMS (dysmsapi SendSms) and voice (dyvmsapi SingleCallByTts), signed by ACS3-HMAC-SHA256. Aliyun knows no idempotency
// key: a try without an answer is doubtful. Its receipts are not signed; the secret in their path is all that proves them.

import { createHash, createHmac } from 'node:crypto'
import { secretText } from '../../platform/random.ts'
import {
  type Answered,
  byBareStatus,
  byCode,
  type CodeMeaning,
  type Entry,
  objectIn,
  pushed,
  referenceOf,
  refused,
  textOf
} from './answers.ts'
import type { CallbackOutcome, ChannelAnswer, ChannelCallback, ChannelReceipt, OutgoingMessage, SendOutcome } from './channel.ts'
import { OverHttp } from './overHttp.ts'
import { carrierNumber, phoneNumber } from './phone.ts'
import type { AliyunSmsSettings, AliyunVoiceSettings, VendorTemplate } from './settings.ts'
import { templateFor, valuesFor } from './texts.ts'

/** What is signed of a request. `query` is given unencoded. */
export interface Acs3Request {
  readonly method: 'POST'
  readonly host: string
  readonly query: Readonly<Record<string, string>>
  readonly action: string
  readonly version: string
  /** `2023-10-26T10:22:32Z`. */
  readonly date: string
  readonly nonce: string
  readonly body: string
}

/** The headers of a signed request, `host` among them. */
export function acs3Headers(request: Acs3Request, keyId: string, keySecret: string): Record<string, string> {
  const bodyHash = sha256(request.body)
  const headers: Record<string, string> = {
    host: request.host,
    'x-acs-action': request.action,
    'x-acs-content-sha256': bodyHash,
    'x-acs-date': request.date,
    'x-acs-signature-nonce': request.nonce,
    'x-acs-version': request.version
  }
  const names = Object.keys(headers).sort()
  const lines = names.map((name) => `${name}:${headers[name]?.trim()}\n`).join('')
  const canonical = [request.method, '/', canonicalQuery(request.query), lines, names.join(';'), bodyHash].join('\n')
  const signature = createHmac('sha256', keySecret)
    .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
    .digest('hex')
  const authorization = `ACS3-HMAC-SHA256 Credential=${keyId},SignedHeaders=${names.join(';')},Signature=${signature}`
  return { ...headers, authorization }
}

/** Sorted by name, encoded after RFC 3986. */
export function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${encoded(name)}=${encoded(query[name] as string)}`)
    .join('&')
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** After Aliyun's lists of error codes; every other one is about the account, the signature or the template: another provider may take it. */
const MEANINGS: readonly (readonly [RegExp, CodeMeaning])[] = [
  [/^(Throttling|isv\.BUSINESS_LIMIT_CONTROL|isv\.MOBILE_COUNT_OVER_LIMIT|FlowLimit)/, 'throttled'],
  [/^isv\.(MOBILE_NUMBER_ILLEGAL|CALLED_NUMBER_ILLEGAL|\w*BLACK_?LIST\w*|\w*UNSUBSCRI\w*)/, 'badRecipient'],
  [/^(isp\.(SYSTEM_ERROR|UNKNOWN_ERR_CODE|GATEWAY_ERROR)|ServiceUnavailable|InternalError|SystemError|UnknownError)/i, 'failed'],
  // The day's clock is set right by people.
  [/^(InvalidTimeStamp|SignatureNonceUsed)/, 'failed']
]

type AliyunSettings = AliyunSmsSettings | AliyunVoiceSettings

abstract class AliyunChannel<Settings extends AliyunSettings> extends OverHttp<Settings> {
  override get receipts(): boolean {
    return this.settings.callbackSecret !== null
  }

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const number = phoneNumber(message.to)
    if (number === null) return refused('the address is not a phone number', 'recipient')
    const template = templateFor(this.settings.templates, message)
    if (template === null) return refused(`no template of channel ${this.id} serves ${message.reason}`, 'provider')
    const values = valuesFor(template, message, this.settings.variableLength, this.kind === 'voice')
    // Domestic numbers without their country, foreign ones without `+`.
    const called = number.replace(/^\+(86(?=1\d{10}$))?/, '').replace(/^86/, '0')
    const parameter = JSON.stringify(Object.fromEntries(values.map(({ name, value }) => [name, value])))
    const query = { ...this.query(called, template, parameter), OutId: referenceOf(message.id) }
    const url = new URL(this.settings.endpoint)
    const date = new Date(this.ground.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const request = { method: 'POST', host: url.host, query, version: '2017-05-25', date, nonce: secretText(16), body: '' } as const
    const { accessKeyId, accessKeySecret } = this.settings
    const headers = acs3Headers({ ...request, action: this.action }, accessKeyId.reveal(), accessKeySecret.reveal())
    const post = { url: `${url.origin}/?${canonicalQuery(query)}`, headers, body: '', signal }
    return this.post(post, 'provider', (answer, now) => this.#outcomeIn(answer, now))
  }

  callback(callback: ChannelCallback): CallbackOutcome {
    const receiptIn = (entry: Entry) => this.receiptIn(entry)
    // Anything but a 200 with a numeric code makes Aliyun push the same batch again.
    return pushed(callback, this.settings.callbackSecret, receiptIn, (entry) => this.answerIn(entry), '{"code":0,"msg":"OK"}')
  }

  #outcomeIn(answer: Answered, now: number): SendOutcome {
    const body = objectIn(answer.body)
    const code = textOf(body?.Code)
    if (body === null || code === '') return byBareStatus(answer, now)
    if (code === 'OK') return { kind: 'accepted', providerId: textOf(body[this.idKey]) || null }
    const meaning = MEANINGS.find(([pattern]) => pattern.test(code))?.[1] ?? 'refused'
    return byCode(meaning, code, textOf(body.Message))
  }

  protected abstract readonly action: string
  /** Where the answer names the message. */
  protected abstract readonly idKey: string
  protected abstract query(called: string, template: VendorTemplate, parameter: string): Record<string, string>
  protected abstract receiptIn(entry: Entry): ChannelReceipt | null
  protected abstract answerIn(entry: Entry): ChannelAnswer | null
}

export class AliyunSms extends AliyunChannel<AliyunSmsSettings> {
  protected readonly action = 'SendSms'
  protected readonly idKey = 'BizId'

  protected query(called: string, template: VendorTemplate, parameter: string): Record<string, string> {
    return { PhoneNumbers: called, SignName: this.settings.signName, TemplateCode: template.code, TemplateParam: parameter }
  }

  /** SmsReport. */
  protected receiptIn({ biz_id, success, err_code, err_msg }: Entry): ChannelReceipt | null {
    const providerId = textOf(biz_id)
    if (providerId === '' || success === undefined) return null
    if (success === true || success === 'true') return { providerId, state: 'delivered', problem: null }
    return { providerId, state: 'failed', problem: `not delivered: ${textOf(err_code)} ${textOf(err_msg)}`.trim() }
  }

  /** SmsUp: a reply. */
  protected answerIn({ phone_number, content, sequence_id, biz_id }: Entry): ChannelAnswer | null {
    if (typeof content !== 'string' || textOf(phone_number) === '' || biz_id !== undefined) return null
    return { from: carrierNumber(textOf(phone_number)), text: content, providerId: textOf(sequence_id) || null }
  }
}

/** After the vendor's list of call states: listened to, to the end. */
const HEARD = '200000'
/** A call that goes on: begun, ringing, picked up, hung up, a key pressed. How it ended is said apart. */
const UNDER_WAY = new Set(['200101', '200201', '200102', '200100', '300000'])

export class AliyunVoice extends AliyunChannel<AliyunVoiceSettings> {
  protected readonly action = 'SingleCallByTts'
  protected readonly idKey = 'CallId'

  protected query(called: string, template: VendorTemplate, parameter: string): Record<string, string> {
    const { showNumber, playTimes } = this.settings
    const shown: Record<string, string> = showNumber === null ? {} : { CalledShowNumber: showNumber }
    return { ...shown, CalledNumber: called, TtsCode: template.code, TtsParam: parameter, PlayTimes: String(playTimes) }
  }

  /** VoiceReport, how the call ended; VoiceCallReport, where it stands, says nothing yet. */
  protected receiptIn({ call_id, status_code, status_msg, duration }: Entry): ChannelReceipt | null {
    const providerId = textOf(call_id)
    const status = textOf(status_code)
    if (providerId === '' || status === '' || UNDER_WAY.has(status)) return null
    // A call of no length was not picked up.
    if (status === HEARD && Number(duration ?? 1) > 0) return { providerId, state: 'delivered', problem: null }
    return { providerId, state: 'failed', problem: `the call was not heard to its end: ${status} ${textOf(status_msg)}`.trim() }
  }

  protected answerIn({ dtmf, callee, called, call_id }: Entry): ChannelAnswer | null {
    const from = textOf(callee) || textOf(called)
    if (textOf(dtmf) === '' || from === '') return null
    return { from: carrierNumber(from), text: textOf(dtmf), providerId: textOf(call_id) || null }
  }
}
