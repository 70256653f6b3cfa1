// A backtest: recorded samples through the very code that judges live, on a virtual clock that stands where the recording
// stands. It ends at the instant of the last sample, delays that run out at that instant included (contract 8).

import type { Recording } from '../ingest/recorded/recording.ts'
import { type RecordedProblem, type RecordedSample, recordedProblemLine } from '../ingest/recorded/samples.ts'
import type { AlarmEvent } from '../model/alarm.ts'
import type { Reject } from '../model/journal.ts'
import type { Plant } from '../model/plant.ts'
import { OfflineRun, RecordWriter, withGateways } from './offline.ts'

export interface BacktestListener {
  /** An event of the n-th plant, in the order of its alarm journal. */
  event(plant: number, event: AlarmEvent): void
  /** A row that could not be read, or a sample that the plant could not use: `file:line: problem`. */
  problem(line: string): void
}

export interface BacktestSummary {
  readonly samples: number
  /** Rows that could not be read. */
  readonly badRows: number
  /** Samples that could not be used, in whole or in part. */
  readonly rejected: number
  /** Epoch ms; null without any sample. */
  readonly from: number | null
  readonly to: number | null
}

/** Judges one recording under several plants at once, each by itself; they differ in their rules. */
export async function backtest(plants: readonly Plant[], recording: Recording, listener: BacktestListener): Promise<BacktestSummary> {
  const run = new BacktestRun(
    plants.map((plant) => withGateways(plant)),
    listener
  )
  for await (const item of recording.items()) {
    if (item.kind === 'sample') run.take(item)
    else run.refuse(item)
  }
  return run.finish()
}

class BacktestRun {
  readonly #plants: readonly Plant[]
  readonly #listener: BacktestListener
  readonly #writer: RecordWriter
  readonly #into = { events: [] as AlarmEvent[], rejects: [] as Reject[] }
  #runs: OfflineRun[] = []
  #samples = 0
  #badRows = 0
  #rejected = 0
  #from: number | null = null
  /** The virtual clock: the latest instant seen; it never goes back. */
  #now = Number.NEGATIVE_INFINITY

  constructor(plants: readonly Plant[], listener: BacktestListener) {
    this.#plants = plants
    this.#listener = listener
    this.#writer = new RecordWriter(plants[0] as Plant)
  }

  take(sample: RecordedSample): void {
    this.#samples++
    if (sample.at === null && this.#from === null) {
      this.refuse({
        kind: 'problem',
        file: sample.file,
        line: sample.line,
        problem: 'the first sample has no time, so nobody knows when it was'
      })
      return
    }
    if (sample.at !== null && sample.at > this.#now) this.#now = sample.at
    if (this.#from === null) {
      this.#from = this.#now
      this.#runs = this.#plants.map((plant) => new OfflineRun(plant, this.#now))
    }
    const record = this.#writer.telemetry(this.#now, { device: sample.device, ts: sample.at, values: sample.values, bad: sample.bad })
    for (const [plant, run] of this.#runs.entries()) {
      run.take(record, this.#into)
      this.#tell(plant, sample)
    }
  }

  refuse(found: RecordedProblem): void {
    this.#badRows++
    this.#listener.problem(recordedProblemLine(found))
  }

  finish(): BacktestSummary {
    for (const [plant, run] of this.#runs.entries()) {
      run.pass(this.#now, this.#into)
      this.#tell(plant, null)
    }
    const to = this.#from === null ? null : this.#now
    return { samples: this.#samples, badRows: this.#badRows, rejected: this.#rejected, from: this.#from, to }
  }

  #tell(plant: number, sample: RecordedSample | null): void {
    const { events, rejects } = this.#into
    for (const event of events) this.#listener.event(plant, event)
    // Plants that differ in their rules alone reject alike: each sample is named once.
    if (plant === 0 && sample !== null && rejects.length > 0) {
      this.#rejected++
      for (const { problem } of rejects) this.#listener.problem(recordedProblemLine({ ...sample, kind: 'problem', problem }))
    }
    events.length = 0
    rejects.length = 0
  }
}
