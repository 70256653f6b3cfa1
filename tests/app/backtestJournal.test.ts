// A backtest over what happened live tells what was told live: from the journal of a service, whole or in part, while it runs,
// after restarts, under plants that changed, and where the beginning has been let go.

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { backtest } from '../../src/app/backtest.ts'
import { type Bench, JournalSource } from '../../src/app/backtestSources.ts'
import { runBacktest } from '../../src/app/commands/backtest.ts'
import { loadPlant } from '../../src/app/config/load.ts'
import { ReadOnlyJournal } from '../../src/ingest/journal/readOnly.ts'
import { alarmEventLine } from '../../src/model/alarm.ts'
import type { Plant } from '../../src/model/plant.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import type { Log } from '../../src/platform/log.ts'
import { LiveService } from '../liveService.ts'
import { LoopYard } from './loopYard.ts'
import { type TankPlant, TIMED_RULES, tankPlant } from './tankPlant.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')
const AS_IT_WAS: Bench = { plant: null, change: null }
const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
let files: TankPlant
let clock: ManualClock

beforeEach(() => {
  files = tankPlant(TIMED_RULES, { silentAfter: '5s' })
  clock = new ManualClock(T0)
})

afterEach(() => files.remove())

function planted(): Plant {
  return loadPlant(path.dirname(files.config), {}).plant!
}

const data = (): string => path.join(files.folder, 'data')

async function open(more: { segmentBytes?: number; retention?: { bytes: number; ageMs: number } } = {}): Promise<LoopYard> {
  mkdirSync(data(), { recursive: true })
  return LoopYard.open({ folder: data(), plant: planted(), clock, ...more })
}

/** A sample of T-0, or of another tank, at that second; time passes until then. */
async function sample(yard: LoopYard, second: number, values: object, device = 'T-0', late = 0): Promise<void> {
  clock.moveTo(T0 + second * 1000)
  await yard.settled()
  const gateway = `gw-${Number(device.slice(2)) % 2}`
  await yard.put('telemetry', `fh/1/${gateway}/telemetry`, { device, ts: T0 + (second - late) * 1000, values })
  await yard.settled()
}

async function judged(options: { from?: number; to?: number; recordsPerRead?: number } = {}): Promise<string[]> {
  const { from = null, to = null, recordsPerRead } = options
  const source = await JournalSource.open({ data: data(), from, asItWas: true, log: silent, ...(recordsPerRead ? { recordsPerRead } : {}) })
  const lines: string[] = []
  const event = (_: number, told: Parameters<typeof alarmEventLine>[0]): void => void lines.push(alarmEventLine(told))
  await backtest([AS_IT_WAS], source, { from, to }, { begins: () => {}, event, problem: (line) => lines.push(line) })
  return lines
}

/** Delays, silences, a backlog, an offline gateway, an acknowledgement, a restart under another plant. */
async function live(): Promise<string[]> {
  let yard = await open()
  await sample(yard, 1, { level_pct: 90, temperature_c: 20 })
  await sample(yard, 2, { level_pct: 95, temperature_c: 70 })
  await sample(yard, 3, { level_pct: 70 }, 'T-3')
  await yard.put('action', 'anna', { id: `level/T-0#${T0 + 1000}`, action: 'acknowledge', note: 'seen' })
  await sample(yard, 6, { level_pct: 86, temperature_c: null })
  await sample(yard, 8, { level_pct: 99 }, 'T-2', 4)
  await sample(yard, 8, { level_pct: 60 }, 'T-2', 1)
  await yard.put('presence', 'gw-0', { online: false, why: 'will' })
  clock.moveTo(clock.now() + 3000)
  await yard.settled()
  await yard.stop()
  files.write('rules/level.yaml', TIMED_RULES.replace('level_pct > limits.high,', 'level_pct > 50,'))
  yard = await open()
  await sample(yard, 20, { level_pct: 55 })
  await sample(yard, 21, { level_pct: 40 })
  clock.moveTo(clock.now() + 9000)
  await yard.settled()
  const log = await yard.log()
  await yard.stop()
  return log
}

it('tells what was told, however it is read', async () => {
  const log = await live()
  expect(log.length).toBeGreaterThan(10)
  const to = clock.now()
  for (const recordsPerRead of [1, 2, 1000]) expect(await judged({ to, recordsPerRead })).toEqual(log)
})

it('tells any stretch of it, from a snapshot or from the beginning', async () => {
  const log = await live()
  const to = clock.now()
  const at = (line: string): number => Date.parse(JSON.parse(line).at)
  // The second start begins at 11 s; nothing in this log comes later than its own instant.
  for (const second of [5, 11, 15, 20, 25]) {
    const from = T0 + second * 1000
    const expected = log.filter((line) => at(line) >= from && !line.includes('T-2'))
    expect(
      (await judged({ from, to })).filter((line) => !line.includes('T-2')),
      `${second}`
    ).toEqual(expected)
    rmSync(path.join(data(), 'snapshots'), { recursive: true, force: true })
    expect(
      (await judged({ from, to })).filter((line) => !line.includes('T-2')),
      `${second}`
    ).toEqual(expected)
  }
})

