// What history does, whatever it is kept in: the same tests run over the embedded store and over InfluxDB.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { History } from '../../src/history/history.ts'
import type { InfluxSettings } from '../../src/history/influxSettings.ts'
import { CLOCK_SKEWED, GOOD, LATE, OUT_OF_RANGE, SENSOR_FAULT } from '../../src/model/quality.ts'
import { ReadingColumns } from '../../src/model/readings.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { silentLog } from '../../src/platform/log.ts'
import { bruteBuckets, columnsOf, DAY, NOON, type Row, someFleet } from './someFleet.ts'

/** Where history is kept. */
export interface KeptIn {
  readonly lastInstant: number
  /** The server, with a database for this folder alone; null: the embedded store. */
  influx(folder: string): InfluxSettings | null
}

export function behavesAsHistory(kept: KeptIn): void {
  let folder: string
  let clock: ManualClock
  let history: History
  const opened: History[] = []

  function another(): History {
    const fresh = new History({
      folder,
      clock,
      log: silentLog,
      memoryMb: 256,
      threads: 1,
      retentionDays: null,
      influx: kept.influx(folder)
    })
    opened.push(fresh)
    return fresh
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "history [it's] "))
    clock = new ManualClock(NOON + 3_600_000)
    history = another()
    await history.start()
    history.setFleet(someFleet(3))
  })

  afterEach(async () => {
    for (const each of opened.splice(0)) await each.stop()
    rmSync(folder, { recursive: true })
  })

  const all = { device: 'D-0', metric: 'level_pct', from: 0, to: NOON + DAY, limit: 10_000 }

  async function put(throughSeq: number, rows: readonly Row[]): Promise<void> {
    expect(history.offer(columnsOf(rows), throughSeq)).toBe(true)
    await history.flush()
  }

  describe('what is stored', () => {
    test('comes back in time order with its value and quality; signs of life are not rows', async () => {
      await put(7, [
        [0, NOON, 71.25, GOOD],
        [-1, NOON + 500, Number.NaN],
        [0, NOON - 5000, 70, LATE],
        [0, NOON + 1000, 3e-300, CLOCK_SKEWED],
        [0, NOON + 2000, 1e12, OUT_OF_RANGE],
        [0, NOON + 3000, Number.NaN, SENSOR_FAULT],
        [0, NOON + 4000, -0.5, GOOD],
        [1, NOON, 101.3, GOOD]
      ])
      expect(await history.readings(all)).toEqual([
        { at: NOON - 5000, value: 70, quality: 'late' },
        { at: NOON, value: 71.25, quality: 'good' },
        { at: NOON + 1000, value: 3e-300, quality: 'clockSkewed' },
        { at: NOON + 2000, value: 1e12, quality: 'outOfRange' },
        { at: NOON + 3000, value: null, quality: 'sensorFault' },
        { at: NOON + 4000, value: -0.5, quality: 'good' }
      ])
      expect(await history.readings({ ...all, metric: 'pressure_kpa' })).toEqual([{ at: NOON, value: 101.3, quality: 'good' }])
      expect([history.storedSeq, history.storedRows, history.pendingRows]).toEqual([7, 7, 0])
    })

    test('is one reading per series and instant: the last in journal order, unless it came late', async () => {
      await put(1, [[0, NOON, 1]])
      await put(2, [
        [0, NOON, 2],
        [0, NOON, Number.NaN, SENSOR_FAULT],
        [1, NOON, 9]
      ])
      expect(await history.readings(all)).toEqual([{ at: NOON, value: null, quality: 'sensorFault' }])
      await put(3, [[0, NOON, 4]])
      expect(await history.readings(all)).toEqual([{ at: NOON, value: 4, quality: 'good' }])
    })

    test('is what came in time wherever anything did, however much comes late, in the same commit or any later one', async () => {
      const inTime: Row[] = Array.from({ length: 3000 }, (_, n) => [0, NOON + n * 1000, n])
      await put(1, inTime)
      const late: Row[] = Array.from({ length: 6000 }, (_, n) => [0, NOON + n * 500, -n, LATE])
      await put(2, [...late, [1, NOON, 7, LATE], [1, NOON + 1, 8, GOOD], [1, NOON + 1, 9, LATE], [0, NOON - DAY, 1, LATE]])
      await put(3, [
        [0, NOON + 500, -1e6, LATE],
        [0, NOON - DAY, 2, LATE]
      ])
      const expected = Array.from({ length: 6000 }, (_, n) => (n % 2 === 0 ? n / 2 : n === 1 ? -1e6 : -n))
      expect((await history.readings({ ...all, from: NOON })).map(({ value }) => value)).toEqual(expected)
      expect(await history.readings({ ...all, metric: 'pressure_kpa' })).toEqual([
        { at: NOON, value: 7, quality: 'late' },
        { at: NOON + 1, value: 8, quality: 'good' }
      ])
      expect(await history.buckets({ ...all, from: NOON - DAY, to: NOON + 1000, everyMs: DAY })).toMatchObject([
        { count: 1, last: 2 },
        { count: 2, min: -1e6, max: 0, last: -1e6 }
      ])
    })

    test('survives thousands of rows with faults anywhere, chunk by chunk', async () => {
      const rows: Row[] = []
      for (let n = 0; n < 70_000; n++) {
        if (n % 11 === 0) rows.push([-1, NOON, 0])
        rows.push([n % 6, NOON + n * 10, n % 97 === 0 ? Number.NaN : n / 8, n % 97 === 0 ? SENSOR_FAULT : n % 4])
      }
      await put(1, rows)
      expect(history.storedRows).toBe(70_000)
      for (const [series, device, metric] of [
        [0, 'D-0', 'level_pct'],
        [5, 'D-2', 'pressure_kpa']
      ] as const) {
        const expected = rows.filter((row) => row[0] === series).map(([, at, value]) => ({ at, value: Number.isNaN(value) ? null : value }))
        const found = [
          ...(await history.readings({ ...all, device, metric })),
          ...(await history.readings({ ...all, device, metric, after: expected[9_999]!.at }))
        ]
        expect(found.map(({ at, value }) => ({ at, value }))).toEqual(expected)
      }
    })

    test('holds an impossible instant at the bound instead of failing over it', async () => {
      await put(1, [
        [0, -5, 1],
        [0, 1e300, 2],
        [2, NOON, 3]
      ])
      expect(await history.readings({ ...all, to: Number.POSITIVE_INFINITY })).toMatchObject([
        { at: 0, value: 1 },
        { at: kept.lastInstant, value: 2 }
      ])
      expect(await history.readings({ ...all, device: 'D-1' })).toHaveLength(1)
    })

    test('is still there after a restart, with its position', async () => {
      await put(41, [[0, NOON, 5]])
      await history.stop()
      history = another()
      await history.start()
      expect([history.storedSeq, history.acceptedSeq, history.storedRows]).toEqual([41, 41, 0])
      expect(await history.readings(all)).toEqual([{ at: NOON, value: 5, quality: 'good' }])
    })

    test('keeps its series when another plant numbers them differently', async () => {
      await put(1, [
        [0, NOON, 1],
        [3, NOON, 2]
      ])
      history.offer(columnsOf([[0, NOON + 1, 3]]), 2)
      history.setFleet(someFleet(2, ['pressure_kpa', 'level_pct', 'flow_m3h'], 'E-'))
      history.offer(columnsOf([[0, NOON + 2, 4]]), 3)
      history.setFleet(someFleet(1, ['pressure_kpa', 'level_pct']))
      history.offer(columnsOf([[1, NOON + 3, 5]]), 4)
      await history.flush()
      expect((await history.readings(all)).map(({ value }) => value)).toEqual([1, 3, 5])
      expect(await history.readings({ ...all, device: 'E-0', metric: 'pressure_kpa' })).toMatchObject([{ value: 4 }])
      expect(await history.readings({ ...all, device: 'D-1', metric: 'pressure_kpa' })).toMatchObject([{ value: 2 }])
    })
  })

  describe('storing twice', () => {
    test('an offer that has been taken before is ignored wholly', async () => {
      await put(10, [[0, NOON, 1]])
      await put(10, [[0, NOON, 2]])
      await put(9, [[0, NOON + 1, 2]])
      expect(await history.readings(all)).toEqual([{ at: NOON, value: 1, quality: 'good' }])
      expect(history.storedRows).toBe(1)
    })

    test('an overlapping offer after a restart changes nothing but adds what is new', async () => {
      const rowsOf = (seq: number): Row[] => [
        [seq % 3, NOON + Math.floor(seq / 2) * 1000, seq],
        [2, NOON + 7, seq]
      ]
      for (let seq = 1; seq <= 20; seq += 4)
        await put(
          seq + 3,
          [0, 1, 2, 3].flatMap((n) => rowsOf(seq + n))
        )
      await history.stop()
      history = another()
      await history.start()
      history.setFleet(someFleet(3))
      await put(30, Array.from({ length: 20 }, (_, n) => rowsOf(11 + n)).flat())
      const expected = new Map<string, number>()
      for (let seq = 1; seq <= 30; seq++) for (const [series, at, value] of rowsOf(seq)) expected.set(`${series} ${at}`, value)
      const found = new Map<string, number | null>()
      for (const [series, metric] of [[0, 'level_pct'] as const, [1, 'pressure_kpa'] as const]) {
        for (const { at, value } of await history.readings({ ...all, metric })) found.set(`${series} ${at}`, value)
      }
      for (const { at, value } of await history.readings({ ...all, device: 'D-1' })) found.set(`2 ${at}`, value)
      expect(found).toEqual(expected)
    })
  })

  describe('when rows are committed', () => {
    test('after a moment, together; a full commit at once', async () => {
      history.offer(columnsOf([[0, NOON, 1]]), 1)
      history.offer(columnsOf([[0, NOON + 1, 2]]), 2)
      expect([history.pendingRows, history.storedSeq, history.acceptedSeq]).toEqual([2, 0, 2])
      clock.moveTo(clock.now() + LIMITS.history.commitMs)
      await history.flush()
      expect([history.pendingRows, history.storedSeq, history.storedRows]).toEqual([0, 2, 2])
    })

    test('a record without readings moves the position too', async () => {
      await put(5, [])
      await put(6, [[-1, NOON, Number.NaN]])
      expect([history.storedSeq, history.storedRows]).toEqual([6, 0])
    })

    test('a full queue is not taken, and says so, until it has been stored', async () => {
      const columns = new ReadingColumns(100_000)
      for (let row = 0; row < 100_000; row++) columns.push(0, row % 4 === 3 ? -1 : 0, NOON + row, row, GOOD, 1, 1)
      let seq = 0
      while (history.offer(columns, seq + 1)) seq++
      expect(seq).toBe(LIMITS.history.pendingRows / 100_000)
      expect([history.acceptedSeq, history.pendingRows]).toEqual([seq, 75_000 * seq])
      expect(history.health()).toMatchObject({ state: 'behind', problem: expect.stringContaining('from the journal') })
      await history.flush()
      expect(history.offer(columns, seq + 1)).toBe(true)
      expect(history.health()).toMatchObject({ state: 'ok', problem: null })
      await history.flush()
      expect([history.storedSeq, history.storedRows]).toEqual([seq + 1, 75_000 * (seq + 1)])
      expect((await history.readings({ ...all, from: NOON + 99_990 })).map(({ value }) => value)).toEqual([
        99990, 99992, 99993, 99994, 99996, 99997, 99998
      ])
    })

    test('stop stores what is pending; afterwards nothing is taken', async () => {
      history.offer(columnsOf([[0, NOON, 8]]), 3)
      await history.stop()
      expect(history.storedSeq).toBe(3)
      expect(history.offer(columnsOf([[0, NOON, 9]]), 4)).toBe(false)
      await expect(history.readings(all)).rejects.toThrow('not running')
      await history.stop()
      history = another()
      await history.start()
      expect(await history.readings(all)).toMatchObject([{ value: 8 }])
    })
  })

  describe('bounds', () => {
    test('readings are paged by a cursor without gap or repeat', async () => {
      const rows: Row[] = Array.from({ length: 2500 }, (_, n) => [0, NOON - n * 100 - (n % 7) * 1000 * 3600, n])
      await put(1, rows)
      const pages: number[] = []
      let after: number | undefined
      for (;;) {
        const page = await history.readings({ ...all, limit: 300, ...(after === undefined ? {} : { after }) })
        if (page.length === 0) break
        expect(page.length).toBeLessThanOrEqual(300)
        pages.push(...page.map(({ at }) => at))
        after = page.at(-1)!.at
      }
      expect(pages).toEqual([...new Set(rows.map(([, at]) => at))].sort((a, b) => a - b))
    })

    test('one answer never holds more than the bound, and nothing of what nobody stored', async () => {
      await put(
        1,
        Array.from({ length: 12_000 }, (_, n): Row => [0, NOON + n, n])
      )
      expect(await history.readings({ ...all, limit: 1e9 })).toHaveLength(LIMITS.history.rowsPerQuery)
      expect(await history.readings({ ...all, limit: 0 })).toEqual([])
      expect(await history.readings({ ...all, from: NOON, to: NOON + 5 })).toHaveLength(5)
      expect(await history.readings({ ...all, from: NOON, to: NOON })).toEqual([])
      expect(await history.readings({ ...all, from: Number.NaN })).toHaveLength(LIMITS.history.rowsPerQuery)
      for (const device of ['D-9', "D-0' OR '1'='1", '', '罐']) expect(await history.readings({ ...all, device })).toEqual([])
      expect(await history.buckets({ ...all, metric: "x'; DROP TABLE readings; --", from: NOON, to: NOON + 10, everyMs: 1 })).toEqual([])
      expect(await history.readings({ ...all, limit: 1 })).toEqual([{ at: NOON, value: 0, quality: 'good' }])
    })

    test('too many intervals are refused with the shortest one that fits', async () => {
      const week = { ...all, from: NOON - 7 * DAY, to: NOON }
      const refusal = (await history.buckets({ ...week, everyMs: 1000 }).catch((cause: unknown) => cause)) as Error
      expect(refusal.message).toBe(
        'every=1s would give 604800 intervals, and one answer holds 10000: ask for every=1m1s or longer, or for a shorter stretch of time'
      )
      expect(await history.buckets({ ...week, everyMs: 61_000 })).toEqual([])
      await expect(history.buckets({ ...week, everyMs: 0 })).rejects.toThrow('at least 1ms')
      await expect(history.buckets({ ...week, everyMs: 0.5 })).rejects.toThrow('whole milliseconds')
    })

    test('too many questions at once are refused, the others answered', async () => {
      await put(1, [[0, NOON, 1]])
      const asked = Array.from({ length: LIMITS.history.queriesWaiting + 5 }, () =>
        history
          .readings(all)
          .then((items) => items.length)
          .catch(() => 'refused')
      )
      const answers = await Promise.all(asked)
      expect(answers.filter((answer) => answer === 'refused')).toHaveLength(5)
      expect(answers.filter((answer) => answer === 1)).toHaveLength(LIMITS.history.queriesWaiting)
    })
  })

  describe('intervals', () => {
    test('hold only what rules may use: good, late and clockSkewed values', async () => {
      await put(1, [
        [0, NOON, 10, GOOD],
        [0, NOON + 1000, 30, LATE],
        [0, NOON + 59_999, 20, CLOCK_SKEWED],
        [0, NOON + 2000, 999, OUT_OF_RANGE],
        [0, NOON + 3000, Number.NaN, SENSOR_FAULT],
        [0, NOON + 120_000, 5, OUT_OF_RANGE],
        [0, NOON + 180_001, 7, GOOD]
      ])
      expect(await history.buckets({ ...all, from: NOON, to: NOON + 600_000, everyMs: 60_000 })).toEqual([
        { at: NOON, min: 10, max: 30, avg: 20, last: 20, count: 3 },
        { at: NOON + 180_000, min: 7, max: 7, avg: 7, last: 7, count: 1 }
      ])
    })

    test('a value replaced by a fault no longer counts', async () => {
      await put(1, [[0, NOON, 10]])
      await put(2, [[0, NOON, Number.NaN, SENSOR_FAULT]])
      expect(await history.buckets({ ...all, from: NOON, to: NOON + 1000, everyMs: 1000 })).toEqual([])
    })

    test('equal a calculation by hand, wherever the rows lie: open, in files, or both', async () => {
      const stored: Row[] = []
      let seq = 0
      const row = fc.tuple(
        fc.constantFrom(0, 1),
        fc.integer({ min: NOON - 3 * DAY, max: NOON }).map((at) => at - (at % 600_000)),
        fc.integer({ min: -1000, max: 1000 }),
        fc.constantFrom(GOOD, GOOD, LATE, CLOCK_SKEWED, OUT_OF_RANGE, SENSOR_FAULT)
      )
      await fc.assert(
        fc.asyncProperty(
          fc.array(row, { maxLength: 60 }),
          fc.boolean(),
          fc.integer({ min: 1, max: 40 * 3_600_000 }),
          fc.integer({ min: NOON - 4 * DAY, max: NOON + DAY }),
          fc.integer({ min: 0, max: 5 * DAY }),
          async (rows, close, everyMs, from, length) => {
            const faults = rows.map(
              ([series, at, value, quality]): Row => [series, at, quality === SENSOR_FAULT ? Number.NaN : value, quality]
            )
            stored.push(...faults)
            await put(++seq, faults)
            if (close) {
              clock.moveTo(clock.now() + LIMITS.history.dayQuietMs)
              await history.tend()
            }
            const to = from + Math.min(length, everyMs * 5000)
            expect(await history.buckets({ ...all, from, to, everyMs })).toEqual(bruteBuckets(stored, 0, from, to, everyMs))
          }
        ),
        { numRuns: 40, seed: 7 }
      )
    })
  })
}
