// Pictures of the report page as inline SVG: a series with its limits and alarms, days as columns, a sweep. Invariant: a
// picture has at most a few thousand points, however much was judged.

import type { AlarmSpan } from '../../alerts/comparing.ts'
import type { DayCounts } from '../../alerts/statistics.ts'
import { TIERS, type Tier } from '../../model/tier.ts'
import { escaped } from '../../platform/html.ts'
import { both } from './markup.ts'
import { instantText, minutesOf, type SweepRow, spanText } from './report.ts'
import type { Trend } from './trends.ts'

const WIDTH = 1100
const LEFT = 56
const RIGHT = 96
const PLOT = WIDTH - LEFT - RIGHT
const SECOND = 1000
const DAY = 86_400_000
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200].map((s) => s * SECOND)
const DAY_STEPS = [1, 2, 7, 14, 30, 60, 90, 180, 365, 730, 3650].map((days) => days * DAY)

/** Values over time; limits as broken lines; alarms as bands behind, and as a strip below (a second one for the other rules). */
export function trendChart(trend: Trend): string {
  const { from, to, metric, alarms, against } = trend
  const height = 200
  const strips = against === null ? 1 : 2
  const bottom = height + 8 + strips * 16
  const x = (at: number): number => LEFT + (to === from ? 0 : ((Math.min(Math.max(at, from), to) - from) / (to - from)) * PLOT)
  const scale = scaleOf(trend)
  const y = (value: number): number => 6 + (1 - (value - scale.low) / (scale.high - scale.low)) * (height - 6)
  const parts: string[] = []
  for (const value of scale.ticks) {
    parts.push(`<line class="grid" x1="${LEFT}" x2="${LEFT + PLOT}" y1="${px(y(value))}" y2="${px(y(value))}"/>`)
    parts.push(`<text x="${LEFT - 8}" y="${px(y(value) + 4)}" text-anchor="end">${value}</text>`)
  }
  parts.push(timeAxis(from, to, x, height, bottom))
  parts.push(bands(alarms, to, x, 6, height - 6, 'wash'))
  parts.push(series(trend, y))
  parts.push(limitLines(trend, y))
  parts.push(bands(alarms, to, x, height + 6, 12, 'strip'))
  if (against !== null) {
    parts.push(bands(against, to, x, height + 22, 12, 'strip'))
    parts.push(stripName(height + 16, both('本规则', 'these rules')), stripName(height + 32, both('另一规则', 'other rules')))
  }
  return `<svg class="chart" viewBox="0 0 ${WIDTH} ${bottom + 22}" role="img" aria-label="${escaped(`${trend.device.id} ${metric.id}`)}">${parts.join('\n')}</svg>`
}

function stripName(y: number, name: string): string {
  return `<text x="${LEFT + PLOT + 6}" y="${y}">${name.replaceAll('span', 'tspan')}</text>`
}

function series({ low, high }: Trend, y: (value: number) => number): string {
  const xOf = (bucket: number): number => LEFT + ((bucket + 0.5) / low.length) * PLOT
  const [tops, bottoms, middle]: [string[], string[], string[]] = [[], [], []]
  for (let bucket = 0; bucket < low.length; bucket++) {
    const [lowest, highest] = [low[bucket] as number, high[bucket] as number]
    if (Number.isNaN(lowest)) continue
    tops.push(`${px(xOf(bucket))} ${px(y(highest))}`)
    bottoms.push(`${px(xOf(bucket))} ${px(y(lowest))}`)
    middle.push(`${px(xOf(bucket))} ${px(y((lowest + highest) / 2))}`)
  }
  if (middle.length === 0) return ''
  const range = `<path class="range" d="M${tops.join('L')}L${bottoms.toReversed().join('L')}Z"/>`
  return `${range}<path class="line" d="M${middle.join('L')}"/>`
}

function limitLines({ limits }: Trend, y: (value: number) => number): string {
  let last = Number.NEGATIVE_INFINITY
  return [...new Map(limits.map((limit) => [`${limit.tier} ${limit.value}`, limit])).values()]
    .sort((a, b) => b.value - a.value)
    .map(({ value, tier }) => {
      const at = y(value)
      const label = Math.max(at + 4, last + 13)
      last = label
      return `<path class="limit ${tier}" d="M${LEFT} ${px(at)}H${LEFT + PLOT}"/><text class="${tier}" x="${LEFT + PLOT + 6}" y="${px(label)}">${value}</text>`
    })
    .join('')
}

function bands(alarms: readonly AlarmSpan[], until: number, x: (at: number) => number, top: number, height: number, kind: string): string {
  return alarms
    .flatMap((alarm) =>
      alarm.levels.map(({ at, tier }, i) => {
        const end = alarm.levels[i + 1]?.at ?? alarm.clearedAt ?? until
        const width = Math.max(x(end) - x(at), 1.5)
        const title = `${alarm.rule} ${tier}: ${instantText(at)}, ${spanText(end - at)}\n${alarm.because}`
        return `<rect class="${tier} ${kind}" x="${px(x(at))}" y="${top}" width="${px(width)}" height="${height}"><title>${escaped(title)}</title></rect>`
      })
    )
    .join('')
}

function timeAxis(from: number, to: number, x: (at: number) => number, height: number, bottom: number): string {
  const span = to - from
  const step = [...TIME_STEPS, ...DAY_STEPS].find((ms) => span / ms <= 8) ?? (DAY_STEPS.at(-1) as number)
  const parts = [`<line class="axis" x1="${LEFT}" x2="${LEFT + PLOT}" y1="${height}" y2="${height}"/>`]
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const text = new Date(at).toISOString()
    const label =
      step >= DAY ? text.slice(0, 10) : span > DAY ? `${text.slice(5, 10)} ${text.slice(11, 16)}` : text.slice(11, step < 60_000 ? 19 : 16)
    parts.push(`<line class="grid" x1="${px(x(at))}" x2="${px(x(at))}" y1="6" y2="${height}"/>`)
    parts.push(`<text x="${px(x(at))}" y="${bottom + 14}" text-anchor="middle">${label}</text>`)
  }
  return parts.join('')
}

