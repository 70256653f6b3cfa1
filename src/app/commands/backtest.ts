// fenghuo backtest: recorded data, or a service's own journal, against rules, offline. Writes the alarm events (or the lines
// that only one of two rule sets has) and a report that a person reads.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { openRecording } from '../../ingest/recorded/recording.ts'
import type { Plant } from '../../model/plant.ts'
import { SystemClock } from '../../platform/clock.ts'
import { parseDuration } from '../../platform/duration.ts'
import type { Log } from '../../platform/log.ts'
import { messageOf, problemLine, Refusal } from '../../platform/problem.ts'
import { type BacktestSummary, backtest } from '../backtest.ts'
import { HistoryThenJournal } from '../backtestHistory.ts'
import { type BacktestSource, type Bench, JournalSource, RecordedSource } from '../backtestSources.ts'
import { loadPlant } from '../config/load.ts'
import type { Environment } from '../config/service.ts'
import { readMapFile } from '../replay/mapFile.ts'
import { EventSink, type Output } from '../report/eventSink.ts'
import { Gathering } from '../report/gathering.ts'
import { reportPage } from '../report/page.ts'
import { PassProgress } from '../report/progress.ts'
import { reportJson } from '../report/report.ts'
import { reportText } from '../report/text.ts'
import { parseSweep, type Sweep, sweptLimit, sweptPlant } from '../sweep.ts'
import { tellingShadows } from '../toldShadows.ts'

export interface BacktestOptions {
  readonly plant?: string
  readonly rules?: string
  readonly against?: string
  readonly map?: string
  readonly out?: string
  readonly html?: string
  readonly sweep?: string
  readonly fromData?: string
  readonly from?: string
  readonly to?: string
  readonly clockSkew?: string
  readonly shadow?: boolean
  readonly json: boolean
}

/** Rows named one by one; further ones are counted. */
const NAMED = 200

export function backtestCommand(program: Command): void {
  program
    .command('backtest')
    .description('judge recorded data, or a service’s journal, offline; write the alarm events and a report')
    .argument('[files...]', 'recorded files; several are merged by time')
    .option(
      '--plant <folder>',
      'the plant folder: profiles, plant.yaml and rules; with --from-data, in place of the plants that were in force'
    )
    .option('--rules <file>', 'a rule file in place of the folder’s rules')
    .option('--against <file>', 'a second rule file: say what would be different (- under it only, + under the first only)')
    .option('--map <file>', 'MAP.yaml: what the columns of a table mean')
    .option('--from-data <folder>', 'judge the journal of this data folder; its service may be running')
    .option('--from <time>', 'tell what happened from then on (ISO 8601); what came before is judged, not told')
    .option('--to <time>', 'judge up to then; time passes until then where the data ends sooner')
    .option('--clock-skew <duration>', 'with --from-data, the service’s clockSkew where it is not 5m')
    .option('--sweep <row>', 'alarms against one limit, like tank-level.yellow.limit=80..95:1')
    .option('--out <file>', 'write the events (or the difference) into this file in place of standard output')
    .option('--html <file>', 'write the report as a page that needs nothing but itself')
    .option('--shadow', 'tell what shadow rules do too, as if they were real', false)
    .option('--json', 'print summary and report as JSON', false)
    .action(async (files: string[], options: BacktestOptions) => {
      if (!(await runBacktest(files, options, process.env, console, process.stderr))) process.exitCode = 1
    })
}

