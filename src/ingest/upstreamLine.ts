// One persistent session with an external broker, kept connected: what is on its way, how it is, when to try again.
// Invariant: nothing is acknowledged that was not settled, and what was not is sent again by the broker.

import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import { type Delivery, type MqttLink, openLink } from '../platform/mqttLink.ts'
import type { Loss } from '../platform/mqttLosses.ts'
import { messageOf, Refusal } from '../platform/problem.ts'
import { Random } from '../platform/random.ts'
import { UpstreamRepeats } from './upstreamRepeats.ts'
import { credentialsOf, shownAddress, type UpstreamSettings } from './upstreamSettings.ts'

export interface LineParts {
  readonly settings: UpstreamSettings
  readonly clientId: string
  readonly clock: Clock
  readonly log: Log
  readonly keepAliveS?: number
  /** What is to be subscribed now. */
  readonly filters: () => ReadonlySet<string>
  /** Subscribed; `kept`: the broker still had the session. */
  readonly subscribed: (line: UpstreamLine, kept: boolean) => void
  readonly hear: (delivery: Delivery, line: UpstreamLine) => void
  readonly mayRead: (line: UpstreamLine) => boolean
}

export class UpstreamLine {
  readonly clientId: string
  /** Of what waits for the flush. */
  waitingBytes = 0
  waitingCount = 0
  /** Why it is not connected, as the end of a sentence; null while it is. */
  problem: string | null = 'not connected yet'
  /** Epoch ms, while it is connected. */
  since: number | null = null
  /** Epoch ms when another client was last seen to use our id, or supposed to. */
  takenOverAt = Number.NEGATIVE_INFINITY
  /** Epoch ms when the broker closed a connection that was well, without a reason. Not every broker says that it was taken over. */
  #closedAt: number[] = []
  connects = 0
  readonly repeats = new UpstreamRepeats()
  readonly #parts: LineParts
  readonly #random: Random
  #link: MqttLink | null = null
  #subscribed = new Set<string>()
  /** Filters given back on this connection: once is enough, however much still comes by them. */
  #dropped = new Set<string>()
  #refreshing: Promise<void> = Promise.resolve()
  #pauseMs: number = LIMITS.upstream.firstPauseMs
  #isStopping = false
  #wake: () => void = () => {}
  /** Ends the connection for this reason. */
  #lose: (loss: Loss) => void = () => {}
  #running: Promise<void> | null = null

  constructor(parts: LineParts) {
    this.#parts = parts
    this.clientId = parts.clientId
    this.#random = new Random(parts.clock.now()).fork(parts.clientId)
  }

  get isUp(): boolean {
    return this.since !== null
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Acknowledges what is settled, says goodbye; the broker keeps the session. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#link?.end()
    this.#wake()
    await this.#running
  }

  /** Reads no more: for the time until `stop`. */
  deafen(): void {
    this.#isStopping = true
    this.#link?.deafen()
  }

  /** Reads on where there is room again. */
  resume(): void {
    this.#link?.resume()
  }

  /** The plant has changed: subscribes what is new, and no longer what is gone. */
  refresh(): void {
    const link = this.#link
    if (link === null || !this.isUp) return
    this.#refreshing = this.#refreshing.then(() => this.#adjust(link)).catch(() => {})
  }

