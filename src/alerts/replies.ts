// What people send back: a reply by SMS, or the button of a one-time link. A reply counts for the most severe alarm its sender was
// told of that is still open, of several the newest; it becomes an operator action of that person. Everything is kept and shown.

import type { Identities } from '../model/identity.ts'
import type { OperatorActionBody } from '../model/journal.ts'
import type { ChannelKind, PlannedNotification } from '../model/notification.ts'
import type { Language } from '../model/text.ts'
import { levelRank } from '../model/tier.ts'
import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { guarded } from '../store/failure.ts'
import type { AnswerRow, NotificationRow, State } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import { answerBack, backId } from './answerBack.ts'
import type { BookedAlarm } from './booked.ts'
import type { ChannelAnswer } from './channels/channel.ts'
import { addressKey } from './planned.ts'

const YES = new Set([
  ...['1', 'ack', 'acknowledge', 'acknowledged', 'ok', 'y', 'yes', 'received', 'roger'],
  ...['收到', '已收到', '确认', '已确认', '知道了', '好', '好的', '是', '一']
])
const BY_LINK = 'by the link in the message'
const HOUR_MS = 3_600_000
/** Messages looked at for one answer. */
const MESSAGES_PER_ANSWER = 200
/** Alarms looked up to count those that are still open besides. */
const ALARMS_PER_ANSWER = 100

/**
 * - acknowledged: an alarm was. - drill: it was about a drill. - unknownText: it says something else. - unknownSender: nobody
 * was told anything at this number. - nothingOpen: whatever they were told of is acknowledged already.
 */
export type ReplyOutcome = 'acknowledged' | 'drill' | 'unknownText' | 'unknownSender' | 'nothingOpen'

export interface ReplyParts {
  readonly state: State
  readonly clock: Clock
  readonly alarm: (id: string) => Promise<BookedAlarm | null>
  /** What the alarm is called; null: it is not known. */
  readonly named: (id: string, language: Language) => Promise<string | null>
  /** Whether the drill takes answers. */
  readonly drillOpen: (id: string) => Promise<boolean>
  /** Journals the action; resolves once it is applied. */
  readonly act: (body: OperatorActionBody, by: string) => Promise<void>
  /** Who is the same as whom at this moment. */
  readonly identities: () => Identities
  /** Writes down that the message has reached its person, whatever receipts say. */
  readonly reached: (n: number) => Promise<void>
  /** Whether whoever answers is told what was made of it. */
  readonly answersBack: boolean
  readonly add: (planned: readonly PlannedNotification[]) => Promise<void>
}

/** What an answer is taken to be about. */
interface About {
  readonly row: NotificationRow
  /** The alarm, or the drill. */
  readonly id: string
  /** Alarms besides that the sender was told of and nobody has acknowledged. */
  readonly more: number
}

/** Whether the text means "I have it". */
function isYes(text: string): boolean {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s.,!。，！、"'“”‘’()[\]【】]+/g, '')
  return YES.has(plain)
}

export class Replies {
  readonly #parts: ReplyParts
  #turn: Promise<unknown> = Promise.resolve()
  /** By their words: answers without an id that are not taken yet. A carrier that waits too long for us brings the same one again. */
  readonly #nameless = new Map<string, Promise<ReplyOutcome | null>>()
  /** By notification: buttons pressed and not yet taken, so that a second press meanwhile is the same one. */
  readonly #pressed = new Map<number, Promise<boolean>>()

  constructor(parts: ReplyParts) {
    this.#parts = parts
  }

  /**
   * Takes one answer that came by a channel, one at a time. One that comes again changes nothing: by the provider's id, or without one
   * the same words before the first were taken.
   */
  take(provider: string, kind: ChannelKind, answer: ChannelAnswer): Promise<ReplyOutcome | null> {
    if (answer.providerId !== null) return this.#inTurn(provider, kind, answer)
    const words = JSON.stringify([provider, answer.from, answer.text])
    const under = this.#nameless.get(words) ?? this.#inTurn(provider, kind, answer).finally(() => this.#nameless.delete(words))
    this.#nameless.set(words, under)
    return under
  }

