// From what the rooms hold to the bodies of contract 6. Pure: the instant of "now" is given.

import type { BookedAlarm } from '../alerts/booked.ts'
import { isaState, type Withholding, withheldBy } from '../model/alarm.ts'
import type { MarkChange } from '../model/mark.ts'
import type { Grants } from '../model/scope.ts'
import { levelRank, type Tier } from '../model/tier.ts'
import type { Standing } from './amender.ts'
import type { PlantView } from './parts.ts'
import { nameIn, placesOf } from './places.ts'
import { reasonText } from './reasons.ts'
import type { AlarmBody, DeviceBody, DeviceState } from './shapes.ts'

/** ISO 8601, UTC. */
export function instant(at: number): string {
  return new Date(at).toISOString()
}

export function instantOrNull(at: number | null): string | null {
  return at === null ? null : instant(at)
}

/** The alarm as the API shows it. Names and guidance are those of the plant as it is now. */
export function alarmBody(alarm: BookedAlarm, plant: Pick<PlantView, 'fleet' | 'causeGone'>): AlarmBody {
  const { fleet } = plant
  const places = placesOf(fleet)
  const rule = places.rules.get(alarm.rule)
  const device = alarm.device === null ? undefined : fleet.devices[fleet.deviceNumber.get(alarm.device) ?? -1]
  const { acknowledged, shelved, outOfService, closed } = alarm
  const causeGone = rule?.latched === true && alarm.clearedAt === null && plant.causeGone?.(alarm.id) === true
  return {
    id: alarm.id,
    rule: alarm.rule,
    device: alarm.device,
    deviceName: device?.name ?? null,
    area: alarm.inArea,
    areaName: nameIn(places.areas, alarm.inArea),
    site: alarm.site,
    siteName: nameIn(places.sites, alarm.site),
    enterprise: alarm.enterprise,
    enterpriseName: nameIn(places.enterprises, alarm.enterprise),
    tier: alarm.tier,
    worstTier: alarm.worstTier,
    raisedAt: instant(alarm.raisedAt),
    clearedAt: instantOrNull(alarm.clearedAt),
    acknowledged: acknowledged === null ? null : { by: acknowledged.by, at: instant(acknowledged.at), note: acknowledged.note },
    shelvedUntil: shelved === null || alarm.settled ? null : instant(shelved.until),
    isaState: isaState(alarm, causeGone),
    shelved: withholdingBody(shelved),
    suppressedBy: [...alarm.suppressedBy],
    outOfService: withholdingBody(outOfService),
    assignee: alarm.assignee,
    closed: closed === null ? null : { ...closed, at: instant(closed.at) },
    realarmAt: instantOrNull(alarm.realarmAt),
    firstOut: alarm.firstOut,
    chattering: alarm.chattering,
    stale: alarm.stale,
    because: alarm.because,
    becauseText: reasonText(alarm.because, fleet, alarm.device),
    title: rule?.title ?? { zh: alarm.rule, en: alarm.rule },
    guidance: rule?.guidance ?? { zh: '', en: '' }
  }
}

/** A mark that goes on or off, as `/notices` and the live stream show it. `area` is where the subject stands. */
export function noticeBody(change: MarkChange) {
  const { kind, at, on, since, scope, rule, device, inArea, site, enterprise, alarms, count } = change
  return {
    kind,
    at: instant(at),
    on,
    since: instantOrNull(since),
    scope,
    rule,
    device,
    area: inArea,
    site,
    enterprise,
    alarms: [...alarms],
    count
  }
}

function withholdingBody(of: Withholding | null): AlarmBody['shelved'] {
  return of === null ? null : { ...of, at: instant(of.at), until: instant(of.until) }
}

/**
 * Whether a device is there. `offline` holds while its gateway is gone and it has not been heard since;
 * `silent` once our clock has passed its last receipt by its profile's `silentAfter`.
 */
export function deviceState(plant: PlantView, number: number, receivedAt: number | null, now: number): DeviceState {
  if (receivedAt === null) return 'never'
  const { fleet, presence } = plant
  const gateway = fleet.devices[number]?.gateway ?? null
  const there = gateway === null ? undefined : presence.get(gateway)
  if (there !== undefined && !there.online && there.since >= receivedAt) return 'offline'
  return now - receivedAt > (fleet.profiles[number]?.silentAfterMs ?? 0) ? 'silent' : 'online'
}

/** The device as the API shows it, with its last values. */
export function deviceBody(plant: PlantView, number: number, worstTier: Tier | null, now: number): DeviceBody {
  const { fleet, latest, presence } = plant
  const device = fleet.devices[number]
  const profile = fleet.profiles[number]
  if (device === undefined || profile === undefined) throw new Error(`the fleet has no device number ${number}`)
  const places = placesOf(fleet)
  const place = places.placeOf[number]
  const { receivedAt, values } = latest.of(number)
  const ageMs = receivedAt === null ? null : Math.max(0, now - receivedAt)
  const state = deviceState(plant, number, receivedAt, now)
  const last = new Map(values.map((value) => [value.metric, value]))
  return {
    id: device.id,
    name: device.name,
    profile: profile.id,
    profileName: profile.name,
    gateway: device.gateway,
    gatewayOnline: device.gateway === null ? null : (presence.get(device.gateway)?.online ?? null),
    area: place?.area?.id ?? null,
    areaName: place?.area?.name ?? null,
    site: place?.site?.id ?? null,
    siteName: place?.site?.name ?? null,
    enterprise: place?.enterprise ?? null,
    enterpriseName: nameIn(places.enterprises, place?.enterprise ?? null),
    labels: device.labels,
    limits: device.limits,
    online: state === 'online',
    neverReported: state === 'never',
    state,
    lastReceivedAt: instantOrNull(receivedAt),
    ageMs,
    silentAfterMs: profile.silentAfterMs,
    worstTier,
    values: profile.metrics.map(({ id, name, unit, min, max }) => {
      const value = last.get(id)
      if (value === undefined) return { metric: id, name, unit, min, max, value: null, at: null, ageMs: null, quality: null }
      const { at, quality } = value
      return { metric: id, name, unit, min, max, value: value.value, at: instant(at), ageMs: Math.max(0, now - at), quality }
    })
  }
}

/** The higher of two tiers; null is none. */
export function worse(one: Tier | null, other: Tier | null): Tier | null {
  if (one === null || other === null) return one ?? other
  return levelRank(one) >= levelRank(other) ? one : other
}

/** The highest tier that is on (not cleared, not withheld) per subject that `key` names. */
export function worstTiers(active: readonly BookedAlarm[], key: (alarm: BookedAlarm) => string | null): Map<string, Tier> {
  const worst = new Map<string, Tier>()
  for (const alarm of active) {
    const of = key(alarm)
    if (of === null || alarm.clearedAt !== null || withheldBy(alarm) !== null) continue
    worst.set(of, worse(worst.get(of) ?? null, alarm.tier) as Tier)
  }
  return worst
}

/** How a thing stands between the files and the API; null: as it was given, in no file. */
export function amendedBody(standing: Standing | null): {
  version: number
  amended: boolean
  file: string | null
  written: Record<string, unknown>
} {
  if (standing === null) return { version: 0, amended: false, file: null, written: {} }
  const { version, amended, file, written } = standing
  return { version, amended, file, written: { ...written } }
}

export function grantsBody({ enterprises, sites }: Grants): { enterprises: string[] | null; sites: string[] | null } {
  return { enterprises: enterprises === null ? null : [...enterprises], sites: sites === null ? null : [...sites] }
}
