// rules/*.yaml beside the rules: states of the plant, inhibitions, the calendar. Each is checked by itself and against the rules
// that it holds back.

import type { Calendar, Inhibition, PlantState, Rule, Schedule, Suppresses, Within } from '../../model/plant.ts'
import { levelRank, TIERS, type Tier } from '../../model/tier.ts'
import { problem } from '../../platform/problem.ts'
import { dayOf, Zone } from '../../platform/zone.ts'
import { ScheduleClock } from '../../rules/schedule.ts'
import { circleThrough } from '../../rules/suppressors.ts'
import { didYouMean, type Findings } from './findings.ts'
import type { PlantParts } from './plant.ts'
import type { Profiles } from './profiles.ts'
import { checkSelector, type RuleOrigin, selectorOf } from './rules.ts'
import { inhibitionShape, stateShape } from './schema.ts'
import { hasShape } from './shapes.ts'
import type { Path, SourceFile } from './source.ts'
import { byId, claimedId, durationOr, mapping, nameOr, textOr, type Written } from './written.ts'

export interface StatesRead {
  readonly states: readonly PlantState[]
  readonly inhibitions: readonly Inhibition[]
  readonly calendar: Calendar | null
  /** Of the rules that judge states, by their ids. */
  readonly origins: ReadonlyMap<string, RuleOrigin>
}

/** What is looked at while one entry is read. */
interface Entry {
  readonly id: string | null
  readonly name: string
  readonly written: Written
  readonly source: SourceFile
  readonly path: Path
}

/** Reads what the rule files say besides rules. `parts` null: the plant could not be read, so what refers to it is not checked. */
export function readStates(
  sources: readonly SourceFile[],
  rules: readonly Rule[],
  parts: PlantParts | null,
  profiles: Profiles,
  findings: Findings
): StatesRead {
  const reader = new StatesReader(rules, findings)
  const calendar = reader.calendar(sources)
  const origins = new Map<string, RuleOrigin>()
  const states: PlantState[] = []
  for (const entry of reader.entries(sources, 'states', 'state')) {
    hasShape(stateShape, entry.written, entry.name, entry.source, entry.path, findings)
    checkSelector(mapping(entry.written.appliesTo), entry.name, parts, profiles, entry.source, entry.path, findings)
    const state = reader.state(entry, calendar)
    if (state === null) continue
    states.push(state)
    origins.set(`state:${state.id}`, entry)
  }
  const inhibitions: Inhibition[] = []
  for (const entry of reader.entries(sources, 'inhibitions', 'inhibition')) {
    hasShape(inhibitionShape, entry.written, entry.name, entry.source, entry.path, findings)
    const inhibition = reader.inhibition(entry)
    if (inhibition === null) continue
    const circle = circleThrough(inhibition, inhibitions, rules)
    if (circle === null) inhibitions.push(inhibition)
    else reader.report(entry, ['suppresses'], `${entry.name} closes a circle, in which nobody is told of anything: ${circle.join(' -> ')}`)
  }
  return { states: states.sort(byId), inhibitions: inhibitions.sort(byId), calendar, origins }
}

class StatesReader {
  readonly #rules: ReadonlyMap<string, Rule>
  readonly #findings: Findings

  constructor(rules: readonly Rule[], findings: Findings) {
    this.#rules = new Map(rules.map((rule) => [rule.id, rule]))
    this.#findings = findings
  }

  report({ source, path }: Pick<Entry, 'source' | 'path'>, steps: Path, sentence: string): void {
    this.#findings.problem(problem(sentence, source.place([...path, ...steps])))
  }

  /** The entries of one list over all files; of those with the same id the first. */
  entries(sources: readonly SourceFile[], list: 'states' | 'inhibitions', what: string): Entry[] {
    const entries: Entry[] = []
    for (const source of sources) {
      const written = mapping(source.value)[list]
      if (!Array.isArray(written)) continue
      for (const [index, one] of written.entries()) {
        const id = claimedId(one)
        const entry = { id, name: `${what} ${id ?? `number ${index + 1}`}`, written: one as Written, source, path: [list, index] }
        const first = id === null ? undefined : entries.find((other) => other.id === id)
        if (first === undefined) {
          entries.push(entry)
          continue
        }
        const { file, line } = first.source.place(first.path)
        this.report(entry, ['id'], `the ${what} ${id} is already defined in ${file}:${line}; ${what} ids are unique`)
      }
    }
    return entries
  }

