// From a publish to its acknowledgement. Invariants: `done(null)` is called only after the journal has flushed the message;
// what waits for the flush is bounded, because sockets are not read while too much of it waits.

import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { MessageCounts, Refusals } from './brokerCounts.ts'
import { mayRetain } from './brokerMemory.ts'
import type { BrokerSession, GatewayDoor, Unflushed } from './brokerSession.ts'
import { parseStatus, quoted } from './brokerTopics.ts'
import type { Journal } from './journal/journal.ts'

/** The part of the journal the broker leans on. */
export type BrokerJournal = Pick<Journal, 'append' | 'unflushedBytes'>

/** How aedes wants to hear of a publish: an error closes the connection. */
export type Done = (error?: Error | null) => void

/** A publish as aedes hands it over. */
export interface Publish {
  readonly topic: string
  readonly payload: string | Buffer
  readonly qos: 0 | 1 | 2
  readonly messageId?: number | undefined
  readonly dup: boolean
  retain: boolean
}

/** Closes a connection about which everything has been said already. */
export const REFUSED = new Error('refused')
/** The connection ended before the flush: nobody is left to acknowledge to. */
export const GONE = new Error('connection closed')

/** Bytes a message costs beyond its body while it waits. */
const OVERHEAD = 128

/** Repetitions of one QoS 2 publish that may wait for its flush. */
const TWINS = 8

/** One publish waiting for its flush. Reused, so that a message costs neither a closure nor a promise. */
class Waiting implements Unflushed {
  session: BrokerSession | null = null
  bytes = 0
  done: Done | null = null
  /** Of QoS 2. */
  packetId = 0
  twins: Done[] | null = null
  readonly settle: () => void

  constructor(settled: (waiting: Waiting) => void) {
    this.settle = () => settled(this)
  }
}

export class Acceptance {
  readonly #journal: BrokerJournal
  readonly #clock: Clock
  readonly #counts: MessageCounts
  readonly #refusals: Refusals
  readonly #free: Waiting[] = []
  readonly #held = new Set<BrokerSession>()
  readonly #owing = new Set<GatewayDoor>()
  #releasing = false
  #stopping = false
  #whenIdle: (() => void) | null = null
  /** Publishes handed to the journal and not yet flushed. */
  waiting = 0

  constructor(journal: BrokerJournal, clock: Clock, counts: MessageCounts, refusals: Refusals) {
    this.#journal = journal
    this.#clock = clock
    this.#counts = counts
    this.#refusals = refusals
  }

  get heldCount(): number {
    return this.#held.size
  }

