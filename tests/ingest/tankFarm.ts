// A plant for the tests of intake: two enterprises, three gateways, tanks, detectors, and devices without a gateway.

import { type Fleet, numberFleet } from '../../src/model/fleet.ts'
import type { Device, Metric, Plant } from '../../src/model/plant.ts'
import type { Text } from '../../src/model/text.ts'

const text = (name: string): Text => ({ zh: name, en: name })
const metric = (id: string, min: number, max: number): Metric => ({ id, name: text(id), unit: '1', min, max, stuckAfterMs: null })

export function tank(id: string, given: Partial<Device> = {}): Device {
  const common = { area: null, site: null, labels: {}, limits: {} }
  return { id, name: text(id), profile: 'storage-tank', gateway: 'gw-01', enterprise: 'daxie', ...common, ...given }
}

export const PLANT: Plant = {
  hash: 'test',
  enterprises: [
    { id: 'daxie', name: text('daxie') },
    { id: 'market', name: text('market') }
  ],
  sites: [],
  areas: [],
  gateways: [
    { id: 'gw-01', enterprise: 'daxie', name: text('gw-01'), secret: 'one' },
    { id: 'gw-02', enterprise: 'daxie', name: text('gw-02'), secret: 'two' },
    { id: 'gw-m', enterprise: 'market', name: text('gw-m'), secret: 'three' }
  ],
  profiles: [
    {
      id: 'storage-tank',
      name: text('tank'),
      metrics: [metric('level_pct', 0, 110), metric('temperature_c', -60, 250), metric('alarm', 0, 1)],
      limits: {},
      silentAfterMs: 90_000,
      source: null
    },
    { id: 'gas', name: text('gas'), metrics: [metric('ppm', 0, 1000)], limits: {}, silentAfterMs: 60_000, source: null }
  ],
  devices: [
    tank('T-101'),
    tank('T-102'),
    tank('G-1', { profile: 'gas' }),
    tank('T-201', { gateway: 'gw-02' }),
    tank('portable', { gateway: null }),
    tank('nobody', { gateway: null, enterprise: null }),
    tank('M-1', { gateway: 'gw-m', enterprise: 'market' })
  ],
  rules: []
}

export const FLEET: Fleet = numberFleet(PLANT)

/** The series of a metric. */
export function series(device: string, metricId: string, fleet: Fleet = FLEET): number {
  const number = fleet.deviceNumber.get(device) as number
  return (fleet.firstSeries[number] as number) + (fleet.metricPlace.get(fleet.devices[number]?.profile ?? '')?.get(metricId) as number)
}
