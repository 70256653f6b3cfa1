// The limits of each device as rows of one table; devices with equal limits share a row.

import type { Fleet } from '../model/fleet.ts'

export interface LimitRows {
  /** Per profile: the place of each limit in a row. */
  readonly places: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Where each device's row begins in `table`. */
  readonly rowOf: Int32Array
  /** NaN where the device has no such limit. */
  readonly table: Float64Array
}

export function limitRows(fleet: Fleet): LimitRows {
  const places = new Map<string, Map<string, number>>()
  for (const device of fleet.devices) {
    let ofProfile = places.get(device.profile)
    if (ofProfile === undefined) places.set(device.profile, (ofProfile = new Map()))
    for (const name in device.limits) if (!ofProfile.has(name)) ofProfile.set(name, ofProfile.size)
  }
  const rowOf = new Int32Array(fleet.devices.length)
  const starts = new Map<string, number>()
  const table: number[] = []
  for (const [number, device] of fleet.devices.entries()) {
    const ofProfile = places.get(device.profile) as Map<string, number>
    let key = device.profile
    for (const name of ofProfile.keys()) key += ` ${device.limits[name]}`
    let start = starts.get(key)
    if (start === undefined) {
      start = table.length
      starts.set(key, start)
      for (const name of ofProfile.keys()) table.push(device.limits[name] ?? Number.NaN)
    }
    rowOf[number] = start
  }
  return { places, rowOf, table: Float64Array.from(table) }
}
