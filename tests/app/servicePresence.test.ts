// Whether a gateway is there, and what that means for the values of its devices: its will and a lost connection make them
// unknown until they report again; a goodbye, and our own restart, do not.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
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

beforeEach(async () => {
  plant = tankPlant(RULES)
  service = await start()
  await service.cookie()
})

afterEach(async () => {
  await service?.kill()
  plant?.remove()
})

function start(): Promise<LiveService> {
  return LiveService.start({ config: plant.config, data: `${plant.folder}/data` })
}

async function connected(withWill: boolean): Promise<MqttPublisher> {
  const status = 'fh/1/gw-0/status'
  const will = { topic: status, payload: '{"online":false}', qos: 1, retain: true } as const
  const options = { url: service.mqttAddress, clock, username: 'gw-0', password: 'secret-0' }
  const publisher = await connectMqtt(withWill ? { ...options, will } : options)
  await publisher.publish(status, '{"online":true}', { retain: true })
  return publisher
}

function report(publisher: MqttPublisher, level: number): Promise<boolean> {
  return publisher.publish('fh/1/gw-0/telemetry', JSON.stringify({ device: 'T-0', values: { level_pct: level } }))
}

interface Device {
  readonly gatewayOnline: boolean | null
  readonly online: boolean
  readonly state: string
  readonly values: readonly { readonly metric: string; readonly value: number | null }[]
}

async function device(state: Partial<Device>): Promise<Device> {
  return vi.waitFor(
    async () => {
      const found = await service.get<Device>('/api/v1/devices/T-0')
      expect(found).toMatchObject(state)
      return found
    },
    { timeout: 5_000, interval: 10 }
  )
}

const events = (): Promise<{ at: string; from: string; to: string }[]> => service.all('/api/v1/alarm-events')

it.each([
  ['its will', true],
  ['its connection lost without one', false]
])('%s shows the gateway offline and stops what its values had begun; a new report goes on', async (_what, withWill) => {
  let gateway = await connected(withWill)
  await report(gateway, 90)
  expect((await device({ gatewayOnline: true, state: 'online' })).values[0]).toMatchObject({ metric: 'level_pct', value: 90 })
  gateway.cut()
  await device({ gatewayOnline: false, online: false })
  expect(service.output).toMatch(/gateway gw-0 is offline: the values of its devices are unknown until they report again/)
  // The neighbour's clock runs: when its alarm is there, that of T-0 would be.
  await service.telemetry('gw-1', 'secret-1', '{"device":"T-1","values":{"level_pct":90}}')
  await vi.waitFor(async () => expect(await events()).toMatchObject([{ device: 'T-1', from: 'clear', to: 'yellow' }]), {
    timeout: 5_000,
    interval: 20
  })

  gateway = await connected(withWill)
  await device({ gatewayOnline: true })
  await report(gateway, 91)
  await device({ gatewayOnline: true, online: true, state: 'online' })
  await vi.waitFor(async () => expect((await events())[1]).toMatchObject({ device: 'T-0', from: 'clear', to: 'yellow' }), {
    timeout: 5_000,
    interval: 20
  })
  gateway.cut()
})

it('a goodbye is not offline', async () => {
  const gateway = await connected(true)
  await report(gateway, 90)
  await gateway.end()
  await vi.waitFor(async () => expect(await events()).toMatchObject([{ device: 'T-0', to: 'yellow' }]), { timeout: 5_000, interval: 20 })
  expect(await device({})).toMatchObject({ gatewayOnline: true, online: true })
})

it.each(['stop', 'kill'] as const)('our own %s and start is not offline either', async (end) => {
  const gateway = await connected(true)
  await report(gateway, 90)
  await device({ gatewayOnline: true })
  await service[end]()
  gateway.cut()
  service = await start()
  expect(await device({})).toMatchObject({ gatewayOnline: true, online: true, state: 'online' })
  await vi.waitFor(async () => expect(await events()).toMatchObject([{ device: 'T-0', to: 'yellow' }]), { timeout: 5_000, interval: 20 })
  expect(service.output).not.toMatch(/offline/)
})
