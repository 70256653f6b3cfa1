// Cursors: where a page ended, as opaque text. They name the sort key of the last item, so a page never skips or repeats
// what stood still meanwhile.

import { type Problem, problem } from '../platform/problem.ts'

/** Which listing a cursor belongs to. */
export type CursorKind = 'active' | 'raised' | 'events' | 'quarantine' | 'shadow' | 'notices' | 'answers' | 'marks'

/** The sort key of an item: numbers, and text for an id. */
export type SortKey = readonly (number | string)[]

export function cursorText(kind: CursorKind, key: SortKey): string {
  return Buffer.from(JSON.stringify([kind, ...key])).toString('base64url')
}

/** The key in a cursor; null where none was given; a problem where it is not one that this listing gave out. */
export function parseCursor(
  kind: CursorKind,
  shape: readonly ('number' | 'string')[],
  text: string | null | undefined
): SortKey | null | Problem {
  if (text === null || text === undefined || text === '') return null
  const parts = parsed(text)
  const fits =
    Array.isArray(parts) &&
    parts.length === shape.length + 1 &&
    parts[0] === kind &&
    shape.every((type, place) => typeof parts[place + 1] === type)
  if (!fits) return problem('The cursor is not one that this listing gave out: ask again without it.')
  return parts.slice(1) as SortKey
}

function parsed(text: string): unknown {
  if (text.length > 1000) return null
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}
