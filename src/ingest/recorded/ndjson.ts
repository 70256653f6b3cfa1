// NDJSON of samples (contract 3): each line one sample or an array of them. Pure.

import { LIMITS } from '../../platform/limits.ts'
import type { LineReader, RecordedItem, RecordedSample } from './samples.ts'
import { isoReader } from './times.ts'

const readIso = isoReader((local) => local)

export function ndjsonReader(file: string): LineReader {
  return {
    read(text, line, torn, into) {
      if (text.trim() === '') return
      const refuse = (problem: string): void => void into.push({ kind: 'problem', file, line, problem })
      let parsed: unknown
      try {
        parsed = JSON.parse(text)
      } catch {
        return refuse(torn ? 'the last line is torn off and is not JSON' : 'this is not JSON')
      }
      const list = Array.isArray(parsed) ? parsed : [parsed]
      const samples: RecordedItem[] = []
      for (const [i, entry] of list.entries()) {
        const sample = readSample(entry, file, line)
        if (typeof sample === 'string')
          return refuse(Array.isArray(parsed) ? `sample ${i + 1} of the array ${sample}` : `the sample ${sample}`)
        samples.push(sample)
      }
      for (const sample of samples) into.push(sample)
    }
  }
}

function readSample(entry: unknown, file: string, line: number): RecordedSample | string {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return 'is not an object with device, ts and values'
  const { device, ts, values, bad } = entry as Record<string, unknown>
  if (typeof device !== 'string' || device === '') return 'names no device'
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return `of ${device} has no values object`
  const names = Object.keys(values)
  if (names.length > LIMITS.message.valuesPerSample) {
    return `of ${device} has ${names.length} values; the limit is ${LIMITS.message.valuesPerSample}`
  }
  for (const name of names) {
    const value = (values as Record<string, unknown>)[name]
    if (typeof value === 'number' ? !Number.isFinite(value) : typeof value !== 'boolean' && value !== null) {
      return `of ${device} has a value ${name} that is no finite number, true, false or null`
    }
  }
  if (bad !== undefined && !(Array.isArray(bad) && bad.every((name) => typeof name === 'string'))) {
    return `of ${device} has a "bad" that is no list of metric names`
  }
  const at = instant(ts)
  if (at === undefined) return `of ${device} has a ts that is neither epoch ms nor ISO 8601`
  return { kind: 'sample', device, at, values: values as RecordedSample['values'], bad: (bad as string[] | undefined) ?? null, file, line }
}

/** Null: none given. Undefined: not a time. */
function instant(ts: unknown): number | null | undefined {
  if (ts === undefined || ts === null) return null
  if (typeof ts === 'number') return Number.isFinite(ts) && Math.abs(ts) <= 8.64e15 ? Math.round(ts) : undefined
  return typeof ts === 'string' ? (readIso(ts) ?? undefined) : undefined
}
