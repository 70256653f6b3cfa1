// The courier of a service with two delivery workers beside it, each a process of its own, over PostgreSQL and Redis: the behaviour
// that every courier has.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { RedisDispatcher } from '../../src/alerts/queues/bullmq.ts'
import type { Dispatcher } from '../../src/alerts/queues/dispatcher.ts'
import { SharedTempo } from '../../src/alerts/queues/sharedTempo.ts'
import { OwnTempo } from '../../src/alerts/tempo.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { courierBehaviour } from '../alerts/courierBehaviour.ts'
import type { ChildJob } from './courierChild.ts'
import { openPostgres, type PostgresServer } from './postgresServer.ts'
import { openRedis, type RedisServer } from './redisServer.ts'

let redis: RedisServer
let postgres: PostgresServer

beforeAll(async () => {
  redis = await openRedis()
  postgres = await openPostgres()
})
afterAll(async () => {
  await redis?.close()
  await postgres?.close()
})

const dispatcher = (): RedisDispatcher => new RedisDispatcher({ url: redis.url, clock: new SystemClock(), log: silentLog })

const shared = (queue: Dispatcher): SharedTempo =>
  new SharedTempo({
    evaluate: (...call) => (queue as RedisDispatcher).evaluate(...call),
    id: 'service',
    own: new OwnTempo(new SystemClock())
  })

courierBehaviour('with two delivery workers beside it', dispatcher, {
  async options() {
    await redis.flush()
    return { where: await postgres.database(), beside: { sends: true }, tempo: shared }
  },
  async around(yard, { where = '', factor = 1, channel }) {
    const job = { postgres: where, redis: redis.url, factor, start: yard.clock.start, channel: { url: yard.carrier.url, ...channel } }
    const children = ['one', 'two'].map((id) => {
      const text = JSON.stringify({ id, ...job } satisfies ChildJob)
      return spawn(process.execPath, [path.join(import.meta.dirname, 'courierChild.ts'), text], { stdio: ['ignore', 'pipe', 'inherit'] })
    })
    await Promise.all(children.map(({ stdout }) => once(stdout, 'data')))
    return async () => {
      await Promise.all(
        children.map((child) => {
          child.kill('SIGKILL')
          return once(child, 'exit')
        })
      )
    }
  }
})
