// Everything between a planned notification and a person, as one part: the courier, its queue, what comes back, and drills.

import type { Duty } from '../model/duty.ts'
import { identitiesOf } from '../model/identity.ts'
import type { OperatorActionBody } from '../model/journal.ts'
import type { DeliveryReport, PlannedNotification } from '../model/notification.ts'
import type { Language } from '../model/text.ts'
import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf } from '../platform/problem.ts'
import { type Random, secretText } from '../platform/random.ts'
import { rebuildable } from '../store/rebuildable.ts'
import type { NotificationRow, State } from '../store/schema.ts'
import { serviceSecret } from '../store/serviceSecrets.ts'
import { AckLinks } from './ackLinks.ts'
import type { BookedAlarm } from './booked.ts'
import type { CallbackOutcome, Channel, ChannelCallback } from './channels/channel.ts'
import { Courier } from './courier.ts'
import { Drills } from './drills.ts'
import { takeHanded } from './handedAnswers.ts'
import type { MessageSources } from './message.ts'
import { Notices } from './notices.ts'
import { Outbox } from './outbox.ts'
import { PlannedBook } from './planned.ts'
import { RedisDispatcher } from './queues/bullmq.ts'
import { EmbeddedDispatcher } from './queues/embedded.ts'
import { SharedTempo } from './queues/sharedTempo.ts'
import { Replies } from './replies.ts'
import { Roster, type RosterParts, type SeenSender, type SenderFigures } from './roster.ts'
import { OwnTempo } from './tempo.ts'

/** - here: the service sends. - workers: delivery workers do, and the service where none is there. - both. */
export type DeliverBy = 'here' | 'workers' | 'both'

export interface TellingParts {
  readonly state: State
  /** For long lists; missing: the same. */
  readonly reads?: State
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  readonly channels: readonly Channel[]
  /** The queue is on this Redis; null: it is in this process. */
  readonly redisUrl: string | null
  /** Who delivers: the service, delivery workers beside it, or both. Missing: the service. */
  readonly deliver?: DeliverBy
  /** As what this process stands among those that send; missing: it is the only one. */
  readonly sender?: { readonly host: string; readonly pid: number; readonly version: string } | null
  /** Whether whoever answers by SMS is told what was made of it; missing: yes. */
  readonly answersBack?: boolean
  /** Where people's phones reach the service; null: messages carry no links. */
  readonly publicUrl: string | null
  readonly journal: (report: DeliveryReport, done: () => void) => void
  readonly alarm: (id: string) => Promise<BookedAlarm | null>
  readonly alarmBody: MessageSources['alarmBody']
  /** Journals an operator action; resolves once it is applied. */
  readonly act: (body: OperatorActionBody, by: string) => Promise<void>
  /** The duty in force: who signs in as whom. */
  readonly duty: () => Duty | undefined
}

/** What a one-time link is good for now. - unknown: it is not one of ours. - gone: its message is not kept any more. */
export type LinkState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'expired'; readonly language: Language }
  | OpenLink

/** A link that leads to its notification: still to be used, used, or of a drill that is over. */
export interface OpenLink {
  readonly kind: 'open' | 'used' | 'over'
  readonly row: NotificationRow
  /** Which alarm it is about, where the message is about several; else null. */
  readonly name: string | null
  readonly acknowledged: { readonly by: string } | null
}

export class Telling implements Part {
  readonly name = 'courier'
  readonly notices: Notices
  readonly drills: Drills
  readonly outbox: Outbox
  readonly courier: Courier
  readonly #parts: TellingParts
  /** Null: nobody else can send. */
  readonly #roster: Roster | null
  readonly #replies: Replies
  readonly #planned = new PlannedBook()
  #links: AckLinks | null = null
  #prepared = false
  #taking: Promise<void> | null = null

