import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { History } from '../../src/history/history.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Random } from '../../src/platform/random.ts'
import { batchRows } from './child.ts'
import { DAY, NOON } from './someFleet.ts'

const SCRIPT = join(import.meta.dirname, 'child.ts')
let folder: string
let child: ChildProcess | null = null

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'))
})

afterEach(() => {
  child?.kill('SIGKILL')
  child = null
  rmSync(folder, { recursive: true, force: true })
})

interface Heard {
  storedSeq: number
  troubles: string[]
  lines: number
}

function listen(process: ChildProcess): Heard {
  const heard: Heard = { storedSeq: 0, troubles: [], lines: 0 }
  createInterface({ input: process.stdout! }).on('line', (line) => {
    heard.lines++
    const [word, ...rest] = line.split(' ')
    if (word === 'stored') heard.storedSeq = Number(rest[0])
    else heard.troubles.push(rest.join(' '))
  })
  return heard
}

async function killed(process: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => process.once('close', resolve))
  process.kill('SIGKILL')
  await gone
}

/** Everything of batches 1 to `storedSeq`, and nothing else, is what history answers. */
async function expectExactly(storedSeqAtLeast: number): Promise<number> {
  const clock = new ManualClock(NOON + DAY)
  const history = new History({ folder, clock, log: silentLog, memoryMb: 256, threads: 1, retentionDays: null })
  await history.start()
  const { storedSeq } = history
  try {
    expect(storedSeq).toBeGreaterThanOrEqual(storedSeqAtLeast)
    const expected = Array.from({ length: 6 }, () => new Map<number, number>())
    for (let seq = 1; seq <= storedSeq; seq++) for (const [series, at, value] of batchRows(seq)) expected[series]!.set(at, value)
    for (let series = 0; series < 6; series++) {
      const stretch = {
        device: `D-${series >> 1}`,
        metric: series % 2 === 0 ? 'level_pct' : 'pressure_kpa',
        from: 0,
        to: NOON + DAY,
        limit: 10_000
      }
      const found = await history.readings(stretch)
      if (found.length === 10_000) found.push(...(await history.readings({ ...stretch, after: found.at(-1)!.at })))
      expect(new Map(found.map(({ at, value }) => [at, value]))).toEqual(expected[series])
      expect(found).toHaveLength(expected[series]!.size)
    }
  } finally {
    await history.stop()
  }
  return storedSeq
}

test('killed at any moment under load, every committed row is there once, and the position with it', async () => {
  const random = new Random(20_261_122)
  let storedSeq = 0
  for (let round = 0; round < 6; round++) {
    child = spawn(process.execPath, [SCRIPT, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    const heard = listen(child)
    const lines = random.between(2, 60)
    await vi.waitFor(() => expect(heard.lines).toBeGreaterThan(lines), { timeout: 30_000, interval: 1 })
    await killed(child)
    storedSeq = await expectExactly(Math.max(heard.storedSeq, storedSeq))
  }
  expect(storedSeq).toBeGreaterThan(50)
  expect(readdirSync(join(folder, 'days')).filter((name) => name.endsWith('.parquet')).length).toBeGreaterThan(2)
})

test('while files cannot grow nothing is lost, health says so, and it recovers by itself', async () => {
  child = spawn('/bin/sh', ['-c', `ulimit -S -f 4000; exec "${process.execPath}" "${SCRIPT}" "${folder}"`], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const heard = listen(child)
  const stuck = /^History cannot be stored in .*: make room or mend the disk; it is tried again each second, and the journal keeps/
  await vi.waitFor(() => expect(heard.troubles).toContainEqual(expect.stringMatching(stuck)), { timeout: 60_000, interval: 5 })
  const stuckAt = heard.storedSeq
  execFileSync('prlimit', [`--pid=${child.pid}`, '--fsize=unlimited'])
  await vi.waitFor(() => expect(heard.troubles.at(-1)).toBe('null'), { timeout: 20_000, interval: 5 })
  await vi.waitFor(() => expect(heard.storedSeq).toBeGreaterThan(stuckAt + 100), { timeout: 20_000, interval: 5 })
  await killed(child)
  await expectExactly(heard.storedSeq)
})
