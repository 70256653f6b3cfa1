// Where each device stands, and the devices in the order of their ids: worked out once per fleet, so that lists of a
// hundred thousand devices are filtered without looking anything up.

import type { Fleet } from '../model/fleet.ts'
import type { Area, Device, Enterprise, Rule, Site } from '../model/plant.ts'
import type { Text } from '../model/text.ts'

export interface Place {
  readonly area: Area | null
  readonly site: Site | null
  readonly enterprise: string | null
}

export interface Places {
  /** Device numbers in the order of their ids. */
  readonly byId: Int32Array
  /** Of each device number. */
  readonly placeOf: readonly Place[]
  /** What a search finds each device by: its id and names, in lower case. */
  readonly words: readonly string[]
  readonly areas: ReadonlyMap<string, Area>
  readonly sites: ReadonlyMap<string, Site>
  readonly enterprises: ReadonlyMap<string, Enterprise>
  readonly rules: ReadonlyMap<string, Rule>
  readonly areasOfSite: ReadonlyMap<string, readonly Area[]>
}

const known = new WeakMap<Fleet, Places>()

/** The places of this fleet; the same answer for the same fleet. */
export function placesOf(fleet: Fleet): Places {
  let places = known.get(fleet)
  if (places === undefined) {
    places = workOut(fleet)
    known.set(fleet, places)
  }
  return places
}

/** Where a search would start behind this id: the first place in `byId` whose id is greater. */
export function firstAfter(fleet: Fleet, byId: Int32Array, id: string): number {
  let low = 0
  let high = byId.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((fleet.devices[byId[middle] as number] as Device).id > id) high = middle
    else low = middle + 1
  }
  return low
}

/** The name of something that the plant may have forgotten since. */
export function nameIn(named: ReadonlyMap<string, { readonly name: Text }>, id: string | null): Text | null {
  return id === null ? null : (named.get(id)?.name ?? null)
}

function workOut(fleet: Fleet): Places {
  const { plant } = fleet
  const areas = new Map(plant.areas.map((area) => [area.id, area]))
  const sites = new Map(plant.sites.map((site) => [site.id, site]))
  const gateways = new Map(plant.gateways.map((gateway) => [gateway.id, gateway]))
  const placeOf = fleet.devices.map((device): Place => {
    const area = device.area === null ? null : (areas.get(device.area) ?? null)
    const site = sites.get(device.site ?? area?.site ?? '') ?? null
    const gateway = device.gateway === null ? undefined : gateways.get(device.gateway)
    return { area, site, enterprise: device.enterprise ?? site?.enterprise ?? gateway?.enterprise ?? null }
  })
  const ids = fleet.devices.map((device) => device.id)
  const byId = Int32Array.from(ids.keys()).sort((a, b) => ((ids[a] as string) < (ids[b] as string) ? -1 : 1))
  return {
    byId,
    placeOf,
    words: fleet.devices.map((device) => `${device.id}\n${device.name.zh}\n${device.name.en}`.toLowerCase()),
    areas,
    sites,
    enterprises: new Map(plant.enterprises.map((enterprise) => [enterprise.id, enterprise])),
    rules: new Map(plant.rules.map((rule) => [rule.id, rule])),
    areasOfSite: Map.groupBy(plant.areas, (area) => area.site)
  }
}
