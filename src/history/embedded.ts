// The embedded store: DuckDB, in the history worker only; the one importer of the package.
// Invariant: rows, the series they introduce and the position `storedSeq` are committed in one transaction.

import { join } from 'node:path'
import {
  BIGINT,
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBVector,
  INTEGER,
  UTINYINT
} from '@duckdb/node-api'
import { Refusal } from '../platform/problem.ts'
import { DAY_MS, dayOf, type WaitingDay } from './days.ts'
import { DATABASE_FILE, HistoryFailure, SPILL_FOLDER } from './failure.ts'
import type { FleetNames, SharedBatch, WorkerOptions } from './messages.ts'
import { viewSegment } from './outbox.ts'
import { LAST_INSTANT } from './stretch.ts'

/** The newest layout of the database this code writes and reads. */
const LAYOUT = 1
const CHUNK_ROWS = 2048
const READERS = 2
const TWO_TO_32 = 4_294_967_296

const TABLES = `
  CREATE TABLE IF NOT EXISTS position (layout INTEGER NOT NULL, stored_seq BIGINT NOT NULL, arrivals BIGINT NOT NULL);
  INSERT INTO position SELECT ${LAYOUT}, 0, 0 WHERE NOT EXISTS (FROM position);
  CREATE TABLE IF NOT EXISTS series (id INTEGER NOT NULL, device VARCHAR NOT NULL, metric VARCHAR NOT NULL);
  CREATE TABLE IF NOT EXISTS readings ("at" BIGINT NOT NULL, series INTEGER NOT NULL, value DOUBLE, quality UTINYINT NOT NULL, n BIGINT NOT NULL)`

/** Columns of one chunk, as the package holds them: writing them one `setItem` at a time costs ten times as much. */
interface Raw<Items> {
  readonly items: Items
}

/** The numbers of a query's answer, column by column; NULL is null. */
export type NumberColumns = readonly (readonly (number | null)[])[]

/** A transaction of several steps belongs to one of these. */
export interface Keeper {
  run(sql: string): Promise<void>
  ask(sql: string): Promise<NumberColumns>
}

