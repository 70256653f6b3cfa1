import { describe, expect, it } from 'vitest'
import { decodeFenghuo } from '../../../src/ingest/decoders/fenghuo.ts'
import { registryOf, Samples } from '../../../src/ingest/decoders/samples.ts'
import { FLEET, series } from '../tankFarm.ts'

const T = Date.UTC(2026, 0, 1)
const registry = registryOf(FLEET)

type Row = [metricSeries: number, value: number]
interface Decoded {
  samples: { device: string; ts: number; rows: Row[] }[]
  problems: { index: number; device: string | null; problem: string }[]
}

function decode(body: string | Uint8Array, deviceInTopic: string | null = null, gateway = 'gw-01'): Decoded {
  const into = new Samples(20)
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  decodeFenghuo(registry, FLEET.gatewayNumber.get(gateway) as number, deviceInTopic, bytes, into)
  const samples = Array.from({ length: into.count }, (_, s) => {
    const rows: Row[] = []
    for (let row = into.firstRow[s] as number; row < (into.firstRow[s + 1] as number); row++) {
      rows.push([into.series[row] as number, into.value[row] as number])
    }
    return { device: FLEET.devices[into.device[s] as number]?.id as string, ts: into.ts[s] as number, rows }
  })
  return { samples, problems: [...into.problems] }
}

function sample(device: string, ts: number, values: Record<string, number>): Decoded['samples'][number] {
  return { device, ts, rows: Object.entries(values).map(([metric, value]) => [series(device, metric), value]) }
}

describe('a sample that is right', () => {
  it.each<[string, string | null, Decoded['samples']]>([
    [`{"device":"T-101","ts":${T},"values":{"level_pct":71.2}}`, null, [sample('T-101', T, { level_pct: 71.2 })]],
    [`{"device":"T-101","ts":${T},"values":{"level_pct":71.2}}`, 'T-101', [sample('T-101', T, { level_pct: 71.2 })]],
    [`{"ts":${T},"values":{"level_pct":71.2}}`, 'T-101', [sample('T-101', T, { level_pct: 71.2 })]],
    [`{"values":{"level_pct":1}}`, 'T-101', [sample('T-101', Number.NaN, { level_pct: 1 })]],
    [`{"device":null,"ts":null,"values":{"level_pct":1},"bad":null}`, 'T-101', [sample('T-101', Number.NaN, { level_pct: 1 })]],
    [`{"device":"T-101","ts":"2026-01-01T08:00:00+08:00","values":{"level_pct":1}}`, null, [sample('T-101', T, { level_pct: 1 })]],
    [`{"device":"T-101","ts":${T}.75,"values":{}}`, null, [sample('T-101', T, {})]],
    [`{"device":"T-101","values":{"alarm":true}}`, null, [sample('T-101', Number.NaN, { alarm: 1 })]],
    [`{"device":"T-101","values":{"alarm":false}}`, null, [sample('T-101', Number.NaN, { alarm: 0 })]],
    [`{"device":"T-101","values":{"level_pct":null}}`, null, [sample('T-101', Number.NaN, { level_pct: Number.NaN })]],
    [
      `{"device":"T-101","values":{"level_pct":5,"alarm":1},"bad":["level_pct","level_pct"]}`,
      null,
      [sample('T-101', Number.NaN, { level_pct: Number.NaN, alarm: 1 })]
    ],
    [`{"device":"T-101","bad":["alarm"]}`, null, [sample('T-101', Number.NaN, { alarm: Number.NaN })]],
    [
      `{"device":"T-101","values":{"level_pct":"broken"},"bad":["level_pct"]}`,
      null,
      [sample('T-101', Number.NaN, { level_pct: Number.NaN })]
    ],
    [`{"device":"T-101","values":{"level_pct":1,"level_pct":2}}`, null, [sample('T-101', Number.NaN, { level_pct: 2 })]],
    [`{"device":"G-1","device":"T-101","values":{"level_pct":1}}`, null, [sample('T-101', Number.NaN, { level_pct: 1 })]],
    [
      `{"values":{"temperature_c":-1.5e1,"level_pct":1E2},"device":"T-101","note":{"any":["thing"]}}`,
      null,
      [sample('T-101', Number.NaN, { temperature_c: -15, level_pct: 100 })]
    ],
    [`{"device":"T-1\\u00301","values":{"level\\u005fpct":1}}`, null, [sample('T-101', Number.NaN, { level_pct: 1 })]],
    [`{"device":"T-101","ts":1e400,"values":{"level_pct":1}}`, null, [sample('T-101', Number.POSITIVE_INFINITY, { level_pct: 1 })]],
    [
      ` [ {"device": "T-101", "ts": ${T}, "values": {"level_pct": 1}} ,\n\t{"device": "G-1", "values": {"ppm": 2}} ]\r\n`,
      null,
      [sample('T-101', T, { level_pct: 1 }), sample('G-1', Number.NaN, { ppm: 2 })]
    ],
    [`{"device":"portable","values":{"level_pct":1}}`, null, [sample('portable', Number.NaN, { level_pct: 1 })]],
    [`{"device":"nobody","values":{"level_pct":1}}`, null, [sample('nobody', Number.NaN, { level_pct: 1 })]]
  ])('%s (topic of %s)', (body, deviceInTopic, samples) => {
    expect(decode(body, deviceInTopic)).toEqual({ samples, problems: [] })
  })
})

