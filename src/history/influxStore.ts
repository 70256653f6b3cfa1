// History in InfluxDB: stores batches whole with their position, answers questions. Runs in the worker only.
// Invariant: a batch counts as stored once every line of it was acknowledged, or dropped and counted; the position comes last.

import { LATE } from '../model/quality.ts'
import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { InfluxFailure, type InfluxSeries, InfluxServer } from './influx.ts'
import { fluxBuckets, fluxOf, fluxPosition, fluxReadings, fluxStanding, fluxStandingRows } from './influxFlux.ts'
import { type InfluxBatch, type InfluxPoint, withoutPlace } from './influxPoints.ts'
import { type InfluxPosition, POSITION_MEASUREMENT } from './influxPosition.ts'
import { bucketsIn, type LateRun, readingsIn, standingStatement, statementOf } from './influxQuestions.ts'
import type { InfluxSettings } from './influxSettings.ts'
import { InfluxSieve } from './influxSieve.ts'
import { type Answer, type DROP_REASONS, NO_DROPS, type Question } from './messages.ts'
import { isSeriesName } from './parquet.ts'

const MOST_ROWS = LIMITS.history.rowsPerQuery

/** A batch on its way, kept between attempts: what was acknowledged is not sent again. */
export interface Underway {
  readonly batch: InfluxBatch
  readonly drops: Record<(typeof DROP_REASONS)[number], number>
  lateSettled: boolean
  readonly left: Set<readonly InfluxPoint[]>
}

export function underway(batch: InfluxBatch): Underway {
  const left = new Set<readonly InfluxPoint[]>()
  const size = LIMITS.history.influx.pointsPerWrite
  for (let from = 0; from < batch.points.length; from += size) left.add(batch.points.slice(from, from + size))
  return { batch, drops: { ...NO_DROPS }, lateSettled: false, left }
}

export class InfluxStore {
  readonly #writer: InfluxServer
  readonly #reader: InfluxServer
  readonly #position: InfluxPosition
  readonly #clock: Clock
  readonly #sieve: InfluxSieve
  #drops: Underway['drops'] = { ...NO_DROPS }

