// A notification: one message to one person by one way, planned from an alarm, sent by the courier, followed to its receipt.

import type { Tier } from './tier.ts'

export const CHANNEL_KINDS = ['sms', 'voice', 'email', 'webhook', 'dingtalk', 'feishu', 'wecom', 'push'] as const
/** A way of reaching a person (or, by webhook and robot, a system or a group). Which provider serves it is configuration. */
export type ChannelKind = (typeof CHANNEL_KINDS)[number]

/**
 * Why a person is told: the alarm began, rose, eased, ended, goes on unacknowledged, several alarms in one message, a drill,
 * a fault of this service itself, or that somebody has answered and is told what was made of it.
 */
export const NOTIFICATION_REASONS = ['raised', 'escalated', 'eased', 'cleared', 'reminder', 'digest', 'drill', 'self', 'answer'] as const
export type NotificationReason = (typeof NOTIFICATION_REASONS)[number]

/** Why a planned notification did not go out. The first reason found is the one recorded. */
export const WITHHOLD_REASONS = [
  'acknowledged', // somebody has taken it on before this step came
  'cleared', // over before this step came
  'shelved',
  'suppressed', // by design: plant state or inhibition
  'outOfService',
  'grouped', // told in the message that another alarm opened
  'throttled', // this person has had enough messages in this stretch
  'chattering', // it comes and goes, and the person was told of it a short while ago
  'flood', // in the digest instead
  'quietHours', // never red
  'noAddress', // the person has no address for this way
  'noChannel', // no provider is configured for it
  'nobodyOnDuty' // the rota has a hole: the next rung is called at once
] as const
export type WithholdReason = (typeof WITHHOLD_REASONS)[number]

/** What the texts are made of, each a plain sentence or number with its unit, in the person's language. */
export interface NotificationWords {
  /** Site and device (or area): where to go. */
  readonly where: string
  /** The rule's title with the tier: what it is. */
  readonly what: string
  /** The value that decided, from `because`. */
  readonly howMuch: string
  /** From the guidance: what to do, and in how long. */
  readonly toDo: string
  /** Local time of the event, with its zone where it is not the person's. */
  readonly when: string
}

/** As planned: everything about it follows from the journal alone, so planning it twice changes nothing. */
export interface PlannedNotification {
  /** From the inputs: alarm id, reason, step, occurrence, person and way. The provider's idempotency key. */
  readonly id: string
  /** When it is due, epoch ms by our clock. */
  readonly at: number
  readonly reason: NotificationReason
  /** The alarms it tells of, the most severe first; of a drill its id; a fault of our own has none. */
  readonly alarms: readonly string[]
  readonly tier: Tier
  readonly site: string | null
  readonly enterprise: string | null
  /** Of the ladder, and the rung on it, counted from 1; 0 where no rung stands behind it. */
  readonly ladder: string
  readonly rung: number
  /** 1 for the first call of a rung, 2 … for its repeats. */
  readonly occurrence: number
  readonly person: string
  readonly channel: ChannelKind
  /** Number, mail address, URL or subscription; null where it is withheld for want of one. Never logged whole. */
  readonly address: string | null
  readonly language: 'zh' | 'en'
  readonly words: NotificationWords
  /** The whole message, in the order where, what, how much, what to do. A drill says so first. */
  readonly text: string
  readonly drill: boolean
  /** Null: to be sent. */
  readonly withheld: WithholdReason | null
}

/**
 * - queued: waiting for its turn. - sending: handed to the provider, no answer yet. - sent: the provider accepted it.
 * - delivered: a receipt from the person's device. - failed: the provider refused it, or every try failed (a dead letter:
 *   it can be retried by hand). - withheld: deliberately not sent, with its reason.
 */
export const NOTIFICATION_STATES = ['queued', 'sending', 'sent', 'delivered', 'failed', 'withheld'] as const
export type NotificationState = (typeof NOTIFICATION_STATES)[number]

/** What became of a notification after it was planned: an input of its own, journaled (`delivery` records), so that ladders replay. */
export interface DeliveryReport {
  /** The notification's id. */
  readonly id: string
  readonly state: 'sent' | 'delivered' | 'failed'
  /** The provider's own id of the message, where it gave one. */
  readonly providerId: string | null
  /** One sentence where it failed or is doubtful; else null. */
  readonly problem: string | null
}
