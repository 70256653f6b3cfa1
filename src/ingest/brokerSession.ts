// What the broker remembers of a connection and of a gateway. Invariant: client ids are scoped by gateway
// (`gw-01/pump-house`), so no gateway can take over, or inherit the session of, another one's client.

import type { Duplex } from 'node:stream'
import type { RefusalReason } from './brokerCounts.ts'
import type { Peer } from './brokerPeer.ts'
import { judgeTopic, ownPrefix, type TopicVerdict } from './brokerTopics.ts'
import { PacketGuard } from './packetGuard.ts'

/** Topics whose verdict a connection remembers; above, it starts over. */
const VERDICTS = 256

/** A CONNECT that must be answered by a return code [MQTT-3.2.2-3]. */
export interface ConnectRefusal {
  readonly code: 2 | 3 | 4 | 5
  readonly reason: RefusalReason
  readonly sentence: string
}

/** A session kept over connections (clean session 0). */
export interface PersistentSession {
  /** QoS 2 packet ids not yet released: the publish waiting for its flush, or null once it is in the journal. */
  readonly unreleased: Map<number, Unflushed | null>
}

/** A QoS 2 publish on its way to the disk; `twins` are told of the flush too: repetitions that arrived meanwhile. */
export interface Unflushed {
  twins: ((error?: Error | null) => void)[] | null
}

/** One gateway as the broker knows it: its connections, presence, and what it keeps for it. */
export class GatewayDoor {
  readonly id: string
  readonly prefix: string
  /** Connections whose secret was right and whose socket is open. */
  readonly sessions = new Set<BrokerSession>()
  readonly persistent = new Map<string, PersistentSession>()
  /** Retained topics and the bytes of each. */
  readonly retained = new Map<string, number>()
  retainedBytes = 0
  /** Somebody may listen to its telemetry: then it is worth passing on. Stays true: a later session may inherit the filter. */
  listened = false
  /** Somebody of it subscribed to anything. */
  subscribed = false
  /** What the journal was told last; null: nothing since the service started. */
  online: boolean | null = null
  /** Presence to be journaled once there is room; the latest wins. */
  owed: { online: boolean; why: string } | null = null

  constructor(id: string) {
    this.id = id
    this.prefix = ownPrefix(id)
  }
}

/** One connection, from its first byte to its last. */
export class BrokerSession {
  readonly stream: Duplex
  readonly remote: string
  readonly since: number
  /** What its certificate says; null: it has none. */
  readonly peer: Peer | null
  readonly guard = new PacketGuard()
  /** Set once the secret was right. */
  gateway: GatewayDoor | null = null
  /** What it calls itself, before anybody believes it: for log lines. */
  claimed = ''
  /** `{gateway}/{client id}`. */
  clientKey = ''
  prefix = ''
  refusal: ConnectRefusal | null = null
  /** What its will on the own status topic says. */
  willSays: boolean | null = null
  persistent = false
  unreleased: Map<number, Unflushed | null> = new Map()
  readonly filters = new Set<string>()
  /** The connection that took over this one's client id. */
  successor: BrokerSession | null = null
  /** Its CONNECT is complete. */
  greeted = false
  /** CONNACK 0 was written. */
  ready = false
  ended = false
  /** Bytes stay unread in the socket until there is room again. */
  held = false
  waitingBytes = 0
  waitingCount = 0
  /** Monotonic ms since when a packet has been incomplete; null between packets. */
  unfinishedSince: number | null = null
  /** Puts off aedes's keep-alive timeout: while we do not read, silence is our doing. */
  keepAlive: () => void = () => {}
  /** Why the connection is ending, where we know. */
  why = 'connection lost'
  readonly #verdicts = new Map<string, TopicVerdict>()

  constructor(stream: Duplex, remote: string, since: number, peer: Peer | null) {
    this.stream = stream
    this.remote = remote
    this.since = since
    this.peer = peer
  }

  /** The verdict on a topic name; remembered, since devices repeat their topics. */
  verdictOn(topic: string): TopicVerdict {
    let verdict = this.#verdicts.get(topic)
    if (verdict === undefined) {
      verdict = judgeTopic(topic, this.prefix)
      if (this.#verdicts.size >= VERDICTS) this.#verdicts.clear()
      this.#verdicts.set(topic, verdict)
    }
    return verdict
  }

  /** `gw-01 (10.0.0.7:40112)`, for log lines. */
  toString(): string {
    return this.claimed === '' ? this.remote : `${this.claimed} (${this.remote})`
  }
}
