// What is held for a backup: the journal's oldest part, snapshots and closed days stay, and the copy of the open rows is whole.
// Without the hold the same stretch of time deletes and writes them.

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { holdFor } from '../../src/app/backup/hold.ts'
import { loadPlant } from '../../src/app/config/load.ts'
import { History } from '../../src/history/history.ts'
import { journalPieces } from '../../src/ingest/journal/copy.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { silentLog } from '../../src/platform/log.ts'
import { LoopYard } from './loopYard.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')
const DAY = 86_400_000
let plant: TankPlant
let folder: string
let clock: ManualClock
let yard: LoopYard

beforeEach(async () => {
  plant = tankPlant()
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-hold-'))
  // A day later than what is sent: its day is closed once it has been quiet.
  clock = new ManualClock(T0 + DAY)
  yard = await LoopYard.open({
    folder,
    plant: loadPlant(path.dirname(plant.config), {}).plant!,
    clock,
    segmentBytes: 20_000,
    retention: { bytes: 1, ageMs: Number.MAX_SAFE_INTEGER }
  })
})

afterEach(async () => {
  await yard.stop()
  plant.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** Messages from `from` to `to`, judged and stored; then a snapshot, and what the loop deletes after it. */
async function round(from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    await yard.put('telemetry', 'fh/1/gw-0/telemetry', {
      device: 'T-0',
      ts: T0 + n * 1000,
      values: { level_pct: n % 80, temperature_c: n % 50 }
    })
  }
  await yard.settled()
  await yard.history.flush()
  const before = snapshots().at(-1)
  clock.moveTo(clock.now() + 31_000)
  await vi.waitFor(() => expect(snapshots().at(-1)).not.toBe(before), { timeout: 10_000, interval: 2 })
  await yard.settled()
  await yard.loop.hold()
}

function snapshots(): string[] {
  return readdirSync(path.join(folder, 'snapshots'))
    .filter((name) => name.endsWith('.snapshot'))
    .sort()
}

function days(): string[] {
  return readdirSync(path.join(folder, 'history', 'days'))
}

it('nothing a copy needs goes while it is held, and everything goes on afterwards', async () => {
  const { hold, release } = holdFor({ folder, loop: yard.loop, history: yard.history, journal: yard.journal })
  for (let n = 0; n < 4; n++) {
    await round(n * 200, n * 200 + 200)
    yard.loop.release()
  }
  const oldest = yard.journal.health().oldestSeq
  expect(oldest).toBeGreaterThan(1)
  const kept = snapshots()

  const held = await hold()
  expect(held.history?.seq).toBe(yard.history.storedSeq)
  expect(held.flushedSeq).toBe(yard.journal.flushedSeq)
  for (let n = 4; n < 8; n++) await round(n * 200, n * 200 + 200)
  clock.moveTo(clock.now() + LIMITS.history.dayQuietMs)
  expect(await yard.history.tend()).toEqual({ written: [], deleted: [] })
  expect(yard.journal.health().oldestSeq).toBe(oldest)
  expect(snapshots()).toEqual(expect.arrayContaining(kept))
  expect(days()).toEqual([])
  const pieces = await journalPieces(path.join(folder, 'journal'), held.flushedSeq)
  expect([pieces.from, pieces.to]).toEqual([oldest, held.flushedSeq])

  // The copy alone answers what was stored when it was made.
  const copied = mkdtempSync(path.join(tmpdir(), 'fenghuo-hold-copy-'))
  cpSync(held.history!.file, path.join(copied, 'open.duckdb'))
  const history = new History({ folder: copied, clock, log: silentLog, memoryMb: 128, threads: 1, retentionDays: null })
  await history.start()
  expect(history.storedSeq).toBe(held.history!.seq)
  const readings = await history.readings({ device: 'T-0', metric: 'level_pct', from: T0, to: T0 + DAY, limit: 10_000 })
  expect(readings.map(({ at }) => (at - T0) / 1000)).toEqual(Array.from({ length: 800 }, (_, n) => n))
  await history.stop()
  rmSync(copied, { recursive: true })

  await release()
  expect(existsSync(held.history!.file)).toBe(false)
  await round(1600, 1800)
  yard.loop.release()
  await round(1800, 2000)
  yard.loop.release()
  expect(yard.journal.health().oldestSeq).toBeGreaterThan(oldest)
  clock.moveTo(clock.now() + LIMITS.history.dayQuietMs)
  await yard.history.tend()
  expect(days()).toEqual(['2026-01-01.parquet'])
})
