// What came on former connections of a session and was never acknowledged: the broker still holds it and sends it again, marked as a
// repeat (DUP). Invariant: a message is taken for a repeat only where the broker cannot mean another one: until it hears an
// acknowledgement, its packet id belongs to that message [MQTT-2.2.1-3]. What we did acknowledge is never looked for here.

import { LIMITS } from '../platform/limits.ts'
import type { PublishFrame } from '../platform/mqttFrames.ts'
import type { Delivery } from '../platform/mqttLink.ts'

export class UpstreamRepeats {
  /** By packet id, the oldest first. */
  readonly #former = new Map<number, Delivery>()

  /** A connection has ended, and of these the broker has heard nothing. */
  left(unacknowledged: readonly Delivery[]): void {
    for (const delivery of unacknowledged) {
      this.#former.delete(delivery.frame.packetId)
      this.#former.set(delivery.frame.packetId, delivery)
    }
    for (const oldest of this.#former.keys()) {
      if (this.#former.size <= LIMITS.upstream.repeatsKnown) return
      this.#former.delete(oldest)
    }
  }

  /** The message that this is the repeat of; null: it is to be taken. Whatever comes under a packet id is the last to be compared with it. */
  firstOf({ qos, dup, packetId, topic, body, tooLong }: PublishFrame): Delivery | null {
    if (qos === 0) return null
    const former = this.#former.get(packetId)
    if (former === undefined) return null
    this.#former.delete(packetId)
    const { frame } = former
    const isSame = dup && frame.topic === topic && frame.tooLong === tooLong && frame.body.equals(body)
    return isSame ? former : null
  }

  /** The session is a new one, or somebody else may have acknowledged in it. */
  forget(): void {
    this.#former.clear()
  }
}
