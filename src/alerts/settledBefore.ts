// What the journal says was sent, for a store that has lost it: a database that was put back, or failed over to one that was
// behind. The journal is read again then, and plans the same notifications anew; those it knows to have gone out are not sent again.

import type { DeliveryReport } from '../model/notification.ts'
import { guarded } from '../store/failure.ts'
import type { NotificationRow, State } from '../store/schema.ts'

/** A 'delivery' record. */
export interface JournaledReport {
  /** Receipt, epoch ms. */
  readonly at: number
  readonly report: DeliveryReport
}

const IDS_PER_QUERY = 500
const LOST = 'The state store had lost what was done in its last moments: this may have gone out, and is sent again under the same id.'

/**
 * Makes rows sent that the journal knows to be. Only for records that are read again at a start: then no sender can have written
 * anything of it since. What failed is tried again, so a report of that changes nothing. Call it inside the transaction.
 */
export async function settleReported(state: State, reports: readonly JournaledReport[]): Promise<void> {
  const told = reports.filter(({ report }) => report.state !== 'failed')
  for (let from = 0; from < told.length; from += IDS_PER_QUERY) {
    const some = told.slice(from, from + IDS_PER_QUERY)
    const ids = [...new Set(some.map(({ report }) => report.id))]
    const query = state.selectFrom('notifications').select(['n', 'id', 'sent_at']).where('id', 'in', ids)
    const rows = await query.where('state', 'in', ['queued', 'sending', 'sent']).execute()
    const byId = new Map(rows.map((row) => [row.id, row]))
    for (const { at, report } of some) {
      const row = byId.get(report.id)
      // What was once sent and is queued again was queued by hand.
      if (row === undefined || (report.state === 'sent' && row.sent_at !== null)) continue
      row.sent_at ??= at
      const set: Partial<NotificationRow> = { state: report.state, sent_at: row.sent_at, provider_id: report.providerId, problem: null }
      await state
        .updateTable('notifications')
        .set(report.state === 'sent' ? set : { ...set, delivered_at: at, receipt_due: null })
        .where('n', '=', row.n)
        .execute()
    }
  }
}

/** Marks whatever waits as perhaps sent before; answers how many. For a start on a store that has lost something. */
export async function doubtQueued(state: State): Promise<number> {
  const query = state.updateTable('notifications').set({ possible_duplicate: 1, problem: LOST })
  const waiting = query.where('state', '=', 'queued').where('possible_duplicate', '=', 0)
  return Number((await guarded(() => waiting.executeTakeFirst())).numUpdatedRows)
}
