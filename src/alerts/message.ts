// From a row of the outbox to the message a channel is given.

import type { ChannelKind, NotificationReason, NotificationWords } from '../model/notification.ts'
import { LEVELS, levelRank, type Tier } from '../model/tier.ts'
import type { NotificationRow } from '../store/schema.ts'
import type { OutgoingMessage } from './channels/channel.ts'

/** Ways that carry a link and that a person reads. A robot's group is nobody in particular; vendors' SMS templates refuse URLs, so the channel decides. */
const LINKED: readonly ChannelKind[] = ['sms', 'email', 'push']

/** The types of contract 6, and those that no alarm of the book stands behind. */
const WEBHOOK_TYPES: Record<NotificationReason, string> = {
  raised: 'alarm.raised',
  escalated: 'alarm.escalated',
  eased: 'alarm.eased',
  cleared: 'alarm.cleared',
  reminder: 'alarm.reminder',
  digest: 'alarm.digest',
  drill: 'drill',
  self: 'service.fault',
  answer: 'answer'
}

export interface MessageSources {
  /** A one-time link to acknowledge by; null where none is offered. */
  readonly ackUrl: (n: number) => string | null
  /** The alarm as the API shows it; null where there is none (any more). */
  readonly alarmBody: (id: string) => Promise<Readonly<Record<string, unknown>> | null>
}

/** What the channel is to send. `to` is empty where the row has no address: channels refuse that with a sentence. */
export async function messageOf(row: NotificationRow, { ackUrl, alarmBody }: MessageSources): Promise<OutgoingMessage> {
  const words = JSON.parse(row.words) as NotificationWords
  const reason = row.reason as NotificationReason
  const drill = row.drill === 1
  const linked = asksFor(reason) && LINKED.includes(row.channel as ChannelKind)
  const alarms = JSON.parse(row.alarms) as string[]
  return {
    id: row.id,
    to: row.address ?? '',
    title:
      drill && !words.what.includes(DRILL[row.language as 'zh' | 'en'])
        ? `${DRILL[row.language as 'zh' | 'en']} ${words.what}`
        : words.what,
    text: row.text,
    words,
    language: row.language as 'zh' | 'en',
    tier: tierOf(row),
    reason,
    drill,
    ackUrl: linked ? ackUrl(row.n) : null,
    body: row.channel === 'webhook' ? await webhookBody(row, reason, alarms, alarmBody) : null
  }
}

/** Whether somebody is asked to take something on. */
function asksFor(reason: string): boolean {
  return reason === 'raised' || reason === 'escalated' || reason === 'reminder' || reason === 'drill'
}

/**
 * Whether it is news however old it is: it asks somebody to take a severe alarm on that stands and that nobody has acknowledged. So
 * after an outage of hours those are called who were to be called in the meantime.
 */
export async function isStillNews(row: NotificationRow, { alarmBody }: Pick<MessageSources, 'alarmBody'>): Promise<boolean> {
  if (row.drill === 1 || row.tier < levelRank('orange') || !asksFor(row.reason)) return false
  for (const id of JSON.parse(row.alarms) as string[]) {
    const alarm = await alarmBody(id)
    if (alarm !== null && alarm.acknowledged === null && alarm.clearedAt === null) return true
  }
  return false
}

const DRILL = { zh: '【演练】', en: '[DRILL]' } as const

async function webhookBody(
  row: NotificationRow,
  reason: NotificationReason,
  alarms: readonly string[],
  alarmBody: MessageSources['alarmBody']
): Promise<Record<string, unknown>> {
  const [first] = alarms
  const body = { type: WEBHOOK_TYPES[reason], at: new Date(row.at).toISOString() }
  if (reason === 'digest') return { ...body, alarms, text: row.text }
  const alarm = first === undefined ? null : await alarmBody(first)
  return { ...body, alarm, text: row.text, ...(row.drill === 1 ? { drill: true } : {}) }
}

export function tierOf({ tier }: Pick<NotificationRow, 'tier'>): Tier {
  const level = LEVELS[tier]
  return level === undefined || level === 'clear' ? 'blue' : level
}