  #inTurn(provider: string, kind: ChannelKind, answer: ChannelAnswer): Promise<ReplyOutcome | null> {
    const done = this.#turn.then(() => this.#take(provider, kind, answer))
    this.#turn = done.catch(() => {})
    return done
  }

  /** Acknowledges by the button of the notification's link. False where the link was used before. */
  press(row: NotificationRow): Promise<boolean> {
    const under = this.#pressed.get(row.n) ?? this.#press(row.n).finally(() => this.#pressed.delete(row.n))
    this.#pressed.set(row.n, under)
    return under
  }

  /** The link is used up last: where the action could not be taken, it can be pressed again. */
  async #press(n: number): Promise<boolean> {
    const row = await guarded(() => this.#parts.state.selectFrom('notifications').selectAll().where('n', '=', n).executeTakeFirst())
    if (row === undefined || row.answered_at !== null) return false
    await this.#parts.reached(n)
    for (const id of row.drill === 1 ? idsOf(row) : await this.#openOf(row)) await this.#acknowledge(id, row.person, BY_LINK)
    await this.#answered(row)
    return true
  }

  /**
   * What an answer is about is kept before it is done, as an answer that has changed nothing: where that breaks off, the carrier
   * brings the answer again, and it means the same alarm, not the next one.
   */
  async #take(provider: string, kind: ChannelKind, answer: ChannelAnswer): Promise<ReplyOutcome | null> {
    const { from, text, providerId } = answer
    const known = await this.#known(provider, providerId)
    if (known !== null && (known.alarm === null || known.outcome !== 'nothingOpen')) return null
    const told = await this.#toldAt(addressKey(kind, from))
    const [newest] = told
    const about = known !== null ? await this.#begun(told, known.alarm) : isYes(text) ? await this.#mostSevereOpen(told) : null
    if (known !== null && about === null) return null
    let outcome: ReplyOutcome = newest === undefined ? 'unknownSender' : isYes(text) ? 'nothingOpen' : 'unknownText'
    const n = known?.n ?? (await this.#keep(provider, answer, newest, about, outcome))
    if (about !== null) {
      outcome = await this.#carryOut(about, text)
      await guarded(() => this.#parts.state.updateTable('answers').set({ outcome }).where('n', '=', n).execute())
    }
    if (this.#parts.answersBack && newest !== undefined && kind === 'sms') await this.#answerBack(n, outcome, about, newest)
    return outcome
  }

  async #known(provider: string, providerId: string | null): Promise<AnswerRow | null> {
    if (providerId === null) return null
    const query = this.#parts.state.selectFrom('answers').selectAll().where('provider', '=', provider).where('provider_id', '=', providerId)
    return (await guarded(() => query.executeTakeFirst())) ?? null
  }

  /** What an answer was about that broke off; null where nothing is kept any more that told of it. */
  async #begun(told: readonly NotificationRow[], id: string | null): Promise<About | null> {
    const row = told.find((one) => id !== null && idsOf(one).includes(id))
    if (row === undefined || id === null) return null
    const next = await this.#mostSevereOpen(told)
    if (next === null || next.id === id) return next ?? { row, id, more: 0 }
    return { row, id, more: next.row.drill === 1 ? next.more : next.more + 1 }
  }

  async #carryOut(about: About, text: string): Promise<ReplyOutcome> {
    const { row, id } = about
    await this.#parts.reached(row.n)
    await this.#acknowledge(id, row.person, `by message: ${text.slice(0, 50).trim()}`)
    if (row.drill === 0) return (await this.#takenBefore(about)) ? 'nothingOpen' : 'acknowledged'
    await this.#answered(row)
    return 'drill'
  }

  /** Tells the sender, at the address that we know, what was made of the answer; not more often than a person would ask. */
  async #answerBack(n: number, outcome: ReplyOutcome, about: About | null, newest: NotificationRow): Promise<void> {
    const { state, clock, add, alarm, named } = this.#parts
    const now = clock.now()
    const lately = await guarded(() =>
      state
        .selectFrom('notifications')
        .select('id')
        .where('address_key', '=', newest.address_key)
        .where('reason', '=', 'answer')
        .where('at', '>', now - HOUR_MS)
        .execute()
    )
    // A phone that answers by itself must not be answered for ever.
    const said = lately.filter(({ id }) => id.endsWith(`~${outcome}`)).length
    if (lately.length >= LIMITS.courier.answersBackPerHour || (outcome === 'unknownText' && said > 0)) return
    const row = about?.row ?? newest
    const [first] = about === null ? idsOf(newest) : [about.id]
    const known = first === undefined ? null : await alarm(first)
    const by = outcome === 'nothingOpen' ? (known?.acknowledged?.by ?? null) : null
    // A message about several says how many they are, and not which this is.
    const name = first === undefined || idsOf(row).length < 2 ? null : await named(first, languageOf(row))
    const more = about?.more ?? 0
    await add([answerBack({ id: backId(n, outcome), at: now, outcome, row, name, address: newest.address, by, more })])
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
      .where('reason', '!=', 'answer')
      .orderBy('n', 'desc')
      .limit(MESSAGES_PER_ANSWER)
    const rows = await guarded(() => query.execute())
    return rows.toSorted((one, other) => (other.sent_at ?? other.at) - (one.sent_at ?? one.at) || other.n - one.n)
  }

  /** A drill that goes on, only where nothing else is newer; else the most severe open alarm, of several the one told of last. */
  async #mostSevereOpen(told: readonly NotificationRow[]): Promise<About | null> {
    const answered = new Set(told.flatMap((row) => (row.drill === 1 && row.answered_at !== null ? idsOf(row) : [])))
    const asked = new Set<string>()
    const open: (Pick<About, 'row' | 'id'> & { readonly rank: number; readonly place: number })[] = []
    // By what they were told as, so that the most severe are among those that are looked up.
    for (const row of told.filter(({ drill }) => drill === 0).toSorted((one, other) => other.tier - one.tier)) {
      for (const id of idsOf(row)) {
        if (asked.has(id) || (open.length > 0 && asked.size >= ALARMS_PER_ANSWER)) continue
        asked.add(id)
        const alarm = await this.#parts.alarm(id)
        if (alarm === null || alarm.acknowledged !== null) continue
        const about = told.filter((one) => one.drill === 0 && idsOf(one).includes(id))
        // The message about it alone names it best.
        const named = about.find((one) => idsOf(one).length === 1) ?? row
        open.push({ row: named, id, rank: levelRank(alarm.tier), place: told.indexOf(about[0] ?? row) })
      }
    }
    const first = open.toSorted((one, other) => other.rank - one.rank || one.place - other.place)[0] ?? null
    const newest = Math.min(...open.map(({ place }) => place))
    for (const row of told.slice(0, newest).filter(({ drill }) => drill === 1)) {
      const [id] = idsOf(row)
      if (id !== undefined && !answered.has(id) && (await this.#parts.drillOpen(id))) return { row, id, more: open.length }
    }
    return first === null ? null : { row: first.row, id: first.id, more: open.length - 1 }
  }

  /** What the link of the message is about: the alarm that its press acknowledged, or would acknowledge now. */
  async about(row: NotificationRow): Promise<BookedAlarm | null> {
    const by = this.#parts.identities().of(row.person)
    let first: BookedAlarm | null = null
    let open: BookedAlarm | null = null
    for (const id of idsOf(row)) {
      const alarm = await this.#parts.alarm(id)
      first ??= alarm
      if (alarm === null) continue
      if (alarm.acknowledged === null) open ??= alarm
      else if (row.answered_at !== null && alarm.acknowledged.by === by && alarm.acknowledged.note?.startsWith(BY_LINK)) return alarm
      if (row.answered_at === null && open !== null) return open
    }
    return open ?? first
  }

  /** The alarm of the message that nobody has acknowledged yet: of several the most severe, which is the one named first. */
  async #openOf(row: NotificationRow): Promise<string[]> {
    for (const id of idsOf(row)) if (await this.#isOpen(id)) return [id]
    return []
  }

  async #isOpen(id: string): Promise<boolean> {
    const alarm = await this.#parts.alarm(id)
    return alarm !== null && alarm.acknowledged === null
  }

  /** Whether somebody else acknowledged it between the look and the action: then the answer has changed nothing. */
  async #takenBefore({ id, row }: About): Promise<boolean> {
    const by = (await this.#parts.alarm(id))?.acknowledged?.by
    return by !== undefined && by !== this.#parts.identities().of(row.person)
  }

  /** In the name that the person signs in under, so that one is one, whichever way is taken; the other name stands in the note. */
  #acknowledge(id: string, person: string, how: string): Promise<void> {
    const by = this.#parts.identities().of(person)
    return this.#parts.act({ id, action: 'acknowledge', note: by === person ? how : `${how} (${person} of the duty plan)` }, by)
  }

  async #answered({ n }: NotificationRow): Promise<void> {
    const { state, clock } = this.#parts
    await guarded(() => state.updateTable('notifications').set({ answered_at: clock.now() }).where('n', '=', n).execute())
  }

  /** Answers its number. */
  #keep(
    provider: string,
    { from, text, providerId }: ChannelAnswer,
    newest: NotificationRow | undefined,
    about: About | null,
    outcome: ReplyOutcome
  ): Promise<number> {
    const { person = null, enterprise = null, site = null } = newest ?? {}
    const answer = {
      ...{ at: this.#parts.clock.now(), provider, provider_id: providerId, address: plainText(from.slice(0, 64)) },
      ...{ text: plainText(text.slice(0, LIMITS.courier.answerLength)), person, alarm: about?.id ?? null, enterprise, site, outcome }
    }
    return guarded(() =>
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
        return n
      })
    )
  }
}

function languageOf({ language }: NotificationRow): Language {
  return language === 'en' ? 'en' : 'zh'
}

function idsOf(row: NotificationRow): string[] {
  return JSON.parse(row.alarms) as string[]
}
