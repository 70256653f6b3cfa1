// Receipts: what became of a message after its provider had accepted it. One may arrive before we know that it was accepted, and
// another process may be the one that knows: it is kept on disk for that moment.

import type { ChannelReceipt } from './channels/channel.ts'
import type { Outbox, Settlement } from './outbox.ts'
import { byReceipt, countsFor } from './outcomes.ts'

/** What the row becomes; null where it changes nothing, or no row is known by that name yet: then it is kept. */
export async function settlementOf(outbox: Outbox, channelId: string, receipt: ChannelReceipt, now: number): Promise<Settlement | null> {
  const { providerId, state, problem } = receipt
  const from = countsFor(receipt)
  const row = await outbox.byProviderId(channelId, providerId)
  if (row === null) {
    const early = { provider: channelId, provider_id: providerId }
    await outbox.keepEarly({ ...early, state, problem, at: now })
    // Another process may have settled the send between the two.
    const meanwhile = await outbox.byProviderId(channelId, providerId)
    return meanwhile === null ? null : { n: meanwhile.n, from, set: byReceipt(receipt, now), early }
  }
  return from.some((one) => one === row.state) ? { n: row.n, from, set: byReceipt(receipt, now) } : null
}

/** What rows become by receipts that had been waiting for them. */
export async function lateReceipts(outbox: Outbox, limit: number): Promise<Settlement[]> {
  return (await outbox.earlyMatched(limit)).map(({ row, receipt }) => ({
    n: row.n,
    from: countsFor(receipt),
    set: byReceipt(receipt, receipt.at),
    early: { provider: receipt.provider, provider_id: receipt.provider_id }
  }))
}
