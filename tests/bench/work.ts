// What a message costs, step by step, and the share that judging has in it: the service's own parts on one thread, fed with
// messages of 50 samples, one sample in a thousand alarming. And how long recorded data take to be judged.
// Run: node tests/bench/work.ts [folder with BATADAL_dataset03.csv and machine_temperature_system_failure.csv below it]

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Book } from '../../src/alerts/book.ts'
import { runBacktest } from '../../src/app/commands/backtest.ts'
import { Effects } from '../../src/app/effects.ts'
import { Pipeline } from '../../src/app/pipeline.ts'
import { History } from '../../src/history/history.ts'
import { Intake } from '../../src/ingest/intake.ts'
import { Journal } from '../../src/ingest/journal/journal.ts'
import type { Transition } from '../../src/model/alarm.ts'
import { numberFleet } from '../../src/model/fleet.ts'
import type { JournalRecord, Reject } from '../../src/model/journal.ts'
import { ReadingColumns } from '../../src/model/readings.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Random } from '../../src/platform/random.ts'
import { Engine } from '../../src/rules/engine.ts'
import { openState } from '../../src/store/state.ts'
import { plantOf, rule } from '../rules/world.ts'

const DEVICES = 10_000
const SAMPLES = 50
const ROUNDS = 30
const TURN = 500
const OPTIONS = { clockSkewMs: 300_000 }
const REPLAY = path.join(import.meta.dirname, '../../config/replay')

const plant = plantOf(
  [
    rule({ id: 'level', tiers: { yellow: { when: 'level_pct > limits.high', deadband: 2 }, red: { when: 'level_pct > 95', for: '2s' } } }),
    rule({ id: 'a', tiers: { yellow: { when: 'a > 500', for: '10s' }, red: { when: 'a > 900 && level_pct > 10' } } })
  ],
  Array.from({ length: DEVICES }, (_, i) => ({ id: `D-${i}` }))
)

/** All messages beforehand, with receipts a millisecond apart, ending now. */
function messages(): Buffer[] {
  const random = new Random(3)
  const began = Date.now() - (ROUNDS * DEVICES) / SAMPLES
  return Array.from({ length: (ROUNDS * DEVICES) / SAMPLES }, (_, n) => {
    const samples = Array.from({ length: SAMPLES }, (_, i) => {
      const level = random.next() < 0.001 ? 99 : Math.round(random.next() * 8000) / 100
      return { device: `D-${(n * SAMPLES + i) % DEVICES}`, ts: began + n, values: { level_pct: level, a: Math.round(random.next() * 400) } }
    })
    return Buffer.from(JSON.stringify(samples))
  })
}

async function work(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-work-'))
  const spent: Record<string, number> = {}
  const timed = async <T>(name: string, act: () => T | Promise<T>): Promise<T> => {
    const start = performance.now()
    const result = await act()
    spent[name] = (spent[name] ?? 0) + performance.now() - start
    return result
  }
  const clock = new SystemClock()
  const fleet = numberFleet(plant)
  const journal = new Journal({ folder: path.join(folder, 'journal'), clock, log: silentLog })
  const state = await openState(path.join(folder, 'state.db'))
  const book = new Book(state)
  const history = new History({
    folder: path.join(folder, 'history'),
    clock,
    log: silentLog,
    memoryMb: 256,
    threads: 1,
    retentionDays: null
  })
  await journal.start()
  await book.load()
  await history.start()
  history.setFleet(fleet)
  const bodies = messages()
  const pipeline = Pipeline.begin(plant, 0, Date.now() - 3_600_000, OPTIONS)
  const intake = new Intake(fleet, OPTIONS)
  const engine = new Engine(fleet, Date.now() - 3_600_000)
  const [effects, columns, rejects, out]: [Effects, ReadingColumns, Reject[], Transition[]] = [
    new Effects(),
    new ReadingColumns(4096),
    [],
    []
  ]
  for (let from = 0; from < bodies.length; from += TURN) {
    await timed('journal', () => {
      for (const body of bodies.slice(from, from + TURN)) journal.append('telemetry', 'fh/1/gw/telemetry', body, () => {})
    })
    // The flush itself waits for the disk and costs no processor.
    while (journal.flushedSeq < Math.min(from + TURN, bodies.length)) await new Promise((resolve) => setImmediate(resolve))
    const records: JournalRecord[] =
      journal.tail(from, TURN, Number.MAX_SAFE_INTEGER) ?? (await journal.read(from, TURN, Number.MAX_SAFE_INTEGER))
    // The pipeline as it is, and beside it its two dearest steps alone.
    effects.clear()
    await timed('pipeline', () => pipeline.take(records, effects))
    columns.clear()
    const rows: number[] = [0]
    await timed('decode and qualify', () => {
      for (const record of records) {
        intake.read(record, columns, rejects)
        rows.push(columns.length)
      }
    })
    await timed('judge and latch', () => {
      for (const [i, { receivedAt }] of records.entries()) engine.judge(columns, rows[i] as number, rows[i + 1] as number, receivedAt, out)
    })
    out.length = 0
    await timed('history (handing over)', () => history.offer(effects.readings, pipeline.position.seq))
    const { desk, notifications } = effects
    await timed('book', () => book.commit({ events: desk, rejects: [], notifications, position: pipeline.position, fleet }))
  }
  const { pipeline: whole = 0, ...steps } = spent
  const rest = whole - (steps['decode and qualify'] ?? 0) - (steps['judge and latch'] ?? 0)
  const all: [string, number][] = [...Object.entries(steps), ['desk, latest values, the rest of a turn', Math.max(0, rest)]]
  const sum = all.reduce((total, [, ms]) => total + ms, 0)
  console.log(
    `one message of ${SAMPLES} samples, 2 values each, without the broker: ${((sum * 1000) / bodies.length).toFixed(0)} µs of one core`
  )
  for (const [name, ms] of all.sort((a, b) => b[1] - a[1]))
    console.log(`  ${name.padEnd(42)} ${((100 * ms) / sum).toFixed(1).padStart(5)} %`)
  await history.stop()
  await state.destroy()
  await journal.stop()
  rmSync(folder, { recursive: true, force: true })
}

/** The file of that name, or its excerpt in the repository. */
function recorded(folder: string, name: string): string | null {
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  const found = names.find((file) => path.basename(file) === name)
  return found === undefined ? null : path.join(folder, found)
}

async function backtests(folder: string): Promise<void> {
  for (const [name, excerpt, map] of [
    ['BATADAL_dataset03.csv', 'BATADAL_test_dataset.excerpt.csv', 'batadal-test.map.yaml'],
    ['machine_temperature_system_failure.csv', 'machine_temperature_system_failure.excerpt.csv', 'nab.map.yaml']
  ] as const) {
    const file = recorded(folder, name) ?? (recorded(path.join(REPLAY, 'data'), excerpt) as string)
    let said = ''
    const start = performance.now()
    const options = { plant: path.join(REPLAY, 'plant'), map: path.join(REPLAY, map), json: false }
    await runBacktest([file], options, {}, { log: () => {}, error: (line) => void (said = line) })
    console.log(`backtest of ${path.basename(file)}: ${((performance.now() - start) / 1000).toFixed(2)} s, report included: ${said}`)
  }
}

await work()
await backtests(process.argv[2] ?? path.join(REPLAY, 'data'))
