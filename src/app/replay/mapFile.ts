// MAP.yaml (contract 8): what the columns of a recorded table mean. Every problem at once, with file:line:column.

import { z } from 'zod'
import type { MappedRow, Mapping } from '../../ingest/recorded/table.ts'
import { countReader, isoReader, NAMED_FORMATS, patternReader, type TimeReader, zoneReader } from '../../ingest/recorded/times.ts'
import { parseDuration } from '../../platform/duration.ts'
import { type Problem, problem } from '../../platform/problem.ts'
import { Findings } from '../config/findings.ts'
import { hasShape } from '../config/shapes.ts'
import { readSource, type SourceFile } from '../config/source.ts'

const text = z.string({ error: 'must be text' }).min(1, { error: 'must not be empty' })

const timeShape = z.strictObject({
  column: text.optional(),
  format: text.optional(),
  zone: text.optional(),
  start: text.optional(),
  every: text.optional()
})

const mapShape = z.strictObject({
  time: timeShape,
  delimiter: text.optional(),
  header: z.boolean({ error: 'must be true or false' }).optional(),
  decimal: z.enum(['.', ','], { error: 'must be "." or ","' }).optional(),
  rows: z
    .array(
      z.strictObject({
        device: z.string({ error: 'must be a device id' }).regex(/^[A-Za-z0-9._-]{1,64}$/, {
          error: 'must be an id of 1 to 64 letters, digits, dots, underscores or hyphens'
        }),
        values: z.record(
          z
            .string()
            .regex(/^[a-z][a-z0-9_]*$/, { error: 'must be a metric such as level_pct: a letter, then letters, digits and underscores' }),
          z.union([text, z.number()], { error: 'must be a column or arithmetic over columns' }),
          { error: 'must be a mapping of metrics to columns' }
        )
      })
    )
    .min(1, { error: 'must name at least one device' })
})

type MapFile = z.infer<typeof mapShape>

/** Reads a mapping; null where it has problems. Names of columns are checked later, against each table. */
export function readMapFile(file: string): { readonly mapping: Mapping | null; readonly problems: readonly Problem[] } {
  const findings = new Findings()
  const source = readSource(file, findings)
  if (source === null) return { mapping: null, problems: findings.problems }
  const value = source.value ?? {}
  if (!hasShape(mapShape, value, 'the mapping', source, [], findings)) {
    findings.sort()
    return { mapping: null, problems: findings.problems }
  }
  const map = value as MapFile
  const time = readTime(map.time, source, findings)
  const delimiter = readDelimiter(map.delimiter, source, findings)
  const rows = map.rows.map(({ device, values }, row): MappedRow => {
    if (Object.keys(values).length === 0) findings.problem(problem(`${device} gets no values`, source.place(['rows', row])))
    return {
      device,
      values: Object.entries(values).map(([metric, formula]) => ({
        metric,
        formula: String(formula),
        placeOf: (offset) => source.placeIn(['rows', row, 'values', metric], offset)
      }))
    }
  })
  findings.sort()
  if (findings.problems.length > 0 || time === null) return { mapping: null, problems: findings.problems }
  return { mapping: { time, delimiter, header: map.header ?? true, decimal: map.decimal ?? '.', rows }, problems: [] }
}

function readDelimiter(delimiter: string | undefined, source: SourceFile, findings: Findings): string | null {
  if (delimiter === 'whitespace' || delimiter === ' ') return null
  if (delimiter === 'tab') return '\t'
  if (delimiter !== undefined && (delimiter.length !== 1 || /["\s\d]/.test(delimiter.replace('\t', ',')))) {
    findings.problem(
      problem('the delimiter must be one character such as "," or ";", or the word tab or whitespace', source.place(['delimiter']))
    )
  }
  return delimiter ?? ','
}

function readTime(time: MapFile['time'], source: SourceFile, findings: Findings): Mapping['time'] | null {
  const wrong = (sentence: string, key: string): null => {
    findings.problem(problem(sentence, source.place(['time', key])))
    return null
  }
  const toUtc = zoneReader(time.zone ?? 'UTC')
  if (toUtc === null) return wrong(`${time.zone} is no time zone; write one of the IANA database, such as Asia/Shanghai`, 'zone')
  const startAt = time.start === undefined ? null : isoReader(toUtc)(time.start)
  if (time.start !== undefined && startAt === null)
    return wrong(`${time.start} is not an instant; write it like 2026-01-01T00:00:00Z`, 'start')
  if (time.column === undefined) return readSteps(time, startAt, wrong)
  if (time.every !== undefined) return wrong('a time column and every exclude one another; keep one of them', 'every')
  const { format = 'iso' } = time
  if (format === 'elapsed-s' && startAt === null) return wrong('elapsed seconds need a start: the instant at which they are 0', 'format')
  if (format !== 'elapsed-s' && startAt !== null)
    return wrong(`a start belongs to the format elapsed-s, or to every without a column`, 'start')
  const read = timeReader(format, toUtc, startAt ?? 0)
  if (typeof read === 'string') return wrong(`${read}, or one of ${NAMED_FORMATS.join(', ')}`, 'format')
  return { kind: 'column', column: time.column, format, read, place: source.place(['time', 'column']) }
}

function readSteps(time: MapFile['time'], startAt: number | null, wrong: (sentence: string, key: string) => null): Mapping['time'] | null {
  if (startAt === null || time.every === undefined) {
    return wrong('the time needs either a column, or start and every where the table has no time column', 'start')
  }
  if (time.format !== undefined) return wrong('a format belongs to a time column', 'format')
  const everyMs = parseDuration(time.every)
  if (everyMs === null || everyMs === 0) return wrong(`${time.every} is not a duration with a unit, such as 2s or 3m`, 'every')
  return { kind: 'steps', startAt, everyMs }
}

function timeReader(format: string, toUtc: (local: number) => number, startAt: number): TimeReader | string {
  switch (format) {
    case 'iso':
      return isoReader(toUtc)
    case 'epoch-s':
      return countReader(1000, 0)
    case 'epoch-ms':
      return countReader(1, 0)
    case 'elapsed-s':
      return countReader(1000, startAt)
    default:
      return patternReader(format, toUtc)
  }
}
