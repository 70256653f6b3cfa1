// The courier takes due notifications from the outbox, most severe first, sends them, and writes down what came of it.
// Invariants: claimed on disk before it is sent; settled on disk before it is told; a row leaves 'sending' only by an outcome
// or, after a crash, by a doubt that is marked. Nothing is forgotten: what is queued is found again by every sweep.

import type { ChannelKind, DeliveryReport } from '../model/notification.ts'
import { CHANNEL_KINDS } from '../model/notification.ts'
import { levelRank, TIERS } from '../model/tier.ts'
import { type Clock, pause, type Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf as sentenceOf } from '../platform/problem.ts'
import type { Random } from '../platform/random.ts'
import { Together } from '../platform/together.ts'
import { StateFailure } from '../store/failure.ts'
import type { NotificationRow } from '../store/schema.ts'
import type { Channel, ChannelListener, ChannelReceipt, SendOutcome } from './channels/channel.ts'
import { Lane, type Trial } from './lane.ts'
import { type MessageSources, messageOf } from './message.ts'
import { type DueNotification, type Outbox, type OutboxFigures, reportOf, type Settlement } from './outbox.ts'
import { afterSend, expired, notReceived, notServed } from './outcomes.ts'
import type { Dispatcher } from './queues/dispatcher.ts'
import { Receipts } from './receipts.ts'

const ROWS_PER_BATCH = 500
const HOUSEKEEPING_MS = 5_000
const PRUNE_EVERY_MS = 60_000
const STORE_RETRY_MS = 1_000
const STOP_PATIENCE_MS = 4_000
/** Tiers whose lateness makes the ladder step on. */
const LATE_FROM = levelRank('orange')

export interface CourierParts extends MessageSources {
  readonly outbox: Outbox
  readonly channels: readonly Channel[]
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Puts a report into the journal; `done` is called once it is on disk. */
  readonly journal: (report: DeliveryReport, done: () => void) => void
  /** What somebody sent back through a channel. */
  readonly answered: (channel: Channel, answer: Parameters<ChannelListener['answer']>[0]) => void
}

export class Courier implements Part {
  readonly name = 'courier'
  readonly #parts: CourierParts
  readonly #lanes = new Map<ChannelKind, Lane>()
  /** What the dispatcher has been handed and has not brought to an end: by number, since when. */
  readonly #handedOut = new Map<number, { readonly due: DueNotification; readonly since: number; readonly place: string }>()
  readonly #handedOutAt = new Map<string, number>()
  readonly #claims: Together<number, NotificationRow | null>
  readonly #settlements: Together<Settlement, null>
  readonly #reported: Together<number, null>
  readonly #receipts: Receipts
  readonly #aborts = new Set<AbortController>()
  readonly #sending = new Set<Promise<unknown>>()
  /** In a lane already, however often the dispatcher brings it. */
  readonly #inLane = new Set<number>()
  /** Since when the dispatcher takes nothing, by the monotonic clock; null: it does. */
  #refusingSince: number | null = null
  #timer: Timer | null = null
  #sweeping: Promise<void> | null = null
  #again = false
  #running = false
  #housekeptAt = Number.NEGATIVE_INFINITY
  #prunedAt = 0
  #figures: OutboxFigures = { queued: 0, oldestDueAt: null, deadLetters: 0 }
  #problem: string | null = null

