// A trend on a canvas: the line, its band of extremes, limit lines and the times in which an alarm was on. Drawn with
// uPlot; all colours come from the style sheet, so that both themes hold.

import uPlot from 'uplot'
import type { Threshold, Tier } from '../api.ts'
import { formatValue } from '../format.ts'
import { OPERATORS } from '../thresholds.ts'
import type { TrendColumns } from '../trend-data.ts'
import { ROMAN } from './tier-mark.tsx'

export interface AlarmSpan {
  readonly rule: string
  readonly tier: Tier
  /** Epoch ms on the device's time line. */
  readonly from: number
  readonly to: number | null
}

export interface ChartContent {
  readonly columns: TrendColumns
  /** Epoch ms. */
  readonly from: number
  readonly to: number
  readonly thresholds: readonly Threshold[]
  readonly spans: readonly AlarmSpan[]
  /** Two-state metrics are drawn in steps. */
  readonly stepped: boolean
  /** Whether points are wide intervals with a band of extremes. */
  readonly banded: boolean
}

const HEIGHT = 190
const DAY_MS = 86_400_000

export class Chart {
  readonly #plot: uPlot
  #content: ChartContent

  constructor(root: HTMLElement, content: ChartContent, names: { time: string; value: string; low: string; high: string }) {
    this.#content = content
    this.#plot = new uPlot(this.#options(root, names), this.#columns(), root)
  }

  show(content: ChartContent): void {
    this.#content = content
    this.#plot.setData(this.#columns())
  }

  resize(width: number): void {
    this.#plot.setSize({ width, height: HEIGHT })
  }

  destroy(): void {
    this.#plot.destroy()
  }