describe('a message that cannot be used', () => {
  it.each<[string | Uint8Array, string]>([
    ['', 'The message is empty: send a sample as JSON.'],
    ['[]', 'The message is an empty array: send at least one sample.'],
    [
      '{"device": T-101}',
      `The message is not JSON at byte 11: a value is expected, but there is "T". Send a sample or an array of samples.`
    ],
    ['{"名": x}', `The message is not JSON at byte 8: a value is expected, but there is "x". Send a sample or an array of samples.`],
    ['{"device":"T-101"', 'The message is not JSON at byte 17: the message ends too early. Send a sample or an array of samples.'],
    ['level_pct=5', 'The message is not JSON at byte 0: a value is expected, but there is "l". Send a sample or an array of samples.'],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'The message is not valid UTF-8 at byte 2: send JSON in UTF-8.'],
    [Buffer.from([0x22, 0xe5, 0x82, 0xa8, 0x22, 0xc3, 0x28]), 'The message is not valid UTF-8 at byte 5: send JSON in UTF-8.'],
    [Buffer.from([0x22, 0xe5, 0x82]), 'The message is not valid UTF-8 at byte 1: send JSON in UTF-8.'],
    [
      Buffer.alloc(8),
      'The message is not JSON at byte 0: a value is expected, but there is "\\u0000". Send a sample or an array of samples.'
    ],
    ['7', 'In the sample, there is the number 7: send an object such as {"device": "T-101", "values": {"level_pct": 71.2}}.'],
    ['null', 'In the sample, there is null: send an object such as {"device": "T-101", "values": {"level_pct": 71.2}}.'],
    ['"x"', 'In the sample, there is the text "x": send an object such as {"device": "T-101", "values": {"level_pct": 71.2}}.'],
    ['['.repeat(9) + ']'.repeat(9), 'The message is nested more than 8 levels deep: send a sample or an array of samples.'],
    ['['.repeat(100_000) + ']'.repeat(100_000), 'The message is nested more than 8 levels deep: send a sample or an array of samples.'],
    [
      `{"device":"T-101","values":${'{"a":'.repeat(300_000)}1${'}'.repeat(300_000)}}`,
      'The message is nested more than 8 levels deep: send a sample or an array of samples.'
    ],
    ['['.repeat(100_000), 'The message is not JSON at byte 100000: the message ends too early. Send a sample or an array of samples.']
  ])('%#', (body, problem) => {
    expect(decode(body)).toEqual({ samples: [], problems: [{ index: 0, device: null, problem }] })
  })
})

