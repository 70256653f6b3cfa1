// What every way of reaching a person looks like to the courier. Invariant: `send` never throws for what the world does;
// whatever happens is an outcome, and only 'accepted' means that somebody else has taken responsibility.

import type { ChannelKind, NotificationReason, NotificationWords } from '../../model/notification.ts'
import type { Tier } from '../../model/tier.ts'

/** One message, ready to go. */
export interface OutgoingMessage {
  /** The notification's id: the same at every try, passed on as idempotency key where the provider knows one. */
  readonly id: string
  /** Number, mail address, URL or subscription. */
  readonly to: string
  readonly title: string
  readonly text: string
  readonly words: NotificationWords
  readonly language: 'zh' | 'en'
  readonly tier: Tier
  readonly reason: NotificationReason
  readonly drill: boolean
  /** A one-time link to acknowledge by, for ways that can carry links; null where none is offered. */
  readonly ackUrl: string | null
  /** The webhook body of contract 6 as an object, where the way carries JSON; else null. */
  readonly body: Readonly<Record<string, unknown>> | null
}

/**
 * - accepted: the provider took it; `providerId` names it in receipts.
 * - refused: it will never be taken like this. About the recipient (bad number, blacklisted, unsubscribed): a dead letter. About
 *   the provider (secret, template, arrears, a limit of the account) and where it is not certain: the next provider may take it.
 * - failed: not taken now; try again, not before `retryAfterMs` where the provider said so.
 * - doubtful: no answer came (timeout, connection lost after sending): it may have been taken, so a further try may double it
 *   and is marked.
 */
export type SendOutcome =
  | { readonly kind: 'accepted'; readonly providerId: string | null }
  | { readonly kind: 'refused'; readonly about: RefusalAbout; readonly problem: string }
  | { readonly kind: 'failed'; readonly problem: string; readonly retryAfterMs: number | null }
  | { readonly kind: 'doubtful'; readonly problem: string }

/** What a refusal lies in. */
export type RefusalAbout = 'provider' | 'recipient'

/** A receipt: what became of an accepted message. */
export interface ChannelReceipt {
  /** The provider's id, as in 'accepted'. */
  readonly providerId: string
  readonly state: 'delivered' | 'failed'
  readonly problem: string | null
}

/** A message from a person: a reply by SMS. */
export interface ChannelAnswer {
  /** The number it came from. */
  readonly from: string
  readonly text: string
  /** The provider's id of this very message, to recognise a repeat; null where there is none. */
  readonly providerId: string | null
}

/** Who hears what comes back. What resolves is on disk; where it rejects, the carrier is to deliver it again. */
export interface ChannelListener {
  receipt(receipt: ChannelReceipt): Promise<void>
  answer(answer: ChannelAnswer): Promise<void>
}

/** A vendor's callback over HTTP, as it arrived. */
export interface ChannelCallback {
  readonly method: string
  /** Path and query as sent. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What a callback amounts to, and what to answer the vendor. A callback that does not prove its origin is a problem (403). */
export type CallbackOutcome =
  | {
      readonly kind: 'taken'
      readonly receipts: readonly ChannelReceipt[]
      readonly answers: readonly ChannelAnswer[]
      readonly reply: { readonly contentType: string; readonly body: string }
    }
  | { readonly kind: 'refused'; readonly problem: string }

/** One configured provider of one way. */
export interface Channel {
  /** Its id in the configuration. */
  readonly id: string
  readonly kind: ChannelKind
  /** At most so many sends per second are asked of it; null: no limit known. */
  readonly perSecond: number | null
  /** Whether receipts come back: where they do, their absence is a failure; where they do not, 'accepted' is all one gets. */
  readonly receipts: boolean
  /** Connects where the way needs it (SMPP); resolves at once otherwise. A failing provider is no reason not to start. */
  start(listener: ChannelListener): Promise<void>
  stop(): Promise<void>
  /** A sentence while it cannot send, else null. */
  readonly problem: string | null
  /** It connects for the first time since its start, and will have done so, or failed, in a moment: what is due waits for it. */
  readonly starting?: boolean
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome>
  /** Reads a vendor's callback; undefined where this way has none. */
  callback?(callback: ChannelCallback, now: number): CallbackOutcome
}
