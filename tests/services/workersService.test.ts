// The whole service with `notifications.deliver: workers` and `fenghuo courier` beside it, each a process of its own, over
// PostgreSQL, Redis and a carrier's SMPP: receipts and a reply on the worker's session move the ladder; a worker that is killed is
// replaced by the service, and takes over again.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { Carrier, type Treatment } from '../../simulators/carrier/carrier.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { type TankPlant, tankPlant } from '../app/tankPlant.ts'
import { LiveService, runFenghuo } from '../liveService.ts'
import { openPostgres, type PostgresServer } from './postgresServer.ts'
import { openRedis, type RedisServer } from './redisServer.ts'
import { WorkerProcess } from './workerProcess.ts'

const WAIT = { timeout: 60_000, interval: 50 }
const LI = '8600000000101'
const WANG = '8600000000102'
let plant: TankPlant
let folder: string
let postgres: PostgresServer
let redis: RedisServer
let url: string
let carrier: Carrier
let service: LiveService
let worker: WorkerProcess
let treat: (to: string) => Treatment = () => 'taken'

interface Told {
  readonly person: string
  readonly state: string
  readonly withheld: string | null
  readonly problem: string | null
  readonly possibleDuplicate: boolean
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-workers-service-'))
  plant = tankPlant('rules:\n  - { id: level, appliesTo: { profile: tank }, tiers: { red: { when: level_pct > limits.high_high } } }\n')
  // What goes to li is never delivered.
  carrier = new Carrier({
    clock: new SystemClock(),
    treat: ({ to }) => treat(to),
    receiptState: ({ to }) => (to === LI ? 'UNDELIV' : 'DELIVRD')
  })
  await carrier.start()
  plant.write(
    'fenghuo.yaml',
    `notifications: { deliver: workers }
channels: [{ id: sms, kind: sms, provider: smpp, host: 127.0.0.1, port: ${carrier.smppPort}, systemId: fenghuo, password: "env:HOOK_SECRET", source: "10690000" }]
`
  )
  plant.write(
    'duty.yaml',
    `zone: Asia/Shanghai
receipts: [sms]
people:
  - { id: li, name: { zh: 李, en: Li }, phone: "+${LI}" }
  - { id: wang, name: { zh: 王, en: Wang }, phone: "+${WANG}" }
ladders:
  - { id: all, appliesTo: {}, steps: [{ tell: [person:li], by: [sms] }, { after: 8h, tell: [person:wang], by: [sms] }] }
`
  )
  postgres = await openPostgres()
  redis = await openRedis()
  url = await postgres.database()
  const env = { FENGHUO_POSTGRES_URL: url, FENGHUO_REDIS_URL: redis.url, HOOK_SECRET: 'a-test-secret-of-some-length' }
  service = await LiveService.start({ config: plant.config, data: path.join(folder, 'data'), env })
  worker = await startWorker()
})

afterAll(async () => {
  await worker?.kill()
  await service?.kill()
  await carrier?.stop()
  await redis?.close()
  await postgres?.close()
  plant?.remove()
  rmSync(folder, { recursive: true, force: true })
})

const startWorker = (): Promise<WorkerProcess> => WorkerProcess.start({ config: plant.config, postgres: url, redis: redis.url })

async function raise(n: number): Promise<void> {
  const body = JSON.stringify({ device: `T-${n}`, ts: Date.now(), values: { level_pct: 99 } })
  expect((await service.telemetry(`gw-${n % 2}`, `secret-${n % 2}`, body)).status).toBe(202)
}

/** What was told of a device's alarm, the oldest first. */
async function told(n: number): Promise<Told[]> {
  const all = await service.all<Told & { readonly alarms: string[] }>('/api/v1/notifications')
  return all
    .filter(({ alarms }) => alarms.some((id) => id.includes(`/T-${n}#`)))
    .map(({ person, state, withheld, problem, possibleDuplicate }) => ({ person, state, withheld, problem, possibleDuplicate }))
    .toReversed()
}

