// What every decoder answers: samples in columns, and problems beside them. Reused from message to message, no object per reading.

import type { Fleet } from '../../model/fleet.ts'
import { ByteNames } from './names.ts'

export interface SampleProblem {
  /** The place of the sample in the message; 0 for a single one. */
  readonly index: number
  /** The device, where it could be read. */
  readonly device: string | null
  readonly problem: string
}

/** Samples of known devices of the right gateway. Sample s has the rows firstRow[s] up to firstRow[s + 1], perhaps none. */
export class Samples {
  count = 0
  rows = 0
  device: Int32Array = new Int32Array(64)
  /** Epoch ms as the device says, whole; NaN where it says none. */
  ts: Float64Array = new Float64Array(64)
  firstRow: Int32Array = new Int32Array(65)
  series: Int32Array = new Int32Array(256)
  /** NaN where the device itself calls the value bad. */
  value: Float64Array = new Float64Array(256)
  readonly problems: SampleProblem[] = []
  /** Problems beyond those kept. */
  furtherProblems = 0
  /** Samples among `count` that meant to hold values of which none can be used: they are a sign of life, and no more. */
  hollow = 0
  /** Problems kept per message. */
  readonly #mostProblems: number

  constructor(mostProblems: number) {
    this.#mostProblems = mostProblems
  }

  clear(): void {
    this.count = 0
    this.rows = 0
    this.problems.length = 0
    this.furtherProblems = 0
    this.hollow = 0
  }

  begin(device: number, ts: number): void {
    if (this.count + 1 >= this.device.length) {
      this.device = grown(this.device, new Int32Array(this.device.length * 2))
      this.ts = grown(this.ts, new Float64Array(this.ts.length * 2))
      this.firstRow = grown(this.firstRow, new Int32Array(this.firstRow.length * 2))
    }
    this.device[this.count] = device
    this.ts[this.count] = ts
    this.firstRow[this.count] = this.rows
    this.count++
    this.firstRow[this.count] = this.rows
  }

  /** One more value of the sample begun last. */
  push(series: number, value: number): void {
    if (this.rows === this.series.length) {
      this.series = grown(this.series, new Int32Array(this.series.length * 2))
      this.value = grown(this.value, new Float64Array(this.value.length * 2))
    }
    this.series[this.rows] = series
    this.value[this.rows] = value
    this.rows++
    this.firstRow[this.count] = this.rows
  }

  reject(index: number, device: string | null, problem: string): void {
    if (this.problems.length < this.#mostProblems) this.problems.push({ index, device, problem })
    else this.furtherProblems++
  }
}

function grown<A extends Int32Array | Float64Array>(source: A, target: A): A {
  target.set(source as never)
  return target
}

/** The fleet as decoders look things up in it. */
export interface Registry {
  readonly fleet: Fleet
  /** Per device number: metric id -> its place in the profile. */
  readonly places: readonly ReadonlyMap<string, number>[]
  /** Device ids, and per device number the metrics of its profile, by their bytes. */
  readonly deviceNames: ByteNames
  readonly metricNames: readonly ByteNames[]
  /** Per device and gateway: the enterprise's number; -1 for none. */
  readonly enterpriseOfDevice: Int32Array
  readonly enterpriseOfGateway: Int32Array
}

const registries = new WeakMap<Fleet, Registry>()

/** The registry of a fleet, made once. */
export function registryOf(fleet: Fleet): Registry {
  const known = registries.get(fleet)
  if (known !== undefined) return known
  const { plant, devices } = fleet
  const enterprise = new Map(plant.enterprises.map(({ id }, number) => [id, number]))
  const numberOf = (id: string | null): number => (id === null ? -1 : (enterprise.get(id) ?? -1))
  const metricNames = new Map(plant.profiles.map(({ id, metrics }) => [id, new ByteNames(metrics.map((metric) => metric.id))]))
  const registry: Registry = {
    fleet,
    places: devices.map((device) => fleet.metricPlace.get(device.profile) as ReadonlyMap<string, number>),
    deviceNames: new ByteNames(devices.map(({ id }) => id)),
    metricNames: devices.map((device) => metricNames.get(device.profile) as ByteNames),
    enterpriseOfDevice: Int32Array.from(devices, (device) => numberOf(device.enterprise)),
    enterpriseOfGateway: Int32Array.from(plant.gateways, (gateway) => numberOf(gateway.enterprise))
  }
  registries.set(fleet, registry)
  return registry
}

/**
 * Whether a gateway may speak for a device: its own, or one that names no gateway and is not another enterprise's.
 */
export function maySpeakFor(registry: Registry, gateway: number, device: number): boolean {
  const owner = registry.fleet.gatewayOf[device] as number
  if (owner >= 0) return owner === gateway
  if (registry.fleet.devices[device]?.gateway !== null) return false
  const enterprise = registry.enterpriseOfDevice[device] as number
  return enterprise < 0 || enterprise === registry.enterpriseOfGateway[gateway]
}
