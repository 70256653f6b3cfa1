// What a gateway may do, and that an acknowledgement means "flushed".

import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Setting, settle, setUp, WAIT } from './brokerHarness.ts'

let setting: Setting

afterEach(async () => {
  setting.journal.eager = true
  setting.journal.flush()
  await setting.broker.stop()
})

const TELEMETRY = 'fh/1/gw-01/telemetry'

describe('signing in', () => {
  it('lets a gateway in by id and secret', async () => {
    setting = await setUp()
    await setting.enter()
    expect(setting.broker.gatewayConnected('gw-01')).toBe(true)
    expect(setting.broker.gatewayConnected('gw-02')).toBe(false)
    expect(setting.broker.connections()).toEqual([
      { gateway: 'gw-01', clientId: 'pump-house', remote: 'device:1', since: setting.clock.now() }
    ])
  })

  it.each([
    ['a wrong secret', { secret: 'wrong' }, 4, 'gw-01 (device:1) was turned away: unknown gateway or wrong secret.'],
    ['an unknown gateway', { gateway: 'gw-99', secret: 'x' }, 4, 'gw-99 (device:1) was turned away: unknown gateway or wrong secret.'],
    ['a name that is no id', { gateway: 'gw/01', secret: 'x' }, 4, '"gw/01" (device:1) was turned away: unknown gateway or wrong secret.'],
    [
      'no name at all',
      { username: undefined, password: undefined },
      5,
      'device:1 was turned away: it gave no gateway id and secret as user name and password.'
    ],
    [
      'a client id with a control character',
      { clientId: 'a\u0007b' },
      2,
      'gw-01 (device:1) was turned away: its client id holds bytes that are no UTF-8 text or control characters.'
    ],
    ['a client id too long', { clientId: 'x'.repeat(129) }, 2, 'gw-01 (device:1) was turned away: its client id is longer than 128 bytes.'],
    [
      "a will on another gateway's topic",
      { will: { topic: 'fh/1/gw-02/status', payload: Buffer.from('x'), qos: 0 as const, retain: false } },
      5,
      'gw-01 (device:1) was turned away: its will goes to "fh/1/gw-02/status", which is not a topic below fh/1/gw-01/.'
    ]
  ])('turns %s away', async (_, options, returnCode, sentence) => {
    setting = await setUp()
    const client = setting.connect(options as never)
    expect(await client.next('connack')).toMatchObject({ returnCode })
    await client.gone()
    expect(setting.sentences).toEqual([sentence])
    expect(setting.journal.lines).toEqual([])
  })

  it('refuses MQTT 5 with return code 1', async () => {
    setting = await setUp()
    const client = setting.connect({ protocolVersion: 5 })
    await client.gone()
    expect(client.heard).toMatchObject([{ cmd: 'connack', returnCode: 1 }])
    expect(setting.sentences).toEqual(['gw-01 (device:1) speaks MQTT 5; this broker speaks 3.1.1. Set the client to 3.1.1.'])
  })

  it('refuses a kept session without a client id, and checks the secret all the same', async () => {
    setting = await setUp()
    const client = setting.connect({ clientId: '' }, (bytes) => void (bytes[9] = (bytes[9] as number) & ~2))
    expect(await client.next('connack')).toMatchObject({ returnCode: 2 })
    await client.gone()
    expect(setting.sentences).toEqual(['gw-01 (device:1) was turned away: a session can be kept only for a client id, and it gave none.'])
    expect(setting.checked).toEqual(['gw-01'])
  })

  it('accepts publishes that follow CONNECT in the same bytes, however many', async () => {
    setting = await setUp()
    const client = setting.connect(null)
    client.together(() => {
      client.hello()
      for (let i = 0; i < 200; i++) client.publish(TELEMETRY, `{"n":${i}}`)
    })
    await vi.waitFor(() => expect(client.count('puback')).toBe(200), WAIT)
    expect(setting.journal.of('telemetry')).toEqual(Array.from({ length: 200 }, (_, i) => `telemetry ${TELEMETRY} {"n":${i}}`))
  })
})

