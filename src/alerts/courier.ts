// The courier takes due notifications from the outbox, most severe first, sends them, and writes down what came of it.
// Invariants: claimed on disk before it is sent; settled on disk before it is told; a row leaves 'sending' only by an outcome
// or, after its sender is gone, by a doubt that is marked. Nothing is forgotten: what is queued is found again by every sweep.

import type { ChannelKind } from '../model/notification.ts'
import { CHANNEL_KINDS } from '../model/notification.ts'
import { type Clock, pause, type Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf as sentenceOf } from '../platform/problem.ts'
import { type Random, secretText } from '../platform/random.ts'
import { Together } from '../platform/together.ts'
import { StateFailure } from '../store/failure.ts'
import type { NotificationRow } from '../store/schema.ts'
import type { Channel, ChannelAnswer, ChannelListener, ChannelReceipt, SendOutcome } from './channels/channel.ts'
import { HandOut } from './handOut.ts'
import { Lane, type LaneParts, type Round, type Trial } from './lane.ts'
import { isStillNews, type MessageSources, messageOf } from './message.ts'
import type { DueNotification, Outbox, OutboxFigures } from './outbox.ts'
import { afterSend, isForOthers, passedOn } from './outcomes.ts'
import { OwnClaims } from './ownClaims.ts'
import type { Dispatcher } from './queues/dispatcher.ts'
import { settlementOf } from './receipts.ts'
import type { Roster } from './roster.ts'
import { type ReportTo, Settling } from './settling.ts'
import { OwnTempo, type Tempo } from './tempo.ts'

const ROWS_PER_BATCH = 500
const HOUSEKEEPING_MS = 5_000
const STORE_RETRY_MS = 1_000
const STOP_PATIENCE_MS = 4_000

export interface CourierParts extends MessageSources {
  readonly outbox: Outbox
  readonly channels: readonly Channel[]
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Null: this is a delivery worker; the service reports what it has sent. */
  readonly journal: ReportTo | null
  /** What somebody sent back through a channel; resolves once that is on disk. */
  readonly answered: (channel: Channel, answer: ChannelAnswer) => Promise<unknown>
  /** Who sends besides; null or missing: nobody. */
  readonly roster?: Roster | null
  /** By which name it claims; missing: one of its own. */
  readonly id?: string
  /** Whether this process sends now; missing: yes. */
  readonly sends?: () => boolean
  /** Missing: each provider's pace is this process' alone. */
  readonly tempo?: Tempo
  /** Work that every sweep brings along. */
  readonly besides?: () => Promise<void>
}

export class Courier implements Part {
  readonly name = 'courier'
  readonly #parts: CourierParts
  readonly #lanes = new Map<ChannelKind, Lane>()
  readonly #id: string
  readonly #handOut: HandOut
  readonly #settling: Settling
  readonly #claims: Together<number, NotificationRow | null>
  readonly #own: OwnClaims
  readonly #aborts = new Set<AbortController>()
  readonly #sending = new Set<Promise<unknown>>()
  /** In a lane already, however often the dispatcher brings it. */
  readonly #inLane = new Set<number>()
  #timer: Timer | null = null
  #sweeping: Promise<void> | null = null
  #again = false
  #running = false
  /** Whether channels are connected: while this process sends. */
  #connected = false
  /** Channels start and stop one after another. */
  #connecting: Promise<unknown> = Promise.resolve()
  #housekeptAt = Number.NEGATIVE_INFINITY
  #figures: OutboxFigures = { queued: 0, oldestDueAt: null, deadLetters: 0 }
  #sent = 0
  #problem: string | null = null

