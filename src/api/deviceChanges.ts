// Devices that went online or stopped being so, in the order of noticing. Each reader keeps its own place in it, so that a
// gateway with a hundred thousand devices going down costs one list and not one per reader.

import type { Fleet } from '../model/fleet.ts'
import type { ReadingColumns } from '../model/readings.ts'
import { LIMITS } from '../platform/limits.ts'
import type { PlantView } from './parts.ts'
import { DEVICE_STATES, type DeviceState } from './shapes.ts'
import { deviceState } from './views.ts'

const ONLINE = DEVICE_STATES.indexOf('online')

export class DeviceChanges {
  #fleet: Fleet | null = null
  #states = new Uint8Array(0)
  #changed: number[] = []
  /** The place of `#changed[0]`. */
  #base = 0

  /** The place behind the last change. */
  get end(): number {
    return this.#base + this.#changed.length
  }

  /** Compares every device with what was known of it. The first look at a fleet only remembers. */
  look(plant: PlantView, now: number): void {
    const fresh = this.#fleet !== plant.fleet
    if (fresh) this.#begin(plant.fleet)
    for (let number = 0; number < this.#states.length; number++) {
      const code = DEVICE_STATES.indexOf(deviceState(plant, number, plant.latest.receivedAt(number), now))
      if (code === this.#states[number]) continue
      this.#states[number] = code
      if (!fresh) this.#changed.push(number)
    }
    this.#trim()
  }

  /** A device that sends is there. */
  heard(columns: ReadingColumns, fleet: Fleet): void {
    if (fleet !== this.#fleet) return
    for (let row = 0; row < columns.length; row++) {
      if (columns.head[row] !== 1) continue
      const number = columns.device[row] as number
      if (this.#states[number] === ONLINE) continue
      this.#states[number] = ONLINE
      this.#changed.push(number)
    }
    this.#trim()
  }

  /** Nobody is reading: forget. */
  clear(): void {
    this.#fleet = null
    this.#base = this.end
    this.#changed = []
  }

  /** The devices that changed from `place` on, each once; null: they are no longer known. */
  since(place: number, most: number): { readonly devices: ReadonlySet<number>; readonly upTo: number } | null {
    if (place < this.#base) return null
    const upTo = Math.min(this.end, place + most)
    return { devices: new Set(this.#changed.slice(place - this.#base, upTo - this.#base)), upTo }
  }

  stateOf(number: number): DeviceState {
    return DEVICE_STATES[this.#states[number] as number] ?? 'never'
  }

  #begin(fleet: Fleet): void {
    this.clear()
    this.#fleet = fleet
    this.#states = new Uint8Array(fleet.devices.length)
  }

  #trim(): void {
    const over = this.#changed.length - LIMITS.api.liveDeviceChanges
    if (over <= 0) return
    this.#changed = this.#changed.slice(over)
    this.#base += over
  }
}
