// The report as text for a terminal: what matters first, long lists cut (JSON and the page name everything). Times are UTC.

import { type AlarmChange, type AlarmComparison, CHANGES, type Change, worstOf } from '../../alerts/comparing.ts'
import type { AlarmStatistics } from '../../alerts/statistics.ts'
import { TIERS } from '../../model/tier.ts'
import { type BacktestReport, instantText, minutesOf, type SweepTable, spanText, subjectText } from './report.ts'

/** Rows of one table. */
const ROWS = 20
const DAYS = 31
const CHANGES_SHOWN = 50

/** The lines of the report; none where there was nothing to judge. */
export function reportText({ statistics, comparison, sweep }: BacktestReport): string[] {
  const lines = sweep === null ? [] : sweepText(sweep)
  if (comparison !== null) lines.push(...comparisonText(comparison))
  if (statistics !== null && sweep === null) lines.push(...statisticsText(statistics))
  return lines
}

function statisticsText(statistics: AlarmStatistics): string[] {
  const { total, first, from } = statistics
  if (total.announced === 0 && total.standing === 0) return ['No alarm.']
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
  const lines = [
    `${count(total.alarms, 'alarm')}, ${total.announced} announced, ${minutesOf(total.redMs)} red minutes, ${total.standing} standing at the end`
  ]
  if (first !== null)
    lines.push(
      `First alarm after ${spanText(first.at - from)}: ${first.tier} ${first.rule}/${subjectText(first)} at ${instantText(first.at)}`
    )
  lines.push(...tierTable(statistics), ...countTables(statistics), ...dayTable(statistics), ...nuisance(statistics))
  return lines
}

function tierTable({ tiers, from }: AlarmStatistics): string[] {
  const rows = tiers
    .filter(({ announced, activeMs }) => announced > 0 || activeMs > 0)
    .map(({ tier, announced, activeMs, firstAt }) => [
      tier,
      `${announced}`,
      `${minutesOf(activeMs)}`,
      firstAt === null ? '' : spanText(firstAt - from)
    ])
  return table(['Tier', 'announced', 'minutes', 'first after'], rows, rows.length)
}

function countTables({ rules, subjects, from }: AlarmStatistics): string[] {
  const cells = (counts: AlarmStatistics['rules'][number] | AlarmStatistics['subjects'][number]): string[] => [
    `${counts.alarms}`,
    `${counts.announced}`,
    `${counts.worst.red}`,
    `${minutesOf(counts.activeMs)}`,
    `${minutesOf(counts.redMs)}`,
    counts.firstAt === null ? '' : spanText(counts.firstAt - from)
  ]
  const columns = ['alarms', 'announced', 'worst red', 'minutes', 'red minutes', 'first after']
  return [
    ...table(
      ['Rule', ...columns],
      rules.map((rule) => [rule.rule, ...cells(rule)]),
      ROWS
    ),
    ...table(
      ['Device or area', ...columns],
      subjects.map((subject) => [subjectText(subject), ...cells(subject)]),
      ROWS
    )
  ]
}

function dayTable({ days }: AlarmStatistics): string[] {
  const rows = days.map(({ day, alarms, announced }) => [day, `${alarms}`, ...TIERS.toReversed().map((tier) => `${announced[tier]}`)])
  return table(['Day (UTC)', 'alarms', ...TIERS.toReversed()], rows, DAYS)
}