async function problems(): Promise<string[]> {
  const { parts } = await service.get<{ parts: { part: string; problem: string | null }[] }>('/healthz')
  return parts.flatMap(({ part, problem }) => (part === 'delivery workers' ? [problem ?? ''] : []))
}

const senders = async (): Promise<{ role: string; alive: boolean; sends: boolean; sent: number }[]> =>
  (await service.get<{ items: { role: string; alive: boolean; sends: boolean; sent: number }[] }>('/api/v1/notifications/workers')).items

const undelivered = { person: 'li', state: 'failed', withheld: null, problem: 'it cannot be delivered (UNDELIV, error 000)' }
const delivered = { person: 'wang', state: 'delivered', withheld: null, problem: null, possibleDuplicate: false }

it('goes on with the ladder by the receipt of the worker, and takes a reply that the worker has heard', { timeout: 120_000 }, async () => {
  await vi.waitFor(() => expect(carrier.bound).toBe(1), WAIT)
  await raise(0)
  await vi.waitFor(async () => expect(await told(0)).toEqual([{ ...undelivered, possibleDuplicate: false }, delivered]), WAIT)
  carrier.reply(WANG, '1')
  await vi.waitFor(async () => {
    const { items } = await service.get<{ items: { acknowledged: { by: string } | null }[] }>('/api/v1/alarms?device=T-0&state=all')
    expect(items.map(({ acknowledged }) => acknowledged?.by)).toEqual(['wang'])
  }, WAIT)
  // All by the one session, which is the worker's; the reply is answered too.
  await vi.waitFor(() => expect(carrier.ledger.map(({ to }) => to)).toEqual([LI, WANG, WANG]), WAIT)
  expect([carrier.bound, await problems()]).toEqual([1, []])
  const doctor = await runFenghuo(['doctor', '--config', plant.config], serviceEnvironment())
  expect(doctor.output).toContain('delivery workers: 1 delivery worker is there.')
})

it('sends by the service ten seconds after the only worker was killed, marks what that one had in hand, and stops once one is back', {
  timeout: 180_000
}, async () => {
  treat = () => 'silent'
  await raise(1)
  await vi.waitFor(() => expect(carrier.ledger.filter(({ outcome }) => outcome === 'silent')).toHaveLength(1), WAIT)
  await worker.kill()
  treat = () => 'taken'
  await vi.waitFor(async () => expect((await problems())[0]).toMatch(/^No delivery worker is there\. The service will send/), WAIT)
  await vi.waitFor(
    async () => expect((await problems())[0]).toMatch(/^No delivery worker is there\. The service sends by itself meanwhile; start one/),
    WAIT
  )
  const doctor = await runFenghuo(['doctor', '--config', plant.config], serviceEnvironment())
  expect(doctor.output).toContain('delivery workers: No delivery worker is there, though')
  await vi.waitFor(async () => expect(await told(1)).toEqual([{ ...undelivered, possibleDuplicate: true }, delivered]), WAIT)
  expect(carrier.bound).toBe(1)
  worker = await startWorker()
  await vi.waitFor(
    async () =>
      expect(
        (await senders())
          .filter(({ alive }) => alive)
          .map(({ role, sends }) => `${role} ${sends}`)
          .toSorted()
      ).toEqual(['service false', 'worker true']),
    WAIT
  )
  // The service's session is closed; the worker's is there.
  await vi.waitFor(() => expect(carrier.unbound).toBe(1), WAIT)
  await raise(2)
  await vi.waitFor(async () => expect(await told(2)).toEqual([{ ...undelivered, possibleDuplicate: false }, delivered]), WAIT)
  await vi.waitFor(
    async () => expect((await senders()).find(({ role, alive }) => alive && role === 'worker')).toMatchObject({ alive: true, sent: 2 }),
    WAIT
  )
  expect([carrier.bound, await problems()]).toEqual([1, []])
})

function serviceEnvironment(): Record<string, string> {
  return {
    FENGHUO_POSTGRES_URL: url,
    FENGHUO_REDIS_URL: redis.url,
    HOOK_SECRET: 'a-test-secret-of-some-length',
    FENGHUO_DATA: path.join(folder, 'data')
  }
}