describe('a sample that cannot be used', () => {
  it.each<[string, string | null, string | null, string]>([
    ['{"values":{"level_pct":1}}', null, null, '"device" is missing: name the device, or send on the topic of the device'],
    ['{}', null, null, '"device" is missing: name the device, or send on the topic of the device'],
    ['{"device":101,"values":{"level_pct":1}}', null, null, `"device" is the number 101: send the device's name as text`],
    ['{"device":["T-101"],"values":{"level_pct":1}}', null, null, `"device" is an array: send the device's name as text`],
    ['{"device":"T-999","values":{}}', null, 'T-999', 'the device "T-999" is not in the plant: add it to plant.yaml, or correct its name'],
    ['{"values":{}}', 'T-999', 'T-999', 'the device "T-999" is not in the plant: add it to plant.yaml, or correct its name'],
    [
      '{"device":"__proto__","values":{}}',
      null,
      '__proto__',
      'the device "__proto__" is not in the plant: add it to plant.yaml, or correct its name'
    ],
    [
      '{"device":"T-102","values":{}}',
      'T-101',
      'T-102',
      `"device" is "T-102", but the topic names "T-101": send it on its own topic or on the gateway's, or leave "device" out`
    ],
    [
      '{"device":"T-201","values":{"level_pct":1}}',
      null,
      'T-201',
      `the device "T-201" does not belong to the gateway "gw-01": correct its gateway in plant.yaml, or the device's name`
    ],
    [
      '{"values":{"level_pct":1}}',
      'M-1',
      'M-1',
      `the device "M-1" does not belong to the gateway "gw-01": correct its gateway in plant.yaml, or the device's name`
    ],
    ['{"device":"T-101"}', null, 'T-101', '"values" is missing: send {"metric": number}, or {} as a sign of life'],
    ['{"device":"T-101","value":{"level_pct":1}}', null, 'T-101', '"values" is missing: send {"metric": number}, or {} as a sign of life'],
    ['{"device":"T-101","values":null}', null, 'T-101', '"values" is null: send an object of numbers, such as {"level_pct": 71.2}'],
    ['{"device":"T-101","values":[1]}', null, 'T-101', '"values" is an array: send an object of numbers, such as {"level_pct": 71.2}'],
    [
      '{"device":"T-101","values":71.2}',
      null,
      'T-101',
      '"values" is the number 71.2: send an object of numbers, such as {"level_pct": 71.2}'
    ],
    [
      '{"device":"T-101","values":{"level_pct":1},"bad":"level_pct"}',
      null,
      'T-101',
      '"bad" is the text "level_pct": send an array of metric names, such as ["level_pct"], or leave it out'
    ],
    ['{"device":"T-101","ts":true,"values":{}}', null, 'T-101', '"ts" is true: send epoch milliseconds or ISO 8601 text, or leave it out'],
    [
      '{"device":"T-101","ts":{},"values":{}}',
      null,
      'T-101',
      '"ts" is an object: send epoch milliseconds or ISO 8601 text, or leave it out'
    ],
    [
      '{"device":"T-101","ts":"1767225600000","values":{}}',
      null,
      'T-101',
      '"ts" is the text "1767225600000": send epoch milliseconds as a number, without quotes'
    ],
    [
      '{"device":"T-101","ts":"2026-01-01 08:00:00","values":{}}',
      null,
      'T-101',
      '"ts" is "2026-01-01 08:00:00", which does not say its time zone: send a date and a time with Z or an offset such as +08:00'
    ],
    [
      '{"device":"T-101","ts":"yesterday","values":{}}',
      null,
      'T-101',
      '"ts" is "yesterday", which is no ISO 8601 instant: send one such as 2026-01-01T08:00:00+08:00, or epoch milliseconds'
    ]
  ])('%s (topic of %s)', (body, deviceInTopic, device, wrong) => {
    expect(decode(body, deviceInTopic)).toEqual({ samples: [], problems: [{ index: 0, device, problem: `In the sample, ${wrong}.` }] })
  })

  it('does not let a gateway of another enterprise speak for a device without gateway', () => {
    expect(decode('{"device":"portable","values":{}}', null, 'gw-m').problems[0]?.problem).toContain(
      'does not belong to the gateway "gw-m"'
    )
    expect(decode('{"device":"nobody","values":{}}', null, 'gw-m').problems).toEqual([])
  })

  it('is quoted no longer than a line', () => {
    const [problem] = decode(`{"device":"${'x'.repeat(100_000)}","values":{}}`).problems
    expect(problem?.problem.length).toBeLessThan(200)
    expect(problem?.device).toBe(`${'x'.repeat(64)}…`)
  })
})

