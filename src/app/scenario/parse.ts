// Scenario files (contract 7): what is sent above the line, the complete alarm log below it.
// Invariant: whatever the file holds, parsing ends in a scenario or in problems with file:line:column.

import { type ActionKind, OPERATOR_ACTIONS, type OperatorActionKind, SERVICE_ACTIONS } from '../../model/alarm.ts'
import { LEVELS, type Level } from '../../model/tier.ts'
import { parseDuration } from '../../platform/duration.ts'
import { type Problem, problem } from '../../platform/problem.ts'
import {
  actionDetails,
  drillOf,
  type ScenarioAction,
  type ScenarioDrill,
  type ScenarioSwitch,
  type ScenarioWindow,
  switchOf,
  windowOf
} from './acts.ts'
import { type MarkTurn, markTurn } from './marking.ts'
import { parseSeries } from './series.ts'
import { type ChannelFault, channelFault, isChannel } from './telling.ts'
import { parseInstant, parseTime } from './times.ts'

/** A word of the file, with its place. */
export interface Word {
  readonly text: string
  readonly line: number
  readonly column: number
}

/** One value of one metric; null for a faulty one. `at` in ms since the beginning. */
export interface SentValue {
  readonly at: number
  readonly device: Word
  readonly metric: Word
  readonly value: number | null
}

export interface Outage {
  readonly device: Word
  readonly from: number
  readonly to: number
}

/** The device's clock is ahead of ours by `skewMs` from `from` on. */
export interface ClockShift {
  readonly device: Word
  readonly from: number
  readonly skewMs: number
}

export interface ExpectedLine {
  readonly line: number
  readonly at: number
  /** rule/subject; of a flood installation, enterprise/ID or site/ID. */
  readonly alarm: string
  readonly turn: { readonly from: Level; readonly to: Level } | { readonly action: ActionKind } | { readonly told: string } | MarkTurn
  /** Compared where it is given. */
  readonly because: string | null
}

export interface Scenario {
  readonly file: string
  /** The plant folder, as written. */
  readonly plant: Word
  readonly values: readonly SentValue[]
  readonly outages: readonly Outage[]
  readonly actions: readonly ScenarioAction[]
  readonly windows: readonly ScenarioWindow[]
  readonly switches: readonly ScenarioSwitch[]
  readonly drills: readonly ScenarioDrill[]
  readonly clocks: readonly ClockShift[]
  /** Ways of telling people that fail. */
  readonly faults: readonly ChannelFault[]
  /** Time passes up to and including here, ms since the beginning. */
  readonly end: number
  readonly expected: readonly ExpectedLine[]
}

type Mutable = { -readonly [K in keyof Scenario]: Scenario[K] extends readonly (infer T)[] ? T[] : Scenario[K] }

export function parseScenario(
  file: string,
  text: string
): { scenario: Scenario; problems: null } | { scenario: null; problems: Problem[] } {
  const parser = new ScenarioParser(file)
  for (const [index, line] of text.split(/\r?\n/).entries()) parser.line(line, index + 1)
  return parser.finish()
}

class ScenarioParser {
  readonly #problems: Problem[] = []
  readonly #file: string
  readonly #scenario: Omit<Mutable, 'plant'>
  #plant: Word | null = null
  #below = false
  #waitMs = 0
  /** The last instant that any line has named. */
  #last = 0

