// Every bound of LIMITS.mqtt, and that a flood of one client costs nobody else anything.

import { afterEach, describe, expect, it, vi } from 'vitest'
import { LIMITS } from '../../src/platform/limits.ts'
import { type RawClient, type Setting, settle, setUp, WAIT } from './brokerHarness.ts'

let setting: Setting

afterEach(async () => {
  setting.journal.eager = true
  setting.journal.unflushedBytes = 0
  setting.journal.flush()
  await setting.broker.stop()
})

const TELEMETRY = 'fh/1/gw-01/telemetry'

/** The first bytes of a packet that announces `length` bytes. */
function announcing(type: number, length: number): Buffer {
  const bytes = [type]
  let rest = length
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Buffer.from(bytes)
}

describe('packets', () => {
  it('are refused by their declared length, before they are sent', async () => {
    setting = await setUp()
    const client = await setting.enter()
    client.bytes(announcing(0x32, LIMITS.mqtt.packetBytes + 1))
    await client.gone()
    expect(setting.sentences[0]).toBe('gw-01 (device:1) was disconnected: a packet of 1048577 bytes was announced; the limit is 1048576.')
    expect(setting.broker.counts.refused.value).toBe(1)
  })

  it('of the greatest length are taken', async () => {
    setting = await setUp()
    const client = await setting.enter()
    client.publish(TELEMETRY, 'x'.repeat(LIMITS.mqtt.packetBytes - 24))
    await client.next('puback')
    client.publish(TELEMETRY, 'x'.repeat(LIMITS.mqtt.packetBytes - 23))
    await client.gone()
  })

  it('of clients that have not signed in have a lower limit', async () => {
    setting = await setUp()
    const client = setting.connect(null)
    client.bytes(announcing(0x10, LIMITS.mqtt.connectBytes + 1))
    await client.gone()
    expect(setting.sentences).toEqual(['device:1 was disconnected: a packet of 65537 bytes was announced; the limit is 65536.'])
  })

  it('must begin with CONNECT', async () => {
    setting = await setUp()
    const client = setting.connect(null)
    client.publish(TELEMETRY, '{}')
    await client.gone()
    expect(setting.sentences).toEqual(['device:1 was disconnected: the first packet is not CONNECT.'])
    expect(setting.journal.lines).toEqual([])
  })

  it('must be finished in time', async () => {
    setting = await setUp()
    const client = await setting.enter()
    const patient = await setting.enter({ clientId: 'patient' })
    client.bytes(announcing(0x32, 1000))
    client.bytes(Buffer.from('ab'))
    await settle()
    setting.clock.moveTo(setting.clock.now() + LIMITS.mqtt.unfinishedPacketMs - 1000)
    await settle()
    expect(client.closed).toBe(false)
    setting.clock.moveTo(setting.clock.now() + 1500)
    await client.gone()
    expect(setting.sentences[0]).toBe('gw-01 (device:1) was disconnected: a packet was not finished within 30 s.')
    await patient.ping()
  })

  it('may arrive byte by byte', async () => {
    setting = await setUp()
    const client = await setting.enter()
    const packet = Buffer.concat([Buffer.from([0x32, 26, 0, 20]), Buffer.from(TELEMETRY), Buffer.from([0, 9]), Buffer.from('{}')])
    for (const byte of packet) {
      client.bytes(Buffer.from([byte]))
      await settle()
    }
    expect(await client.next('puback')).toMatchObject({ messageId: 9 })
    expect(setting.journal.of('telemetry')).toEqual([`telemetry ${TELEMETRY} {}`])
  })
})

describe('connections', () => {
  it('of one gateway are limited, and taking one over is no new one', async () => {
    setting = await setUp()
    for (let i = 0; i < LIMITS.mqtt.connectionsPerGateway; i++) await setting.enter({ clientId: `c${i}` })
    const further = setting.connect({ clientId: 'one-more' })
    expect(await further.next('connack')).toMatchObject({ returnCode: 3 })
    expect(setting.sentences[0]).toBe('gw-01 (device:33) was turned away: gw-01 has 32 connections already, and the limit is reached.')
    await setting.enter({ clientId: 'c7' })
    await setting.enter({ gateway: 'gw-02' })
  })
})