  constructor(parts: CourierParts) {
    this.#parts = parts
    const { outbox, clock, random, channels } = parts
    const nulls = (items: readonly unknown[]): null[] => items.map(() => null)
    this.#claims = new Together(ROWS_PER_BATCH, (ns) => outbox.claim(ns, clock.now()))
    this.#settlements = new Together(ROWS_PER_BATCH, (all) => outbox.settle(all).then(() => nulls(all)))
    this.#reported = new Together(ROWS_PER_BATCH, (ns) =>
      outbox.settle(ns.map((n) => ({ n, set: { unreported: 0 } }))).then(() => nulls(ns))
    )
    this.#receipts = new Receipts(outbox)
    for (const kind of CHANNEL_KINDS) {
      const served = channels.filter((channel) => channel.kind === kind)
      if (served.length === 0) continue
      this.#lanes.set(kind, new Lane({ kind, channels: served, clock, random, send: (due, channel) => this.#send(due, channel) }))
    }
  }

  /** What waits, as of a few seconds ago. */
  get figures(): OutboxFigures {
    return this.#figures
  }

  /** Sentences about what does not work at the moment, by part: `channel sms`, `notification queue`, `notifications`. */
  problems(): { readonly part: string; readonly problem: string }[] {
    const found: { part: string; problem: string }[] = []
    for (const lane of this.#lanes.values()) if (lane.problem !== null) found.push({ part: `channel ${lane.kind}`, problem: lane.problem })
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
    const { outbox, channels, clock, log, dispatcher } = this.#parts
    const doubtful = await outbox.requeueDoubtful(clock.now())
    if (doubtful > 0) {
      log.warn(`${doubtful} notifications were being sent when the service ended: they are sent again, marked as possible duplicates`)
    }
    await dispatcher.start((n) => this.#deliver(n))
    for (const channel of channels) {
      const listener: ChannelListener = {
        receipt: (receipt) =>
          void this.take(channel, [receipt]).catch((cause) => log.error(`a receipt of ${channel.id} is lost: ${sentenceOf(cause)}`)),
        answer: (answer) => this.#parts.answered(channel, answer)
      }
      // A provider that cannot be reached is no reason not to start: its channel says so.
      void channel.start(listener).catch((cause) => log.error(`channel ${channel.id} did not start: ${sentenceOf(cause)}`))
    }
    await this.#reportOld()
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
    await this.#settlements.settled()
    await this.#reported.settled()
    for (const channel of this.#parts.channels) await channel.stop().catch(() => {})
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
      const settlement = await this.#receipts.settlementOf(channel.id, receipt, this.#parts.clock.now())
      if (settlement !== null) await this.#settle(settlement)
    }
  }

  /** Somebody has answered the message, so it has arrived: written down, and told to the ladder. */
  async reached(n: number): Promise<void> {
    const row = await this.#parts.outbox.byN(n)
    if (row === null || (row.state !== 'sent' && row.state !== 'failed')) return
    const delivered_at = this.#parts.clock.now()
    await this.#settle({ n, set: { state: 'delivered', delivered_at, problem: null, receipt_due: null, unreported: 1 } })
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
    const { clock, outbox, dispatcher } = this.#parts
    const most = LIMITS.courier.handedOut
    this.#deliverStale()
    for (const tier of TIERS.toReversed().map(levelRank)) {
      for (const kind of this.#lanes.keys()) {
        const place = `${kind} ${tier}`
        // Half of them out: no need to ask yet. What is out are the oldest, so a page of `most` holds as many new ones.
        if ((this.#handedOutAt.get(place) ?? 0) > most / 2) continue
        const due = await outbox.due(kind, tier, clock.now(), most)
        const fresh = due.filter(({ n }) => !this.#handedOut.has(n))
        for (const one of fresh) this.#handOut(one, place)
        if (fresh.length > 0 && !(await dispatcher.offer(fresh))) this.#refused(fresh)
        else if (fresh.length > 0) this.#refusingSince = null
      }
    }
    if (clock.monotonic() - this.#housekeptAt < HOUSEKEEPING_MS) return
    this.#housekeptAt = clock.monotonic()
    await this.#keepHouse()
  }

  #handOut(due: DueNotification, place: string): void {
    this.#handedOut.set(due.n, { due, since: this.#parts.clock.monotonic(), place })
    this.#handedOutAt.set(place, (this.#handedOutAt.get(place) ?? 0) + 1)
  }

  #handBack(n: number): void {
    const out = this.#handedOut.get(n)
    if (out === undefined) return
    this.#handedOut.delete(n)
    this.#handedOutAt.set(out.place, (this.#handedOutAt.get(out.place) ?? 1) - 1)
  }

  /** A queue that takes nothing for a while is done without. */
  #refused(due: readonly DueNotification[]): void {
    const now = this.#parts.clock.monotonic()
    this.#refusingSince ??= now
    const away = now - this.#refusingSince >= LIMITS.courier.queuePatienceMs
    for (const { n } of due) {
      if (away) void this.#deliver(n)
      else this.#handBack(n)
    }
  }

  /** What the queue was handed and has not brought back has been lost with it, or is stuck in it: it is sent without it. */
  #deliverStale(): void {
    const before = this.#parts.clock.monotonic() - LIMITS.courier.queuePatienceMs
    for (const [n, { since }] of this.#handedOut) if (since <= before && !this.#inLane.has(n)) void this.#deliver(n)
  }

  /** Called by the dispatcher. The same number may come more than once, and from an earlier life: the claim decides. */
  async #deliver(n: number): Promise<void> {
    if (!this.#running || this.#inLane.has(n)) return
    const out = this.#handedOut.get(n)
    const lane = out === undefined ? undefined : this.#lanes.get(out.due.kind)
    // Not handed out by us: a sweep finds what is still to be sent.
    if (out === undefined || lane === undefined) return
    this.#inLane.add(n)
    await lane.enter(out.due)
    this.#inLane.delete(n)
    this.#handBack(n)
    if (this.#handedOut.size === 0 || this.#handedOutAt.get(out.place) === LIMITS.courier.handedOut / 2) this.wake()
  }

  #abortAll(): void {
    for (const abort of this.#aborts) abort.abort()
  }

  #send({ n }: DueNotification, channel: Channel): Promise<Trial> {
    const sending = this.#sendClaimed(n, channel).finally(() => this.#sending.delete(sending))
    this.#sending.add(sending)
    return sending
  }

  /** Claims, sends, settles. Never throws for what the world does. */
  async #sendClaimed(n: number, channel: Channel): Promise<Trial> {
    try {
      const row = this.#running ? await this.#claims.add(n) : null
      if (row === null) return { kind: 'idle', restMs: null }
      const outcome = await this.#ask(channel, row)
      await this.#settle(
        this.#receipts.afterSend(afterSend(row, channel, outcome, this.#parts.clock.now(), this.#parts.random), channel.id)
      )
      const troubled = outcome.kind === 'failed' || outcome.kind === 'doubtful'
      return { kind: troubled ? 'troubled' : 'well', restMs: outcome.kind === 'failed' ? outcome.retryAfterMs : null }
    } catch (cause) {
      if (!(cause instanceof StateFailure)) throw cause
      this.#problem = cause.message
      if (this.#running) await pause(this.#parts.clock, STORE_RETRY_MS)
      return { kind: 'idle', restMs: null }
    }
  }

  async #ask(channel: Channel, row: NotificationRow): Promise<SendOutcome> {
    const { clock } = this.#parts
    if (row.at < clock.now() - LIMITS.courier.expireMs) return { kind: 'refused', problem: EXPIRED }
    if (row.drill === 1 && row.at < clock.now() - LIMITS.drill.expireMs) return { kind: 'refused', problem: DRILL_EXPIRED }
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

  /** Writes what is known for certain, however long the disk takes; then tells the journal. */
  async #settle(settlement: Settlement): Promise<void> {
    for (;;) {
      try {
        await this.#settlements.add(settlement)
        break
      } catch (cause) {
        if (!(cause instanceof StateFailure && cause.passing)) throw cause
        this.#problem = cause.message
        if (!this.#running) throw cause
        await pause(this.#parts.clock, STORE_RETRY_MS)
      }
    }
    const { outbox } = this.#parts
    if (settlement.set.unreported !== 1) return
    const row = await outbox.byN(settlement.n)
    const report = row === null ? null : reportOf(row)
    if (report !== null) this.#report(settlement.n, report)
  }

  #report(n: number, report: DeliveryReport): void {
    if (!this.#running) return
    this.#parts.journal(report, () => {
      // What is not written down is reported once more at the next start: reports may come twice.
      if (this.#running) this.#reported.add(n).catch(() => {})
    })
  }

  /** What the journal did not get to hear before the process ended. */
  async #reportOld(): Promise<void> {
    for (const { n, report } of await this.#parts.outbox.unreported(LIMITS.courier.rows)) this.#report(n, report)
  }

  async #keepHouse(): Promise<void> {
    const { clock, outbox, journal } = this.#parts
    const now = clock.now()
    for (const settlement of await this.#receipts.late(ROWS_PER_BATCH)) await this.#settle(settlement)
    for (const row of await outbox.unreceipted(now, ROWS_PER_BATCH)) await this.#settle(notReceived(row, now))
    for (const { n, at, channel } of await outbox.hopeless(now - LIMITS.courier.expireMs, [...this.#lanes.keys()], ROWS_PER_BATCH)) {
      if (this.#inLane.has(n)) continue
      await this.#settle(at < now - LIMITS.courier.expireMs ? expired(n, now) : notServed(n, channel, now))
    }
    for (const { n, id, problem } of await outbox.newlyLate(now - LIMITS.courier.lateMs, LATE_FROM, ROWS_PER_BATCH)) {
      const why = `Not sent within ${LIMITS.courier.lateMs / 1000} s of being due; it is still tried.${problem === null ? '' : ` ${problem}`}`
      await this.#settlements.add({ n, set: { late: 1 } })
      journal({ id, state: 'failed', providerId: null, problem: why }, () => {})
    }
    this.#figures = await outbox.figures()
    if (clock.monotonic() - this.#prunedAt < PRUNE_EVERY_MS) return
    this.#prunedAt = clock.monotonic()
    await outbox.prune()
    await outbox.pruneEarly(now - LIMITS.courier.earlyMs)
  }
}

const EXPIRED = `It could not be sent for ${LIMITS.courier.expireMs / 3_600_000} h and is no news any more. Look at the alarm itself.`
const DRILL_EXPIRED = 'It is of a drill and could not be sent in time: it would only have surprised its person.'
