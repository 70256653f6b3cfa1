// Who a connection is: everything between CONNECT and CONNACK, and what a gateway's connections share afterwards.
// Invariant: nobody is believed before the secret was checked, and that check is made whatever else is wrong, so its
// duration says nothing about which gateways exist. A certificate that TLS has verified may stand for the secret, never for another's.

import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import { messageOf } from '../platform/problem.ts'
import type { Refusals } from './brokerCounts.ts'
import { forgetSession, type Persistence } from './brokerMemory.ts'
import { type BrokerSession, type ConnectRefusal, GatewayDoor } from './brokerSession.ts'
import { GATEWAY_ID, isWellFormed, judgeTopic, ownPrefix, parseStatus, quoted } from './brokerTopics.ts'

/** A CONNECT packet, as far as it matters here. */
export interface Connect {
  clientId: string
  readonly protocolVersion?: number | undefined
  readonly clean?: boolean | undefined
  readonly username?: string | undefined
  readonly password?: unknown
  readonly will?: { topic: string; payload: string | Buffer } | undefined
}

type Answer = (error: (Error & { returnCode: number }) | null, success: boolean | null) => void

export interface SignInChecks {
  /** Whether this is the secret of that gateway. */
  readonly verify: (gatewayId: string, secret: string) => Promise<boolean>
  /** Whether this gateway may come in at all: it is in the plant, and its secret is not revoked. */
  readonly standing: (gatewayId: string) => boolean
  /** Whether a gateway with a certificate must give its secret all the same. */
  readonly secretToo: boolean
}

export class SignIn {
  readonly #checks: SignInChecks
  readonly #log: Log
  readonly #refusals: Refusals
  /** Gateways that have signed in at least once: bounded by the plant. */
  readonly #gateways = new Map<string, GatewayDoor>()
  readonly #byClient = new Map<string, BrokerSession>()
  #persistence: Persistence | null = null
  #anonymous = 0

  constructor(checks: SignInChecks, log: Log, refusals: Refusals) {
    this.#checks = checks
    this.#log = log
    this.#refusals = refusals
  }

  opened(persistence: Persistence): void {
    this.#persistence = persistence
  }

  gateway(id: string): GatewayDoor | undefined {
    return this.#gateways.get(id)
  }

