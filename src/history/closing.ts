// Closed days become Parquet files; late rows are merged into them later; retention deletes whole files.
// Invariant: rows leave the open table only after the file holding them is in place and on disk. A crash in between
// leaves rows in both; questions take one of each, and the next round writes the file again.

import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { open, rename, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../platform/problem.ts'
import { DAY_MS, dayOf, ripeSpans, type Span, spanOfFile, waitingSpans } from './days.ts'
import type { EmbeddedStore, Keeper } from './embedded.ts'
import { HistoryFailure } from './failure.ts'
import type { Gate } from './gate.ts'
import type { Tended } from './messages.ts'
import { deleteOpenSql, fileCountSql, openRowsSql, writeSpanSql } from './parquet.ts'

const UNFINISHED = '.unfinished'

export class ClosedDays {
  readonly #store: EmbeddedStore
  readonly #gate: Gate
  readonly #folder: string
  readonly #files = new Map<string, Span>()

  /** Finds the files in `folder`/days; what a crash left unfinished is removed. */
  constructor(folder: string, store: EmbeddedStore, gate: Gate) {
    this.#store = store
    this.#gate = gate
    this.#folder = join(folder, 'days')
    mkdirSync(this.#folder, { recursive: true })
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith(UNFINISHED)) rmSync(join(this.#folder, name), { force: true })
      const span = spanOfFile(name)
      if (span !== null) this.#files.set(name, span)
    }
  }

  get spans(): Iterable<Span> {
    return this.#files.values()
  }

  pathOf(name: string): string {
    return join(this.#folder, name)
  }

  /**
   * One round: deletes what is past retention, writes what is ripe. A span that fails is left for the next round and
   * named in `problem`; the others go on.
   */
  async tend(now: number, retentionDays: number | null): Promise<{ tended: Tended; problem: string | null }> {
    const deleted = retentionDays === null ? [] : await this.#expire(now - retentionDays * DAY_MS)
    const written: string[] = []
    let problem: string | null = null
    const waiting = waitingSpans(this.#store.openDays, new Set(this.#files.keys()), dayOf(now))
    for (const { span } of ripeSpans(waiting, now)) {
      try {
        await this.#write(span, now)
        written.push(span.name)
      } catch (cause) {
        // The database is being opened again: its own trouble is told, this round is over.
        if (cause instanceof HistoryFailure) break
        problem = `The closed day ${this.pathOf(span.name)} cannot be written (${messageOf(cause).split('\n')[0]}): its rows stay in the database and it is tried again each minute; a damaged file has to be moved away`
      }
    }
    return { tended: { written, deleted }, problem }
  }

  /** Deletes the files whose last day ended, and that were last written, before `before`. */
  async #expire(before: number): Promise<string[]> {
    const deleted: string[] = []
    for (const [name, { endDay }] of this.#files) {
      if (endDay * DAY_MS > before || lastWritten(this.pathOf(name)) > before) continue
      await this.#gate.alone(async () => {
        await rm(this.pathOf(name), { force: true })
        this.#files.delete(name)
      })
      deleted.push(name)
    }
    return deleted
  }

  async #write(span: Span, now: number): Promise<void> {
    const path = this.pathOf(span.name)
    const unfinished = path + UNFINISHED
    const keeper = this.#store.keeper()
    try {
      const open = await gather(keeper, span, existsSync(path) ? path : null, unfinished)
      await flushFile(unfinished, now)
      await this.#gate.alone(async () => {
        await rename(unfinished, path)
        await flushFolder(this.#folder)
        this.#files.set(span.name, span)
      })
      for (const sql of deleteOpenSql(span, open.firstArrival, open.lastArrival, open.rows)) await keeper.run(sql)
      for (const [day, rows] of open.days) this.#store.removeOpen(day, rows)
    } catch (cause) {
      await rm(unfinished, { force: true })
      throw cause
    }
  }
}

/** The open rows that went into a file. */
interface Gathered {
  readonly days: readonly (readonly [day: number, rows: number])[]
  readonly rows: number
  readonly firstArrival: number
  readonly lastArrival: number
}

/** Writes `unfinished` from one state of the table, and says which rows of it those were. */
async function gather(keeper: Keeper, span: Span, existing: string | null, unfinished: string): Promise<Gathered> {
  await keeper.run('BEGIN')
  try {
    const [days = [], counts = [], firsts = [], lasts = []] = (await keeper.ask(openRowsSql(span))) as number[][]
    await keeper.run(writeSpanSql(span, existing, unfinished))
    await checkWritten(keeper, existing, unfinished)
    return {
      days: days.map((day, index) => [day, counts[index]!] as const),
      rows: counts.reduce((sum, count) => sum + count, 0),
      firstArrival: Math.min(...firsts),
      lastArrival: Math.max(...lasts)
    }
  } finally {
    // Nothing was changed; after some failures the transaction has ended by itself, and there is nothing to end.
    await keeper.run('ROLLBACK').catch(() => undefined)
  }
}

/** A file may only grow: fewer rows than before would be rows lost. */
async function checkWritten(keeper: Keeper, existing: string | null, unfinished: string): Promise<void> {
  const rowsOf = async (path: string): Promise<number> => (await keeper.ask(fileCountSql(path)))[0]?.[0] ?? 0
  const rows = await rowsOf(unfinished)
  const before = existing === null ? 1 : await rowsOf(existing)
  if (rows < before) throw new Error(`the new file holds ${rows} rows, fewer than the ${before} there must be`)
}

function lastWritten(path: string): number {
  return Math.round(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
}

/** On disk, and dated by our clock: retention goes by it. */
async function flushFile(path: string, now: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
  await utimes(path, now / 1000, now / 1000)
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
