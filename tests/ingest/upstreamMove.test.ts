// Former sessions are removed only once everything in them is on disk: not where the service stops meanwhile, and not where it
// merely does not read.

import { type AddressInfo, createServer, type Server } from 'node:net'
import { Aedes } from 'aedes'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type MoveParts, moveSessions } from '../../src/ingest/upstreamMove.ts'
import { ManualClock, SystemClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { type Delivery, type LinkEars, type MqttLink, openLink } from '../../src/platform/mqttLink.ts'
import { settingsFor, WAIT } from '../services/upstreamYard.ts'

let broker: Aedes
let server: Server
const sentences: string[] = []
const say = (sentence: string): void => void sentences.push(sentence)
const log = { debug: say, info: say, warn: say, error: say }

beforeEach(async () => {
  broker = await Aedes.createBroker()
  server = createServer(broker.handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  sentences.length = 0
  await new Promise<void>((resolve) => broker.close(resolve))
  server.close()
})

const settings = () => settingsFor(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, { protocol: 4 })

function session(clientId: string, publish: LinkEars['publish'] = () => {}): Promise<MqttLink> {
  const credentials = { username: null, password: null, ca: null, cert: null, key: null }
  const bounds = { keepAliveS: 20, expiryS: 60, inFlight: 10, longest: 1000, connectMs: 5_000, clock: new SystemClock() }
  const { address, protocol } = settings()
  return openLink({
    ...{ address, protocol, credentials, clientId, clean: false, ...bounds },
    ears: { publish, mayRead: () => true, lost() {} }
  })
}

/** A session that holds one message. */
async function formerSession(): Promise<void> {
  const link = await session('old-p00')
  await link.subscribe(['fh/1/gw/#'])
  await link.end()
  const message = { cmd: 'publish', topic: 'fh/1/gw/telemetry', payload: 'kept', qos: 1, retain: false, dup: false } as const
  await new Promise((resolve) => broker.publish(message, resolve))
}

/** What the session still holds. */
async function heldBy(clientId: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const link = await session(clientId, ({ frame }) => resolve(frame.body.toString()))
  const held = link.sessionPresent ? await promise : 'no session'
  link.cut()
  return held
}

function move(parts: Pick<MoveParts, 'clock' | 'hear' | 'mayRead' | 'isStopping'>): Promise<boolean> {
  return moveSessions({ settings: settings(), log, former: ['old-p00'], fresh: new Map([['new-p00', ['fh/1/#']]]), failed: say, ...parts })
}

it('leaves a session as it is where the service stops before its messages are on disk', async () => {
  await formerSession()
  let stopping = false
  const hear = (): void => void (stopping = true)
  expect(await move({ clock: new SystemClock(), hear, mayRead: () => true, isStopping: () => stopping })).toBe(false)
  expect(await heldBy('old-p00')).toBe('kept')
})

it('does not take a session for empty that it does not read', async () => {
  await formerSession()
  const clock = new ManualClock(0)
  const heard: Delivery[] = []
  let stopping = false
  let blocked = false
  const moving = move({
    clock,
    hear(delivery) {
      heard.push(delivery)
      blocked = true
    },
    mayRead: () => !blocked,
    isStopping: () => stopping
  })
  await vi.waitFor(() => expect(heard.map(({ frame }) => frame.body.toString())).toEqual(['kept']), WAIT)
  clock.moveTo(LIMITS.upstream.quietMs * 2)
  expect(sentences.filter((sentence) => sentence.includes('counts as empty'))).toEqual([])
  stopping = true
  clock.moveTo(LIMITS.upstream.quietMs * 2 + 1_000)
  expect(await moving).toBe(false)
})