  /** Reads a CONNECT before aedes acts on it: scopes the client id, notes what is wrong. True: aedes may go on to `authenticate`. */
  prepare(session: BrokerSession, connect: Connect): true {
    const { clientId, will } = connect
    const username = connect.username ?? onlyName(session) ?? ''
    const clean = connect.clean !== false
    session.claimed = username === '' ? '' : GATEWAY_ID.test(username) ? username : quoted(username)
    session.prefix = ownPrefix(username)
    session.persistent = !clean
    session.refusal = connectProblem(session, connect, this.#checks.secretToo)
    if (will !== undefined) {
      const isStatus = will.topic === `${session.prefix}status`
      session.willSays = isStatus ? parseStatus(Buffer.from(will.payload)) : null
    }
    session.clientKey = `${username}/${clientId === '' ? `/${++this.#anonymous}` : clientId}`
    connect.clientId = session.clientKey
    if (connect.protocolVersion === 5) {
      // aedes answers return code 1 by itself [MQTT-3.1.2-2].
      session.refusal = refusal(2, 'protocolVersion', `${session} speaks MQTT 5; this broker speaks 3.1.1. Set the client to 3.1.1.`)
      this.#refusals.add('protocolVersion', session.refusal.sentence)
    }
    return true
  }

  /** Checks the secret and answers aedes: code 4 for a wrong one, 5 and others for what `prepare` found. */
  authenticate(session: BrokerSession, username: string | undefined, password: unknown, answer: Answer): void {
    const name = username ?? onlyName(session)
    const id = name !== null && GATEWAY_ID.test(name) ? name : '?'
    const secret = password == null ? '' : Buffer.from(password as Buffer).toString('utf8')
    this.#proven(session, id, secret)
      .then((right) => this.#decide(session, id, right))
      .catch((cause: unknown): ConnectRefusal => {
        this.#log.error(`The secret of ${session} could not be checked: ${messageOf(cause)}`)
        return refusal(3, 'unavailable', `${session} was turned away: its secret could not be checked just now.`)
      })
      .then((refused) => {
        if (session.ended) return
        if (refused === null) return void answer(null, true)
        session.refusal = refused
        this.#refusals.add(refused.reason, refused.sentence)
        answer(Object.assign(new Error(refused.sentence), { returnCode: refused.code }), null)
      })
      .catch((cause: unknown) => this.#log.error(`Signing in ${session} failed: ${messageOf(cause)}`))
  }

  /** A signed-in connection has ended. */
  left(session: BrokerSession): void {
    session.gateway?.sessions.delete(session)
    if (this.#byClient.get(session.clientKey) === session) this.#byClient.delete(session.clientKey)
  }

  /** A client has released a QoS 2 packet id. */
  released(clientKey: string, packetId: number): void {
    this.#byClient.get(clientKey)?.unreleased.delete(packetId)
  }

  /** A secret that is given must be right, also where a certificate would do without one. */
  async #proven({ peer }: BrokerSession, id: string, secret: string): Promise<boolean> {
    const { verify, standing, secretToo } = this.#checks
    if (peer === null || secretToo || secret !== '') return verify(id, secret)
    return standing(id)
  }

  #decide(session: BrokerSession, id: string, right: boolean): ConnectRefusal | null {
    if (session.refusal !== null) return session.refusal
    if (!right) return refusal(4, 'credentials', `${session} was turned away: unknown gateway or wrong secret.`)
    if (session.ended) return null
    const gateway = this.#gateways.get(id) ?? new GatewayDoor(id)
    const before = this.#byClient.get(session.clientKey)
    if (gateway.sessions.size - (before === undefined ? 0 : 1) >= LIMITS.mqtt.connectionsPerGateway) {
      const sentence = `${session} was turned away: ${id} has ${gateway.sessions.size} connections already, and the limit is reached.`
      return refusal(3, 'tooManyOfGateway', sentence)
    }
    this.#gateways.set(id, gateway)
    session.gateway = gateway
    session.claimed = id
    gateway.sessions.add(session)
    this.#byClient.set(session.clientKey, session)
    if (before !== undefined) {
      before.successor = session
      before.why = 'its client id connected again'
    }
    this.#resume(session, gateway)
    return null
  }

  /** Gives a persistent session its unreleased packet ids back; forgets the oldest idle session of a gateway with too many. */
  #resume(session: BrokerSession, gateway: GatewayDoor): void {
    if (!session.persistent) return void gateway.persistent.delete(session.clientKey)
    const kept = gateway.persistent.get(session.clientKey) ?? { unreleased: new Map() }
    gateway.persistent.set(session.clientKey, kept)
    session.unreleased = kept.unreleased
    if (gateway.persistent.size <= LIMITS.mqtt.sessionsPerGateway) return
    for (const clientKey of gateway.persistent.keys()) {
      if (this.#byClient.has(clientKey)) continue
      gateway.persistent.delete(clientKey)
      const client = quoted(clientKey.slice(gateway.id.length + 1))
      this.#log.warn(
        `${gateway.id} keeps more than ${LIMITS.mqtt.sessionsPerGateway} sessions; the oldest idle one, ${client}, was forgotten.`
      )
      if (this.#persistence !== null) {
        forgetSession(this.#persistence, clientKey).catch((cause: unknown) =>
          this.#log.error(`The session ${client} of ${gateway.id} could not be forgotten: ${messageOf(cause)}`)
        )
      }
      return
    }
  }
}

function refusal(code: ConnectRefusal['code'], reason: ConnectRefusal['reason'], sentence: string): ConnectRefusal {
  return { code, reason, sentence }
}

/** The gateway that a certificate names, where no user name says which. */
function onlyName({ peer }: BrokerSession): string | null {
  return peer?.gateways.length === 1 ? (peer.gateways[0] as string) : null
}

/** What of user name, password and certificate does not go together. */
function identityProblem(session: BrokerSession, { username, password }: Connect, secretToo: boolean): ConnectRefusal | null {
  const { peer } = session
  if (peer === null || secretToo) {
    const named = username !== undefined && username !== ''
    if ((!named && (peer === null || onlyName(session) === null)) || password === undefined) {
      return refusal(5, 'credentials', `${session} was turned away: it gave no gateway id and secret as user name and password.`)
    }
  }
  if (peer === null) return null
  const names = peer.gateways.length === 0 ? 'no gateway' : peer.gateways.join(', ')
  if (username === undefined && onlyName(session) === null) {
    return refusal(5, 'certificate', `${session} was turned away: it gave no user name, and its certificate names ${names}.`)
  }
  if (username === undefined || peer.gateways.includes(username)) return null
  return refusal(5, 'certificate', `${session} was turned away: its certificate names ${names}, its user name another gateway.`)
}

function connectProblem(session: BrokerSession, connect: Connect, secretToo: boolean): ConnectRefusal | null {
  const { clientId, clean, will } = connect
  const wrong = identityProblem(session, connect, secretToo)
  if (wrong !== null) return wrong
  if (!isWellFormed(clientId)) {
    return refusal(2, 'identity', `${session} was turned away: its client id holds bytes that are no UTF-8 text or control characters.`)
  }
  if (Buffer.byteLength(clientId) > LIMITS.mqtt.clientIdBytes) {
    return refusal(2, 'identity', `${session} was turned away: its client id is longer than ${LIMITS.mqtt.clientIdBytes} bytes.`)
  }
  // [MQTT-3.1.3-8]
  if (clientId === '' && clean === false) {
    return refusal(2, 'identity', `${session} was turned away: a session can be kept only for a client id, and it gave none.`)
  }
  if (will !== undefined) {
    const { kind } = judgeTopic(will.topic, session.prefix)
    if (kind === 'foreign' || kind === 'malformed' || /[+#]/.test(will.topic)) {
      return refusal(
        5,
        'willTopic',
        `${session} was turned away: its will goes to ${quoted(will.topic)}, which is not a topic below ${session.prefix}.`
      )
    }
  }
  return null
}
