// One-time links to acknowledge by. A link names its notification and when it ends, and carries a MAC over both: nobody makes
// one up, and nothing needs to be kept until it is used.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'

/** n 6 bytes, end in seconds 5 bytes, the first 16 bytes of the HMAC-SHA256 over both. */
const HEAD_BYTES = 11
const MAC_BYTES = 16

export class AckLinks {
  readonly #secret: string
  readonly #base: string | null
  readonly #clock: Clock

  /** `base`: where people's phones reach the service, without a slash at its end; null: no links are offered. */
  constructor(secret: string, base: string | null, clock: Clock) {
    this.#secret = secret
    this.#base = base
    this.#clock = clock
  }

  /** The link for the notification numbered n, good from now on for LIMITS.courier.linkMs. */
  url(n: number): string | null {
    return this.#base === null ? null : `${this.#base}/a/${this.token(n)}`
  }

  token(n: number): string {
    const head = Buffer.alloc(HEAD_BYTES)
    head.writeUIntBE(n, 0, 6)
    head.writeUIntBE(Math.floor((this.#clock.now() + LIMITS.courier.linkMs) / 1000), 6, 5)
    return Buffer.concat([head, this.#mac(head)]).toString('base64url')
  }

  /** The notification's number; null where the token is not one of ours. */
  read(token: string): { readonly n: number; readonly expired: boolean } | null {
    const bytes = Buffer.from(token, 'base64url')
    if (bytes.length !== HEAD_BYTES + MAC_BYTES || bytes.toString('base64url') !== token) return null
    const head = bytes.subarray(0, HEAD_BYTES)
    if (!timingSafeEqual(bytes.subarray(HEAD_BYTES), this.#mac(head))) return null
    return { n: head.readUIntBE(0, 6), expired: head.readUIntBE(6, 5) * 1000 <= this.#clock.now() }
  }

  #mac(head: Buffer): Buffer {
    return createHmac('sha256', this.#secret).update('acknowledge').update(head).digest().subarray(0, MAC_BYTES)
  }
}
