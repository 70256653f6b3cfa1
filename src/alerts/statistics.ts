// What a log of alarm events amounts to, in the terms of ISA-18.2: counts, days, bad actors, floods, chattering, stale alarms.
// Pure. Invariant: memory grows with the rules and subjects that alarmed and 8 bytes per announcement, not with the log.

import type { Transition } from '../model/alarm.ts'
import { type Level, levelRank, TIERS, type Tier } from '../model/tier.ts'
import { chatters, quietAt, withCycle } from './chatter.ts'
import { type Flood, floodsIn } from './floods.ts'

/** An alarm that stands longer than this is stale. */
export const STALE_MS = 24 * 3_600_000
export const BAD_ACTORS = 10
/** Stale alarms named one by one: the longest. */
const STALE_NAMED = 100

/** What an alarm is about: exactly one of the two is set. */
export interface AlarmSubject {
  readonly device: string | null
  readonly area: string | null
}

/** Counts of one rule, one subject, or one rule on one subject. Announced: raised, or risen to a higher tier, and not withheld. */
export interface AlarmCounts {
  readonly alarms: number
  readonly announced: number
  /** How long any tier stood, and red alone, in ms. */
  readonly activeMs: number
  readonly redMs: number
  /** The first raise, epoch ms; null where the alarms were all raised before. */
  readonly firstAt: number | null
  /** The worst tier of each alarm. */
  readonly worst: Readonly<Record<Tier, number>>
}

export interface AlarmStatistics {
  /** The stretch that the figures are about, epoch ms. */
  readonly from: number
  readonly to: number
  readonly total: AlarmCounts & { readonly standing: number }
  readonly tiers: readonly { readonly tier: Tier; readonly announced: number; readonly activeMs: number; readonly firstAt: number | null }[]
  /** From the one that alarmed most often to the one that did least; equals by name. */
  readonly rules: readonly (AlarmCounts & { readonly rule: string; readonly subjects: number })[]
  readonly subjects: readonly (AlarmCounts & AlarmSubject & { readonly rules: number })[]
  /** At most ten; `share` of all alarms, 0 to 1. */
  readonly badActors: readonly (AlarmCounts & AlarmSubject & { readonly rule: string; readonly share: number })[]
  /** Days with alarms raised or announced, in order. */
  readonly days: readonly DayCounts[]
  readonly floods: readonly Flood[]
  readonly floodMs: number
  /** From the one with most cycles. */
  readonly chattering: readonly (AlarmSubject & {
    readonly rule: string
    readonly episodes: number
    readonly cycles: number
    readonly firstAt: number
  })[]
  /** The longest first, at most a hundred of `staleCount`. */
  readonly stale: readonly (AlarmSubject & { readonly rule: string; readonly raisedAt: number; readonly forMs: number })[]
  readonly staleCount: number
  readonly first: (AlarmSubject & { readonly rule: string; readonly at: number; readonly tier: Tier }) | null
}

export interface DayCounts {
  /** yyyy-MM-dd */
  readonly day: string
  readonly alarms: number
  /** Announcements of each tier. */
  readonly announced: Readonly<Record<Tier, number>>
}

/** The day of an instant in UTC, yyyy-MM-dd. */
export function utcDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

class Counts {
  alarms = 0
  announced = 0
  activeMs = 0
  redMs = 0
  firstAt: number | null = null
  readonly worst: Record<Tier, number> = noTiers()

  add(other: Counts): void {
    this.alarms += other.alarms
    this.announced += other.announced
    this.activeMs += other.activeMs
    this.redMs += other.redMs
    this.firstAt = earliest(this.firstAt, other.firstAt)
    for (const tier of TIERS) this.worst[tier] += other.worst[tier]
  }

  plain(): AlarmCounts {
    const { alarms, announced, activeMs, redMs, firstAt, worst } = this
    return { alarms, announced, activeMs, redMs, firstAt, worst: { ...worst } }
  }
}

/** One rule on one subject. */
class Line {
  readonly rule: string
  readonly subject: AlarmSubject
  readonly counts = new Counts()
  level: Level = 'clear'
  /** Since when `level` counts. */
  since = 0
  raisedAt = 0
  worst: Tier | null = null
  /** Raises of the latest full cycles, the oldest first. */
  raises: readonly number[] = []
  chattering = false
  chatterUntil = Number.NEGATIVE_INFINITY
  chatterCycles = 0
  chatterEpisodes = 0
  chatterAt = 0

  constructor(rule: string, subject: AlarmSubject) {
    this.rule = rule
    this.subject = subject
  }

  raise(at: number): void {
    if (at > quietAt(this.raisedAt)) this.chattering = false
    this.raisedAt = at
  }

  /** A raise and clear are done. */
  cycle(clearedAt: number): void {
    this.raises = withCycle(this.raises, this.raisedAt)
    if (!chatters(this.raises, clearedAt)) return
    if (!this.chattering && this.chatterEpisodes++ === 0) this.chatterAt = this.raises[0] as number
    this.chattering = true
    // Cycles that the episode before already counted lie before its end.
    this.chatterCycles += this.raises.filter((raise) => raise > this.chatterUntil).length
    this.chatterUntil = clearedAt
  }
}

