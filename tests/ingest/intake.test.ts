import v8 from 'node:v8'
import { describe, expect, it } from 'vitest'
import { checkTelemetry, excerptOf, Intake } from '../../src/ingest/intake.ts'
import { numberFleet } from '../../src/model/fleet.ts'
import type { JournalRecord, RecordKind, Reject } from '../../src/model/journal.ts'
import { ReadingColumns } from '../../src/model/readings.ts'
import { FLEET, PLANT, series, tank } from './tankFarm.ts'

const T = Date.UTC(2026, 0, 1)
const OPTIONS = { clockSkewMs: 300_000 }

function record(seq: number, source: string, body: string | Uint8Array, kind: RecordKind = 'telemetry'): JournalRecord {
  return { seq, receivedAt: T + seq, kind, source, body: typeof body === 'string' ? new TextEncoder().encode(body) : body }
}

function read(intake: Intake, ...records: JournalRecord[]): { rows: [series: number, at: number, value: number][]; rejects: Reject[] } {
  const columns = new ReadingColumns()
  const rejects: Reject[] = []
  for (const one of records) intake.read(one, columns, rejects)
  const rows = Array.from({ length: columns.length }, (_, row): [number, number, number] => [
    columns.series[row] as number,
    columns.at[row] as number,
    columns.value[row] as number
  ])
  return { rows, rejects }
}

describe('a telemetry record', () => {
  it('becomes readings, on the topic of the gateway and of the device', () => {
    const { rows, rejects } = read(
      new Intake(FLEET, OPTIONS),
      record(1, 'fh/1/gw-01/telemetry', `{"device":"T-101","ts":${T},"values":{"level_pct":71.2,"alarm":true}}`),
      record(2, 'fh/1/gw-01/G-1/telemetry', `{"ts":${T},"values":{"ppm":3}}`),
      record(3, 'fh/1/gw-02/telemetry', '[{"device":"T-201","values":{"level_pct":5}}]')
    )
    expect(rejects).toEqual([])
    expect(rows).toEqual([
      [series('T-101', 'level_pct'), T, 71.2],
      [series('T-101', 'alarm'), T, 1],
      [series('G-1', 'ppm'), T, 3],
      [series('T-201', 'level_pct'), T + 3, 5]
    ])
  })

  it('that cannot be used becomes a reject with its reason', () => {
    expect(read(new Intake(FLEET, OPTIONS), record(7, 'fh/1/gw-01/telemetry', '{"device":"T-999","values":{}}'))).toEqual({
      rows: [],
      rejects: [
        {
          at: T + 7,
          seq: 7,
          gateway: 'gw-01',
          topic: 'fh/1/gw-01/telemetry',
          device: 'T-999',
          problem: 'In the sample, the device "T-999" is not in the plant: add it to plant.yaml, or correct its name.',
          excerpt: '{"device":"T-999","values":{}}'
        }
      ]
    })
  })

  it.each([
    [
      'fh/1/gw-01/other',
      'gw-01',
      'The topic "fh/1/gw-01/other" is not one that is read: send telemetry to fh/1/{gateway}/telemetry or fh/1/{gateway}/{device}/telemetry.'
    ],
    [
      'fh/1/gw-01/status',
      'gw-01',
      'The status of a gateway is {"online": true} or {"online": false}, and this is neither: send one of the two.'
    ],
    ['fh/1/gw-01/rejects', 'gw-01', 'The topic fh/1/gw-01/rejects is for messages to the gateway: send telemetry to fh/1/gw-01/telemetry.'],
    ['fh/1/gw-99/telemetry', 'gw-99', 'The gateway "gw-99" is not in the plant: add it to plant.yaml, or correct its name.'],
    [
      'elsewhere',
      '',
      'The topic "elsewhere" is not one that is read: send telemetry to fh/1/{gateway}/telemetry or fh/1/{gateway}/{device}/telemetry.'
    ]
  ])('on %s is rejected', (topic, gateway, problem) => {
    const { rows, rejects } = read(new Intake(FLEET, OPTIONS), record(1, topic, '{"device":"T-101","values":{"level_pct":1}}'))
    expect(rows).toEqual([])
    expect(rejects).toMatchObject([{ gateway, topic, problem }])
  })

  it('with many problems reports the first ones and the number of the rest', () => {
    const body = JSON.stringify(Array.from({ length: 50 }, (_, i) => ({ device: `X-${i}`, values: {} })))
    const intake = new Intake(FLEET, OPTIONS)
    const { rejects } = read(intake, record(1, 'fh/1/gw-01/telemetry', body))
    expect(rejects.map(({ device }) => device)).toEqual(Array.from({ length: 20 }, (_, i) => `X-${i}`))
    expect(rejects[18]?.problem).toBe('In sample 18, the device "X-18" is not in the plant: add it to plant.yaml, or correct its name.')
    expect(rejects[19]?.problem).toBe(
      'In sample 19, the device "X-19" is not in the plant: add it to plant.yaml, or correct its name. This message has 30 more problems.'
    )
    expect(intake.counts.rejects).toBe(50)
  })

  it('is read into columns that grow, from a body anywhere in a buffer', () => {
    const body = `[${Array.from({ length: 5000 }, (_, i) => `{"device":"T-101","ts":${T + i},"values":{"level_pct":${i % 100}}}`).join(',')}]`
    const shared = Buffer.from(`xx${body}yy`)
    const { rows } = read(
      new Intake(FLEET, OPTIONS),
      record(1, 'fh/1/gw-01/telemetry', new Uint8Array(shared.buffer, shared.byteOffset + 2, body.length))
    )
    expect(rows.length).toBe(5000)
    expect(rows[4999]).toEqual([series('T-101', 'level_pct'), T + 4999, 99])
  })
})

