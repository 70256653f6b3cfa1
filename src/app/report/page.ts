// The report as one self-contained page, in Chinese and English. Invariant: it asks nobody for anything, and the same judgement
// gives the same bytes.

import { type AlarmChange, type AlarmSpan, CHANGES, type Change, worstOf } from '../../alerts/comparing.ts'
import type { AlarmCounts, AlarmStatistics, AlarmSubject } from '../../alerts/statistics.ts'
import type { Plant } from '../../model/plant.ts'
import { escaped } from '../../platform/html.ts'
import { dayChart, sweepChart, trendChart } from './charts.ts'
import { both, type Column, nameOf, section, table, tierTag } from './markup.ts'
import { type BacktestReport, instantText, minutesOf, type SweepTable, spanText } from './report.ts'
import { SCRIPT, STYLE } from './style.ts'
import type { Trend } from './trends.ts'

/** Rows of one table; the rest is counted. */
const ROWS = 200
const ALARMS = 1000

export interface PageContent {
  /** What was judged: file names, or a data folder. */
  readonly inputs: readonly string[]
  /** The rule files, as they were named. */
  readonly rules: { readonly these: string; readonly against: string | null }
  readonly report: BacktestReport
  readonly plant: Plant | null
  readonly alarms: readonly AlarmSpan[]
  /** Alarms beyond those kept. */
  readonly alarmsLeft: number
  readonly trends: readonly Trend[]
  readonly trendsLeft: number
}

/** The page's HTML. */
export function reportPage(content: PageContent): string {
  const { report } = content
  const { statistics, comparison, sweep } = report
  const names = new Names(content.plant)
  const body = [head(content)]
  if (statistics === null)
    body.push(section(both('没有数据', 'No data'), `<p class="none">${both('没有可判断的样本。', 'There was no sample to judge.')}</p>`))
  else {
    body.push(tiles(statistics))
    if (sweep !== null) body.push(sweepSection(sweep))
    if (comparison !== null) body.push(comparisonSection(comparison.changes, comparison.counts, comparison.same, content.rules, names))
    body.push(trendSection(content), countSections(statistics, names), nuisanceSections(statistics, names), alarmSection(content, names))
  }
  return `<!doctype html>
<html lang="zh-CN" data-lang="zh">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>烽火 Fenghuo · 回测 Backtest</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
${body.join('\n')}
<footer>${both('时间均为 UTC。报警指标按 ISA-18.2。', 'All times are UTC. Alarm figures follow ISA-18.2.')}</footer>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`
}

/** Names of the plant beside ids. */
class Names {
  readonly #rules: ReadonlyMap<string, string>
  readonly #devices: ReadonlyMap<string, string>
  readonly #areas: ReadonlyMap<string, string>

  constructor(plant: Plant | null) {
    this.#rules = new Map(plant?.rules.map(({ id, title }) => [id, nameOf(title)]))
    this.#devices = new Map(plant?.devices.map(({ id, name }) => [id, nameOf(name)]))
    this.#areas = new Map(plant?.areas.map(({ id, name }) => [id, nameOf(name)]))
  }

