import v8 from 'node:v8'
import { describe, expect, it } from 'vitest'
import { Samples } from '../../src/ingest/decoders/samples.ts'
import { Qualifier } from '../../src/ingest/qualify.ts'
import { type Fleet, numberFleet } from '../../src/model/fleet.ts'
import { QUALITIES } from '../../src/model/quality.ts'
import { ReadingColumns } from '../../src/model/readings.ts'
import { FLEET, PLANT, series, tank } from './tankFarm.ts'

const T = Date.UTC(2026, 0, 1)
const SKEW = 300_000
const NONE = Number.NaN

type Given = [device: string, ts: number, values: Record<string, number>]
/** device, metric, at, value, quality, head, judged. */
type Row = [string, string | null, number, number, string, number, number]

function rowsOf(columns: ReadingColumns, fleet: Fleet = FLEET): Row[] {
  return Array.from({ length: columns.length }, (_, row) => {
    const device = columns.device[row] as number
    const place = (columns.series[row] as number) - (fleet.firstSeries[device] as number)
    const metric = columns.series[row] === -1 ? null : (fleet.profiles[device]?.metrics[place]?.id as string)
    const quality = QUALITIES[columns.quality[row] as number] as string
    const head = columns.head[row] as number
    return [
      fleet.devices[device]?.id as string,
      metric,
      columns.at[row] as number,
      columns.value[row] as number,
      quality,
      head,
      columns.judged[row] as number
    ]
  })
}

function take(qualifier: Qualifier, receivedAt: number, given: Given[], fleet: Fleet = FLEET): Row[] {
  const samples = new Samples(0)
  for (const [device, ts, values] of given) {
    samples.begin(fleet.deviceNumber.get(device) as number, ts)
    for (const [metric, value] of Object.entries(values)) samples.push(series(device, metric, fleet), value)
  }
  const columns = new ReadingColumns(2)
  qualifier.qualify(samples, receivedAt, columns)
  return rowsOf(columns, fleet)
}

describe('the instant of a reading', () => {
  it.each<[string, number, number, string]>([
    ['its own time stamp', T - 1000, T - 1000, 'good'],
    ['the receipt without one', NONE, T, 'clockSkewed'],
    ['the receipt where it says 1970', 0, T, 'clockSkewed'],
    ['the receipt where it sends seconds', T / 1000, T, 'clockSkewed'],
    ['the receipt where it says less than nothing', -5, T, 'clockSkewed'],
    ['the receipt for the last moment before 2000', Date.UTC(2000, 0, 1) - 1, T, 'clockSkewed'],
    ['its own from 2000 on', Date.UTC(2000, 0, 1), Date.UTC(2000, 0, 1), 'good'],
    ['its own up to the allowed skew', T + SKEW, T + SKEW, 'good'],
    ['the receipt above the allowed skew', T + SKEW + 1, T, 'clockSkewed'],
    ['the receipt where it says 2262', Date.UTC(2262, 3, 11), T, 'clockSkewed'],
    ['the receipt where it says microseconds', T * 1000, T, 'clockSkewed'],
    ['the receipt where it says Infinity', Number.POSITIVE_INFINITY, T, 'clockSkewed']
  ])('is %s', (_, ts, at, quality) => {
    // A time stamp that is there and not believed speaks against the device's clock; having none does not.
    const judged = quality === 'good' || Number.isNaN(ts) ? 1 : 2
    expect(take(new Qualifier(FLEET, SKEW), T, [['T-101', ts, { level_pct: 5 }]])).toEqual([
      ['T-101', 'level_pct', at, 5, quality, 1, judged]
    ])
  })
})

