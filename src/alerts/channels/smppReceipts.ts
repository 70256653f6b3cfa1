// Receipts and replies as carriers deliver them over SMPP 3.4 (deliver_sm): read, matched to what was submitted, joined. Pure.

import { LIMITS } from '../../platform/limits.ts'
import type { ChannelReceipt } from './channel.ts'
import type { SmppSettings } from './settings.ts'
import type { PartPlace } from './smppText.ts'

/** What a carrier says became of one submitted part. */
export interface PartReceipt {
  readonly id: string
  readonly state: 'delivered' | 'failed'
  readonly problem: string | null
}

/** Final states of message_state (SMPP 3.4, 5.2.28); the others say nothing yet. */
const STATES: Readonly<Record<number, string>> = { 2: 'DELIVRD', 3: 'EXPIRED', 4: 'DELETED', 5: 'UNDELIV', 8: 'REJECTD' }
const FAILURES: Readonly<Record<string, string>> = {
  EXPIRED: 'it expired before the phone could be reached',
  DELETED: 'the carrier deleted it',
  UNDELIV: 'it cannot be delivered',
  REJECTD: 'the carrier rejected it'
}

/** By the parameters where the carrier sends them, else by the customary text (SMPP 3.4, appendix B); null where nothing is final. */
export function partReceipt(text: string, receiptedId: string | undefined, messageState: number | undefined): PartReceipt | null {
  const id = (receiptedId ?? /\bid:\s*(\S+)/i.exec(text)?.[1] ?? '').replace(/\0.*$/s, '')
  const stat = STATES[messageState ?? -1] ?? /\bstat:\s*([A-Z]{5,7})/i.exec(text)?.[1]?.toUpperCase()
  if (id === '' || stat === undefined) return null
  if (stat.startsWith('DELIV')) return { id, state: 'delivered', problem: null }
  const failure = FAILURES[stat]
  if (failure === undefined) return null
  const code = /\berr:\s*(\w+)/i.exec(text)?.[1]
  return { id, state: 'failed', problem: `${failure} (${stat}${code === undefined ? '' : `, error ${code}`})` }
}

/** Ids that differ in case and leading zeros alone are the same. */
export function messageId(id: string): string {
  return id.toLowerCase().replace(/^0+(?=.)/, '')
}

/** How the id in a receipt may have been spelled in the answer to its submit, likeliest first. */
function spellings(id: string, receiptIds: SmppSettings['receiptIds']): string[] {
  const same = messageId(id)
  const fromDecimal = /^\d{1,20}$/.test(same) ? [BigInt(same).toString(16)] : []
  const fromHex = /^[0-9a-f]{1,16}$/.test(same) ? [BigInt(`0x${same}`).toString(10)] : []
  switch (receiptIds) {
    case 'same':
      return [same]
    case 'decimal':
      return fromDecimal
    case 'hex':
      return fromHex
    case 'auto':
      return [same, ...fromDecimal, ...fromHex]
  }
}

interface Awaited {
  readonly first: string
  readonly open: Set<string>
  /** Told already: what its other parts come to changes nothing. */
  failed: boolean
}

/**
 * Turns receipts of parts into receipts of messages: delivered once every part is, failed with the first part that is. Which
 * parts belong together is known in memory alone: after a restart the receipt of the first part speaks for the message.
 */
export class PartReceipts {
  readonly #receiptIds: SmppSettings['receiptIds']
  readonly #awaited = new Map<string, Awaited>()
  /** Came before the answer to their submit did. */
  readonly #early = new Map<string, PartReceipt>()

  constructor(receiptIds: SmppSettings['receiptIds']) {
    this.#receiptIds = receiptIds
  }

  /** The parts of an accepted message, by their ids in the answers. Returns what early receipts already say of it. */
  expect(ids: readonly string[]): ChannelReceipt | null {
    const known = ids.map(messageId)
    const [first] = known
    if (first === undefined) return null
    const awaited = { first, open: new Set(known), failed: false }
    for (const id of known) this.#awaited.set(id, awaited)
    while (this.#awaited.size > LIMITS.channels.partsAwaited) this.#awaited.delete(this.#awaited.keys().next().value as string)
    let said: ChannelReceipt | null = null
    for (const early of [...this.#early.values()]) {
      if (this.#idOf(early.id) === null) continue
      this.#early.delete(early.id)
      said = this.take(early, false) ?? said
    }
    return said
  }

  /** What a part's receipt says of its message. `submitting`: an id not yet known may become so in a moment. */
  take(receipt: PartReceipt, submitting: boolean): ChannelReceipt | null {
    const id = this.#idOf(receipt.id)
    const { state, problem } = receipt
    if (id === null && submitting) {
      this.#early.set(receipt.id, receipt)
      if (this.#early.size > LIMITS.channels.repliesUnfinished) this.#early.delete(this.#early.keys().next().value as string)
      return null
    }
    // Of a part from before a restart, or nobody's: the message of that name, if any, is meant.
    if (id === null) return { providerId: spellings(receipt.id, this.#receiptIds)[0] ?? messageId(receipt.id), state, problem }
    const awaited = this.#awaited.get(id) as Awaited
    this.#awaited.delete(id)
    awaited.open.delete(id)
    if (awaited.failed) return null
    awaited.failed = state === 'failed'
    if (awaited.failed) return { providerId: awaited.first, state, problem }
    return awaited.open.size === 0 ? { providerId: awaited.first, state, problem } : null
  }

  /** Early receipts that turned out to be nobody's: nothing is being submitted any more. */
  leftOver(): ChannelReceipt[] {
    const left = [...this.#early.values()].map((receipt) => this.take(receipt, false))
    this.#early.clear()
    return left.filter((receipt) => receipt !== null)
  }

  #idOf(id: string): string | null {
    return spellings(id, this.#receiptIds).find((one) => this.#awaited.has(one)) ?? null
  }
}

/** Joins replies that arrive in parts. */
export class Replies {
  readonly #unfinished = new Map<string, (string | undefined)[]>()

  /** The whole reply once its last part is here, else null. */
  take(from: string, text: string, place: PartPlace | null): string | null {
    if (place === null) return text
    const key = `${from}/${place.reference}/${place.total}`
    const parts = this.#unfinished.get(key) ?? new Array<string | undefined>(place.total).fill(undefined)
    parts[place.number - 1] = text
    if (!parts.includes(undefined)) {
      this.#unfinished.delete(key)
      return parts.join('')
    }
    this.#unfinished.set(key, parts)
    if (this.#unfinished.size > LIMITS.channels.repliesUnfinished) this.#unfinished.delete(this.#unfinished.keys().next().value as string)
    return null
  }
}
