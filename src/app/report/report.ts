// What a backtest amounts to, ready to be shown: the figures, the comparison, the sweep. As JSON here; text.ts and html.ts
// show the same. Invariant: nothing in it depends on when or where it was made.

import type { AlarmChange, AlarmComparison, AlarmSpan } from '../../alerts/comparing.ts'
import { worstOf } from '../../alerts/comparing.ts'
import type { AlarmCounts, AlarmStatistics, AlarmSubject } from '../../alerts/statistics.ts'
import type { Tier } from '../../model/tier.ts'
import { formatDuration } from '../../platform/duration.ts'
import type { BacktestSummary } from '../backtest.ts'

export interface BacktestReport {
  readonly summary: BacktestSummary
  /** Null where nothing was judged. */
  readonly statistics: AlarmStatistics | null
  /** With `--against`: the other rules' figures, and what is different. */
  readonly against: AlarmStatistics | null
  readonly comparison: AlarmComparison | null
  readonly sweep: SweepTable | null
}

export interface SweepTable {
  readonly rule: string
  readonly tier: Tier
  /** What the limit is in the rule as it stands: `85`, `limits.level_high`. */
  readonly written: string
  readonly rows: readonly SweepRow[]
}

/** The rule judged under one limit. */
export interface SweepRow {
  readonly limit: number
  /** Why it cannot be judged so; then the figures are 0. */
  readonly problem: string | null
  readonly alarms: number
  /** Announcements of the swept tier. */
  readonly announced: number
  /** How long the swept tier stood, and red, in ms. */
  readonly tierMs: number
  readonly redMs: number
  /** Epoch ms. */
  readonly firstAt: number | null
}

/** The report as `--json` prints it: instants in ISO 8601, spans in minutes. */
export function reportJson({ statistics, against, comparison, sweep }: BacktestReport): Record<string, unknown> {
  return {
    ...(statistics === null ? {} : { report: statisticsJson(statistics) }),
    ...(against === null ? {} : { reportAgainst: statisticsJson(against) }),
    ...(comparison === null
      ? {}
      : { comparison: { same: comparison.same, ...comparison.counts, changes: comparison.changes.map(changeJson) } }),
    ...(sweep === null
      ? {}
      : {
          sweep: {
            ...sweep,
            rows: sweep.rows.map(({ tierMs, redMs, firstAt, ...row }) => ({
              ...row,
              tierMinutes: minutesOf(tierMs),
              redMinutes: minutesOf(redMs),
              firstAt: isoOf(firstAt)
            }))
          }
        })
  }
}

function statisticsJson(statistics: AlarmStatistics): Record<string, unknown> {
  const { from, to, total, tiers, rules, subjects, badActors, days, floods, floodMs, chattering, stale, staleCount, first } = statistics
  return {
    from: isoOf(from),
    to: isoOf(to),
    ...countsJson(total),
    standing: total.standing,
    firstAlarm:
      first === null ? null : { ...subjectJson(first), at: isoOf(first.at), tier: first.tier, afterMinutes: minutesOf(first.at - from) },
    tiers: tiers.map(({ activeMs, firstAt, ...tier }) => ({ ...tier, minutes: minutesOf(activeMs), firstAt: isoOf(firstAt) })),
    rules: rules.map(({ rule, subjects: of, ...counts }) => ({ rule, subjects: of, ...countsJson(counts) })),
    devices: subjects.map(({ rules: of, ...counts }) => ({ ...subjectJson(counts), rules: of, ...countsJson(counts) })),
    badActors: badActors.map(({ share, ...counts }) => ({ ...subjectJson(counts), share: rounded(share, 4), ...countsJson(counts) })),
    days,
    floods: floods.map((flood) => ({ ...flood, from: isoOf(flood.from), to: isoOf(flood.to) })),
    floodMinutes: minutesOf(floodMs),
    chattering: chattering.map(({ episodes, cycles, firstAt, ...of }) => ({
      ...subjectJson(of),
      episodes,
      cycles,
      firstAt: isoOf(firstAt)
    })),
    stale: stale.map(({ raisedAt, forMs, ...of }) => ({
      ...subjectJson(of),
      raisedAt: isoOf(raisedAt),
      hours: rounded(forMs / 3_600_000, 2)
    })),
    staleCount
  }
}

function countsJson({ alarms, announced, activeMs, redMs, firstAt, worst }: AlarmCounts): Record<string, unknown> {
  return { alarms, announced, minutes: minutesOf(activeMs), redMinutes: minutesOf(redMs), firstAt: isoOf(firstAt), worst }
}

function changeJson({ change, was, now, byMs, ...of }: AlarmChange): Record<string, unknown> {
  return { change, ...subjectJson(of), bySeconds: byMs === null ? null : byMs / 1000, was: spanJson(was), now: spanJson(now) }
}

function spanJson(span: AlarmSpan | null): Record<string, unknown> | null {
  if (span === null) return null
  return { raisedAt: isoOf(span.raisedAt), clearedAt: isoOf(span.clearedAt), worstTier: worstOf(span), because: span.because }
}

function subjectJson({ rule, device, area }: AlarmSubject & { readonly rule?: string }): Record<string, unknown> {
  return { ...(rule === undefined ? {} : { rule }), ...(device === null ? { area } : { device }) }
}

/** `T-101`, or `area bund-1`. */
export function subjectText({ device, area }: AlarmSubject): string {
  return device ?? `area ${area}`
}

export function isoOf(at: number): string
export function isoOf(at: number | null): string | null
export function isoOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}

/** `2026-01-01 00:01:52`, with milliseconds where there are any. UTC. */
export function instantText(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace('.000Z', '').replace('Z', '')
}

/** A span for people: `1m52s`; from a minute on without milliseconds, from a day on without seconds. */
export function spanText(ms: number): string {
  if (ms < 60_000) return formatDuration(Math.round(ms))
  if (ms < 86_400_000) return formatDuration(Math.round(ms / 1000) * 1000)
  return formatDuration(Math.round(ms / 60_000) * 60_000)
}

export function minutesOf(ms: number): number {
  return rounded(ms / 60_000, 3)
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals))
}
