// What is counted over the whole plant: alarms and devices, in all and per site, inside somebody's scope.

import type { BookedAlarm } from '../alerts/booked.ts'
import { type WithheldBy, withheldBy } from '../model/alarm.ts'
import { maySee, type Scope } from '../model/scope.ts'
import type { PlantView } from './parts.ts'
import { nameIn, placesOf } from './places.ts'
import type { SiteBody } from './shapes.ts'
import { seesDevice, seesSite } from './sight.ts'
import { deviceState, instant, worstTiers } from './views.ts'

interface DeviceTally {
  total: number
  online: number
  silent: number
  neverReported: number
}

/** Devices by whether they are there: in all, and per site id. */
export function countDevices(plant: PlantView, scope: Scope, now: number): { all: DeviceTally; bySite: Map<string, DeviceTally> } {
  const { placeOf } = placesOf(plant.fleet)
  const all = noDevices()
  const bySite = new Map<string, DeviceTally>()
  for (let number = 0; number < placeOf.length; number++) {
    const place = placeOf[number]
    if (place === undefined || (scope !== null && !seesDevice(plant.fleet, number, scope))) continue
    const state = deviceState(plant, number, plant.latest.receivedAt(number), now)
    tally(all, state)
    if (place.site === null) continue
    let ofSite = bySite.get(place.site.id)
    if (ofSite === undefined) bySite.set(place.site.id, (ofSite = noDevices()))
    tally(ofSite, state)
  }
  return { all, bySite }
}

/** Active alarms by tier. What is shelved, suppressed or out of service is no active alarm on any display (ISA-18.2). */
export function countTiers(active: readonly BookedAlarm[]): { blue: number; yellow: number; orange: number; red: number } {
  const counts = { blue: 0, yellow: 0, orange: 0, red: 0 }
  for (const alarm of active) if (withheldBy(alarm) === null) counts[alarm.tier]++
  return counts
}

/** Alarms that are withheld, inside the scope, each by the reason that weighs most; normal ones that stay withheld too. */
export function countWithheld(standing: Iterable<BookedAlarm>, scope: Scope): Record<WithheldBy, number> {
  const counts = { shelved: 0, suppressed: 0, outOfService: 0 }
  for (const alarm of standing) {
    const by = withheldBy(alarm)
    if (by !== null && maySee(scope, alarm)) counts[by]++
  }
  return counts
}

/** Those that wait for somebody: what is shelved, suppressed or out of service is nobody's load. */
export function countUnacknowledged(active: readonly BookedAlarm[]): number {
  let count = 0
  for (const alarm of active) if (alarm.acknowledged === null && withheldBy(alarm) === null) count++
  return count
}

/** Floods and chattering alarms of the scope, and how many of the active ones are stale. */
export function markCounts(plant: PlantView, active: readonly BookedAlarm[], scope: Scope) {
  const marks = plant.marks?.()
  const floods = (marks?.floods() ?? []).filter((flood) => maySee(scope, flood))
  let chattering = 0
  for (const subject of marks?.chattering() ?? []) if (maySee(scope, subject)) chattering++
  const stale = active.filter((alarm) => alarm.stale && alarm.clearedAt === null && withheldBy(alarm) === null).length
  return { floods: floods.map((flood) => ({ ...flood, since: instant(flood.since) })), chattering, stale }
}

/** The sites of the scope with what is going on at each, in the order of the plant. */
export function siteBodies(
  plant: PlantView,
  active: readonly BookedAlarm[],
  standing: Iterable<BookedAlarm>,
  bySite: Map<string, DeviceTally>,
  scope: Scope
): SiteBody[] {
  const { areasOfSite, enterprises } = placesOf(plant.fleet)
  const worst = worstTiers(active, (alarm) => alarm.site)
  const alarmsOf = Map.groupBy(active, (alarm) => alarm.site)
  const standingAt = Map.groupBy(standing, (alarm) => alarm.site)
  return plant.fleet.plant.sites
    .filter(({ id }) => seesSite(plant.fleet, id, scope))
    .map((site) => {
      const alarms = alarmsOf.get(site.id) ?? []
      return {
        id: site.id,
        name: site.name,
        enterprise: site.enterprise,
        enterpriseName: nameIn(enterprises, site.enterprise),
        lat: site.lat,
        lon: site.lon,
        areas: (areasOfSite.get(site.id) ?? []).map(({ id, name }) => ({ id, name })),
        worstTier: worst.get(site.id) ?? null,
        alarms: countTiers(alarms),
        unacknowledged: countUnacknowledged(alarms),
        withheld: countWithheld(standingAt.get(site.id) ?? [], scope),
        devices: bySite.get(site.id) ?? noDevices()
      }
    })
}

function noDevices(): DeviceTally {
  return { total: 0, online: 0, silent: 0, neverReported: 0 }
}

function tally(counts: DeviceTally, state: ReturnType<typeof deviceState>): void {
  counts.total++
  if (state === 'online') counts.online++
  else if (state === 'never') counts.neverReported++
  else counts.silent++
}
