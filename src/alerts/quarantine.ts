// One thing in quarantine, and its way out once it could be used after all.

import type { Scope } from '../model/scope.ts'
import { guarded } from '../store/failure.ts'
import type { State } from '../store/schema.ts'
import { inScope } from '../store/scope.ts'
import type { QuarantinedReject } from './booked.ts'
import { rejectOfRow } from './rows.ts'

/** The reject of this id that somebody of this scope may see, else null. */
export async function quarantined(state: State, id: number, scope: Scope): Promise<QuarantinedReject | null> {
  let query = state.selectFrom('quarantine').selectAll().where('id', '=', id)
  if (scope !== null) query = query.where(inScope(scope))
  const row = await guarded(() => query.executeTakeFirst())
  return row === undefined ? null : rejectOfRow(row)
}

/** Takes out what one message said of one device (or of none). */
export async function release(state: State, { seq, device }: Pick<QuarantinedReject, 'seq' | 'device'>): Promise<void> {
  const query = state.deleteFrom('quarantine').where('seq', '=', seq)
  await guarded(() => query.where('device', device === null ? 'is' : '=', device).execute())
}
