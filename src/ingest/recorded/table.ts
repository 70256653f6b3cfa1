// CSV, or columns by white space, through a mapping (contract 8). Invariant: a row either gives all its samples or is named
// as a problem; empty and NaN cells are no readings.

import { parse } from 'csv-parse/sync'
import { type Place, type Problem, problem } from '../../platform/problem.ts'
import { bindFormula, type Formula, nearest } from './formula.ts'
import type { LineReader, RecordedItem } from './samples.ts'
import type { TimeReader } from './times.ts'

/** How the columns of a table become samples: a MAP.yaml after parsing. */
export interface Mapping {
  readonly time:
    | { readonly kind: 'column'; readonly column: string; readonly format: string; readonly read: TimeReader; readonly place: Place | null }
    | { readonly kind: 'steps'; readonly startAt: number; readonly everyMs: number }
  /** One character, or null for white space. */
  readonly delimiter: string | null
  /** The first line names the columns; without one they are c1, c2, … */
  readonly header: boolean
  /** The character before the decimals: `.` or `,`. */
  readonly decimal: string
  readonly rows: readonly MappedRow[]
}

export interface MappedRow {
  readonly device: string
  readonly values: readonly MappedValue[]
}

export interface MappedValue {
  readonly metric: string
  /** A column's name, or arithmetic over columns. */
  readonly formula: string
  /** Where the formula, or its character `offset`, stands in the mapping's file. */
  readonly placeOf: (offset: number | null) => Place | null
}

interface BoundRow {
  readonly device: string
  readonly metrics: readonly string[]
  readonly formulas: readonly Formula[]
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const NO_READING = new Set(['', 'nan', '-nan', 'na', 'n/a', 'null'])

/** A reader for the table that begins with this first line, or every problem that the mapping has with its columns. */
export function tableReader(file: string, firstLine: string, mapping: Mapping): LineReader | Problem[] {
  if (firstLine.trim() === '') {
    const what = mapping.header ? 'no first line that names its columns' : 'nothing in its first line'
    return [problem(`${file} has ${what}`, { file, line: 1, column: 1 })]
  }
  const first = splitLine(firstLine, mapping)
  if (typeof first === 'string') return [problem(`${file} cannot be read: ${first}.`, { file, line: 1, column: 1 })]
  const names = mapping.header ? first : first.map((_, i) => `c${i + 1}`)
  const columns = new Map<string, number>()
  // Of two columns with one name neither can be meant.
  const doubled = new Set(names.filter((name, i) => names.indexOf(name) !== i))
  for (const [i, name] of names.entries()) if (name !== '' && !doubled.has(name)) columns.set(name, i)
  const problems: Problem[] = []
  const used = new Set<number>()
  const rows = mapping.rows.map((row) => bindRow(row, columns, doubled, used, file, problems))
  let timeColumn = -1
  if (mapping.time.kind === 'column') {
    timeColumn = columns.get(mapping.time.column) ?? -1
    if (timeColumn < 0) {
      problems.push(
        problem(`${file} has no column ${mapping.time.column}${nearest(mapping.time.column, columns.keys())}`, mapping.time.place)
      )
    }
  }
  if (problems.length > 0) return problems
  return new TableReader(file, mapping, names, timeColumn, [...used], rows)
}

function bindRow(
  { device, values }: MappedRow,
  columns: ReadonlyMap<string, number>,
  doubled: ReadonlySet<string>,
  used: Set<number>,
  file: string,
  problems: Problem[]
): BoundRow {
  const formulas: Formula[] = []
  for (const { formula, placeOf } of values) {
    const bound = bindFormula(formula, columns)
    if ('problem' in bound) {
      const why = doubled.has(formula.trim()) ? `the column ${formula.trim()} is there more than once` : bound.problem
      problems.push(problem(`"${formula}" cannot be computed from ${file}: ${why}`, placeOf(bound.offset)))
      continue
    }
    formulas.push(bound.compute)
    for (const column of bound.columns) used.add(column)
  }
  return { device, metrics: values.map(({ metric }) => metric), formulas }
}

class TableReader implements LineReader {
  readonly #file: string
  readonly #mapping: Mapping
  readonly #names: readonly string[]
  readonly #timeColumn: number
  readonly #used: readonly number[]
  readonly #rows: readonly BoundRow[]
  readonly #numbers: Float64Array
  #steps = 0