  /** The one calendar of all rule files; its shape was checked with the file. */
  calendar(sources: readonly SourceFile[]): Calendar | null {
    const [source, second] = sources.filter(({ value }) => Object.hasOwn(mapping(value), 'calendar'))
    if (source === undefined) return null
    if (second !== undefined) {
      const { file, line } = source.place(['calendar'])
      this.report({ source: second, path: [] }, ['calendar'], `there is a calendar already, in ${file}:${line}; a plant has one`)
    }
    const { zone, holidays, workdays } = mapping(mapping(source.value).calendar)
    const days = (Array.isArray(holidays) ? holidays : []).flatMap((written, index) => {
      const { from, to, name } = typeof written === 'string' ? { from: written, to: written, name: null } : mapping(written)
      if (typeof from !== 'string' || typeof to !== 'string' || dayOf(from) === null || dayOf(to) === null) return []
      if (from > to) this.report({ source, path: [] }, ['calendar', 'holidays', index], `this holiday ends on ${to}, before it begins`)
      return [Object.freeze({ from, to, name: textOr(name, null) })]
    })
    const extra = (Array.isArray(workdays) ? workdays : []).filter((day): day is string => typeof day === 'string' && dayOf(day) !== null)
    for (const [index, day] of extra.entries()) {
      if (!days.some(({ from, to }) => from <= day && day <= to)) continue
      this.report({ source, path: [] }, ['calendar', 'workdays', index], `${day} is a holiday and a working day; keep one of them`)
    }
    return Object.freeze({ zone: textOr(zone, null), holidays: Object.freeze(days), workdays: Object.freeze(extra) })
  }

  state(entry: Entry, calendar: Calendar | null): PlantState | null {
    const { id, name, written } = entry
    const kinds = ['while', 'schedule', 'manual'].filter((key) => Object.hasOwn(mapping(written), key))
    if (kinds.length !== 1) {
      const found = kinds.length === 0 ? 'does not say when it is on' : `says ${kinds.join(' and ')}`
      this.report(entry, kinds.slice(1, 2), `${name} ${found}; give it one of while, schedule and manual`)
    }
    if (kinds[0] !== 'while') {
      for (const key of ['for', 'clearFor']) {
        if (Object.hasOwn(mapping(written), key)) this.report(entry, [key], `${name} has ${key}, which goes with while only`)
      }
    }
    const schedule = kinds[0] === 'schedule' ? this.#schedule(entry, calendar) : null
    const suppresses = this.#suppresses(entry, null)
    if (id === null || (kinds[0] === 'schedule' && schedule === null)) return null
    return Object.freeze({
      id,
      title: nameOr(written.title, id),
      appliesTo: selectorOf(mapping(written.appliesTo)),
      within: withinOf(written.within),
      while: textOr(written.while, null)?.trimEnd() ?? null,
      schedule,
      longestMs: durationOr(mapping(written.manual).atMost, null),
      forMs: durationOr(written.for, 0),
      clearForMs: durationOr(written.clearFor, 0),
      suppresses,
      source: textOr(written.source, null)
    })
  }

  inhibition(entry: Entry): Inhibition | null {
    const { id, written } = entry
    const { rule: ruleId, tier: writtenTier } = mapping(written.source)
    const rule = this.#named(entry, ruleId, ['source', 'rule'])
    const tier = tierOr(writtenTier, 'blue')
    const within = withinOf(written.within)
    const suppresses = this.#suppresses(entry, rule)
    if (rule === null || id === null) return null
    if (levelRank(tier) > highest(rule)) this.report(entry, ['source', 'tier'], `the rule ${rule.id} has no tier ${tier} or above`)
    if (rule.per === 'area' && (within === 'device' || within === 'gateway')) {
      this.report(entry, ['within'], `the rule ${rule.id} is judged per area: within must be area or site`)
    }
    return Object.freeze({
      id,
      title: nameOr(written.title, id),
      rule: rule.id,
      tier,
      within,
      clearForMs: durationOr(written.clearFor, 0),
      suppresses,
      source: textOr(written.reason, null)
    })
  }

