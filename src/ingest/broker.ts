// The embedded MQTT broker, the one door to aedes. Gateways sign in with id and secret, publish below their own prefix and
// subscribe below it; what they publish is acknowledged after the journal's flush and not before. Refuse by identity, never
// by content: an error from aedes's hooks closes the connection, and a QoS 1 client would send the same bytes for ever.

import type { Duplex } from 'node:stream'
import { Aedes, type Client } from 'aedes'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import type { Count, Metrics } from '../platform/metrics.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf } from '../platform/problem.ts'
import { Acceptance, type BrokerJournal, type Done, GONE, type Publish, REFUSED } from './brokerAcceptance.ts'
import { MessageCounts, Refusals, SparseLog } from './brokerCounts.ts'
import { boundMemory, type Persistence } from './brokerMemory.ts'
import type { Peer } from './brokerPeer.ts'
import { type Address, BrokerPorts, type BrokerTls } from './brokerPorts.ts'
import { BrokerSession } from './brokerSession.ts'
import { SignIn } from './brokerSignIn.ts'
import { filterProblem, quoted } from './brokerTopics.ts'

export interface BrokerOptions {
  readonly host: string
  /** 0: any free port; `address` says which. */
  readonly port: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly journal: BrokerJournal
  /** Whether this is the secret of that gateway; takes the same time whether or not the gateway exists. */
  readonly authenticate: (gatewayId: string, secret: string) => Promise<boolean>
  /** False: there is no port without TLS. */
  readonly plain?: boolean
  /** A port with TLS, beside or instead of the plain one. */
  readonly tls?: BrokerTls | null
  /** Whether this gateway may come in at all: asked where a certificate stands for the secret. Missing: none may. */
  readonly standing?: (gatewayId: string) => boolean
  /** The loss identity's counters, where HTTP intake shares them. */
  readonly counts?: MessageCounts
}

/** A gateway's connection, for lists. */
export interface BrokerConnection {
  readonly gateway: string
  readonly clientId: string
  readonly remote: string
  /** Epoch ms. */
  readonly since: number
}

/** How often unfinished packets and held sockets are looked at. */
const LOOK_AROUND_MS = 250
/** What stop() waits at most for the last flush. */
const DRAIN_MS = 5_000

export class Broker implements Part {
  readonly name = 'broker'
  readonly #options: BrokerOptions
  /** What came in by MQTT, and whatever else counts here with it. */
  readonly counts: MessageCounts
  readonly #refusals: Refusals
  readonly #sparse: SparseLog
  readonly #acceptance: Acceptance
  readonly #signIn: SignIn
  readonly #ports: BrokerPorts
  readonly #sessions = new Set<BrokerSession>()
  /** Those that have not sent CONNECT, oldest first. */
  readonly #strangers = new Set<BrokerSession>()
  readonly #droppedOffline: Count
  readonly #droppedDown: Count
  #aedes: Aedes | null = null
  #lookAround: Timer | null = null
  #downInFlight = 0
  #stopping = false

