// fenghuo backtest: recorded data against rules, offline; writes the alarm events, or the difference between two rule sets.

import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import type { Command } from 'commander'
import { openRecording, type Recording } from '../../ingest/recorded/recording.ts'
import { type AlarmEvent, alarmEventLine } from '../../model/alarm.ts'
import type { Plant } from '../../model/plant.ts'
import { messageOf, problemLine, Refusal } from '../../platform/problem.ts'
import { type BacktestSummary, backtest } from '../backtest.ts'
import { loadPlant } from '../config/load.ts'
import type { Environment } from '../config/service.ts'
import { readMapFile } from '../replay/mapFile.ts'

interface Options {
  readonly plant: string
  readonly rules?: string
  readonly against?: string
  readonly map?: string
  readonly out?: string
  readonly json: boolean
}

/** Rows named one by one; further ones are counted. */
const NAMED = 200

export type Output = Pick<Console, 'log' | 'error'>

export function backtestCommand(program: Command): void {
  program
    .command('backtest')
    .description('judge recorded data offline; write the alarm events, or with --against the difference between two rule sets')
    .argument('<files...>', 'recorded files; several are merged by time')
    .requiredOption('--plant <folder>', 'the plant folder: profiles, plant.yaml and rules')
    .option('--rules <file>', 'a rule file in place of the folder’s rules')
    .option('--against <file>', 'a second rule file: write what would be different (- under it only, + under the first only)')
    .option('--map <file>', 'MAP.yaml: what the columns of a table mean')
    .option('--out <file>', 'write the events (or the difference) into this file in place of standard output')
    .option('--json', 'print the summary as JSON', false)
    .action(async (files: string[], options: Options) => {
      if (!(await runBacktest(files, options, process.env, console))) process.exitCode = 1
    })
}

/** True where every row was read and every sample was used. */
export async function runBacktest(files: readonly string[], options: Options, env: Environment, out: Output): Promise<boolean> {
  const plants = plantsOf(options, env, out)
  const recording = await recordingOf(files, options.map, out)
  if (plants === null || recording === null) return false
  const sink = new EventSink(options, out, plants.length > 1)
  let named = 0
  const problems: string[] = []
  const summary = await backtest(plants, recording, {
    event: (plant, event) => sink.take(plant, event),
    problem: (line) => {
      if (++named > NAMED) return
      problems.push(line)
      out.error(line)
    }
  })
  if (named > NAMED) out.error(`Further problems are only counted (${named} in all).`)
  await sink.end()
  if (options.json) out.log(JSON.stringify({ files, ...summaryJson(summary), ...sink.counts, ...sink.listed, problems }))
  else out.error(sentenceOf(summary, sink.counts))
  return summary.badRows + summary.rejected === 0
}

/** The plant under its own rules (or `--rules`), and under those of `--against`; null where any has problems, which are printed. */
function plantsOf({ plant: folder, rules, against }: Options, env: Environment, out: Output): Plant[] | null {
  const plants: Plant[] = []
  for (const file of against === undefined ? [rules] : [rules, against]) {
    const { plant, problems } = loadPlant(folder, env, file === undefined ? {} : { rules: [file] })
    for (const found of problems) out.error(problemLine(found))
    if (plant !== null) plants.push(plant)
  }
  return plants.length === (against === undefined ? 1 : 2) ? plants : null
}

async function recordingOf(files: readonly string[], map: string | undefined, out: Output): Promise<Recording | null> {
  const mapping = map === undefined ? null : readMapFile(map)
  for (const found of mapping?.problems ?? []) out.error(problemLine(found))
  if (mapping !== null && mapping.mapping === null) return null
  const { recording, problems } = await openRecording(files, mapping?.mapping ?? null)
  for (const found of problems) out.error(problemLine(found))
  return recording
}

/** Where events go: to `--out` or standard output line by line; with two rule sets the lines that only one of them has. */
class EventSink {
  readonly #out: Output
  readonly #json: boolean
  readonly #compared: boolean
  readonly #file: WriteStream | null
  readonly #opened: Promise<unknown> | null
  #failed: unknown = null
  readonly #kept: string[] = []
  readonly #sets: [string[], string[]] = [[], []]
  #events = 0

