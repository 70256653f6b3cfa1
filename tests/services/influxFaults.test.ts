// InfluxDB in trouble under the whole loop: down, killed, cut off, slow, refusing, emptied. Our own ledger is what is sent: every
// reading is in InfluxDB once, none is lost, none is counted wrongly, and alarms come as if nothing were the matter.

import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { loadPlant } from '../../src/app/config/load.ts'
import type { InfluxServer } from '../../src/history/influx.ts'
import type { Plant } from '../../src/model/plant.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { LoopYard, type YardOptions } from '../app/loopYard.ts'
import { type TankPlant, tankPlant } from '../app/tankPlant.ts'
import { type InfluxForTests, openInflux } from './influxServer.ts'

/** The beginning of a day: InfluxDB holds fields to a type within a shard only, and its shards are whole days. */
const T0 = Math.floor(Date.now() / 86_400_000 - 2) * 86_400_000
let files: TankPlant
let plant: Plant
let server: InfluxForTests
let runs = 0
let database = ''
let straight: InfluxServer
const opened: LoopYard[] = []

beforeAll(async () => {
  server = await openInflux()
  files = tankPlant()
  plant = loadPlant(path.dirname(files.config), {}).plant!
})

afterAll(async () => {
  await server.close()
  files.remove()
})

afterEach(async () => {
  for (const yard of opened.splice(0)) await yard.stop().catch(() => undefined)
  straight?.close()
  server.proxy.mode = 'pass'
  server.proxy.delayMs = 0
})

function folder(): string {
  database = `faults-${++runs}`
  straight?.close()
  straight = server.client(database)
  const fresh = path.join(files.folder, `data-${runs}`)
  mkdirSync(fresh, { recursive: true })
  return fresh
}

async function open(where: string, options: Partial<YardOptions> = {}): Promise<LoopYard> {
  const yard = await LoopYard.open({ folder: where, plant, clock: new SystemClock(), influx: server.settings(database), ...options })
  opened.push(yard)
  return yard
}

async function close(yard: LoopYard): Promise<void> {
  opened.splice(opened.indexOf(yard), 1)
  await yard.stop()
}

/** The nth message: ten readings of T-0, one second apart. */
function message(n: number): object[] {
  return Array.from({ length: 10 }, (_, i) => ({ device: 'T-0', ts: T0 + (n * 10 + i) * 1000, values: { level_pct: (n * 10 + i) % 80 } }))
}

async function put(yard: LoopYard, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 20) {
    await Promise.all(Array.from({ length: Math.min(20, to - n) }, (_, i) => yard.put('telemetry', 'fh/1/gw-0/telemetry', message(n + i))))
  }
}

function expected(messages: number): [number, number, string][] {
  return Array.from({ length: messages * 10 }, (_, i) => [T0 + i * 1000, i % 80, 'good'])
}

async function caughtUp(yard: LoopYard): Promise<void> {
  await vi.waitFor(
    () => {
      expect(yard.loop.feed.pending).toBeGreaterThanOrEqual(0)
      expect([yard.loop.lag, yard.loop.feed.behind, yard.history.storedSeq]).toEqual([0, false, yard.journal.flushedSeq])
      expect(yard.loop.feed.pending).toBe(0)
    },
    { timeout: 60_000, interval: 20 }
  )
}

/** An alarm of T-1 is the only one there is. */
async function raised(yard: LoopYard): Promise<void> {
  const at = Date.now()
  await yard.put('telemetry', 'fh/1/gw-1/telemetry', { device: 'T-1', ts: at, values: { level_pct: 90 } })
  await yard.settled()
  expect((await yard.log()).map((line) => JSON.parse(line))).toMatchObject([
    { at: new Date(at).toISOString(), rule: 'level', device: 'T-1', from: 'clear', to: 'yellow' }
  ])
}

/** Total = stored + pending + dropped, and nothing of it pending. */
function ledger({ loop: { feed } }: LoopYard): Record<string, number> {
  return { total: feed.total, stored: feed.stored, pending: feed.pending, ...feed.drops }
}

