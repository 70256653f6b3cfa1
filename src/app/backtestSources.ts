// Where a backtest's inputs come from: recorded files, or the journal that a service has written. Either way they are journal
// records in the order of receipt. Invariant: the same source gives the same records, however they are fetched.

import path from 'node:path'
import { ReadOnlyJournal } from '../ingest/journal/readOnly.ts'
import type { Recording } from '../ingest/recorded/recording.ts'
import type { RecordedProblem } from '../ingest/recorded/samples.ts'
import type { JournalRecord } from '../model/journal.ts'
import type { Plant } from '../model/plant.ts'
import type { Log } from '../platform/log.ts'
import { Refusal } from '../platform/problem.ts'
import { OFFLINE_CLOCK_SKEW_MS, RecordWriter, withGateways } from './offline.ts'
import { Pipeline, type PipelineSnapshot } from './pipeline.ts'
import { Plants } from './plants.ts'
import { Snapshots } from './snapshots.ts'

/** One way of judging the inputs. */
export interface Bench {
  /** Null: the plant that was in force, as the journal says. */
  readonly plant: Plant | null
  /** Makes the plant that is judged by from the one in force; it may change rules only. Null: none. */
  readonly change: ((plant: Plant) => Plant) | null
}

export type Step =
  /** `file` and `line` where the record stands in a file. */
  | { readonly kind: 'record'; readonly record: JournalRecord; readonly file: string | null; readonly line: number }
  /** A row that cannot be read. */
  | RecordedProblem

/** A stretch of what is judged and where it comes from; epoch ms, both included; `to` null: the end. */
export interface SourceStretch {
  readonly source: 'history' | 'journal'
  readonly from: number
  readonly to: number | null
}

export interface BacktestSource {
  readonly clockSkewMs: number
  /** What people should know of where the inputs come from, or null. */
  readonly notice?: string | null
  /** Missing: all from one. */
  readonly sources?: readonly SourceStretch[]
  /** From the beginning; may be asked for again. */
  steps(): AsyncGenerator<Step>
  /** A pipeline that stands just before the first record. */
  begin(bench: Bench, first: JournalRecord): Promise<Pipeline>
  /** The plant that a 'plant' record puts in force. */
  plantOf(record: JournalRecord): Promise<Plant>
  /** How much of the present pass is done, 0 to 1. */
  readonly done: number
}

/** Recorded files. The virtual clock stands where the recording stands: at the latest instant seen. */
export class RecordedSource implements BacktestSource {
  readonly clockSkewMs = OFFLINE_CLOCK_SKEW_MS
  readonly #recording: Recording
  readonly #plant: Plant

  /** Every bench must have this plant's devices. */
  constructor(recording: Recording, plant: Plant) {
    this.#recording = recording
    this.#plant = withGateways(plant)
  }

  get done(): number {
    return this.#recording.bytes === 0 ? 1 : this.#recording.bytesRead / this.#recording.bytes
  }

  async *steps(): AsyncGenerator<Step> {
    const writer = new RecordWriter(this.#plant)
    let now = Number.NEGATIVE_INFINITY
    for await (const item of this.#recording.items()) {
      if (item.kind === 'problem') {
        yield item
        continue
      }
      const { file, line, device, at, values, bad } = item
      if (at === null && now === Number.NEGATIVE_INFINITY) {
        yield { kind: 'problem', file, line, problem: 'the first sample has no time, so nobody knows when it was' }
        continue
      }
      if (at !== null && at > now) now = at
      yield { kind: 'record', record: writer.telemetry(now, { device, ts: at, values, bad }), file, line }
    }
  }

  async begin({ plant, change }: Bench, first: JournalRecord): Promise<Pipeline> {
    const named = plant ?? this.#plant
    return Pipeline.begin(withGateways(change === null ? named : change(named)), first.seq - 1, first.receivedAt, this)
  }

  async plantOf(): Promise<Plant> {
    return this.#plant
  }
}

export interface JournalSourceOptions {
  /** The data folder of a service, which may be running. */
  readonly data: string
  /** What is told begins here (our clock, epoch ms): a snapshot from before may stand for what came before it. */
  readonly from: number | null
  /** Whether everybody judges by the plant that was in force, unchanged: only then may a snapshot take the beginning's place. */
  readonly asItWas: boolean
  readonly clockSkewMs?: number
  readonly log: Log
  /** Records fetched at once. */
  readonly recordsPerRead?: number
}

/** Where judging a journal begins. */
interface Origin {
  readonly afterSeq: number
  /** Null where the journal's first record says so. */
  readonly plantHash: string | null
  readonly snapshot: PipelineSnapshot | null
}

/** The journal of a data folder, read while its service may go on writing: up to what was there when this was opened. */
export class JournalSource implements BacktestSource {
  readonly clockSkewMs: number
  readonly #options: JournalSourceOptions
  readonly #journal: ReadOnlyJournal
  readonly #plants: Plants
  readonly #origin: Origin
  #reached: number