  constructor(
    file: string,
    mapping: Mapping,
    names: readonly string[],
    timeColumn: number,
    used: readonly number[],
    rows: readonly BoundRow[]
  ) {
    this.#file = file
    this.#mapping = mapping
    this.#names = names
    this.#timeColumn = timeColumn
    this.#used = used
    this.#rows = rows
    this.#numbers = new Float64Array(names.length)
  }

  read(text: string, line: number, torn: boolean, into: RecordedItem[]): void {
    if (text.trim() === '' || (line === 1 && this.#mapping.header)) return
    const sentence = this.#row(text, line, torn, into)
    if (sentence !== null) into.push({ kind: 'problem', file: this.#file, line, problem: sentence })
  }

  /** Appends the samples of one row, or answers why it cannot be read. */
  #row(text: string, line: number, torn: boolean, into: RecordedItem[]): string | null {
    const { time } = this.#mapping
    const cells = splitLine(text, this.#mapping)
    // A row that cannot be read has taken its place in time all the same.
    const step = this.#steps++
    if (typeof cells === 'string') return torn ? `the last line is torn off: ${cells}` : cells
    if (cells.length !== this.#names.length) {
      const where = this.#mapping.header ? 'the header' : 'the first row'
      const what = `${cells.length} cells where ${where} has ${this.#names.length}`
      return torn ? `the last line is torn off: it has ${what}` : `the row has ${what}`
    }
    const at = time.kind === 'steps' ? time.startAt + step * time.everyMs : time.read(cells[this.#timeColumn] as string)
    if (at === null) {
      const { column, format } = time as Extract<Mapping['time'], { kind: 'column' }>
      return `the column ${column} holds ${shown(cells[this.#timeColumn])}, which is not a time of the format ${format}`
    }
    for (const column of this.#used) {
      const number = readCell(cells[column] as string, this.#mapping.decimal)
      if (number === null) return `the column ${this.#names[column]} holds ${shown(cells[column])}, which is not a number`
      this.#numbers[column] = number
    }
    this.#samples(at, line, into)
    return null
  }

  #samples(at: number, line: number, into: RecordedItem[]): void {
    for (const { device, metrics, formulas } of this.#rows) {
      const values: Record<string, number> = {}
      let count = 0
      for (let i = 0; i < formulas.length; i++) {
        const value = (formulas[i] as Formula)(this.#numbers)
        if (!Number.isFinite(value)) continue
        values[metrics[i] as string] = value
        count++
      }
      if (count > 0) into.push({ kind: 'sample', device, at, values, bad: null, file: this.#file, line })
    }
  }
}

/** NaN: no reading. Null: not a number. */
function readCell(cell: string, decimal: string): number | null {
  const text = decimal === '.' ? cell : cell.replace(decimal, '.')
  if (NUMBER.test(text)) {
    const number = Number(text)
    return Number.isFinite(number) ? number : null
  }
  const lower = text.toLowerCase()
  if (NO_READING.has(lower)) return Number.NaN
  return lower === 'true' ? 1 : lower === 'false' ? 0 : null
}

/** The cells of a line, without the spaces around them; or why it cannot be split. */
function splitLine(text: string, { delimiter }: Mapping): string[] | string {
  if (delimiter === null) return text.trim().split(/\s+/)
  if (!text.includes('"')) {
    const cells = text.split(delimiter)
    for (let i = 0; i < cells.length; i++) cells[i] = (cells[i] as string).trim()
    return cells
  }
  try {
    const rows = parse(text, { delimiter, trim: true, relax_column_count: true })
    return (rows[0] as string[] | undefined) ?? []
  } catch {
    return 'its quotation marks do not match'
  }
}

function shown(cell: string | undefined): string {
  const text = cell ?? ''
  return text === '' ? 'nothing' : `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`
}
