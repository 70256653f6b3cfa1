// Receipts: what became of a message after its provider had accepted it. One may arrive before we know that it was accepted;
// it is kept for that moment, on disk: another process may be the one that sends. 'delivered' is final; a receipt that comes after we had given up still counts.

import { LIMITS } from '../platform/limits.ts'
import type { NotificationRow } from '../store/schema.ts'
import type { ChannelReceipt } from './channels/channel.ts'
import type { Outbox, Settlement } from './outbox.ts'
import { failed } from './outcomes.ts'

export class Receipts {
  readonly #outbox: Outbox
  /** By channel and the provider's id, the oldest first. */
  readonly #early = new Map<string, { readonly receipt: ChannelReceipt; readonly at: number }>()

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** What the row becomes; null where it changes nothing or no row is known by that name yet. */
  async settlementOf(channelId: string, receipt: ChannelReceipt, now: number): Promise<Settlement | null> {
    const row = await this.#outbox.byProviderId(channelId, receipt.providerId)
    if (row === null) {
      const { providerId, state, problem } = receipt
      await this.#outbox.keepEarly({ provider: channelId, provider_id: providerId, state, problem, at: now })
      this.#keep(keyOf(channelId, providerId), receipt, now)
      return null
    }
    return counts(row, receipt) ? { n: row.n, set: becomes(receipt, now) } : null
  }

  /** What rows become by receipts that had been waiting for them. */
  async late(limit: number): Promise<Settlement[]> {
    return (await this.#outbox.earlyMatched(limit)).map(({ row, receipt: { provider, provider_id, state, problem, at } }) => {
      const receipt: ChannelReceipt = { providerId: provider_id, state: state === 'failed' ? 'failed' : 'delivered', problem }
      return { n: row.n, set: counts(row, receipt) ? becomes(receipt, at) : {}, early: { provider, provider_id } }
    })
  }

  /** The outcome of a send, with the receipt that was quicker than it. */
  afterSend(settlement: Settlement, channelId: string): Settlement {
    const { provider_id: providerId, state } = settlement.set
    if (state !== 'sent' || providerId === null || providerId === undefined) return settlement
    const key = keyOf(channelId, providerId)
    const early = this.#early.get(key)
    if (early === undefined) return settlement
    this.#early.delete(key)
    const used = { provider: channelId, provider_id: providerId }
    return { n: settlement.n, set: { ...settlement.set, ...becomes(early.receipt, early.at) }, early: used }
  }

  #keep(key: string, receipt: ChannelReceipt, at: number): void {
    this.#early.set(key, { receipt, at })
    for (const oldest of this.#early.keys()) {
      if (this.#early.size <= LIMITS.courier.earlyReceipts) break
      this.#early.delete(oldest)
    }
  }
}

function counts(row: NotificationRow, { state }: ChannelReceipt): boolean {
  return row.state === 'sent' || (row.state === 'failed' && state === 'delivered')
}

function becomes({ state, problem }: ChannelReceipt, now: number): Settlement['set'] {
  if (state === 'failed') return failed(now, problem ?? 'The provider reports that it was not delivered.')
  return { state: 'delivered', delivered_at: now, problem: null, receipt_due: null, unreported: 1 }
}

function keyOf(channelId: string, providerId: string): string {
  return `${channelId} ${providerId}`
}
