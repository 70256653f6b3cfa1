// What a provider's HTTP answer amounts to. A code inside a 200 decides, not the 200; what cannot be read decides nothing, so
// the message may have been taken.

import { createHash } from 'node:crypto'
import { LIMITS } from '../../platform/limits.ts'
import type { Secret } from '../../platform/secret.ts'
import type { CallbackOutcome, ChannelAnswer, ChannelCallback, ChannelReceipt, RefusalAbout, SendOutcome } from './channel.ts'
import type { OutgoingAnswer } from './outgoing.ts'

/** A JSON object that somebody else has written. */
export type Entry = Readonly<Record<string, unknown>>

export type Answered = Extract<OutgoingAnswer, { kind: 'answer' }>

/** What a provider's code means: 'badRecipient' where no other provider would reach this person either. */
export type CodeMeaning = 'refused' | 'badRecipient' | 'failed' | 'throttled'

export function refused(problem: string, about: RefusalAbout): SendOutcome {
  return { kind: 'refused', about, problem }
}

export function failed(problem: string, retryAfterMs: number | null = null): SendOutcome {
  return { kind: 'failed', problem, retryAfterMs }
}

export function doubtful(problem: string): SendOutcome {
  return { kind: 'doubtful', problem }
}

/**
 * By the status alone: for receivers that know a message by its id, so that a further try does no harm. `whose`: whose the address
 * is that answered; 401 and 403 are about what we prove ourselves by.
 */
export function byStatus(answer: Answered, whose: RefusalAbout, providerId: string | null, now: number): SendOutcome {
  const { status } = answer
  if (status >= 200 && status < 300) return { kind: 'accepted', providerId }
  if (status >= 300 && status < 400)
    return refused(`it answered ${status}, a redirect; redirects are not followed, give the final address`, whose)
  const sentence = `it answered ${status}${said(answer.body)}`
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const after = retryAfterMs(answer.headers['retry-after'], now)
    return failed(sentence, after ?? (status === 429 ? LIMITS.channels.throttledMs : null))
  }
  return refused(sentence, status === 401 || status === 403 ? 'provider' : whose)
}

/**
 * By the status, for providers whose own code could not be found in the body: a gateway's 502 or 504 and a 2xx that says
 * nothing leave open whether the message was taken.
 */
export function byBareStatus(answer: Answered, now: number): SendOutcome {
  const { status } = answer
  if ((status >= 200 && status < 300) || status === 502 || status === 504)
    return doubtful(`it answered ${status} with something that cannot be read${said(answer.body)}`)
  return byStatus(answer, 'provider', null, now)
}

/** By the provider's own code. */
export function byCode(meaning: CodeMeaning, code: string | number, text: string): SendOutcome {
  const sentence = `it answered ${code}${said(text)}`
  switch (meaning) {
    case 'refused':
      return refused(sentence, 'provider')
    case 'badRecipient':
      return refused(sentence, 'recipient')
    case 'failed':
      return failed(sentence)
    case 'throttled':
      return failed(sentence, LIMITS.channels.throttledMs)
  }
}

/** Retry-After in seconds or as a date; null where it is neither. */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LIMITS.channels.longestRetryAfterMs) : null
}

/** The body as a JSON object, or null. */
export function objectIn(body: string): Entry | null {
  const value = jsonIn(body)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
}

/** The objects of a JSON list, or a single one. */
function objectsIn(body: string): Entry[] {
  const value = jsonIn(body)
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'object' && one !== null)
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

/** What it said, as the end of a sentence: one line, of bounded length. */
function said(text: string): string {
  const line = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a stranger answered must not steer a terminal.
    .replaceAll(/[\s\u0000-\u001f\u007f]+/g, ' ')
    .trim()
    .slice(0, LIMITS.channels.excerptLength)
  return line === '' ? '' : ` (${line})`
}

/** Our id of a message as providers take it: as it is where it is short and plain, else by its digest. */
export function referenceOf(id: string): string {
  return /^[\w.:/#@-]{1,64}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 32)
}

/** Whether the last step of the callback's path is the secret. Where the vendor signs nothing, this is all there is. */
function knowsSecret(callback: ChannelCallback, secret: Secret | null): boolean {
  const path = callback.url.split('?')[0] as string
  const last = path.split('/').at(-1) ?? ''
  let given = last
  try {
    given = decodeURIComponent(last)
  } catch {
    // Not encoded after all: compared as it is.
  }
  return secret !== null && given !== '' && secret.equals(given)
}

/** What a vendor pushes that signs nothing: proven by the secret in its path, entries in a JSON list or alone. */
export function pushed(
  callback: ChannelCallback,
  secret: Secret | null,
  receiptIn: (entry: Entry) => ChannelReceipt | null,
  answerIn: (entry: Entry) => ChannelAnswer | null,
  reply: string
): CallbackOutcome {
  if (!knowsSecret(callback, secret)) return NOT_PROVEN
  const entries = objectsIn(Buffer.from(callback.body).toString('utf8'))
  return {
    kind: 'taken',
    receipts: entries.map(receiptIn).filter((receipt) => receipt !== null),
    answers: entries.map(answerIn).filter((answer) => answer !== null),
    reply: { contentType: 'application/json', body: reply }
  }
}

export const NOT_PROVEN: CallbackOutcome = { kind: 'refused', problem: 'the callback does not prove that it comes from the provider' }
