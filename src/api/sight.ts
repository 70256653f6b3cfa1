// What of the plant somebody may see and change: every route that names a device, an area, a site or a gateway asks here.
// A gateway belongs to an enterprise and stands at no site: whoever is limited to sites sees those that serve a device there.

import type { Fleet } from '../model/fleet.ts'
import type { Gateway } from '../model/plant.ts'
import { type Grants, maySee, type Scope } from '../model/scope.ts'
import { placesOf } from './places.ts'

/** An import asks of thousands of devices with one and the same scope. */
const known = new WeakMap<Fleet, WeakMap<Grants, readonly Gateway[]>>()

/** Of a device by its number; a number that is none is not seen. */
export function seesDevice(fleet: Fleet, number: number | undefined, scope: Scope): boolean {
  const place = placesOf(fleet).placeOf[number ?? -1]
  return place !== undefined && maySee(scope, { enterprise: place.enterprise, site: place.site?.id ?? null })
}

/** Of a site by its id; one that the plant does not know is not seen. */
export function seesSite(fleet: Fleet, id: string | null | undefined, scope: Scope): boolean {
  const site = placesOf(fleet).sites.get(id ?? '')
  return site !== undefined && maySee(scope, { enterprise: site.enterprise, site: site.id })
}

/** Of exactly one of device, area and site. */
export function seesTarget(
  fleet: Fleet,
  { device, area, site }: { readonly device: string | null; readonly area: string | null; readonly site: string | null },
  scope: Scope
): boolean {
  if (device !== null) return seesDevice(fleet, fleet.deviceNumber.get(device), scope)
  return seesSite(fleet, area === null ? site : placesOf(fleet).areas.get(area)?.site, scope)
}

/** The gateways that are seen, in the order of the plant. */
export function gatewaysSeen(fleet: Fleet, scope: Scope): readonly Gateway[] {
  if (scope === null) return fleet.plant.gateways
  let byScope = known.get(fleet)
  if (byScope === undefined) known.set(fleet, (byScope = new WeakMap()))
  let seen = byScope.get(scope)
  if (seen === undefined) byScope.set(scope, (seen = workOut(fleet, scope)))
  return seen
}

function workOut(fleet: Fleet, scope: Grants): readonly Gateway[] {
  const { gateways } = fleet.plant
  const ofEnterprise = gateways.filter(({ enterprise }) => maySee(enterprisesOf(scope), { enterprise, site: null }))
  if (scope.sites === null) return ofEnterprise
  const serving = new Set<Gateway | undefined>()
  for (let number = 0; number < fleet.gatewayOf.length; number++) {
    if (seesDevice(fleet, number, scope)) serving.add(gateways[fleet.gatewayOf[number] ?? -1])
  }
  return ofEnterprise.filter((gateway) => serving.has(gateway))
}

/** Whether a gateway is somebody's to change: it is seen, and so is every device that it serves. */
export function ownsGateway(fleet: Fleet, id: string, scope: Scope): boolean {
  if (!gatewaysSeen(fleet, scope).some((gateway) => gateway.id === id)) return false
  if (scope === null || scope.sites === null) return true
  const own = fleet.gatewayNumber.get(id)
  for (let number = 0; number < fleet.gatewayOf.length; number++) {
    if (fleet.gatewayOf[number] === own && !seesDevice(fleet, number, scope)) return false
  }
  return true
}

/** How many devices that are seen each gateway has, by its place in the plant. */
export function devicesByGateway(fleet: Fleet, scope: Scope): Int32Array {
  const counts = new Int32Array(fleet.plant.gateways.length)
  for (let number = 0; number < fleet.gatewayOf.length; number++) {
    const gateway = fleet.gatewayOf[number] as number
    if (gateway >= 0 && (scope === null || seesDevice(fleet, number, scope))) counts[gateway] = (counts[gateway] as number) + 1
  }
  return counts
}

function enterprisesOf(scope: Grants): Scope {
  return scope.enterprises === null ? null : { enterprises: scope.enterprises, sites: null }
}
