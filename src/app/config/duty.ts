// duty.yaml: people, teams, rotas, responsible people and ladders, each entry checked by itself and against what it refers to.
// Invariant: an entry with a mistake never makes the entries that refer to it look wrong too.

import {
  type DrillSchedule,
  type Duty,
  type Ladder,
  type Party,
  type Person,
  RESPONSIBLE_ROLES,
  type Responsible,
  type Rota,
  type Rung,
  type Shift,
  type Target,
  type Team
} from '../../model/duty.ts'
import { CHANNEL_KINDS, type ChannelKind } from '../../model/notification.ts'
import type { Plant } from '../../model/plant.ts'
import { TIERS, type Tier } from '../../model/tier.ts'
import { LIMITS } from '../../platform/limits.ts'
import { problem } from '../../platform/problem.ts'
import { dayOf, Zone } from '../../platform/zone.ts'
import { DUTY_LISTS, dutyShape, instantParts } from './dutySchema.ts'
import { didYouMean, type Findings } from './findings.ts'
import type { Environment } from './service.ts'
import { hasShape } from './shapes.ts'
import type { Path, SourceFile } from './source.ts'
import { claimedId, durationOr, mapping, nameOr, numberOr, textOr, type Written } from './written.ts'

type List = keyof typeof DUTY_LISTS
type Known = Pick<Plant, 'enterprises' | 'sites' | 'areas' | 'rules'> & Pick<Plant, 'hazardSources'>

const SINGULAR: Readonly<Record<List, string>> = {
  people: 'person',
  teams: 'team',
  rotas: 'rota',
  responsible: 'entry of responsible',
  ladders: 'ladder',
  drills: 'drill'
}
const DEFAULT_ZONE = 'Asia/Shanghai'
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

/** Reads duty.yaml as far as it can be read. `plant` is what it refers to; what is wrong is in `findings`. */
export function readDuty(source: SourceFile, plant: Known, env: Environment, findings: Findings): Duty {
  return new DutyReader(source, plant, env, findings).duty()
}

class DutyReader {
  readonly #source: SourceFile
  readonly #plant: Known
  readonly #env: Environment
  readonly #findings: Findings
  readonly #lists: Record<List, readonly unknown[]>
  readonly #ids: Record<List, Set<string>>
  readonly #zone: string

