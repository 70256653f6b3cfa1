// What `fenghuo check` asks of a duty file beyond its shape: does everybody who should be told get told? Each finding stops
// nothing at run time, for the ladder steps over it and records why.

import { holes } from '../../alerts/duty.ts'
import { type AlarmPlace, addressOf, DutyPlan, matches } from '../../alerts/dutyLadders.ts'
import { peopleBehind } from '../../alerts/dutyReach.ts'
import type { Duty, Ladder, Rung } from '../../model/duty.ts'
import type { Plant } from '../../model/plant.ts'
import { LEVELS, type Tier } from '../../model/tier.ts'
import { LIMITS } from '../../platform/limits.ts'
import { problem } from '../../platform/problem.ts'
import { Zone } from '../../platform/zone.ts'
import { readDuty } from './duty.ts'
import { Findings } from './findings.ts'
import type { Path, SourceFile } from './source.ts'

/** Findings about the ladders of this plant, at their places in the file. */
export function checkDuty(plant: Plant, source: SourceFile, findings: Findings): void {
  const { duty } = plant
  if (duty === undefined) return
  const plan = new DutyPlan(plant)
  const report = (sentence: string, path: Path): void => findings.flaw(problem(sentence, source.place(path)))
  const cases = casesOf(plant, plan)
  const taken = new Map<string, AlarmPlace[]>()
  const untold = new Map<string, Set<Tier>>()
  for (const { rule, tier, place } of cases) {
    const ladder = plan.ladderOf(rule, tier, place)
    if (ladder !== null) {
      const places = taken.get(ladder.id) ?? []
      taken.set(ladder.id, places)
      places.push(place)
    } else untold.set(place.site ?? '', (untold.get(place.site ?? '') ?? new Set<Tier>()).add(tier))
  }
  for (const ladder of duty.ladders) {
    const path = placeOfLadder(source, ladder)
    const places = taken.get(ladder.id) ?? []
    if (places.length === 0 && cases.length > 0) report(`ladder ${ladder.id} gets no alarm: ${whyNone(duty, ladder, cases)}`, path)
    for (const [i, rung] of ladder.rungs.entries()) checkRung(duty, plan, ladder, rung, places, [...path, 'steps', i], report)
  }
  for (const { id, site, tier } of duty.drills ?? []) {
    const place = { device: null, area: null, site, enterprise: plant.sites.find((one) => one.id === site)?.enterprise ?? null }
    if (plan.ladderOf('', tier, place) !== null) continue
    const sentence = `drill ${id} would reach nobody: no ladder takes every ${tier} alarm at the site ${site}`
    report(sentence, ['drills', indexOf(source, 'drills', id)])
  }
  for (const [site, tiers] of untold) {
    const names = [...tiers].sort((a, b) => LEVELS.indexOf(b) - LEVELS.indexOf(a)).join(', ')
    const where = site === '' ? 'of devices without a site' : `at the site ${site}`
    findings.warning(
      problem(`nobody is told of ${names} alarms ${where}; a ladder that takes them would change that`, source.place(['ladders']))
    )
  }
}

/** Findings about rotas with nobody on duty from `now` on, as far ahead as is looked. */
export function checkRotas(source: SourceFile, now: number, findings: Findings): void {
  // Turns follow from the file alone, whatever else is wrong with the plant; mistakes in it have been told already.
  const duty = readDuty(source, { enterprises: [], sites: [], areas: [], rules: [] }, {}, new Findings())
  for (const rota of duty.rotas) {
    const found = holes(duty, rota.id, now, now + LIMITS.duty.aheadMs)
    if (found.length === 0) continue
    const named = found.slice(0, 3).map(({ from, to }) => `${localText(from, rota.zone)} to ${localText(to, rota.zone)}`)
    const more = found.length > 3 ? `, and ${found.length === LIMITS.duty.holesTold ? 'many' : found.length - 3} more times` : ''
    const sentence = `rota ${rota.id} has nobody on duty in the next 90 days from ${named.join(', from ')}${more} (${rota.zone}); give it a shift or an override there`
    findings.flaw(problem(sentence, source.place(['rotas', indexOf(source, 'rotas', rota.id)])))
  }
}