  constructor(settings: InfluxSettings, position: InfluxPosition, clock: Clock, dropped: (sentence: string, expected: boolean) => void) {
    this.#writer = new InfluxServer(settings)
    this.#reader = new InfluxServer(settings, LIMITS.history.queryMs)
    this.#position = position
    this.#clock = clock
    this.#sieve = new InfluxSieve({
      server: this.#writer,
      clock,
      harmless: () => position.line(position.seq, clock.now()),
      dropped: (reason, readings, sentence) => {
        this.#drops[reason] += readings
        dropped(sentence, reason === 'retention')
      }
    })
  }

  get name(): string {
    return this.#writer.name
  }

  /** How far the server says that our journal is stored in it; 0: it has never heard of us. Creates a database that is missing. */
  async knownSeq(server = this.#writer): Promise<number> {
    try {
      return await this.#askPosition(server)
    } catch (cause) {
      if (!(cause instanceof InfluxFailure && cause.trouble === 'missing') || server.settings.api === 'v2') throw cause
      await this.#createDatabase(server, cause)
      return await this.#askPosition(server)
    }
  }

  /** The same, from one who does not wait for long. */
  async knownSeqSoon(): Promise<number> {
    const hasty = new InfluxServer(this.#writer.settings, LIMITS.history.influx.firstContactMs)
    try {
      return await this.knownSeq(hasty)
    } finally {
      hasty.close()
    }
  }

  async #askPosition(server: InfluxServer): Promise<number> {
    const { api, database } = server.settings
    const { installation } = this.#position
    if (api === 'v2') {
      const rows = await server.flux(fluxPosition(database, POSITION_MEASUREMENT, installation), 1)
      return Number(rows[0]?._value ?? 0)
    }
    const [series] = await server.query(`SELECT max("seq") FROM "${POSITION_MEASUREMENT}" WHERE "installation" = '${installation}'`)
    return Number(series?.[0]?.values[0]?.[1] ?? 0)
  }

  async #createDatabase(server: InfluxServer, missing: InfluxFailure): Promise<void> {
    try {
      await server.command(`CREATE DATABASE "${server.settings.database.replace(/["\\]/g, '\\$&')}"`)
    } catch (cause) {
      if (cause instanceof InfluxFailure && cause.trouble === 'passing') throw cause
      throw missing
    }
  }

  /** One attempt to store what is left of a batch. Rejects with an InfluxFailure. */
  async store(underway: Underway): Promise<void> {
    const { batch } = underway
    this.#drops = underway.drops
    if (!underway.lateSettled) await this.#settleLate(batch)
    underway.lateSettled = true
    const waiting = [...underway.left]
    const send = async (): Promise<void> => {
      for (let points = waiting.shift(); points !== undefined; points = waiting.shift()) {
        await this.#sieve.write(points, batch.names)
        underway.left.delete(points)
      }
    }
    const sent = await Promise.allSettled(Array.from({ length: LIMITS.history.influx.writesAtOnce }, send))
    for (const outcome of sent) if (outcome.status === 'rejected') throw outcome.reason
    await this.#writer.write(this.#position.line(batch.throughSeq, this.#clock.now()))
    this.#position.move(batch.throughSeq)
  }

  /** What came late does not stand over what came in time: it is left out where something in time is there already. */
  async #settleLate(batch: InfluxBatch): Promise<void> {
    const late = Map.groupBy(
      batch.points.filter(({ qualities }) => qualities.includes(LATE)),
      ({ device }) => device
    )
    const waiting: LateRun[] = []
    for (const [device, points] of late) waiting.push(...runsOf(batch, device, points))
    while (waiting.length > 0) {
      const runs = waiting.splice(0, LIMITS.history.influx.statementsPerRequest)
      for (const [i, series] of (await this.#standing(runs)).entries()) {
        const run = runs[i]!
        const device = batch.names.devices.indexOf(run.device)
        const byInstant = new Map(late.get(device)!.map((point) => [point.at, point]))
        for (const [at, ...qualities] of series.values) {
          const point = byInstant.get(Number(at))
          if (point === undefined) continue
          for (const [place, quality] of qualities.entries()) {
            if (quality === null || Number(quality) === LATE) continue
            const index = point.places.indexOf(batch.names.metrics[device]!.indexOf(run.metrics[place]!))
            if (index !== -1 && point.qualities[index] === LATE) withoutPlace(point, index)
          }
        }
        const end = Number(series.values.at(-1)?.[0])
        if (series.values.length >= MOST_ROWS && end < run.last) waiting.push({ ...run, from: end + 1 })
      }
    }
  }

  async #standing(runs: readonly LateRun[]): Promise<InfluxSeries[]> {
    const { api, database } = this.#writer.settings
    if (api === 'v2') {
      const answers: InfluxSeries[] = []
      for (const run of runs) answers.push(fluxStandingRows(await this.#writer.flux(fluxStanding(database, run), MOST_ROWS), run))
      return answers
    }
    const statements = await this.#writer.query(runs.map(standingStatement).join('; '))
    return runs.map((_, i) => statements[i]?.[0] ?? { name: '', columns: [], values: [] })
  }

  /** Answers; an unknown series has no rows. */
  async answer(question: Question): Promise<Answer> {
    const none: Answer = question.kind === 'readings' ? { readings: [] } : { buckets: [] }
    const { device, metric } = question
    if (!isSeriesName(device, metric)) return none
    const series = await this.#ask(question)
    if (series === null) return none
    return question.kind === 'readings' ? { readings: readingsIn(series, question.limit) } : { buckets: bucketsIn(series) }
  }

  async #ask(question: Question): Promise<readonly InfluxSeries[] | null> {
    const { api, database } = this.#reader.settings
    if (api === 'v1') {
      const statement = statementOf(question)
      return statement === null ? null : ((await this.#reader.query(statement))[0] ?? [])
    }
    const query = fluxOf(database, question)
    if (query === null) return null
    const rows = await this.#reader.flux(query, MOST_ROWS)
    return [question.kind === 'readings' ? fluxReadings(rows, question.metric) : fluxBuckets(rows, question.everyMs)]
  }

  close(): void {
    this.#writer.close()
    this.#reader.close()
  }
}

/** Stretches of a device's late instants, those near to each other together. */
function runsOf({ names }: InfluxBatch, device: number, points: readonly InfluxPoint[]): LateRun[] {
  const sorted = [...points].sort((a, b) => a.at - b.at)
  const places = new Set(sorted.flatMap(({ places, qualities }) => places.filter((_, i) => qualities[i] === LATE)))
  const metrics = [...places].map((place) => names.metrics[device]![place]!)
  const runs: { from: number; last: number }[] = []
  for (const { at } of sorted) {
    const run = runs.at(-1)
    if (run !== undefined && at - run.last <= LIMITS.history.influx.lateGapMs) run.last = at
    else runs.push({ from: at, last: at })
  }
  return runs.map((run) => ({ measurement: names.places[device]!.profile, device: names.devices[device]!, metrics, ...run }))
}

/** What a failure to store means, and what to do. */
export function troubleSentence(name: string, database: string, cause: InfluxFailure): string {
  const meanwhile = 'it is tried again by itself, and the journal keeps what arrives meanwhile'
  switch (cause.trouble) {
    case 'denied':
      return `${name} does not let us in (${cause.said}): check FENGHUO_INFLUX_TOKEN (history.influx.token) and its right to read and write "${database}"; ${meanwhile}`
    case 'missing':
      return `${name} has no "${database}" for us (${cause.said}): run "fenghuo history setup", or create it; ${meanwhile}`
    default:
      return `Readings cannot be stored in ${name} (${cause.said}): see that it runs, can be reached and has room; ${meanwhile}`
  }
}
