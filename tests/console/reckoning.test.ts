// The console's own reckoning, without a browser: gaps, scales, ages, addresses, the order of alarms.

import { describe, expect, test } from 'vitest'
import { inOrder } from '../../console/src/alarm-list.ts'
import type { Alarm, DeviceValue, Reading, Threshold } from '../../console/src/api.ts'
import { formatAge, formatInstant, formatValue, maskAddress } from '../../console/src/format.ts'
import { guidanceParts } from '../../console/src/guidance.ts'
import { shelfPresets } from '../../console/src/handling.ts'
import { addressOf, parseRoute } from '../../console/src/route.ts'
import { audibleTier } from '../../console/src/sound.ts'
import { scaleOf, tierAt, zonesOf } from '../../console/src/thresholds.ts'
import { bucketColumns, rawColumns } from '../../console/src/trend-data.ts'
import { countTabs } from '../../console/src/withheld.ts'
import { wordsIn } from '../../console/src/words.ts'

const at = (seconds: number): string => new Date(seconds * 1000).toISOString()
const reading = (seconds: number, value: number | null, quality: Reading['quality'] = 'good'): Reading => ({
  at: at(seconds),
  value,
  quality
})

describe('trends', () => {
  test('a silence longer than a value holds is a gap', () => {
    const columns = rawColumns([reading(0, 1), reading(10, 2), reading(100, 3)], 30_000)
    expect(columns.at).toEqual([0, 10, 10.001, 100])
    expect(columns.value).toEqual([1, 2, null, 3])
  })

  test('a faulty value is a gap, an impossible one a mark beside the line', () => {
    const columns = rawColumns([reading(0, 1), reading(10, null, 'sensorFault'), reading(20, 999, 'outOfRange'), reading(30, 2)], 60_000)
    expect(columns.value).toEqual([1, null, null, 2])
    expect(columns.odd).toEqual([null, null, 999, null])
  })

  test('missing buckets are a gap only when the last value no longer held', () => {
    const bucket = (seconds: number) => ({ at: at(seconds), min: 1, max: 3, avg: 2, last: 2, count: 9 })
    expect(bucketColumns([bucket(0), bucket(60), bucket(180)], 60_000, 90_000).value).toEqual([2, 2, 2])
    expect(bucketColumns([bucket(0), bucket(60), bucket(600)], 60_000, 90_000).value).toEqual([2, 2, null, 2])
  })
})

describe('limits', () => {
  const level = { metric: 'level_pct', rule: 'r', limit: null }
  const high: Threshold[] = [
    { ...level, tier: 'yellow', op: '>', value: 85 },
    { ...level, tier: 'red', op: '>=', value: 95 }
  ]
  const value = (now: number | null): DeviceValue & { heardAt: number } => ({
    metric: 'level_pct',
    name: { zh: '', en: '' },
    unit: '%',
    min: 0,
    max: 110,
    value: now,
    at: null,
    ageMs: 0,
    quality: 'good',
    heardAt: 0
  })

  test('the highest tier whose limit is passed is the one a value stands in', () => {
    expect([85, 85.1, 94.9, 95].map((now) => tierAt(now, high))).toEqual([null, 'yellow', 'yellow', 'red'])
  })

  test('the scale stands still while the value moves, and the zones cover it without a hole', () => {
    const scale = scaleOf(value(20), high)
    expect(scale).toEqual({ from: 0, to: 110 })
    expect(scaleOf(value(99), high)).toEqual(scale)
    expect(zonesOf(scale, high)).toEqual([
      { from: 0, to: 85, tier: null },
      { from: 85, to: 95, tier: 'yellow' },
      { from: 95, to: 110, tier: 'red' }
    ])
  })
})

describe('words and numbers', () => {
  const zh = wordsIn('zh')
  test('ages in one or two units', () => {
    const said = [0, 59_999, 60_000, 3_900_000, 90_000_000, 2_000_000_000].map((ms) => formatAge(ms, zh))
    expect(said).toEqual(['0 秒', '59 秒', '1 分', '1 小时 5 分', '1 天 1 小时', '23 天'])
  })

  test('an instant says the day only when it is another one', () => {
    const now = new Date(2026, 10, 22, 3, 0, 0).getTime()
    expect(formatInstant(new Date(2026, 10, 22, 1, 2, 3).getTime(), now)).toBe('01:02:03')
    expect(formatInstant(new Date(2026, 0, 5, 1, 2, 3).getTime(), now)).toBe('01-05 01:02:03')
    expect(formatInstant(new Date(2018, 0, 5, 1, 2, 3).getTime(), now)).toBe('2018-01-05 01:02:03')
  })

  test('values keep what matters', () => {
    expect([71.2, 0.14, 1234.5, 0, -0.3, 101.325, Number.NaN].map(formatValue)).toEqual(['71.2', '0.14', '1235', '0', '-0.3', '101.3', '—'])
  })

  test('what to do and in how long comes before cause and consequence, in both languages', () => {
    const labels = (text: string) => guidanceParts(text).map(({ label }) => label)
    expect(labels('原因:阀漏。后果:火灾。处置:关阀。时限:立即。')).toEqual(['处置', '时限', '原因', '后果'])
    expect(labels('Cause: a leak. Consequence: fire. Do: close it. Within: at once.')).toEqual(['Do', 'Within', 'Cause', 'Consequence'])
    expect(guidanceParts('按预案处理')).toEqual([{ label: '', text: '按预案处理', urgent: true }])
    expect(guidanceParts('')).toEqual([])
  })
})

