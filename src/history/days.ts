// Which rows belong to which file, and when a file is worth writing: pure. Days are UTC, numbered from the epoch.
// Invariant: an instant belongs to one file: its day's, or its month's where the whole month was written as one.

import { LIMITS } from '../platform/limits.ts'

export const DAY_MS = 86_400_000

/** A day, or a whole month, and the file it is written to. */
export interface Span {
  /** `2026-11-22.parquet` or `2017-03.parquet`. */
  readonly name: string
  readonly firstDay: number
  /** The first day after it. */
  readonly endDay: number
}

/** Rows of one day that are not in a file yet. */
export interface WaitingDay {
  rows: number
  /** When the first and the latest of them were committed, by our clock, epoch ms. */
  since: number
  latest: number
}

/** Rows that belong into one file. */
export interface WaitingSpan extends WaitingDay {
  readonly span: Span
}

export function dayOf(at: number): number {
  return Math.floor(at / DAY_MS)
}

export function daySpan(day: number): Span {
  return { name: `${new Date(day * DAY_MS).toISOString().slice(0, 10)}.parquet`, firstDay: day, endDay: day + 1 }
}

export function monthSpan(day: number): Span {
  const date = new Date(day * DAY_MS)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return {
    name: `${date.toISOString().slice(0, 7)}.parquet`,
    firstDay: dayOf(Date.UTC(year, month)),
    endDay: dayOf(Date.UTC(year, month + 1))
  }
}

/** The span of a file name, or null where it is not one of ours. */
export function spanOfFile(name: string): Span | null {
  const match = /^(\d{4})-(\d{2})(?:-(\d{2}))?\.parquet$/.exec(name)
  if (match === null) return null
  const day = dayOf(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3] ?? 1)))
  const span = match[3] === undefined ? monthSpan(day) : daySpan(day)
  return span.name === name ? span : null
}

/**
 * Sorts the waiting days before `today` into files, the earliest first. A day goes to its own file. Recorded years would
 * make thousands of little files: where no file of a month exists, the month ended a week ago or more, several of its
 * days wait, and they hold no more than LIMITS.history.rowsPerMonthFile rows, the month becomes one file instead.
 */
export function waitingSpans(days: ReadonlyMap<number, WaitingDay>, files: ReadonlySet<string>, today: number): WaitingSpan[] {
  const months = new Map<number, [number, WaitingDay][]>()
  for (const [day, waiting] of days) {
    if (day >= today || waiting.rows === 0) continue
    const { firstDay } = monthSpan(day)
    const entry = months.get(firstDay)
    if (entry === undefined) months.set(firstDay, [[day, waiting]])
    else entry.push([day, waiting])
  }
  const spans: WaitingSpan[] = []
  for (const [firstDay, entries] of months) {
    const month = monthSpan(firstDay)
    if (files.has(month.name) || worthOneFile(month, entries, files, today)) spans.push(together(month, entries))
    else for (const [day, waiting] of entries) spans.push({ span: daySpan(day), ...waiting })
  }
  return spans.sort((a, b) => a.span.firstDay - b.span.firstDay)
}

function worthOneFile(month: Span, entries: readonly [number, WaitingDay][], files: ReadonlySet<string>, today: number): boolean {
  if (entries.length < 2 || month.endDay + 7 > today) return false
  for (let day = month.firstDay; day < month.endDay; day++) if (files.has(daySpan(day).name)) return false
  return entries.reduce((rows, [, waiting]) => rows + waiting.rows, 0) <= LIMITS.history.rowsPerMonthFile
}

function together(span: Span, entries: readonly [number, WaitingDay][]): WaitingSpan {
  return {
    span,
    rows: entries.reduce((rows, [, waiting]) => rows + waiting.rows, 0),
    since: Math.min(...entries.map(([, waiting]) => waiting.since)),
    latest: Math.max(...entries.map(([, waiting]) => waiting.latest))
  }
}

/** Those to be written now: quiet long enough, or waiting too long. Under pressure the largest come first. */
export function ripeSpans(spans: readonly WaitingSpan[], now: number): WaitingSpan[] {
  const { closedRowsWaiting, dayQuietMs, dayQuietShortMs, dayWaitMs } = LIMITS.history
  const pressed = spans.reduce((rows, span) => rows + span.rows, 0) > closedRowsWaiting
  const quietMs = pressed ? dayQuietShortMs : dayQuietMs
  const ripe = spans.filter(({ since, latest }) => now - latest >= quietMs || now - since >= dayWaitMs)
  return pressed ? ripe.sort((a, b) => b.rows - a.rows) : ripe
}

/** A stretch of time whose rows lie in one file, in the table of open rows, or in both: `from <= at < to`. */
export interface Piece {
  readonly from: number
  readonly to: number
  readonly file: string | null
  readonly open: boolean
}

/** The pieces of `[from, to)` that hold rows at all, in time order, none overlapping. */
export function piecesOf(from: number, to: number, files: Iterable<Span>, days: ReadonlyMap<number, WaitingDay>): Piece[] {
  const openDays = [...days].filter(([day, { rows }]) => rows > 0 && (day + 1) * DAY_MS > from && day * DAY_MS < to).map(([day]) => day)
  const covered = new Set<number>()
  const pieces: Piece[] = []
  const clip = (firstDay: number, endDay: number): { from: number; to: number } => ({
    from: Math.max(from, firstDay * DAY_MS),
    to: Math.min(to, endDay * DAY_MS)
  })
  for (const { name, firstDay, endDay } of files) {
    if (endDay * DAY_MS <= from || firstDay * DAY_MS >= to) continue
    const inside = openDays.filter((day) => day >= firstDay && day < endDay)
    for (const day of inside) covered.add(day)
    pieces.push({ ...clip(firstDay, endDay), file: name, open: inside.length > 0 })
  }
  for (const day of openDays) if (!covered.has(day)) pieces.push({ ...clip(day, day + 1), file: null, open: true })
  return joined(pieces.sort((a, b) => a.from - b.from))
}

/** Days that are in the open table alone are one piece as long as no file lies between them. */
function joined(sorted: readonly Piece[]): Piece[] {
  const pieces: Piece[] = []
  for (const piece of sorted) {
    const last = pieces.at(-1)
    if (last !== undefined && last.file === null && piece.file === null) pieces[pieces.length - 1] = { ...last, to: piece.to }
    else pieces.push(piece)
  }
  return pieces
}
