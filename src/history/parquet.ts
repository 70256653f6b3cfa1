// The SQL in which history speaks: text made of numbers, checked names and quoted paths only.
// A Parquet file has the columns device, metric, at (TIMESTAMP_MS, UTC), value and quality, sorted by series and time.

import { QUALITIES } from '../model/quality.ts'
import type { Piece, Span } from './days.ts'
import { DAY_MS } from './days.ts'

const DEVICE_NAME = /^[A-Za-z0-9._-]{1,64}$/
const METRIC_NAME = /^[a-z][a-z0-9_]*$/
const QUALITY_LIST = `[${QUALITIES.map(quoted).join(', ')}]`
/** The columns of a file as the table of open rows has them. */
const CODED = `value, (list_position(${QUALITY_LIST}, quality) - 1)::UTINYINT AS quality`
/** What rules may judge by, as far as quality goes. */
const USABLE = ['good', 'late', 'clockSkewed'] as const
const USABLE_CODES = USABLE.map((quality) => QUALITIES.indexOf(quality)).join(', ')
const USABLE_NAMES = USABLE.map(quoted).join(', ')

/**
 * Of the rows of one instant, in the order in which the last one stands. What came in time stands over what came late: it is what
 * rules judged, and a late row with it is nearly always the same sample sent again.
 */
const PRECEDENCE = `"at", quality <> ${QUALITIES.indexOf('late')}, n`

const ROWS_PER_DELETE = 500_000

/** One series: `id` is its number in the table of open rows, undefined where it has none there. */
export interface SeriesPlace {
  readonly device: string
  readonly metric: string
  readonly id: number | undefined
}

/** True for names that can be stored at all, and thus may stand in SQL. */
export function isSeriesName(device: string, metric: string): boolean {
  return DEVICE_NAME.test(device) && METRIC_NAME.test(metric)
}

