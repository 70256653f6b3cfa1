// Backup and restore of a service whose state is in PostgreSQL: the very same tests as over SQLite.

import { afterAll, describe } from 'vitest'
import { keepStateOnServer } from '../store/stateYard.ts'
import { openPostgres } from './postgresServer.ts'

const server = await openPostgres()
const databases = new Map<string, Promise<string>>()
keepStateOnServer((path) => {
  const known = databases.get(path) ?? server.database()
  databases.set(path, known)
  return known
})
afterAll(() => server.close())

describe('with its state in PostgreSQL', async () => {
  await import('../app/backup.test.ts')
})