  constructor(options: BrokerOptions) {
    const { metrics, clock, log } = options
    this.#options = options
    this.counts = options.counts ?? new MessageCounts(metrics)
    this.#sparse = new SparseLog(clock, log)
    this.#refusals = new Refusals(metrics, this.#sparse)
    this.#acceptance = new Acceptance(options.journal, clock, this.counts, this.#refusals)
    const { authenticate: verify, standing = () => false, tls } = options
    this.#signIn = new SignIn({ verify, standing, secretToo: tls?.secretToo ?? false }, log, this.#refusals)
    this.#ports = new BrokerPorts(log, this.#refusals, (stream, remote, peer) => this.accept(stream, remote, peer))
    tls?.certificate.onChange(({ revoked }) => this.#disconnectRevoked(revoked))
    this.#droppedOffline = metrics.counter('fenghuo_mqtt_offline_dropped_total', 'Messages a full offline session did not get.')
    this.#droppedDown = metrics.counter(
      'fenghuo_mqtt_down_dropped_total',
      'Messages to gateways dropped because too many were on their way.'
    )
    metrics.gauge('fenghuo_mqtt_connections', 'Open MQTT connections, signed in or not.', () => this.#sessions.size)
    metrics.gauge(
      'fenghuo_mqtt_held_connections',
      'MQTT connections not read because the journal is behind.',
      () => this.#acceptance.heldCount
    )
    metrics.gauge('fenghuo_mqtt_unflushed_messages', 'Publishes waiting for the journal.', () => this.#acceptance.waiting)
  }

  /** Where it listens without TLS; null before start(), after stop(), and where there is no such port. */
  get address(): Address | null {
    return this.#ports.plain
  }

  /** Where it listens with TLS. */
  get tlsAddress(): Address | null {
    return this.#ports.secure
  }

  /** Both, for people; null where nothing is open. */
  get shownAddress(): string | null {
    const shown = (scheme: string, at: Address | null): string[] => (at === null ? [] : [`${scheme}://${at.host}:${at.port}`])
    return [...shown('mqtt', this.address), ...shown('mqtts', this.tlsAddress)].join(' ') || null
  }

  /** Opens the ports, or throws a Refusal that says why one cannot be opened. */
  async start(): Promise<void> {
    if (this.#aedes !== null) return
    await this.open()
    const { host, port, plain = true, tls = null } = this.#options
    try {
      if (plain) await this.#ports.openPlain(host, port)
      if (tls !== null) await this.#ports.openSecure(tls)
    } catch (cause) {
      // What is open keeps the process alive.
      await this.stop()
      throw cause
    }
  }

  /** Everything but the port: for connections handed over by `accept`. */
  async open(): Promise<void> {
    if (this.#aedes !== null) return
    const aedes = new Aedes({
      // With the default of 100 and held callbacks its emitter recursed until the stack ran out.
      concurrency: 0,
      drainTimeout: LIMITS.mqtt.drainMs,
      connectTimeout: LIMITS.mqtt.connectMs,
      maxInflightInbound: LIMITS.mqtt.unreleasedPerClient,
      // Client ids are lengthened by the gateway's; their own length is checked at sign-in.
      maxClientsIdLength: 512,
      preConnect: (client, packet, done) => done(null, this.#signIn.prepare(sessionOf(client), packet)),
      authenticate: (client, username, password, done) => this.#signIn.authenticate(sessionOf(client), username, password, done),
      authorizePublish: (client, packet, done) => this.#authorizePublish(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => done(null, this.#mayListen(client, subscription.topic) ? subscription : null),
      authorizeForward: (client, packet) => (packet.topic.startsWith(sessionOf(client).prefix) ? packet : null)
    })
    await aedes.listen()
    this.#aedes = aedes
    const persistence = (aedes as unknown as { persistence: Persistence }).persistence
    boundMemory(persistence, this.#droppedOffline, (clientKey, packetId) => this.#signIn.released(clientKey, packetId))
    this.#signIn.opened(persistence)
    skipUnheard(aedes)
    aedes.on('connackSent', (packet, client) => packet.returnCode === 0 && this.#ready(sessionOf(client)))
    aedes.on('unsubscribe', (filters, client) => forgetFilters(sessionOf(client), filters))
    aedes.on('keepaliveTimeout', (client) => void (sessionOf(client).why = 'keep-alive timeout'))
    aedes.on('clientError', (client, error) => this.#failed(sessionOf(client), error))
    aedes.on('connectionError', (client, error) => this.#failed(sessionOf(client), error))
    ;(aedes as NodeJS.EventEmitter).on('error', (error: unknown) => this.#options.log.error(`The MQTT broker failed: ${messageOf(error)}`))
    this.#lookAround = this.#options.clock.every(LOOK_AROUND_MS, () => this.#look())
  }

  /** Serves one connection; `remote` is its address for log lines, `peer` what its certificate says. */
  accept(stream: Duplex, remote: string, peer: Peer | null = null): void {
    if (this.#aedes === null || this.#stopping) return void stream.destroy()
    if (this.#sessions.size >= LIMITS.mqtt.connections) {
      this.#refusals.add('tooManyConnections', `A connection from ${remote} was closed: ${LIMITS.mqtt.connections} are open already.`)
      return void stream.destroy()
    }
    const session = new BrokerSession(stream, remote, this.#options.clock.now(), peer)
    this.#sessions.add(session)
    this.#strangers.add(session)
    if (this.#strangers.size > LIMITS.mqtt.strangers) this.#closeOldestStranger()
    stream.once('close', () => this.#ended(session))
    this.#guard(session)
    // The session travels as the request aedes keeps for its owner.
    const client = this.#aedes.handle(stream, session as never) as unknown as { _keepaliveTimer: NodeJS.Timeout | null }
    session.keepAlive = () => void client._keepaliveTimer?.refresh()
  }

  /** Sends a message down to the gateway that `topic` names (QoS 1, at most as the subscriber asked for). Bounded: dropped and counted above. */
  publish(topic: string, payload: string): void {
    const gateway = this.#signIn.gateway(topic.split('/')[2] ?? '')
    if (this.#aedes === null || this.#stopping || gateway === undefined || !gateway.subscribed) return
    if (this.#downInFlight >= LIMITS.mqtt.downInFlight) return void this.#droppedDown.add()
    this.#downInFlight++
    this.#aedes.publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }, () => void this.#downInFlight--)
  }

  /** Closes every connection of a gateway: its secret changed, or it is gone from the plant. */
  disconnectGateway(id: string): void {
    for (const session of [...(this.#signIn.gateway(id)?.sessions ?? [])]) {
      session.why = 'disconnected'
      session.stream.destroy()
    }
  }

  gatewayConnected(id: string): boolean {
    return (this.#signIn.gateway(id)?.sessions.size ?? 0) > 0
  }

  connections(): BrokerConnection[] {
    const list: BrokerConnection[] = []
    for (const { gateway, clientKey, remote, since } of this.#sessions) {
      if (gateway !== null) list.push({ gateway: gateway.id, clientId: clientKey.slice(gateway.id.length + 1), remote, since })
    }
    return list
  }

  /** For good: accepts nothing more, waits a bounded time for the last flush, acknowledges what it covered, and closes. */
  async stop(): Promise<void> {
    if (this.#aedes === null || this.#stopping) return
    this.#stopping = true
    const closed = this.#ports.close()
    await Promise.race([this.#acceptance.drain(), pauseOf(this.#options.clock, DRAIN_MS)])
    // Acknowledgements leave with the end of the turn that wrote them.
    await turn()
    await turn()
    this.#lookAround?.cancel()
    for (const session of this.#sessions) session.stream.destroy()
    await new Promise<void>((resolve) => (this.#aedes as Aedes).close(resolve))
    await closed
    this.#aedes = null
  }

  #disconnectRevoked(revoked: ReadonlySet<string>): void {
    for (const session of [...this.#sessions]) {
      if (session.peer === null || !revoked.has(session.peer.number)) continue
      session.why = 'its certificate was revoked'
      this.#refusals.add('certificate', `${session} was disconnected: its certificate was revoked.`)
      session.stream.destroy()
    }
  }

  #authorizePublish(client: Client | null, packet: Publish, done: Done): void {
    if (client === null) return void done(REFUSED)
    const session = sessionOf(client)
    if ((client as unknown as { will: unknown }).will === packet) this.#acceptance.admitWill(session, packet, done)
    else this.#acceptance.admit(session, packet, done)
  }

  #mayListen(client: Client, filter: string): boolean {
    const session = sessionOf(client)
    const { gateway } = session
    if (gateway === null) return false
    let problem = filterProblem(filter, session.prefix)
    if (problem === null && !session.filters.has(filter) && session.filters.size >= LIMITS.mqtt.subscriptionsPerClient) {
      problem = `would be its subscription number ${session.filters.size + 1}; the limit is ${LIMITS.mqtt.subscriptionsPerClient}`
    }
    if (problem !== null) {
      this.#refusals.add('subscription', `${session} may not subscribe: the filter ${quoted(filter)} ${problem}.`)
      return false
    }
    session.filters.add(filter)
    gateway.subscribed = true
    if (filter !== `${session.prefix}rejects` && filter !== `${session.prefix}status`) gateway.listened = true
    return true
  }

  /** Puts the packet guard, and holding back, between the socket and aedes, which reads by `read(null)` when it is ready. */
  #guard(session: BrokerSession): void {
    const { stream, guard } = session
    const read = stream.read.bind(stream)
    stream.read = (size?: number): Buffer | null => {
      // Between CONNECT and CONNACK nothing is read: aedes would queue it, and close above 42 packets.
      // read(0) takes no bytes, but notices the end of a connection that has none left.
      if (guard.connected && (!session.ready || !this.#acceptance.mayRead(session))) return stream.readableLength === 0 ? read(0) : null
      const chunk = read(size) as Buffer | null
      if (chunk === null) return null
      const length = guard.look(chunk)
      if (length < 0) {
        this.#refuseBytes(session)
        return null
      }
      if (guard.connected && !session.greeted) {
        session.greeted = true
        this.#strangers.delete(session)
      }
      if (!guard.unfinished) session.unfinishedSince = null
      else session.unfinishedSince ??= this.#options.clock.monotonic()
      if (length === chunk.length) return chunk
      stream.unshift(chunk.subarray(length))
      return chunk.subarray(0, length)
    }
  }

  /** Idle sockets must not keep gateways out: one that says CONNECT at once is a stranger for a moment only. */
  #closeOldestStranger(): void {
    const [oldest] = this.#strangers
    if (oldest === undefined) return
    this.#strangers.delete(oldest)
    this.#refusals.add(
      'tooManyConnections',
      `A connection from ${oldest.remote} was closed: it is the oldest of many that never signed in.`
    )
    oldest.stream.destroy()
  }

  #refuseBytes(session: BrokerSession): void {
    const { problem } = session.guard
    if (problem === null) return
    if (problem.publish) this.counts.addRefused()
    session.why = problem.problem
    this.#refusals.add(problem.reason, `${session} was disconnected: ${problem.problem}.`)
    session.stream.destroy()
  }

  #ready(session: BrokerSession): void {
    session.ready = true
    if (!session.ended) session.stream.emit('readable')
  }

  /** aedes gave a connection up. What we refused ourselves has been said; a lost socket is no refusal. */
  #failed(session: BrokerSession, error: Error & { code?: unknown }): void {
    if (error === REFUSED || error === GONE || session.ended || session.guard.problem !== null || session.refusal !== null) return
    if (typeof error.code === 'string' || /time|drain|connection closed|premature close/i.test(error.message)) {
      session.why = session.why === 'connection lost' ? error.message : session.why
      return
    }
    if (/PUBLISH|too many levels/.test(error.message)) {
      this.counts.addRefused()
      this.#refusals.add('malformedTopic', `${session} was disconnected: ${error.message}.`)
    } else this.#refusals.add('malformed', `${session} was disconnected: ${error.message}.`)
    session.why = error.message
  }

  #ended(session: BrokerSession): void {
    if (session.ended) return
    session.ended = true
    this.#sessions.delete(session)
    this.#strangers.delete(session)
    this.#acceptance.ended(session)
    const { gateway } = session
    if (gateway === null) return
    this.#signIn.left(session)
    if (session.guard.saidGoodbye || this.#stopping) return
    this.#sparse.line('info', 'lost MQTT connections', `${session} lost its connection: ${session.why}`)
    // Its own will says so, where it has one; and a gateway with another connection is not offline.
    if (session.willSays !== false && gateway.sessions.size === 0) this.#acceptance.presence(gateway, false, session.why)
  }

  #look(): void {
    if (this.#acceptance.heldCount > 0) this.#acceptance.release()
    const now = this.#options.clock.monotonic()
    for (const session of this.#sessions) {
      const { unfinishedSince } = session
      if (session.held || session.waitingCount > 0) session.keepAlive()
      else if (unfinishedSince === null) continue
      else this.#unfinished(session, now - unfinishedSince)
    }
  }

  #unfinished(session: BrokerSession, forMs: number): void {
    if (forMs < LIMITS.mqtt.unfinishedPacketMs) return
    session.why = 'a packet stayed unfinished'
    const seconds = LIMITS.mqtt.unfinishedPacketMs / 1000
    this.#refusals.add('packetUnfinished', `${session} was disconnected: a packet was not finished within ${seconds} s.`)
    session.stream.destroy()
  }
}

/** The session that `accept` gave aedes along with the connection. */
function sessionOf(client: Client): BrokerSession {
  return client.req as unknown as BrokerSession
}

/** Passing telemetry on costs more than taking it in, and mostly nobody listens: a gateway's messages reach only its own clients. */
function skipUnheard(aedes: Aedes): void {
  const publish = aedes.publish.bind(aedes) as (packet: Publish, client: unknown, done?: Done) => void
  aedes.publish = ((packet: Publish, client: Client | Done | null, done?: Done) => {
    if (
      done !== undefined &&
      client !== null &&
      typeof client === 'object' &&
      !packet.retain &&
      sessionOf(client).gateway?.listened === false
    ) {
      return void done(null)
    }
    publish(packet, client, done)
  }) as Aedes['publish']
}

function forgetFilters(session: BrokerSession, filters: readonly string[]): void {
  for (const filter of filters) session.filters.delete(filter)
}

function pauseOf(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