/** True where every row was read and every sample was used. Throws a Refusal for what cannot be done. */
export async function runBacktest(
  files: readonly string[],
  options: BacktestOptions,
  env: Environment,
  out: Output,
  terminal: NodeJS.WriteStream | null = null
): Promise<boolean> {
  checkUsage(files, options)
  const sweep = options.sweep === undefined ? null : parseSweep(options.sweep)
  const stretch = { from: instantOf('--from', options.from), to: instantOf('--to', options.to) }
  if (stretch.from !== null && stretch.to !== null && stretch.to < stretch.from) throw wrong('--to is before --from.')
  const plants = plantsOf(options, env, out)
  if (plants === null) return false
  if (sweep !== null && plants[0] != null) sweptLimit(plants[0], sweep)
  const source = await sourceOf(files, options, plants, stretch.from, sweep, out)
  if (source === null) return false

  const sink = new EventSink({ file: options.out ?? null, json: options.json, compared: plants.length > 1, quiet: sweep !== null }, out)
  const gathering = new Gathering({ compared: plants.length > 1, page: options.html !== undefined, sweep })
  // Event lines on the same terminal show the progress themselves.
  const progress = new PassProgress(sink.prints && process.stdout.isTTY ? null : terminal, new SystemClock())
  const problems = new NamedProblems(out, progress)
  progress.show(source)
  const summary = await backtest(benchesOf(plants, sweep, options.shadow ?? false), watched(source, progress), stretch, {
    begins: (at, pipelines) => gathering.begin(at, pipelines),
    event: (bench, event) => {
      if (bench < plants.length) sink.take(bench, event)
      gathering.take(bench, event)
    },
    problem: (line) => problems.name(line)
  }).finally(() => progress.end())
  problems.end()
  await sink.end()
  const report = gathering.report(summary)
  if (options.html !== undefined) {
    progress.show(source)
    const content = await gathering
      .page(report, watched(source, progress), { inputs: inputsOf(files, options), rules: rulesOf(options) })
      .finally(() => progress.end())
    write(options.html, reportPage(content))
  }
  if (options.json)
    out.log(
      JSON.stringify({
        files,
        ...summaryJson(summary),
        ...sourcesJson(source),
        ...sink.counts,
        ...sink.listed,
        ...reportJson(report),
        problems: problems.lines
      })
    )
  else {
    // Lines of events are for programs too: then the report goes where people look.
    for (const line of reportText(report)) sink.prints ? out.error(line) : out.log(line)
    out.error(sentenceOf(summary, sink.counts))
  }
  return summary.badRows === 0 && (summary.rejected === 0 || options.fromData !== undefined)
}

function checkUsage(files: readonly string[], { plant, rules, against, fromData, map, out, sweep, clockSkew }: BacktestOptions): void {
  if (fromData === undefined && files.length === 0) throw wrong('Name the recorded files, or by --from-data the data folder of a service.')
  if (fromData !== undefined && files.length > 0) throw wrong('Name either recorded files or --from-data, not both.')
  if (fromData !== undefined && map !== undefined) throw wrong('--map is for recorded tables; the journal of a service needs none.')
  if (fromData === undefined && clockSkew !== undefined) throw wrong('--clock-skew goes with --from-data.')
  if (plant === undefined && (fromData === undefined || rules !== undefined || against !== undefined))
    throw wrong('Name the plant folder by --plant: profiles and devices come from it, and rule files are checked against it.')
  if (sweep !== undefined && (against !== undefined || out !== undefined))
    throw wrong('--sweep prints its own table: leave out --against and --out.')
}

/** The plant under its own rules (or `--rules`), and under those of `--against`; null where any has problems, which are printed. */
function plantsOf({ plant: folder, rules, against }: BacktestOptions, env: Environment, out: Output): (Plant | null)[] | null {
  if (folder === undefined) return [null]
  const plants: Plant[] = []
  for (const file of against === undefined ? [rules] : [rules, against]) {
    const { plant, problems } = loadPlant(folder, env, file === undefined ? {} : { rules: [file] })
    for (const found of problems) out.error(problemLine(found))
    if (plant !== null) plants.push(plant)
  }
  return plants.length === (against === undefined ? 1 : 2) ? plants : null
}

/** First the plants themselves, then one bench for each limit of the sweep. */
function benchesOf(plants: readonly (Plant | null)[], sweep: Sweep | null, shadow: boolean): Bench[] {
  const benches: Bench[] = plants.map((plant) => ({ plant, change: shadow ? tellingShadows : null }))
  for (const limit of sweep?.limits ?? [])
    benches.push({ plant: plants[0] ?? null, change: (plant) => sweptPlant(plant, sweep as Sweep, limit) })
  return benches
}

