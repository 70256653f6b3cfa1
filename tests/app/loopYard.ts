// The parts behind the doors, assembled for tests: journal, state store, book, history and loop over one data folder, on a
// clock that the test moves. What a crash leaves is a copy of the folder.

import { cpSync, rmSync } from 'node:fs'
import path from 'node:path'
import { vi } from 'vitest'
import { Book } from '../../src/alerts/book.ts'
import { Loop } from '../../src/app/loop.ts'
import type { PipelineSnapshot } from '../../src/app/pipeline.ts'
import { Plants } from '../../src/app/plants.ts'
import { Snapshots } from '../../src/app/snapshots.ts'
import { History } from '../../src/history/history.ts'
import type { InfluxSettings } from '../../src/history/influxSettings.ts'
import { Journal } from '../../src/ingest/journal/journal.ts'
import type { JournalMirror } from '../../src/ingest/journal/mirror.ts'
import { alarmEventLine } from '../../src/model/alarm.ts'
import type { RecordKind } from '../../src/model/journal.ts'
import type { Plant } from '../../src/model/plant.ts'
import type { Clock } from '../../src/platform/clock.ts'
import type { Log } from '../../src/platform/log.ts'
import type { State } from '../../src/store/schema.ts'
import { openState } from '../store/stateYard.ts'

export interface YardOptions {
  readonly folder: string
  readonly plant: Plant
  readonly clock: Clock
  /** InfluxDB in place of the embedded store. */
  readonly influx?: InfluxSettings
  /** Rows history lets wait. */
  readonly pendingRows?: number
  readonly segmentBytes?: number
  readonly retention?: { readonly bytes: number; readonly ageMs: number }
  /** Holds up what is not to be flushed yet. */
  readonly mirror?: JournalMirror
}

export class LoopYard {
  readonly folder: string
  readonly sentences: string[] = []
  readonly journal: Journal
  readonly book: Book
  readonly history: History
  readonly loop: Loop
  readonly #state: State
  readonly #clock: Clock

  private constructor({ folder, plant, clock, influx, pendingRows, segmentBytes, retention, mirror }: YardOptions, state: State) {
    const say = (sentence: string): void => void this.sentences.push(sentence)
    const log: Log = { debug: say, info: say, warn: say, error: say }
    this.folder = folder
    this.#state = state
    this.#clock = clock
    const journal = { folder: path.join(folder, 'journal'), clock, log, segmentBytes: segmentBytes ?? 1024 * 1024 }
    this.journal = new Journal({ ...journal, mirror: mirror ?? null })
    this.book = new Book(state)
    const history = {
      folder: path.join(folder, 'history'),
      clock,
      log,
      memoryMb: 128,
      threads: 1,
      retentionDays: null,
      influx: influx ?? null
    }
    this.history = new History(pendingRows === undefined ? history : { ...history, pendingRows })
    this.loop = new Loop({
      clock,
      log,
      journal: this.journal,
      book: this.book,
      history: this.history,
      plant,
      plants: new Plants(path.join(folder, 'plants')),
      snapshots: new Snapshots<PipelineSnapshot>(path.join(folder, 'snapshots'), log),
      options: { clockSkewMs: 300_000 },
      retention: retention ?? { bytes: Number.MAX_SAFE_INTEGER, ageMs: Number.MAX_SAFE_INTEGER }
    })
  }

  static async open(options: YardOptions): Promise<LoopYard> {
    const yard = new LoopYard(options, await openState(path.join(options.folder, 'state.db')))
    await yard.journal.start()
    await yard.book.load()
    await yard.history.start()
    await yard.loop.start()
    return yard
  }

  /** Journals one record; resolves once it is flushed. */
  put(kind: RecordKind, source: string, body: unknown): Promise<number> {
    return this.journal.appended(kind, source, Buffer.from(JSON.stringify(body)))
  }

  /** Resolves once all that is flushed is judged, what has fallen due by the clock is revealed, and the loop sleeps. */
  async settled(): Promise<void> {
    await vi.waitFor(
      () => {
        const { position, nextDue } = this.loop.pipeline
        if (position.seq < this.journal.flushedSeq || nextDue < this.#clock.now()) throw new Error(`still at seq ${position.seq}`)
      },
      { timeout: 10_000, interval: 1 }
    )
    // Commits are made one after the other, and one that goes no further changes nothing: what was judged is in the store now.
    await this.book.commit({ events: [], rejects: [], position: this.book.position(), fleet: this.loop.pipeline.fleet })
    for (let turn = 0; turn < 30; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  }

  /** The whole alarm log. */
  async log(): Promise<string[]> {
    const page = await this.book.events({}, { limit: 1000 }, null)
    if ('problem' in page) throw new Error(page.problem)
    return page.items.map(({ event }) => alarmEventLine(event))
  }

  /** Every reading of a series in history. */
  async readings(device: string, metric: string): Promise<[number, number | null, string][]> {
    const all = await this.history.readings({ device, metric, from: 0, to: Date.parse('2100-01-01T00:00:00Z'), limit: 10_000 })
    return all.map(({ at, value, quality }) => [at, value, quality])
  }

  /** Ends as SIGTERM does. */
  async stop(): Promise<void> {
    await this.loop.stop()
    await this.history.stop()
    await this.#state.destroy()
    await this.journal.stop()
  }

  /** What a kill at this moment leaves on disk, in `folder`; this yard is ended. */
  async crash(folder: string): Promise<void> {
    rmSync(folder, { recursive: true, force: true })
    cpSync(this.folder, folder, { recursive: true })
    await this.stop()
  }
}
