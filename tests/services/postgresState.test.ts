// The tests of everything that keeps state, over a real PostgreSQL: the very same tests as over SQLite. Those that copy the files
// of a killed process have their like in postgresFaults.test.ts and standby.test.ts.

import { afterAll, describe } from 'vitest'
import { openState } from '../../src/store/state.ts'
import { keepStateOnServer } from '../store/stateYard.ts'
import { openPostgres } from './postgresServer.ts'

const server = await openPostgres()
// Tables are made once and copied: making them again for each of hundreds of tests would take most of the time.
const template = await server.database()
await (await openState(template)).destroy()

const databases = new Map<string, Promise<string>>()
keepStateOnServer((path) => {
  const known = databases.get(path) ?? server.database(template)
  databases.set(path, known)
  return known
})

afterAll(() => server.close())

const SUITES = [
  '../access/access.test.ts',
  '../access/anchors.test.ts',
  '../access/audit.test.ts',
  '../access/users.test.ts',
  '../alerts/book.test.ts',
  '../alerts/bookLaws.test.ts',
  '../alerts/courier.test.ts',
  '../alerts/listings.test.ts',
  '../alerts/senders.test.ts',
  '../alerts/settledBefore.test.ts',
  '../api/access.test.ts',
  '../api/alarms.test.ts',
  '../api/audited.test.ts',
  '../api/duty.test.ts',
  '../api/kpi.test.ts',
  '../api/lifecycle.test.ts',
  '../api/links.test.ts',
  '../api/live.test.ts',
  '../api/notices.test.ts',
  '../api/notifications.test.ts',
  '../api/oidc.test.ts',
  '../api/people.test.ts',
  '../api/replies.test.ts',
  '../api/rules.test.ts',
  '../api/scopes.test.ts',
  '../api/states.test.ts',
  '../api/telemetry.test.ts',
  '../api/users.test.ts',
  '../app/amendDevices.test.ts',
  '../app/amendRules.test.ts',
  '../app/loopHistory.test.ts',
  '../app/loopLifecycle.test.ts',
  '../app/shadowRules.test.ts'
]

for (const suite of SUITES) {
  describe(suite.replace('../', ''), async () => {
    await import(suite)
  })
}
