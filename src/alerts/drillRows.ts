// Drills in the state store: begun and ended in the transaction of the messages that they caused.

import type { DrillTurn } from '../model/drill.ts'
import type { DrillRow, State } from '../store/schema.ts'

/** Writes what became of drills; the same again changes nothing. Call inside the transaction. */
export async function writeDrills(state: State, turns: readonly DrillTurn[]): Promise<void> {
  for (const turn of turns) {
    if (turn.kind === 'begun') {
      await state
        .insertInto('drills')
        .values(rowOf(turn))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
      continue
    }
    const { id, at, outcome, by, note } = turn
    const end = { ended_at: at, outcome, acknowledged_by: by, answer: note }
    await state.updateTable('drills').set(end).where('id', '=', id).where('ended_at', 'is', null).execute()
  }
}

function rowOf({ id, at, by, asked, site, enterprise, ladder }: DrillTurn & { kind: 'begun' }): DrillRow {
  const { device, rule, tier, person, note, factor } = asked
  return {
    ...{ id, at, by_user: by, site, enterprise, device, rule, tier, person, note, ladder, factor },
    ...{ ended_at: null, outcome: null, acknowledged_by: null, answer: null, record: null, signature: null }
  }
}
