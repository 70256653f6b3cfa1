// What people send back: a reply by SMS, or the button of a one-time link. An answer counts for the newest thing its sender was
// told of that is still open; it becomes an operator action of that person. Everything that comes is kept and shown.

import type { OperatorActionBody } from '../model/journal.ts'
import type { ChannelKind } from '../model/notification.ts'
import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { guarded } from '../store/failure.ts'
import type { AnswerRow, NotificationRow, State } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import type { BookedAlarm } from './booked.ts'
import type { ChannelAnswer } from './channels/channel.ts'
import { addressKey } from './planned.ts'

const YES = new Set([
  ...['1', 'ack', 'acknowledge', 'acknowledged', 'ok', 'y', 'yes', 'received', 'roger'],
  ...['收到', '已收到', '确认', '已确认', '知道了', '好', '好的', '是', '一']
])
/** Messages looked at for one answer. */
const MESSAGES_PER_ANSWER = 200

/**
 * - acknowledged: an alarm was. - drill: it was about a drill. - unknownText: it says something else. - unknownSender: nobody
 * was told anything at this number. - nothingOpen: whatever they were told of is acknowledged already.
 */
export type ReplyOutcome = 'acknowledged' | 'drill' | 'unknownText' | 'unknownSender' | 'nothingOpen'

export interface ReplyParts {
  readonly state: State
  readonly clock: Clock
  readonly alarm: (id: string) => Promise<BookedAlarm | null>
  /** Journals the action; resolves once it is applied. */
  readonly act: (body: OperatorActionBody, by: string) => Promise<void>
}

/** Whether the text means "I have it". */
export function isYes(text: string): boolean {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s.,!。，！、"'“”‘’()[\]【】]+/g, '')
  return YES.has(plain)
}

export class Replies {
  readonly #parts: ReplyParts
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: ReplyParts) {
    this.#parts = parts
  }

  /** Takes one answer that came by a channel; one that comes again (same provider's id) changes nothing. One at a time. */
  take(provider: string, kind: ChannelKind, answer: ChannelAnswer): Promise<ReplyOutcome | null> {
    const done = this.#turn.then(() => this.#take(provider, kind, answer))
    this.#turn = done.catch(() => {})
    return done
  }

  /** Acknowledges by the button of the notification's link. False where the link was used before. */
  async press(row: NotificationRow): Promise<boolean> {
    const { state, clock } = this.#parts
    const used = await guarded(() =>
      state
        .updateTable('notifications')
        .set({ answered_at: clock.now() })
        .where('n', '=', row.n)
        .where('answered_at', 'is', null)
        .executeTakeFirst()
    )
    if (used.numUpdatedRows === 0n) return false
    await this.#reached(row)
    for (const alarm of await this.#openOf(row)) await this.#acknowledge(alarm, row.person, 'by the link in the message')
    return true
  }

  async #take(provider: string, kind: ChannelKind, { from, text, providerId }: ChannelAnswer): Promise<ReplyOutcome | null> {
    const { state, clock } = this.#parts
    if (providerId !== null) {
      const known = state.selectFrom('answers').select('n').where('provider', '=', provider).where('provider_id', '=', providerId)
      if ((await guarded(() => known.executeTakeFirst())) !== undefined) return null
    }
    const told = await this.#toldAt(addressKey(kind, from))
    const [newest] = told
    let outcome: ReplyOutcome = newest === undefined ? 'unknownSender' : 'unknownText'
    let about: { row: NotificationRow; alarm: string | null } | null = null
    if (newest !== undefined && isYes(text)) {
      about = await this.#newestOpen(told)
      outcome = about === null ? 'nothingOpen' : about.alarm === null ? 'drill' : 'acknowledged'
    }
    if (about !== null) await this.#reached(about.row)
    if (about !== null && about.alarm !== null)
      await this.#acknowledge(about.alarm, about.row.person, `by message: ${text.slice(0, 50).trim()}`)
    if (about !== null && about.alarm === null) await this.#answered(about.row)
    await this.#keep({
      at: clock.now(),
      provider,
      provider_id: providerId,
      address: plainText(from.slice(0, 64)),
      text: plainText(text.slice(0, LIMITS.courier.answerLength)),
      person: newest?.person ?? null,
      alarm: about?.alarm ?? null,
      enterprise: newest?.enterprise ?? null,
      site: newest?.site ?? null,
      outcome
    })
    return outcome
  }

  /** What went out to this number lately, newest first. What never left is not what the answer is about. */
  async #toldAt(key: string | null): Promise<NotificationRow[]> {
    if (key === null) return []
    const query = this.#parts.state
      .selectFrom('notifications')
      .selectAll()
      .where('address_key', '=', key)
      .where('at', '>', this.#parts.clock.now() - LIMITS.courier.answerMs)
      .where('state', 'in', ['sending', 'sent', 'delivered', 'failed'])
      .orderBy('n', 'desc')
      .limit(MESSAGES_PER_ANSWER)
    const rows = await guarded(() => query.execute())
    return rows.toSorted((one, other) => (other.sent_at ?? other.at) - (one.sent_at ?? one.at) || other.n - one.n)
  }

  async #newestOpen(told: readonly NotificationRow[]): Promise<{ row: NotificationRow; alarm: string | null } | null> {
    for (const row of told) {
      if (row.drill === 1 && row.answered_at === null) return { row, alarm: null }
      const [alarm] = await this.#openOf(row)
      if (alarm !== undefined) return { row, alarm }
    }
    return null
  }

  /** The alarm of the message that nobody has acknowledged yet: of several the most severe, which is the one named first. */
  async #openOf(row: NotificationRow): Promise<string[]> {
    for (const id of JSON.parse(row.alarms) as string[]) {
      const alarm = await this.#parts.alarm(id)
      if (alarm !== null && alarm.acknowledged === null) return [id]
    }
    return []
  }

  #acknowledge(id: string, person: string, note: string): Promise<void> {
    return this.#parts.act({ id, action: 'acknowledge', note }, person)
  }

  async #answered({ n }: NotificationRow): Promise<void> {
    const { state, clock } = this.#parts
    await guarded(() => state.updateTable('notifications').set({ answered_at: clock.now() }).where('n', '=', n).execute())
  }

  /** Whoever answers has had the message, whatever receipts say. */
  async #reached({ n }: NotificationRow): Promise<void> {
    const { state, clock } = this.#parts
    await guarded(() =>
      state
        .updateTable('notifications')
        .set({ state: 'delivered', delivered_at: clock.now(), problem: null, receipt_due: null })
        .where('n', '=', n)
        .where('state', 'in', ['sent', 'failed'])
        .execute()
    )
  }

  async #keep(answer: Omit<AnswerRow, 'n'>): Promise<void> {
    await guarded(() =>
      this.#parts.state.transaction().execute(async (state) => {
        const last = await state
          .selectFrom('answers')
          .select(({ fn }) => fn.max('n').as('n'))
          .executeTakeFirst()
        const n = (last?.n ?? 0) + 1
        await state
          .insertInto('answers')
          .values({ n, ...answer })
          .execute()
        await state
          .deleteFrom('answers')
          .where('n', '<=', n - LIMITS.courier.answers)
          .execute()
      })
    )
  }
}
