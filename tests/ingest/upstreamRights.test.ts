// A broker that does not let us subscribe everything: it is said, also where that shows only once the plant has changed.

import { type AddressInfo, createServer, type Server } from 'node:net'
import { Aedes } from 'aedes'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Plant } from '../../src/model/plant.ts'
import { settingsFor, UpstreamYard, WAIT } from '../services/upstreamYard.ts'

let yard: UpstreamYard
let broker: Aedes
let server: Server
const denied = new Set<string>()

beforeEach(async () => {
  yard = new UpstreamYard()
  await yard.journal.start()
  broker = await Aedes.createBroker()
  broker.authorizeSubscribe = (_client, subscription, answer) => answer(null, denied.has(subscription.topic) ? null : subscription)
  server = createServer(broker.handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  denied.clear()
  await yard.close()
  await new Promise<void>((resolve) => broker.close(resolve))
  server.close()
})

it('says which gateway it cannot hear, and hears it once it may', async () => {
  denied.add('fh/1/gw-9/#')
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  const upstream = await yard.upstream(settingsFor(url, { connections: 2, protocol: 4 }))
  expect(upstream.problem).toBeNull()
  yard.plant = { gateways: [...yard.plant.gateways, { id: 'gw-9' }] } as unknown as Plant
  await vi.waitFor(
    () => expect(String(upstream.problem)).toContain('it does not let us subscribe fh/1/gw-9/#: give our user the right'),
    WAIT
  )
  denied.clear()
  await vi.waitFor(() => expect(upstream.problem).toBeNull(), WAIT)
  const gateway = await yard.publisher(url, 'gw-9')
  expect(gateway.offer('fh/1/gw-9/telemetry', '{}')).toBe(true)
  await vi.waitFor(async () => expect(await yard.journaled()).toContain('telemetry fh/1/gw-9/telemetry {}'), WAIT)
})
