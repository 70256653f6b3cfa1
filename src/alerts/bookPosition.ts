// How far the book is, and what it means where the store is somewhere else than we left it.

import { StateFailure } from '../store/failure.ts'
import { onServer } from '../store/postgres.ts'
import type { State } from '../store/schema.ts'
import type { Position } from './booked.ts'

export function isBeyond(position: Position, stored: Position): boolean {
  return position.seq > stored.seq || (position.seq === stored.seq && position.advancedTo > stored.advancedTo)
}

export function samePosition(one: Position, other: Position): boolean {
  return one.seq === other.seq && one.advancedTo === other.advancedTo
}

/** Somebody else writes to the store, or it has lost what it had confirmed. */
export function displaced(state: State, ours: Position, stored: Position): StateFailure {
  return new StateFailure(isBeyond(ours, stored) ? 'goneBack' : 'taken', null, onServer(state) ? 'server' : 'file')
}

/** The position in the store. */
export async function storedPosition(state: State): Promise<Position & { readonly lastEvent: number; readonly lastReject: number }> {
  const row = await state.selectFrom('position').selectAll().where('id', '=', 1).executeTakeFirstOrThrow()
  return { seq: row.seq, advancedTo: row.advanced_to, lastEvent: row.last_event, lastReject: row.last_reject }
}