async function sourceOf(
  files: readonly string[],
  { fromData, map, clockSkew, shadow = false }: BacktestOptions,
  plants: readonly (Plant | null)[],
  from: number | null,
  sweep: Sweep | null,
  out: Output
): Promise<BacktestSource | null> {
  if (fromData !== undefined) {
    const asItWas = plants[0] === null && sweep === null && !shadow
    const clockSkewMs = clockSkew === undefined ? null : parseDuration(clockSkew)
    if (clockSkew !== undefined && clockSkewMs === null) throw wrong(`--clock-skew is a duration like 5m or 30s; it was "${clockSkew}".`)
    const log = logTo(out)
    const journal = await JournalSource.open({ data: fromData, from, asItWas, log, ...(clockSkewMs === null ? {} : { clockSkewMs }) })
    const source = await HistoryThenJournal.open(journal, fromData, from, plants[0] ?? null)
    if (source.notice != null) out.error(source.notice)
    return source
  }
  const mapping = map === undefined ? null : readMapFile(map)
  for (const found of mapping?.problems ?? []) out.error(problemLine(found))
  if (mapping !== null && mapping.mapping === null) return null
  const { recording, problems } = await openRecording(files, mapping?.mapping ?? null)
  for (const found of problems) out.error(problemLine(found))
  return recording === null ? null : new RecordedSource(recording, plants[0] as Plant)
}

/** The same source; the progress is told of each step. */
function watched(source: BacktestSource, progress: PassProgress): BacktestSource {
  return {
    clockSkewMs: source.clockSkewMs,
    begin: (bench, first) => source.begin(bench, first),
    plantOf: (record) => source.plantOf(record),
    get done() {
      return source.done
    },
    async *steps() {
      for await (const step of source.steps()) {
        progress.step()
        yield step
      }
    }
  }
}

class NamedProblems {
  readonly lines: string[] = []
  readonly #out: Output
  readonly #progress: PassProgress
  #count = 0

  constructor(out: Output, progress: PassProgress) {
    this.#out = out
    this.#progress = progress
  }

  name(line: string): void {
    if (++this.#count > NAMED) return
    this.lines.push(line)
    this.#progress.clear()
    this.#out.error(line)
  }

  end(): void {
    if (this.#count > NAMED) this.#out.error(`Further problems are only counted (${this.#count} in all).`)
  }
}

function inputsOf(files: readonly string[], { fromData }: BacktestOptions): string[] {
  return fromData === undefined ? files.map((file) => path.basename(file)) : [fromData]
}

function rulesOf({ plant, rules, against }: BacktestOptions): { these: string; against: string | null } {
  return { these: rules ?? plant ?? '', against: against ?? null }
}

function instantOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null
  const at = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw wrong(`${option} is an instant like 2026-01-01T08:00:00Z; it was "${text}".`)
  if (text.includes('T') && !/(Z|[+-]\d\d:\d\d)$/.test(text)) throw wrong(`${option} needs a zone: write ${text}Z or ${text}+08:00.`)
  return at
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (cause) {
    throw new Refusal(`The report cannot be written to ${file}: ${messageOf(cause)}`, { cause })
  }
}

function logTo(out: Output): Log {
  const say = (sentence: string): void => out.error(sentence)
  return { debug: () => {}, info: () => {}, warn: say, error: say }
}

function wrong(sentence: string): Refusal {
  return new Refusal(sentence, { exitCode: 2 })
}

function summaryJson({ samples, badRows, rejected, from, to }: BacktestSummary): Record<string, unknown> {
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
  return { samples, badRows, rejected, from: iso(from), to: iso(to) }
}

function sourcesJson({ sources }: BacktestSource): Record<string, unknown> {
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
  return sources === undefined ? {} : { sources: sources.map(({ source, from, to }) => ({ source, from: iso(from), to: iso(to) })) }
}

function sentenceOf({ samples, badRows, rejected, from, to }: BacktestSummary, counts: { events: number; against?: number }): string {
  const parts = [samples === 1 ? '1 sample' : `${samples} samples`, counts.events === 1 ? '1 alarm event' : `${counts.events} alarm events`]
  if (counts.against !== undefined) parts.push(`${counts.against} under the other rules`)
  if (badRows > 0) parts.push(badRows === 1 ? '1 row could not be read' : `${badRows} rows could not be read`)
  if (rejected > 0) parts.push(rejected === 1 ? '1 sample could not be used' : `${rejected} samples could not be used`)
  const span = from === null || to === null ? '' : ` (${new Date(from).toISOString()} to ${new Date(to).toISOString()})`
  return `${parts.join(', ')}${span}`
}
