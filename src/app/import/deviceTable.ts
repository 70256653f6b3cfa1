// A table of devices (CSV, as spreadsheets write it) as changes of devices. Invariant: a table with any bad row gives no change.

import { parse } from 'csv-parse/sync'
import type { WrittenThing } from '../../model/amendment.ts'
import { LIMITS } from '../../platform/limits.ts'
import { messageOf } from '../../platform/problem.ts'
import { type Change, hashOfWritten } from '../config/amend.ts'
import { didYouMean } from '../config/findings.ts'
import { mapping } from '../config/written.ts'

export interface TableRow {
  /** Where the row begins, 1-based. */
  readonly line: number
  /** Null: the device is as the row says already. */
  readonly change: Change | null
  readonly isNew: boolean
}

export interface DeviceTable {
  readonly rows: readonly TableRow[]
  readonly problems: readonly { readonly line: number; readonly problem: string }[]
}

/** Columns of their own; `limits.NAME` and `labels.NAME` besides. */
export const DEVICE_COLUMNS = ['id', 'profile', 'name', 'name.zh', 'name.en', 'gateway', 'area', 'site'] as const

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const GROUPED = /^(limits|labels)\.(.+)$/

/**
 * Reads the table. `inForce` answers a device as it is written now. A column that is there says what the device has: an empty cell
 * is none; columns that are not there leave a known device as it is.
 */
export function readDeviceTable(bytes: Uint8Array, inForce: (id: string) => WrittenThing | null): DeviceTable {
  const text = decoded(bytes)
  if (typeof text !== 'string') return failed(1, text.problem)
  const cells = parsed(text)
  if ('problem' in cells) return failed(cells.line, cells.problem)
  const [header, ...rows] = cells.records
  if (header === undefined) return failed(1, 'the file is empty; its first line names the columns: id, profile, …')
  const columns = header.cells.map((cell) => cell.trim())
  const wrong = columnProblems(columns)
  if (wrong.length > 0) return { rows: [], problems: wrong.map((problem) => ({ line: header.line, problem })) }
  if (rows.length > LIMITS.amendments.importRows)
    return failed(1, `the table has ${rows.length} rows; at most ${LIMITS.amendments.importRows} are taken at once`)
  return readRows(columns, rows, inForce)
}

interface Cells {
  readonly line: number
  readonly cells: readonly string[]
}

function readRows(columns: readonly string[], rows: readonly Cells[], inForce: (id: string) => WrittenThing | null): DeviceTable {
  const read: TableRow[] = []
  const problems: { line: number; problem: string }[] = []
  const lines = new Map<string, number>()
  const idColumn = columns.indexOf('id')
  for (const { line, cells } of rows) {
    const id = cells[idColumn]?.trim() ?? ''
    if (cells.length !== columns.length) {
      problems.push({ line, problem: `the row has ${cells.length} cells, the header ${columns.length}` })
      continue
    }
    if (id === '') {
      problems.push({ line, problem: 'the row has no id' })
      continue
    }
    const first = lines.get(id)
    if (first !== undefined) {
      problems.push({ line, problem: `the device ${id} is in line ${first} already` })
      continue
    }
    lines.set(id, line)
    const before = inForce(id)
    const written = deviceOf(id, columns, cells, before, (problem) => problems.push({ line, problem: `device ${id}: ${problem}` }))
    const same = before !== null && hashOfWritten(before) === hashOfWritten(written)
    read.push({ line, change: same ? null : { kind: 'device', id, op: 'put', written, secret: null }, isNew: before === null })
  }
  return { rows: problems.length > 0 ? [] : read, problems }
}