/** Local date and time as it is written in duty.yaml. */
export function localText(at: number, zone: string): string {
  const { day, minute } = (Zone.named(zone) as Zone).wallClock(at)
  const clock = `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(Math.floor(minute % 60)).padStart(2, '0')}`
  return `${new Date(day * 86_400_000).toISOString().slice(0, 10)}T${clock}`
}

interface Case {
  readonly rule: string
  readonly tier: Tier
  readonly place: AlarmPlace
}

/** Every rule and tier at every place where one of its devices stands, each place once. */
function casesOf(plant: Plant, plan: DutyPlan): Case[] {
  const cases = new Map<string, Case>()
  const { devices } = plant
  for (const { id: rule, appliesTo, tiers } of plant.rules) {
    for (const device of devices) {
      const { profile, area, site, enterprise } = appliesTo
      if (profile !== null && profile !== device.profile) continue
      if (appliesTo.devices !== null && !appliesTo.devices.includes(device.id)) continue
      if (Object.entries(appliesTo.labels).some(([key, value]) => device.labels[key] !== value)) continue
      const place = plan.placeOf({ device: device.id, area: null })
      if ((area ?? place.area) !== place.area || (site ?? place.site) !== place.site) continue
      if ((enterprise ?? place.enterprise) !== place.enterprise) continue
      for (const { tier } of tiers) {
        const responsible = plan.responsibleFor(place)
        const key = [rule, tier, place.area, place.site, place.enterprise, responsible?.hazardSource].join(' ')
        if (!cases.has(key)) cases.set(key, { rule, tier, place })
      }
    }
  }
  return [...cases.values()]
}

function whyNone(duty: Duty, ladder: Ladder, cases: readonly Case[]): string {
  const own = cases.filter(({ rule, tier, place }) => matches(ladder, rule, tier, place))
  if (own.length === 0) return 'no rule of the plant raises one there'
  const earlier = duty.ladders
    .slice(0, duty.ladders.indexOf(ladder))
    .filter((one) => own.some(({ rule, tier, place }) => matches(one, rule, tier, place)))
  return `all that it would take is taken by ${earlier.map(({ id }) => id).join(', ')} above it`
}

function checkRung(
  duty: Duty,
  plan: DutyPlan,
  ladder: Ladder,
  rung: Rung,
  places: readonly AlarmPlace[],
  path: Path,
  report: (sentence: string, path: Path) => void
): void {
  for (const [i, target] of rung.tell.entries()) {
    if (target.kind === 'responsible') {
      const without = places.find((place) => plan.responsibleFor(place)?.roles[target.role] === undefined)
      if (without !== undefined) {
        const where = without.device === null ? `the site ${without.site}` : `${without.device} at the site ${without.site}`
        report(`ladder ${ladder.id} tells responsible:${target.role}, but nobody is named for ${where}; add an entry under responsible`, [
          ...path,
          'tell',
          i
        ])
      }
    }
    for (const id of peopleBehind(duty, target)) {
      const person = plan.people.get(id)
      const missing = person === undefined ? undefined : rung.by.flat().find((way) => addressOf(person, way) === null)
      if (missing === undefined) continue
      const wanted =
        missing === 'sms' || missing === 'voice'
          ? 'phone'
          : missing === 'email'
            ? 'email'
            : missing === 'push'
              ? 'user'
              : `addresses.${missing}`
      report(`ladder ${ladder.id} tells ${id} by ${missing}, but ${id} has no ${wanted}`, [...path, 'by'])
    }
  }
}

/** Where the ladder stands in the file. */
export function placeOfLadder(source: SourceFile, { id }: Ladder): Path {
  return ['ladders', indexOf(source, 'ladders', id)]
}

function indexOf(source: SourceFile, list: string, id: string): number {
  const entries = (source.value as Record<string, unknown>)[list]
  return Array.isArray(entries) ? entries.findIndex((entry) => (entry as { id?: unknown }).id === id) : 0
}