/** Bad actors, floods, chattering and what stands too long: what an alarm system is tuned by. */
function nuisance({ badActors, floods, floodMs, chattering, stale, staleCount }: AlarmStatistics): string[] {
  const lines = table(
    ['Top ten', 'alarms', 'share'],
    badActors.map((actor) => [`${actor.rule}/${subjectText(actor)}`, `${actor.alarms}`, `${(actor.share * 100).toFixed(1)} %`]),
    badActors.length
  )
  lines.push('')
  if (floods.length === 0) lines.push('Floods (more than 10 announced in 10 minutes): none')
  else {
    lines.push(`Floods (more than 10 announced in 10 minutes): ${floods.length}, ${minutesOf(floodMs)} minutes`)
    for (const { from, to, announced, peak } of floods.slice(0, ROWS))
      lines.push(`  ${instantText(from)}  ${spanText(to - from)}, ${announced} announced, at most ${peak} in 10 minutes`)
    if (floods.length > ROWS) lines.push(`  and ${floods.length - ROWS} more`)
  }
  if (chattering.length === 0) lines.push('Chattering (3 cycles in a minute): none')
  else {
    lines.push(`Chattering (3 cycles in a minute): ${chattering.length}`)
    for (const alarm of chattering.slice(0, ROWS))
      lines.push(
        `  ${alarm.rule}/${subjectText(alarm)}  ${alarm.cycles} cycles in ${alarm.episodes} ${alarm.episodes === 1 ? 'stretch' : 'stretches'}, first at ${instantText(alarm.firstAt)}`
      )
    if (chattering.length > ROWS) lines.push(`  and ${chattering.length - ROWS} more`)
  }
  if (staleCount > 0) {
    lines.push(`Standing longer than 24 hours: ${staleCount}`)
    for (const alarm of stale.slice(0, ROWS))
      lines.push(`  ${alarm.rule}/${subjectText(alarm)}  ${spanText(alarm.forMs)}, since ${instantText(alarm.raisedAt)}`)
    if (staleCount > ROWS) lines.push(`  and ${staleCount - ROWS} more`)
  }
  return lines
}

const CHANGE_WORDS: Readonly<Record<Change, string>> = {
  added: 'added',
  removed: 'removed',
  earlier: 'earlier',
  later: 'later',
  higher: 'higher or sooner in a tier',
  lower: 'lower or later in a tier',
  longer: 'longer',
  shorter: 'shorter'
}

function comparisonText({ same, counts, changes }: AlarmComparison): string[] {
  const parts = CHANGES.filter((change) => counts[change] > 0).map((change) => `${counts[change]} ${CHANGE_WORDS[change]}`)
  const lines = [`Against the other rules: ${[...parts, `${same} the same`].join(', ')}`]
  for (const change of changes.slice(0, CHANGES_SHOWN)) lines.push(`  ${changeText(change)}`)
  if (changes.length > CHANGES_SHOWN) lines.push(`  and ${changes.length - CHANGES_SHOWN} more (--json names all)`)
  return [...lines, '']
}

function changeText({ change, rule, was, now, byMs, ...subject }: AlarmChange): string {
  const by = byMs === null ? '' : ` by ${spanText(byMs)}`
  const tiers = was === null || now === null || worstOf(was) === worstOf(now) ? [worstOf((now ?? was)!)] : [worstOf(was), worstOf(now)]
  const instants = was === null || now === null || was.raisedAt === now.raisedAt ? [(now ?? was)!.raisedAt] : [was.raisedAt, now.raisedAt]
  return `${change.padEnd(8)} ${rule}/${subjectText(subject)}  ${tiers.join(' -> ')}  ${instants.map(instantText).join(' -> ')}${by}`
}

function sweepText({ rule, tier, written, rows }: SweepTable): string[] {
  const head = ['limit', 'alarms', `${tier} announced`, `${tier} minutes`, ...(tier === 'red' ? [] : ['red minutes'])]
  const cells = rows.map(({ limit, problem, alarms, announced, tierMs, redMs }) => {
    if (problem !== null) return [`${limit}`, ...head.slice(1).map(() => '-'), problem]
    return [`${limit}`, `${alarms}`, `${announced}`, `${minutesOf(tierMs)}`, ...(tier === 'red' ? [] : [`${minutesOf(redMs)}`])]
  })
  return [`${rule}, tier ${tier}, in place of ${written}:`, ...table(head, cells, rows.length).slice(1)]
}

/** First column to the left, figures to the right; a last cell beyond the head is a remark. */
function table(head: readonly string[], rows: readonly string[][], most: number): string[] {
  if (rows.length === 0) return []
  const shown = rows.slice(0, most)
  const widths = head.map((name, column) => Math.max(name.length, ...shown.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 || column >= head.length ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
      )
      .join('  ')
      .trimEnd()
  const more = rows.length > most ? [`and ${rows.length - most} more`] : []
  return ['', line(head), ...shown.map(line), ...more]
}