async function failing(yard: LoopYard, sentence: RegExp): Promise<void> {
  await vi.waitFor(() => expect(yard.history.health()).toMatchObject({ state: 'away', problem: expect.stringMatching(sentence) }), {
    timeout: 20_000,
    interval: 20
  })
}

it('down at the start: the service starts, alarms come, and everything is stored once it is there', async () => {
  const where = folder()
  await server.kill()
  const yard = await open(where, { pendingRows: 100 })
  await put(yard, 0, 50)
  await raised(yard)
  await failing(yard, /^Readings cannot be stored in InfluxDB at http:\/\/127\.0\.0\.1:\d+ \(.+\): see that it runs/)
  await expect(yard.readings('T-0', 'level_pct')).rejects.toThrow(/does not answer this/)
  expect(ledger(yard)).toEqual({ total: 501, stored: 0, pending: 501, retention: 0, refused: 0 })
  await server.restart()
  await caughtUp(yard)
  expect(yard.history.health()).toMatchObject({ state: 'ok', problem: null })
  expect(await yard.readings('T-0', 'level_pct')).toEqual(expected(50))
  expect(ledger(yard)).toEqual({ total: 501, stored: 501, pending: 0, retention: 0, refused: 0 })
})

it('killed and started again under load, and cut off in the middle of writes: nothing is lost or stored twice', async () => {
  const yard = await open(folder(), { pendingRows: 2_000 })
  for (let round = 0; round < 6; round++) {
    await put(yard, round * 100, round * 100 + 50)
    if (round % 2 === 0) await server.kill()
    else server.proxy.cut()
    await put(yard, round * 100 + 50, round * 100 + 100)
    if (round % 2 === 0) await server.restart()
  }
  await caughtUp(yard)
  expect(await yard.readings('T-0', 'level_pct')).toEqual(expected(600))
  expect(ledger(yard)).toEqual({ total: 6000, stored: 6000, pending: 0, retention: 0, refused: 0 })
  const [counted] = await straight.query('SELECT count("level_pct") FROM /./')
  expect(counted?.flatMap(({ values }) => values.map(([, count]) => count))).toEqual([6000])
})

it('stopped while InfluxDB is down, the service goes on where it was', async () => {
  const where = folder()
  let yard = await open(where)
  await put(yard, 0, 20)
  await caughtUp(yard)
  await server.kill()
  await put(yard, 20, 60)
  await failing(yard, /^Readings cannot be stored/)
  await close(yard)
  yard = await open(where)
  await put(yard, 60, 80)
  await server.restart()
  await caughtUp(yard)
  expect(await yard.readings('T-0', 'level_pct')).toEqual(expected(80))
  expect(ledger(yard)).toMatchObject({ pending: 0, retention: 0, refused: 0 })
})

it('while it is down, the journal keeps what history still needs, however little it may otherwise keep', async () => {
  const where = folder()
  await server.kill()
  const bounds = { segmentBytes: 20_000, retention: { bytes: 40_000, ageMs: 1 }, pendingRows: 50 }
  for (let round = 0; round < 4; round++) {
    const yard = await open(where, bounds)
    await put(yard, round * 100, (round + 1) * 100)
    await yard.settled()
    expect(yard.journal.health().oldestSeq).toBe(1)
    await close(yard)
  }
  await server.restart()
  let yard = await open(where, bounds)
  await caughtUp(yard)
  expect(await yard.readings('T-0', 'level_pct')).toEqual(expected(400))
  await put(yard, 400, 410)
  await caughtUp(yard)
  await close(yard)
  yard = await open(where, bounds)
  expect(yard.journal.health().oldestSeq).toBeGreaterThan(1)
})

