// Whether a gateway is who it says: literal secrets by one hash, PHC hashes by their cost, but each only once: what has
// matched is remembered under an HMAC with a key of this process, so that a storm of reconnections is cheap.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Plant } from '../model/plant.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import { messageOf } from '../platform/problem.ts'
import { secretText } from '../platform/random.ts'
import { looksHashed, matchesPhc, type Phc, parsePhc } from './phc.ts'
import { Turns } from './turns.ts'

type Known = { readonly kind: 'literal'; readonly digest: Buffer } | { readonly kind: 'hashed'; readonly text: string; readonly phc: Phc }

export class GatewaySecrets {
  readonly #log: Log
  readonly #turns = new Turns(LIMITS.access.waitingGatewayChecks)
  readonly #key = secretText(32)
  #known: ReadonlyMap<string, Known> = new Map()
  /** HMACs of what has matched; the most recently used last. */
  readonly #matched = new Set<string>()
  readonly #running = new Map<string, Promise<boolean>>()
  readonly #waiting = new Map<string, number>()

  constructor(log: Log) {
    this.#log = log
  }

  /** From now on these are the gateways. One without a secret, or with a malformed hash, never matches. */
  setPlant(plant: Plant): void {
    const known = new Map<string, Known>()
    for (const { id, secret } of plant.gateways) {
      if (secret === null || secret === '') continue
      if (!looksHashed(secret)) {
        known.set(id, { kind: 'literal', digest: digestOf(secret) })
        continue
      }
      const phc = parsePhc(secret)
      if (phc.kind === 'problem') this.#log.warn(`gateway ${id} cannot sign in: ${phc.problem}`)
      else known.set(id, { kind: 'hashed', text: secret, phc })
    }
    this.#known = known
  }

  /** Whether this gateway has a secret that could match: it is in the plant, and not revoked. */
  stands(gatewayId: string): boolean {
    return this.#known.has(gatewayId)
  }

  /** Whether this is the gateway's secret. False also where too many checks are waiting: the gateway tries again. */
  async verify(gatewayId: string, secret: string | null): Promise<boolean> {
    const known = this.#known.get(gatewayId)
    if (known === undefined || secret === null || secret.length > LIMITS.access.passwordLength) return false
    if (known.kind === 'literal') return timingSafeEqual(digestOf(secret), known.digest)
    const mark = createHmac('sha256', this.#key)
      .update(JSON.stringify([gatewayId, known.text, secret]))
      .digest('base64')
    if (this.#matched.delete(mark)) {
      this.#matched.add(mark)
      return true
    }
    return this.#running.get(mark) ?? this.#check(gatewayId, known.phc, secret, mark)
  }

  async #check(gatewayId: string, phc: Phc, secret: string, mark: string): Promise<boolean> {
    const waiting = this.#waiting.get(gatewayId) ?? 0
    const turn = waiting < LIMITS.access.waitingChecksPerGateway ? this.#turns.take(() => this.#matches(gatewayId, phc, secret)) : null
    if (turn === null) return false
    this.#waiting.set(gatewayId, waiting + 1)
    this.#running.set(mark, turn)
    const matches = await turn
    this.#running.delete(mark)
    const left = (this.#waiting.get(gatewayId) ?? 1) - 1
    if (left === 0) this.#waiting.delete(gatewayId)
    else this.#waiting.set(gatewayId, left)
    if (matches) this.#remember(mark)
    return matches
  }

  async #matches(gatewayId: string, phc: Phc, secret: string): Promise<boolean> {
    try {
      return await matchesPhc(phc, secret)
    } catch (cause) {
      this.#log.error(`the secret of gateway ${gatewayId} could not be checked, it is refused: ${messageOf(cause)}`)
      return false
    }
  }

  #remember(mark: string): void {
    this.#matched.add(mark)
    for (const oldest of this.#matched) {
      if (this.#matched.size <= LIMITS.access.rememberedSecrets) break
      this.#matched.delete(oldest)
    }
  }
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