  rule(id: string): string {
    return named(id, this.#rules.get(id))
  }

  subject({ device, area }: AlarmSubject): string {
    return device === null ? named(area ?? '', this.#areas.get(area ?? '')) : named(device, this.#devices.get(device))
  }
}

function named(id: string, name: string | undefined): string {
  const shown = `<span class="id">${escaped(id)}</span>`
  return name === undefined || name === escaped(id) ? shown : `${shown} <span class="name">${name}</span>`
}

function instant(at: number | null): string {
  return at === null ? '' : `<span class="instant">${instantText(at)}</span>`
}

function head({ inputs, rules, report }: PageContent): string {
  const { summary } = report
  const { samples, badRows, rejected, from, to } = summary
  const facts = [
    inputs.map(escaped).join(', '),
    escaped(rules.these) + (rules.against === null ? '' : ` ${both('对比', 'against')} ${escaped(rules.against)}`)
  ]
  const span = from === null || to === null ? '' : `${instantText(from)} – ${instantText(to)} UTC (${spanText(to - from)})`
  const counts = both(
    `${samples} 个样本${badRows > 0 ? `，${badRows} 行无法读取` : ''}${rejected > 0 ? `，${rejected} 个样本无法使用` : ''}`,
    `${samples} samples${badRows > 0 ? `, ${badRows} rows could not be read` : ''}${rejected > 0 ? `, ${rejected} samples could not be used` : ''}`
  )
  return `<header><div><h1>${both('报警规则回测', 'Backtest of alarm rules')}</h1>
<p>${facts.join(' · ')}</p><p>${span}${span === '' ? '' : ' · '}${counts}</p></div>
<div class="language" role="group" aria-label="语言 Language"><button type="button" value="zh">中文</button><button type="button" value="en">English</button></div></header>`
}

function tiles({ total, first, from, floodMs, floods, chattering }: AlarmStatistics): string {
  const tile = (figure: string, label: string): string => `<div class="tile"><b>${figure}</b><span>${label}</span></div>`
  return `<div class="tiles">${[
    tile(String(total.alarms), both('报警', 'alarms')),
    tile(String(total.announced), both('播报（含升级）', 'announced (with escalations)')),
    tile(first === null ? '–' : spanText(first.at - from), both('首个报警', 'to the first alarm')),
    tile(wholeMinutes(total.redMs), both('红色分钟', 'red minutes')),
    tile(wholeMinutes(floodMs), both(`泛滥分钟（${floods.length} 次）`, `flood minutes (${floods.length})`)),
    tile(String(chattering.length), both('抖动报警', 'chattering alarms')),
    tile(String(total.standing), both('结束时未恢复', 'standing at the end'))
  ].join('')}</div>`
}

/** Minutes as a figure to be read at a glance. */
function wholeMinutes(ms: number): string {
  const minutes = ms / 60_000
  return minutes < 100 ? String(Number(minutes.toFixed(1))) : String(Math.round(minutes))
}

const CHANGE_WORDS: Readonly<Record<Change, readonly [zh: string, en: string]>> = {
  added: ['新增', 'added'],
  removed: ['消失', 'removed'],
  earlier: ['提前', 'earlier'],
  later: ['推迟', 'later'],
  higher: ['级别升高或更早升级', 'higher, or sooner in a tier'],
  lower: ['级别降低或更晚升级', 'lower, or later in a tier'],
  longer: ['持续更久', 'longer'],
  shorter: ['持续更短', 'shorter']
}

function comparisonSection(
  changes: readonly AlarmChange[],
  counts: Readonly<Record<Change, number>>,
  same: number,
  rules: PageContent['rules'],
  names: Names
): string {
  const summary = [
    ...CHANGES.filter((change) => counts[change] > 0).map((change) =>
      both(...CHANGE_WORDS[change]).replaceAll('</span>', ` ${counts[change]}</span>`)
    ),
    both(`不变 ${same}`, `the same ${same}`)
  ].join(' · ')
  const cell = (span: AlarmSpan | null): string => (span === null ? '–' : `${instant(span.raisedAt)} ${tierTag(worstOf(span))}`)
  const rows = changes
    .slice(0, ROWS)
    .map(({ change, rule, was, now, byMs, ...subject }) => [
      `<span class="change">${both(...CHANGE_WORDS[change])}</span>`,
      names.rule(rule),
      names.subject(subject),
      cell(was),
      cell(now),
      byMs === null ? '' : spanText(byMs)
    ])
  const columns: Column[] = [
    { head: both('变化', 'Change') },
    { head: both('规则', 'Rule') },
    { head: both('对象', 'Subject') },
    { head: both('另一规则', 'Other rules') },
    { head: both('本规则', 'These rules') },
    { head: both('相差', 'By'), figure: true }
  ]
  const note = `${escaped(rules.these)} ${both('对比', 'against')} ${escaped(rules.against ?? '')} · ${summary}`
  return section(both('规则改动带来的变化', 'What the changed rules change'), table(columns, rows, changes.length - rows.length), note)
}

function sweepSection({ rule, tier, written, rows }: SweepTable): string {
  const columns: Column[] = [
    { head: both('限值', 'Limit') },
    { head: both('报警', 'Alarms'), figure: true },
    { head: both('该级播报', 'Announced in the tier'), figure: true },
    { head: both('该级分钟', 'Minutes in the tier'), figure: true },
    ...(tier === 'red' ? [] : [{ head: both('红色分钟', 'Red minutes'), figure: true }]),
    { head: '' }
  ]
  const cells = rows.map(({ limit, problem, alarms, announced, tierMs, redMs }) => {
    const red = tier === 'red' ? [] : [String(minutesOf(redMs))]
    const figures = [String(alarms), String(announced), String(minutesOf(tierMs)), ...red]
    return [String(limit), ...figures.map((figure) => (problem === null ? figure : '')), problem === null ? '' : escaped(problem)]
  })
  const note = `<span class="id">${escaped(rule)}</span> ${tierTag(tier)} · ${both('代替', 'in place of')} <span class="id">${escaped(written)}</span> · ${both('柱：该级播报数；虚线：红色分钟', 'columns: announced in the tier; broken line: red minutes')}`
  return section(both('限值扫描', 'Alarms against the limit'), sweepChart(rows) + table(columns, cells), note)
}

function trendSection({ trends, trendsLeft }: PageContent): string {
  if (trends.length === 0) return ''
  const pictures = trends.map((trend) => {
    const { device, metric } = trend
    const title = `${named(device.id, nameOf(device.name))} · ${named(metric.id, nameOf(metric.name))}${metric.unit === '1' ? '' : ` <span class="name">${escaped(metric.unit)}</span>`}`
    return `<div class="trend"><h3>${title}</h3>${trendChart(trend)}</div>`
  })
  const rest =
    trendsLeft > 0 ? `<p class="none">${both(`另有 ${trendsLeft} 条曲线未显示`, `${trendsLeft} more series are not shown`)}</p>` : ''
  return section(
    both('报警曲线', 'Series that alarmed'),
    pictures.join('\n') + rest,
    both('虚线为限值，色带为报警时段', 'Broken lines are limits, coloured bands are alarms')
  )
}

function countColumns(first: string): Column[] {
  return [
    { head: first },
    { head: both('报警', 'Alarms'), figure: true },
    { head: both('播报', 'Announced'), figure: true },
    { head: both('最高红色', 'Worst red'), figure: true },
    { head: both('分钟', 'Minutes'), figure: true },
    { head: both('红色分钟', 'Red minutes'), figure: true },
    { head: both('首个报警', 'First after'), figure: true }
  ]
}

function countSections({ rules, subjects, tiers, days, from, to }: AlarmStatistics, names: Names): string {
  const cells = ({ alarms, announced, worst, activeMs, redMs, firstAt }: AlarmCounts): string[] => [
    ...[alarms, announced, worst.red, minutesOf(activeMs), minutesOf(redMs)].map(String),
    firstAt === null ? '' : spanText(firstAt - from)
  ]
  const tierRows = tiers
    .filter(({ announced, activeMs }) => announced > 0 || activeMs > 0)
    .map(({ tier, announced, activeMs, firstAt }) => [
      tierTag(tier),
      String(announced),
      String(minutesOf(activeMs)),
      firstAt === null ? '' : spanText(firstAt - from)
    ])
  const tierColumns = [{ head: both('级别', 'Tier') }, ...countColumns('').filter((_, i) => [2, 4, 6].includes(i))]
  const [byRule, bySubject] = [rules.slice(0, ROWS), subjects.slice(0, ROWS)]
  return [
    section(
      both('按规则', 'By rule'),
      table(
        countColumns(both('规则', 'Rule')),
        byRule.map((row) => [names.rule(row.rule), ...cells(row)]),
        rules.length - byRule.length
      )
    ),
    section(
      both('按设备或区域', 'By device or area'),
      table(
        countColumns(both('设备或区域', 'Device or area')),
        bySubject.map((row) => [names.subject(row), ...cells(row)]),
        subjects.length - bySubject.length
      )
    ),
    section(both('按级别', 'By tier'), table(tierColumns, tierRows)),
    section(
      both('按日（UTC）', 'By day (UTC)'),
      dayChart(days, from, to),
      both('每日播报数，按级别堆叠', 'Announcements a day, stacked by tier')
    )
  ].join('\n')
}

function nuisanceSections({ badActors, floods, chattering, stale, staleCount, total }: AlarmStatistics, names: Names): string {
  const actors = badActors.map((actor) => [
    names.rule(actor.rule),
    names.subject(actor),
    String(actor.alarms),
    `${(actor.share * 100).toFixed(1)} %<span class="bar" style="width:${Math.round((actor.alarms / (badActors[0]?.alarms ?? 1)) * 100)}%;margin-left:auto"></span>`
  ])
  const [rule, subject] = [{ head: both('规则', 'Rule') }, { head: both('对象', 'Subject') }]
  const figure = (zh: string, en: string): Column => ({ head: both(zh, en), figure: true })
  return `${section(
    both('报警最多的十项', 'Top ten bad actors'),
    table([rule, subject, figure('报警', 'Alarms'), figure('占比', 'Share')], actors),
    both(`共 ${total.alarms} 个报警`, `of ${total.alarms} alarms`)
  )}<div class="pair">${section(
    both('报警泛滥', 'Alarm floods'),
    table(
      [{ head: both('开始', 'From') }, figure('持续', 'For'), figure('播报', 'Announced'), figure('峰值', 'Peak')],
      floods.slice(0, ROWS).map(({ from, to, announced, peak }) => [instant(from), spanText(to - from), String(announced), String(peak)]),
      floods.length - ROWS
    ),
    both('10 分钟内播报超过 10 个起，少于 5 个止', 'From more than 10 announced in 10 minutes until fewer than 5')
  )}${section(
    both('抖动报警', 'Chattering alarms'),
    table(
      [rule, subject, figure('次数', 'Cycles'), { head: both('首次', 'First') }],
      chattering
        .slice(0, ROWS)
        .map((alarm) => [names.rule(alarm.rule), names.subject(alarm), String(alarm.cycles), instant(alarm.firstAt)]),
      chattering.length - ROWS
    ),
    both('一分钟内报警并恢复三次', 'Raised and cleared three times within a minute')
  )}</div>${
    staleCount === 0
      ? ''
      : section(
          both('持续超过 24 小时', 'Standing longer than 24 hours'),
          table(
            [rule, subject, { head: both('起', 'Since') }, figure('持续', 'For')],
            stale.map((alarm) => [names.rule(alarm.rule), names.subject(alarm), instant(alarm.raisedAt), spanText(alarm.forMs)]),
            staleCount - stale.length
          )
        )
  }`
}

function alarmSection({ alarms, alarmsLeft }: PageContent, names: Names): string {
  const rows = alarms
    .slice(0, ALARMS)
    .map((alarm) => [
      tierTag(worstOf(alarm)),
      instant(alarm.raisedAt),
      alarm.clearedAt === null ? both('未恢复', 'standing') : spanText(alarm.clearedAt - alarm.raisedAt),
      names.rule(alarm.rule),
      names.subject(alarm),
      escaped(alarm.because)
    ])
  const columns: Column[] = [
    { head: both('最高级别', 'Worst tier') },
    { head: both('发生', 'Raised') },
    { head: both('持续', 'For'), figure: true },
    { head: both('规则', 'Rule') },
    { head: both('对象', 'Subject') },
    { head: both('原因', 'Because') }
  ]
  return section(both('报警', 'Alarms'), table(columns, rows, alarms.length - rows.length + alarmsLeft))
}
