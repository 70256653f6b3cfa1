// A backtest over more than the journal still holds: history tells what was told live where it holds all, and says what it
// cannot know, also while a service holds the days that are not closed yet.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { runBacktest } from '../../src/app/commands/backtest.ts'
import { loadPlant } from '../../src/app/config/load.ts'
import { ReadOnlyHistory } from '../../src/history/embeddedReading.ts'
import { ReadOnlyJournal } from '../../src/ingest/journal/readOnly.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LoopYard } from './loopYard.ts'
import { type TankPlant, TIMED_RULES, tankPlant } from './tankPlant.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')
const DAY = 86_400_000
let files: TankPlant
let clock: ManualClock

beforeEach(() => {
  files = tankPlant(TIMED_RULES, { silentAfter: '5s' })
  clock = new ManualClock(T0)
})

afterEach(() => files.remove())

const data = (): string => path.join(files.folder, 'data')

/** A journal that keeps little: what is older lies in history alone. */
function open(): Promise<LoopYard> {
  mkdirSync(data(), { recursive: true })
  const plant = loadPlant(path.dirname(files.config), {}).plant!
  return LoopYard.open({ folder: data(), plant, clock, segmentBytes: 4096, retention: { bytes: 4096, ageMs: 1 } })
}

async function sample(yard: LoopYard, at: number, device: string, values: object, ts = at): Promise<void> {
  clock.moveTo(at)
  await yard.settled()
  await yard.put('telemetry', `fh/1/gw-${Number(device.slice(2)) % 2}/telemetry`, { device, ts, values })
  await yard.settled()
}

/** Levels up and down, a warm tank, faults, silences, now and then a late sample; restarts let the journal forget. */
async function live(from: number, seconds: number): Promise<void> {
  let yard = await open()
  for (let second = 0; second < seconds; second++) {
    const at = from + second * 1000
    await sample(yard, at, 'T-0', { level_pct: second % 20 < 10 ? 90 + (second % 7) : 60, temperature_c: second % 15 < 8 ? 65 : 20 })
    if (second % 9 < 3) await sample(yard, at + 300, 'T-1', { level_pct: 70 + second, temperature_c: second % 6 === 0 ? null : 30 })
    if (second % 11 === 10) await sample(yard, at + 400, 'T-0', { level_pct: 99 }, at - 2500)
    if (second % 30 === 29) {
      await yard.history.flush()
      await yard.stop()
      yard = await open()
    }
  }
  clock.moveTo(clock.now() + 500)
  await yard.settled()
  await yard.history.flush()
  await yard.stop()
}

async function log(): Promise<string[]> {
  const yard = await open()
  const lines = await yard.log()
  await yard.stop()
  return lines
}

async function judged(options: { from?: number; to: number }): Promise<{ lines: string[]; said: string[] }> {
  const [lines, said]: [string[], string[]] = [[], []]
  const out = { log: (line: string) => void lines.push(line), error: (line: string) => void said.push(line) }
  const times = Object.fromEntries(Object.entries(options).map(([name, at]) => [name, new Date(at).toISOString()]))
  await runBacktest([], { fromData: data(), json: false, ...times }, {}, out)
  return { lines, said }
}

it('tells what was told live where the journal has let go of it, and from which source it knows', async () => {
  await live(T0, 120)
  const to = clock.now()
  const told = await log()
  expect((await ReadOnlyJournal.open(path.join(data(), 'journal'))).oldestSeq).toBeGreaterThan(50)
  const { lines, said } = await judged({ to })
  expect(told.length).toBeGreaterThan(30)
  expect(lines).toEqual(told)
  expect(said[0]).toMatch(
    /^The journal no longer reaches back that far: from 2026-01-01T00:00:00.000Z to 2026-01-01T00:0\S+ readings come from history,/
  )

  const from = T0 + 40_000
  const later = await judged({ from, to })
  expect(later.lines).toEqual(told.filter((line) => Date.parse(JSON.parse(line).at) >= from))

  const printed: string[] = []
  await runBacktest(
    [],
    { fromData: data(), to: new Date(to).toISOString(), json: true },
    {},
    { log: (line) => void printed.push(line), error: () => {} }
  )
  const { sources, samples, from: began } = JSON.parse(printed[0]!)
  expect(sources).toMatchObject([
    { source: 'history', from: '2026-01-01T00:00:00.000Z' },
    { source: 'journal', to: null }
  ])
  expect([began, samples > 120]).toEqual(['2026-01-01T00:00:00.000Z', true])
})

it('reads closed days while a service holds the open one, and names what is missing', async () => {
  await live(T0, 60)
  const days = path.join(data(), 'history', 'days')
  clock.moveTo(T0 + 2 * DAY)
  const yard = await open()
  await vi.waitFor(
    () => {
      clock.moveTo(clock.now() + 60_000)
      expect(existsSync(days) ? readdirSync(days) : []).toEqual(['2026-01-01.parquet'])
    },
    { timeout: 20_000, interval: 20 }
  )
  await yard.stop()
  await live(T0 + 3 * DAY, 90)
  const to = clock.now()
  const told = await log()
  expect((await judged({ to })).lines).toEqual(told)

  const holder = spawn(process.execPath, [
    '-e',
    `import('@duckdb/node-api').then(async ({ DuckDBInstance }) => { globalThis.held = await DuckDBInstance.create(${JSON.stringify(path.join(data(), 'history', 'open.duckdb'))}); console.log('held'); setInterval(() => {}, 1000) })`
  ])
  try {
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    const { lines, said } = await judged({ to })
    const firstDay = told.filter((line) => line.includes('"at":"2026-01-01'))
    expect(lines.slice(0, firstDay.length)).toEqual(firstDay)
    expect(said[0]).toMatch(
      /The running service holds the days that are not closed yet: readings from 2026-01-02T00:00:00.000Z to 2026-01-04T\S+ are missing; stop it to have them too\./
    )
  } finally {
    holder.kill()
  }
}, 60_000)

it('takes a folder without history for one that holds nothing, and names a damaged file', async () => {
  const history = await ReadOnlyHistory.open(path.join(files.folder, 'nowhere'))
  expect([history.oldestAt, history.closedUntil, history.locked]).toEqual([null, null, false])
  history.close()
  const damaged = path.join(files.folder, 'damaged')
  mkdirSync(damaged)
  writeFileSync(path.join(damaged, 'open.duckdb'), 'no database at all, whatever its name says. '.repeat(500))
  await expect(ReadOnlyHistory.open(damaged)).rejects.toThrow(/^The history in .*damaged cannot be read \(.+\): move a damaged file away/)
})
