// Answers questions from the open table and the files of the days touched, never from more at once than needed.

import { QUALITIES } from '../model/quality.ts'
import { LIMITS } from '../platform/limits.ts'
import type { ClosedDays } from './closing.ts'
import { type Piece, piecesOf } from './days.ts'
import type { EmbeddedStore } from './embedded.ts'
import type { Gate } from './gate.ts'
import type { Answer, Question } from './messages.ts'
import { bucketsSql, isSeriesName, readingsSql, type SeriesPlace } from './parquet.ts'
import type { Bucket, StoredReading } from './stretch.ts'

/** Pieces read at once while walking through time: doubled until the limit is met. */
const MOST_PIECES = 64

export class Asking {
  readonly #store: EmbeddedStore
  readonly #days: ClosedDays
  readonly #gate: Gate

  constructor(store: EmbeddedStore, days: ClosedDays, gate: Gate) {
    this.#store = store
    this.#days = days
    this.#gate = gate
  }

  /** Answers on reader `slot`; an unknown series has no rows. */
  async answer(slot: number, question: Question): Promise<Answer> {
    const { device, metric, from, to } = question
    const known = isSeriesName(device, metric) && from < to
    return this.#gate.pass(async () => {
      const series: SeriesPlace = { device, metric, id: known ? this.#store.seriesOf(device, metric) : undefined }
      const pieces = known ? piecesOf(from, to, this.#days.spans, this.#store.openDays) : []
      return question.kind === 'readings'
        ? { readings: await this.#readings(slot, series, pieces, to, question.limit) }
        : { buckets: await this.#buckets(slot, series, pieces, question) }
    })
  }

  async #readings(slot: number, series: SeriesPlace, pieces: readonly Piece[], to: number, limit: number): Promise<StoredReading[]> {
    const readings: StoredReading[] = []
    for (let first = 0, size = 1; first < pieces.length && readings.length < limit; first += size, size = Math.min(size * 2, MOST_PIECES)) {
      const some = pieces.slice(first, first + size)
      const sql = readingsSql(series, some, some[0]!.from, Math.min(to, some.at(-1)!.to), limit - readings.length, this.#pathOf)
      const [ats = [], values = [], codes = []] = await this.#store.ask(slot, sql, LIMITS.history.queryMs)
      for (let row = 0; row < ats.length; row++) {
        readings.push({ at: ats[row]!, value: values[row] ?? null, quality: QUALITIES[codes[row]!]! })
      }
    }
    return readings
  }

  async #buckets(
    slot: number,
    series: SeriesPlace,
    pieces: readonly Piece[],
    { from, to, everyMs }: Question & { readonly kind: 'buckets' }
  ): Promise<Bucket[]> {
    if (pieces.length === 0) return []
    const sql = bucketsSql(series, pieces, from, to, everyMs, this.#pathOf)
    const [ats = [], mins = [], maxs = [], avgs = [], lasts = [], counts = []] = await this.#store.ask(slot, sql, LIMITS.history.queryMs)
    return ats.map((at, row) => ({
      at: at!,
      min: mins[row]!,
      max: maxs[row]!,
      avg: avgs[row]!,
      last: lasts[row]!,
      count: counts[row]!
    }))
  }

  readonly #pathOf = (name: string): string => this.#days.pathOf(name)
}
