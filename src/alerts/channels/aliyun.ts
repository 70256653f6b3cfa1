// Aliyun: SMS (dysmsapi SendSms) and voice (dyvmsapi SingleCallByTts), signed by ACS3-HMAC-SHA256. Aliyun knows no idempotency
// key: a try without an answer is doubtful. Its receipts are not signed; the secret in their path is all that proves them.

import { createHash, createHmac } from 'node:crypto'
import { secretText } from '../../platform/random.ts'
import {
  byBareStatus,
  byCode,
  type CodeMeaning,
  knowsSecret,
  NOT_PROVEN,
  objectIn,
  objectsIn,
  referenceOf,
  refused,
  textOf,
  withoutAnswer
} from './answers.ts'
import type { CallbackOutcome, Channel, ChannelAnswer, ChannelCallback, ChannelReceipt, OutgoingMessage, SendOutcome } from './channel.ts'
import type { ChannelGround } from './ground.ts'
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

abstract class AliyunChannel<Settings extends AliyunSettings> implements Channel {
  readonly id: string
  abstract readonly kind: 'sms' | 'voice'
  readonly perSecond: number | null
  readonly receipts: boolean
  readonly problem = null
  readonly callback: (callback: ChannelCallback) => CallbackOutcome
  protected readonly settings: Settings
  readonly #ground: ChannelGround

  constructor(settings: Settings, ground: ChannelGround) {
    this.settings = settings
    this.#ground = ground
    this.id = settings.id
    this.perSecond = settings.perSecond
    this.receipts = settings.callbackSecret !== null
    this.callback = (callback) => this.#read(callback)
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

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
    const { clock, outgoing } = this.#ground
    const url = new URL(this.settings.endpoint)
    const date = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const request = { method: 'POST', host: url.host, query, version: '2017-05-25', date, nonce: secretText(16), body: '' } as const
    const { accessKeyId, accessKeySecret } = this.settings
    const headers = acs3Headers({ ...request, action: this.action }, accessKeyId.reveal(), accessKeySecret.reveal())
    const answer = await outgoing.send({ method: 'POST', url: `${url.origin}/?${canonicalQuery(query)}`, headers, body: '', signal })
    const nothing = withoutAnswer(answer, 'provider')
    if (nothing !== null || answer.kind !== 'answer') return nothing as SendOutcome
    const body = objectIn(answer.body)
    const code = textOf(body?.Code)
    if (body === null || code === '') return byBareStatus(answer, clock.now())
    if (code === 'OK') return { kind: 'accepted', providerId: textOf(body[this.idKey]) || null }
    const meaning = MEANINGS.find(([pattern]) => pattern.test(code))?.[1] ?? 'refused'
    return byCode(meaning, code, textOf(body.Message))
  }

  protected abstract readonly action: string
  /** Where the answer names the message. */
  protected abstract readonly idKey: string
  protected abstract query(called: string, template: VendorTemplate, parameter: string): Record<string, string>
  protected abstract receiptIn(entry: Readonly<Record<string, unknown>>): ChannelReceipt | null
  protected abstract answerIn(entry: Readonly<Record<string, unknown>>): ChannelAnswer | null

  #read(callback: ChannelCallback): CallbackOutcome {
    if (!knowsSecret(callback, this.settings.callbackSecret)) return NOT_PROVEN
    const entries = objectsIn(Buffer.from(callback.body).toString('utf8')) ?? []
    return {
      kind: 'taken',
      receipts: entries.map((entry) => this.receiptIn(entry)).filter((receipt) => receipt !== null),
      answers: entries.map((entry) => this.answerIn(entry)).filter((answer) => answer !== null),
      // Anything but a 200 with a numeric code makes Aliyun push the same batch again.
      reply: { contentType: 'application/json', body: '{"code":0,"msg":"OK"}' }
    }
  }
}

export class AliyunSms extends AliyunChannel<AliyunSmsSettings> {
  readonly kind = 'sms'
  protected readonly action = 'SendSms'
  protected readonly idKey = 'BizId'

  protected query(called: string, template: VendorTemplate, parameter: string): Record<string, string> {
    return { PhoneNumbers: called, SignName: this.settings.signName, TemplateCode: template.code, TemplateParam: parameter }
  }

  /** SmsReport. */
  protected receiptIn({ biz_id, success, err_code, err_msg }: Readonly<Record<string, unknown>>): ChannelReceipt | null {
    const providerId = textOf(biz_id)
    if (providerId === '' || success === undefined) return null
    if (success === true || success === 'true') return { providerId, state: 'delivered', problem: null }
    return { providerId, state: 'failed', problem: `not delivered: ${textOf(err_code)} ${textOf(err_msg)}`.trim() }
  }

  /** SmsUp: a reply. */
  protected answerIn({ phone_number, content, sequence_id, biz_id }: Readonly<Record<string, unknown>>): ChannelAnswer | null {
    if (typeof content !== 'string' || textOf(phone_number) === '' || biz_id !== undefined) return null
    return { from: carrierNumber(textOf(phone_number)), text: content, providerId: textOf(sequence_id) || null }
  }
}

/** Ended as it should, after the vendor's list of call states: listened to. */
const HEARD = /^200(000|010)$/

export class AliyunVoice extends AliyunChannel<AliyunVoiceSettings> {
  readonly kind = 'voice'
  protected readonly action = 'SingleCallByTts'
  protected readonly idKey = 'CallId'

  protected query(called: string, template: VendorTemplate, parameter: string): Record<string, string> {
    const { showNumber, playTimes } = this.settings
    const shown: Record<string, string> = showNumber === null ? {} : { CalledShowNumber: showNumber }
    return { ...shown, CalledNumber: called, TtsCode: template.code, TtsParam: parameter, PlayTimes: String(playTimes) }
  }

  /** VoiceReport: how the call ended. */
  protected receiptIn({ call_id, status_code, status_msg, duration }: Readonly<Record<string, unknown>>): ChannelReceipt | null {
    const providerId = textOf(call_id)
    const status = textOf(status_code)
    // 300000: a key was pressed; the call goes on.
    if (providerId === '' || status === '' || status === '300000') return null
    // Picked up: 200000 with a duration; a call of no length was not.
    if (HEARD.test(status) && Number(duration ?? 1) > 0) return { providerId, state: 'delivered', problem: null }
    return { providerId, state: 'failed', problem: `the call was not answered: ${status} ${textOf(status_msg)}`.trim() }
  }

  protected answerIn({ dtmf, callee, called, call_id }: Readonly<Record<string, unknown>>): ChannelAnswer | null {
    const from = textOf(callee) || textOf(called)
    if (textOf(dtmf) === '' || from === '') return null
    return { from: carrierNumber(from), text: textOf(dtmf), providerId: textOf(call_id) || null }
  }
}