  /** Sends a message down; `done` once the broker has it, or it is lost. False while not connected. */
  publish(topic: string, payload: string, done: () => void): boolean {
    if (this.#link === null || !this.isUp) return false
    this.#link.publish(topic, payload, done)
    return true
  }

  /** Forgets a filter that the session still has, though nobody wants it. */
  drop(filter: string): void {
    const link = this.#link
    if (link === null || this.#dropped.has(filter) || this.#parts.filters().has(filter)) return
    this.#dropped.add(filter)
    this.#refreshing = this.#refreshing.then(() => link.unsubscribe([filter])).catch(() => {})
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const loss = await this.#connection()
      if (this.#isStopping) return
      this.#judge(loss)
      await this.#pause()
    }
  }

  /** One connection from its attempt to its end. */
  async #connection(): Promise<Loss> {
    const { settings, clock, clientId, keepAliveS = LIMITS.upstream.keepAliveS } = this.#parts
    let lose: (loss: Loss) => void = () => {}
    const lost = new Promise<Loss>((resolve) => {
      lose = resolve
    })
    this.#lose = lose
    this.#wake = () => lose({ kind: 'closed', sentence: 'it was stopped' })
    try {
      const { expiryS, connectMs, inFlight, longest } = BOUNDS
      const opening = openLink({
        ...{ address: settings.address, credentials: credentialsOf(settings), clientId, protocol: settings.protocol, clean: false },
        ...{ keepAliveS, expiryS, inFlight, longest, connectMs, clock },
        ears: {
          publish: (delivery) => this.#parts.hear(delivery, this),
          mayRead: () => !this.#isStopping && this.#parts.mayRead(this),
          lost: (loss) => lose(loss)
        }
      })
      const link = await Promise.race([opening, lost])
      if (isLoss(link)) {
        // Stopped before it came about.
        opening.then((late) => late.cut(), nothing)
        return link
      }
      this.#link = link
      const openedAt = clock.monotonic()
      try {
        const loss = (await Promise.race([this.#subscribe(link), lost.then(() => null)])) ?? (await lost)
        if (clock.monotonic() - openedAt >= LIMITS.upstream.steadyMs) this.#pauseMs = LIMITS.upstream.firstPauseMs
        if (loss.kind === 'closed' && this.isUp) this.#closedAt = [...this.#closedAt, clock.now()].slice(-LIMITS.upstream.closedOddly)
        return loss
      } finally {
        this.since = null
        this.#link = null
        this.repeats.left(link.unacknowledged)
        link.cut()
      }
    } catch (thrown) {
      if (thrown instanceof Refusal) return { kind: 'credentials', sentence: thrown.message }
      return isLoss(thrown) ? thrown : { kind: 'closed', sentence: messageOf(thrown) }
    }
  }

  /** A loss where the broker does not grant what is needed. */
  async #subscribe(link: MqttLink): Promise<Loss | null> {
    // Packet ids begin anew with a session.
    if (!link.sessionPresent) this.repeats.forget()
    const wanted = this.#parts.filters()
    const refused = await link.subscribe([...wanted]).catch(() => null)
    if (refused === null) return null
    if (refused.length > 0) return rightsLoss(refused)
    this.#subscribed = new Set(wanted)
    this.#dropped = new Set()
    // A session that was once the only one, without our knowing.
    if (!wanted.has('fh/1/#')) this.drop('fh/1/#')
    this.since = this.#parts.clock.now()
    this.connects++
    const before = this.problem
    this.problem = null
    const { clientId, settings, log } = this.#parts
    log.info(
      `connected to the MQTT broker ${shownAddress(settings.address)} as ${clientId}${before === null ? '' : ` (before: ${before})`}`
    )
    this.#parts.subscribed(this, link.sessionPresent)
    this.refresh()
    return null
  }

  async #adjust(link: MqttLink): Promise<void> {
    if (link !== this.#link) return
    const wanted = this.#parts.filters()
    const gone = [...this.#subscribed].filter((filter) => !wanted.has(filter))
    const fresh = [...wanted].filter((filter) => !this.#subscribed.has(filter))
    this.#subscribed = new Set(wanted)
    const refused = await link.subscribe(fresh)
    if (refused.length > 0 && link === this.#link) return this.#lose(rightsLoss(refused))
    if (gone.length > 0) await link.unsubscribe(gone)
  }

  #judge(loss: Loss): void {
    const { log, settings, clock, clientId } = this.#parts
    let { sentence } = loss
    const now = clock.now()
    if (loss.kind === 'takenOver') this.takenOverAt = now
    const { closedOddly, takenOverShownMs } = LIMITS.upstream
    if (loss.kind === 'closed' && this.#closedAt.length === closedOddly && now - (this.#closedAt[0] as number) < takenOverShownMs) {
      this.takenOverAt = now
      sentence += `, again and again: another client may use our client id ${clientId}`
    }
    if (sentence !== this.problem) log.warn(`MQTT broker ${shownAddress(settings.address)} (${clientId}): ${sentence}; trying again`)
    // Whoever had the session meanwhile may have acknowledged in it.
    if (this.takenOverAt === now) this.repeats.forget()
    this.problem = sentence
  }

  #pause(): Promise<void> {
    const ms = this.#pauseMs * (0.5 + this.#random.next() / 2)
    this.#pauseMs = Math.min(LIMITS.upstream.longestPauseMs, this.#pauseMs * 2)
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(ms, resolve)
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}

/** What every connection of ours is bounded by. */
export const BOUNDS = {
  expiryS: LIMITS.upstream.sessionExpiryS,
  connectMs: LIMITS.upstream.connectMs,
  inFlight: LIMITS.upstream.inFlight,
  longest: LIMITS.mqtt.packetBytes
} as const

/** The broker does not grant these filters. */
export function rightsLoss(filters: readonly string[]): Loss {
  const what = filters.slice(0, 3).join(', ') + (filters.length > 3 ? ` and ${filters.length - 3} more` : '')
  return { kind: 'rights', sentence: `it does not let us subscribe ${what}: give our user the right to read fh/1/# there` }
}

export function isLoss(thrown: unknown): thrown is Loss {
  return typeof thrown === 'object' && thrown !== null && 'sentence' in thrown && 'kind' in thrown
}

function nothing(): void {}