  constructor({ out: file, json }: Options, out: Output, compared: boolean) {
    this.#out = out
    this.#json = json
    this.#compared = compared
    this.#file = file === undefined ? null : createWriteStream(file)
    this.#file?.on('error', (cause) => void (this.#failed = cause))
    this.#opened = this.#file === null ? null : once(this.#file, 'open').catch(() => undefined)
  }

  take(plant: number, event: AlarmEvent): void {
    if (plant === 0) this.#events++
    const line = alarmEventLine(event)
    if (this.#compared) this.#sets[plant as 0 | 1].push(line)
    else this.#write(line)
  }

  /** Writes the difference, and everything to the disk. */
  async end(): Promise<void> {
    if (this.#compared) for (const line of differenceOf(...this.#sets)) this.#write(line)
    if (this.#file === null) return
    await this.#opened
    if (this.#failed === null) {
      this.#file.end()
      await once(this.#file, 'close').catch((cause: unknown) => void (this.#failed ??= cause))
    }
    if (this.#failed !== null)
      throw new Refusal(`The events cannot be written to ${String(this.#file.path)}: ${messageOf(this.#failed)}`, { cause: this.#failed })
  }

  get counts(): { events: number; against?: number } {
    return this.#compared ? { events: this.#events, against: this.#sets[1].length } : { events: this.#events }
  }

  /** For `--json` without `--out`: the lines themselves. */
  get listed(): { alarmEvents?: unknown[]; difference?: string[] } {
    if (!this.#json || this.#file !== null) return {}
    return this.#compared ? { difference: this.#kept } : { alarmEvents: this.#kept.map((line) => JSON.parse(line)) }
  }

  #write(line: string): void {
    if (this.#file !== null) this.#file.write(`${line}\n`)
    else if (this.#json) this.#kept.push(line)
    else this.#out.log(line)
  }
}

/** Lines of one set only, in the order of their instants: `-` of `against`, `+` of the first. Common lines are left out. */
function differenceOf(first: readonly string[], against: readonly string[]): string[] {
  const rest = new Map<string, number>()
  for (const line of against) rest.set(line, (rest.get(line) ?? 0) + 1)
  const only = (lines: readonly string[], counts: Map<string, number>): string[] =>
    lines.filter((line) => {
      const left = counts.get(line) ?? 0
      if (left > 0) counts.set(line, left - 1)
      return left === 0
    })
  const mine = only(first, rest).map((line) => `+ ${line}`)
  const counts = new Map<string, number>()
  for (const line of first) counts.set(line, (counts.get(line) ?? 0) + 1)
  const theirs = only(against, counts).map((line) => `- ${line}`)
  // The instant stands at the beginning of every line, as fixed-width text.
  return [...theirs, ...mine].sort((a, b) => (a.slice(2, 35) < b.slice(2, 35) ? -1 : a.slice(2, 35) > b.slice(2, 35) ? 1 : 0))
}

function summaryJson({ samples, badRows, rejected, from, to }: BacktestSummary): Record<string, unknown> {
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
  return { samples, badRows, rejected, from: iso(from), to: iso(to) }
}

function sentenceOf({ samples, badRows, rejected, from, to }: BacktestSummary, counts: { events: number; against?: number }): string {
  const parts = [samples === 1 ? '1 sample' : `${samples} samples`, counts.events === 1 ? '1 alarm event' : `${counts.events} alarm events`]
  if (counts.against !== undefined) parts.push(`${counts.against} under the other rules`)
  if (badRows > 0) parts.push(badRows === 1 ? '1 row could not be read' : `${badRows} rows could not be read`)
  if (rejected > 0) parts.push(rejected === 1 ? '1 sample could not be used' : `${rejected} samples could not be used`)
  const span = from === null || to === null ? '' : ` (${new Date(from).toISOString()} to ${new Date(to).toISOString()})`
  return `${parts.join(', ')}${span}`
}