it('records of other kinds are none of its', () => {
  const intake = new Intake(FLEET, OPTIONS)
  for (const kind of ['presence', 'action', 'plant'] as const)
    expect(read(intake, record(1, 'x', 'y', kind))).toEqual({ rows: [], rejects: [] })
  expect(intake.counts.messages).toBe(0)
})

it('an excerpt is cut between characters and shows what is no text', () => {
  expect(excerptOf(Buffer.from('a'.repeat(200)))).toBe('a'.repeat(200))
  expect(excerptOf(Buffer.from('a'.repeat(300)))).toBe('a'.repeat(200))
  expect(excerptOf(Buffer.from(`${'a'.repeat(199)}储罐`))).toBe('a'.repeat(199))
  expect(excerptOf(Buffer.from([0x61, 0xff, 0x62]))).toBe('a\ufffdb')
})

describe('a snapshot', () => {
  it('goes on exactly: what is late or a repeat stays so', () => {
    const whole = new Intake(FLEET, OPTIONS)
    const sent = [5, 3, 5, 9, 9, 8].map((offset, i) =>
      record(i + 1, 'fh/1/gw-01/telemetry', `{"device":"T-101","ts":${T + offset},"values":{"level_pct":${offset}}}`)
    )
    const expected = read(whole, ...sent)
    for (let cut = 0; cut <= sent.length; cut++) {
      const before = new Intake(FLEET, OPTIONS)
      const first = read(before, ...sent.slice(0, cut))
      const after = Intake.restore(FLEET, OPTIONS, v8.deserialize(v8.serialize(before.snapshot())))
      const second = read(after, ...sent.slice(cut))
      expect([...first.rows, ...second.rows]).toEqual(expected.rows)
    }
  })

  it('goes to another fleet, with the counts', () => {
    const before = new Intake(FLEET, OPTIONS)
    const one = record(1, 'fh/1/gw-01/telemetry', `{"device":"T-101","ts":${T},"values":{"level_pct":5}}`)
    read(before, one)
    const fleet = numberFleet({ ...PLANT, devices: [tank('T-0'), tank('T-101')] })
    const after = before.under(fleet)
    expect(read(after, one)).toEqual({ rows: [], rejects: [] })
    expect(after.counts).toMatchObject({ messages: 2, readings: 1, duplicates: 1 })
    const { rows, rejects } = read(
      after,
      record(3, 'fh/1/gw-01/telemetry', '[{"device":"T-0","values":{"level_pct":1}},{"device":"T-102","values":{}}]')
    )
    expect(rows).toEqual([[series('T-0', 'level_pct', fleet), T + 3, 1]])
    expect(rejects.map(({ device }) => device)).toEqual(['T-102'])
  })
})

describe('the check for an HTTP sender', () => {
  it('says what will be used and what not', () => {
    const body =
      '[{"device":"T-101","values":{"level_pct":1,"nope":1}},{"device":"X","values":{}},{"device":"T-102","values":{"level_pct":"1"}},{"device":"T-102","values":{}}]'
    expect(checkTelemetry(FLEET, 'gw-01', null, Buffer.from(body))).toEqual({
      accepted: 2,
      rejected: [
        { index: 0, problem: 'In sample 0, the metric "nope" is not in the profile "storage-tank": add it there, or correct its name.' },
        { index: 1, problem: 'In sample 1, the device "X" is not in the plant: add it to plant.yaml, or correct its name.' },
        { index: 2, problem: 'In sample 2, the value of "level_pct" is the text "1": send the number without quotes.' }
      ]
    })
  })

  it('knows the device of the topic, and the gateways of the plant', () => {
    const body = Buffer.from('{"values":{"level_pct":1}}')
    expect(checkTelemetry(FLEET, 'gw-01', 'T-101', body)).toEqual({ accepted: 1, rejected: [] })
    expect(checkTelemetry(FLEET, 'gw-99', 'T-101', body)).toMatchObject({ accepted: 0, rejected: [{ index: 0 }] })
  })
})