  /** Takes a client's publish: to the journal, or refused by identity. `done(null)` strictly after the flush. */
  admit(session: BrokerSession, packet: Publish, done: Done): void {
    const gateway = session.gateway
    if (gateway === null || this.#stopping) return void done(REFUSED)
    const verdict = session.verdictOn(packet.topic)
    if (verdict.kind === 'foreign' || verdict.kind === 'malformed') return void this.#refuseTopic(session, packet, verdict.kind, done)
    if (packet.qos === 2 && !this.#isFirst(session, packet, done)) return
    const body = packet.payload as Buffer
    if (packet.retain && !mayRetain(gateway, packet.topic, body.length)) packet.retain = false
    const online = verdict.kind === 'status' ? parseStatus(body) : null
    const waiting = this.#begin(session, packet, body.length + packet.topic.length + OVERHEAD, done)
    if (online !== null) {
      gateway.online = online
      gateway.owed = null
      this.#journal.append('presence', gateway.id, presenceBody(online, 'status'), waiting.settle)
    } else {
      // A gateway that publishes is not offline, whatever its last will said.
      if (gateway.online !== true) this.presence(gateway, true, 'published')
      this.#journal.append('telemetry', verdict.source, body, waiting.settle)
    }
  }

  /**
   * Takes the will of a connection that was lost. On the status topic it is presence, except where the same client id has
   * connected again meanwhile: a taken-over connection is not a gateway offline.
   */
  admitWill(session: BrokerSession, will: Publish, done: Done): void {
    const gateway = session.gateway
    if (gateway === null || this.#stopping) return void done(REFUSED)
    const verdict = session.verdictOn(will.topic)
    if (verdict.kind === 'foreign' || verdict.kind === 'malformed') return void this.#refuseTopic(session, will, verdict.kind, done)
    const body = Buffer.from(will.payload)
    const online = verdict.kind === 'status' ? parseStatus(body) : null
    if (online !== null && session.successor !== null && !session.successor.ended) return void done(REFUSED)
    if (will.retain && !mayRetain(gateway, will.topic, body.length)) will.retain = false
    if (online !== null) {
      this.presence(gateway, online, 'will')
      return void done(null)
    }
    const waiting = this.#begin(null, will, body.length + will.topic.length + OVERHEAD, done)
    this.#journal.append('telemetry', verdict.source, body, waiting.settle)
  }

  /** Journals that a gateway came or went. Without room it is owed; the latest wins, so a flapping gateway costs no memory. */
  presence(gateway: GatewayDoor, online: boolean, why: string): void {
    if (this.#stopping) return
    gateway.online = online
    if (this.#journal.unflushedBytes >= LIMITS.mqtt.unflushedBytes) {
      gateway.owed = { online, why }
      this.#owing.add(gateway)
      return
    }
    gateway.owed = null
    this.#journal.append('presence', gateway.id, presenceBody(online, why), nothing)
  }

  /** Whether the session's socket may be read now; where not, it is held until there is room again. */
  mayRead(session: BrokerSession): boolean {
    const room =
      !this.#stopping &&
      session.waitingBytes < LIMITS.mqtt.unflushedBytesPerConnection &&
      this.#journal.unflushedBytes < LIMITS.mqtt.unflushedBytes
    if (room) return true
    session.held = true
    this.#held.add(session)
    return false
  }

  /** Reads on where there is room again. Called after flushes, and now and then in case others filled the journal. */
  release(): void {
    this.#releasing = false
    if (this.#stopping || this.#journal.unflushedBytes >= LIMITS.mqtt.unflushedBytes / 2) return
    for (const gateway of this.#owing) {
      const owed = gateway.owed
      this.#owing.delete(gateway)
      gateway.owed = null
      // A gateway that is back before anybody could be told has not been away as far as the journal goes.
      if (owed === null || (!owed.online && gateway.sessions.size > 0)) gateway.online = null
      else this.presence(gateway, owed.online, owed.why)
    }
    for (const session of [...this.#held]) {
      if (this.#journal.unflushedBytes >= LIMITS.mqtt.unflushedBytes) break
      if (session.waitingBytes >= LIMITS.mqtt.unflushedBytesPerConnection / 2) continue
      this.#held.delete(session)
      session.held = false
      if (session.unfinishedSince !== null) session.unfinishedSince = this.#clock.monotonic()
      if (!session.ended) session.stream.emit('readable')
    }
  }

  /** Forgets a connection that has ended. */
  ended(session: BrokerSession): void {
    this.#held.delete(session)
  }

  /** Takes nothing more; resolves once everything handed to the journal is flushed. */
  async drain(): Promise<void> {
    this.#stopping = true
    if (this.waiting === 0) return
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve
    })
  }

  #refuseTopic(session: BrokerSession, packet: Publish, kind: 'foreign' | 'malformed', done: Done): void {
    this.#counts.addRefused()
    session.why = 'closed for publishing where it may not'
    if (kind === 'foreign') {
      const sentence = `${session} published to ${quoted(packet.topic)}: a gateway may publish below ${session.prefix} only. Its connection was closed.`
      this.#refusals.add('foreignTopic', sentence)
    } else {
      const sentence = `${session} published to a topic with bytes that are no UTF-8 text or with control characters: ${quoted(packet.topic)}. Its connection was closed.`
      this.#refusals.add('malformedTopic', sentence)
    }
    done(REFUSED)
  }

  /** False where the QoS 2 packet id is not released yet: a repetition, already in the journal or on its way [MQTT-4.3.3-2]. */
  #isFirst(session: BrokerSession, packet: Publish, done: Done): boolean {
    const before = session.unreleased.get(packet.messageId ?? 0)
    if (before === undefined) {
      if (session.unreleased.size < LIMITS.mqtt.unreleasedPerClient) return true
      this.#counts.addRefused()
      const sentence = `${session} has ${session.unreleased.size} QoS 2 messages it never released; the limit is reached. Its connection was closed.`
      this.#refusals.add('unreleased', sentence)
      done(REFUSED)
    } else if (before === null) done(null)
    else if (before.twins === null) before.twins = [done]
    else if (before.twins.length < TWINS) before.twins.push(done)
    else done(REFUSED)
    return false
  }

  #begin(session: BrokerSession | null, packet: Publish, bytes: number, done: Done): Waiting {
    const waiting = this.#free.pop() ?? new Waiting((settled) => this.#settled(settled))
    waiting.session = session
    waiting.bytes = bytes
    waiting.done = done
    waiting.packetId = 0
    this.waiting++
    if (session === null) return waiting
    session.waitingBytes += bytes
    session.waitingCount++
    if (packet.qos === 2) {
      waiting.packetId = packet.messageId ?? 0
      session.unreleased.set(waiting.packetId, waiting)
    }
    return waiting
  }

  #settled(waiting: Waiting): void {
    const { session, done, twins, packetId, bytes } = waiting
    if (done === null) throw new Error('the journal confirmed one message twice')
    waiting.session = null
    waiting.done = null
    waiting.twins = null
    this.#free.push(waiting)
    this.waiting--
    this.#counts.addJournaled()
    if (session !== null) {
      session.waitingBytes -= bytes
      session.waitingCount--
      if (packetId !== 0 && session.unreleased.get(packetId) === waiting) session.unreleased.set(packetId, null)
    }
    done(session?.ended === true ? GONE : null)
    if (twins !== null) for (const twin of twins) twin(null)
    if ((this.#held.size > 0 || this.#owing.size > 0) && !this.#releasing) {
      this.#releasing = true
      setImmediate(() => this.release())
    }
    if (this.waiting === 0 && this.#whenIdle !== null) this.#whenIdle()
  }
}

function presenceBody(online: boolean, why: string): Buffer {
  return Buffer.from(JSON.stringify({ online, why }))
}

function nothing(): void {}
