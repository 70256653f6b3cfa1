// Where a backtest's event lines go: to a file or standard output line by line; with two rule sets the lines that only one of
// them has.

import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { type AlarmEvent, alarmEventLine } from '../../model/alarm.ts'
import { messageOf, Refusal } from '../../platform/problem.ts'

export type Output = Pick<Console, 'log' | 'error'>

export interface SinkOptions {
  /** Null: standard output, or with `json` the list that `listed` answers. */
  readonly file: string | null
  readonly json: boolean
  readonly compared: boolean
  /** Lines are only counted. */
  readonly quiet: boolean
}

export class EventSink {
  readonly #out: Output
  readonly #options: SinkOptions
  readonly #file: WriteStream | null
  readonly #opened: Promise<unknown> | null
  #failed: unknown = null
  readonly #kept: string[] = []
  readonly #sets: [string[], string[]] = [[], []]
  #events = 0

  constructor(options: SinkOptions, out: Output) {
    this.#out = out
    this.#options = options
    this.#file = options.file === null ? null : createWriteStream(options.file)
    this.#file?.on('error', (cause) => void (this.#failed = cause))
    this.#opened = this.#file === null ? null : once(this.#file, 'open').catch(() => undefined)
  }

  /** Whether lines go to standard output. */
  get prints(): boolean {
    return this.#file === null && !this.#options.json && !this.#options.quiet
  }

  /** An event of the first (0) or the other (1) rules. */
  take(plant: number, event: AlarmEvent): void {
    if (plant === 0) this.#events++
    if (this.#options.quiet) return
    const line = alarmEventLine(event)
    if (this.#options.compared) this.#sets[plant as 0 | 1].push(line)
    else this.#write(line)
  }

  /** Writes the difference, and everything to the disk. */
  async end(): Promise<void> {
    if (this.#options.compared) for (const line of differenceOf(...this.#sets)) this.#write(line)
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
    return this.#options.compared ? { events: this.#events, against: this.#sets[1].length } : { events: this.#events }
  }

  /** For `--json` without `--out`: the lines themselves. */
  get listed(): { alarmEvents?: unknown[]; difference?: string[] } {
    if (!this.#options.json || this.#file !== null || this.#options.quiet) return {}
    return this.#options.compared ? { difference: this.#kept } : { alarmEvents: this.#kept.map((line) => JSON.parse(line)) }
  }

  #write(line: string): void {
    if (this.#file !== null) this.#file.write(`${line}\n`)
    else if (this.#options.json) this.#kept.push(line)
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