/** Takes alarm transitions one after the other, each rule and subject in the order of its instants; operator actions are no matter. */
export class AlarmTally {
  readonly #dayOf: (at: number) => string
  readonly #lines = new Map<string, Line>()
  readonly #days = new Map<string, { alarms: number; announced: Record<Tier, number> }>()
  readonly #tiers: Record<Tier, { announced: number; activeMs: number; firstAt: number | null }>
  #instants = new Float64Array(256)
  #announced = 0
  #from: number
  #stale: { line: Line; raisedAt: number; forMs: number }[] = []
  #staleCount = 0
  #first: AlarmStatistics['first'] = null

  /** `from`: where the stretch begins, epoch ms. `dayOf` names the day of an instant; UTC unless said otherwise. */
  constructor(from: number, dayOf: (at: number) => string = utcDay) {
    this.#from = from
    this.#dayOf = dayOf
    const none = () => ({ announced: 0, activeMs: 0, firstAt: null })
    this.#tiers = { blue: none(), yellow: none(), orange: none(), red: none() }
  }

  /** An alarm that stands when the stretch begins. Say so before the first event. */
  stands({ rule, device, area, level, id }: AlarmSubject & { readonly rule: string; readonly level: Level; readonly id: string }): void {
    this.#lineOf({ kind: 'transition', at: this.#from, rule, device, area, from: level, to: level, id, because: '' })
  }

  /** `announcedAt`: when an operator was told because of it, null: nobody was. Not given: a rise was told at its own instant. */
  take(event: Transition, announcedAt?: number | null): void {
    const { at, from, to } = event
    const line = this.#lineOf(event)
    this.#stood(line, at)
    if (from === 'clear') this.#raise(line, event)
    const toldAt = announcedAt === undefined ? (levelRank(to) > levelRank(from) ? at : null) : announcedAt
    if (toldAt !== null && to !== 'clear') this.#announce(line, at, to)
    if (toldAt !== null) this.announcedAt(toldAt)
    if (to === 'clear') this.#clear(line, at)
    else line.worst = worseOf(line.worst, to)
    line.level = to
    line.since = at
  }

