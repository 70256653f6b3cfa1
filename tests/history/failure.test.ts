import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { History } from '../../src/history/history.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Refusal } from '../../src/platform/problem.ts'
import { columnsOf, DAY, NOON, type Row, someFleet } from './someFleet.ts'

let folder: string
const clock = new ManualClock(NOON + DAY)
const opened: History[] = []

function make(workerFile?: URL): History {
  const history = new History({
    folder,
    clock,
    log: silentLog,
    memoryMb: 256,
    threads: 1,
    retentionDays: null,
    ...(workerFile === undefined ? {} : { workerFile })
  })
  opened.push(history)
  return history
}

async function refusalOf(history: History): Promise<string> {
  const cause = await history.start().catch((failure: unknown) => failure)
  expect(cause).toBeInstanceOf(Refusal)
  return (cause as Refusal).message
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'))
})

afterEach(async () => {
  for (const each of opened.splice(0)) await each.stop()
  rmSync(folder, { recursive: true, force: true })
})

const all = { device: 'D-0', metric: 'level_pct', from: 0, to: NOON + DAY, limit: 10_000 }

test('a database that is not one is refused, with what to do', async () => {
  writeFileSync(join(folder, 'open.duckdb'), 'no database at all '.repeat(1000))
  expect(await refusalOf(make())).toMatch(
    /^The history database .*open\.duckdb cannot be read \(.*\): move open\.duckdb and open\.duckdb\.wal away and start again/
  )
})

test('a write-ahead log damaged in the middle is refused; one that is torn at its end is cut', async () => {
  const first = make()
  await first.start()
  first.setFleet(someFleet(1))
  for (let seq = 1; seq <= 3; seq++) {
    first.offer(columnsOf(Array.from({ length: 500 }, (_, n): Row => [0, NOON + n, Math.sin(seq * n)])), seq)
    await first.flush()
  }
  // As a crash would leave the files.
  const wal = readFileSync(join(folder, 'open.duckdb.wal'))
  const database = readFileSync(join(folder, 'open.duckdb'))
  await first.stop()
  const damaged = Buffer.from(wal)
  damaged.fill(7, wal.length >> 1, (wal.length >> 1) + 20)
  writeFileSync(join(folder, 'open.duckdb'), database)
  writeFileSync(join(folder, 'open.duckdb.wal'), damaged)
  expect(await refusalOf(make())).toMatch(/cannot be read \(.*WAL.*\): move open\.duckdb and open\.duckdb\.wal away/)
  expect(readFileSync(join(folder, 'open.duckdb.wal'))).toEqual(damaged)
  writeFileSync(join(folder, 'open.duckdb.wal'), wal.subarray(0, wal.length - 100))
  const second = make()
  await second.start()
  expect(second.storedSeq).toBe(2)
  expect((await second.readings(all))[499]).toEqual({ at: NOON + 499, value: Math.sin(2 * 499), quality: 'good' })
})

test('a history in use by another process is refused, and named', async () => {
  const script = `import { DuckDBInstance } from '@duckdb/node-api'; const it = await DuckDBInstance.create(process.argv[1]); await it.connect(); console.log('open'); setInterval(() => it, 1000)`
  const other = spawn(process.execPath, ['--input-type=module', '-e', script, join(folder, 'open.duckdb')], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  try {
    await new Promise((resolve) => other.stdout.once('data', resolve))
    expect(await refusalOf(make())).toBe(
      `The history in ${folder} is in use by process ${other.pid}: stop that one, or give this service a data folder of its own`
    )
  } finally {
    other.kill('SIGKILL')
  }
})

test('a folder that cannot be made is refused', async () => {
  writeFileSync(join(folder, 'file'), '')
  folder = join(folder, 'file', 'history')
  expect(await refusalOf(make())).toMatch(/^The history folder .* cannot be written \(.*\): make it writable/)
  folder = join(folder, '..', '..')
})

test('a database file that cannot be opened is refused', async () => {
  mkdirSync(join(folder, 'open.duckdb'))
  expect(await refusalOf(make())).toContain('open.duckdb')
})

test('a database of a newer version is refused and stays as it is', async () => {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const first = make()
  await first.start()
  await first.stop()
  const instance = await DuckDBInstance.create(join(folder, 'open.duckdb'))
  const connection = await instance.connect()
  await connection.run('UPDATE position SET layout = 99')
  connection.closeSync()
  instance.closeSync()
  expect(await refusalOf(make())).toContain('newer version')
})

test('a worker that fails is started again once, and no row is lost or doubled', async () => {
  const history = make(new URL('./fragileWorker.ts', import.meta.url))
  const fail = new BroadcastChannel('history-fails')
  await history.start()
  history.setFleet(someFleet(2))
  const rowsOf = (seq: number): Row[] => Array.from({ length: 100 }, (_, n) => [0, NOON + seq * 100 + n, seq])
  for (let seq = 1; seq <= 20; seq++) history.offer(columnsOf(rowsOf(seq)), seq)
  await history.flush()
  let seq = 20
  for (; seq < 40; seq++) {
    history.offer(columnsOf(rowsOf(seq + 1)), seq + 1)
    clock.moveTo(clock.now() + LIMITS.history.commitMs)
    if (seq === 25) fail.postMessage('now')
    await new Promise((resolve) => setImmediate(resolve))
  }
  await history.flush()
  await vi.waitFor(async () => expect(await history.readings(all)).toHaveLength(4000))
  expect([history.storedSeq, history.storedRows, history.health().state]).toEqual([40, 4000, 'ok'])

  fail.postMessage('again')
  await vi.waitFor(() => expect(history.health().state).toBe('failing'))
  expect(history.health().problem).toContain('restart the service')
  expect(history.offer(columnsOf(rowsOf(41)), 41)).toBe(false)
  await expect(history.readings(all)).rejects.toThrow('restart the service')
  fail.close()
  await history.stop()
  const after = make()
  await after.start()
  expect(after.storedSeq).toBe(40)
  expect(await after.readings(all)).toHaveLength(4000)
})

test('starting and stopping twice is the same as once, and stopping before starting is nothing', async () => {
  const history = make()
  await history.stop()
  await history.start()
  await history.start()
  await history.stop()
  await history.stop()
  await history.start()
  expect(history.health()).toEqual({ state: 'ok', problem: null, storedSeq: 0, pendingRows: 0 })
})
