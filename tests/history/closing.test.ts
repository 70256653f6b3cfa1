import { copyFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { History } from '../../src/history/history.ts'
import { LATE, SENSOR_FAULT } from '../../src/model/quality.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { silentLog } from '../../src/platform/log.ts'
import { columnsOf, DAY, NOON, type Row, someFleet } from './someFleet.ts'

const YESTERDAY = '2026-06-15.parquet'
let folder: string
let clock: ManualClock
let history: History
const opened: History[] = []

async function open(retentionDays: number | null = null): Promise<History> {
  history = new History({ folder, clock, log: silentLog, memoryMb: 256, threads: 1, retentionDays })
  opened.push(history)
  await history.start()
  history.setFleet(someFleet(2))
  return history
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'history-'))
  clock = new ManualClock(NOON + DAY)
  await open()
})

afterEach(async () => {
  for (const each of opened.splice(0)) await each.stop()
  rmSync(folder, { recursive: true })
})

async function store(throughSeq: number, rows: readonly Row[]): Promise<void> {
  expect(history.offer(columnsOf(rows), throughSeq)).toBe(true)
  await history.flush()
}

/** Lets time pass until everything closed is quiet; answers which files were written meanwhile. */
async function quietThenTend(): Promise<string[]> {
  const before = writtenAt()
  clock.moveTo(clock.now() + LIMITS.history.dayQuietMs)
  await history.tend()
  return [...writtenAt()].filter(([name, at]) => before.get(name) !== at).map(([name]) => name)
}

function writtenAt(): Map<string, number> {
  const days = join(folder, 'days')
  return new Map(
    readdirSync(days)
      .sort()
      .map((name) => [name, statSync(join(days, name)).mtimeMs])
  )
}

/** Value of every reading of a series, by what History answers. */
async function values(device = 'D-0', metric = 'level_pct'): Promise<(number | null)[]> {
  return (await history.readings({ device, metric, from: 0, to: NOON + 30 * DAY, limit: 10_000 })).map(({ value }) => value)
}

/** All rows of the given files as anyone with DuckDB sees them. */
async function outside(glob: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const reader = await connection.runAndReadAll(`SELECT device, metric, "at"::VARCHAR, value, quality FROM '${join(folder, 'days', glob)}'`)
  const rows = reader.getRows()
  connection.closeSync()
  instance.closeSync()
  return rows
}

test('a closed day becomes a file that anyone can read: sorted, one row per series and instant', async () => {
  await store(1, [
    [3, NOON + 1000, 4],
    [0, NOON + 1000, 2],
    [0, NOON, 1, LATE],
    [2, NOON, Number.NaN, SENSOR_FAULT],
    [0, NOON + 1000, 3],
    [0, NOON + DAY, 9]
  ])
  expect(await quietThenTend()).toEqual([YESTERDAY])
  expect(await outside('*.parquet')).toEqual([
    ['D-0', 'level_pct', '2026-06-15 12:00:00', 1, 'late'],
    ['D-0', 'level_pct', '2026-06-15 12:00:01', 3, 'good'],
    ['D-1', 'level_pct', '2026-06-15 12:00:00', null, 'sensorFault'],
    ['D-1', 'pressure_kpa', '2026-06-15 12:00:01', 4, 'good']
  ])
  expect(await values()).toEqual([1, 3, 9])
  expect(await quietThenTend()).toEqual([])
  await history.stop()
  const instance = await DuckDBInstance.create(join(folder, 'open.duckdb'))
  const connection = await instance.connect()
  expect((await connection.runAndReadAll('SELECT value FROM readings')).getRows()).toEqual([[9]])
  connection.closeSync()
  instance.closeSync()
})

test('the columns of a file are typed as they read', async () => {
  await store(1, [[0, NOON, 1]])
  await quietThenTend()
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const described = (
    await connection.runAndReadAll(`SELECT column_name, column_type FROM (DESCRIBE FROM '${join(folder, 'days', YESTERDAY)}')`)
  ).getRows()
  const written = (
    await connection.runAndReadAll(`SELECT name, logical_type FROM parquet_schema('${join(folder, 'days', YESTERDAY)}') WHERE name = 'at'`)
  ).getRows()
  const packed = (
    await connection.runAndReadAll(`SELECT DISTINCT compression FROM parquet_metadata('${join(folder, 'days', YESTERDAY)}')`)
  ).getRows()
  connection.closeSync()
  instance.closeSync()
  expect(described.map(([name]) => name)).toEqual(['device', 'metric', 'at', 'value', 'quality'])
  expect(described.map(([, type]) => String(type).replace(/_MS$/, ''))).toEqual(['VARCHAR', 'VARCHAR', 'TIMESTAMP', 'DOUBLE', 'VARCHAR'])
  expect(String(written[0]![1])).toContain('MILLIS')
  expect(packed).toEqual([['ZSTD']])
})

