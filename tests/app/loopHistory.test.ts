// History behind the loop: where it cannot keep up it catches up from the journal, without a gap, a repeat or a wrong count,
// and where the journal no longer reaches back, it says so and begins where the journal does.

import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { loadPlant } from '../../src/app/config/load.ts'
import type { Plant } from '../../src/model/plant.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { itInFile } from '../store/stateYard.ts'
import { LoopYard, type YardOptions } from './loopYard.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')
let files: TankPlant
let plant: Plant
let folders = 0

beforeAll(() => {
  files = tankPlant()
  plant = loadPlant(path.dirname(files.config), {}).plant!
})

afterAll(() => files.remove())

function open(folder: string, options: Partial<YardOptions> = {}): Promise<LoopYard> {
  mkdirSync(folder, { recursive: true })
  return LoopYard.open({ folder, plant, clock: new SystemClock(), ...options })
}

function fresh(): string {
  return path.join(files.folder, `data-${folders++}`)
}

/** The nth message: ten readings of T-0, one second apart, one of them of the message before. */
function message(n: number): object[] {
  return Array.from({ length: 10 }, (_, i) => ({ device: 'T-0', ts: T0 + (n * 9 + i) * 1000, values: { level_pct: (n * 9 + i) % 80 } }))
}

/** A few at a time, so that they are flushed and handed over in several groups. */
async function put(yard: LoopYard, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 20) {
    await Promise.all(Array.from({ length: Math.min(20, to - n) }, (_, i) => yard.put('telemetry', 'fh/1/gw-0/telemetry', message(n + i))))
  }
}

function expected(messages: number): [number, number, string][] {
  return Array.from({ length: messages * 9 + 1 }, (_, i) => [T0 + i * 1000, i % 80, 'good'])
}

function pending({ loop }: LoopYard): number {
  return loop.feed.total - loop.feed.stored
}

async function caughtUp(yard: LoopYard): Promise<void> {
  await vi.waitFor(
    () => {
      expect(pending(yard)).toBeGreaterThanOrEqual(0)
      expect([yard.loop.lag, yard.loop.feed.behind, yard.history.storedSeq]).toEqual([0, false, yard.journal.flushedSeq])
    },
    { timeout: 10_000, interval: 2 }
  )
}

it('catches up where the intake is faster than it stores', async () => {
  const yard = await open(fresh(), { pendingRows: 300 })
  let lowest = 0
  const watched = new SystemClock().every(1, () => {
    lowest = Math.min(lowest, pending(yard))
  })
  for (let round = 0; round < 4; round++) {
    await put(yard, round * 200, (round + 1) * 200)
    await caughtUp(yard)
  }
  watched.cancel()
  expect(lowest).toBe(0)
  expect(yard.sentences.filter((sentence) => /^history is behind the journal \(it cannot keep up/.test(sentence)).length).toBeGreaterThan(0)
  expect(yard.sentences.filter((sentence) => /^history has caught up/.test(sentence)).length).toBeGreaterThan(0)
  expect(await yard.readings('T-0', 'level_pct')).toEqual(expected(800))
  const { duplicates } = yard.loop.pipeline.intake.counts
  expect([yard.loop.feed.total, yard.loop.feed.stored, duplicates]).toEqual([800 * 10 - duplicates, 800 * 10 - duplicates, 799])
  await yard.stop()
})

it('stopped or killed while behind, it goes on where it was', async () => {
  const folder = fresh()
  let yard = await open(folder, { pendingRows: 50 })
  await put(yard, 0, 300)
  await vi.waitFor(() => expect(yard.loop.lag).toBe(0), { interval: 1 })
  await yard.stop()
  expect(yard.history.storedSeq).toBeLessThan(yard.journal.flushedSeq)
  yard = await open(folder, { pendingRows: 50 })
  expect(yard.sentences).toContainEqual(
    expect.stringMatching(/^history is behind the journal \(its last stored record lies before the snapshot\)/)
  )
  await put(yard, 300, 400)
  await caughtUp(yard)
  expect(await yard.readings('T-0', 'level_pct')).toEqual(expected(400))
  // What the start read again for history is counted with what arrived since.
  expect(pending(yard)).toBe(0)
  await yard.stop()
})

it('written anew where the journal has been pruned, it begins where the journal does, and says so', async () => {
  const folder = fresh()
  const bounds = { segmentBytes: 20_000, retention: { bytes: 60_000, ageMs: Number.MAX_SAFE_INTEGER } }
  for (let round = 0; round < 4; round++) {
    const yard = await open(folder, bounds)
    await put(yard, round * 100, (round + 1) * 100)
    await caughtUp(yard)
    await yard.stop()
  }
  const left = fresh()
  cpSync(folder, left, { recursive: true })
  rmSync(path.join(left, 'history'), { recursive: true })
  const yard = await open(left, bounds)
  const { oldestSeq } = yard.journal.health()
  expect(oldestSeq).toBeGreaterThan(1)
  await put(yard, 400, 410)
  await caughtUp(yard)
  const said = yard.sentences.find((sentence) => sentence.startsWith('The journal no longer holds'))
  const [, from, to] = /seq (\d+) to (\d+): readings received in them are missing from history/.exec(said ?? '') ?? []
  expect([Number(from), Number(to)]).toEqual([1, expect.any(Number)])
  // Record 1 is the plant, record n + 2 is message n: the first message that is kept follows the record that is missing last.
  const first = Number(to) - 1
  const readings = await yard.readings('T-0', 'level_pct')
  // Its first reading repeats the last one of the message before, and is known as a repeat.
  expect(readings).toEqual(expected(410).filter(([at]) => at > T0 + first * 9 * 1000))
  expect(readings.length).toBeGreaterThan(500)
  await yard.stop()
})

it('keeps the plants that a snapshot that is left or a record after it was judged by, and no other', async () => {
  const folder = fresh()
  const bounds = { segmentBytes: 20_000, retention: { bytes: 60_000, ageMs: Number.MAX_SAFE_INTEGER } }
  const kept = () => readdirSync(path.join(folder, 'plants')).sort()
  const hashes: string[] = []
  for (let round = 0; round < 6; round++) {
    const hash = `${round}`.repeat(64)
    const yard = await open(folder, { ...bounds, plant: { ...plant, hash } })
    await put(yard, round * 100, (round + 1) * 100)
    await caughtUp(yard)
    hashes.push(`${hash}.json`)
    const { oldestSeq } = yard.journal.health()
    if (oldestSeq === 1) expect(kept()).toEqual(hashes)
    await yard.stop()
    if (round < 5) continue
    expect(oldestSeq).toBeGreaterThan(1)
    // The two newest snapshots were taken at the end of the last two rounds.
    expect(kept()).toEqual(hashes.slice(-2))
  }
  const again = await open(folder, { ...bounds, plant: { ...plant, hash: '5'.repeat(64) } })
  await put(again, 600, 610)
  await caughtUp(again)
  await again.stop()
})

itInFile('a failing store of alarms ends the loop with a sentence where trying again would not help', async () => {
  const folder = fresh()
  const yard = await open(folder)
  const { DatabaseSync } = await import('node:sqlite')
  const other = new DatabaseSync(path.join(folder, 'state.db'))
  other.exec('update position set seq = seq + 5, last_event = last_event + 1')
  other.close()
  await yard.put('telemetry', 'fh/1/gw-0/telemetry', { device: 'T-0', ts: T0, values: { level_pct: 90 } })
  const failure = await yard.loop.failure
  expect(failure.message).toMatch(/^Another Fenghuo has written to this state store/)
  expect(yard.loop.problem).toBe(failure.message)
  await yard.stop()
})