/** Opened, closed and opened again after a failure; between the two every call rejects. */
export class EmbeddedStore {
  readonly #options: WorkerOptions
  #instance: DuckDBInstance | null = null
  #writer: DuckDBConnection | null = null
  #keeper: DuckDBConnection | null = null
  #readers: DuckDBConnection[] = []
  #rows: DuckDBAppender | null = null
  #series: DuckDBAppender | null = null
  readonly #running = new Set<Promise<unknown>>()
  #closing = false
  #fleet: FleetNames = { devices: [], metrics: [], places: [] }
  /** Fleet series number -> series id in the database, -1 where it has none yet. */
  #idOf = new Int32Array(0)
  #firstSeries = new Int32Array(1)
  #seriesId = new Map<string, Map<string, number>>()
  #nextId = 0
  #arrivals = 0
  /** Days with rows in the table of open rows. */
  readonly openDays = new Map<number, WaitingDay>()
  storedSeq = 0

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  /** Opens or creates the database. Throws what DuckDB says; `whyNotOpened` makes it a sentence. */
  async open(now: number): Promise<void> {
    const { folder, memoryMb, threads } = this.#options
    this.#closing = false
    this.#instance = await DuckDBInstance.create(join(folder, DATABASE_FILE), {
      memory_limit: `${memoryMb}MB`,
      threads: String(threads),
      temp_directory: join(folder, SPILL_FOLDER),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false'
    })
    try {
      const writer = (this.#writer = await this.#instance.connect())
      await writer.run(TABLES)
      const [[layout, storedSeq, arrivals]] = (await numberRows(writer, 'SELECT layout, stored_seq, arrivals FROM position')) as [
        [number, number, number]
      ]
      if (layout > LAYOUT) {
        throw new Refusal(
          `The history in ${folder} was written by a newer version of Fenghuo (layout ${layout}, this one reads ${LAYOUT}): start that version`
        )
      }
      this.storedSeq = storedSeq
      this.#arrivals = arrivals
      await this.#loadSeries(writer)
      await this.#loadOpenDays(writer, now)
      this.#keeper = await this.#instance.connect()
      for (let reader = 0; reader < READERS; reader++) this.#readers.push(await this.#instance.connect())
      this.#rows = await writer.createAppender('readings')
      this.#series = await writer.createAppender('series')
    } catch (cause) {
      await this.close()
      throw cause
    }
  }

  /** Interrupts what runs, waits for it to end, and closes; the database checkpoints itself where it can. */
  async close(): Promise<void> {
    this.#closing = true
    const connections = [...this.#readers, this.#keeper, this.#writer].filter((connection) => connection !== null)
    this.#readers = []
    this.#keeper = this.#writer = null
    const interrupt = (): void => {
      for (const connection of connections) connection.interrupt()
    }
    interrupt()
    const again = setInterval(interrupt, 20)
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
    clearInterval(again)
    for (const appender of [this.#rows, this.#series]) appender?.clear()
    this.#rows = this.#series = null
    for (const connection of connections) connection.closeSync()
    this.#instance?.closeSync()
    this.#instance = null
  }

  /** From the next batch on, series numbers are those of this fleet. */
  adoptFleet(names: FleetNames): void {
    this.#fleet = names
    this.#firstSeries = new Int32Array(names.devices.length + 1)
    let series = 0
    for (let device = 0; device < names.devices.length; device++) {
      this.#firstSeries[device] = series
      series += names.metrics[device]!.length
    }
    this.#firstSeries[names.devices.length] = series
    this.#matchFleet()
  }

  /** The number of a series in the table of open rows; undefined: nothing of it was stored there. */
  seriesOf(device: string, metric: string): number | undefined {
    return this.#seriesId.get(device)?.get(metric)
  }

  /**
   * Stores a batch whole, with its position, on disk when this resolves; a batch already stored is not stored again.
   * Returns its rows, signs of life not counted. Where it fails nothing of it is kept, and the store must be closed and opened again.
   */
  async commit(batch: SharedBatch, now: number): Promise<number> {
    if (batch.throughSeq <= this.storedSeq) return countRows(batch)
    const writer = alive(this.#writer)
    await this.#track(() => writer.run('BEGIN'))
    if (this.#closing) throw reopening()
    const days = new Map<number, number>()
    const rows = this.#append(batch, days)
    this.#rows!.flushSync()
    this.#series!.flushSync()
    const arrivals = this.#arrivals + rows
    await this.#track(() => writer.run(`UPDATE position SET stored_seq = ${batch.throughSeq}, arrivals = ${arrivals}`))
    await this.#track(() => writer.run('COMMIT'))
    this.#arrivals = arrivals
    this.storedSeq = batch.throughSeq
    for (const [day, count] of days) this.#addOpen(day, count, now)
    return rows
  }

  /** The connection that closes days. It ends with the store: after a reopening every call of it rejects. */
  keeper(): Keeper {
    const connection = alive(this.#keeper)
    const still = (): DuckDBConnection => alive(this.#keeper === connection ? connection : null)
    return {
      run: async (sql) => void (await this.#track(() => still().run(sql))),
      ask: async (sql) => this.#track(() => numberColumns(still(), sql))
    }
  }

  /** Asks on reader `slot`, below `readers`; stops the query after `timeoutMs`. */
  async ask(slot: number, sql: string, timeoutMs: number): Promise<NumberColumns> {
    const reader = alive(this.#readers[slot])
    let late = false
    const interrupt = setInterval(() => {
      late = true
      reader.interrupt()
    }, timeoutMs)
    try {
      return await this.#track(() => numberColumns(reader, sql))
    } catch (cause) {
      if (late) throw new Refusal(`This question took longer than ${timeoutMs / 1000} s and was stopped: ask for a shorter stretch of time`)
      if (this.#closing) throw reopening()
      throw cause
    } finally {
      clearInterval(interrupt)
    }
  }

  readonly readers = READERS

  /** Rejects where the database no longer answers at all: DuckDB shuts itself after a failed checkpoint. */
  async probe(): Promise<void> {
    await this.#track(() => alive(this.#writer).run('FROM position'))
  }

  /** `count` rows of `day` are in a file now. */
  removeOpen(day: number, count: number): void {
    const open = this.openDays.get(day)
    if (open === undefined) return
    open.rows -= count
    if (open.rows <= 0) this.openDays.delete(day)
    else open.since = open.latest
  }

  #addOpen(day: number, count: number, now: number): void {
    const open = this.openDays.get(day)
    if (open === undefined) this.openDays.set(day, { rows: count, since: now, latest: now })
    else {
      open.rows += count
      open.latest = now
    }
  }

  /** Appends every row but the signs of life, chunk by chunk; counts them per day. */
  #append(batch: SharedBatch, days: Map<number, number>): number {
    const chunk = DuckDBDataChunk.create([BIGINT, INTEGER, DOUBLE, UTINYINT, BIGINT])
    let rows = 0
    for (const { memory, length } of batch.segments) {
      const { at, value, series, quality } = viewSegment(memory)
      for (let from = 0; from < length; ) {
        chunk.reset()
        chunk.rowCount = CHUNK_ROWS
        const columns = [0, 1, 2, 3, 4].map((column) => chunk.getColumnVector(column)) as DuckDBVector[]
        const [ats, ids, values, qualities, arrivals] = columns as unknown as [
          Raw<BigInt64Array>,
          Raw<Int32Array>,
          Raw<Float64Array>,
          Raw<Uint8Array>,
          Raw<BigInt64Array>
        ]
        const atWords = words(ats.items)
        const arrivalWords = words(arrivals.items)
        let filled = 0
        let dayFrom = Number.POSITIVE_INFINITY
        let dayRows = 0
        for (; from < length && filled < CHUNK_ROWS; from++) {
          const number = series[from]!
          if (number === -1) continue
          let instant = at[from]!
          // One impossible instant must not keep everything behind it from being stored; intake bounds them.
          if (!(instant >= 0 && instant <= LAST_INSTANT)) instant = instant > 0 ? LAST_INSTANT : 0
          if (instant < dayFrom || instant >= dayFrom + DAY_MS) {
            if (dayRows > 0) addTo(days, dayOf(dayFrom), dayRows)
            dayFrom = dayOf(instant) * DAY_MS
            dayRows = 0
          }
          dayRows++
          const id = this.#idOf[number]!
          ids.items[filled] = id === -1 ? this.#newId(number) : id
          putWhole(atWords, filled, instant)
          putWhole(arrivalWords, filled, this.#arrivals + rows + filled)
          qualities.items[filled] = quality[from]!
          const reading = value[from]!
          values.items[filled] = reading
          if (Number.isNaN(reading)) columns[2]!.setItem(filled, null)
          filled++
        }
        if (dayRows > 0) addTo(days, dayOf(dayFrom), dayRows)
        if (filled === 0) continue
        for (const column of columns) column.flush()
        if (filled < CHUNK_ROWS) chunk.rowCount = filled
        this.#rows!.appendDataChunk(chunk)
        rows += filled
      }
    }
    return rows
  }

  /** Numbers a series of the fleet that is stored for the first time. */
  #newId(number: number): number {
    const first = this.#firstSeries
    let [low, high] = [0, first.length - 2]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (first[middle]! <= number) low = middle
      else high = middle - 1
    }
    const device = this.#fleet.devices[low]!
    const metric = this.#fleet.metrics[low]![number - first[low]!]!
    const id = this.#nextId++
    this.#note(device, metric, id)
    this.#idOf[number] = id
    const series = this.#series!
    series.appendInteger(id)
    series.appendVarchar(device)
    series.appendVarchar(metric)
    series.endRow()
    return id
  }

  #note(device: string, metric: string, id: number): void {
    let ofDevice = this.#seriesId.get(device)
    if (ofDevice === undefined) this.#seriesId.set(device, (ofDevice = new Map()))
    ofDevice.set(metric, id)
  }

  #matchFleet(): void {
    const { devices, metrics } = this.#fleet
    this.#idOf = new Int32Array(this.#firstSeries[devices.length]!).fill(-1)
    for (let device = 0; device < devices.length; device++) {
      const ofDevice = this.#seriesId.get(devices[device]!)
      if (ofDevice === undefined) continue
      const first = this.#firstSeries[device]!
      for (const [place, metric] of metrics[device]!.entries()) this.#idOf[first + place] = ofDevice.get(metric) ?? -1
    }
  }

  async #loadSeries(writer: DuckDBConnection): Promise<void> {
    this.#seriesId = new Map()
    this.#nextId = 0
    const reader = await writer.runAndReadAll('SELECT id, device, metric FROM series')
    for (const [id, device, metric] of reader.getRows() as [number, string, string][]) {
      this.#note(device, metric, id)
      this.#nextId = Math.max(this.#nextId, id + 1)
    }
    this.#matchFleet()
  }

  async #loadOpenDays(writer: DuckDBConnection, now: number): Promise<void> {
    this.openDays.clear()
    const rows = await numberRows(writer, `SELECT "at" // ${DAY_MS}, count(*) FROM readings GROUP BY 1`)
    for (const [day, count] of rows as [number, number][]) this.#addOpen(day, count, now)
  }

  /** Every use of a connection goes through here: none begins once closing has, and closing waits for those under way. */
  async #track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) throw reopening()
    const running = work()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }
}

function reopening(): HistoryFailure {
  return new HistoryFailure('History is being opened again after a failure: ask again in a moment')
}

function alive(connection: DuckDBConnection | null | undefined): DuckDBConnection {
  if (connection === null || connection === undefined) throw reopening()
  return connection
}

async function numberRows(connection: DuckDBConnection, sql: string): Promise<number[][]> {
  return (await connection.runAndReadAll(sql)).getRows().map((row) => row.map(Number))
}

async function numberColumns(connection: DuckDBConnection, sql: string): Promise<NumberColumns> {
  const reader = await connection.runAndReadAll(sql)
  return reader.getColumns() as (number | null)[][]
}

/** A BIGINT column as pairs of 32-bit words (little-endian, as DuckDB's own data is on every platform it ships for here). */
function words(items: BigInt64Array): Int32Array {
  return new Int32Array(items.buffer, items.byteOffset, items.length * 2)
}

/** Writes a whole number in [0, 2^53) without making a BigInt of it. */
function putWhole(target: Int32Array, index: number, whole: number): void {
  const high = Math.floor(whole / TWO_TO_32)
  target[2 * index] = whole - high * TWO_TO_32
  target[2 * index + 1] = high
}

function addTo(days: Map<number, number>, day: number, rows: number): void {
  days.set(day, (days.get(day) ?? 0) + rows)
}

function countRows(batch: SharedBatch): number {
  let rows = 0
  for (const { memory, length } of batch.segments) {
    const { series } = viewSegment(memory)
    for (let row = 0; row < length; row++) if (series[row] !== -1) rows++
  }
  return rows
}