describe('connections that never sign in', () => {
  it('are closed, oldest first, and keep no gateway out', async () => {
    setting = await setUp()
    const idle = Array.from({ length: LIMITS.mqtt.strangers }, () => setting.connect(null))
    await setting.enter()
    expect(idle.filter(({ closed }) => closed)).toEqual([idle[0]])
    await setting.enter({ gateway: 'gw-02' })
    expect(idle.filter(({ closed }) => closed)).toEqual([idle[0]])
    for (const client of idle) client.cut()
  })
})

describe('subscriptions', () => {
  it('of one client are limited', async () => {
    setting = await setUp()
    const client = await setting.enter()
    const filters = Array.from({ length: 40 }, (_, i) => `fh/1/gw-01/d${i}/telemetry`)
    const granted = await client.subscribe(...filters)
    expect(granted.filter((qos) => qos === 1)).toHaveLength(LIMITS.mqtt.subscriptionsPerClient)
    expect(setting.sentences[0]).toBe(
      'gw-01 (device:1) may not subscribe: the filter "fh/1/gw-01/d32/telemetry" would be its subscription number 33; the limit is 32.'
    )
    client.send({ cmd: 'unsubscribe', messageId: 99, unsubscriptions: ['fh/1/gw-01/d0/telemetry'] })
    await client.next('unsuback')
    expect(await client.subscribe('fh/1/gw-01/rejects')).toEqual([1])
  })

  it('have filters of bounded length and depth', async () => {
    setting = await setUp()
    const client = await setting.enter()
    expect(await client.subscribe(`fh/1/gw-01/${'x'.repeat(250)}`, 'fh/1/gw-01/a/b/c/d/e/f', 'fh/1/gw-01/\u0001')).toEqual([128, 128, 128])
  })
})

describe('what is kept for a gateway', () => {
  it('is bounded for a session that is away: the oldest messages stay', async () => {
    setting = await setUp()
    const away = await setting.enter({ clientId: 'away', clean: false })
    await away.subscribe('fh/1/gw-01/rejects')
    away.cut()
    await vi.waitFor(() => expect(setting.broker.gatewayConnected('gw-01')).toBe(false), WAIT)
    for (let i = 0; i < LIMITS.mqtt.queuedPerSession + 100; i++) setting.broker.publish('fh/1/gw-01/rejects', String(i))
    await vi.waitFor(async () => expect(await setting.metrics.text()).toContain('fenghuo_mqtt_offline_dropped_total 100'), WAIT)
    const back = await setting.enter({ clientId: 'away', clean: false })
    await acknowledgeAll(back, LIMITS.mqtt.queuedPerSession)
    const payloads = back.heard.filter(({ cmd }) => cmd === 'publish').map((packet) => String((packet as { payload: Buffer }).payload))
    expect(payloads).toEqual(Array.from({ length: LIMITS.mqtt.queuedPerSession }, (_, i) => String(i)))
    setting.broker.publish('fh/1/gw-01/rejects', 'after')
    await vi.waitFor(() => expect(back.count('publish')).toBe(LIMITS.mqtt.queuedPerSession + 1), WAIT)
  })

  it('is forgotten for the oldest idle session when there are too many', async () => {
    setting = await setUp()
    for (let i = 0; i <= LIMITS.mqtt.sessionsPerGateway; i++) {
      const client = await setting.enter({ clientId: `s${i}`, clean: false })
      await client.subscribe('fh/1/gw-01/rejects')
      client.send({ cmd: 'disconnect' })
      await client.gone()
    }
    expect(setting.sentences).toEqual(['gw-01 keeps more than 64 sessions; the oldest idle one, "s0", was forgotten.'])
    const connack = setting.connect({ clientId: 's1', clean: false })
    expect(await connack.next('connack')).toMatchObject({ sessionPresent: true })
    const forgotten = setting.connect({ clientId: 's0', clean: false })
    expect(await forgotten.next('connack')).toMatchObject({ sessionPresent: false })
  })

  it('is a bounded number of retained messages; its status always', async () => {
    setting = await setUp()
    const client = await setting.enter()
    for (let i = 0; i < LIMITS.mqtt.retainedPerGateway + 5; i++) client.publish(`fh/1/gw-01/d${i}/telemetry`, '{}', 1, { retain: true })
    client.publish('fh/1/gw-01/status', '{"online":true}', 1, { retain: true })
    await vi.waitFor(() => expect(client.count('puback')).toBe(LIMITS.mqtt.retainedPerGateway + 6), WAIT)
    const listener = await setting.enter({ clientId: 'listener' })
    await listener.subscribe('fh/1/gw-01/#')
    await vi.waitFor(() => expect(listener.count('publish')).toBe(LIMITS.mqtt.retainedPerGateway + 1), WAIT)
    expect(setting.journal.of('telemetry')).toHaveLength(LIMITS.mqtt.retainedPerGateway + 5)
  })

  it('is a bounded number of QoS 2 messages never released', async () => {
    setting = await setUp()
    const client = await setting.enter()
    for (let i = 1; i <= LIMITS.mqtt.unreleasedPerClient; i++) client.publish(TELEMETRY, '{}', 2, { messageId: i })
    await vi.waitFor(() => expect(client.count('pubrec')).toBe(LIMITS.mqtt.unreleasedPerClient), WAIT)
    client.publish(TELEMETRY, '{}', 2, { messageId: 5000 })
    await client.gone()
    expect(setting.broker.counts.refused.value).toBe(1)
  })
})