test('a day still receiving rows is not written yet', async () => {
  await store(1, [[0, NOON, 1]])
  clock.moveTo(clock.now() + LIMITS.history.dayQuietMs - 1)
  expect((await history.tend()).written).toEqual([])
  await store(2, [[0, NOON + 1, 2]])
  clock.moveTo(clock.now() + LIMITS.history.dayQuietMs - 1)
  expect((await history.tend()).written).toEqual([])
  clock.moveTo(clock.now() + 1)
  expect((await history.tend()).written).toEqual([YESTERDAY])
})

test('late rows are seen at once and merged into the file later, the last one winning', async () => {
  await store(1, [
    [0, NOON, 1],
    [0, NOON + 2000, 3]
  ])
  await quietThenTend()
  await store(2, [
    [0, NOON + 1000, 2, LATE],
    [0, NOON + 2000, Number.NaN, SENSOR_FAULT],
    [1, NOON + 5, 8]
  ])
  expect(await values()).toEqual([1, 2, null])
  expect(await quietThenTend()).toEqual([YESTERDAY])
  expect(await values()).toEqual([1, 2, null])
  expect((await outside('*.parquet')).map(([, , , value, quality]) => [value, quality])).toEqual([
    [1, 'good'],
    [2, 'late'],
    [null, 'sensorFault'],
    [8, 'good']
  ])
})

test('what came in time stands when the same comes again late, in the table and in the file', async () => {
  const inTime: Row[] = [
    [0, NOON, 1],
    [0, NOON + 1000, 2]
  ]
  await store(1, inTime)
  await store(2, [
    [0, NOON, 1, LATE],
    [0, NOON + 500, 7, LATE]
  ])
  const stand = [
    [1, 'good'],
    [7, 'late'],
    [2, 'good']
  ]
  const shown = async () =>
    (await history.readings({ device: 'D-0', metric: 'level_pct', from: 0, to: NOON + DAY, limit: 99 })).map(({ value, quality }) => [
      value,
      quality
    ])
  expect(await shown()).toEqual(stand)
  await quietThenTend()
  await store(
    3,
    inTime.map(([series, at, value]): Row => [series, at, value, LATE])
  )
  expect(await shown()).toEqual(stand)
  expect(
    await history.buckets({ device: 'D-0', metric: 'level_pct', from: NOON, to: NOON + 60_000, everyMs: 60_000, limit: 1 })
  ).toMatchObject([{ avg: 10 / 3, count: 3 }])
  expect(await quietThenTend()).toEqual([YESTERDAY])
  expect(await shown()).toEqual(stand)
  expect((await outside('*.parquet')).map(([, , , value, quality]) => [value, quality])).toEqual(stand)
})

test('recorded years make a file per month, and late rows of such a month go there', async () => {
  const rows: Row[] = []
  for (let day = 0; day < 800; day++) rows.push([0, Date.UTC(2016, 0, 1, 5) + day * DAY, day])
  await store(1, rows)
  expect(await values()).toEqual(rows.map(([, , value]) => value))
  expect(await quietThenTend()).toHaveLength(27)
  expect(readdirSync(join(folder, 'days')).sort().slice(0, 2)).toEqual(['2016-01.parquet', '2016-02.parquet'])
  expect(await values()).toEqual(rows.map(([, , value]) => value))
  await store(2, [[0, Date.UTC(2016, 1, 29, 6), -1]])
  expect(await quietThenTend()).toEqual(['2016-02.parquet'])
  expect((await values()).slice(58, 62)).toEqual([58, 59, -1, 60])
})

test('killed after the new file is in place and before its rows have left the table: nothing doubled, nothing lost', async () => {
  await store(1, [
    [0, NOON, 1],
    [0, NOON + 1000, 2]
  ])
  await history.stop()
  copyFileSync(join(folder, 'open.duckdb'), join(folder, 'before'))
  await open()
  await quietThenTend()
  await history.stop()
  copyFileSync(join(folder, 'before'), join(folder, 'open.duckdb'))
  await open()
  expect(await values()).toEqual([1, 2])
  const stretch = { device: 'D-0', metric: 'level_pct', from: NOON, to: NOON + 60_000, limit: 100 }
  expect(await history.buckets({ ...stretch, everyMs: 60_000 })).toMatchObject([{ count: 2, avg: 1.5 }])
  await store(2, [[0, NOON + 1000, 5]])
  expect(await values()).toEqual([1, 5])
  expect(await quietThenTend()).toEqual([YESTERDAY])
  expect(await values()).toEqual([1, 5])
  expect(await outside('*.parquet')).toHaveLength(2)
})

test('killed while writing: what is unfinished is removed and written again', async () => {
  await store(1, [[0, NOON, 1]])
  await history.stop()
  const unfinished = join(folder, 'days', `${YESTERDAY}.unfinished`)
  writeFileSync(unfinished, 'PAR1 half a file')
  await open()
  expect(existsSync(unfinished)).toBe(false)
  expect(await values()).toEqual([1])
  expect(await quietThenTend()).toEqual([YESTERDAY])
  expect(await values()).toEqual([1])
})