  #columns(): uPlot.AlignedData {
    const { at, value, low, high, odd } = this.#content.columns
    const columns = this.#content.banded ? [at, value, low, high] : [at, value, odd]
    return columns.map((column) => [...column]) as uPlot.AlignedData
  }

  #options(root: HTMLElement, names: { time: string; value: string; low: string; high: string }): uPlot.Options {
    const style = getComputedStyle(root)
    const colour = (name: string): string => style.getPropertyValue(name).trim()
    const line = colour('--trend')
    const faint = colour('--trend-band')
    const shown = (_: uPlot, value: number | null): string => (value === null || value === undefined ? '—' : formatValue(value))
    const axis = { stroke: colour('--muted'), grid: { stroke: colour('--grid'), width: 1 }, ticks: { show: false }, font: '12px system-ui' }
    const main: uPlot.Series = {
      label: names.value,
      stroke: line,
      width: 1.5,
      value: shown,
      points: { show: this.#content.banded ? false : undefined! }
    }
    if (main.points?.show === undefined) delete main.points
    if (this.#content.stepped && uPlot.paths.stepped) main.paths = uPlot.paths.stepped({ align: 1 })
    const edge = (label: string): uPlot.Series => ({ label, stroke: faint, width: 1, value: shown, points: { show: false } })
    const odd: uPlot.Series = {
      label: '!',
      stroke: 'transparent',
      value: shown,
      points: { show: true, size: 6, stroke: colour('--muted'), fill: 'transparent' }
    }
    return {
      width: Math.max(200, root.clientWidth),
      height: HEIGHT,
      padding: [8, 18, 0, 0],
      cursor: { sync: { key: 'device' }, drag: { x: false, y: false }, points: { size: 6 } },
      legend: { live: true },
      scales: {
        x: { time: true, range: () => [this.#content.from / 1000, this.#content.to / 1000] },
        y: { range: (_, low, high) => this.#span(low, high) }
      },
      axes: [
        { ...axis, size: 28, values: (_, splits) => splits.map((at) => this.#tick(at * 1000)) },
        { ...axis, size: 52, ...(this.#content.stepped ? { splits: () => [0, 1] } : {}), values: (_, splits) => splits.map(formatValue) }
      ],
      series: [
        { label: names.time, value: (_, at) => (at === null || at === undefined ? '—' : this.#moment(at * 1000)) },
        main,
        ...(this.#content.banded ? [edge(names.low), edge(names.high)] : [odd])
      ],
      ...(this.#content.banded ? { bands: [{ series: [3, 2] as [number, number], fill: faint }] } : {}),
      hooks: {
        drawClear: [(plot) => this.#drawSpans(plot, colour)],
        draw: [(plot) => this.#drawLimits(plot, colour)]
      }
    }
  }

  #tick(at: number): string {
    const when = new Date(at)
    const time = when.toTimeString().slice(0, this.#content.to - this.#content.from <= 1_800_000 ? 8 : 5)
    if (this.#content.to - this.#content.from <= DAY_MS) return time
    return when.getHours() === 0 && when.getMinutes() === 0 ? `${when.getMonth() + 1}-${when.getDate()}` : time
  }

  #moment(at: number): string {
    const when = new Date(at)
    return `${when.getMonth() + 1}-${when.getDate()} ${when.toTimeString().slice(0, 8)}`
  }

  // The line and the nearest limit above and below it: how far there is to go matters more than the shape of noise.
  #span(low: number | null, high: number | null): [number, number] {
    if (this.#content.stepped) return [-0.1, 1.1]
    const limits = this.#content.thresholds.map((threshold) => threshold.value)
    const bottom = low ?? Math.min(...limits, 0)
    const top = high ?? Math.max(...limits, 1)
    const above = Math.min(...limits.filter((limit) => limit >= top))
    const below = Math.max(...limits.filter((limit) => limit <= bottom))
    const from = Number.isFinite(below) ? Math.min(bottom, below) : bottom
    const to = Number.isFinite(above) ? Math.max(top, above) : top
    const room = (to - from || Math.abs(to) || 1) * 0.08
    return [from - room, to + room]
  }

  #drawSpans(plot: uPlot, colour: (name: string) => string): void {
    const { ctx, bbox } = plot
    ctx.save()
    for (const span of this.#content.spans) {
      const left = Math.max(bbox.left, plot.valToPos(span.from / 1000, 'x', true))
      const right = Math.min(bbox.left + bbox.width, plot.valToPos((span.to ?? this.#content.to) / 1000, 'x', true))
      if (right <= left) continue
      ctx.fillStyle = colour(`--${span.tier}`)
      ctx.globalAlpha = 0.14
      ctx.fillRect(left, bbox.top, right - left, bbox.height)
      ctx.globalAlpha = 1
      ctx.fillRect(left, bbox.top, Math.max(2, right - left), 3 * devicePixelRatio)
    }
    ctx.restore()
  }

  #drawLimits(plot: uPlot, colour: (name: string) => string): void {
    const { ctx, bbox } = plot
    ctx.save()
    ctx.font = `${11 * devicePixelRatio}px system-ui`
    ctx.textAlign = 'left'
    ctx.textBaseline = 'bottom'
    for (const { value, tier, op } of this.#content.thresholds) {
      const y = plot.valToPos(value, 'y', true)
      if (y < bbox.top || y > bbox.top + bbox.height) continue
      ctx.strokeStyle = colour(`--${tier}-line`)
      ctx.lineWidth = devicePixelRatio * 1.25
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
      ctx.beginPath()
      ctx.moveTo(bbox.left, y)
      ctx.lineTo(bbox.left + bbox.width, y)
      ctx.stroke()
      // On the left: the newest values, on the right, stay in sight.
      const label = `${ROMAN[tier]} ${OPERATORS[op]} ${formatValue(value)}`
      const left = bbox.left + 4 * devicePixelRatio
      const width = ctx.measureText(label).width + 6 * devicePixelRatio
      ctx.fillStyle = colour('--panel')
      ctx.fillRect(left - 3 * devicePixelRatio, y - 15 * devicePixelRatio, width, 14 * devicePixelRatio)
      ctx.fillStyle = colour('--text')
      ctx.fillText(label, left, y - 2 * devicePixelRatio)
    }
    ctx.restore()
  }
}