describe('the acknowledgement', () => {
  it('of QoS 1 and 2 comes after the flush and not before', async () => {
    setting = await setUp({ eager: false })
    const client = await setting.enter()
    client.together(() => {
      client.publish(TELEMETRY, '{"a":1}', 1)
      client.publish(TELEMETRY, '{"a":2}', 2)
      client.publish(TELEMETRY, '{"a":3}', 0)
    })
    await vi.waitFor(() => expect(setting.journal.waiting).toBe(4), WAIT)
    await settle()
    expect(client.count('puback') + client.count('pubrec')).toBe(0)
    setting.journal.flush()
    expect(await client.next('puback')).toMatchObject({ messageId: 1 })
    expect(await client.next('pubrec')).toMatchObject({ messageId: 2 })
    expect(setting.journal.lines).toEqual([
      'presence gw-01 {"online":true,"why":"published"}',
      `telemetry ${TELEMETRY} {"a":1}`,
      `telemetry ${TELEMETRY} {"a":2}`,
      `telemetry ${TELEMETRY} {"a":3}`
    ])
  })

  it('is not sent for a connection that ended, and the message is in the journal all the same', async () => {
    setting = await setUp({ eager: false })
    const client = await setting.enter()
    client.publish(TELEMETRY, '{}')
    await vi.waitFor(() => expect(setting.journal.waiting).toBe(2), WAIT)
    client.cut()
    await vi.waitFor(() => expect(setting.broker.gatewayConnected('gw-01')).toBe(false), WAIT)
    setting.journal.flush()
    expect(setting.broker.counts.journaled.value).toBe(1)
    expect(setting.sentences).toEqual(['gw-01 (device:1) lost its connection: connection lost'])
  })

  it('waits for the last flush when the broker stops', async () => {
    setting = await setUp({ eager: false })
    const client = await setting.enter()
    client.publish(TELEMETRY, '{}')
    await vi.waitFor(() => expect(setting.journal.waiting).toBe(2), WAIT)
    const stopped = setting.broker.stop()
    setting.journal.flush()
    await stopped
    await client.gone()
    expect(client.count('puback')).toBe(1)
    expect(setting.journal.of('presence')).toEqual(['presence gw-01 {"online":true,"why":"published"}'])
  })
})

describe('QoS 2', () => {
  it('journals a repetition before PUBREL once, and a new message under the same id after it', async () => {
    setting = await setUp()
    const client = await setting.enter()
    client.publish(TELEMETRY, '{"n":1}', 2, { messageId: 7 })
    await client.next('pubrec')
    client.publish(TELEMETRY, '{"n":1}', 2, { messageId: 7, dup: true })
    await client.next('pubrec')
    client.send({ cmd: 'pubrel', messageId: 7 })
    await client.next('pubcomp')
    client.publish(TELEMETRY, '{"n":2}', 2, { messageId: 7 })
    await client.next('pubrec')
    expect(setting.journal.of('telemetry')).toEqual([`telemetry ${TELEMETRY} {"n":1}`, `telemetry ${TELEMETRY} {"n":2}`])
    expect(setting.broker.counts.received.value).toBe(2)
  })

  it('journals a repetition that arrives before the flush once, and acknowledges it after the flush', async () => {
    setting = await setUp({ eager: false })
    const client = await setting.enter()
    client.together(() => {
      client.publish(TELEMETRY, '{"n":1}', 2, { messageId: 7 })
      client.publish(TELEMETRY, '{"n":1}', 2, { messageId: 7, dup: true })
    })
    await settle()
    expect(client.count('pubrec')).toBe(0)
    setting.journal.flush()
    await vi.waitFor(() => expect(client.count('pubrec')).toBe(2), WAIT)
    expect(setting.journal.of('telemetry')).toHaveLength(1)
  })

  it('journals a repetition after a reconnection of a kept session once', async () => {
    setting = await setUp({ eager: false })
    const first = await setting.enter({ clean: false })
    first.publish(TELEMETRY, '{"n":1}', 2, { messageId: 7 })
    await vi.waitFor(() => expect(setting.journal.of('telemetry')).toHaveLength(1), WAIT)
    first.cut()
    const second = await setting.enter({ clean: false })
    second.publish(TELEMETRY, '{"n":1}', 2, { messageId: 7, dup: true })
    await settle()
    expect(second.count('pubrec')).toBe(0)
    setting.journal.flush()
    await second.next('pubrec')
    second.send({ cmd: 'pubrel', messageId: 7 })
    await second.next('pubcomp')
    expect(setting.journal.of('telemetry')).toHaveLength(1)
  })
})

