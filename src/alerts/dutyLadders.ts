// Which ladder an alarm climbs and whom its rungs call. Pure, and worked out once per plant: alarms come by the ten thousand.

import type { Duty, Ladder, Person, Rung, Target } from '../model/duty.ts'
import type { ChannelKind } from '../model/notification.ts'
import type { Plant } from '../model/plant.ts'
import type { Tier } from '../model/tier.ts'
import { type Stretch, stretchAt } from './duty.ts'

/** Where an alarm is, for ladders: null where the plant does not say. */
export interface AlarmPlace {
  readonly device: string | null
  readonly area: string | null
  readonly site: string | null
  readonly enterprise: string | null
}

/** One called party: a person, or why nobody is behind the target. */
export type Called =
  | { readonly kind: 'person'; readonly person: Person; readonly as: string }
  | { readonly kind: 'nobody'; readonly as: string }

/** What ladders need to know of a plant. */
export class DutyPlan {
  readonly plant: Plant
  /** Null: the plant has no duty, and nobody is told of anything. */
  readonly duty: Duty | null
  readonly people: ReadonlyMap<string, Person>
  readonly #devices: ReadonlyMap<string, Plant['devices'][number]>
  readonly #siteOfArea: ReadonlyMap<string, string>
  readonly #enterpriseOfSite: ReadonlyMap<string, string>
  /** The hazard source of a tank, and of an area that holds one. */
  readonly #sourceOf: ReadonlyMap<string, string>
  readonly #sourceOfArea: ReadonlyMap<string, string>
  readonly #stretches = new Map<string, Stretch>()

  constructor(plant: Plant) {
    this.plant = plant
    this.duty = plant.duty ?? null
    this.people = new Map((plant.duty?.people ?? []).map((person) => [person.id, person]))
    this.#devices = new Map(plant.devices.map((device) => [device.id, device]))
    this.#siteOfArea = new Map(plant.areas.map(({ id, site }) => [id, site]))
    this.#enterpriseOfSite = new Map(plant.sites.map(({ id, enterprise }) => [id, enterprise]))
    const tanks = (plant.hazardSources ?? []).flatMap(({ id, inventory }) =>
      inventory.flatMap(({ tank }): [string, string][] => (tank === null ? [] : [[tank, id]]))
    )
    this.#sourceOf = new Map(tanks)
    this.#sourceOfArea = new Map(
      tanks.flatMap(([tank, id]): [string, string][] => {
        const area = this.#devices.get(tank)?.area ?? null
        return area === null ? [] : [[area, id]]
      })
    )
  }

  placeOf({ device, area }: { readonly device: string | null; readonly area: string | null }): AlarmPlace {
    const known = device === null ? undefined : this.#devices.get(device)
    const inArea = known?.area ?? area
    const site = known?.site ?? (inArea === null ? null : (this.#siteOfArea.get(inArea) ?? null))
    const enterprise = known?.enterprise ?? (site === null ? null : (this.#enterpriseOfSite.get(site) ?? null))
    return { device, area: inArea, site, enterprise }
  }

  /** The first ladder of the file that matches; null: nobody is told. */
  ladderOf(rule: string, tier: Tier, place: AlarmPlace): Ladder | null {
    return this.duty?.ladders.find((ladder) => matches(ladder, rule, tier, place)) ?? null
  }

  /** Whom the rung calls at this instant, each person once. A target with nobody behind it is told apart. */
  called(rung: Rung, place: AlarmPlace, at: number): Called[] {
    const seen = new Set<string>()
    const called: Called[] = []
    for (const target of rung.tell) {
      const ids = this.#idsOf(target, place, at)
      const people = ids.flatMap((id) => this.people.get(id) ?? [])
      if (people.length === 0) called.push({ kind: 'nobody', as: targetText(target) })
      for (const person of people) {
        if (seen.has(person.id)) continue
        seen.add(person.id)
        called.push({ kind: 'person', person, as: targetText(target) })
      }
    }
    return called
  }

  #idsOf(target: Target, place: AlarmPlace, at: number): readonly string[] {
    const { duty } = this
    if (duty === null) return []
    switch (target.kind) {
      case 'person':
        return [target.id]
      case 'team':
        return duty.teams.find(({ id }) => id === target.id)?.people ?? []
      case 'duty': {
        let stretch = this.#stretches.get(target.rota)
        if (stretch === undefined || at < stretch.from || at >= stretch.to) {
          stretch = stretchAt(duty, target.rota, at)
          this.#stretches.set(target.rota, stretch)
        }
        return stretch.people
      }
      case 'responsible': {
        const id = this.responsibleFor(place)?.roles[target.role]
        return id === undefined ? [] : [id]
      }
    }
  }

  /** The responsible people of the hazard source that the place belongs to, else of its site; null: none are named. */
  responsibleFor({ device, area, site }: AlarmPlace): Duty['responsible'][number] | null {
    const source = this.#sourceOf.get(device ?? '') ?? this.#sourceOfArea.get(area ?? '') ?? null
    const all = this.duty?.responsible ?? []
    return (
      (source === null ? undefined : all.find(({ hazardSource }) => hazardSource === source)) ??
      (site === null ? undefined : all.find((one) => one.site === site)) ??
      null
    )
  }
}

/** The person's address for this way; null where there is none. Pushed messages go to whoever signs in under the name. */
export function addressOf(person: Person, channel: ChannelKind): string | null {
  return person.addresses[channel] ?? (channel === 'push' && person.user !== null ? person.user : null)
}

/** As it is written in duty.yaml: `duty:tank-farm`, `person:zhang`, `responsible:main`. */
export function targetText(target: Target): string {
  switch (target.kind) {
    case 'duty':
      return `duty:${target.rota}`
    case 'person':
    case 'team':
      return `${target.kind}:${target.id}`
    case 'responsible':
      return `responsible:${target.role}`
  }
}

export function matches({ appliesTo }: Ladder, rule: string, tier: Tier, place: AlarmPlace): boolean {
  const { tiers, rules, area, site, enterprise } = appliesTo
  return (
    (tiers === null || tiers.includes(tier)) &&
    (rules === null || rules.includes(rule)) &&
    (area === null || area === place.area) &&
    (site === null || site === place.site) &&
    (enterprise === null || enterprise === place.enterprise)
  )
}