  constructor(source: SourceFile, plant: Known, env: Environment, findings: Findings) {
    this.#source = source
    this.#plant = plant
    this.#env = env
    this.#findings = findings
    this.#lists = { people: [], teams: [], rotas: [], responsible: [], ladders: [], drills: [] }
    const rest: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(mapping(source.value))) {
      const known = key in DUTY_LISTS
      if (known && Array.isArray(value)) this.#lists[key as List] = value
      else if (!known || value !== null) rest[key] = value
    }
    const whole = source.value ?? {}
    hasShape(dutyShape, mapping(whole) === whole ? rest : whole, 'the duty file', source, [], findings)
    const idsOf = (list: List): Set<string> => new Set(this.#lists[list].flatMap((entry) => claimedId(entry) ?? []))
    this.#ids = {
      people: idsOf('people'),
      teams: idsOf('teams'),
      rotas: idsOf('rotas'),
      responsible: new Set(),
      ladders: idsOf('ladders'),
      drills: idsOf('drills')
    }
    const zone = textOr(mapping(whole).zone, DEFAULT_ZONE)
    this.#zone = Zone.named(zone) === null ? DEFAULT_ZONE : zone
  }

  duty(): Duty {
    const written = mapping(this.#source.value)
    const throttle = mapping(written.throttle)
    const drills = this.#read('drills', (id, entry, path) => this.#drill(id, entry, path))
    const receipts = Array.isArray(written.receipts) ? written.receipts : ['sms', 'voice']
    if (this.#lists.people.length > LIMITS.duty.people)
      this.#report(`there are ${this.#lists.people.length} people; at most ${LIMITS.duty.people} are allowed`, ['people'])
    const people = this.#read('people', (id, entry, path) => this.#person(id, entry, path))
    this.#usersOf(people)
    return Object.freeze({
      people,
      teams: this.#read('teams', (id, entry, path): Team => {
        const people = list(entry.people).map(String)
        for (const [i, person] of people.entries()) this.#known('person', person, this.#ids.people, `team ${id}`, [...path, 'people', i])
        return { id, name: nameOr(entry.name, id), people: people.filter((one) => this.#ids.people.has(one)) }
      }),
      rotas: this.#read('rotas', (id, entry, path) => this.#rota(id, entry, path)),
      responsible: this.#responsible(),
      ladders: this.#read('ladders', (id, entry, path) => this.#ladder(id, entry, path)),
      groupWindowMs: durationOr(written.groupWindow, 30_000),
      throttle: written.throttle === undefined ? null : { max: numberOr(throttle.max, 1), perMs: durationOr(throttle.per, 600_000) },
      floodDigestMs: durationOr(written.floodDigest, 300_000),
      ...(drills.length === 0 ? {} : { drills }),
      receipts: CHANNEL_KINDS.filter((kind) => receipts.includes(kind))
    })
  }

  #read<Thing>(name: List, thingOf: (id: string, entry: Written, path: Path) => Thing): Thing[] {
    const things: Thing[] = []
    const seen = new Map<string, number>()
    for (const [index, entry] of this.#lists[name].entries()) {
      const id = claimedId(entry)
      const path = [name, index]
      hasShape(DUTY_LISTS[name], entry, `${SINGULAR[name]} ${id ?? `number ${index + 1}`}`, this.#source, path, this.#findings)
      if (id === null) continue
      const first = seen.get(id)
      if (first !== undefined) {
        const { line } = this.#source.place([name, first])
        this.#report(`the ${SINGULAR[name]} ${id} is already defined in line ${line}; ${SINGULAR[name]} ids are unique`, [...path, 'id'])
        continue
      }
      seen.set(id, index)
      things.push(Object.freeze(thingOf(id, mapping(entry), path)))
    }
    return things
  }

  #person(id: string, entry: Written, path: Path): Person {
    this.#known('enterprise', entry.enterprise, idsIn(this.#plant.enterprises), `person ${id}`, [...path, 'enterprise'])
    const phone = this.#secret(entry.phone, `phone of person ${id}`, [...path, 'phone'])
    const written = mapping(entry.addresses)
    const addresses: Partial<Record<ChannelKind, string>> = {}
    for (const kind of CHANNEL_KINDS) {
      const own = this.#secret(written[kind], `address ${kind} of person ${id}`, [...path, 'addresses', kind])
      const general =
        kind === 'sms' || kind === 'voice'
          ? phone
          : kind === 'email'
            ? this.#secret(entry.email, `email of person ${id}`, [...path, 'email'])
            : null
      const address = own ?? general
      if (address !== null) addresses[kind] = address
    }
    const quiet = mapping(entry.quiet)
    const [from, to] = [minuteOf(quiet.from), minuteOf(quiet.to)]
    return {
      id,
      name: nameOr(entry.name, id),
      language: entry.language === 'en' ? 'en' : 'zh',
      zone: this.#zoneOr(entry.zone),
      enterprise: textOr(entry.enterprise, null),
      user: textOr(entry.user, null),
      addresses: Object.freeze(addresses),
      quiet: from === null || to === null ? null : { from, to }
    }
  }

  /** Whoever acts is told apart by user and id: a user is one person's, and nobody else's id. */
  #usersOf(people: readonly Person[]): void {
    const first = new Map<string, string>()
    for (const { id, user } of people) {
      if (user === null) continue
      const path = ['people', this.#lists.people.findIndex((entry) => claimedId(entry) === id), 'user']
      const other = first.get(user.toLowerCase())
      if (other !== undefined)
        this.#report(`the user ${user} of person ${id} is that of person ${other} already; a user is one person`, path)
      else if (user !== id && this.#ids.people.has(user))
        this.#report(
          `the user ${user} of person ${id} is the id of another person; give that person another id, or ${id} another user`,
          path
        )
      first.set(user.toLowerCase(), other ?? id)
    }
  }

  #rota(id: string, entry: Written, path: Path): Rota {
    const zone = this.#zoneOr(entry.zone)
    const overrides = list(entry.overrides).flatMap((one, i): Rota['overrides'][number][] => {
      const at = [...path, 'overrides', i]
      const written = mapping(one)
      const range = this.#range(written, zone, `an override of rota ${id}`, at)
      const who = this.#party(written.who, `rota ${id}`, [...at, 'who'])
      if (range === null || who === null) return []
      return [{ ...range, who, instead: this.#party(written.instead, `rota ${id}`, [...at, 'instead']), note: textOr(written.note, null) }]
    })
    const swaps = list(entry.swaps).flatMap((one, i): Rota['overrides'][number][] => {
      const at = [...path, 'swaps', i]
      const written = mapping(one)
      const range = this.#range(written, zone, `a swap of rota ${id}`, at)
      const [a, b] = list(written.between).map((party, j) => this.#party(party, `rota ${id}`, [...at, 'between', j]))
      if (range === null || !a || !b) return []
      const note = textOr(written.note, null)
      return [
        { ...range, who: b, instead: a, note },
        { ...range, who: a, instead: b, note }
      ]
    })
    return {
      id,
      name: nameOr(entry.name, id),
      zone,
      startDay: dayOf(textOr(entry.start, '1970-01-01')) ?? 0,
      shifts: list(entry.shifts).flatMap((one, i) => this.#shift(mapping(one), id, [...path, 'shifts', i])),
      overrides: [...overrides, ...swaps]
    }
  }

  #shift(entry: Written, rota: string, path: Path): Shift[] {
    const order = list(entry.order).flatMap((one, i) => this.#party(one, `rota ${rota}`, [...path, 'order', i]) ?? [])
    const [from, to] = [minuteOf(entry.from), minuteOf(entry.to)]
    if (from === null || to === null || order.length === 0) return []
    return [
      {
        hours: { from, to },
        days: weekdaysOf(entry.days),
        order,
        rotateDays: Math.max(1, Math.floor(durationOr(entry.rotate, 86_400_000) / 86_400_000)),
        offset: Math.max(0, Math.floor(numberOr(entry.offset, 0)))
      }
    ]
  }

  #responsible(): Responsible[] {
    return this.#lists.responsible.map((one, index): Responsible => {
      const path = ['responsible', index]
      const entry = mapping(one)
      const of = `entry ${index + 1} of responsible`
      hasShape(DUTY_LISTS.responsible, one, of, this.#source, path, this.#findings)
      const [hazardSource, site] = [textOr(entry.hazardSource, null), textOr(entry.site, null)]
      if ((hazardSource === null) === (site === null)) this.#report(`${of} must name either a hazardSource or a site`, path)
      this.#known('hazard source', entry.hazardSource, idsIn(this.#plant.hazardSources ?? []), of, [...path, 'hazardSource'])
      this.#known('site', entry.site, idsIn(this.#plant.sites), of, [...path, 'site'])
      const roles = RESPONSIBLE_ROLES.flatMap((role): [string, string][] => {
        this.#known('person', entry[role], this.#ids.people, of, [...path, role])
        const person = entry[role]
        return typeof person === 'string' && this.#ids.people.has(person) ? [[role, person]] : []
      })
      return Object.freeze({ hazardSource, site, roles: Object.fromEntries(roles) })
    })
  }

  #ladder(id: string, entry: Written, path: Path): Ladder {
    const where = mapping(entry.appliesTo)
    const at = [...path, 'appliesTo']
    const { sites, areas, enterprises, rules } = this.#plant
    this.#known('site', where.site, idsIn(sites), `ladder ${id}`, [...at, 'site'])
    this.#known('area', where.area, idsIn(areas), `ladder ${id}`, [...at, 'area'])
    this.#known('enterprise', where.enterprise, idsIn(enterprises), `ladder ${id}`, [...at, 'enterprise'])
    for (const [i, rule] of list(where.rules).entries()) this.#known('rule', rule, idsIn(rules), `ladder ${id}`, [...at, 'rules', i])
    const tiers = TIERS.filter((tier): tier is Tier => list(where.tiers).includes(tier))
    const appliesTo = {
      tiers: where.tiers === undefined ? null : tiers,
      rules: where.rules === undefined ? null : list(where.rules).map(String),
      area: textOr(where.area, null),
      site: textOr(where.site, null),
      enterprise: textOr(where.enterprise, null)
    }
    if (entry.quietHours === true && (appliesTo.tiers === null || tiers.includes('red'))) {
      const sentence = `ladder ${id} takes red alarms and asks for quiet hours; red is never held back: leave quietHours out, or red to another ladder`
      this.#report(sentence, [...path, 'quietHours'])
    }
    const rungs = list(entry.steps).map((step, i) => this.#rung(mapping(step), id, [...path, 'steps', i]))
    for (const [i, rung] of rungs.entries()) {
      if (i > 0 && rung.afterMs < (rungs[i - 1] as Rung).afterMs)
        this.#report(`step ${i + 1} of ladder ${id} comes before step ${i}; order the steps by after`, [...path, 'steps', i, 'after'])
    }
    return { id, appliesTo, rungs, receiptWithinMs: entry.receiptWithin === undefined ? null : durationOr(entry.receiptWithin, null) }
  }

  #drill(id: string, entry: Written, path: Path): DrillSchedule {
    this.#known('site', entry.site, idsIn(this.#plant.sites), `drill ${id}`, [...path, 'site'])
    return {
      id,
      site: textOr(entry.site, ''),
      tier: TIERS.find((tier) => tier === entry.tier) ?? 'red',
      zone: this.#zoneOr(entry.zone),
      minute: minuteOf(entry.at) ?? 0,
      days: weekdaysOf(entry.days),
      week: entry.week === undefined ? null : numberOr(entry.week, 1),
      factor: numberOr(entry.fast, 1)
    }
  }

  #rung(entry: Written, ladder: string, path: Path): Rung {
    const tell = list(entry.tell).flatMap((one, i) => this.#target(one, ladder, [...path, 'tell', i]))
    const by = list(entry.by).map((ways) => CHANNEL_KINDS.filter((kind) => String(ways).split('+').includes(kind)))
    const flat = by.flat()
    if (new Set(flat).size < flat.length) this.#report(`a step of ladder ${ladder} names the same way twice`, [...path, 'by'])
    const repeatMs = entry.repeat === undefined ? null : durationOr(entry.repeat, null)
    if (repeatMs === null && entry.times !== undefined)
      this.#report(`a step of ladder ${ladder} has times without repeat; say how long to wait between two calls`, [...path, 'times'])
    const times = repeatMs === null ? 1 : numberOr(entry.times, LIMITS.duty.calls)
    return { afterMs: durationOr(entry.after, 0), tell, by: by.filter((ways) => ways.length > 0), repeatMs, times }
  }

  #target(written: unknown, ladder: string, path: Path): Target[] {
    const [kind, id = ''] = String(written).split(':')
    const of = `ladder ${ladder}`
    switch (kind) {
      case 'duty':
        return this.#known('rota', id, this.#ids.rotas, of, path) ? [{ kind, rota: id }] : []
      case 'person':
        return this.#known('person', id, this.#ids.people, of, path) ? [{ kind, id }] : []
      case 'team':
        return this.#known('team', id, this.#ids.teams, of, path) ? [{ kind, id }] : []
      default: {
        const role = RESPONSIBLE_ROLES.find((known) => known === id)
        return role === undefined ? [] : [{ kind: 'responsible', role }]
      }
    }
  }

  #party(written: unknown, of: string, path: Path): Party | null {
    const [kind, id = ''] = typeof written === 'string' ? written.split(':') : []
    if (kind !== 'person' && kind !== 'team') return null
    return this.#known(kind, id, kind === 'person' ? this.#ids.people : this.#ids.teams, of, path) ? { kind, id } : null
  }

  #range(entry: Written, zone: string, of: string, path: Path): { from: number; to: number } | null {
    const [from, to] = [instantParts(textOr(entry.from, '')), instantParts(textOr(entry.to, ''))]
    const local = Zone.named(zone)
    if (from === null || to === null || local === null) return null
    const range = { from: local.instantOf(from.day, from.minute), to: local.instantOf(to.day, to.minute) }
    if (range.from >= range.to) this.#report(`${of} ends before it begins`, [...path, 'to'])
    return range
  }

  #zoneOr(written: unknown): string {
    return typeof written === 'string' && Zone.named(written) !== null ? written : this.#zone
  }

  #known(kind: string, named: unknown, known: ReadonlySet<string>, of: string, path: Path): boolean {
    if (typeof named !== 'string') return false
    if (known.has(named)) return true
    this.#report(`${of} names the ${kind} ${named}, which does not exist${didYouMean(named, known)}`, path)
    return false
  }

  #secret(written: unknown, what: string, path: Path): string | null {
    if (typeof written !== 'string' || !written.startsWith('env:')) return textOr(written, null)
    const value = this.#env[written.slice(4)]
    if (value !== undefined && value !== '') return value
    this.#findings.warning(
      problem(`the environment variable ${written.slice(4)} is not set, so the ${what} is not known`, this.#source.place(path))
    )
    return null
  }

  #report(sentence: string, path: Path): void {
    this.#findings.problem(problem(sentence, this.#source.place(path)))
  }
}

function idsIn(things: readonly { readonly id: string }[]): ReadonlySet<string> {
  return new Set(things.map(({ id }) => id))
}

function list(written: unknown): readonly unknown[] {
  return Array.isArray(written) ? written : []
}

/** 0 for Monday; every day where none is named. */
function weekdaysOf(written: unknown): number[] {
  const days = list(written).flatMap((day) => (WEEKDAYS.includes(String(day)) ? [WEEKDAYS.indexOf(String(day))] : []))
  return days.length === 0 ? [0, 1, 2, 3, 4, 5, 6] : days
}

/** Minutes after midnight of `08:00`; null where it is no time of day. */
function minuteOf(written: unknown): number | null {
  const parts = typeof written === 'string' ? /^(\d\d):(\d\d)$/.exec(written) : null
  return parts === null ? null : Number(parts[1]) * 60 + Number(parts[2])
}
