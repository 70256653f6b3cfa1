// A start that PostgreSQL holds up: it ends with a sentence, and with it the lease, so that another instance can take it.

import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { tankPlant } from '../app/tankPlant.ts'
import { LiveService, refusedStart } from '../liveService.ts'
import { openPostgres, type PostgresServer } from './postgresServer.ts'

let server: PostgresServer
const plant = tankPlant()

beforeAll(async () => {
  server = await openPostgres()
})
afterAll(async () => {
  await server?.close()
  plant.remove()
})

it('leaves nothing behind where the alarms cannot be read', { timeout: 120_000 }, async () => {
  const url = await server.database()
  const options = { config: plant.config, data: path.join(plant.folder, 'data'), env: { FENGHUO_POSTGRES_URL: url } }
  await (await LiveService.start(options)).stop()
  const held = server.run(url, 'begin; lock table alarms; select pg_sleep(600)').catch(() => [])
  const { code, output } = await refusedStart(options)
  expect([code, output]).toEqual([1, expect.stringContaining('PostgreSQL did not do it in time')])
  await server.run(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`
  )
  await held
  await (await LiveService.start(options)).stop()
})