function deviceOf(
  id: string,
  columns: readonly string[],
  cells: readonly string[],
  before: WrittenThing | null,
  report: (problem: string) => void
): WrittenThing {
  const device: Record<string, unknown> = { id, ...before }
  const groups: Record<string, Record<string, unknown>> = { limits: { ...mapping(device.limits) }, labels: { ...mapping(device.labels) } }
  const names: Record<string, string> = {}
  for (const [place, column] of columns.entries()) {
    const cell = (cells[place] as string).trim()
    const [, group, name] = GROUPED.exec(column) ?? []
    if (group !== undefined && name !== undefined) {
      const inGroup = groups[group] as Record<string, unknown>
      if (cell === '') delete inGroup[name]
      else if (group === 'labels') inGroup[name] = cell
      else if (NUMBER.test(cell)) inGroup[name] = Number(cell)
      else report(`${column} holds "${cell.slice(0, 40)}", which is not a number`)
    } else if (column.startsWith('name.')) names[column.slice(5)] = cell
    else if (cell === '') delete device[column]
    else device[column] = cell
  }
  if (Object.keys(names).length > 0) nameInto(device, names, report)
  if (device.profile === undefined) report('it has no profile, which is required')
  for (const [group, values] of Object.entries(groups)) {
    if (Object.keys(values).length > 0) device[group] = values
    else delete device[group]
  }
  return device
}

function nameInto(device: Record<string, unknown>, names: Readonly<Record<string, string>>, report: (problem: string) => void): void {
  const known = typeof device.name === 'string' ? { zh: device.name, en: device.name } : mapping(device.name)
  const { zh, en } = { ...known, ...names } as { zh?: string; en?: string }
  if (!zh && !en) delete device.name
  else if (zh && en) device.name = { zh, en }
  else if ('zh' in names && 'en' in names) report(`name.zh and name.en are given together or not at all`)
  else device.name = zh || en
}

function columnProblems(columns: readonly string[]): string[] {
  const problems: string[] = []
  for (const [place, column] of columns.entries()) {
    if (column === '') problems.push(`column ${place + 1} has no name`)
    else if (columns.indexOf(column) < place) problems.push(`the column ${column} is there twice`)
    else if (!(DEVICE_COLUMNS as readonly string[]).includes(column) && !GROUPED.test(column)) {
      const hint = didYouMean(column, DEVICE_COLUMNS) || `; known are ${DEVICE_COLUMNS.join(', ')}, limits.NAME and labels.NAME`
      problems.push(`the column ${column} is not known${hint}`)
    }
  }
  if (!columns.includes('id')) problems.push('there is no column id')
  if (columns.includes('name') && columns.some((column) => column.startsWith('name.')))
    problems.push('give either the column name or the columns name.zh and name.en')
  return problems
}

function parsed(text: string): { readonly records: readonly Cells[] } | { readonly line: number; readonly problem: string } {
  const firstLine = text.slice(0, Math.max(0, text.indexOf('\n')) || text.length)
  const delimiter = [',', ';', '\t'].find((one) => firstLine.includes(one)) ?? ','
  try {
    const rows = parse(text, { delimiter, relax_column_count: true, skip_empty_lines: true, info: true }) as unknown as {
      record: string[]
      info: { lines: number }
    }[]
    const records = rows.map(({ record, info }) => ({ line: info.lines - newlinesIn(record), cells: record }))
    // A spreadsheet that was once longer leaves rows of nothing but delimiters.
    return { records: records.filter(({ cells }) => cells.some((cell) => cell.trim() !== '')) }
  } catch (cause) {
    const line = (cause as { lines?: number }).lines ?? 1
    return { line, problem: `the table cannot be read: ${messageOf(cause)}` }
  }
}

function newlinesIn(cells: readonly string[]): number {
  let count = 0
  for (const cell of cells) for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) count++
  return count
}

/** UTF-8 with or without a mark, UTF-16 with one, or GB 18030 (with GBK in it), which spreadsheets in China write. */
function decoded(bytes: Uint8Array): string | { readonly problem: string } {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3) return { problem: 'this is a workbook, not text; save it as CSV' }
  const encodings = bytes[0] === 0xff && bytes[1] === 0xfe ? ['utf-16le'] : ['utf-8', 'gb18030']
  for (const encoding of encodings) {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes)
    } catch {
      // The next encoding may fit.
    }
  }
  return { problem: 'the text is neither UTF-8 nor GBK; save it as "CSV UTF-8"' }
}

function failed(line: number, problem: string): DeviceTable {
  return { rows: [], problems: [{ line, problem }] }
}