  private constructor(options: JournalSourceOptions, journal: ReadOnlyJournal, plants: Plants, origin: Origin) {
    this.#options = options
    this.#journal = journal
    this.#plants = plants
    this.#origin = origin
    this.#reached = origin.afterSeq
    this.clockSkewMs = options.clockSkewMs ?? OFFLINE_CLOCK_SKEW_MS
  }

  /** Throws a Refusal where the folder holds nothing that could be judged. */
  static async open(options: JournalSourceOptions): Promise<JournalSource> {
    const folder = path.resolve(options.data)
    const journal = await ReadOnlyJournal.open(path.join(folder, 'journal'))
    if (journal.lastSeq < journal.oldestSeq) throw new Refusal(`The journal in ${folder} holds no record yet: there is nothing to judge.`)
    const snapshots = new Snapshots<PipelineSnapshot>(path.join(folder, 'snapshots'), options.log)
    return new JournalSource(options, journal, new Plants(path.join(folder, 'plants')), await originOf(journal, snapshots, options))
  }

  /** Where the journal can be judged from, if it no longer reaches back to its beginning, or to `from`; else null. */
  get beginsAfter(): { readonly seq: number; readonly at: number; readonly plantHash: string } | null {
    const { snapshot, afterSeq } = this.#origin
    if (snapshot === null || afterSeq === 0) return null
    const { from } = this.#options
    const at = snapshot.position.advancedTo
    return from !== null && at < from ? null : { seq: afterSeq + 1, at, plantHash: snapshot.plantHash }
  }

  plantNamed(hash: string): Promise<Plant> {
    return this.#plants.load(hash)
  }

  /** A sentence where `beginsAfter` is not null. */
  get notice(): string | null {
    if (this.beginsAfter === null) return null
    const { from } = this.#options
    const { afterSeq } = this.#origin
    return `The journal no longer reaches back ${from === null ? 'to its beginning' : 'that far'}: it is judged from record ${afterSeq + 1} on.`
  }

  get done(): number {
    const { afterSeq } = this.#origin
    const all = this.#journal.lastSeq - afterSeq
    return all === 0 ? 1 : (this.#reached - afterSeq) / all
  }

  async *steps(): AsyncGenerator<Step> {
    for (let after = this.#origin.afterSeq; ; ) {
      const records = await this.#journal.read(after, this.#options.recordsPerRead)
      if (records.length === 0) return
      for (const record of records) {
        this.#reached = record.seq
        yield { kind: 'record', record, file: null, line: 0 }
      }
      after = (records.at(-1) as JournalRecord).seq
    }
  }

  async begin({ plant, change }: Bench, first: JournalRecord): Promise<Pipeline> {
    const { plantHash, snapshot } = this.#origin
    if (plant === null && change === null && snapshot !== null && this.#options.asItWas) {
      return Pipeline.restore(await this.#plants.load(snapshot.plantHash), snapshot, this)
    }
    const inForce = plant ?? (await this.#plants.load(plantHash ?? first.source))
    return Pipeline.begin(change === null ? inForce : change(inForce), first.seq - 1, first.receivedAt, this)
  }

  plantOf(record: JournalRecord): Promise<Plant> {
    return this.#plants.load(record.source)
  }
}

/** The newest snapshot before `from` where one may be used; else the beginning; else, where that is gone, the oldest snapshot. */
async function originOf(
  journal: ReadOnlyJournal,
  snapshots: Snapshots<PipelineSnapshot>,
  { from, asItWas, data }: JournalSourceOptions
): Promise<Origin> {
  // One that stands at the very end would leave nothing to judge.
  const usable = (await snapshots.seqs()).filter((seq) => seq >= journal.oldestSeq - 1 && seq < journal.lastSeq)
  if (asItWas && from !== null) {
    for (const seq of usable.toReversed()) {
      const snapshot = (await snapshots.newest(seq))?.state
      if (snapshot !== undefined && snapshot.position.seq >= journal.oldestSeq - 1 && snapshot.position.advancedTo < from)
        return { afterSeq: snapshot.position.seq, plantHash: snapshot.plantHash, snapshot }
    }
  }
  if (journal.oldestSeq === 1) {
    const [first] = await journal.read(0, 1)
    if (first?.kind === 'plant') return { afterSeq: 0, plantHash: null, snapshot: null }
  }
  const oldest = usable[0] === undefined ? null : ((await snapshots.oldest(usable[0]))?.state ?? null)
  if (oldest === null || oldest.position.seq >= journal.lastSeq) {
    throw new Refusal(
      `The journal in ${data} no longer holds its beginning and no snapshot beside it can be used, so nobody knows which plant its records were judged by.`
    )
  }
  return { afterSeq: oldest.position.seq, plantHash: oldest.plantHash, snapshot: oldest }
}