test('without its database the closed days still answer, and keep names the plant no longer has', async () => {
  await store(1, [
    [0, NOON, 1],
    [3, NOON, 7]
  ])
  await quietThenTend()
  await history.stop()
  rmSync(join(folder, 'open.duckdb'))
  await open()
  expect(history.storedSeq).toBe(0)
  history.setFleet(someFleet(1))
  expect(await values()).toEqual([1])
  await store(1, [[0, NOON + 1, 2]])
  expect(await quietThenTend()).toEqual([YESTERDAY])
  expect(await values()).toEqual([1, 2])
  expect(await values('D-1', 'pressure_kpa')).toEqual([7])
})

test('a damaged file is named, its late rows stay, and other days go on', async () => {
  await store(1, [[0, NOON, 1]])
  await quietThenTend()
  const path = join(folder, 'days', YESTERDAY)
  const whole = readFileSync(path)
  writeFileSync(path, 'damaged')
  await store(2, [
    [0, NOON + 1, 2],
    [0, NOON - DAY, 0]
  ])
  expect(await quietThenTend()).toEqual(['2026-06-14.parquet'])
  expect(history.health()).toMatchObject({ state: 'failing', problem: expect.stringContaining(YESTERDAY) })
  writeFileSync(path, whole)
  expect(await quietThenTend()).toEqual([YESTERDAY])
  expect(history.health()).toMatchObject({ state: 'ok', problem: null })
  expect(await values()).toEqual([0, 1, 2])
})

test('retention deletes whole files, counted from their last day and from their writing', async () => {
  await history.stop()
  await open(30)
  await store(1, [
    [0, NOON - DAY, 1],
    [0, NOON, 2],
    [0, Date.UTC(2016, 0, 1), 3]
  ])
  expect(await quietThenTend()).toEqual(['2016-01-01.parquet', '2026-06-14.parquet', YESTERDAY])
  const written = clock.now()
  const tendAt = async (at: number): Promise<readonly string[]> => {
    await history.stop()
    clock.moveTo(at)
    await open(30)
    return (await history.tend()).deleted
  }
  expect(await tendAt(written + 30 * DAY - 60_000)).toEqual([])
  expect(await values()).toEqual([3, 1, 2])
  expect(await tendAt(written + 30 * DAY)).toEqual(['2016-01-01.parquet', '2026-06-14.parquet', YESTERDAY])
  expect(await values()).toEqual([])
  expect(readdirSync(join(folder, 'days'))).toEqual([])
})

test('each minute is a round, by the clock', async () => {
  await store(1, [[0, NOON, 1]])
  clock.moveTo(clock.now() + LIMITS.history.dayQuietMs + 60_000)
  await history.tend()
  expect(await values()).toEqual([1])
  expect(readdirSync(join(folder, 'days'))).toEqual([YESTERDAY])
})

test('questions, commits and rounds side by side lose and double nothing', async () => {
  let seq = 0
  const rowsOf = (n: number): Row[] => Array.from({ length: 50 }, (_, k) => [0, NOON - (n % 3) * DAY + (n * 50 + k) * 100, n * 50 + k])
  const errors: unknown[] = []
  let asking = true
  let seen = 0
  const asker = (async () => {
    while (asking) {
      const items = await history.readings({ device: 'D-0', metric: 'level_pct', from: 0, to: NOON + DAY, limit: 10_000 })
      const through = history.storedSeq
      const instants = new Set(items.map(({ at }) => at))
      if (instants.size !== items.length) errors.push('doubled')
      if (items.length > 50 * (through + 1)) errors.push('too many')
      if (items.length < 50 * Math.max(0, seen)) errors.push(`lost: ${items.length} of ${50 * seen}`)
      seen = items.length / 50
    }
  })()
  for (let round = 0; round < 12; round++) {
    for (let n = 0; n < 10; n++) {
      history.offer(columnsOf(rowsOf(seq)), seq + 1)
      seq++
      clock.moveTo(clock.now() + LIMITS.history.commitMs)
    }
    await quietThenTend()
  }
  await history.flush()
  asking = false
  await asker
  expect(errors).toEqual([])
  expect((await values()).sort((a, b) => a! - b!)).toEqual(Array.from({ length: seq * 50 }, (_, n) => n))
})

test('a copy of the folder taken while it is stopped is a whole history', async () => {
  await store(5, [
    [0, NOON, 1],
    [0, NOON + DAY, 2]
  ])
  await quietThenTend()
  await history.stop()
  const copy = mkdtempSync(join(tmpdir(), 'history-'))
  cpSync(folder, copy, { recursive: true, preserveTimestamps: true })
  rmSync(folder, { recursive: true })
  folder = copy
  await open()
  expect(history.storedSeq).toBe(5)
  expect(await values()).toEqual([1, 2])
})
