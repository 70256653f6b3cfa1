// Planned notifications out of runs: ids from the inputs, texts from the plant. Pure; what it is given decides everything.

import type { Person } from '../model/duty.ts'
import type { ChannelKind, NotificationReason, PlannedNotification, WithholdReason } from '../model/notification.ts'
import type { Plant } from '../model/plant.ts'
import type { Language } from '../model/text.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Held, Queue } from './digests.ts'
import type { Run } from './ladderRun.ts'
import { bySeverity, Wording } from './wording.ts'
import { messageText, wordsFrom } from './wordingText.ts'

/** One message about one alarm. */
export interface Sheet {
  readonly run: Run
  readonly reason: NotificationReason
  readonly rung: number
  readonly occurrence: number
  readonly at: number
  /** Whom it is for; a text where there is nobody: `duty:tank-farm`. */
  readonly to: Person | string
  readonly channel: ChannelKind
  readonly address: string | null
  readonly withheld: WithholdReason | null
}

/** Whoever is not known speaks the language of the plant. */
export const NOBODY = { language: 'zh' as Language, zone: 'Asia/Shanghai' }

/** What a ladder has written. */
export interface Messages {
  /** Whether what is held back goes out later, as one message. */
  readonly digests: boolean
  one(sheet: Sheet): PlannedNotification
  many(queue: Queue, items: readonly Held[], person: Person, address: string | null, at: number): PlannedNotification
}

export class PlantMessages implements Messages {
  readonly digests = true
  readonly #wording: Wording

  constructor(plant: Plant) {
    this.#wording = new Wording(plant)
  }

  one(sheet: Sheet): PlannedNotification {
    const { run, reason, rung, occurrence, at, to, channel, address, withheld } = sheet
    const { language, zone } = typeof to === 'string' ? NOBODY : to
    const parts = this.#wording.one({ alarm: run.alarm, reason, from: run.from }, at, language, zone)
    return {
      id: messageId(sheet),
      at,
      reason,
      alarms: [run.alarm.id],
      tier: run.alarm.tier,
      site: run.place.site,
      enterprise: run.place.enterprise,
      ladder: run.ladder ?? '',
      rung,
      occurrence,
      person: typeof to === 'string' ? to : to.id,
      channel,
      address,
      language,
      words: wordsFrom(parts, language),
      text: messageText(channel, parts, language, false),
      drill: false,
      withheld
    }
  }

  /** One message instead of `items`, of which there is at least one. */
  many(queue: Queue, items: readonly Held[], person: Person, address: string | null, at: number): PlannedNotification {
    const ordered = items.toSorted(bySeverity)
    const first = ordered[0] as Held
    const alone = ordered.length === 1
    const { language, zone } = person
    const parts = alone ? this.#wording.one(first, at, language, zone) : this.#wording.many(ordered, queue, at, language, zone)
    return {
      id: `digest~${queue.key}~${at}`,
      at,
      reason: alone ? first.reason : 'digest',
      alarms: ordered.slice(0, LIMITS.duty.alarmsPerDigest).map(({ id }) => id),
      tier: first.alarm.tier,
      site: queue.site,
      enterprise: queue.enterprise,
      ladder: queue.ladder,
      rung: alone ? first.rung : 0,
      occurrence: alone ? first.occurrence : 1,
      person: person.id,
      channel: queue.channel,
      address,
      language,
      words: wordsFrom(parts, language),
      text: messageText(queue.channel, parts, language, false),
      drill: false,
      withheld: address === null ? 'noAddress' : null
    }
  }
}

/** From the inputs alone, so that planning twice changes nothing. */
export function messageId({ run, reason, rung, occurrence, to, channel }: Sheet): string {
  return `${run.alarm.id}~${run.generation}.${rung}.${occurrence}.${reason}~${typeof to === 'string' ? to : to.id}~${channel}`
}
