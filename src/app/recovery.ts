// Where the pipeline begins: at the newest snapshot that can be read, else at the journal's first record, which puts a plant in force.

import type { Journal } from '../ingest/journal/journal.ts'
import type { Plant } from '../model/plant.ts'
import { type Clock, pause } from '../platform/clock.ts'
import { Refusal } from '../platform/problem.ts'
import { Pipeline, type PipelineOptions, type PipelineSnapshot } from './pipeline.ts'
import type { Plants } from './plants.ts'
import type { Snapshots } from './snapshots.ts'

/** How often a start that waits for the disk looks whether it is in trouble. */
const LOOK_MS = 250

export interface RecoveryParts {
  readonly clock: Clock
  readonly journal: Journal
  readonly plants: Plants
  readonly snapshots: Snapshots<PipelineSnapshot>
  readonly options: PipelineOptions
}

/** Journals that this plant is in force from now on. Throws a Refusal where the disk does not take it: nothing can start without. */
export async function journalPlant({ clock, journal, plants }: RecoveryParts, plant: Plant): Promise<void> {
  await plants.keep(plant)
  const flushed = journal.appended('plant', plant.hash, new Uint8Array())
  while ((await Promise.race([flushed, pause(clock, LOOK_MS)])) === undefined) {
    const { problem } = journal.health()
    if (problem !== null) throw new Refusal(problem)
  }
}

/**
 * A pipeline that stands somewhere at or before the end of the journal; what follows is for the loop to read. It does not
 * stand beyond `committedSeq`, the last record whose effects are in the book, as long as the journal reaches back so far:
 * what lies between would never be told.
 */
export async function restorePipeline(parts: RecoveryParts, plant: Plant, committedSeq: number): Promise<Pipeline> {
  const { journal, plants, snapshots, options } = parts
  if (journal.flushedSeq === 0) await journalPlant(parts, plant)
  const atMost = Math.min(journal.flushedSeq, committedSeq)
  const { oldestSeq } = journal.health()
  const [first] = oldestSeq === 1 ? await journal.read(0, 1, 1) : []
  const beginning = first?.seq === 1 && first.kind === 'plant' ? first : null
  const snapshot = (await snapshots.newest(atMost)) ?? (beginning === null ? await snapshots.newest(journal.flushedSeq) : null)
  if (snapshot !== null) return Pipeline.restore(await plants.load(snapshot.state.plantHash), snapshot.state, options)
  if (beginning !== null) return Pipeline.begin(await plants.load(beginning.source), 0, beginning.receivedAt, options)
  throw new Refusal(
    `The journal no longer holds its beginning (its oldest record is seq ${oldestSeq}) and no snapshot in the data folder can be read. Restore the data folder from a backup.`
  )
}