it('sweeps a limit over it, under the plants that were in force, and shows it', async () => {
  await live()
  const [printed, said]: [string[], string[]] = [[], []]
  const out = { log: (line: string) => void printed.push(line), error: (line: string) => void said.push(line) }
  const html = path.join(files.folder, 'report.html')
  const to = new Date(clock.now()).toISOString()
  expect(await runBacktest([], { fromData: data(), to, sweep: 'level.yellow.limit=52..91:13', html, json: true }, {}, out)).toBe(true)
  // T-0: 90, 95, 86, 55, 40, one alarm under any of these; T-3: 70; T-2: 99 and 60.
  const { rows, written } = JSON.parse(printed[0]!).sweep as {
    rows: { limit: number; alarms: number; problem: string | null }[]
    written: string
  }
  expect(written).toBe('limits.high')
  expect(rows.map(({ limit, alarms, problem }) => [limit, alarms, problem])).toEqual([
    [52, 3, null],
    [65, 3, null],
    [78, 2, null],
    [91, 2, null]
  ])
  expect(readFileSync(html, 'utf8')).toContain('limits.high')
})

it('begins at the oldest snapshot where the journal has let its beginning go, and says so', async () => {
  let yard = await open({ segmentBytes: 4096, retention: { bytes: 4096, ageMs: 1 } })
  for (let second = 1; second <= 120; second++) {
    await sample(yard, second, { level_pct: second % 20 < 10 ? 90 : 60, temperature_c: 20 })
    if (second % 30 !== 0) continue
    clock.moveTo(clock.now() + 500)
    await vi.waitFor(async () => expect((await yard.readings('T-0', 'level_pct')).length).toBe(second), { timeout: 10_000, interval: 10 })
    await yard.stop()
    yard = await open({ segmentBytes: 4096, retention: { bytes: 4096, ageMs: 1 } })
  }
  const log = await yard.log()
  await yard.stop()
  const journal = await ReadOnlyJournal.open(path.join(data(), 'journal'))
  expect(journal.oldestSeq).toBeGreaterThan(1)
  const source = await JournalSource.open({ data: data(), from: null, asItWas: true, log: silent })
  expect(source.notice).toMatch(/no longer reaches back to its beginning: it is judged from record \d+ on/)
  const told = await judged({ to: clock.now() })
  expect(told.length).toBeGreaterThan(1)
  expect(log.slice(-told.length)).toEqual(told)
  await expect(journal.read(0, 10)).rejects.toThrow(/no longer in the journal/)
})

it('equals the log of the real service, which runs on, and leaves its folder as it is', async () => {
  const service = await LiveService.start({ config: files.config, data: data() })
  try {
    const post = (device: string, values: object): Promise<Response> =>
      service.telemetry(`gw-${Number(device.slice(2)) % 2}`, `secret-${Number(device.slice(2)) % 2}`, JSON.stringify({ device, values }))
    for (const level of [80, 90, 95, 84, 99]) expect((await post('T-0', { level_pct: level, temperature_c: 65 })).status).toBe(202)
    await post('T-3', { level_pct: 93, temperature_c: null })
    interface Event {
      readonly id: string
      readonly rule?: string
    }
    const events = (): Promise<Event[]> => service.all<Event>('/api/v1/alarm-events')
    // T-3 falls silent, T-0 stays warm: the clock alone raises both.
    const rules = ['level', 'lost', 'sensor', 'warm']
    await vi.waitFor(async () => expect([...new Set((await events()).map(({ rule }) => rule))].sort()).toEqual(rules), {
      timeout: 10_000,
      interval: 50
    })
    expect((await service.act((await events())[0]!.id, 'acknowledge', { note: 'seen' })).status).toBe(200)
    const log = await vi.waitFor(async () => {
      const found = await events()
      expect(found.some((event) => 'action' in event)).toBe(true)
      return found
    })
    const journal = path.join(data(), 'journal')
    const before = readdirSync(journal).map((name) => [name, statSync(path.join(journal, name)).mtimeMs])
    const [printed, said]: [string[], string[]] = [[], []]
    const out = { log: (line: string) => void printed.push(line), error: (line: string) => void said.push(line) }
    const to = new Date().toISOString()
    expect(await runBacktest([], { fromData: data(), to, json: false }, {}, out), said.join('\n')).toBe(true)
    expect(printed.map((line) => JSON.parse(line))).toEqual(log)
    expect(readdirSync(journal).map((name) => [name, statSync(path.join(journal, name)).mtimeMs])).toEqual(before)
    expect((await post('T-1', { level_pct: 10, temperature_c: 1 })).status).toBe(202)
    // Under other rules, over the same journal.
    const other = path.join(files.folder, 'other.yaml')
    files.write('../other.yaml', TIMED_RULES.replace('temperature_c > 60', 'temperature_c > 200'))
    const compared = await runBacktest(
      [],
      {
        fromData: data(),
        plant: path.dirname(files.config),
        rules: other,
        against: path.join(path.dirname(files.config), 'rules/level.yaml'),
        to,
        json: true
      },
      {},
      out
    )
    expect([compared, JSON.parse(printed.at(-1)!).comparison]).toMatchObject([true, { added: 0, removed: 1, earlier: 0, later: 0 }])
  } finally {
    await service.stop()
  }
})