  constructor(parts: CourierParts) {
    this.#parts = parts
    const { outbox, clock, random, channels, dispatcher, journal } = parts
    this.#id = parts.id ?? secretText(12)
    this.#own = new OwnClaims(outbox.state, this.#id)
    this.#claims = new Together(ROWS_PER_BATCH, (ns) => outbox.claim(ns, clock.now(), this.#id))
    const running = (): boolean => this.#running
    const trouble = (sentence: string): void => void (this.#problem = sentence)
    this.#settling = new Settling({ outbox, clock, journal, running, trouble, isStillNews: (row) => isStillNews(row, parts) })
    const tempo = parts.tempo ?? new OwnTempo(clock)
    for (const kind of CHANNEL_KINDS) {
      const served = channels.filter((channel) => channel.kind === kind)
      if (served.length === 0) continue
      const send: LaneParts['send'] = (due, channel, round) => this.#send(due, channel, round)
      this.#lanes.set(kind, new Lane({ kind, channels: served, clock, random, tempo, send }))
    }
    const deliver = (due: DueNotification): void => void this.#deliver(due)
    const isHere = (n: number): boolean => this.#inLane.has(n)
    this.#handOut = new HandOut({ outbox, dispatcher, clock, kinds: [...this.#lanes.keys()], sends: () => this.#sends, deliver, isHere })
  }

  get #sends(): boolean {
    return this.#parts.sends?.() ?? true
  }

  /** Being sent at this moment. */
  get sending(): number {
    return this.#sending.size
  }

  /** Accepted by their providers since the start. */
  get sent(): number {
    return this.#sent
  }

  /** What waits, as of a few seconds ago. */
  get figures(): OutboxFigures {
    return this.#figures
  }

