// Bytes that are no MQTT, or nearly MQTT, never bring the broker down: beside them a gateway goes on being served.

import fc from 'fast-check'
import mqtt from 'mqtt-packet'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type RawClient, type Setting, setUp, WAIT } from './brokerHarness.ts'

let setting: Setting
let steady: RawClient

beforeAll(async () => {
  setting = await setUp()
  steady = await setting.enter({ gateway: 'gw-02' })
})

afterAll(async () => {
  await setting.broker.stop()
})

async function stillServes(): Promise<void> {
  steady.publish('fh/1/gw-02/telemetry', '{}')
  await steady.next('puback')
}

const connect = mqtt.generate({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: true,
  clientId: 'fuzz',
  keepalive: 0,
  username: 'gw-01',
  password: Buffer.from('one'),
  will: { topic: 'fh/1/gw-01/status', payload: Buffer.from('{"online":false}'), qos: 1, retain: true }
})

const packets = [
  mqtt.generate({
    cmd: 'publish',
    topic: 'fh/1/gw-01/telemetry',
    payload: '{"device":"T"}',
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false
  }),
  mqtt.generate({ cmd: 'publish', topic: 'fh/1/gw-01/T/telemetry', payload: '[]', qos: 2, messageId: 2, dup: false, retain: true }),
  mqtt.generate({ cmd: 'pubrel', messageId: 2 }),
  mqtt.generate({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: 'fh/1/gw-01/#', qos: 2 }] }),
  mqtt.generate({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['fh/1/gw-01/#'] }),
  mqtt.generate({ cmd: 'pingreq' }),
  mqtt.generate({ cmd: 'puback', messageId: 1 }),
  Buffer.from([0xe0, 0])
]

describe('arbitrary bytes', () => {
  it('from strangers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        const client = setting.connect(null)
        client.bytes(Buffer.from(bytes))
        client.cut()
        await stillServes()
      }),
      { numRuns: 150 }
    )
  })

  it('in the place of some bytes of a real conversation', async () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), byte)
    const script = fc.tuple(fc.array(fc.constantFrom(...packets), { maxLength: 12 }), fc.array(change, { maxLength: 6 }))
    await fc.assert(
      fc.asyncProperty(script, async ([sent, changes]) => {
        const bytes = Buffer.concat([connect, ...sent])
        for (const [where, value] of changes) bytes[Math.min(bytes.length - 1, Math.floor(where * bytes.length))] = value
        const client = setting.connect(null)
        client.bytes(bytes)
        await stillServes()
        client.cut()
      }),
      { numRuns: 300 }
    )
    await vi.waitFor(() => expect(setting.broker.connections().map(({ gateway }) => gateway)).toEqual(['gw-02']), WAIT)
    const { received, journaled, refused } = setting.broker.counts
    expect(received.value).toBe(journaled.value + refused.value)
  })
})
