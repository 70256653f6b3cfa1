// Many rows in few statements: each statement's text is built once per batch size and then only given new parameters.

import { CompiledQuery } from 'kysely'
import type { State } from './schema.ts'

/** Rows per statement, largest first; the rest of a batch goes in smaller ones. */
const SIZES = [64, 8, 1] as const

/** Writes rows of one table by one kind of statement. */
export class BulkWrite<Row extends object> {
  readonly #columns: readonly (keyof Row & string)[]
  readonly #compile: (state: State, rows: Row[]) => { sql: string }
  readonly #texts = new Map<number, string>()

  /** `compile` builds the statement for these rows; its parameters must be the rows' `columns`, row by row. */
  constructor(columns: readonly (keyof Row & string)[], compile: (state: State, rows: Row[]) => { sql: string }) {
    this.#columns = columns
    this.#compile = compile
  }

  /** Writes all rows. Inside a transaction: all or none. */
  async write(state: State, rows: readonly Row[]): Promise<void> {
    let next = 0
    for (const size of SIZES) {
      for (; rows.length - next >= size; next += size) {
        await state.executeQuery(CompiledQuery.raw(this.#text(state, rows, next, size), this.#parameters(rows, next, size)))
      }
    }
  }

  #text(state: State, rows: readonly Row[], from: number, size: number): string {
    let text = this.#texts.get(size)
    if (text === undefined) {
      const ordered = rows
        .slice(from, from + size)
        .map((row) => Object.fromEntries(this.#columns.map((column) => [column, row[column]])) as Row)
      text = this.#compile(state, ordered).sql
      this.#texts.set(size, text)
    }
    return text
  }

  #parameters(rows: readonly Row[], from: number, size: number): unknown[] {
    const parameters: unknown[] = []
    for (let index = from; index < from + size; index++) {
      const row = rows[index] as Row
      for (const column of this.#columns) parameters.push(row[column])
    }
    return parameters
  }
}
