// Bringing tables up to date takes as long as it takes: neither the server nor we give it up.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { LIMITS } from '../../src/platform/limits.ts'
import { PostgresLink } from '../../src/store/postgres.ts'
import { openPostgres, type PostgresServer } from './postgresServer.ts'

/** Longer than anything else may take. */
const LONG_S = (LIMITS.postgres.statementMs + LIMITS.postgres.graceMs) / 1000 + 1
let server: PostgresServer

beforeAll(async () => {
  server = await openPostgres()
})
afterAll(() => server?.close())

it('waits for what takes longer than anything else may, and only for that', async () => {
  const link = new PostgresLink(await server.database(), { name: 'fenghuo test' })
  await link.open()
  const bound = () => link.use((query) => query<{ bound: string }>(`select current_setting('statement_timeout') as bound`))
  const slept = await link.unhurried(() => link.use((query) => query(`select 'slept' as it from pg_sleep(${LONG_S})`)))
  expect(slept.rows).toEqual([{ it: 'slept' }])
  expect((await bound()).rows).toEqual([{ bound: '15s' }])
  await link.end()
})
