// The history of a data folder for whoever only reads, while a service may be writing it: closed days as Parquet, and the open
// ones where no service holds them. Invariant: nothing on disk is changed; each series has one reading per instant.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { messageOf, Refusal } from '../platform/problem.ts'
import { DAY_MS, daySpan, type Span, spanOfFile } from './days.ts'
import { DATABASE_FILE } from './failure.ts'
import { quoted, standingRowsSql } from './parquet.ts'

const MEMORY = '1GB'

/** What a device said at one instant and was judged on; null: faulty. */
export interface StoredSample {
  readonly device: string
  /** Epoch ms on the device's time line. */
  readonly at: number
  readonly values: Readonly<Record<string, number | null>>
}

/** A stretch whose rows are in one file, in the open table, or in both. */
interface Chapter {
  readonly span: Span
  readonly file: string | null
}

export class ReadOnlyHistory {
  /** A service holds the open days: only closed ones are read. */
  readonly locked: boolean
  /** The first reading, epoch ms; null where there is none. */
  readonly oldestAt: number | null
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  readonly #chapters: readonly Chapter[]

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, facts: Facts) {
    this.#instance = instance
    this.#connection = connection
    this.locked = facts.locked
    this.oldestAt = facts.oldestAt
    this.#chapters = facts.chapters
  }

  /** Opens the folder `history` of a data folder; one that is not there holds nothing. Throws a Refusal where it cannot be read. */
  static async open(folder: string): Promise<ReadOnlyHistory> {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false'
    })
    const connection = await instance.connect()
    try {
      return new ReadOnlyHistory(instance, connection, await look(connection, folder))
    } catch (cause) {
      connection.closeSync()
      instance.closeSync()
      throw cause instanceof Refusal ? cause : unreadable(folder, cause)
    }
  }

  /** The end of the last closed day, epoch ms; null where no day is closed. */
  get closedUntil(): number | null {
    const last = this.#chapters.findLast(({ file }) => file !== null)
    return last === undefined ? null : last.span.endDay * DAY_MS
  }

  /** What was judged live with `from <= at <= to`, by instant, then device: late readings are left out. */
  async *samples(from: number, to: number): AsyncGenerator<StoredSample[]> {
    for (const { span, file } of this.#chapters) {
      const [first, end] = [Math.max(from, span.firstDay * DAY_MS), Math.min(to + 1, span.endDay * DAY_MS)]
      if (first >= end) continue
      const result = await this.#connection.stream(standingRowsSql(first, end, file, !this.locked))
      const gatherer = new Gatherer()
      for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
        const [devices = [], metrics = [], ats = [], values = []] = chunk.getColumns() as [string[], string[], number[], (number | null)[]]
        for (let row = 0; row < ats.length; row++) {
          gatherer.add(devices[row] as string, metrics[row] as string, ats[row] as number, values[row] ?? null)
        }
        const samples = gatherer.take()
        if (samples.length > 0) yield samples
      }
      const last = gatherer.end()
      if (last !== null) yield [last]
    }
  }

  close(): void {
    this.#connection.closeSync()
    this.#instance.closeSync()
  }
}

interface Facts {
  readonly locked: boolean
  readonly oldestAt: number | null
  readonly chapters: readonly Chapter[]
}

async function look(connection: DuckDBConnection, folder: string): Promise<Facts> {
  const locked = !(await attach(connection, join(folder, DATABASE_FILE)))
  const days = join(folder, 'days')
  const names = existsSync(days) ? readdirSync(days) : []
  const chapters: Chapter[] = names.flatMap((name) => {
    const span = spanOfFile(name)
    return span === null ? [] : [{ span, file: join(days, name) }]
  })
  if (!locked) {
    for (const day of await numbers(connection, `SELECT DISTINCT ("at" // ${DAY_MS})::DOUBLE FROM held.readings`)) {
      if (!chapters.some(({ span }) => day >= span.firstDay && day < span.endDay)) chapters.push({ span: daySpan(day), file: null })
    }
  }
  chapters.sort((a, b) => a.span.firstDay - b.span.firstDay)
  const [first] = chapters
  if (first === undefined) return { locked, oldestAt: null, chapters }
  const rows = standingRowsSql(first.span.firstDay * DAY_MS, first.span.endDay * DAY_MS, first.file, !locked)
  const [oldestAt = null] = await numbers(connection, `SELECT min("at") FROM (${rows})`)
  return { locked, oldestAt, chapters }
}

/** Attaches the table of open rows; false where a service holds it. One that is not there is an empty one. */
async function attach(connection: DuckDBConnection, file: string): Promise<boolean> {
  if (!existsSync(file)) {
    await connection.run(`ATTACH ':memory:' AS held; CREATE TABLE held.series (id INTEGER, device VARCHAR, metric VARCHAR);
      CREATE TABLE held.readings ("at" BIGINT, series INTEGER, value DOUBLE, quality UTINYINT, n BIGINT)`)
    return true
  }
  try {
    await connection.run(`ATTACH ${quoted(file)} AS held (READ_ONLY)`)
    return true
  } catch (cause) {
    if (/\block\b/i.test(messageOf(cause))) return false
    throw cause
  }
}

async function numbers(connection: DuckDBConnection, sql: string): Promise<number[]> {
  const [column = []] = (await connection.runAndReadAll(sql)).getColumns()
  return column.flatMap((value) => (value === null ? [] : [Number(value)]))
}

/** Puts the rows of one device and instant together: they come one after the other. */
class Gatherer {
  #ready: StoredSample[] = []
  #open: { device: string; at: number; values: Record<string, number | null> } | null = null

  add(device: string, metric: string, at: number, value: number | null): void {
    if (this.#open === null || this.#open.at !== at || this.#open.device !== device) {
      if (this.#open !== null) this.#ready.push(this.#open)
      this.#open = { device, at, values: {} }
    }
    this.#open.values[metric] = value
  }

  /** The samples that are whole. */
  take(): StoredSample[] {
    const ready = this.#ready
    this.#ready = []
    return ready
  }

  end(): StoredSample | null {
    return this.#open
  }
}

function unreadable(folder: string, cause: unknown): Refusal {
  return new Refusal(
    `The history in ${folder} cannot be read (${messageOf(cause).split('\n')[0]}): move a damaged file away, or restore it from a backup.`,
    { cause }
  )
}
