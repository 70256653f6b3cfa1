// States and inhibitions of a plant, compiled: which of them may hold back the alarms of a rule, and where. Scopes are keys such
// as `device T-101` or `area bund-1`: an alarm lies in a few of them, a suppressor is on in some.

import type { Fleet } from '../model/fleet.ts'
import type { Inhibition, Rule, Selector, Suppresses, Within } from '../model/plant.ts'
import type { StateTarget, Suppressor } from '../model/suppression.ts'
import { levelRank } from '../model/tier.ts'
import { selectedDevices } from './compile.ts'
import { ScheduleClock } from './schedule.ts'

/** The scope of a schedule: everywhere. */
export const EVERYWHERE = '*'

export interface HoldsBack {
  readonly by: Suppressor
  readonly kind: 'while' | 'schedule' | 'manual' | 'inhibition'
  readonly within: Within
  /** Rank of the highest tier that is held back. */
  readonly upTo: number
  /** Of a schedule, and of what people switch on: the devices that it applies to; null: it goes by scope alone. */
  readonly selected: ReadonlySet<string> | null
  readonly schedule: ScheduleClock | null
  readonly longestMs: number | null
  /** Of an inhibition: from which rank its source counts, and how long it goes on after it. */
  readonly sourceRank: number
  readonly lingerMs: number
}

/** The subject of an alarm, exactly one of both set. */
export interface AlarmSubject {
  readonly device: string | null
  readonly area: string | null
}

export class Suppressors {
  readonly fleet: Fleet
  readonly all: ReadonlyMap<Suppressor, HoldsBack>
  /** By the rule whose alarms are held back. */
  readonly #of = new Map<string, HoldsBack[]>()
  /** By the rule of the source. */
  readonly #from = new Map<string, HoldsBack[]>()
  readonly #siteOfArea: ReadonlyMap<string, string>
  readonly #members = new Map<string, readonly string[]>()

  constructor(fleet: Fleet) {
    this.fleet = fleet
    const { states = [], inhibitions = [], calendar, areas } = fleet.plant
    const all = new Map<Suppressor, HoldsBack>()
    for (const state of states) {
      const kind = state.while !== null ? 'while' : state.schedule !== null ? 'schedule' : 'manual'
      const one: HoldsBack = {
        by: `state:${state.id}`,
        kind,
        within: state.within,
        upTo: levelRank(state.suppresses.upTo),
        selected: kind === 'while' ? null : selection(fleet, state.appliesTo),
        schedule: state.schedule === null ? null : new ScheduleClock(state.schedule, calendar),
        longestMs: state.longestMs,
        sourceRank: 0,
        lingerMs: 0
      }
      all.set(one.by, one)
      this.#hold(one, state.suppresses, null)
    }
    for (const inhibition of inhibitions) {
      const one = inhibitionOf(inhibition)
      all.set(one.by, one)
      this.#hold(one, inhibition.suppresses, inhibition.rule)
      this.#from.set(inhibition.rule, [...(this.#from.get(inhibition.rule) ?? []), one])
    }
    this.all = all
    this.#siteOfArea = new Map(areas.map(({ id, site }) => [id, site]))
  }

  /** What may hold back alarms of this rule. */
  of(rule: string): readonly HoldsBack[] {
    return this.#of.get(rule) ?? NOTHING
  }

  /** The inhibitions whose source is an alarm of this rule. */
  from(rule: string): readonly HoldsBack[] {
    return this.#from.get(rule) ?? NOTHING
  }

  /** The scopes that an alarm lies in. */
  scopesOf({ device: id, area }: AlarmSubject): string[] {
    const device = id === null ? undefined : this.#device(id)
    const place: Record<Within, string | null> = {
      device: id,
      gateway: device?.gateway ?? null,
      area: area ?? device?.area ?? null,
      site: device?.site ?? this.#siteOfArea.get(area ?? '') ?? null
    }
    return (Object.keys(place) as Within[]).flatMap((within) => (place[within] === null ? [] : [`${within} ${place[within]}`]))
  }

  /** Where something that is so for this subject holds others back; null where it has no such place. */
  scopeFrom(subject: AlarmSubject, within: Within): string | null {
    return this.scopesOf(subject).find((scope) => scope.startsWith(`${within} `)) ?? null
  }

  /** Whether an alarm is of what the suppressor applies to: of an area all members of the rule. */
  applies({ selected }: HoldsBack, rule: string, { device, area }: AlarmSubject): boolean {
    if (selected === null) return true
    if (device !== null) return selected.has(device)
    const members = this.#membersOf(rule, area as string)
    return members.length > 0 && members.every((member) => selected.has(member))
  }

  #hold(one: HoldsBack, { rules }: Suppresses, source: string | null): void {
    for (const id of rules ?? this.fleet.plant.rules.map((rule) => rule.id)) {
      if (id !== source) this.#of.set(id, [...(this.#of.get(id) ?? []), one])
    }
  }

  #device(id: string) {
    const number = this.fleet.deviceNumber.get(id)
    return number === undefined ? undefined : this.fleet.devices[number]
  }

  #membersOf(ruleId: string, area: string): readonly string[] {
    const key = `${ruleId} ${area}`
    let members = this.#members.get(key)
    if (members === undefined) {
      const rule = this.fleet.plant.rules.find(({ id }) => id === ruleId)
      const devices = rule === undefined ? [] : [...selectedDevices(this.fleet, rule)].map((number) => this.fleet.devices[number])
      members = devices.flatMap((device) => (device?.area === area ? [device.id] : []))
      this.#members.set(key, members)
    }
    return members
  }
}

const NOTHING: readonly HoldsBack[] = []

/** The scope that a person names. */
export function scopeOfTarget({ device, area, site }: StateTarget): string {
  if (device !== null) return `device ${device}`
  return area === null ? `site ${site}` : `area ${area}`
}

function inhibitionOf({ id, tier, within, clearForMs, suppresses }: Inhibition): HoldsBack {
  return {
    by: `inhibition:${id}`,
    kind: 'inhibition',
    within,
    upTo: levelRank(suppresses.upTo),
    selected: null,
    schedule: null,
    longestMs: null,
    sourceRank: levelRank(tier),
    lingerMs: clearForMs
  }
}

function selection(fleet: Fleet, appliesTo: Selector): ReadonlySet<string> {
  const numbers = selectedDevices(fleet, { appliesTo, per: 'device' })
  return new Set([...numbers].map((number) => fleet.devices[number]?.id ?? ''))
}

/** The rules that an inhibition leads through back to its own source, given the others; null where it closes no circle. */
export function circleThrough(inhibition: Inhibition, others: readonly Inhibition[], rules: readonly Rule[]): string[] | null {
  const heldBackBy = ({ rule, suppresses }: Inhibition): readonly string[] =>
    (suppresses.rules ?? rules.map(({ id }) => id)).filter((id) => id !== rule)
  const cameFrom = new Map<string, string>(heldBackBy(inhibition).map((id) => [id, inhibition.rule]))
  for (const rule of cameFrom.keys()) {
    for (const other of others) {
      if (other.rule !== rule) continue
      for (const next of heldBackBy(other)) {
        if (next !== inhibition.rule) {
          if (!cameFrom.has(next)) cameFrom.set(next, rule)
          continue
        }
        const path = [next]
        for (let at = rule; at !== inhibition.rule; at = cameFrom.get(at) as string) path.unshift(at)
        return [inhibition.rule, ...path]
      }
    }
  }
  return null
}