  /** Something was announced that is no rise: a reminder, the return of an alarm that is still true. It counts towards floods. */
  announcedAt(at: number): void {
    if (this.#announced === this.#instants.length) {
      const grown = new Float64Array(this.#announced * 2)
      grown.set(this.#instants)
      this.#instants = grown
    }
    this.#instants[this.#announced++] = at
  }

  /** The figures up to `to`, epoch ms; what stands then counts until then. Call it once. */
  result(to: number): AlarmStatistics {
    let standing = 0
    for (const line of this.#lines.values()) {
      if (line.level === 'clear') continue
      standing++
      this.#stood(line, to)
      this.#end(line, to)
    }
    const instants = this.#instants.subarray(0, this.#announced).sort()
    const floods = floodsIn(instants, to)
    const total = new Counts()
    for (const { counts } of this.#lines.values()) total.add(counts)
    return {
      from: this.#from,
      to,
      total: { ...total.plain(), standing },
      tiers: TIERS.toReversed().map((tier) => ({ tier, ...this.#tiers[tier] })),
      ...this.#tables(total.alarms),
      days: [...this.#days].map(([day, counts]) => ({ day, ...counts })).sort((a, b) => (a.day < b.day ? -1 : 1)),
      floods,
      floodMs: floods.reduce((sum, flood) => sum + flood.to - flood.from, 0),
      chattering: this.#chattering(),
      stale: this.#stale.map(({ line, raisedAt, forMs }) => ({ rule: line.rule, ...line.subject, raisedAt, forMs })),
      staleCount: this.#staleCount,
      first: this.#first
    }
  }

  #lineOf(event: Transition): Line {
    const { rule, device, area } = event
    const key = lineKey(event)
    let line = this.#lines.get(key)
    if (line === undefined) {
      this.#lines.set(key, (line = new Line(rule, { device, area })))
      // An alarm from before the stretch, of which this is the first that is heard.
      line.level = event.from
      line.since = this.#from
      line.raisedAt = raisedAtOf(event)
      line.worst = event.from === 'clear' ? null : event.from
    }
    return line
  }

  #stood(line: Line, until: number): void {
    if (line.level === 'clear') return
    const ms = Math.max(0, until - line.since)
    line.counts.activeMs += ms
    if (line.level === 'red') line.counts.redMs += ms
    this.#tiers[line.level].activeMs += ms
  }

  #raise(line: Line, { at, to }: Transition): void {
    line.raise(at)
    line.counts.alarms++
    line.counts.firstAt ??= at
    this.#dayAt(at).alarms++
    if (to === 'clear' || (this.#first !== null && this.#first.at <= at)) return
    this.#first = { rule: line.rule, ...line.subject, at, tier: to }
  }

  #announce(line: Line, at: number, tier: Tier): void {
    line.counts.announced++
    const ofTier = this.#tiers[tier]
    ofTier.announced++
    ofTier.firstAt = earliest(ofTier.firstAt, at)
    this.#dayAt(at).announced[tier]++
  }

  #dayAt(at: number): { alarms: number; announced: Record<Tier, number> } {
    const name = this.#dayOf(at)
    let day = this.#days.get(name)
    if (day === undefined) this.#days.set(name, (day = { alarms: 0, announced: noTiers() }))
    return day
  }

  #clear(line: Line, at: number): void {
    this.#end(line, at)
    line.cycle(at)
    line.worst = null
  }

  #end(line: Line, at: number): void {
    if (line.worst !== null) line.counts.worst[line.worst]++
    const forMs = at - line.raisedAt
    if (forMs <= STALE_MS) return
    this.#staleCount++
    this.#stale.push({ line, raisedAt: line.raisedAt, forMs })
    this.#stale.sort(
      (a, b) =>
        b.forMs - a.forMs ||
        a.raisedAt - b.raisedAt ||
        orderOf(lineKey({ ...a.line, ...a.line.subject }), lineKey({ ...b.line, ...b.line.subject }))
    )
    if (this.#stale.length > STALE_NAMED) this.#stale.pop()
  }

  #tables(alarms: number): Pick<AlarmStatistics, 'rules' | 'subjects' | 'badActors'> {
    const rules = new Map<string, { counts: Counts; of: Set<string> }>()
    const subjects = new Map<string, { counts: Counts; of: Set<string>; subject: AlarmSubject }>()
    for (const { rule, subject, counts } of this.#lines.values()) {
      const name = subjectKey(subject)
      let ofRule = rules.get(rule)
      if (ofRule === undefined) rules.set(rule, (ofRule = { counts: new Counts(), of: new Set() }))
      let ofSubject = subjects.get(name)
      if (ofSubject === undefined) subjects.set(name, (ofSubject = { counts: new Counts(), of: new Set(), subject }))
      ofRule.counts.add(counts)
      ofRule.of.add(name)
      ofSubject.counts.add(counts)
      ofSubject.of.add(rule)
    }
    const most = (a: AlarmCounts, b: AlarmCounts) => b.alarms - a.alarms || b.announced - a.announced || b.activeMs - a.activeMs
    const actors = [...this.#lines.values()].filter(({ counts }) => counts.alarms > 0)
    actors.sort((a, b) => most(a.counts, b.counts) || orderOf(a.rule, b.rule) || orderOf(subjectKey(a.subject), subjectKey(b.subject)))
    return {
      rules: [...rules]
        .map(([rule, { counts, of }]) => ({ rule, subjects: of.size, ...counts.plain() }))
        .sort((a, b) => most(a, b) || orderOf(a.rule, b.rule)),
      subjects: [...subjects.values()]
        .map(({ subject, counts, of }) => ({ ...subject, rules: of.size, ...counts.plain() }))
        .sort((a, b) => most(a, b) || orderOf(subjectKey(a), subjectKey(b))),
      badActors: actors
        .slice(0, BAD_ACTORS)
        .map(({ rule, subject, counts }) => ({ rule, ...subject, share: counts.alarms / alarms, ...counts.plain() }))
    }
  }

  #chattering(): AlarmStatistics['chattering'] {
    return [...this.#lines.values()]
      .filter(({ chatterEpisodes }) => chatterEpisodes > 0)
      .map((line) => ({
        rule: line.rule,
        ...line.subject,
        episodes: line.chatterEpisodes,
        cycles: line.chatterCycles,
        firstAt: line.chatterAt
      }))
      .sort((a, b) => b.cycles - a.cycles || orderOf(a.rule, b.rule) || orderOf(subjectKey(a), subjectKey(b)))
  }
}

/** Tells rules on subjects apart. */
export function lineKey({ rule, device, area }: AlarmSubject & { readonly rule: string }): string {
  return `${rule}\n${subjectKey({ device, area })}`
}

/** The instant of the raise that the id names (rule/subject#epoch-ms). */
export function raisedAtOf({ from, at, id }: Transition): number {
  const text = id.slice(id.lastIndexOf('#') + 1)
  return from !== 'clear' && /^\d{1,15}$/.test(text) ? Number(text) : at
}

function subjectKey({ device, area }: AlarmSubject): string {
  return device === null ? `a ${area}` : `d ${device}`
}

function worseOf(one: Tier | null, other: Tier): Tier {
  return one !== null && levelRank(one) >= levelRank(other) ? one : other
}

function earliest(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : Math.min(one, other)
}

/** By code units: the same on every machine. */
function orderOf(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function noTiers(): Record<Tier, number> {
  return { blue: 0, yellow: 0, orange: 0, red: 0 }
}
