// The devices of a plant, numbered. Everything on the hot path speaks in these numbers: a device is its index in
// `devices`, a series (one metric of one device) is its device's first series plus the metric's place in the profile.

import type { Device, Plant, Profile } from './plant.ts'

export interface Fleet {
  readonly plant: Plant
  readonly devices: readonly Device[]
  /** The profile of each device. */
  readonly profiles: readonly Profile[]
  /** The first series number of each device; one entry more than devices, so `firstSeries[d + 1]` ends device d. */
  readonly firstSeries: Int32Array
  readonly seriesCount: number
  /** The gateway of each device, as an index into `plant.gateways`; -1 for none. */
  readonly gatewayOf: Int32Array
  readonly deviceNumber: ReadonlyMap<string, number>
  readonly gatewayNumber: ReadonlyMap<string, number>
  /** Per profile id: metric id -> its place in the profile. */
  readonly metricPlace: ReadonlyMap<string, ReadonlyMap<string, number>>
}

/** Numbers the devices and series of a checked plant, in the order in which the plant names them. */
export function numberFleet(plant: Plant): Fleet {
  const profileById = new Map(plant.profiles.map((profile) => [profile.id, profile]))
  const gatewayNumber = new Map(plant.gateways.map((gateway, number) => [gateway.id, number]))
  const metricPlace = new Map(
    plant.profiles.map((profile) => [profile.id, new Map(profile.metrics.map((metric, place) => [metric.id, place]))])
  )
  const firstSeries = new Int32Array(plant.devices.length + 1)
  const gatewayOf = new Int32Array(plant.devices.length)
  const profiles: Profile[] = []
  let seriesCount = 0
  for (const [number, device] of plant.devices.entries()) {
    const profile = profileById.get(device.profile)
    if (profile === undefined) throw new Error(`device ${device.id} names the unknown profile ${device.profile}`)
    profiles.push(profile)
    firstSeries[number] = seriesCount
    seriesCount += profile.metrics.length
    gatewayOf[number] = device.gateway === null ? -1 : (gatewayNumber.get(device.gateway) ?? -1)
  }
  firstSeries[plant.devices.length] = seriesCount
  return {
    plant,
    devices: plant.devices,
    profiles,
    firstSeries,
    seriesCount,
    gatewayOf,
    deviceNumber: new Map(plant.devices.map((device, number) => [device.id, number])),
    gatewayNumber,
    metricPlace
  }
}
