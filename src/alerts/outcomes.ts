// What a row of the outbox becomes by what happened to it. Pure.

import type { NotificationState } from '../model/notification.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Random } from '../platform/random.ts'
import type { NotificationRow } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import type { Channel, SendOutcome } from './channels/channel.ts'
import type { Settlement } from './outbox.ts'

/** Whether another provider may take it: not where it is about the recipient, or about a server of the recipient's own. */
export function isForOthers(outcome: SendOutcome, host: string): boolean {
  if (outcome.kind === 'refused') return outcome.about === 'provider'
  return outcome.kind !== 'accepted' && host === ''
}

/**
 * After the last asking of a round. `row` as it was claimed: `tries` counts this round. `hopeful`: somebody in it only failed, so that
 * the last one's refusal is not the end.
 */
export function afterSend(
  row: NotificationRow,
  channel: Channel,
  outcome: SendOutcome,
  now: number,
  random: Random,
  hopeful = false
): Settlement {
  const { n, tries } = row
  const provider = channel.id
  if (outcome.kind === 'accepted') {
    // Also where it gave no name by which a receipt could speak of it: then none will come.
    const receipt_due = channel.receipts ? now + LIMITS.courier.receiptMs : null
    const ids = { provider, provider_id: outcome.providerId }
    return { n, set: { state: 'sent', ...ids, sent_at: now, problem: null, receipt_due, unreported: 1 } }
  }
  if (outcome.kind === 'refused' && !(hopeful && outcome.about === 'provider'))
    return { n, set: { ...failed(now, outcome.problem), provider } }
  const problem = plainText(outcome.problem)
  if (tries >= LIMITS.courier.tries)
    return { n, set: { ...failed(now, `${problem} It was tried ${tries} times.`), ...doubtOf(outcome), provider } }
  const retryAfterMs = outcome.kind === 'failed' ? (outcome.retryAfterMs ?? 0) : 0
  const wait = Math.max(backoffMs(tries, random), Math.min(retryAfterMs, LIMITS.courier.longestRetryAfterMs))
  return { n, set: { state: 'queued', provider, problem, next_at: now + wait, ...doubtOf(outcome) } }
}

/** Another provider is asked at once, in the same round. */
export function passedOn({ n, tries }: NotificationRow, channel: Channel, outcome: Troubled, now: number): Settlement {
  const problem = plainText(outcome.problem)
  return { n, set: { state: 'queued', provider: channel.id, problem, next_at: now, tries: tries - 1, ...doubtOf(outcome) } }
}

export type Troubled = Exclude<SendOutcome, { kind: 'accepted' }>

function doubtOf({ kind }: Troubled): Settlement['set'] {
  return kind === 'doubtful' ? { possible_duplicate: 1 } : {}
}

/** Doubled from try to try, half of it by chance, so that what failed together does not come back together. */
function backoffMs(tries: number, random: Random): number {
  const { firstBackoffMs, longestBackoffMs } = LIMITS.courier
  const whole = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(20, tries - 1))
  return Math.round(whole * (0.5 + random.next() / 2))
}

/** No receipt in time, where the way gives receipts. A receipt that comes later still counts. */
export function notReceived({ n }: NotificationRow, now: number): Settlement {
  const within = `${LIMITS.courier.receiptMs / 60_000} min`
  return {
    n,
    from: ['sent'],
    set: {
      ...failed(now, `The provider accepted it, but no receipt came within ${within}: the person may not have it.`)
    }
  }
}

export function expired(n: number, now: number): Settlement {
  return {
    n,
    from: ['queued'],
    set: failed(now, `It could not be sent for ${LIMITS.courier.expireMs / 3_600_000} h and is no news any more. Look at the alarm itself.`)
  }
}

/** By a way that nobody serves. Where the same call goes by another way too, nothing is lost: it is withheld; else it has failed. */
export function notServed(n: number, kind: string, hasOtherWay: boolean, now: number): Settlement {
  const set = failed(now, `No provider for ${kind} is configured (any more): add one under channels in fenghuo.yaml.`)
  return { n, from: ['queued'], set: hasOtherWay ? { ...set, state: 'withheld', failed_at: null, withheld: 'noChannel' } : set }
}

export function failed(now: number, problem: string): Settlement['set'] {
  return { state: 'failed', failed_at: now, problem: plainText(problem), receipt_due: null, unreported: 1 }
}

/** What an accepted message becomes by its receipt. */
export function byReceipt({ state, problem }: { readonly state: string; readonly problem: string | null }, now: number): Settlement['set'] {
  if (state === 'failed') return failed(now, problem ?? 'The provider reports that it was not delivered.')
  return { state: 'delivered', delivered_at: now, problem: null, receipt_due: null, unreported: 1 }
}

/** The states in which a receipt still says something new: 'delivered' is final, and counts also after we had given up. */
export function countsFor({ state }: { readonly state: string }): NotificationState[] {
  return state === 'failed' ? ['sent'] : ['sent', 'failed']
}
