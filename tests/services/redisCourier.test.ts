// The courier with its queue on a real Redis: the same behaviour, and nothing lost or doubled when Redis dies, comes back empty,
// or stands still.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { RedisDispatcher } from '../../src/alerts/queues/bullmq.ts'
import { type Clock, SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { courierBehaviour } from '../alerts/courierBehaviour.ts'
import { CourierYard } from '../alerts/courierYard.ts'
import { openRedis, type RedisServer } from './redisServer.ts'

const WAIT = { timeout: 60_000, interval: 20 }
let redis: RedisServer

beforeAll(async () => {
  redis = await openRedis()
})
afterAll(() => redis?.close())

/** Redis runs by the wall's time, whatever the courier's clock does. */
const dispatcher = (_clock: Clock): RedisDispatcher => new RedisDispatcher({ url: redis.url, clock: new SystemClock(), log: silentLog })

courierBehaviour('on Redis', dispatcher)

describe('a Redis that fails', () => {
  it('loses and doubles nothing of 5,000 notifications, killed, restarted empty, flushed and standing still meanwhile', async () => {
    const yard = await CourierYard.open({ dispatcher })
    await yard.courier.start()
    const wanted: string[] = []
    const plan = async (count: number): Promise<void> => {
      const from = wanted.length
      const more = Array.from({ length: count }, (_, i) => yard.planned(`n-${from + i}`, { tier: i % 10 === 0 ? 'red' : 'yellow' }))
      wanted.push(...more.map(({ id }) => id))
      await yard.plan(...more)
    }
    const told = (count: number): Promise<void> => vi.waitFor(() => expect(yard.carrier.ledger.length).toBeGreaterThan(count), WAIT)
    const queueWorks = (): Promise<void> => vi.waitFor(() => expect(yard.dispatcher.problem).toBeNull(), WAIT)

    await queueWorks()
    await plan(1_000)
    await told(200)
    await redis.kill()
    await plan(1_000)
    await vi.waitFor(() => expect(yard.dispatcher.problem).toContain('Redis does not work as the notification queue'), WAIT)
    await told(1_999)
    await redis.restart()
    await queueWorks()
    await plan(1_000)
    await told(2_200)
    await redis.flush()
    await plan(1_000)
    await told(3_100)
    redis.stall(true)
    await plan(1_000)
    await told(4_999)
    redis.stall(false)
    await queueWorks()

    await vi.waitFor(async () => expect(new Set(Object.values(await yard.states()))).toEqual(new Set(['sent'])), WAIT)
    expect(yard.carrier.ids().toSorted()).toEqual(wanted.toSorted())
    expect((await yard.rows()).filter((row) => row.possible_duplicate === 1)).toEqual([])
    await yard.plan(yard.planned('after'))
    await vi.waitFor(() => expect(yard.carrier.ids().at(-1)).toBe('after'), WAIT)
    await yard.close()
  })

  it('that is not there at the start is done without, and used once it comes', async () => {
    await redis.kill()
    const yard = await CourierYard.open({ dispatcher })
    await yard.courier.start()
    await yard.plan(yard.planned('without'))
    await vi.waitFor(() => expect(yard.carrier.ids()).toEqual(['without']), WAIT)
    await redis.restart()
    await vi.waitFor(() => expect(yard.dispatcher.problem).toBeNull(), WAIT)
    await yard.plan(yard.planned('with'))
    await vi.waitFor(() => expect(yard.carrier.ids()).toEqual(['without', 'with']), WAIT)
    await yard.close()
  })
})
