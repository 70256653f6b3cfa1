// Twilio programmable messaging: basic auth, form in, JSON out. Its callbacks are signed over address and form (X-Twilio-Signature).

import { createHmac } from 'node:crypto'
import { Secret } from '../../platform/secret.ts'
import { type Answered, byBareStatus, byCode, type CodeMeaning, NOT_PROVEN, objectIn, refused, textOf } from './answers.ts'
import type { CallbackOutcome, ChannelAnswer, ChannelCallback, ChannelReceipt, OutgoingMessage, SendOutcome } from './channel.ts'
import { OverHttp } from './overHttp.ts'
import { carrierNumber, phoneNumber } from './phone.ts'
import type { TwilioSmsSettings } from './settings.ts'
import { textWithAnswers } from './texts.ts'

/** Error codes; every other 4xx is about the account or the sender: another provider may take it. */
const MEANINGS: Readonly<Record<string, CodeMeaning>> = {
  20429: 'throttled', // too many requests
  14107: 'throttled', // message rate exceeded
  21611: 'throttled', // queue of this sender is full
  30001: 'throttled', // queue overflow
  20500: 'failed',
  20503: 'failed',
  21211: 'badRecipient', // no valid number
  21217: 'badRecipient', // no valid number
  21610: 'badRecipient', // has unsubscribed by STOP
  21614: 'badRecipient', // not a mobile number
  30004: 'badRecipient', // blocks messages
  30005: 'badRecipient', // unknown or no longer in service
  30006: 'badRecipient' // a landline
}

const DELIVERED = new Set(['delivered', 'read'])
const FAILED = new Set(['failed', 'undelivered', 'canceled'])

/** base64(HMAC-SHA1(token, address + each form field's name and value, sorted by name)). */
export function twilioSignature(token: string, url: string, form: URLSearchParams): string {
  const fields = [...new Set(form.keys())].sort().flatMap((name) => [...new Set(form.getAll(name))].sort().map((value) => name + value))
  return createHmac('sha1', token)
    .update(url + fields.join(''))
    .digest('base64')
}

export class TwilioSms extends OverHttp<TwilioSmsSettings> {
  override get receipts(): boolean {
    return this.settings.callbackUrl !== null
  }

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const number = phoneNumber(message.to)
    if (number === null) return refused('the address is not a phone number', 'recipient')
    const { accountSid, authToken, from, endpoint, callbackUrl, maxLength } = this.settings
    const body = textWithAnswers(message, callbackUrl !== null, (text) => text.length <= maxLength)
    const form = new URLSearchParams({ To: number, Body: body })
    form.set(from.startsWith('MG') ? 'MessagingServiceSid' : 'From', from)
    if (callbackUrl !== null) form.set('StatusCallback', callbackUrl)
    const headers = {
      authorization: `Basic ${Buffer.from(`${accountSid}:${authToken.reveal()}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json'
    }
    const url = `${new URL(endpoint).origin}/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/Messages.json`
    return this.post({ url, headers, body: form.toString(), signal }, 'provider', outcomeIn)
  }

  callback(callback: ChannelCallback): CallbackOutcome {
    const { callbackUrl, authToken } = this.settings
    const form = new URLSearchParams(Buffer.from(callback.body).toString('utf8'))
    const given = callback.headers['x-twilio-signature']
    if (callbackUrl === null || given === undefined) return NOT_PROVEN
    // Behind a proxy we do not see the address that Twilio signed: it is the configured one, with the query as it came.
    const query = callback.url.includes('?') ? callback.url.slice(callback.url.indexOf('?')) : ''
    const expected = spellingsOf(callbackUrl).map((url) => new Secret(twilioSignature(authToken.reveal(), url + query, form)))
    if (!expected.some((one) => one.equals(given))) return NOT_PROVEN
    const receipt = receiptIn(form)
    const answer = answerIn(form)
    return {
      kind: 'taken',
      receipts: receipt === null ? [] : [receipt],
      answers: answer === null ? [] : [answer],
      reply: { contentType: 'text/xml', body: '<Response/>' }
    }
  }
}

/** Which of its servers signs an address with its port and which without it, Twilio leaves open. */
function spellingsOf(url: string): string[] {
  const [, host = '', port = ':443', path = ''] = /^(https:\/\/(?:\[[^\]]*\]|[^/:]*))(:\d+)?(.*)$/.exec(url) ?? []
  return [host + path, host + port + path]
}

function outcomeIn(answer: Answered, now: number): SendOutcome {
  const body = objectIn(answer.body)
  const code = textOf(body?.code) || textOf(body?.error_code)
  const sid = textOf(body?.sid)
  if (body === null || (code === '' && sid === '')) return byBareStatus(answer, now)
  if (code === '' && answer.status < 300) return { kind: 'accepted', providerId: sid }
  const meaning = MEANINGS[code] ?? (answer.status >= 500 ? 'failed' : answer.status === 429 ? 'throttled' : 'refused')
  return byCode(meaning, code, textOf(body.message) || textOf(body.error_message))
}

function receiptIn(form: URLSearchParams): ChannelReceipt | null {
  const providerId = form.get('MessageSid') ?? ''
  const status = form.get('MessageStatus') ?? ''
  if (providerId === '') return null
  if (DELIVERED.has(status)) return { providerId, state: 'delivered', problem: null }
  if (!FAILED.has(status)) return null
  return { providerId, state: 'failed', problem: `not delivered: ${status} ${form.get('ErrorCode') ?? ''}`.trim() }
}

function answerIn(form: URLSearchParams): ChannelAnswer | null {
  const text = form.get('Body')
  const from = form.get('From')
  if (text === null || from === null || form.has('MessageStatus')) return null
  return { from: carrierNumber(from), text, providerId: form.get('MessageSid') }
}
