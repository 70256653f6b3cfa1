// Gathers what the report is made of while a backtest runs: a tally for each bench, alarms where they are compared or shown.

import { type AlarmComparison, compareAlarms, SpanCollector } from '../../alerts/comparing.ts'
import { type AlarmStatistics, AlarmTally } from '../../alerts/statistics.ts'
import type { AlarmEvent } from '../../model/alarm.ts'
import type { Plant } from '../../model/plant.ts'
import type { BacktestSummary } from '../backtest.ts'
import type { BacktestSource } from '../backtestSources.ts'
import type { Pipeline } from '../pipeline.ts'
import { type Sweep, sweptLimit, sweptProblem } from '../sweep.ts'
import type { PageContent } from './page.ts'
import type { BacktestReport, SweepRow, SweepTable } from './report.ts'
import { fillTrends, trendsOf } from './trends.ts'

/** Alarms of one rule and subject that a page keeps. */
const SPANS_KEPT = 1_000

export class Gathering {
  readonly #sweep: Sweep | null
  /** One for each set of rules whose alarms are needed one by one. */
  readonly #spans: SpanCollector[]
  readonly #compared: boolean
  #tallies: AlarmTally[] = []
  #pipelines: readonly Pipeline[] = []
  /** In force where it begins. */
  #plant: Plant | null = null

  /** Benches are the rules, then (`compared`) the other rules, then the limits of the sweep. */
  constructor({ compared, page, sweep }: { readonly compared: boolean; readonly page: boolean; readonly sweep: Sweep | null }) {
    this.#compared = compared
    this.#sweep = sweep
    this.#spans = compared ? [new SpanCollector(), new SpanCollector()] : page ? [new SpanCollector(SPANS_KEPT)] : []
  }

  begin(at: number, pipelines: readonly Pipeline[]): void {
    this.#pipelines = pipelines
    this.#plant = (pipelines[0] as Pipeline).fleet.plant
    this.#tallies = pipelines.map((pipeline) => {
      const tally = new AlarmTally(at)
      const perArea = new Set(pipeline.fleet.plant.rules.filter(({ per }) => per === 'area').map(({ id }) => id))
      for (const { id, rule, subject, level } of pipeline.standing()) {
        const of = perArea.has(rule) ? { device: null, area: subject } : { device: subject, area: null }
        tally.stands({ rule, ...of, level, id })
      }
      return tally
    })
  }

  take(bench: number, event: AlarmEvent): void {
    if (event.kind !== 'transition') return
    this.#tallies[bench]?.take(event)
    this.#spans[bench]?.take(event)
  }

  /** Call it once, when everything is judged. */
  report(summary: BacktestSummary): BacktestReport {
    const { to } = summary
    const results = to === null ? [] : this.#tallies.map((tally) => tally.result(to))
    const comparison = this.#compared && results.length > 0 ? this.#comparison() : null
    const swept = results.slice(this.#compared ? 2 : 1)
    return {
      summary,
      statistics: results[0] ?? null,
      against: this.#compared ? (results[1] ?? null) : null,
      comparison,
      sweep: this.#sweep === null || swept.length === 0 ? null : this.#table(this.#sweep, swept)
    }
  }

  /** Everything that the page shows; reads the source once more for the series. */
  async page(report: BacktestReport, source: BacktestSource, said: Pick<PageContent, 'inputs' | 'rules'>): Promise<PageContent> {
    const [alarms = [], against = null] = this.#spans.map(({ spans }) => spans)
    const { statistics } = report
    const common = { ...said, report, alarms, alarmsLeft: this.#spans[0]?.left ?? 0 }
    if (statistics === null || this.#plant === null) return { ...common, plant: null, trends: [], trendsLeft: 0 }
    const { fleet } = this.#pipelines[0] as Pipeline
    const { trends, left } = trendsOf(fleet, alarms, against, statistics.from, statistics.to)
    await fillTrends(trends, source, this.#plant)
    return { ...common, plant: fleet.plant, trends, trendsLeft: left }
  }

  #comparison(): AlarmComparison {
    const [these, others] = this.#spans as [SpanCollector, SpanCollector]
    return compareAlarms(others.spans, these.spans)
  }

  #table(sweep: Sweep, results: readonly AlarmStatistics[]): SweepTable {
    const plant = this.#plant as Plant
    const rows = results.map((result, i) => rowOf(plant, sweep, sweep.limits[i] as number, result))
    return { rule: sweep.rule, tier: sweep.tier, written: sweptLimit(plant, sweep).text, rows }
  }
}

function rowOf(plant: Plant, sweep: Sweep, limit: number, { total, tiers }: AlarmStatistics): SweepRow {
  const problem = sweptProblem(plant, sweep, limit)
  if (problem !== null) return { limit, problem, alarms: 0, announced: 0, tierMs: 0, redMs: 0, firstAt: null }
  const { alarms, redMs, firstAt } = total
  const { announced = 0, activeMs: tierMs = 0 } = tiers.find(({ tier }) => tier === sweep.tier) ?? {}
  return { limit, problem, alarms, announced, tierMs, redMs, firstAt }
}
