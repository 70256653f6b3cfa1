// What a row of the outbox becomes by what happened to it. Pure.

import type { NotificationState } from '../model/notification.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Random } from '../platform/random.ts'
import type { NotificationRow } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import type { Channel, SendOutcome } from './channels/channel.ts'
import type { Settlement } from './outbox.ts'

/** After a try. `row` as it was claimed: `tries` counts this one. */
export function afterSend(row: NotificationRow, channel: Channel, outcome: SendOutcome, now: number, random: Random): Settlement {
  const { n, tries } = row
  const provider = channel.id
  switch (outcome.kind) {
    case 'accepted':
      return {
        n,
        set: {
          state: 'sent',
          provider,
          provider_id: outcome.providerId,
          sent_at: now,
          problem: null,
          receipt_due: channel.receipts && outcome.providerId !== null ? now + LIMITS.courier.receiptMs : null,
          unreported: 1
        }
      }
    case 'refused':
      return { n, set: { ...failed(now, outcome.problem), provider } }
    case 'failed':
    case 'doubtful': {
      const problem = plainText(outcome.problem)
      const doubt = outcome.kind === 'doubtful' ? { possible_duplicate: 1 } : {}
      if (tries >= LIMITS.courier.tries) {
        return { n, set: { ...failed(now, `${problem} It was tried ${tries} times.`), ...doubt, provider } }
      }
      const retryAfterMs = outcome.kind === 'failed' ? (outcome.retryAfterMs ?? 0) : 0
      const wait = Math.max(backoffMs(tries, random), Math.min(retryAfterMs, LIMITS.courier.longestRetryAfterMs))
      return { n, set: { state: 'queued', provider, problem, next_at: now + wait, ...doubt } }
    }
  }
}

/** Refused for a reason of the provider's own: another one is asked at once. It was no try of theirs. */
export function passedOn({ n, tries }: NotificationRow, channel: Channel, problem: string, now: number): Settlement {
  return { n, set: { state: 'queued', provider: channel.id, problem: plainText(problem), next_at: now, tries: tries - 1 } }
}

/** Doubled from try to try, half of it by chance, so that what failed together does not come back together. */
export function backoffMs(tries: number, random: Random): number {
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