describe('a value that cannot be used', () => {
  it.each<[string, string]>([
    ['"level_pct":"71.2"', 'the value of "level_pct" is the text "71.2": send the number without quotes'],
    ['"level_pct":"high"', 'the value of "level_pct" is the text "high": send a number, or null for a faulty value'],
    ['"level_pct":""', 'the value of "level_pct" is the text "": send a number, or null for a faulty value'],
    ['"level_pct":1e400', 'the value of "level_pct" is too large for a number: send null for a faulty value'],
    ['"level_pct":-1e400', 'the value of "level_pct" is too large for a number: send null for a faulty value'],
    ['"level_pct":{"v":1}', 'the value of "level_pct" is an object: send a number, true, false, or null for a faulty value'],
    ['"level_pct":[1]', 'the value of "level_pct" is an array: send a number, true, false, or null for a faulty value'],
    ['"leve1_pct":1', 'the metric "leve1_pct" is not in the profile "storage-tank": add it there, or correct its name'],
    ['"ppm":1', 'the metric "ppm" is not in the profile "storage-tank": add it there, or correct its name'],
    ['"__proto__":1', 'the metric "__proto__" is not in the profile "storage-tank": add it there, or correct its name'],
    ['"constructor":1', 'the metric "constructor" is not in the profile "storage-tank": add it there, or correct its name'],
    ['"":1', 'the metric "" is not in the profile "storage-tank": add it there, or correct its name']
  ])('%s is reported, and what stands beside it is used', (value, wrong) => {
    expect(decode(`{"device":"T-101","ts":${T},"values":{${value},"alarm":1}}`)).toEqual({
      samples: [sample('T-101', T, { alarm: 1 })],
      problems: [{ index: 0, device: 'T-101', problem: `In the sample, ${wrong}.` }]
    })
  })

  it('leaves a sign of life where nothing stands beside it', () => {
    expect(decode('{"device":"T-101","values":{"x":1}}').samples).toEqual([sample('T-101', Number.NaN, {})])
  })

  it.each([
    ['"bad":["leve1_pct"]', 'the metric "leve1_pct" is not in the profile "storage-tank": add it there, or correct its name'],
    ['"bad":[7]', '"bad" holds the number 7: it holds metric names only']
  ])('%s is reported', (bad, wrong) => {
    expect(decode(`{"device":"T-101","values":{"alarm":1},${bad}}`)).toEqual({
      samples: [sample('T-101', Number.NaN, { alarm: 1 })],
      problems: [{ index: 0, device: 'T-101', problem: `In the sample, ${wrong}.` }]
    })
  })
})

describe('an array', () => {
  it('of which some are bad: the good ones are used, each bad one is named by its index', () => {
    const decoded = decode(
      JSON.stringify([
        { device: 'T-101', ts: T, values: { level_pct: 1 } },
        { device: 'T-999', ts: T, values: { level_pct: 1 } },
        7,
        { device: 'T-102', ts: T, values: { level_pct: '2', temperature_c: 20 } },
        [],
        { device: 'T-102', ts: T + 1, values: { level_pct: 3 } }
      ])
    )
    expect(decoded.samples).toEqual([
      sample('T-101', T, { level_pct: 1 }),
      sample('T-102', T, { temperature_c: 20 }),
      sample('T-102', T + 1, { level_pct: 3 })
    ])
    expect(decoded.problems.map(({ index, device, problem }) => [index, device, problem.slice(0, 40)])).toEqual([
      [1, 'T-999', 'In sample 1, the device "T-999" is not i'],
      [2, null, 'In sample 2, there is the number 7: send'],
      [3, 'T-102', 'In sample 3, the value of "level_pct" is'],
      [4, null, 'In sample 4, there is an array: send an ']
    ])
  })

  it('is read up to its limit', () => {
    const one = `{"device":"T-101","ts":${T},"values":{"level_pct":1}}`
    const decoded = decode(`[${Array(10_002).fill(one).join(',')}]`)
    expect(decoded.samples.length).toBe(10_000)
    expect(decoded.problems).toEqual([
      {
        index: 10_000,
        device: null,
        problem: 'The message holds 10002 samples, and only the first 10000 are used: send at most 10000 in one message.'
      }
    ])
    expect(decode(`[${Array(10_000).fill(one).join(',')}]`)).toMatchObject({ problems: [] })
  })

  it('holds samples of at most so many values', () => {
    const values = `"alarm":1,${Array.from({ length: 300 }, (_, i) => `"m${i}":1`).join(',')},"level_pct":5`
    const decoded = decode(`{"device":"T-101","values":{${values}}}`)
    expect(decoded.samples).toEqual([sample('T-101', Number.NaN, { alarm: 1 })])
    expect(decoded.problems.length).toBe(20)
  })
})
