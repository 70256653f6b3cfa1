// A Redis whose connections break while both ends of the queue are being built: they are built once, and nothing is left behind.

import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { RedisDispatcher } from '../../src/alerts/queues/bullmq.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { openRedis, type RedisServer } from './redisServer.ts'
import { TcpProxy } from './tcpProxy.ts'

const WAIT = { timeout: 30_000, interval: 10 }
/** To hand over, to fetch, and to wait for what comes. */
const CONNECTIONS = 3
let redis: RedisServer
let proxy: TcpProxy

beforeAll(async () => {
  redis = await openRedis()
  const { hostname, port } = new URL(redis.url)
  proxy = await TcpProxy.open(Number(port), hostname)
})
afterAll(async () => {
  await proxy?.close()
  await redis?.close()
})

it('builds its ends once, though the connection broke meanwhile, and leaves none behind', async () => {
  const url = new URL(redis.url)
  url.host = `127.0.0.1:${proxy.port}`
  const dispatcher = new RedisDispatcher({ url: url.href, clock: new SystemClock(), log: silentLog })
  proxy.delayMs = 150
  await dispatcher.start(async () => {})
  for (const before of [2, 4]) {
    await vi.waitFor(() => expect(proxy.connections).toBeGreaterThanOrEqual(before), WAIT)
    proxy.cut()
  }
  await vi.waitFor(() => expect(dispatcher.problem).toBeNull(), WAIT)
  await vi.waitFor(() => expect(proxy.standing).toBe(CONNECTIONS), WAIT)
  proxy.delayMs = 0
  expect(await dispatcher.offer([{ n: 1, kind: 'sms', tier: 4, dueAt: 0, tries: 0, host: '' }])).toBe(true)
  expect(proxy.standing).toBe(CONNECTIONS)
  await dispatcher.stop()
  await vi.waitFor(() => expect(proxy.standing).toBe(0), WAIT)
})
