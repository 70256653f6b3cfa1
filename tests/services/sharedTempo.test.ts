// One pace for several processes, on a real Redis: together they send no faster, the more severe first; without Redis each takes its share.

import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { RedisDispatcher } from '../../src/alerts/queues/bullmq.ts'
import { SharedTempo } from '../../src/alerts/queues/sharedTempo.ts'
import { OwnTempo } from '../../src/alerts/tempo.ts'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { openRedis, type RedisServer } from './redisServer.ts'

const WAIT = { timeout: 20_000, interval: 20 }
const clock = new SystemClock()
let redis: RedisServer
let dispatcher: RedisDispatcher

beforeAll(async () => {
  redis = await openRedis()
  dispatcher = new RedisDispatcher({ url: redis.url, clock, log: silentLog, fetches: false })
  await dispatcher.start(async () => {})
  await vi.waitFor(() => expect(dispatcher.problem).toBeNull(), WAIT)
})
afterAll(async () => {
  await dispatcher?.stop()
  await redis?.close()
})

const tempo = (id: string): SharedTempo =>
  new SharedTempo({ evaluate: (...call) => dispatcher.evaluate(...call), id, own: new OwnTempo(clock, () => 4) })

it('lets several together send no faster than one may', async () => {
  const began = clock.monotonic()
  const sent = async (id: string): Promise<number> => {
    let count = 0
    while (clock.monotonic() - began < 2_000) {
      const { granted, waitMs } = await tempo(id).ask({ provider: 'a', perSecond: 50, tier: 2, most: 5 })
      count += granted
      await pause(clock, waitMs)
    }
    return count
  }
  const counts = await Promise.all(['one', 'two', 'three'].map(sent))
  const all = counts.reduce((sum, count) => sum + count, 0)
  const seconds = (clock.monotonic() - began) / 1000
  expect(all).toBeLessThanOrEqual(50 * seconds + 4)
  expect(all).toBeGreaterThan(50)
})

it('lets whoever waits with something more severe go first', async () => {
  const ask = (id: string, tier: number) => tempo(id).ask({ provider: 'b', perSecond: 20, tier, most: 1 })
  while ((await ask('blue', 1)).granted > 0);
  const { granted, waitMs } = await ask('red', 4)
  expect(granted).toBe(0)
  await pause(clock, waitMs + 1)
  expect((await ask('blue', 1)).granted).toBe(0)
  expect((await ask('red', 4)).granted).toBe(1)
})

it('is shared out while Redis is away, and one again when it is back, empty', async () => {
  await redis.kill()
  await vi.waitFor(() => expect(dispatcher.problem).not.toBeNull(), WAIT)
  const began = clock.monotonic()
  const own = tempo('one')
  let count = 0
  while (clock.monotonic() - began < 1_000) {
    const { granted, waitMs } = await own.ask({ provider: 'c', perSecond: 40, tier: 2, most: 5 })
    count += granted
    await pause(clock, waitMs)
  }
  expect(count).toBeLessThanOrEqual(10 * ((clock.monotonic() - began) / 1000) + 2)
  expect(count).toBeGreaterThan(2)
  await redis.restart()
  await vi.waitFor(() => expect(dispatcher.problem).toBeNull(), WAIT)
  expect((await own.ask({ provider: 'c', perSecond: 40, tier: 2, most: 1 })).granted).toBe(1)
})
