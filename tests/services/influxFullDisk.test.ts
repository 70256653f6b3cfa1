// InfluxDB on a full disk: it answers 500 and may even show what it has not stored. Nothing counts as stored until it says so, and
// once there is room everything is there. On a small tmpfs: mounting one needs root.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { History } from '../../src/history/history.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { columnsOf, NOON, type Row, someFleet } from '../history/someFleet.ts'
import { type InfluxForTests, openInflux } from './influxServer.ts'
import { SmallDisk } from './smallDisk.ts'

let folder: string
let disk: SmallDisk
let data: string
let server: InfluxForTests

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-influx-disk-'))
  data = mkdtempSync(path.join(tmpdir(), 'fenghuo-influx-data-'))
  disk = new SmallDisk(folder, 48)
  mkdirSync(path.join(folder, 'influx'))
  server = await openInflux({ folder: path.join(folder, 'influx') })
})

afterAll(async () => {
  await server?.close()
  disk?.unmount()
  for (const one of [folder, data]) rmSync(one, { recursive: true, force: true })
})

function rows(from: number, to: number): Row[] {
  return Array.from({ length: to - from }, (_, n) => [0, NOON + (from + n) * 1000, (from + n) % 97])
}

it('stores nothing, says so, and stores all of it once there is room', async () => {
  const influx = server.settings('full')
  const history = new History({
    ...{ folder: data, clock: new SystemClock(), log: silentLog, memoryMb: 64, threads: 1, retentionDays: null, influx }
  })
  await history.start()
  history.setFleet(someFleet(1))
  history.offer(columnsOf(rows(0, 1000)), 1)
  await history.flush()
  disk.fill()
  history.offer(columnsOf(rows(1000, 6000)), 2)
  await vi.waitFor(
    () =>
      expect(history.health()).toMatchObject({ state: 'away', problem: expect.stringMatching(/^Readings cannot be stored in InfluxDB/) }),
    { timeout: 20_000, interval: 20 }
  )
  expect([history.storedSeq, history.storedRows]).toEqual([1, 1000])
  await server.kill()
  disk.makeRoom()
  await server.restart()
  await history.flush()
  expect([history.storedSeq, history.storedRows, history.drops]).toEqual([2, 6000, { retention: 0, refused: 0 }])
  const found = await history.readings({ device: 'D-0', metric: 'level_pct', from: 0, to: NOON * 2, limit: 10_000 })
  expect(found.map(({ at, value }) => [at, value])).toEqual(rows(0, 6000).map(([, at, value]) => [at, value]))
  await history.stop()
})
