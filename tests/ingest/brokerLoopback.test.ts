// The broker on a real port, with the real journal, and mqtt.js on the other side.

import { mkdtemp, rm } from 'node:fs/promises'
import { connect as tcp } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Broker, type BrokerOptions } from '../../src/ingest/broker.ts'
import { Journal } from '../../src/ingest/journal/journal.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Metrics } from '../../src/platform/metrics.ts'
import { connectMqtt, type MqttOptions } from '../../src/platform/mqtt.ts'
import { Refusal } from '../../src/platform/problem.ts'
import { WAIT } from './brokerHarness.ts'

const clock = new SystemClock()
let folder: string
let journal: Journal
let broker: Broker

function options(port: number): BrokerOptions {
  const authenticate = async (id: string, secret: string): Promise<boolean> => id === 'gw-01' && secret === 'a/b@c'
  return { host: '127.0.0.1', port, clock, log: silentLog, metrics: new Metrics(), journal, authenticate }
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fenghuo-broker-'))
  journal = new Journal({ folder, clock, log: silentLog })
  await journal.start()
  broker = new Broker(options(0))
  await broker.start()
})

afterEach(async () => {
  await broker.stop()
  await journal.stop()
  await rm(folder, { recursive: true, force: true })
})

function url(credentials = 'gw-01:a%2Fb%40c'): string {
  return `mqtt://${credentials}@127.0.0.1:${broker.address?.port}`
}

async function sentenceOf(more: Partial<MqttOptions>): Promise<string> {
  const thrown = await connectMqtt({ url: url(), clock, ...more }).catch((cause: unknown) => cause)
  expect(thrown).toBeInstanceOf(Refusal)
  return (thrown as Refusal).message
}

async function bodies(): Promise<string[]> {
  const records = await journal.read(0, 100_000, 100_000_000)
  return records.filter(({ kind }) => kind === 'telemetry').map(({ body }) => Buffer.from(body).toString())
}

describe('publishing over a real socket', () => {
  it('has in the journal, in order, whatever was acknowledged', async () => {
    const publisher = await connectMqtt({ url: url(), clock, window: 100 })
    for (let i = 0; i < 2000; i++) {
      while (!publisher.offer('fh/1/gw-01/telemetry', `{"n":${i}}`)) expect(await publisher.room()).toBe(true)
      expect(publisher.inFlight).toBeLessThanOrEqual(100)
    }
    expect(await publisher.idle(10_000)).toBe(true)
    expect([publisher.sent, publisher.acknowledged]).toEqual([2000, 2000])
    await publisher.end()
    expect(await bodies()).toEqual(Array.from({ length: 2000 }, (_, i) => `{"n":${i}}`))
  })

  it('sends again after a loss what was not acknowledged, and loses nothing', async () => {
    const states: string[] = []
    const publisher = await connectMqtt({ url: url(), clock, window: 50, onState: (state) => void states.push(state) })
    let acknowledged = 0
    for (let i = 0; i < 500; i++) {
      await publisher.room()
      void publisher.publish('fh/1/gw-01/telemetry', `{"n":${i}}`).then((well) => void (acknowledged += well ? 1 : 0))
      if (i === 250) broker.disconnectGateway('gw-01')
    }
    await vi.waitFor(() => expect(acknowledged).toBe(500), { timeout: 20_000, interval: 20 })
    expect(states).toEqual(['lost', 'back'])
    await publisher.end()
    const unique = new Set(await bodies())
    expect(unique.size).toBe(500)
  })

  it('takes messages down to the gateway', async () => {
    const publisher = await connectMqtt({ url: url(), clock })
    const heard: string[] = []
    expect(await publisher.subscribe('fh/1/gw-01/rejects', (topic, payload) => void heard.push(`${topic} ${payload}`))).toBe(true)
    expect(await publisher.subscribe('fh/1/gw-02/rejects', () => {})).toBe(false)
    broker.publish('fh/1/gw-01/rejects', '{"problem":"unknown device"}')
    await vi.waitFor(() => expect(heard).toEqual(['fh/1/gw-01/rejects {"problem":"unknown device"}']), WAIT)
    await publisher.end()
  })

  it('ends with a will when cut, without one when ended', async () => {
    const will = { topic: 'fh/1/gw-01/status', payload: '{"online":false}' }
    const presence = async (): Promise<string[]> => {
      const records = await journal.read(0, 1000, 1_000_000)
      return records.filter(({ kind }) => kind === 'presence').map(({ body }) => Buffer.from(body).toString())
    }
    const polite = await connectMqtt({ url: url(), clock, will })
    await polite.end()
    const rude = await connectMqtt({ url: url(), clock, will })
    rude.cut()
    await vi.waitFor(async () => expect(await presence()).toEqual(['{"online":false,"why":"will"}']), WAIT)
  })
})

describe('what cannot work is a sentence', () => {
  it('for wrong credentials, nobody there, an unknown host, a wrong address', async () => {
    const at = `mqtt://127.0.0.1:${broker.address?.port}`
    expect(await sentenceOf({ password: 'wrong' })).toBe(`${at} refused the user name or password of gw-01.`)
    expect(await sentenceOf({ url: at })).toBe(`${at} does not let a client without a user name in.`)
    expect(await sentenceOf({ url: 'mqtt://a:b@127.0.0.1:1' })).toBe(
      'Nothing answers at mqtt://127.0.0.1:1. Is the service running, and is this its MQTT port?'
    )
    expect(await sentenceOf({ url: 'http://a:secret@x' })).toBe(
      '"http://a:***@x" is not an MQTT address. Write it like mqtt://gw-01:secret@127.0.0.1:1883.'
    )
  })

  it('for a port that is in use', async () => {
    const port = broker.address?.port as number
    const second = new Broker(options(port))
    await expect(second.start()).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use, so MQTT cannot be served there. Stop the program that uses it, or choose another port by FENGHUO_MQTT_PORT or mqtt.port in fenghuo.yaml.`
    )
    await second.stop()
  })
})

describe('stopping', () => {
  it('closes the port and the connections, and can be repeated', async () => {
    const port = broker.address?.port as number
    const publisher = await connectMqtt({ url: url(), clock })
    await broker.stop()
    await broker.stop()
    expect(broker.address).toBe(null)
    await vi.waitFor(() => expect(publisher.connected).toBe(false), WAIT)
    publisher.cut()
    const refused = await new Promise<string>((resolve) => {
      tcp(port, '127.0.0.1').once('error', (cause: NodeJS.ErrnoException) => resolve(String(cause.code)))
    })
    expect(refused).toBe('ECONNREFUSED')
  })
})