/** Round ends and ticks around the values and the limits near them. */
function scaleOf({ low, high, limits, metric }: Trend): { low: number; high: number; ticks: number[] } {
  const values = [...low, ...high].filter((value) => !Number.isNaN(value))
  for (const { value } of limits) values.push(value)
  if (values.length === 0) values.push(metric.min, metric.max)
  const [least, most] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
  const step = roundStep((most - least || Math.abs(most) || 1) / 5)
  const [bottom, top] = [Math.floor(least / step) * step, Math.ceil((most + step * 0.15) / step) * step]
  const count = Math.round((top - bottom) / step)
  const ticks = Array.from({ length: count + 1 }, (_, i) => Number((bottom + i * step).toPrecision(10)))
  return { low: bottom, high: top, ticks }
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= rough * 0.999) ?? power * 10
}

/** Announcements a day, stacked by tier. Days without any are there; beyond a few hundred, days share a column. */
export function dayChart(days: readonly DayCounts[], from: number, to: number): string {
  const [height, columns] = [140, Math.floor(to / DAY) - Math.floor(from / DAY) + 1]
  const perColumn = Math.ceil(columns / 400)
  const counts = new Map<number, Record<Tier, number>>()
  for (const { day, announced } of days) {
    const column = Math.floor((Date.parse(`${day}T00:00:00Z`) / DAY - Math.floor(from / DAY)) / perColumn)
    const sum = counts.get(column) ?? { blue: 0, yellow: 0, orange: 0, red: 0 }
    for (const tier of TIERS) sum[tier] += announced[tier]
    counts.set(column, sum)
  }
  const total = (sum: Record<Tier, number>): number => TIERS.reduce((all, tier) => all + sum[tier], 0)
  const most = Math.max(1, ...[...counts.values()].map(total))
  const slots = Math.ceil(columns / perColumn)
  const width = PLOT / slots
  const bar = Math.min(Math.max(width - 2, width * 0.8), 60)
  const dayOf = (column: number): string => new Date((Math.floor(from / DAY) + column * perColumn) * DAY).toISOString().slice(0, 10)
  const parts = [`<line class="axis" x1="${LEFT}" x2="${LEFT + PLOT}" y1="${height}" y2="${height}"/>`]
  parts.push(`<text x="${LEFT - 8}" y="16" text-anchor="end">${most}</text>`)
  for (let column = 0; column < slots; column += Math.ceil(slots / 10)) {
    parts.push(`<text x="${px(LEFT + (column + 0.5) * width)}" y="${height + 16}" text-anchor="middle">${dayOf(column)}</text>`)
  }
  for (const [column, sum] of [...counts].sort(([a], [b]) => a - b)) {
    let top = height
    for (const tier of TIERS) {
      if (sum[tier] === 0) continue
      const size = (sum[tier] / most) * (height - 10)
      top -= size
      const left = LEFT + (column + 0.5) * width - bar / 2
      parts.push(
        `<rect class="${tier}" x="${px(left)}" y="${px(top)}" width="${px(bar)}" height="${px(size)}"><title>${dayOf(column)}: ${sum[tier]} ${tier}</title></rect>`
      )
    }
  }
  return `<svg class="chart" viewBox="0 0 ${WIDTH} ${height + 22}" role="img" aria-label="days">${parts.join('\n')}</svg>`
}

/** Announcements of the swept tier as columns, red minutes as a line, over the limit. */
export function sweepChart(rows: readonly SweepRow[]): string {
  const judged = rows.filter(({ problem }) => problem === null)
  if (judged.length === 0) return ''
  const height = 180
  const width = PLOT / judged.length
  const most = Math.max(1, ...judged.map(({ announced }) => announced))
  const mostRed = Math.max(...judged.map(({ redMs }) => redMs))
  const x = (index: number): number => LEFT + (index + 0.5) * width
  const parts = [`<line class="axis" x1="${LEFT}" x2="${LEFT + PLOT}" y1="${height}" y2="${height}"/>`]
  parts.push(`<text x="${LEFT - 8}" y="16" text-anchor="end">${most}</text>`)
  const every = Math.ceil(judged.length / 20)
  for (const [index, { limit, announced, redMs }] of judged.entries()) {
    const size = (announced / most) * (height - 12)
    const title = `${limit}: ${announced} announced, ${minutesOf(redMs)} red minutes`
    parts.push(
      `<rect class="column" x="${px(x(index) - width * 0.35)}" y="${px(height - size)}" width="${px(width * 0.7)}" height="${px(size)}"><title>${title}</title></rect>`
    )
    if (index % every === 0) parts.push(`<text x="${px(x(index))}" y="${height + 16}" text-anchor="middle">${limit}</text>`)
  }
  if (mostRed > 0) {
    const points = judged.map(({ redMs }, index) => `${px(x(index))} ${px(height - (redMs / mostRed) * (height - 12))}`)
    parts.push(
      `<path class="limit red" d="M${points.join('L')}"/><text class="red" x="${LEFT + PLOT + 6}" y="16">${Math.round(mostRed / 60_000)} min</text>`
    )
  }
  return `<svg class="chart" viewBox="0 0 ${WIDTH} ${height + 24}" role="img" aria-label="sweep">${parts.join('\n')}</svg>`
}

/** Tenths of a pixel are enough. */
function px(value: number): string {
  return String(Math.round(value * 10) / 10)
}