describe('a journal that does not flush', () => {
  it('makes clients wait, not the memory grow, and nobody is lost by it', async () => {
    setting = await setUp({ eager: false })
    const client = await setting.enter()
    const body = 'x'.repeat(64 * 1024)
    for (let i = 0; i < 200; i++) client.publish(TELEMETRY, body)
    await vi.waitFor(() => expect(setting.journal.of('telemetry').length).toBeGreaterThan(0), WAIT)
    await settle()
    expect(setting.journal.unflushedBytes).toBeLessThan(LIMITS.mqtt.unflushedBytesPerConnection + 128 * 1024)
    expect(client.closed).toBe(false)
    setting.journal.eager = true
    setting.journal.flush()
    await vi.waitFor(() => expect(client.count('puback')).toBe(200), WAIT)
    expect(setting.journal.of('telemetry')).toHaveLength(200)
  })

  it('holds every socket once too much waits in all, and reads on by itself when others have made room', async () => {
    setting = await setUp()
    const client = await setting.enter()
    setting.journal.unflushedBytes = LIMITS.mqtt.unflushedBytes
    client.publish(TELEMETRY, '{}')
    await settle()
    expect(setting.journal.lines).toEqual([])
    setting.journal.unflushedBytes = 0
    setting.clock.moveTo(setting.clock.now() + 250)
    await client.next('puback')
  })

  it('still lets clients in', async () => {
    setting = await setUp({ eager: false })
    setting.journal.unflushedBytes = LIMITS.mqtt.unflushedBytes
    await setting.enter()
  })
})

describe('a subscriber that does not read', () => {
  it('is closed, and its gateway goes on', async () => {
    setting = await setUp()
    const lazy = await setting.enter({ clientId: 'lazy' })
    await lazy.subscribe('fh/1/gw-01/#')
    lazy.stream.pause()
    const device = await setting.enter()
    for (let i = 0; i < 100; i++) device.publish(TELEMETRY, 'x'.repeat(10_000))
    await vi.waitFor(() => expect(device.count('puback')).toBe(100), { timeout: 10_000, interval: 10 })
    expect(setting.broker.connections().map(({ clientId }) => clientId)).toEqual(['pump-house'])
  })
})

/** Acknowledges what arrives until `count` messages have. */
async function acknowledgeAll(client: RawClient, count: number): Promise<void> {
  let acknowledged = 0
  await vi.waitFor(() => {
    const publishes = client.heard.filter(({ cmd }) => cmd === 'publish') as { messageId?: number }[]
    for (; acknowledged < publishes.length; acknowledged++) {
      client.send({ cmd: 'puback', messageId: publishes[acknowledged]?.messageId as number })
    }
    expect(acknowledged).toBe(count)
  }, WAIT)
  await client.ping()
}
