// node tests/bench/deliveryWorkers.ts: notifications a second that 1, 2 and 3 delivery workers bring to a carrier on this machine.
// A program that prints figures; nothing here asserts a time.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { RedisDispatcher } from '../../src/alerts/queues/bullmq.ts'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { CourierYard } from '../alerts/courierYard.ts'
import { openPostgres } from '../services/postgresServer.ts'
import { openRedis } from '../services/redisServer.ts'
import { WorkerProcess, workerPlant } from '../services/workerProcess.ts'

const COUNT = 4_000
const clock = new SystemClock()
const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-bench-workers-'))
const config = workerPlant(folder)
const [redis, postgres] = [await openRedis(), await openPostgres()]

for (const count of [1, 2, 3]) {
  await redis.flush()
  const where = await postgres.database()
  const dispatcher = () => new RedisDispatcher({ url: redis.url, clock, log: silentLog, fetches: false })
  const yard = await CourierYard.open({ dispatcher, where, beside: { sends: false }, channel: { kind: 'webhook' }, carrierHost: '0.0.0.0' })
  await yard.start()
  const workers = await Promise.all(Array.from({ length: count }, () => WorkerProcess.start({ config, postgres: where, redis: redis.url })))
  const { port } = new URL(yard.carrier.url)
  const planned = Array.from({ length: COUNT }, (_, i) =>
    yard.planned(`n-${i}`, { channel: 'webhook', address: `http://127.0.0.${1 + (i % 8)}:${port}/in` })
  )
  const began = clock.monotonic()
  await yard.plan(...planned)
  while (yard.carrier.ledger.length < COUNT) await pause(clock, 10)
  const seconds = (clock.monotonic() - began) / 1000
  console.log(`${count} worker(s): ${COUNT} notifications in ${seconds.toFixed(1)} s, ${Math.round(COUNT / seconds)}/s`)
  await Promise.all(workers.map((worker) => worker.kill()))
  await yard.close()
}
await redis.close()
await postgres.close()
rmSync(folder, { recursive: true, force: true })
process.exit(0)
