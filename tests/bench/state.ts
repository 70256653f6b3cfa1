// Commits of the alarm book on SQLite and on PostgreSQL in one run: node tests/bench/state.ts. What one commit takes, and how many
// events go through in a second where commits are large.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Book } from '../../src/alerts/book.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { openState } from '../../src/store/state.ts'
import { happenings, turn, YARD } from '../alerts/yard.ts'
import { openPostgres } from '../services/postgresServer.ts'

const clock = new SystemClock()

async function measure(name: string, where: string, commits: number, events: number): Promise<void> {
  const state = await openState(where)
  const book = new Book(state)
  await book.load()
  const times: number[] = []
  const { seq } = book.position()
  const began = clock.monotonic()
  for (let n = 1; n <= commits; n++) {
    const turns = Array.from({ length: events }, (_, i) =>
      turn(`D-${i}`, seq * 1e6 + n * 1000 + i, seq * 1e6 + n * 1000 + i, 'clear', 'red')
    )
    const commit = { events: happenings(turns), rejects: [], position: { seq: seq + n, advancedTo: seq + n }, fleet: YARD }
    const from = clock.monotonic()
    await book.commit(commit)
    times.push(clock.monotonic() - from)
  }
  const seconds = (clock.monotonic() - began) / 1000
  times.sort((one, other) => one - other)
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(1)
  console.log(
    `${name}: ${commits} commits of ${events} events: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${Math.round((commits * events) / seconds)} events/s`
  )
  await state.destroy()
}

const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-bench-'))
const server = await openPostgres()
const url = await server.database()
for (const [commits, events] of [
  [200, 1],
  [30, 500]
] as const) {
  await measure('SQLite', path.join(folder, 'state.db'), commits, events)
  await measure('PostgreSQL', url, commits, events)
}
await server.close()
rmSync(folder, { recursive: true })