  #schedule(entry: Entry, calendar: Calendar | null): Schedule | null {
    const { zone, days, from, to } = mapping(entry.written.schedule)
    const [fromMinute, toMinute] = [minuteOf(from), minuteOf(to)]
    const zoneName = textOr(zone, null) ?? calendar?.zone ?? null
    if (zoneName === null)
      this.report(entry, ['schedule'], `the schedule of ${entry.name} has no zone; give it one, or one to the calendar`)
    if (fromMinute === null || toMinute === null || zoneName === null || Zone.named(zoneName) === null) return null
    const named = Array.isArray(days) ? Object.freeze([...days]) : (days ?? 'every')
    const schedule: Schedule = Object.freeze({ zone: zoneName, days: named as Schedule['days'], fromMinute, toMinute })
    if (fromMinute === toMinute || fromMinute === 1440) {
      this.report(
        entry,
        ['schedule', 'to'],
        `the schedule of ${entry.name} never is: it ends when it begins; a whole day is from "00:00" to "24:00"`
      )
      return null
    }
    // Any two years hold every weekday and, in a calendar of dates, whatever can still come.
    const first = new ScheduleClock(schedule, calendar ?? undefined).at(0)
    if (!first.on && first.changesAt === Number.POSITIVE_INFINITY)
      this.report(entry, ['schedule'], `the schedule of ${entry.name} never is`)
    if (first.on && first.changesAt === Number.POSITIVE_INFINITY) {
      this.report(entry, ['schedule'], `the schedule of ${entry.name} always is: what it holds back would never be told`)
    }
    return schedule
  }

  #suppresses(entry: Entry, source: Rule | null): Suppresses {
    const { rules, upTo } = mapping(entry.written.suppresses)
    const tier = tierOr(upTo, 'orange')
    if (!Array.isArray(rules)) return Object.freeze({ rules: null, upTo: tier })
    for (const [index, id] of rules.entries()) {
      const steps = ['suppresses', 'rules', index]
      const rule = this.#named(entry, id, steps)
      if (rule === null) continue
      if (source !== null && rule.id === source.id)
        this.report(entry, steps, `${entry.name} suppresses its own source, the rule ${rule.id}`)
      const lowest = rule.tiers[0]
      if (lowest !== undefined && levelRank(lowest.tier) > levelRank(tier)) {
        const sentence = `${entry.name} holds back nothing of the rule ${rule.id}: its lowest tier is ${lowest.tier}, and upTo is ${tier}`
        this.report(entry, steps, sentence)
      }
    }
    return Object.freeze({ rules: Object.freeze(rules.map(String).sort()), upTo: tier })
  }

  #named(entry: Entry, id: unknown, steps: Path): Rule | null {
    if (typeof id !== 'string') return null
    const rule = this.#rules.get(id)
    if (rule !== undefined) return rule
    this.report(entry, steps, `${entry.name} names the rule ${id}, which does not exist${didYouMean(id, this.#rules.keys())}`)
    return null
  }
}

function highest({ tiers }: Rule): number {
  return Math.max(0, ...tiers.map(({ tier }) => levelRank(tier)))
}

function withinOf(written: unknown): Within {
  return written === 'gateway' || written === 'area' || written === 'site' ? written : 'device'
}

function tierOr(written: unknown, otherwise: Tier): Tier {
  return (TIERS as readonly unknown[]).includes(written) ? (written as Tier) : otherwise
}

/** Minutes since midnight of `08:00`. */
function minuteOf(written: unknown): number | null {
  const parts = typeof written === 'string' ? /^(\d\d):(\d\d)$/.exec(written) : null
  return parts === null ? null : Number(parts[1]) * 60 + Number(parts[2])
}