  constructor(file: string) {
    this.#file = file
    this.#scenario = {
      file,
      values: [],
      outages: [],
      actions: [],
      windows: [],
      switches: [],
      drills: [],
      clocks: [],
      faults: [],
      end: 0,
      expected: []
    }
  }

  line(text: string, line: number): void {
    const header = /^\s*#\s*plant:\s*(?:"([^"]+)"|(\S+))/.exec(text)
    if (header !== null && this.#plant === null) {
      const name = header[1] ?? (header[2] as string)
      this.#plant = { text: name, line, column: text.indexOf(name) + 1 }
      return
    }
    if (/^\s*---+\s*$/.test(text)) {
      if (this.#below) this.#refuse({ text, line, column: 1 }, 'the line that separates telemetry from the log occurs twice')
      this.#below = true
      return
    }
    const words = [...text.replace(/(^|\s)#.*$/, '').matchAll(/\S+/g)].map(
      (match): Word => ({ text: match[0], line, column: match.index + 1 })
    )
    if (words.length === 0) return
    if (this.#below) this.#expectation(words)
    else this.#statement(words, 0, null)
  }

  finish(): { scenario: Scenario; problems: null } | { scenario: null; problems: Problem[] } {
    const start: Word = { text: '', line: 1, column: 1 }
    if (this.#plant === null) this.#refuse(start, 'the scenario names no plant folder: begin with a line `# plant: FOLDER`')
    if (!this.#below) this.#refuse(start, 'the scenario has no line `---` with the expected log (it may be empty) below it')
    if (this.#plant === null || this.#problems.length > 0) return { scenario: null, problems: this.#problems }
    return { scenario: { ...this.#scenario, plant: this.#plant, end: this.#last + this.#waitMs }, problems: null }
  }

  #refuse({ line, column }: Word, sentence: string): null {
    this.#problems.push(problem(sentence, { file: this.#file, line, column }))
    return null
  }

  /** One line above the separator, its words from `first` on; `at` is the instant an `at` before it has given. */
  #statement(words: readonly Word[], first: number, at: number | null): void {
    const head = words[first] as Word
    switch (head.text) {
      case 'every':
        this.#every(words)
        break
      case 'at':
        this.#at(words)
        break
      case 'wait':
        this.#wait(words)
        break
      case 'offline':
        this.#offline(words)
        break
      case 'clock':
        this.#clock(words.slice(first), at)
        break
      case 'out-of-service':
      case 'return-to-service':
        this.#service(words.slice(first), at)
        break
      case 'enter':
      case 'leave':
        this.#switch(words.slice(first), at)
        break
      case 'drill':
        this.#drill(words.slice(first), at)
        break
      default:
        if (isAction(head.text)) this.#action(words.slice(first), head.text, at)
        else if (isChannel(head.text) && at === null) this.#fault(words)
        else if (at !== null) this.#samples(words, first, at, null)
        else
          this.#refuse(
            head,
            `a line begins with every, at, wait, offline, clock, out-of-service, return-to-service, enter, leave, drill or an operator's action, not with ${head.text}`
          )
    }
  }

  #every(words: readonly Word[]): void {
    const everyMs = this.#duration(words[1], words[0] as Word, 'every 10s DEVICE METRIC VALUES')
    if (everyMs === 0) this.#refuse(words[1] as Word, 'the interval must be longer than nothing')
    if (everyMs !== null && everyMs > 0) this.#samples(words, 2, 0, everyMs)
  }

  #at(words: readonly Word[]): void {
    const at = words[1] === undefined ? null : parseInstant(words[1].text)
    if (at === null || at < 0) return void this.#refuse(words[1] ?? (words[0] as Word), 'at needs an instant: at 2m30s DEVICE METRIC VALUE')
    if (words.length < 3) return void this.#refuse(words[1] as Word, 'say what happens then: at 2m30s DEVICE METRIC VALUE')
    this.#last = Math.max(this.#last, at)
    this.#statement(words, 2, at)
  }

  /** `DEVICE METRIC VALUES`; without an interval there is one value only. */
  #samples(words: readonly Word[], first: number, start: number, everyMs: number | null): void {
    const [device, metric, ...items] = words.slice(first)
    if (device === undefined || metric === undefined || items.length === 0) {
      return void this.#refuse(words[first - 1] as Word, 'name a device, a metric and its values: T-101 level_pct 50 60x3')
    }
    let at = start
    let sent = 0
    for (const item of items) {
      const series = parseSeries(item.text)
      if (typeof series === 'string') {
        this.#refuse(item, series)
        continue
      }
      for (const value of series) {
        if (everyMs === null && sent > 0) return void this.#refuse(item, 'at sends one value: use every for more')
        if (value !== undefined) this.#scenario.values.push({ at, device, metric, value })
        this.#last = Math.max(this.#last, at)
        at += everyMs ?? 0
        sent++
      }
    }
  }

  #wait(words: readonly Word[]): void {
    const ms = this.#duration(words[1], words[0] as Word, 'wait 1m')
    if (ms !== null && this.#nothingAfter(words[2])) this.#waitMs += ms
  }

  #fault(words: readonly Word[]): void {
    const fault = channelFault(words)
    if (typeof fault === 'string') return void this.#refuse(words[0] as Word, fault)
    this.#scenario.faults.push(fault)
  }

  #offline([head, device, from, start, to, end, more]: readonly Word[]): void {
    const [begins, ends] = [start === undefined ? null : parseInstant(start.text), end === undefined ? null : parseInstant(end.text)]
    if (device === undefined || from?.text !== 'from' || to?.text !== 'to' || begins === null || ends === null || ends < begins) {
      return void this.#refuse(head as Word, 'an outage is written: offline T-101 from 1m to 3m')
    }
    if (!this.#nothingAfter(more)) return
    this.#last = Math.max(this.#last, ends)
    this.#scenario.outages.push({ device, from: begins, to: ends })
  }

  #clock([head, device, shift, more]: readonly Word[], at: number | null): void {
    const parts = /^([+-])(.+)$/.exec(shift?.text ?? '')
    const ms = parts === null ? null : parseDuration(parts[2] as string)
    if (device === undefined || ms === null) return void this.#refuse(shift ?? (head as Word), 'a wrong clock is written: clock T-101 +90s')
    if (!this.#nothingAfter(more)) return
    this.#scenario.clocks.push({ device, from: at ?? 0, skewMs: parts?.[1] === '-' ? -ms : ms })
  }

  /** `acknowledge ID`, `shelve ID for 1h`, … : at its `at`, or else after all that stands above it. */
  #action([head, alarm, ...rest]: readonly Word[], action: OperatorActionKind, at: number | null): void {
    if (alarm === undefined || !/^[^/\s]+\/[^/\s]+$/.test(alarm.text)) {
      return void this.#refuse(alarm ?? (head as Word), `name the alarm: ${action} tank-level/T-101`)
    }
    const details = actionDetails(action, rest)
    if ('sentence' in details) return void this.#refuse(details.word ?? alarm, details.sentence)
    this.#scenario.actions.push({ at: at ?? this.#last + this.#waitMs, alarm, action, ...details })
  }

  /** `out-of-service T-101 from 1m to 3m`: said at its `at`, or at the beginning. `return-to-service T-101`: like an action. */
  #service(words: readonly Word[], at: number | null): void {
    const [head, target, more] = words
    if (head?.text === 'return-to-service' && target !== undefined) {
      if (!this.#nothingAfter(more)) return
      this.#scenario.windows.push({ at: at ?? this.#last + this.#waitMs, target, from: null, to: null, note: null })
      return
    }
    const window = windowOf(words, at ?? 0)
    if (window === null) return void this.#refuse(head as Word, 'a window is written: out-of-service T-101 from 1m to 3m')
    this.#last = Math.max(this.#last, window.to ?? 0)
    this.#scenario.windows.push(window)
  }

  /** At its `at`, or else after all that stands above it. */
  #switch(words: readonly Word[], at: number | null): void {
    const one = switchOf(words, at ?? this.#last + this.#waitMs)
    if (one !== null) this.#scenario.switches.push(one)
    else this.#refuse(words[0] as Word, 'a state is switched: enter gas-calibration GD-101 for 1h, or leave gas-calibration GD-101')
  }

  /** At its `at`, or else after all that stands above it. */
  #drill(words: readonly Word[], at: number | null): void {
    const one = drillOf(words, at ?? this.#last + this.#waitMs)
    if (one !== null) this.#scenario.drills.push(one)
    else this.#refuse(words[0] as Word, 'a drill is written: drill tank-farm-a tier red, or drill tank-farm-a tier red fast 60')
  }

  /** Whether the statement ends here; what stands behind it would otherwise do nothing, silently. */
  #nothingAfter(word: Word | undefined): boolean {
    if (word !== undefined) this.#refuse(word, `the line is complete before ${word.text}: begin a new line for it`)
    return word === undefined
  }

  #duration(word: Word | undefined, head: Word, shape: string): number | null {
    const ms = word === undefined ? null : parseDuration(word.text)
    return ms === null ? this.#refuse(word ?? head, `a duration with its unit is needed: ${shape}`) : ms
  }

  /** `0:30  tank-level/T-101  clear -> yellow  because …`, or an action or a mark in place of the turn. */
  #expectation(words: readonly Word[]): void {
    const [time, alarm, from, arrow, to, ...rest] = words
    const at = parseTime((time as Word).text)
    if (at === null) return void this.#refuse(time as Word, 'a line of the log begins with a time: 0:30, 0:30.250 or 1:00:30')
    const everywhere = alarm?.text === 'installation' && from?.text === 'flood'
    if (alarm === undefined || !(everywhere || /^[^/\s]+\/[^/\s]+$/.test(alarm.text))) {
      return void this.#refuse(alarm ?? (time as Word), 'after the time stands the alarm as rule/device or rule/area')
    }
    const place = { line: alarm.line, at, alarm: alarm.text }
    if (from?.text === 'tell' || from?.text === 'withhold' || from?.text === 'drill') {
      const told = [from, arrow, to, ...rest]
        .map((word) => word?.text ?? '')
        .join(' ')
        .trim()
      this.#scenario.expected.push({ ...place, turn: { told }, because: null })
      return
    }
    if (from !== undefined && isLogged(from.text) && arrow === undefined) {
      this.#scenario.expected.push({ ...place, turn: { action: from.text }, because: null })
      return
    }
    const mark = to === undefined ? markTurn(from?.text, arrow?.text) : null
    if (mark !== null) {
      this.#scenario.expected.push({ ...place, turn: mark, because: null })
      return
    }
    if (from === undefined || !isLevel(from.text) || arrow?.text !== '->' || to === undefined || !isLevel(to.text)) {
      return void this.#refuse(from ?? alarm, `the turn is written: clear -> yellow, with ${LEVELS.join(', ')}`)
    }
    const because = rest.length === 0 ? null : rest.map(({ text }) => text).join(' ')
    this.#scenario.expected.push({ ...place, turn: { from: from.text, to: to.text }, because })
  }
}

function isAction(text: string): text is OperatorActionKind {
  return (OPERATOR_ACTIONS as readonly string[]).includes(text)
}

function isLogged(text: string): text is ActionKind {
  return isAction(text) || (SERVICE_ACTIONS as readonly string[]).includes(text)
}

function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text)
}
