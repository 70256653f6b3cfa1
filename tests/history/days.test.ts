import { describe, expect, test } from 'vitest'
import {
  DAY_MS,
  dayOf,
  daySpan,
  monthSpan,
  piecesOf,
  ripeSpans,
  spanOfFile,
  type WaitingDay,
  waitingSpans
} from '../../src/history/days.ts'
import { LIMITS } from '../../src/platform/limits.ts'

const day = (text: string): number => dayOf(Date.parse(text))
const waiting = (rows: number, since = 0, latest = since): WaitingDay => ({ rows, since, latest })
const names = (spans: readonly { span: { name: string } }[]): string[] => spans.map(({ span }) => span.name)

test('files are named after their day or month, and read back', () => {
  expect(daySpan(day('2026-11-22T23:59:59.999Z'))).toEqual({ name: '2026-11-22.parquet', firstDay: 20779, endDay: 20780 })
  expect(monthSpan(day('2024-02-29'))).toEqual({ name: '2024-02.parquet', firstDay: day('2024-02-01'), endDay: day('2024-03-01') })
  for (const span of [daySpan(day('2026-01-31')), daySpan(0), monthSpan(day('2025-12-31'))]) expect(spanOfFile(span.name)).toEqual(span)
  for (const name of ['2026-02-30.parquet', '2026-13.parquet', 'x.parquet', '2026-02-03.parquet.unfinished'])
    expect(spanOfFile(name)).toBeNull()
})

describe('which file waiting days go to', () => {
  const today = day('2026-11-22')

  test('recent days each to their own, today and later nowhere', () => {
    const days = new Map([today + 1, today, today - 1, today - 2].map((number) => [number, waiting(5)]))
    expect(names(waitingSpans(days, new Set(), today))).toEqual(['2026-11-20.parquet', '2026-11-21.parquet'])
  })

  test('several days of a month long past to one file, a single one to its own', () => {
    const days = new Map([day('2017-03-01'), day('2017-03-31'), day('2017-05-09')].map((number) => [number, waiting(5, 10)]))
    expect(waitingSpans(days, new Set(), today)).toEqual([
      { span: monthSpan(day('2017-03-01')), rows: 10, since: 10, latest: 10 },
      { span: daySpan(day('2017-05-09')), rows: 5, since: 10, latest: 10 }
    ])
  })

  test('thousands of recorded days make a few files', () => {
    const days = new Map(Array.from({ length: 3650 }, (_, n) => [day('2010-01-01') + n, waiting(480)]))
    expect(waitingSpans(days, new Set(), today)).toHaveLength(120)
  })

  test('a month of many rows to days; a month with day files to days; a month with a file of its own always there', () => {
    const many = new Map([day('2017-03-01'), day('2017-03-02')].map((number) => [number, waiting(LIMITS.history.rowsPerMonthFile)]))
    expect(names(waitingSpans(many, new Set(), today))).toEqual(['2017-03-01.parquet', '2017-03-02.parquet'])
    expect(names(waitingSpans(many, new Set(['2017-03.parquet']), today))).toEqual(['2017-03.parquet'])
    const few = new Map([day('2017-03-01'), day('2017-03-02')].map((number) => [number, waiting(1)]))
    expect(names(waitingSpans(few, new Set(['2017-03-09.parquet']), today))).toEqual(['2017-03-01.parquet', '2017-03-02.parquet'])
  })

  test('a month that ended this week is not long past', () => {
    const days = new Map([day('2026-10-30'), day('2026-10-31')].map((number) => [number, waiting(1)]))
    expect(names(waitingSpans(days, new Set(), day('2026-11-07')))).toHaveLength(2)
    expect(names(waitingSpans(days, new Set(), day('2026-11-08')))).toEqual(['2026-10.parquet'])
  })
})

describe('when a closed day is written', () => {
  const { dayQuietMs, dayWaitMs, dayQuietShortMs, closedRowsWaiting } = LIMITS.history
  const span = (name: string, rows: number, since: number, latest: number) => ({ span: spanOfFile(name)!, rows, since, latest })

  test('once it has been quiet, or its oldest row has waited too long', () => {
    const quiet = span('2026-11-20.parquet', 1, 0, 1_000_000)
    expect(ripeSpans([quiet], 1_000_000 + dayQuietMs - 1)).toEqual([])
    expect(ripeSpans([quiet], 1_000_000 + dayQuietMs)).toEqual([quiet])
    const trickling = span('2026-11-20.parquet', 1, 0, dayWaitMs - 1)
    expect(ripeSpans([trickling], dayWaitMs - 1)).toEqual([])
    expect(ripeSpans([trickling], dayWaitMs)).toEqual([trickling])
  })

  test('sooner, the largest first, where too much waits', () => {
    const small = span('2026-11-19.parquet', 1, 0, 0)
    const large = span('2026-11-20.parquet', closedRowsWaiting, 0, 0)
    const busy = span('2026-11-21.parquet', 1, 0, dayQuietShortMs)
    expect(names(ripeSpans([small, large, busy], dayQuietShortMs))).toEqual(['2026-11-20.parquet', '2026-11-19.parquet'])
  })
})

test('a stretch of time falls into pieces: files, files with late rows, open days', () => {
  const first = day('2026-11-10')
  const files = [daySpan(first + 3), daySpan(first + 1), daySpan(first + 40), monthSpan(day('2026-10-05'))]
  const open = new Map([first + 1, first + 4, first + 6, first + 7, first - 20].map((number) => [number, waiting(1)]))
  expect(piecesOf((first - 20) * DAY_MS + 5, (first + 7) * DAY_MS + 9, files, open)).toEqual([
    { from: (first - 20) * DAY_MS + 5, to: day('2026-11-01') * DAY_MS, file: '2026-10.parquet', open: true },
    { from: (first + 1) * DAY_MS, to: (first + 2) * DAY_MS, file: '2026-11-11.parquet', open: true },
    { from: (first + 3) * DAY_MS, to: (first + 4) * DAY_MS, file: '2026-11-13.parquet', open: false },
    { from: (first + 4) * DAY_MS, to: (first + 7) * DAY_MS + 9, file: null, open: true }
  ])
})