describe('the quality of a reading', () => {
  it.each<[Record<string, number>, string]>([
    [{ level_pct: 0 }, 'good'],
    [{ level_pct: 110 }, 'good'],
    [{ level_pct: -0.001 }, 'outOfRange'],
    [{ level_pct: 110.001 }, 'outOfRange'],
    [{ temperature_c: -60 }, 'good'],
    [{ temperature_c: 1e300 }, 'outOfRange'],
    [{ alarm: 2 }, 'outOfRange'],
    [{ level_pct: NONE }, 'sensorFault']
  ])('%j is %s', (values, quality) => {
    expect(take(new Qualifier(FLEET, SKEW), T, [['T-101', T, values]])[0]?.[4]).toBe(quality)
  })

  it('is the last in the list where several apply', () => {
    const qualifier = new Qualifier(FLEET, SKEW)
    take(qualifier, T, [['T-101', T, { level_pct: 1 }]])
    const late = T - 5000
    expect(take(qualifier, T, [['T-101', late, { level_pct: 1, temperature_c: 1e9, alarm: NONE }]])).toEqual([
      ['T-101', 'level_pct', late, 1, 'late', 1, 0],
      ['T-101', 'temperature_c', late, 1e9, 'outOfRange', 0, 0],
      ['T-101', 'alarm', late, NONE, 'sensorFault', 0, 0]
    ])
    expect(take(qualifier, T + 10, [['T-101', NONE, { level_pct: 500, alarm: 1 }]])).toEqual([
      ['T-101', 'level_pct', T + 10, 500, 'outOfRange', 1, 1],
      ['T-101', 'alarm', T + 10, 1, 'clockSkewed', 0, 1]
    ])
  })
})

describe('a reading older than what its device was judged on', () => {
  it('is late and not judged, each device by itself', () => {
    const qualifier = new Qualifier(FLEET, SKEW)
    expect(
      take(qualifier, T, [
        ['T-101', T, { level_pct: 1 }],
        ['T-101', T - 1, { level_pct: 2 }],
        ['T-102', T - 1, { level_pct: 3 }],
        ['T-101', T, { level_pct: 4 }],
        ['T-101', T + 1, { level_pct: 5 }]
      ]).map((row) => [row[3], row[4], row[6]])
    ).toEqual([
      [1, 'good', 1],
      [2, 'late', 0],
      [3, 'good', 1],
      [4, 'good', 1],
      [5, 'good', 1]
    ])
  })

  it('is late too where only the receipt is known: the device was ahead within its allowance', () => {
    const qualifier = new Qualifier(FLEET, SKEW)
    take(qualifier, T, [['T-101', T + 60_000, { level_pct: 1 }]])
    expect(take(qualifier, T + 1000, [['T-101', NONE, { level_pct: 2 }]])).toEqual([
      ['T-101', 'level_pct', T + 1000, 2, 'clockSkewed', 1, 0]
    ])
  })

  it('does not move the line: what follows is held against the judged one', () => {
    const qualifier = new Qualifier(FLEET, SKEW)
    take(qualifier, T, [['T-101', T, { level_pct: 1 }]])
    take(qualifier, T, [['T-101', T - 100, { level_pct: 1 }]])
    expect(take(qualifier, T, [['T-101', T - 50, { level_pct: 1 }]])[0]?.[4]).toBe('late')
  })
})

describe('an exact repeat', () => {
  const first: Given = ['T-101', T, { level_pct: 1, temperature_c: 20 }]

  it.each<[string, Given, boolean]>([
    ['the same', first, true],
    ['the same in another order', ['T-101', T, { temperature_c: 20, level_pct: 1 }], true],
    ['another device', ['T-102', T, { level_pct: 1, temperature_c: 20 }], false],
    ['another instant', ['T-101', T + 1, { level_pct: 1, temperature_c: 20 }], false],
    ['another value', ['T-101', T, { level_pct: 1, temperature_c: 20.0000001 }], false],
    ['values exchanged', ['T-101', T, { level_pct: 20, temperature_c: 1 }], false],
    ['a value less', ['T-101', T, { level_pct: 1 }], false],
    ['a value more', ['T-101', T, { level_pct: 1, temperature_c: 20, alarm: 0 }], false],
    ['a value faulty', ['T-101', T, { level_pct: 1, temperature_c: NONE }], false],
    ['no values', ['T-101', T, {}], false]
  ])('%s: %j', (_, second, isRepeat) => {
    const qualifier = new Qualifier(FLEET, SKEW)
    take(qualifier, T, [first])
    const rows = take(qualifier, T + 5, [second])
    expect(rows.length).toBe(isRepeat ? 0 : Math.max(1, Object.keys(second[2]).length))
    expect(qualifier.counts.duplicates).toBe(isRepeat ? 2 : 0)
  })

  it('is recognised among several samples of one instant', () => {
    const qualifier = new Qualifier(FLEET, SKEW)
    const samples: Given[] = [
      ['T-101', T, { level_pct: 1 }],
      ['T-101', T, { temperature_c: 2 }],
      ['T-101', T, { alarm: 1 }],
      ['T-101', T, {}]
    ]
    expect(take(qualifier, T, samples).length).toBe(4)
    expect(take(qualifier, T, [...samples].reverse())).toEqual([])
    for (let value = 0; value < 20; value++) expect(take(qualifier, T, [['T-101', T, { level_pct: 50 + value }]]).length).toBe(1)
    expect(take(qualifier, T, [['T-101', T, { level_pct: 69 }]])).toEqual([])
    expect(take(qualifier, T, [['T-101', T + 1, { level_pct: 69 }]]).length).toBe(1)
    expect(take(qualifier, T, [['T-101', T + 1, { temperature_c: 2 }]]).length).toBe(1)
  })

  it('is recognised among the last samples, also when a gateway sends a longer batch again', () => {
    const qualifier = new Qualifier(FLEET, SKEW)
    const samples = Array.from({ length: 40 }, (_, n): Given => ['T-101', T + n * 1000, { level_pct: n % 3 }])
    expect(take(qualifier, T, samples).map((row) => row[4])).toEqual(Array<string>(40).fill('good'))
    expect(take(qualifier, T + 60_000, samples.slice(24))).toEqual([])
    expect(take(qualifier, T + 60_000, samples).map((row) => row[4])).toEqual(Array<string>(24).fill('late'))
    expect(qualifier.counts).toMatchObject({ readings: 64, duplicates: 32, late: 24 })
    expect(take(qualifier, T + 60_000, [['T-101', T + 38_000, { level_pct: 0 }]]).map((row) => row[4])).toEqual(['late'])
  })

  it('of faulty values, and of none, is one too', () => {
    const qualifier = new Qualifier(FLEET, SKEW)
    for (const values of [{ alarm: NONE }, {}]) {
      expect(take(qualifier, T, [['T-101', T, values]]).length).toBe(1)
      expect(take(qualifier, T, [['T-101', T, values]])).toEqual([])
    }
  })
})