/** A text literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A path as read_parquet takes it: taken literally, not as a pattern. */
function readable(path: string): string {
  return quoted(path.replace(/[[*?]/g, '[$&]'))
}

function readParquet(paths: readonly string[]): string {
  return `read_parquet([${paths.map(readable).join(', ')}])`
}

function stamp(at: number): string {
  return `make_timestamp_ms(${at})`
}

/** The open row that stands at each instant. */
function openRows(id: number | undefined, from: number, to: number): string {
  return `SELECT "at", value, quality FROM readings WHERE series = ${id ?? -1} AND "at" >= ${from} AND "at" < ${to}
    QUALIFY lead("at") OVER (ORDER BY ${PRECEDENCE}) IS DISTINCT FROM "at"`
}

/** The rows of files in whose time there are open rows, and these: what stands at each instant. `opened` must be defined. */
function mergedRows(series: SeriesPlace, from: number, to: number, touched: readonly string[]): string {
  return `SELECT "at", value, quality FROM (
      SELECT *, 1 AS n FROM opened UNION ALL SELECT *, 0 FROM (${fileRows(series, from, to, touched, CODED)})
    ) QUALIFY lead("at") OVER (ORDER BY ${PRECEDENCE}) IS DISTINCT FROM "at"`
}

/** The rows of a series in files; `paths` must not be empty. */
function fileRows(series: SeriesPlace, from: number, to: number, paths: readonly string[], columns: string): string {
  return `SELECT epoch_ms("at") AS "at", ${columns} FROM ${readParquet(paths)}
    WHERE device = ${quoted(series.device)} AND metric = ${quoted(series.metric)} AND "at" >= ${stamp(from)} AND "at" < ${stamp(to)}`
}

/** Files whose time no open row touches, and files where one may. */
function sortFiles(pieces: readonly Piece[], pathOf: (file: string) => string): { settled: string[]; touched: string[]; open: boolean } {
  const settled: string[] = []
  const touched: string[] = []
  for (const { file, open } of pieces) if (file !== null) (open ? touched : settled).push(pathOf(file))
  return { settled, touched, open: pieces.some(({ open }) => open) }
}

/** (at, value, quality code) of the first `limit` readings, one per instant, in time order. */
export function readingsSql(
  series: SeriesPlace,
  pieces: readonly Piece[],
  from: number,
  to: number,
  limit: number,
  pathOf: (file: string) => string
): string {
  const { settled, touched, open } = sortFiles(pieces, pathOf)
  const parts: string[] = []
  if (touched.length > 0) parts.push(mergedRows(series, from, to, touched))
  else if (open) parts.push('SELECT * FROM opened')
  if (settled.length > 0) parts.push(fileRows(series, from, to, settled, CODED))
  return `WITH opened AS (${openRows(series.id, from, to)})
    SELECT "at"::DOUBLE, value, quality::INTEGER FROM (${parts.join(' UNION ALL ')}) ORDER BY "at" LIMIT ${limit}`
}

/** (at, min, max, avg, last, count) per interval that holds a usable value, in time order. */
export function bucketsSql(
  series: SeriesPlace,
  pieces: readonly Piece[],
  from: number,
  to: number,
  everyMs: number,
  pathOf: (file: string) => string
): string {
  const { settled, touched, open } = sortFiles(pieces, pathOf)
  const parts: string[] = []
  const standing = touched.length > 0 ? mergedRows(series, from, to, touched) : open ? 'SELECT * FROM opened' : null
  if (standing !== null) parts.push(`SELECT "at", value FROM (${standing}) WHERE value IS NOT NULL AND quality IN (${USABLE_CODES})`)
  if (settled.length > 0)
    parts.push(`${fileRows(series, from, to, settled, 'value')} AND value IS NOT NULL AND quality IN (${USABLE_NAMES})`)
  return `WITH opened AS (${openRows(series.id, from, to)})
    SELECT ("at" // ${everyMs} * ${everyMs})::DOUBLE AS since, min(value), max(value), avg(value), arg_max(value, "at"), count(*)::DOUBLE
    FROM (${parts.join(' UNION ALL ')}) GROUP BY since ORDER BY since`
}

/**
 * (device, metric, at, value) of all that stands and was not late with `from <= at < to`, by instant, device and metric: from
 * the table of open rows, attached as `held` where `open`, and the one file of that time, if any.
 */
export function standingRowsSql(from: number, to: number, file: string | null, open: boolean): string {
  const late = QUALITIES.indexOf('late')
  const rows: string[] = []
  if (file !== null)
    rows.push(`SELECT device, metric, epoch_ms("at") AS "at", ${CODED}, -1 AS n FROM ${readParquet([file])}
      WHERE "at" >= ${stamp(from)} AND "at" < ${stamp(to)}`)
  if (open)
    rows.push(`SELECT device, metric, "at", value, quality, n FROM held.readings JOIN held.series ON id = series
      WHERE "at" >= ${from} AND "at" < ${to}`)
  return `SELECT device, metric, "at"::DOUBLE AS "at", value FROM (
      SELECT * FROM (${rows.join(' UNION ALL ')})
      QUALIFY lead("at") OVER (PARTITION BY device, metric ORDER BY ${PRECEDENCE}) IS DISTINCT FROM "at"
    ) WHERE quality <> ${late} ORDER BY "at", device, metric`
}

/** Open rows of a span per day: (day, count, first arrival, last arrival). */
export function openRowsSql({ firstDay, endDay }: Span): string {
  return `SELECT ("at" // ${DAY_MS})::INTEGER, count(*)::DOUBLE, min(n)::DOUBLE, max(n)::DOUBLE FROM readings
    WHERE ${within(firstDay, endDay)} GROUP BY 1`
}

/** Deletes the `rows` open rows of a span that arrived from `first` to `last`, in steps that keep the write-ahead log short. */
export function deleteOpenSql({ firstDay, endDay }: Span, first: number, last: number, rows: number): string[] {
  if (rows === 0) return []
  const steps = Math.ceil(rows / ROWS_PER_DELETE)
  const width = Math.ceil((last - first + 1) / steps)
  return Array.from({ length: steps }, (_, step) => {
    const from = first + step * width
    return `DELETE FROM readings WHERE ${within(firstDay, endDay)} AND n >= ${from} AND n <= ${Math.min(last, from + width - 1)}`
  })
}

/** Rows in a file: its own statement of them. */
export function fileCountSql(path: string): string {
  return `SELECT num_rows::DOUBLE FROM parquet_file_metadata(${readable(path)})`
}

/**
 * Writes the open rows of a span, and those of its file where there is one, to `target`: one row per series and instant,
 * the one that stands. Series are sorted by name, so that the zone maps of the text columns are narrow.
 */
export function writeSpanSql({ firstDay, endDay }: Span, existing: string | null, target: string): string {
  const old = existing === null ? null : readParquet([existing])
  return `COPY (
    WITH named AS (SELECT device, metric FROM series ${old === null ? '' : `UNION SELECT device, metric FROM ${old}`}),
    places AS (SELECT device, metric, row_number() OVER (ORDER BY device, metric) AS place FROM named),
    ids AS (SELECT id, place FROM series JOIN places USING (device, metric)),
    gathered AS (
      SELECT place, "at", value, quality, n FROM readings JOIN ids ON id = series WHERE ${within(firstDay, endDay)}
      ${
        old === null
          ? ''
          : `UNION ALL SELECT place, epoch_ms("at"), value, (list_position(${QUALITY_LIST}, quality) - 1)::UTINYINT, -1
             FROM ${old} JOIN places USING (device, metric)`
      }
    ),
    kept AS (SELECT * FROM gathered QUALIFY lead("at") OVER (PARTITION BY place ORDER BY ${PRECEDENCE}) IS DISTINCT FROM "at")
    SELECT device, metric, make_timestamp_ms("at")::TIMESTAMP_MS AS "at", value, ${QUALITY_LIST}[quality + 1] AS quality
    FROM kept JOIN places USING (place) ORDER BY place, "at"
  ) TO ${quoted(target)} (FORMAT parquet, COMPRESSION zstd)`
}

function within(firstDay: number, endDay: number): string {
  return `"at" >= ${firstDay * DAY_MS} AND "at" < ${endDay * DAY_MS}`
}