  constructor(parts: TellingParts) {
    this.#parts = parts
    const { state, clock, log, random, channels, redisUrl, journal, alarm, alarmBody, act } = parts
    this.notices = new Notices(parts.reads ?? state)
    this.drills = new Drills(state, parts.reads)
    this.outbox = new Outbox(state)
    const deliver = parts.deliver ?? 'here'
    const id = `service-${secretText(9)}`
    this.#roster = parts.sender == null ? null : this.#rosterOf({ id, role: 'service', ...parts.sender })
    const own = new OwnTempo(clock, () => this.#roster?.sharers() ?? 1)
    const redis = redisUrl === null ? null : new RedisDispatcher({ url: redisUrl, clock, log, fetches: deliver !== 'workers' })
    const shares = redis !== null && this.#roster !== null
    this.courier = new Courier({
      ...{ outbox: this.outbox, channels, clock, random, log, journal, alarmBody, id },
      roster: this.#roster,
      sends: () => this.sends,
      tempo: shares ? new SharedTempo({ evaluate: (...call) => redis.evaluate(...call), id, own }) : own,
      besides: () => this.#takeHanded(),
      dispatcher: redis ?? new EmbeddedDispatcher(),
      ackUrl: (n) => this.#links?.url(n) ?? null,
      answered: (channel, answer) => this.#replies.take(channel.id, channel.kind, answer)
    })
    this.#replies = new Replies({
      ...{ state, clock, alarm, act, answersBack: parts.answersBack ?? true },
      identities: () => identitiesOf(parts.duty()),
      named: (id, language) => this.#named(id, language),
      drillOpen: (id) => this.drills.takesAnswers(id),
      reached: (n) => this.courier.reached(n),
      add: (planned) => this.add(planned)
    })
  }

  /** Everything but sending: links are read and callbacks are taken. */
  async prepare(): Promise<void> {
    const secret = await serviceSecret(this.#parts.state, 'links')
    this.#links ??= new AckLinks(secret, this.#parts.publicUrl, this.#parts.clock)
    if (!this.#prepared) await this.#roster?.start()
    this.#prepared = true
  }

  async start(): Promise<void> {
    await this.prepare()
    await this.courier.start()
    // What a service before this one was sending has nobody any more.
    await this.courier.doubt()
  }

  async stop(): Promise<void> {
    await this.courier.stop()
    await this.#taking
    await this.#roster?.stop()
    this.#prepared = false
  }

  /** Whether the service itself sends now. */
  get sends(): boolean {
    if (this.#parts.deliver !== 'workers' || this.#roster === null) return true
    return this.#roster.workers() === 0 && this.#roster.aloneMs >= LIMITS.courier.workerPatienceMs
  }

  /** Every process that sends, or did lately; null where only the service can. */
  senders(): SeenSender[] | null {
    return this.#roster?.list() ?? null
  }

  /** How many delivery workers are there. */
  get workers(): number {
    return this.#roster?.workers() ?? 0
  }

  /** Sentences about delivery workers, by part. */
  workerProblems(): { readonly part: string; readonly problem: string }[] {
    if (this.#roster === null) return []
    const workers = this.#roster.list().filter(({ role, alive }) => role === 'worker' && alive)
    const found = workers.flatMap(({ host, pid, problem }) =>
      problem === null ? [] : [{ part: `delivery worker ${host}/${pid}`, problem }]
    )
    if (this.#parts.deliver === 'workers' && workers.length === 0) {
      const now = this.sends ? 'The service sends by itself meanwhile' : 'The service will send by itself in a moment'
      found.push({ part: 'delivery workers', problem: `No delivery worker is there. ${now}; start one: fenghuo courier.` })
    }
    return found
  }

  #rosterOf(self: RosterParts['self']): Roster {
    const { state, clock, log } = this.#parts
    const figures = (): SenderFigures => {
      const { sending, sent } = this.courier
      return { sends: this.sends, sending, sent, problem: null }
    }
    const looked = (): void => {
      const after = Promise.all([this.courier.doubt(), this.#roster?.prune()])
      void after.catch((cause) => log.debug(`what senders left behind could not be looked at: ${messageOf(cause)}`))
    }
    return new Roster({ state, clock, self, figures, looked })
  }

  /** What people answered to delivery workers. Not waited for by those that send: an action waits for the journal. */
  async #takeHanded(): Promise<void> {
    if (this.#roster === null) return
    this.#taking ??= takeHanded(this.#parts.state, (provider, kind, answer) => this.#replies.take(provider, kind, answer))
      .catch((cause) => this.#parts.log.error(`an answer to a delivery worker could not be taken yet: ${messageOf(cause)}`))
      .finally(() => {
        this.#taking = null
      })
  }

  /** Puts notifications into the outbox that no journal record has caused: of this service itself and answers to answers. */
  async add(planned: readonly PlannedNotification[]): Promise<void> {
    await rebuildable(this.#parts.state, (state) => this.#planned.write(state, planned))
    this.courier.wake()
  }

  /** Makes a dead letter a queued notification again; false where it is none. */
  async retry(id: string): Promise<boolean> {
    const done = await this.outbox.retry(id, this.#parts.clock.now())
    if (done) this.courier.wake()
    return done
  }

  /** A vendor's callback. Null: there is no such channel, or none that is called back. Receipts are on disk when it resolves. */
  async callback(channelId: string, callback: ChannelCallback): Promise<CallbackOutcome | null> {
    const channel = this.#parts.channels.find(({ id }) => id === channelId)
    const outcome = channel?.callback?.(callback, this.#parts.clock.now()) ?? null
    if (channel === undefined || outcome === null || outcome.kind === 'refused') return outcome
    await this.courier.take(channel, outcome.receipts)
    for (const answer of outcome.answers) await this.#replies.take(channel.id, channel.kind, answer)
    return outcome
  }

  /** Takes an answer as if it had come by the channel of this id. */
  async answer(channelId: string, answer: Parameters<Replies['take']>[2]): ReturnType<Replies['take']> {
    const channel = this.#parts.channels.find(({ id }) => id === channelId)
    return channel === undefined ? null : this.#replies.take(channel.id, channel.kind, answer)
  }

  /** The subject and the rule's title; null where the alarm is not known (any more). */
  async #named(id: string, language: Language): Promise<string | null> {
    const alarm = await this.#parts.alarm(id)
    const body = (await this.#parts.alarmBody(id)) as Partial<Record<string, Readonly<Record<Language, string>> | null>> | null
    if (alarm === null) return null
    const where = body?.deviceName?.[language] ?? body?.areaName?.[language] ?? alarm.device ?? alarm.area ?? ''
    return `${where} ${body?.title?.[language] ?? alarm.rule}`.trim()
  }

  /** Looks at a one-time link without using it. */
  async link(token: string): Promise<LinkState> {
    const read = token.length > LIMITS.api.idLength ? null : (this.#links?.read(token) ?? null)
    const row = read === null ? null : await this.outbox.byN(read.n)
    if (read === null) return { kind: 'unknown' }
    if (row === null) return { kind: 'gone' }
    const language = row.language === 'en' ? 'en' : 'zh'
    if (read.expired) return { kind: 'expired', language }
    const kind = row.answered_at === null ? 'open' : 'used'
    const alarms = JSON.parse(row.alarms) as string[]
    if (row.drill === 1) {
      const [id = ''] = alarms
      const drill = await this.drills.one(id, null)
      const over = kind === 'open' && !(await this.drills.takesAnswers(id))
      return { kind: over ? 'over' : kind, row, name: null, acknowledged: drill?.record.acknowledged ?? null }
    }
    const about = await this.#replies.about(row)
    const name = about === null || alarms.length < 2 ? null : await this.#named(about.id, language)
    return { kind, row, name, acknowledged: about?.acknowledged ?? null }
  }

  /** Uses a one-time link; answers what is so afterwards. */
  async press(token: string): Promise<LinkState> {
    const before = await this.link(token)
    if (before.kind !== 'open') return before
    await this.#replies.press(before.row)
    return this.link(token)
  }
}