test('an address is read back as it was written, and anything else is the alarm list', () => {
  expect(parseRoute(addressOf('device', 'T-1/2 #3'))).toEqual({ page: 'device', id: 'T-1/2 #3', search: {} })
  const alarm = 'tank-level/T-1#1767225605000'
  expect(parseRoute(addressOf('alarm', alarm))).toEqual({ page: 'alarm', id: alarm, search: {} })
  expect(parseRoute(addressOf('alarms', '', { tier: 'red', q: '甲醇 罐', site: '' }))).toEqual({
    page: 'alarms',
    id: '',
    search: { tier: 'red', q: '甲醇 罐' }
  })
  for (const odd of ['', '#', '#/nowhere', '#/devices/%E0%A4%A']) expect(parseRoute(odd).id).toBe('')
})

describe('handling', () => {
  const standing = (isaState: string, tier: Alarm['tier'], acknowledged = false) =>
    ({ isaState, tier, clearedAt: null, acknowledged: acknowledged ? { by: 'li' } : null }) as Alarm

  test('what is withheld is counted apart, by what outranks the rest', () => {
    const alarms = [standing('B', 'red'), standing('C', 'blue'), standing('G', 'red'), standing('H', 'red'), standing('I', 'red')]
    expect(countTabs(alarms)).toEqual({ active: 2, shelved: 1, suppressed: 1, outOfService: 1 })
  })

  test('the most severe alarm that waits is heard; acknowledged, withheld and returned ones are not', () => {
    expect(audibleTier([standing('C', 'red', true), standing('G', 'red'), standing('B', 'yellow'), standing('B', 'blue')])).toBe('yellow')
    expect(audibleTier([{ ...standing('D', 'red'), clearedAt: at(1) }])).toBeNull()
    expect(audibleTier([])).toBeNull()
  })

  test('lengths of a shelf never exceed what is allowed, and the longest is among them', () => {
    const minutes = (hours: number) => shelfPresets(hours * 3_600_000).map((ms) => ms / 60_000)
    expect([minutes(1), minutes(4), minutes(0.1)]).toEqual([[15, 30, 60], [15, 30, 60, 240], [6]])
  })

  test('numbers and addresses are not shown whole', () => {
    expect(['+8613900000201', 'wang@example.com', 'https://hooks.example.com/key/1', '12345', '…0201'].map(maskAddress)).toEqual([
      '+86****0201',
      'w***@example.com',
      'https://hooks.example.com/…',
      '***',
      '…0201'
    ])
  })
})

test('alarms stand highest tier first, then newest, then by id', () => {
  const alarm = (id: string, tier: Alarm['tier'], seconds: number) => ({ id, tier, raisedAt: at(seconds) }) as Alarm
  const sorted = [alarm('b', 'yellow', 5), alarm('a', 'yellow', 5), alarm('c', 'yellow', 9), alarm('d', 'red', 1)].sort(inOrder)
  expect(sorted.map(({ id }) => id)).toEqual(['d', 'c', 'a', 'b'])
})

const UNREACHED =
  'without an acknowledgement: every way on the whole ladder has failed. Call somebody now, and look at Notifications for why.'

describe('what a part of the service says of itself', () => {
  test.each([
    [
      'Nobody is on duty in the rota gate until 2026-01-02T08:00 (Asia/Shanghai): the next rung of each ladder is called instead. Add a shift or an override.',
      '值班表 gate 现在无人值班，直到 2026-01-02T08:00（Asia/Shanghai）；告警改叫各阶梯的下一级。请补班次或替班。'
    ],
    [`Nobody could be told of one red alarm ${UNREACHED}`, '1 条告警，整个阶梯的每种方式都已失败。原因见“通知”。'],
    [`Nobody could be told of 2 alarms (the most severe is red) ${UNREACHED}`, '2 条告警，整个阶梯的每种方式都已失败。原因见“通知”。'],
    ['1 notification waits to be sent, the oldest for 80 s: look at the channels.', '1 条待发，最早的已等 80 秒。'],
    ['Judging is 12 s behind receiving (34 messages): alarms are late.', '落后 12 秒（34 条）。'],
    ['Something new: $1.', 'Something new: $1.']
  ])('%s', (sentence, said) => {
    expect(wordsIn('zh').health.detail(sentence)).toBe(said)
    expect(wordsIn('en').health.detail(sentence)).toBe(sentence)
  })
})