it('slow, then silent: alarms do not wait for it', async () => {
  const yard = await open(folder(), { pendingRows: 500 })
  server.proxy.delayMs = 400
  await put(yard, 0, 200)
  server.proxy.mode = 'hole'
  await put(yard, 200, 400)
  await raised(yard)
  expect(yard.loop.feed.pending).toBeGreaterThan(0)
  server.proxy.mode = 'pass'
  server.proxy.delayMs = 0
  server.proxy.cut()
  await caughtUp(yard)
  expect(await yard.readings('T-0', 'level_pct')).toEqual(expected(400))
  expect(ledger(yard)).toEqual({ total: 4001, stored: 4001, pending: 0, retention: 0, refused: 0 })
})

it('a field of another type there: that metric is dropped, counted and told; everything else is stored', async () => {
  const where = folder()
  await straight.command(`CREATE DATABASE "${database}"`)
  await straight.write(`tank,device=else level_pct=1i ${T0}`)
  const yard = await open(where)
  await put(yard, 0, 30)
  await yard.put('telemetry', 'fh/1/gw-0/telemetry', { device: 'T-0', ts: T0 + 600_000, values: { level_pct: 5, temperature_c: 20 } })
  await caughtUp(yard)
  expect(yard.sentences).toContainEqual(
    expect.stringMatching(
      /refuses level_pct of tank \(level_pct of tank is of type integer there and float here\): \d+ readings of it were dropped/
    )
  )
  expect(ledger(yard)).toEqual({ total: 302, stored: 1, pending: 0, retention: 0, refused: 301 })
  expect(await yard.readings('T-0', 'level_pct')).toEqual([])
  expect(await yard.readings('T-0', 'temperature_c')).toEqual([[T0 + 600_000, 20, 'good']])
  await failing(yard, /were dropped/)
})

it('readings older than what it keeps are dropped and counted, the others of the same write stored', async () => {
  const where = folder()
  await straight.command(`CREATE DATABASE "${database}" WITH DURATION 1d`)
  const yard = await open(where)
  await put(yard, 0, 10)
  const recent = Date.now() - 3_600_000
  await yard.put(
    'telemetry',
    'fh/1/gw-0/telemetry',
    Array.from({ length: 50 }, (_, i) => ({ device: 'T-0', ts: recent + i, values: { level_pct: i } }))
  )
  await caughtUp(yard)
  expect(ledger(yard)).toEqual({ total: 150, stored: 50, pending: 0, retention: 100, refused: 0 })
  expect((await yard.readings('T-0', 'level_pct')).map(([at]) => at)).toEqual(Array.from({ length: 50 }, (_, i) => recent + i))
})

it('emptied under the running service: what the journal holds is stored again', async () => {
  const yard = await open(folder())
  await put(yard, 0, 100)
  await caughtUp(yard)
  await server.kill()
  await put(yard, 100, 120)
  await failing(yard, /^Readings cannot be stored/)
  server.proxy.mode = 'refuse'
  await server.restart()
  server.proxy.mode = 'refuse'
  await straight.command(`DROP DATABASE "${database}"`)
  server.proxy.mode = 'pass'
  await put(yard, 120, 140)
  await caughtUp(yard)
  expect(yard.sentences).toContainEqual(expect.stringMatching(/has lost what was stored in it after seq 0 of the journal/))
  expect(await yard.readings('T-0', 'level_pct')).toEqual(expected(140))
  // What had been stored before is counted a second time.
  expect(ledger(yard)).toEqual({ total: 2400, stored: 2400, pending: 0, retention: 0, refused: 0 })
})

it('a server that wants a password says so, and is used with one', async () => {
  const guarded = await openInflux({ auth: true })
  try {
    const settings = guarded.settings('guarded')
    await guarded.client('guarded').command(`CREATE USER "keeper" WITH PASSWORD 'a:b c' WITH ALL PRIVILEGES`)
    const where = folder()
    let yard = await open(where, { influx: settings })
    await put(yard, 0, 5)
    await failing(yard, /does not let us in \(.+\): check FENGHUO_INFLUX_TOKEN/)
    await close(yard)
    yard = await open(where, { influx: { ...settings, token: 'keeper:a:b c' } })
    await caughtUp(yard)
    expect(await yard.readings('T-0', 'level_pct')).toEqual(expected(5))
    await close(yard)
  } finally {
    await guarded.close()
  }
})
