// Two alarm logs held against each other: what one has that the other has not, and what came earlier, later, higher, longer.
// Pure. Alarms are the same where rule and subject are and they stand at a common instant.

import type { Transition } from '../model/alarm.ts'
import { levelRank, TIERS, type Tier } from '../model/tier.ts'
import { type AlarmSubject, lineKey, raisedAtOf } from './statistics.ts'

/** One alarm from its raise to its clear. */
export interface AlarmSpan extends AlarmSubject {
  readonly id: string
  readonly rule: string
  readonly raisedAt: number
  readonly clearedAt: number | null
  /** When each tier, or one above it, was first reached; null where it never was. In the order of TIERS. */
  readonly reached: readonly (number | null)[]
  /** Every level it had, in order; the last ends at `clearedAt`. */
  readonly levels: readonly { readonly at: number; readonly tier: Tier }[]
  readonly because: string
}

/**
 * - added, removed: on one side only.
 * - earlier, later: raised so.
 * - higher, lower: raised at the same instant, but it reaches a tier that the other does not, or does so sooner (lower: the reverse).
 * - longer, shorter: all that alike, but cleared later (sooner).
 */
export const CHANGES = ['added', 'removed', 'earlier', 'later', 'higher', 'lower', 'longer', 'shorter'] as const
export type Change = (typeof CHANGES)[number]

export interface AlarmChange extends AlarmSubject {
  readonly change: Change
  readonly rule: string
  /** Under the other rules; null where added. */
  readonly was: AlarmSpan | null
  /** Under these rules; null where removed. */
  readonly now: AlarmSpan | null
  /** For what moved: by how much, in ms, always positive; null where there is no such figure. */
  readonly byMs: number | null
}

export interface AlarmComparison {
  readonly same: number
  readonly counts: Readonly<Record<Change, number>>
  /** By the instant of the earlier raise, then rule and subject. */
  readonly changes: readonly AlarmChange[]
}

/** Folds transitions into alarms. */
export class SpanCollector {
  readonly #spans: Writable[] = []
  readonly #open = new Map<string, Writable>()
  readonly #most: number
  readonly #counts = new Map<string, number>()
  /** Alarms not kept. */
  left = 0

  /** Keeps at most `most` alarms of each rule and subject: the first ones. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most
  }

  take(event: Transition): void {
    const { rule, device, area, id, at, to, because } = event
    const key = lineKey(event)
    let span = this.#open.get(key)
    if (to === 'clear') {
      if (span !== undefined) span.clearedAt = at
      this.#open.delete(key)
      return
    }
    if (span === undefined) {
      const count = (this.#counts.get(key) ?? 0) + 1
      span = {
        id,
        rule,
        device,
        area,
        raisedAt: raisedAtOf(event),
        clearedAt: null,
        reached: [null, null, null, null],
        levels: [],
        because
      }
      this.#open.set(key, span)
      this.#counts.set(key, count)
      if (count <= this.#most) this.#spans.push(span)
      else this.left++
    }
    for (let rank = 0; rank < levelRank(to); rank++) span.reached[rank] ??= at
    span.levels.push({ at, tier: to })
  }

  get spans(): readonly AlarmSpan[] {
    return this.#spans
  }
}

interface Writable extends AlarmSpan {
  clearedAt: number | null
  readonly reached: (number | null)[]
  readonly levels: { at: number; tier: Tier }[]
}

/** The worst tier an alarm reached. */
export function worstOf({ reached }: AlarmSpan): Tier {
  return TIERS.findLast((_, rank) => reached[rank] !== null) ?? 'blue'
}

/** What is different `now` from what `was`. */
export function compareAlarms(was: readonly AlarmSpan[], now: readonly AlarmSpan[]): AlarmComparison {
  const changes: AlarmChange[] = []
  let same = 0
  const [before, after] = [byLine(was), byLine(now)]
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    for (const [old, fresh] of pairsOf(before.get(key) ?? [], after.get(key) ?? [])) {
      const found = changeOf(old, fresh)
      if (found === null) same++
      else changes.push(found)
    }
  }
  const startOf = ({ was: old, now: fresh }: AlarmChange) => Math.min(old?.raisedAt ?? Infinity, fresh?.raisedAt ?? Infinity)
  changes.sort((a, b) => startOf(a) - startOf(b) || (lineKey(a) < lineKey(b) ? -1 : lineKey(a) > lineKey(b) ? 1 : 0))
  const counts = Object.fromEntries(CHANGES.map((change) => [change, 0])) as Record<Change, number>
  for (const { change } of changes) counts[change]++
  return { same, counts, changes }
}

function byLine(spans: readonly AlarmSpan[]): Map<string, AlarmSpan[]> {
  const lines = new Map<string, AlarmSpan[]>()
  for (const span of spans) {
    const key = lineKey(span)
    const line = lines.get(key)
    if (line === undefined) lines.set(key, [span])
    else line.push(span)
  }
  return lines
}

type Pair = readonly [AlarmSpan | null, AlarmSpan | null]

/** Whether the one is over when the other is raised. */
function isBefore(one: AlarmSpan, other: AlarmSpan): boolean {
  return endOf(one) <= other.raisedAt && one.raisedAt < other.raisedAt
}

/** Both lists are of one rule and subject: in order, never two at once. Each alarm is paired with the first free one it meets. */
function pairsOf(was: readonly AlarmSpan[], now: readonly AlarmSpan[]): Pair[] {
  const pairs: Pair[] = []
  let [i, j] = [0, 0]
  while (i < was.length || j < now.length) {
    const [old, fresh] = [was[i] ?? null, now[j] ?? null]
    if (old !== null && (fresh === null || isBefore(old, fresh))) {
      pairs.push([old, null])
      i++
    } else if (fresh !== null && (old === null || isBefore(fresh, old))) {
      pairs.push([null, fresh])
      j++
    } else {
      pairs.push([old, fresh])
      i++
      j++
    }
  }
  return pairs
}

function endOf({ clearedAt }: AlarmSpan): number {
  return clearedAt ?? Number.POSITIVE_INFINITY
}

function changeOf(was: AlarmSpan | null, now: AlarmSpan | null): AlarmChange | null {
  const { rule, device, area } = (was ?? now) as AlarmSpan
  const found = (change: Change, byMs: number | null): AlarmChange => ({ change, rule, device, area, was, now, byMs })
  if (was === null) return found('added', null)
  if (now === null) return found('removed', null)
  const moved = now.raisedAt - was.raisedAt
  if (moved !== 0) return found(moved < 0 ? 'earlier' : 'later', Math.abs(moved))
  for (let rank = TIERS.length - 1; rank >= 0; rank--) {
    const [before, after] = [was.reached[rank] ?? null, now.reached[rank] ?? null]
    if (before === after) continue
    const higher = before === null || (after !== null && after < before)
    return found(higher ? 'higher' : 'lower', before === null || after === null ? null : Math.abs(after - before))
  }
  const [before, after] = [endOf(was), endOf(now)]
  if (before === after) return null
  return found(after > before ? 'longer' : 'shorter', Number.isFinite(before) && Number.isFinite(after) ? Math.abs(after - before) : null)
}