  /** Sentences about what does not work at the moment, by part: `channel sms`, `provider sms-1`, `notification queue`, `notifications`. */
  problems(): { readonly part: string; readonly problem: string }[] {
    const found: { part: string; problem: string }[] = []
    for (const lane of this.#connected ? this.#lanes.values() : [])
      if (lane.problem !== null) found.push({ part: `channel ${lane.kind}`, problem: lane.problem })
    for (const lane of this.#lanes.values()) for (const { id, problem } of lane.stoodInFor) found.push({ part: `provider ${id}`, problem })
    const { problem } = this.#parts.dispatcher
    if (problem !== null) found.push({ part: 'notification queue', problem })
    const { oldestDueAt, queued } = this.#figures
    const lateMs = oldestDueAt === null ? 0 : this.#parts.clock.now() - oldestDueAt
    if (this.#problem !== null) found.push({ part: 'notifications', problem: this.#problem })
    else if (lateMs > LIMITS.courier.lateMs) {
      const waits = `${queued} ${queued === 1 ? 'notification waits' : 'notifications wait'}`
      found.push({
        part: 'notifications',
        problem: `${waits} to be sent, the oldest for ${Math.round(lateMs / 1000)} s: look at the channels.`
      })
    }
    return found
  }

  async start(): Promise<void> {
    if (this.#running) return
    this.#running = true
    const { clock, log, outbox, dispatcher, roster } = this.#parts
    // Alone, nobody else can be sending; else the roster tells who is gone.
    const doubtful = roster == null ? await outbox.requeueDoubtful(clock.now(), null) : 0
    if (doubtful > 0) log.warn(doubtfulSentence(doubtful))
    await dispatcher.start((due) => this.#deliver(due))
    await this.#settling.reportOthers()
    this.wake()
  }

  async stop(): Promise<void> {
    if (!this.#running) return
    this.#running = false
    this.#timer?.cancel()
    for (const lane of this.#lanes.values()) lane.stop()
    await this.#parts.dispatcher.stop()
    // What is being sent gets a little time for its answer; without one it is in doubt.
    const patience = this.#parts.clock.after(STOP_PATIENCE_MS, () => this.#abortAll())
    while (this.#sending.size > 0) await Promise.all(this.#sending)
    patience.cancel()
    await this.#sweeping
    await this.#claims.settled()
    await this.#settling.settled()
    this.#disconnect()
    await this.#connecting
  }

  /** There may be something new in the outbox. */
  wake(): void {
    if (!this.#running) return
    this.#again = true
    this.#sweeping ??= this.#sweepAll().finally(() => {
      this.#sweeping = null
    })
  }

  /** Takes receipts of a channel; resolves once they are on disk. Throws where they could not be written for a lasting reason. */
  async take(channel: Channel, receipts: readonly ChannelReceipt[]): Promise<void> {
    for (const receipt of receipts) {
      const settlement = await settlementOf(this.#parts.outbox, channel.id, receipt, this.#parts.clock.now())
      if (settlement !== null) await this.#settling.settle(settlement)
    }
  }

  /** Somebody has answered the message, so it has arrived: written down, and told to the ladder. */
  async reached(n: number): Promise<void> {
    const delivered_at = this.#parts.clock.now()
    const set = { state: 'delivered', delivered_at, problem: null, receipt_due: null, unreported: 1 }
    await this.#settling.settle({ n, from: ['sent', 'failed'], set })
  }

  /** What senders had claimed that are gone is sent again, marked. For the service; called after each look at the roster. */
  async doubt(): Promise<void> {
    const { outbox, clock, roster } = this.#parts
    if (roster == null || !this.#running) return
    const doubtful = await outbox.requeueDoubtful(clock.now(), roster.alive())
    if (doubtful === 0) return
    this.#requeued(doubtfulSentence(doubtful))
  }

  #requeued(sentence: string): void {
    this.#parts.log.warn(sentence)
    this.wake()
  }

  async #sweepAll(): Promise<void> {
    while (this.#again && this.#running) {
      this.#again = false
      this.#timer?.cancel()
      try {
        await this.#sweep()
        this.#problem = null
      } catch (cause) {
        if (!(cause instanceof StateFailure)) throw cause
        this.#problem = cause.message
      }
    }
    if (this.#running) this.#timer = this.#parts.clock.after(LIMITS.courier.sweepMs, () => this.wake())
  }

  async #sweep(): Promise<void> {
    if (this.#sends) this.#connect()
    else if (this.#sending.size === 0) this.#disconnect()
    await this.#handOut.sweep()
    await this.#settling.reportOthers()
    await this.#parts.besides?.()
    const { clock, outbox } = this.#parts
    if (clock.monotonic() - this.#housekeptAt < HOUSEKEEPING_MS) return
    this.#housekeptAt = clock.monotonic()
    const forgotten = await this.#own.doubtForgotten(clock.now())
    if (forgotten > 0) this.#requeued(doubtfulSentence(forgotten))
    await this.#settling.keepHouse([...this.#lanes.keys()], (n) => this.#inLane.has(n))
    this.#figures = await outbox.figures()
  }

  /** A provider that cannot be reached is no reason not to start: its channel says so. */
  #connect(): void {
    if (this.#connected) return
    this.#connected = true
    const { channels, log, answered } = this.#parts
    const heard = async (channel: Channel, what: string, taken: Promise<unknown>): Promise<void> => {
      await taken.catch((cause) => {
        log.error(`${what} of ${channel.id} could not be taken: ${sentenceOf(cause)}`)
        throw cause
      })
    }
    for (const channel of channels) {
      const listener: ChannelListener = {
        receipt: (receipt) => heard(channel, 'a receipt', this.take(channel, [receipt])),
        answer: (answer) => heard(channel, 'an answer', answered(channel, answer))
      }
      const start = (): Promise<void> => channel.start(listener)
      this.#connecting = this.#connecting
        .then(start)
        .catch((cause) => log.error(`channel ${channel.id} did not start: ${sentenceOf(cause)}`))
    }
  }

  /** Others send now: a carrier counts sessions. */
  #disconnect(): void {
    if (!this.#connected) return
    this.#connected = false
    for (const channel of this.#parts.channels) this.#connecting = this.#connecting.then(() => channel.stop()).catch(() => {})
  }

  /** Called by the dispatcher. The same one may come more than once, from another process, or from an earlier life: the claim decides. */
  async #deliver(due: DueNotification): Promise<void> {
    const lane = this.#lanes.get(due.kind)
    if (!this.#running || !this.#sends || lane === undefined || this.#inLane.has(due.n)) return
    this.#inLane.add(due.n)
    await lane.enter(due)
    this.#inLane.delete(due.n)
    if (this.#handOut.over(due.n)) this.wake()
  }

  #abortAll(): void {
    for (const abort of this.#aborts) abort.abort()
  }

  #send(due: DueNotification, channel: Channel, round: Round): Promise<Trial> {
    const sending = this.#sendClaimed(due, channel, round).finally(() => this.#sending.delete(sending))
    this.#sending.add(sending)
    return sending
  }

  /** Claims, sends, settles. Never throws for what the world does. */
  async #sendClaimed({ n, host }: DueNotification, channel: Channel, { others, hopeful }: Round): Promise<Trial> {
    this.#own.hold(n)
    try {
      const row = this.#running && this.#sends ? await this.#claims.add(n) : null
      if (row === null) return { kind: 'idle' }
      const outcome = await this.#ask(channel, row)
      const { clock, random } = this.#parts
      if (outcome.kind !== 'accepted' && isForOthers(outcome, host) && others()) {
        await this.#settling.settle({ ...passedOn(row, channel, outcome, clock.now()), claim: this.#id })
        return trialOf(outcome, true)
      }
      await this.#settling.settle({ ...afterSend(row, channel, outcome, clock.now(), random, hopeful), claim: this.#id })
      if (outcome.kind === 'accepted') this.#sent += 1
      return trialOf(outcome, false)
    } catch (cause) {
      if (!(cause instanceof StateFailure)) throw cause
      this.#problem = cause.message
      if (this.#running) await pause(this.#parts.clock, STORE_RETRY_MS)
      // Whether it is claimed is asked at the next look.
      this.#housekeptAt = Number.NEGATIVE_INFINITY
      return { kind: 'idle' }
    } finally {
      this.#own.release(n)
    }
  }

  async #ask(channel: Channel, row: NotificationRow): Promise<SendOutcome> {
    const { clock } = this.#parts
    if (row.at < clock.now() - LIMITS.courier.expireMs && !(await isStillNews(row, this.#parts)))
      return { kind: 'refused', about: 'recipient', problem: EXPIRED }
    if (row.drill === 1 && row.at < clock.now() - LIMITS.drill.expireMs)
      return { kind: 'refused', about: 'recipient', problem: DRILL_EXPIRED }
    const abort = new AbortController()
    let giveUp: Timer | null = null
    this.#aborts.add(abort)
    try {
      const message = await messageOf(row, this.#parts)
      const silent = new Promise<SendOutcome>((resolve) => {
        const doubt = (problem: string) => () => resolve({ kind: 'doubtful', problem })
        giveUp = clock.after(LIMITS.courier.sendMs, () => {
          abort.abort()
          doubt(`${channel.id} did not answer within ${LIMITS.courier.sendMs / 1000} s: it may have taken the message or not.`)()
        })
        abort.signal.addEventListener('abort', doubt(`${channel.id} had not answered when the service was stopped.`))
      })
      return await Promise.race([channel.send(message, abort.signal), silent])
    } catch (cause) {
      // A channel must not throw; where one does, nobody knows how far it had come.
      this.#parts.log.error(`channel ${channel.id} failed: ${sentenceOf(cause)}`)
      return { kind: 'doubtful', problem: `${channel.id} failed: ${sentenceOf(cause)}.` }
    } finally {
      ;(giveUp as Timer | null)?.cancel()
      this.#aborts.delete(abort)
    }
  }
}

/** What a send says of its provider. What it refuses because of the recipient is none of its troubles. */
function trialOf(outcome: SendOutcome, passedOn: boolean): Trial {
  if (outcome.kind === 'accepted' || (outcome.kind === 'refused' && outcome.about === 'recipient')) return { kind: 'well' }
  const { kind, problem } = outcome
  return { kind: kind === 'refused' ? kind : 'failed', problem, restMs: kind === 'failed' ? outcome.retryAfterMs : null, passedOn }
}

function doubtfulSentence(count: number): string {
  return `${count} notifications may have gone out: their process ended, or its connection broke, while they were being sent; they are sent again, marked as possible duplicates`
}

const EXPIRED = `It could not be sent for ${LIMITS.courier.expireMs / 3_600_000} h and is no news any more. Look at the alarm itself.`
const DRILL_EXPIRED = 'It is of a drill and could not be sent in time: it would only have surprised its person.'
