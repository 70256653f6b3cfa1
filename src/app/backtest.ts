// A backtest: inputs through the very code that judges live, under one or several sets of rules at once. Without `to` it ends
// at the receipt of the last record, delays that run out at that instant included (contract 8).

import { recordedProblemLine } from '../ingest/recorded/samples.ts'
import type { AlarmEvent } from '../model/alarm.ts'
import type { JournalRecord } from '../model/journal.ts'
import type { BacktestSource, Bench, Step } from './backtestSources.ts'
import { Effects } from './effects.ts'
import type { Pipeline } from './pipeline.ts'

export interface BacktestListener {
  /** What is told begins here: the alarms that stand, of each bench. `at` is our clock. */
  begins(at: number, benches: readonly Pipeline[]): void
  /** An event of the n-th bench, in the order of its alarm journal. */
  event(bench: number, event: AlarmEvent): void
  /** A row that could not be read, or a sample that the plant could not use: `file:line: problem`. */
  problem(line: string): void
}

/** By our clock, epoch ms, both included; null: from the first record, to the last. */
export interface Stretch {
  readonly from: number | null
  readonly to: number | null
}

export const EVERYTHING: Stretch = { from: null, to: null }

export interface BacktestSummary {
  readonly samples: number
  /** Rows that could not be read. */
  readonly badRows: number
  /** Samples of files, and records of a journal, that could not be used in whole or in part. */
  readonly rejected: number
  /** What was told, epoch ms; null without any sample. */
  readonly from: number | null
  readonly to: number | null
}

/** Judges one source under several benches at once, each by itself. */
export async function backtest(
  benches: readonly Bench[],
  source: BacktestSource,
  stretch: Stretch,
  listener: BacktestListener
): Promise<BacktestSummary> {
  const run = new BacktestRun(benches, source, stretch, listener)
  for await (const step of source.steps()) {
    if (step.kind === 'problem') run.refuse(recordedProblemLine(step))
    else if (stretch.to !== null && step.record.receivedAt > stretch.to) break
    else await run.take(step)
  }
  return run.finish()
}

class BacktestRun {
  readonly #benches: readonly Bench[]
  readonly #source: BacktestSource
  readonly #stretch: Stretch
  readonly #listener: BacktestListener
  readonly #effects = new Effects()
  #pipelines: Pipeline[] = []
  #samples = 0
  #badRows = 0
  #rejected = 0
  /** Where telling began; null before. */
  #from: number | null = null
  /** Receipt of the last record. */
  #now = 0

  constructor(benches: readonly Bench[], source: BacktestSource, stretch: Stretch, listener: BacktestListener) {
    this.#benches = benches
    this.#source = source
    this.#stretch = stretch
    this.#listener = listener
  }

  refuse(line: string): void {
    this.#badRows++
    this.#listener.problem(line)
  }

  /** One record. Asynchronous only where it begins, or puts another plant in force. */
  take(step: Exclude<Step, { kind: 'problem' }>): Promise<void> | undefined {
    const { record } = step
    if (this.#pipelines.length === 0) return this.#begin(record).then(() => this.take(step))
    this.#tellFrom(record.receivedAt)
    this.#now = record.receivedAt
    if (record.kind === 'plant') return this.#replant(record)
    for (let bench = 0; bench < this.#pipelines.length; bench++) {
      ;(this.#pipelines[bench] as Pipeline).take([record], this.#effects)
      if (bench === 0) this.#count(step)
      this.#tell(bench)
    }
    return undefined
  }

  finish(): BacktestSummary {
    const { to } = this.#stretch
    if (this.#pipelines.length > 0) {
      const end = Math.max(this.#now, to ?? 0)
      this.#tellFrom(end)
      this.#now = end
      for (const [bench, pipeline] of this.#pipelines.entries()) {
        pipeline.advance(end, this.#effects)
        this.#tell(bench)
      }
    }
    const until = this.#from === null ? null : this.#now
    return { samples: this.#samples, badRows: this.#badRows, rejected: this.#rejected, from: this.#from, to: until }
  }

  async #begin(first: JournalRecord): Promise<void> {
    for (const bench of this.#benches) this.#pipelines.push(await this.#source.begin(bench, first))
  }

  /** Begins telling where `now` reaches the stretch: what falls due before it is not told. */
  #tellFrom(now: number): void {
    const { from } = this.#stretch
    if (this.#from !== null || (from !== null && now < from)) return
    this.#from = from ?? (this.#pipelines[0] as Pipeline).position.advancedTo + 1
    for (const pipeline of this.#pipelines) pipeline.advance(this.#from - 1, this.#effects)
    this.#effects.clear()
    this.#listener.begins(this.#from, this.#pipelines)
  }

  async #replant(record: JournalRecord): Promise<void> {
    for (const [bench, pipeline] of this.#pipelines.entries()) {
      const { plant, change } = this.#benches[bench] as Bench
      // Who judges by a plant of his own is told nothing of others; the record only moves the position.
      const inForce = plant ?? (await this.#source.plantOf(record))
      pipeline.replant(record, change === null ? inForce : change(inForce), this.#effects)
      this.#tell(bench)
    }
  }

  #count({ file, line }: Exclude<Step, { kind: 'problem' }>): void {
    if (this.#from === null) return
    const { rejects, readings } = this.#effects
    if (file === null) for (let row = 0; row < readings.length; row++) this.#samples += readings.head[row] as number
    else this.#samples++
    if (rejects.length === 0) return
    // Benches differ in their rules alone, so they reject alike: each sample is named once.
    this.#rejected++
    if (file === null) return
    for (const { problem } of rejects) this.#listener.problem(recordedProblemLine({ kind: 'problem', file, line, problem }))
  }

  #tell(bench: number): void {
    if (this.#from !== null) for (const event of this.#effects.events) this.#listener.event(bench, event)
    this.#effects.clear()
  }
}
