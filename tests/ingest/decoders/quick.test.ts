// The quick reader and the thorough one must agree on every message, also on those that are almost right.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFenghuo, decodeThoroughly } from '../../../src/ingest/decoders/fenghuo.ts'
import { QuickReader } from '../../../src/ingest/decoders/quick.ts'
import { registryOf, Samples } from '../../../src/ingest/decoders/samples.ts'
import { FLEET } from '../tankFarm.ts'

const registry = registryOf(FLEET)

function columns(samples: Samples): unknown {
  return {
    device: samples.device.slice(0, samples.count),
    ts: samples.ts.slice(0, samples.count),
    firstRow: samples.firstRow.slice(0, samples.count + 1),
    series: samples.series.slice(0, samples.rows),
    value: samples.value.slice(0, samples.rows),
    problems: samples.problems
  }
}

function agree(body: Buffer, deviceInTopic: string | null): void {
  const quick = new Samples(100)
  const thorough = new Samples(100)
  decodeFenghuo(registry, 0, deviceInTopic, body, quick)
  decodeThoroughly(registry, 0, deviceInTopic, body, thorough)
  expect(columns(quick)).toEqual(columns(thorough))
}

function isQuick(body: string, deviceInTopic: string | null = null): boolean {
  const device = deviceInTopic === null ? -1 : (FLEET.deviceNumber.get(deviceInTopic) as number)
  return new QuickReader(registry, 0, device, Buffer.from(body), new Samples(0)).read()
}

const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.integer(), fc.nat(20)).map(([whole, places]) => (whole / 10 ** places).toString()),
  fc.tuple(fc.maxSafeNat(), fc.nat(18)).map(([digits, point]) => {
    const text = String(digits).padStart(point + 1, '0')
    return point === 0 ? text : `${text.slice(0, -point)}.${text.slice(-point)}`
  }),
  fc.constantFrom(
    '0',
    '-0',
    '-0.0',
    '00',
    '01',
    '-',
    '1.',
    '.5',
    '+1',
    '1e3',
    '1e400',
    '0.1',
    '999999999999999',
    '9999999999999999',
    'NaN',
    '0x10'
  )
)
const scalars = fc.oneof({ arbitrary: numbers, weight: 6 }, fc.constantFrom('null', 'true', 'false', 'nul', 'tru', '"5"', '[]', '{}', ''))
const keys = fc.constantFrom('level_pct', 'temperature_c', 'alarm', 'ppm', 'level\\u005fpct', 'x', '', '__proto__', '名')
const space = fc.constantFrom('', '', '', ' ', '\n', '\t ', '\u00a0')
const values = fc
  .array(fc.tuple(keys, scalars, space), { maxLength: 4 })
  .map((list) => `{${list.map(([key, value, gap]) => `"${key}":${gap}${value}`).join(`,`)}}`)
const members = fc.oneof(
  {
    arbitrary: fc.constantFrom('T-101', 'T-102', 'G-1', 'portable', 'T-201', 'M-1', 'T-10', '').map((id) => `"device":"${id}"`),
    weight: 4
  },
  { arbitrary: numbers.map((ts) => `"ts":${ts}`), weight: 3 },
  { arbitrary: values.map((text) => `"values":${text}`), weight: 6 },
  fc.constantFrom('"ts":"2026-01-01T00:00:00Z"', '"ts":null', '"bad":["alarm"]', '"other":1', '"values":[]', '"device":null', '"ts"', '')
)
const samples = fc
  .tuple(fc.array(members, { maxLength: 5 }), space, space)
  .map(([list, before, after]) => `${before}{${list.join(`,${after}`)}${after}}`)
const usual = fc
  .tuple(fc.constantFrom('T-101', 'T-102', 'portable'), fc.integer({ min: 0, max: 2e12 }), values)
  .map(([id, ts, text]) => `{"device": "${id}", "ts": ${ts}, "values": ${text}}`)
const messages = fc.oneof(
  samples,
  usual,
  fc.array(fc.oneof({ arbitrary: usual, weight: 3 }, samples), { maxLength: 5 }).map((list) => `[${list.join(',')}]`)
)

describe('the quick reader', () => {
  it('agrees with the thorough one on any message', () => {
    fc.assert(
      fc.property(messages, fc.constantFrom(null, null, 'T-101', 'T-999'), (message, topic) => agree(Buffer.from(message), topic)),
      { numRuns: 3000 }
    )
  })

  it('leaves a metric that is named twice to the thorough one, whatever the order', () => {
    const message = (...names: string[]) => `{"device":"T-101","values":{${names.map((name, i) => `"${name}":${i}`).join()}}}`
    for (const names of [
      ['level_pct', 'level_pct'],
      ['level_pct', 'alarm', 'level_pct'],
      ['alarm', 'level_pct', 'alarm'],
      ['alarm', 'level_pct', 'temperature_c', 'alarm']
    ]) {
      expect(isQuick(message(...names))).toBe(false)
      agree(Buffer.from(message(...names)), null)
    }
    expect(isQuick(message('alarm', 'level_pct', 'temperature_c'))).toBe(true)
  })

  it('agrees with the thorough one when any byte is wrong', () => {
    fc.assert(
      fc.property(usual, fc.nat(), fc.nat(255), fc.nat(2), (message, at, byte, how) => {
        const bytes = Buffer.from(`[${message},${message}]`)
        const place = at % bytes.length
        if (how === 0) bytes[place] = byte
        agree(how === 1 ? bytes.subarray(0, place) : how === 2 ? Buffer.concat([bytes, Buffer.from([byte])]) : bytes, null)
      }),
      { numRuns: 3000 }
    )
  })

  it('takes every number of up to fifteen digits for what it is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999_999_999_999_999 }),
        fc.integer({ min: 0, max: 14 }),
        fc.boolean(),
        (digits, point, isNegative) => {
          const text = String(digits).padStart(point + 1, '0')
          const number = `${isNegative ? '-' : ''}${point === 0 ? text : `${text.slice(0, -point)}.${text.slice(-point)}`}`
          const into = new Samples(0)
          const body = Buffer.from(`{"device":"T-101","values":{"level_pct":${number}}}`)
          expect(new QuickReader(registry, 0, -1, body, into).read()).toBe(true)
          expect(into.value[0]).toBe(JSON.parse(number))
        }
      ),
      { numRuns: 3000 }
    )
  })

  it('reads the usual messages itself', () => {
    expect(isQuick('{"device":"T-101","ts":1767225600000,"values":{"level_pct":71.2,"temperature_c":-3,"alarm":true}}')).toBe(true)
    expect(isQuick('[{"device": "T-101", "values": {"level_pct": null}}, {"device": "G-1", "ts": 1, "values": {}}]\n')).toBe(true)
    expect(isQuick('{"ts":1767225600000,"values":{"alarm":false}}', 'T-101')).toBe(true)
  })
})