describe('topics', () => {
  it("closes the connection of a publish outside the gateway's own prefix, and says so", async () => {
    setting = await setUp()
    const client = await setting.enter()
    client.publish('fh/1/gw-02/telemetry', '{}')
    await client.gone()
    expect(client.count('puback')).toBe(0)
    expect(setting.sentences[0]).toBe(
      'gw-01 (device:1) published to "fh/1/gw-02/telemetry": a gateway may publish below fh/1/gw-01/ only. Its connection was closed.'
    )
    expect(setting.journal.of('telemetry')).toEqual([])
    expect(setting.broker.counts.refused.value).toBe(1)
  })

  it('does not take a prefix for a path: gw-01 is not gw-011', async () => {
    setting = await setUp()
    const client = await setting.enter()
    client.publish('fh/1/gw-011/telemetry', '{}')
    await client.gone()
  })

  it('takes anything below the own prefix, so that its content is quarantined with a reason', async () => {
    setting = await setUp()
    const client = await setting.enter()
    const deep = `fh/1/gw-01/${'a/'.repeat(30)}telemetry`
    const long = `fh/1/gw-01/${'x'.repeat(300)}`
    for (const topic of ['fh/1/gw-01/T-101/telemetry', 'fh/1/gw-01/config', 'fh/1/gw-01/T-1/status', deep, long]) client.publish(topic, '{')
    client.publish('fh/1/gw-01/status', 'on')
    await vi.waitFor(() => expect(client.count('puback')).toBe(6), WAIT)
    expect(setting.journal.of('telemetry')).toEqual([
      'telemetry fh/1/gw-01/T-101/telemetry {',
      'telemetry fh/1/gw-01/config {',
      'telemetry fh/1/gw-01/T-1/status {',
      'telemetry fh/1/gw-01/a/a/a/a/a… {',
      `telemetry fh/1/gw-01/${'x'.repeat(242)}… {`,
      'telemetry fh/1/gw-01/status on'
    ])
  })

  it.each([
    ['broken UTF-8', Buffer.from([0xff, 0xfe])],
    ['NUL', Buffer.from([0])],
    ['a control character', Buffer.from([7])],
    ['a surrogate written as UTF-8', Buffer.from([0xed, 0xa0, 0x80])]
  ])('closes the connection for a topic with %s', async (_, bytes) => {
    setting = await setUp()
    const client = await setting.enter()
    const topic = Buffer.concat([Buffer.from('fh/1/gw-01/T'), bytes])
    const body = Buffer.concat([Buffer.from([0, topic.length]), topic, Buffer.from([0, 1]), Buffer.from('{}')])
    client.bytes(Buffer.concat([Buffer.from([0x32, body.length]), body]))
    await client.gone()
    expect(setting.journal.of('telemetry')).toEqual([])
    expect(setting.broker.counts.refused.value).toBe(1)
  })

  it('counts a publish to a topic with wildcards as refused', async () => {
    setting = await setUp()
    const client = await setting.enter()
    client.publish('fh/1/gw-01/+/telemetry', '{}')
    await client.gone()
    expect(setting.broker.counts.refused.value).toBe(1)
  })
})

