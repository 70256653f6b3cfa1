// One turn of judging without I/O: what happens between the journal and the book. The live loop and the simulation of crashes
// call these very lines. Invariant: what was committed before is judged again unheard, and nothing else is.

import type { Journal } from '../ingest/journal/journal.ts'
import type { JournalRecord } from '../model/journal.ts'
import type { Plant } from '../model/plant.ts'
import type { Effects } from './effects.ts'
import type { Pipeline, Position } from './pipeline.ts'

/** How far a turn may reach in the journal: as far as it is flushed, and in time up to its watermark. */
export type Reach = Pick<Journal, 'flushedSeq' | 'watermark'>

/** The records that one turn may take of those that come next: a change of the plant is taken by itself. */
export function upToPlant(records: readonly JournalRecord[]): readonly JournalRecord[] {
  const plantAt = records.findIndex(({ kind }) => kind === 'plant')
  if (plantAt === -1) return records
  return plantAt === 0 ? records.slice(0, 1) : records.slice(0, plantAt)
}

/** How many records may be taken after `after`: no turn reaches across a boundary. */
export function mostUntil(most: number, after: number, boundaries: readonly number[]): number {
  return boundaries.reduce((least, boundary) => (boundary > after ? Math.min(least, boundary - after) : least), most)
}

/** What the clock alone had caused after the last committed record was told before the process ended: it happens again unheard. */
export function repeatUnheard(pipeline: Pipeline, committed: Position, effects: Effects): void {
  if (pipeline.position.seq === committed.seq) pipeline.advance(committed.advancedTo, effects)
  effects.clear()
}

/**
 * Judges the records, which end at or before `committed` where they begin before it, and then lets time pass as far as the
 * journal allows. `plant` is the one that a single 'plant' record puts in force. True where all of it had been committed
 * before the process ended: its effects are known and not for handing on.
 */
export function judgeTurn(
  pipeline: Pipeline,
  records: readonly JournalRecord[],
  plant: Plant | null,
  committed: Position,
  journal: Reach,
  effects: Effects
): boolean {
  const [first] = records
  if (first !== undefined && plant !== null) pipeline.replant(first, plant, effects)
  else pipeline.take(records, effects)
  const repeated = first !== undefined && !isBeyond(pipeline.position, committed)
  // Time may pass only when every record received up to then has been taken.
  if (!repeated && journal.flushedSeq === pipeline.position.seq) pipeline.advance(journal.watermark(), effects)
  return repeated
}

function isBeyond(position: Position, committed: Position): boolean {
  return position.seq > committed.seq || (position.seq === committed.seq && position.advancedTo > committed.advancedTo)
}
