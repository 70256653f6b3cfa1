// Takes what was written as far as it can be taken. Whatever has the wrong type was reported by its shape and counts as left
// out here, so that one mistake does not hide the next: things with mistakes are still held against each other.

import type { Text } from '../../model/text.ts'
import { parseDuration } from '../../platform/duration.ts'

export type Written = Readonly<Record<string, unknown>>

/** The mapping that was written; an empty one for anything else. */
export function mapping(written: unknown): Written {
  return typeof written === 'object' && written !== null && !Array.isArray(written) ? (written as Written) : {}
}

export function textOr<Else>(written: unknown, otherwise: Else): string | Else {
  return typeof written === 'string' ? written : otherwise
}

export function numberOr<Else>(written: unknown, otherwise: Else): number | Else {
  return typeof written === 'number' ? written : otherwise
}

/** Milliseconds of a duration text. */
export function durationOr<Else>(written: unknown, otherwise: Else): number | Else {
  return typeof written === 'string' ? (parseDuration(written) ?? otherwise) : otherwise
}

/** A name in both languages; where none was written, `otherwise` in both. */
export function nameOr(written: unknown, otherwise: string): Text {
  if (typeof written === 'string') return Object.freeze({ zh: written, en: written })
  const { zh, en } = mapping(written)
  return Object.freeze({ zh: textOr(zh, otherwise), en: textOr(en, otherwise) })
}

/** The entries of a mapping that are numbers, frozen, in code unit order of their names: equal contents have equal JSON. */
export function numbers(written: unknown): Readonly<Record<string, number>> {
  return sorted(mapping(written), (value): value is number => typeof value === 'number')
}

/** The entries of a mapping that are text, likewise. */
export function texts(written: unknown): Readonly<Record<string, string>> {
  return sorted(mapping(written), (value): value is string => typeof value === 'string')
}

/** The id that an entry claims, whatever else is wrong with it. */
export function claimedId(entry: unknown): string | null {
  const { id } = mapping(entry)
  return typeof id === 'string' && id !== '' ? id : null
}

/** Compares by id in code unit order. */
export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function sorted<Value>(record: Written, fits: (value: unknown) => value is Value): Readonly<Record<string, Value>> {
  const entries = Object.entries(record).filter((entry): entry is [string, Value] => fits(entry[1]))
  return Object.freeze(Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))))
}
