// Who is on duty. Pure: a rota, an instant, the answer. Shifts are local times of day, so a shift that spans a change of the
// clocks is an hour longer or shorter, and neighbouring shifts still meet exactly.

import type { Duty, Party, Rota, Shift } from '../model/duty.ts'
import { LIMITS } from '../platform/limits.ts'
import { weekdayOf, Zone } from '../platform/zone.ts'

/** From `from` until before `to` (epoch ms) these people are on duty, in the order in which they are called. */
export interface Stretch {
  readonly from: number
  readonly to: number
  /** Ids; empty: nobody. */
  readonly people: readonly string[]
}

/** The people on duty at this instant; empty where the rota has a hole there, or there is no such rota. */
export function onDuty(duty: Duty, rota: string, at: number): readonly string[] {
  const found = rotaOf(duty, rota)
  return found === null ? [] : peopleAt(duty, found, at)
}

/** The stretch of unchanged duty that holds `at`: at most until the end of the next local day, so that it is cheap to know. */
export function stretchAt(duty: Duty, rota: string, at: number): Stretch {
  const found = rotaOf(duty, rota)
  if (found === null) return { from: at, to: Number.POSITIVE_INFINITY, people: [] }
  const zone = zoneOf(found.zone)
  const { day } = zone.wallClock(at)
  const marks = boundaries(found, day - 1, day + 1)
  const from = marks.findLast((mark) => mark <= at) ?? zone.instantOf(day, 0)
  const to = marks.find((mark) => mark > at) ?? zone.instantOf(day + 2, 0)
  return { from, to, people: peopleAt(duty, found, at) }
}

/** Duty from `from` until before `to`, as stretches that differ from their neighbours. */
export function stretches(duty: Duty, rota: string, from: number, to: number): Stretch[] {
  const found = rotaOf(duty, rota)
  if (found === null) return [{ from, to, people: [] }]
  const zone = zoneOf(found.zone)
  const marks = boundaries(found, zone.wallClock(from).day - 1, zone.wallClock(to).day)
  const all: { from: number; to: number; people: readonly string[] }[] = []
  let begin = from
  for (const mark of [...marks.filter((mark) => mark > from && mark < to), to]) {
    const people = peopleAt(duty, found, begin)
    const last = all.at(-1)
    if (last !== undefined && last.people.join() === people.join()) last.to = mark
    else all.push({ from: begin, to: mark, people })
    begin = mark
  }
  return all
}

/** When nobody is on duty, from `from` until before `to`; at most as many holes as are worth telling. */
export function holes(duty: Duty, rota: string, from: number, to: number): Stretch[] {
  return stretches(duty, rota, from, to)
    .filter(({ people }) => people.length === 0)
    .slice(0, LIMITS.duty.holesTold)
}

/** Who is on duty and who is next, as far ahead as is looked. */
export interface Outlook {
  readonly people: readonly string[]
  /** The next handover; null: none, the same people stay. */
  readonly until: number | null
  readonly next: readonly string[]
  readonly holes: readonly Stretch[]
}

/** What lies ahead of a rota at `now`, for LIMITS.duty.aheadMs. */
export function outlook(duty: Duty, rota: string, now: number): Outlook {
  const ahead = stretches(duty, rota, now, now + LIMITS.duty.aheadMs)
  const [present, next] = ahead
  return {
    people: present?.people ?? [],
    until: next?.from ?? null,
    next: next?.people ?? [],
    holes: ahead.filter(({ people }) => people.length === 0).slice(0, LIMITS.duty.holesTold)
  }
}

/** The people that a party is. */
export function membersOf(duty: Duty, { kind, id }: Party): readonly string[] {
  if (kind === 'person') return [id]
  return duty.teams.find((team) => team.id === id)?.people ?? []
}

function rotaOf(duty: Duty, id: string): Rota | null {
  return duty.rotas.find((rota) => rota.id === id) ?? null
}

function peopleAt(duty: Duty, rota: Rota, at: number): readonly string[] {
  const parties = partiesAt(rota, at)
  return [...new Set(parties.flatMap((party) => membersOf(duty, party)))]
}

function partiesAt(rota: Rota, at: number): readonly Party[] {
  const regular = rota.shifts.flatMap((shift) => partyOf(rota, shift, at))
  let parties = regular
  for (const { from, to, who, instead } of rota.overrides) {
    if (at < from || at >= to) continue
    // A swap looks at whose turn it is, not at who already stands in for whom: two of them exchange two people.
    if (instead === null) parties = [who]
    else parties = parties.map((party, place) => (same(regular[place] ?? party, instead) ? who : party))
  }
  return parties
}

/** Whose shift holds this instant, if it is one of the shift's. It began today, or yesterday. */
function partyOf(rota: Rota, shift: Shift, at: number): Party[] {
  const zone = zoneOf(rota.zone)
  const today = zone.wallClock(at).day
  for (const day of [today, today - 1]) {
    if (!begins(rota, shift, day) || at < beginOf(shift, day, zone) || at >= endOf(shift, day, zone)) continue
    const party = shift.order[(Math.floor((day - rota.startDay) / shift.rotateDays) + shift.offset) % shift.order.length]
    if (party !== undefined) return [party]
  }
  return []
}

/** Every instant at which duty may change, for shifts that begin from one day to another. */
function boundaries(rota: Rota, first: number, last: number): number[] {
  const zone = zoneOf(rota.zone)
  const marks = new Set<number>()
  for (let day = first; day <= last; day++) {
    for (const shift of rota.shifts) {
      if (begins(rota, shift, day)) marks.add(beginOf(shift, day, zone)).add(endOf(shift, day, zone))
    }
  }
  for (const { from, to } of rota.overrides) marks.add(from).add(to)
  return [...marks].sort((a, b) => a - b)
}

function begins({ startDay }: Rota, { days }: Shift, day: number): boolean {
  return day >= startDay && days.includes(weekdayOf(day))
}

function beginOf({ hours }: Shift, day: number, zone: Zone): number {
  return zone.instantOf(day, hours.from)
}

function endOf({ hours }: Shift, day: number, zone: Zone): number {
  return zone.instantOf(hours.to > hours.from ? day : day + 1, hours.to)
}

function zoneOf(name: string): Zone {
  const zone = Zone.named(name)
  if (zone === null) throw new Error(`the zone ${name} was checked and is unknown now`)
  return zone
}

function same(one: Party, other: Party): boolean {
  return one.kind === other.kind && one.id === other.id
}
