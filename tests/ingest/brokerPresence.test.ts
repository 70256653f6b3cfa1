// When a gateway is offline, and when it is not.

import { afterEach, describe, expect, it, vi } from 'vitest'
import { LIMITS } from '../../src/platform/limits.ts'
import { type Setting, settle, setUp, WAIT } from './brokerHarness.ts'

let setting: Setting

afterEach(async () => {
  setting.journal.eager = true
  setting.journal.unflushedBytes = 0
  setting.journal.flush()
  await setting.broker.stop()
})

const STATUS = 'fh/1/gw-01/status'
const WILL = { topic: STATUS, payload: Buffer.from('{"online":false}'), qos: 1 as const, retain: true }

/** What the journal was told of gw-01. */
function told(): string[] {
  return setting.journal.of('presence').map((line) => line.slice('presence gw-01 '.length))
}

async function until(...lines: string[]): Promise<void> {
  await vi.waitFor(() => expect(told()).toEqual(lines), WAIT)
  await settle()
  expect(told()).toEqual(lines)
}

const ONLINE = '{"online":true,"why":"status"}'
const PUBLISHED = '{"online":true,"why":"published"}'
const LOST = '{"online":false,"why":"connection lost"}'

describe('presence', () => {
  it('is what the status topic says, acknowledged after the flush', async () => {
    setting = await setUp()
    const client = await setting.enter()
    client.publish(STATUS, '{"online": true}')
    await client.next('puback')
    client.publish(STATUS, '{"online": false}')
    await client.next('puback')
    await until(ONLINE, '{"online":false,"why":"status"}')
    expect(setting.journal.of('telemetry')).toEqual([])
    expect(setting.broker.counts.journaled.value).toBe(2)
  })

  it('ends with the will of a lost connection, once', async () => {
    setting = await setUp()
    const client = await setting.enter({ will: WILL })
    client.publish(STATUS, '{"online": true}')
    await client.next('puback')
    client.cut()
    await until(ONLINE, '{"online":false,"why":"will"}')
  })

  it('ends with a lost connection that left no will', async () => {
    setting = await setUp()
    const client = await setting.enter()
    client.cut()
    await until(LOST)
  })

  it('goes on after a clean DISCONNECT, with or without a will', async () => {
    setting = await setUp()
    const client = await setting.enter({ will: WILL })
    client.publish('fh/1/gw-01/telemetry', '{}')
    await client.next('puback')
    client.send({ cmd: 'disconnect' })
    await client.gone()
    await until(PUBLISHED)
  })

  it('goes on while another connection of the gateway lives, unless a will says otherwise', async () => {
    setting = await setUp()
    const first = await setting.enter({ clientId: 'first' })
    const second = await setting.enter({ clientId: 'second', will: WILL })
    await setting.enter({ clientId: 'third' })
    first.cut()
    await until()
    second.cut()
    await until('{"online":false,"why":"will"}')
  })

  it('goes on when the same client id connects again', async () => {
    setting = await setUp()
    const first = await setting.enter({ will: WILL })
    first.publish(STATUS, '{"online": true}')
    await first.next('puback')
    const second = await setting.enter({ will: WILL })
    await first.gone()
    await until(ONLINE)
    const listener = await setting.enter({ clientId: 'listener' })
    await listener.subscribe(STATUS)
    await settle()
    expect(listener.count('publish')).toBe(0)
    second.cut()
    await until(ONLINE, '{"online":false,"why":"will"}')
  })

  it('returns with the next message after a will', async () => {
    setting = await setUp()
    const client = await setting.enter({ will: WILL })
    client.cut()
    await until('{"online":false,"why":"will"}')
    const again = await setting.enter({ will: WILL })
    await until('{"online":false,"why":"will"}')
    again.publish('fh/1/gw-01/telemetry', '{}')
    again.publish('fh/1/gw-01/telemetry', '{}')
    await again.next('puback')
    await until('{"online":false,"why":"will"}', PUBLISHED)
  })

  it('is kept as the retained status for those who subscribe later', async () => {
    setting = await setUp()
    const client = await setting.enter({ will: WILL })
    client.publish(STATUS, '{"online":true}', 1, { retain: true })
    await client.next('puback')
    const early = await setting.enter({ clientId: 'early' })
    await early.subscribe(STATUS)
    expect(await early.next('publish')).toMatchObject({ payload: Buffer.from('{"online":true}'), retain: true })
    client.cut()
    expect(await early.next('publish')).toMatchObject({ payload: Buffer.from('{"online":false}') })
    const late = await setting.enter({ clientId: 'late' })
    await late.subscribe(STATUS)
    expect(await late.next('publish')).toMatchObject({ payload: Buffer.from('{"online":false}'), retain: true })
  })

  it('ends when the gateway is disconnected by us, and when its keep-alive runs out', async () => {
    setting = await setUp()
    await setting.enter()
    setting.broker.disconnectGateway('gw-01')
    await until('{"online":false,"why":"disconnected"}')
    const silent = await setting.enter({ keepalive: 1 })
    await silent.gone()
    await until('{"online":false,"why":"disconnected"}', '{"online":false,"why":"keep-alive timeout"}')
  })

  it('is not touched by our own end', async () => {
    setting = await setUp()
    await setting.enter({ will: WILL })
    await setting.broker.stop()
    await until()
  })

  it('is owed while the journal has no room, and only the last word is told', async () => {
    setting = await setUp()
    setting.journal.unflushedBytes = LIMITS.mqtt.unflushedBytes
    for (let i = 0; i < 5; i++) {
      const client = await setting.enter({ will: WILL })
      client.cut()
      await vi.waitFor(() => expect(setting.broker.gatewayConnected('gw-01')).toBe(false), WAIT)
      await settle()
    }
    await until()
    setting.journal.unflushedBytes = 0
    const other = await setting.enter({ gateway: 'gw-02' })
    other.publish('fh/1/gw-02/telemetry', '{}')
    await other.next('puback')
    await vi.waitFor(() => expect(told()).toContain('{"online":false,"why":"will"}'), WAIT)
    expect(told().filter((line) => line.includes('will'))).toHaveLength(1)
  })
})
