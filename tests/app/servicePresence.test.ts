// Whether a gateway is there, and what that means for the values of its devices: its will and a lost connection make them
// unknown until they report again; a goodbye, and our own restart, do not.

import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import { LiveService } from '../liveService.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

// Yellow needs a value that is known for a second on end; a value that becomes unknown meanwhile stops its clock.
const RULES = `rules:
  - id: level
    appliesTo: { profile: tank }
    tiers: { yellow: { when: level_pct > 85, for: 1s } }
`
const clock = new SystemClock()
let plant: TankPlant
let service: LiveService

// One service for all: each test has a device of its own behind gw-0, T-1 and T-3 are the neighbour's.
beforeAll(async () => {
  plant = tankPlant(RULES, { tanks: 10 })
  service = await start()
})

afterAll(async () => {
  await service?.kill()
  plant?.remove()
})

async function start(): Promise<LiveService> {
  const started = await LiveService.start({ config: plant.config, data: `${plant.folder}/data` })
  await started.cookie()
  return started
}

async function connected(withWill: boolean): Promise<MqttPublisher> {
  const status = 'fh/1/gw-0/status'
  const will = { topic: status, payload: '{"online":false}', qos: 1, retain: true } as const
  const options = { url: service.mqttAddress, clock, username: 'gw-0', password: 'secret-0' }
  const publisher = await connectMqtt(withWill ? { ...options, will } : options)
  await publisher.publish(status, '{"online":true}', { retain: true })
  return publisher
}

function report(publisher: MqttPublisher, device: string, level: number): Promise<boolean> {
  return publisher.publish('fh/1/gw-0/telemetry', JSON.stringify({ device, values: { level_pct: level } }))
}

interface Device {
  readonly gatewayOnline: boolean | null
  readonly online: boolean
  readonly state: string
  readonly values: readonly { readonly metric: string; readonly value: number | null }[]
}

/** Resolves with the device once the API shows it so. */
async function shown(device: string, state: Partial<Device>): Promise<Device> {
  return vi.waitFor(
    async () => {
      const found = await service.get<Device>(`/api/v1/devices/${device}`)
      expect(found).toMatchObject(state)
      return found
    },
    { timeout: 5_000, interval: 10 }
  )
}

async function turnsOf(device: string): Promise<string[]> {
  const events = await service.all<{ device: string; from: string; to: string }>('/api/v1/alarm-events')
  return events.filter((event) => event.device === device).map(({ from, to }) => `${from} -> ${to}`)
}

async function raised(device: string): Promise<void> {
  await vi.waitFor(async () => expect(await turnsOf(device)).toEqual(['clear -> yellow']), { timeout: 5_000, interval: 20 })
}

it.each([
  ['its will', true, 'T-0', 'T-1'],
  ['its connection lost without one', false, 'T-2', 'T-3']
])('%s shows the gateway offline and stops what its values had begun; a new report goes on', async (_what, withWill, device, neighbour) => {
  let gateway = await connected(withWill)
  await report(gateway, device, 90)
  const { values } = await shown(device, { gatewayOnline: true, state: 'online' })
  expect(values[0]).toMatchObject({ metric: 'level_pct', value: 90 })
  gateway.cut()
  await shown(device, { gatewayOnline: false, online: false })
  await vi.waitFor(() =>
    expect(service.output).toMatch(/gateway gw-0 is offline: the values of its devices are unknown until they report again/)
  )
  // The neighbour's delay begins later: when its alarm is there, that of the device would be.
  await service.telemetry('gw-1', 'secret-1', JSON.stringify({ device: neighbour, values: { level_pct: 90 } }))
  await raised(neighbour)
  expect(await turnsOf(device)).toEqual([])

  gateway = await connected(withWill)
  await shown(device, { gatewayOnline: true })
  await report(gateway, device, 91)
  await shown(device, { gatewayOnline: true, online: true, state: 'online' })
  await raised(device)
  await gateway.end()
})

it('a goodbye is not offline', async () => {
  const gateway = await connected(true)
  await report(gateway, 'T-4', 90)
  await gateway.end()
  await raised('T-4')
  expect(await shown('T-4', {})).toMatchObject({ gatewayOnline: true, online: true })
})

it.each([
  ['stop', 'T-6'],
  ['kill', 'T-8']
] as const)('our own %s and start is not offline either', async (end, device) => {
  const gateway = await connected(true)
  await report(gateway, device, 90)
  await shown(device, { gatewayOnline: true })
  await service[end]()
  gateway.cut()
  service = await start()
  expect(await shown(device, {})).toMatchObject({ gatewayOnline: true, online: true, state: 'online' })
  await raised(device)
  expect(service.output).not.toMatch(/offline/)
})