describe('subscriptions', () => {
  it('are granted below the own prefix only; shared ones are refused', async () => {
    setting = await setUp()
    const client = await setting.enter()
    const wanted = ['fh/1/gw-01/rejects', 'fh/1/gw-01/#', '$share/g/fh/1/gw-01/#', 'fh/1/gw-02/#', '#', 'fh/1/+/telemetry', '$SYS/#']
    expect(await client.subscribe(...wanted)).toEqual([1, 1, 128, 128, 128, 128, 128])
    expect(setting.sentences[0]).toBe(
      'gw-01 (device:1) may not subscribe: the filter "$share/g/fh/1/gw-01/#" asks for a shared subscription, which this broker does not have.'
    )
  })

  it('get what the own gateway publishes, and the rejects sent down to it', async () => {
    setting = await setUp()
    const listener = await setting.enter({ clientId: 'listener' })
    await listener.subscribe('fh/1/gw-01/#')
    const device = await setting.enter()
    device.publish(TELEMETRY, '{"n":1}')
    expect(await listener.next('publish')).toMatchObject({ topic: TELEMETRY, payload: Buffer.from('{"n":1}') })
    setting.broker.publish('fh/1/gw-01/rejects', '{"problem":"x"}')
    expect(await listener.next('publish')).toMatchObject({ topic: 'fh/1/gw-01/rejects', qos: 1 })
  })

  it('keep nothing of a refused filter for a kept session', async () => {
    setting = await setUp()
    const client = await setting.enter({ clean: false })
    expect(await client.subscribe('fh/1/gw-01/rejects', 'fh/1/gw-02/#')).toEqual([1, 128])
    client.cut()
    await vi.waitFor(() => expect(setting.broker.gatewayConnected('gw-01')).toBe(false), WAIT)
    const other = await setting.enter({ gateway: 'gw-02' })
    other.publish('fh/1/gw-02/telemetry', '{"secret":1}', 1, { retain: true })
    await other.next('puback')
    setting.broker.publish('fh/1/gw-01/rejects', '{"n":1}')
    const again = await setting.enter({ clean: false })
    expect(await again.next('publish')).toMatchObject({ topic: 'fh/1/gw-01/rejects' })
    await again.ping()
    expect(again.count('publish')).toBe(1)
  })
})

describe('client ids', () => {
  it('belong to their gateway: another gateway with the same one takes nothing over', async () => {
    setting = await setUp()
    const mine = await setting.enter({ clientId: 'plc' })
    const theirs = await setting.enter({ gateway: 'gw-02', clientId: 'plc' })
    await mine.ping()
    await theirs.ping()
    expect([mine.closed, theirs.closed]).toEqual([false, false])
  })
})

describe('the counters', () => {
  it('hold the loss identity at every scrape', async () => {
    setting = await setUp({ eager: false })
    const client = await setting.enter()
    client.together(() => {
      for (let i = 0; i < 10; i++) client.publish(TELEMETRY, '{}')
    })
    await vi.waitFor(() => expect(setting.journal.of('telemetry')).toHaveLength(10), WAIT)
    const identity = async (): Promise<number[]> => {
      const text = await setting.metrics.text()
      return ['received', 'journaled', 'refused'].map((name) =>
        Number(new RegExp(`^fenghuo_messages_${name}_total (\\d+)$`, 'm').exec(text)?.[1])
      )
    }
    expect(await identity()).toEqual([0, 0, 0])
    setting.journal.flush()
    expect(await identity()).toEqual([10, 10, 0])
    client.publish('elsewhere', '{}')
    await client.gone()
    expect(await identity()).toEqual([11, 10, 1])
    expect(await setting.metrics.text()).toContain('fenghuo_mqtt_refusals_total{reason="foreignTopic"} 1')
  })
})
