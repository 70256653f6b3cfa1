// Several processes that send: real `fenghuo courier` beside a service, over a real PostgreSQL and a real Redis, to a carrier with a
// ledger. Workers are killed, Redis is killed, flushed and stands still: each message is in the ledger once, or marked.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { RedisDispatcher } from '../../src/alerts/queues/bullmq.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { CourierYard } from '../alerts/courierYard.ts'
import { openPostgres, type PostgresServer } from './postgresServer.ts'
import { openRedis, type RedisServer } from './redisServer.ts'
import { WorkerProcess, workerPlant } from './workerProcess.ts'

const WAIT = { timeout: 90_000, interval: 50 }
let redis: RedisServer
let postgres: PostgresServer
let folder: string
let config: string
let url: string
let yard: CourierYard
const workers: WorkerProcess[] = []

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-workers-'))
  config = workerPlant(folder)
  redis = await openRedis()
  postgres = await openPostgres()
})
afterAll(async () => {
  await redis?.close()
  await postgres?.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  await redis.flush()
  url = await postgres.database()
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.kill()))
  await yard?.close()
})

/** The service's courier, which leaves sending to the workers. */
async function service(): Promise<void> {
  const dispatcher = (): RedisDispatcher =>
    new RedisDispatcher({ url: redis.url, clock: new SystemClock(), log: silentLog, fetches: false })
  yard = await CourierYard.open({ dispatcher, where: url, beside: { sends: false }, channel: { kind: 'webhook' }, carrierHost: '0.0.0.0' })
  await yard.start()
}

async function worker(): Promise<WorkerProcess> {
  const one = await WorkerProcess.start({ config, postgres: url, redis: redis.url })
  workers.push(one)
  return one
}

/** To one of several hosts, so that one host's bound is not what is measured. */
async function plan(from: number, count: number): Promise<void> {
  const { port } = new URL(yard.carrier.url)
  await yard.plan(
    ...Array.from({ length: count }, (_, i) =>
      yard.planned(`n-${from + i}`, {
        tier: i % 10 === 0 ? 'red' : 'yellow',
        channel: 'webhook',
        address: `http://127.0.0.${1 + (i % 4)}:${port}/in`
      })
    )
  )
}

const told = (count: number): Promise<void> =>
  vi.waitFor(() => expect(new Set(yard.carrier.ids()).size).toBeGreaterThanOrEqual(count), WAIT)

/** Each once, or marked; none missing; the journal has heard of all. */
async function complete(count: number): Promise<{ doubled: number; marked: number }> {
  await vi.waitFor(async () => expect(new Set(Object.values(await yard.states()))).toEqual(new Set(['sent'])), WAIT)
  await vi.waitFor(async () => expect((await yard.rows()).filter((row) => row.unreported === 1)).toEqual([]), WAIT)
  const times = new Map<string, number>()
  for (const id of yard.carrier.ids()) times.set(id, (times.get(id) ?? 0) + 1)
  const marked = new Set((await yard.rows()).flatMap((row) => (row.possible_duplicate === 1 ? [row.id] : [])))
  const doubled = [...times].filter(([, n]) => n > 1).map(([id]) => id)
  expect(times.size).toBe(count)
  expect(doubled.filter((id) => !marked.has(id))).toEqual([])
  expect(new Set(yard.reports.filter(({ state }) => state === 'sent').map(({ id }) => id)).size).toBe(count)
  return { doubled: doubled.length, marked: marked.size }
}

describe('delivery workers', () => {
  it('share what is due, and are seen', async () => {
    await service()
    await Promise.all([worker(), worker(), worker()])
    await vi.waitFor(() => expect(yard.roster?.workers()).toBe(3), WAIT)
    await plan(0, 600)
    expect(await complete(600)).toEqual({ doubled: 0, marked: 0 })
    await vi.waitFor(() => {
      const sent = (yard.roster?.list() ?? []).filter(({ role }) => role === 'worker').map((row) => row.sent)
      expect(sent.reduce((sum, one) => sum + one, 0)).toBe(600)
      expect(Math.min(...sent)).toBeGreaterThan(20)
    }, WAIT)
    const [first] = workers
    expect(await first?.stop()).toBe(0)
    await vi.waitFor(() => expect(yard.roster?.list().map(({ id }) => id)).not.toContain(first?.id), WAIT)
  })

  it('lose and double nothing of 5,000, two of them killed, Redis killed, restarted empty, flushed and standing still meanwhile', async () => {
    await service()
    const [first, second] = await Promise.all([worker(), worker(), worker()])
    await plan(0, 1_000)
    await told(200)
    await first?.kill()
    await redis.kill()
    await plan(1_000, 1_000)
    await told(1_300)
    await redis.restart()
    await worker()
    await plan(2_000, 1_000)
    await told(2_200)
    await redis.flush()
    await second?.kill()
    await plan(3_000, 1_000)
    await told(3_300)
    redis.stall(true)
    await plan(4_000, 1_000)
    await told(4_500)
    redis.stall(false)
    const { marked } = await complete(5_000)
    // No more than what two of them could have had in hand.
    expect(marked).toBeLessThanOrEqual(2 * 16)
  })

  it('that stands still loses its claims to others; what it sends afterwards is marked', async () => {
    await service()
    const slow = await worker()
    yard.carrier.treat = () => 'hold'
    await plan(0, 4)
    await vi.waitFor(() => expect(yard.carrier.ledger).toHaveLength(4), WAIT)
    slow.stall(true)
    yard.carrier.treat = () => 'take'
    await worker()
    await vi.waitFor(async () => expect(new Set(Object.values(await yard.states()))).toEqual(new Set(['sent'])), WAIT)
    slow.stall(false)
    yard.carrier.release()
    await vi.waitFor(() => expect(yard.roster?.workers()).toBe(2), WAIT)
    expect(await complete(4)).toEqual({ doubled: 4, marked: 4 })
  })

  it('refuses to start without what it needs, with a sentence, and ends where the store is of another version', async () => {
    await service()
    await expect(WorkerProcess.start({ config, postgres: url, redis: '' })).rejects.toThrow(
      'A delivery worker needs the queue on Redis: set notifications.redis (FENGHUO_REDIS_URL), as for the service.'
    )
    await expect(WorkerProcess.start({ config, postgres: '', redis: redis.url })).rejects.toThrow(
      'A delivery worker needs the outbox in PostgreSQL: set state.url (FENGHUO_POSTGRES_URL), as for the service.'
    )
    const empty = await postgres.database()
    await expect(WorkerProcess.start({ config, postgres: empty, redis: redis.url })).rejects.toThrow('is empty: start the service once')
    const one = await worker()
    await postgres.run(url, `insert into schema_migrations (name, timestamp) values ('9999-later', 'now')`)
    expect(await one.ended()).toBe(1)
    expect(one.output).toContain('was written by a newer Fenghuo (it has 9999-later)')
  })
})
