// Cursors: where a list goes on, opaque to whoever carries them. A cursor that was tampered with is a problem, not a fault.

import { ApiProblem } from './problems.ts'

/** The cursor behind the last item of a page. */
export function cursorAfter(last: string | number): string {
  return Buffer.from(JSON.stringify(last), 'utf8').toString('base64url')
}

/** What `cursorAfter` was given. */
export function readCursor(cursor: string, kind: 'string'): string
export function readCursor(cursor: string, kind: 'number'): number
export function readCursor(cursor: string, kind: 'string' | 'number'): string | number {
  try {
    const last: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (typeof last === kind && (kind === 'string' || Number.isSafeInteger(last))) return last as string | number
  } catch {
    // Not JSON: the same answer as any other cursor that is not ours.
  }
  throw badCursor('This cursor is not one that this list gave out. Leave it away to start from the beginning.')
}

export function badCursor(sentence: string): ApiProblem {
  return new ApiProblem('invalid', sentence, { faults: [{ at: 'cursor', problem: sentence }] })
}