describe('a sample without values', () => {
  it('is a row of its own, a sign of life', () => {
    const rows = take(new Qualifier(FLEET, SKEW), T, [
      ['T-101', T, {}],
      ['T-102', NONE, {}]
    ])
    expect(rows).toEqual([
      ['T-101', null, T, NONE, 'good', 1, 1],
      ['T-102', null, T, NONE, 'clockSkewed', 1, 1]
    ])
  })
})

it('counts readings by their quality', () => {
  const qualifier = new Qualifier(FLEET, SKEW)
  take(qualifier, T, [
    ['T-101', T, { level_pct: 1, temperature_c: 999, alarm: NONE }],
    ['T-101', T - 1, { level_pct: 1 }],
    ['T-102', NONE, { level_pct: 1, temperature_c: 1 }],
    ['T-102', T, { level_pct: 1 }],
    ['T-102', T, { level_pct: 1 }],
    ['T-102', T, {}]
  ])
  expect(qualifier.counts).toEqual({ readings: 7, duplicates: 1, late: 1, clockSkewed: 2, outOfRange: 1, sensorFault: 1 })
})

describe('what is known of the devices', () => {
  it('goes through a snapshot, and to another fleet by id', () => {
    const before = new Qualifier(FLEET, SKEW)
    take(before, T, [
      ['T-101', T, { level_pct: 1 }],
      ['T-101', T, { temperature_c: 2 }],
      ['T-102', T + 50, { level_pct: 3 }]
    ])
    const snapshot = v8.deserialize(v8.serialize(before.snapshot()))
    const fleet = numberFleet({ ...PLANT, devices: [tank('T-new'), tank('T-102'), tank('T-101')] })
    take(before, T, [['T-101', T + 999, { level_pct: 1 }]])
    const after = new Qualifier(fleet, SKEW)
    after.restore(snapshot)
    const again: Given[] = [
      ['T-101', T, { level_pct: 1 }],
      ['T-101', T, { temperature_c: 2 }],
      ['T-102', T + 50, { level_pct: 3 }]
    ]
    expect(take(after, T + 100, again, fleet)).toEqual([])
    expect(
      take(
        after,
        T + 100,
        [
          ['T-101', T - 1, { level_pct: 9 }],
          ['T-102', T + 49, { level_pct: 9 }],
          ['T-new', T - 99, { level_pct: 9 }],
          ['T-101', T + 1, { level_pct: 9 }]
        ],
        fleet
      ).map((row) => [row[0], row[4]])
    ).toEqual([
      ['T-101', 'late'],
      ['T-102', 'late'],
      ['T-new', 'good'],
      ['T-101', 'good']
    ])
  })
})
