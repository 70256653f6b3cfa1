// Bounds on what aedes keeps in memory for sessions and topics. Invariant: nothing a gateway does makes it keep more than
// LIMITS.mqtt allows, and nothing of one gateway's is ever kept for another's session.

import type { Readable } from 'node:stream'
import { LIMITS } from '../platform/limits.ts'
import type { Count } from '../platform/metrics.ts'
import type { GatewayDoor } from './brokerSession.ts'
import { ownPrefix } from './brokerTopics.ts'

interface SessionId {
  readonly id: string
}

interface Kept {
  readonly payload: Uint8Array
  readonly topic: string
}

/** The part of aedes's in-memory persistence that is bounded here; aedes has no types for it. */
export interface Persistence {
  addSubscriptions(client: SessionId, subscriptions: { topic: string }[]): Promise<void>
  cleanSubscriptions(client: SessionId): Promise<void>
  cleanIncoming(client: SessionId): Promise<void>
  incomingGetPacket(client: SessionId, packet: { cmd: string; messageId?: number }): Promise<unknown>
  outgoingEnqueueCombi(subscriptions: { clientId: string }[], packet: Kept): Promise<void>
  outgoingClearMessageId(client: SessionId, packet: object): Promise<object | undefined>
  outgoingStream(client: SessionId): Readable
}

/**
 * Puts the bounds in front of a persistence, in place: offline messages per session (further ones are dropped, the oldest
 * stay), and filters of a refused subscription, which aedes would otherwise keep for a persistent session next to granted ones.
 * `released` hears of each PUBREL by client key and packet id.
 */
export function boundMemory(persistence: Persistence, dropped: Count, released: (clientKey: string, packetId: number) => void): void {
  const queued = new Map<string, { count: number; bytes: number }>()
  const plain = {
    addSubscriptions: persistence.addSubscriptions.bind(persistence),
    incomingGetPacket: persistence.incomingGetPacket.bind(persistence),
    outgoingEnqueueCombi: persistence.outgoingEnqueueCombi.bind(persistence),
    outgoingClearMessageId: persistence.outgoingClearMessageId.bind(persistence)
  }
  persistence.addSubscriptions = (client, subscriptions) => {
    const prefix = ownPrefix(client.id.slice(0, client.id.indexOf('/')))
    return plain.addSubscriptions(
      client,
      subscriptions.filter(({ topic }) => topic.startsWith(prefix))
    )
  }
  persistence.incomingGetPacket = (client, packet) => {
    if (packet.cmd === 'pubrel' && packet.messageId !== undefined) released(client.id, packet.messageId)
    return plain.incomingGetPacket(client, packet)
  }
  persistence.outgoingEnqueueCombi = (subscriptions, packet) => {
    const bytes = bytesOf(packet)
    const open = subscriptions.filter(({ clientId }) => {
      const queue = queued.get(clientId) ?? { count: 0, bytes: 0 }
      if (queue.count >= LIMITS.mqtt.queuedPerSession || queue.bytes + bytes > LIMITS.mqtt.queuedBytesPerSession) {
        dropped.add()
        return false
      }
      queued.set(clientId, { count: queue.count + 1, bytes: queue.bytes + bytes })
      return true
    })
    return plain.outgoingEnqueueCombi(open, packet)
  }
  persistence.outgoingClearMessageId = async (client, packet) => {
    const cleared = await plain.outgoingClearMessageId(client, packet)
    const queue = queued.get(client.id)
    if (cleared !== undefined && queue !== undefined) {
      // What is cleared may by now be the PUBREL that took the message's place: its bytes are then counted until the queue is empty.
      const bytes = 'payload' in cleared ? bytesOf(cleared as Kept) : 0
      if (queue.count <= 1) queued.delete(client.id)
      else queued.set(client.id, { count: queue.count - 1, bytes: queue.bytes - bytes })
    }
    return cleared
  }
}

function bytesOf(packet: Kept): number {
  return packet.payload.length + packet.topic.length
}

/** Drops everything kept for a persistent session. */
export async function forgetSession(persistence: Persistence, clientKey: string): Promise<void> {
  const client = { id: clientKey }
  await persistence.cleanSubscriptions(client)
  await persistence.cleanIncoming(client)
  for await (const packet of persistence.outgoingStream(client)) await persistence.outgoingClearMessageId(client, packet as object)
}

/**
 * Whether a message may be retained for its gateway; notes it where it may. An empty body removes the retained message
 * [MQTT-3.3.1-10]. The status topic always may.
 */
export function mayRetain(gateway: GatewayDoor, topic: string, bytes: number): boolean {
  const before = gateway.retained.get(topic) ?? 0
  if (bytes === 0) {
    gateway.retained.delete(topic)
    gateway.retainedBytes -= before
    return true
  }
  const fits =
    (before > 0 || gateway.retained.size < LIMITS.mqtt.retainedPerGateway) &&
    gateway.retainedBytes - before + bytes <= LIMITS.mqtt.retainedBytesPerGateway
  if (!fits && topic !== `${gateway.prefix}status`) return false
  gateway.retained.set(topic, bytes)
  gateway.retainedBytes += bytes - before
  return true
}
