// Watches the fixed headers of MQTT packets as their bytes arrive, so that a packet is refused by its declared length
// before anything buffers it. Invariant: no byte is handed on that belongs to a refused packet or follows one.

import { LIMITS } from '../platform/limits.ts'

const CONNECT = 1
const PUBLISH = 3
const DISCONNECT = 14

/** Why a stream of bytes must not be read on. */
export interface GuardProblem {
  readonly reason: 'packetTooLong' | 'malformed'
  /** The packet was a PUBLISH: a message was refused with it. */
  readonly publish: boolean
  readonly problem: string
}

/**
 * Walks the packets of one connection [MQTT-2.2]. Until the first packet, which must be CONNECT [MQTT-3.1.0-1], has ended
 * the lower limit of unknown clients holds.
 */
export class PacketGuard {
  /** The first packet is complete. */
  connected = false
  /** The client has sent DISCONNECT: what follows is no loss [MQTT-3.14.4-3]. */
  saidGoodbye = false
  problem: GuardProblem | null = null
  #type = 0
  /** Bytes of the remaining length seen so far; -1 between packets. */
  #lengthBytes = -1
  #length = 0
  /** Bytes of the present packet still to come. */
  #missing = 0

  /** A packet has begun and is not complete. */
  get unfinished(): boolean {
    return this.#missing > 0 || this.#lengthBytes >= 0
  }

  /**
   * Looks at the next bytes and says how many of them may be handed on now: all, only up to the end of the CONNECT
   * packet (look at the rest again once the client is known), or -1 where `problem` says why none may.
   */
  look(chunk: Uint8Array): number {
    let place = 0
    while (place < chunk.length) {
      if (this.#missing > 0) {
        const step = Math.min(this.#missing, chunk.length - place)
        this.#missing -= step
        place += step
        if (this.#missing === 0 && this.#firstEnds()) return place
        continue
      }
      const byte = chunk[place++] as number
      if (this.#lengthBytes < 0) {
        this.#type = byte >> 4
        if (!this.connected && this.#type !== CONNECT) return this.#refuse('malformed', 'the first packet is not CONNECT')
        this.#lengthBytes = 0
        this.#length = 0
        continue
      }
      this.#length += (byte & 0x7f) * 2 ** (7 * this.#lengthBytes)
      this.#lengthBytes++
      if (byte >= 0x80) {
        if (this.#lengthBytes === 4) return this.#refuse('malformed', 'the remaining length has more than 4 bytes')
        continue
      }
      const limit = this.connected ? LIMITS.mqtt.packetBytes : LIMITS.mqtt.connectBytes
      if (this.#length > limit) {
        return this.#refuse('packetTooLong', `a packet of ${this.#length} bytes was announced; the limit is ${limit}`)
      }
      this.#lengthBytes = -1
      this.#missing = this.#length
      if (this.#type === DISCONNECT) this.saidGoodbye = true
      if (this.#missing === 0 && this.#firstEnds()) return place
    }
    return place
  }

  #firstEnds(): boolean {
    if (this.connected) return false
    this.connected = true
    return true
  }

  #refuse(reason: GuardProblem['reason'], sentence: string): number {
    this.problem = { reason, publish: this.#type === PUBLISH, problem: sentence }
    return -1
  }
}
