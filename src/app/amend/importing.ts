// A table of devices held against the plant in force: what it would change, or every row that is wrong. Nothing is done here.

import type { AmendProblem } from '../../api/amender.ts'
import type { Amendable, Amendment, WrittenThing } from '../../model/amendment.ts'
import { type Change, changeAt, hashOfWritten, type Overlay, overlaid, writtenIn } from '../config/amend.ts'
import { readDeviceTable } from '../import/deviceTable.ts'
import type { AmendedPlant } from './apply.ts'
import { type Candidate, candidateOf } from './candidate.ts'
import { amendProblem } from './sent.ts'

export interface CheckedImport {
  readonly rows: number
  readonly created: number
  readonly changes: readonly Change[]
  readonly overlay: Overlay
  readonly candidate: Candidate
  /** By line; empty where all is well. */
  readonly problems: readonly AmendProblem[]
}

/** What is known of one thing. */
export interface ThingState {
  /** Of the newest change; 0: there was none. */
  readonly version: number
  /** As it is in force; null: it is not. */
  readonly written: WrittenThing | null
  readonly change: Change | null
  readonly file: { readonly written: WrittenThing; readonly place: () => string } | null
}

/** One thing as it stands between the files and the overlay. */
export function stateOf(
  { overlay, latest, source }: Pick<AmendedPlant, 'overlay' | 'latest' | 'source'>,
  kind: Amendable,
  id: string
): ThingState {
  const change = overlay[kind].get(id) ?? null
  const found = writtenIn(source, kind, id)
  const place = (): string => {
    const { file, line } = found?.place() ?? { file: '', line: 0 }
    return `${file}:${line}`
  }
  const file = found === null ? null : { written: found.written, place }
  const written = change === null ? (file?.written ?? null) : change.written
  return { version: latest.get(`${kind} ${id}`)?.version ?? 0, written, change, file }
}

/** The changes with their versions, as they are kept. */
export function amendmentsOf(now: AmendedPlant, changes: readonly Change[], by: string, note: string | null, at: number): Amendment[] {
  return changes.map(({ kind, id, op, written, secret }) => {
    const { version, written: before, file } = stateOf(now, kind, id)
    const after = op === 'put' ? written : op === 'revert' ? (file?.written ?? null) : null
    return { kind, id, version: version + 1, at, by, note, op, before, after, secret, base: hashOfWritten(file?.written ?? null) }
  })
}

/** Reads and checks the table, all of it. */
export function checkedImport(now: AmendedPlant, bytes: Uint8Array): CheckedImport {
  const table = readDeviceTable(bytes, (id) => stateOf(now, 'device', id).written)
  const changes = table.rows.flatMap(({ change }) => (change === null ? [] : [change]))
  const overlay = overlaid(now.overlay, changes)
  const nothing: Candidate = { plant: null, fleet: null, problems: [], warnings: [] }
  const created = table.rows.filter(({ change, isNew }) => change !== null && isNew).length
  const read = { rows: table.rows.length, created, changes, overlay }
  if (table.problems.length > 0) {
    return { ...read, candidate: nothing, problems: table.problems.map(({ line, problem }) => atLine(line, problem)) }
  }
  const candidate = candidateOf(now.source, overlay, changes)
  const lineOf = new Map(table.rows.map(({ change, line }) => [change, line]))
  const problems = candidate.problems.map((found) => {
    const line = lineOf.get(changeAt(found.place))
    return line === undefined ? amendProblem(found, null) : atLine(line, found.problem)
  })
  return { ...read, candidate, problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
}

function atLine(line: number, problem: string): AmendProblem {
  return { place: `${line}`, problem, line, column: null }
}
