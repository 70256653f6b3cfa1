// A backtest over more than the journal still holds: readings from history up to where the journal can be judged from, then
// the journal. Invariant: each reading comes from one of the two, and who reads the summary knows from which.

import path from 'node:path'
import { ReadOnlyHistory } from '../history/embeddedReading.ts'
import type { JournalRecord } from '../model/journal.ts'
import type { Plant } from '../model/plant.ts'
import type { BacktestSource, Bench, JournalSource, SourceStretch, Step } from './backtestSources.ts'
import { RecordWriter, withGateways } from './offline.ts'
import { Pipeline } from './pipeline.ts'

/** Judging begins so long before what is told: alarms that stand for longer are raised anew. */
const WARM_UP_MS = 7 * 86_400_000

interface Early {
  /** Both included, epoch ms. */
  readonly from: number
  readonly to: number
  readonly plant: Plant
  /** The service holds the open days, and what lies between here and `to` is in neither: epoch ms. Null: nothing is missing. */
  readonly missingFrom: number | null
}

export class HistoryThenJournal implements BacktestSource {
  readonly clockSkewMs: number
  readonly #journal: JournalSource
  readonly #folder: string
  readonly #early: Early
  /** The latest instant taken from history. */
  #reached: number

  private constructor(journal: JournalSource, folder: string, early: Early) {
    this.clockSkewMs = journal.clockSkewMs
    this.#journal = journal
    this.#folder = folder
    this.#early = early
    this.#reached = early.from
  }

  /**
   * The journal alone where it reaches back as far as is asked, or history knows nothing earlier. `plant` judges what history
   * holds; null: the plant that was in force where the journal begins, as history does not say which was before.
   */
  static async open(journal: JournalSource, data: string, from: number | null, plant: Plant | null): Promise<BacktestSource> {
    const begins = journal.beginsAfter
    if (begins === null) return journal
    const folder = path.join(path.resolve(data), 'history')
    const history = await ReadOnlyHistory.open(folder)
    const { oldestAt, locked, closedUntil } = history
    history.close()
    if (oldestAt === null || oldestAt > begins.at) return journal
    const missing = locked && closedUntil !== null && closedUntil <= begins.at
    return new HistoryThenJournal(journal, folder, {
      from: from === null ? oldestAt : Math.max(oldestAt, from - WARM_UP_MS),
      to: begins.at,
      plant: withGateways(plant ?? (await journal.plantNamed(begins.plantHash))),
      missingFrom: missing ? closedUntil : null
    })
  }

  get notice(): string {
    const { from, to, missingFrom } = this.#early
    const missing =
      missingFrom === null
        ? ''
        : ` The running service holds the days that are not closed yet: readings from ${iso(missingFrom)} to ${iso(to)} are missing; stop it to have them too.`
    return `The journal no longer reaches back that far: from ${iso(from)} to ${iso(to)} readings come from history, each as if received at its own time; operators' actions, gateways that went offline and changes of the plant in that time are not known there.${missing}`
  }

  get sources(): SourceStretch[] {
    const { from, to } = this.#early
    return [
      { source: 'history', from, to },
      { source: 'journal', from: to + 1, to: null }
    ]
  }

  get done(): number {
    const { from, to } = this.#early
    return this.#reached < to ? (0.5 * (this.#reached - from)) / (to - from) : 0.5 + 0.5 * this.#journal.done
  }

  async *steps(): AsyncGenerator<Step> {
    yield* this.#fromHistory()
    this.#reached = this.#early.to
    yield* this.#journal.steps()
  }

  /** Under the plant that the history is judged by; a snapshot would know what history does not, and begin too late. */
  async begin({ plant, change }: Bench, first: JournalRecord): Promise<Pipeline> {
    const named = plant === null ? this.#early.plant : withGateways(plant)
    return Pipeline.begin(change === null ? named : change(named), first.seq - 1, first.receivedAt, this)
  }

  plantOf(record: JournalRecord): Promise<Plant> {
    return this.#journal.plantOf(record)
  }

  async *#fromHistory(): AsyncGenerator<Step> {
    const { from, to, plant } = this.#early
    const writer = new RecordWriter(plant)
    const seq = (this.#journal.beginsAfter?.seq ?? 1) - 1
    const history = await ReadOnlyHistory.open(this.#folder)
    try {
      for await (const samples of history.samples(from, to)) {
        for (const { device, at, values } of samples) {
          this.#reached = at
          // Numbered as one with the last record before the journal's: what comes from history has no number of its own.
          yield { kind: 'record', record: { ...writer.telemetry(at, { device, ts: at, values }), seq }, file: null, line: 0 }
        }
      }
    } finally {
      history.close()
    }
  }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
