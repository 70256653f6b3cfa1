// Recorded files as people have them: whole, torn, odd. Every bad row is named, everything else goes on.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readMapFile } from '../../src/app/replay/mapFile.ts'
import { openRecording } from '../../src/ingest/recorded/recording.ts'
import { recordedProblemLine } from '../../src/ingest/recorded/samples.ts'
import { problemLine } from '../../src/platform/problem.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fenghuo-recorded-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** What the files hold: `mm:ss device {values}` and `file:line: problem`, file names without their folder. */
async function read(files: Record<string, string | Buffer>, map?: string): Promise<string[]> {
  const paths: string[] = []
  for (const [name, text] of Object.entries(files)) {
    paths.push(path.join(folder, name))
    await writeFile(path.join(folder, name), text)
  }
  const here = (line: string): string => line.replaceAll(`${folder}/`, '')
  let mapping = null
  if (map !== undefined) {
    await writeFile(path.join(folder, 'MAP.yaml'), map)
    const found = readMapFile(path.join(folder, 'MAP.yaml'))
    if (found.mapping === null) return found.problems.map((problem) => here(problemLine(problem)))
    mapping = found.mapping
  }
  const { recording, problems } = await openRecording(paths, mapping)
  if (recording === null) return problems.map((problem) => here(problemLine(problem)))
  const lines: string[] = []
  for await (const item of recording.items()) {
    if (item.kind === 'problem') lines.push(here(recordedProblemLine(item)))
    else {
      const at = item.at === null ? 'no time' : new Date(item.at).toISOString().slice(14, 19)
      lines.push(`${at} ${item.device} ${JSON.stringify(item.values)}${item.bad === null ? '' : ` bad ${item.bad}`}`)
    }
  }
  expect(recording.bytesRead).toBe(recording.bytes)
  return lines
}

const START = 'start: 2026-01-01T00:00:00Z'
const PLAIN = `
time: { column: t, format: elapsed-s, ${START} }
rows:
  - { device: T-1, values: { level_pct: LEVEL * 20, temperature_c: T1 } }
`

describe('a table', () => {
  it('becomes samples, without its empty and NaN cells', async () => {
    const csv = 't,LEVEL,T1\n0,1,20\n1,,21\n2,NaN,\n3,nan,22.5\n4,2,NA\n'
    expect(await read({ 'a.csv': csv }, PLAIN)).toEqual([
      '00:00 T-1 {"level_pct":20,"temperature_c":20}',
      '00:01 T-1 {"temperature_c":21}',
      '00:03 T-1 {"temperature_c":22.5}',
      '00:04 T-1 {"level_pct":40}'
    ])
  })

  it('names rows it cannot read by file and line, and reads on', async () => {
    const csv = 't,LEVEL,T1\r\n0,1,20\r\nsoon,1,20\r\n2,1\r\n3,1,2,3\r\n4,x,20\r\n\r\n5,1,"20\r\n6,1e400,20\r\n7,1,20\r\n8,1,2'
    expect(await read({ 'a.csv': csv }, PLAIN)).toEqual([
      '00:00 T-1 {"level_pct":20,"temperature_c":20}',
      'a.csv:3: the column t holds "soon", which is not a time of the format elapsed-s',
      'a.csv:4: the row has 2 cells where the header has 3',
      'a.csv:5: the row has 4 cells where the header has 3',
      'a.csv:6: the column LEVEL holds "x", which is not a number',
      'a.csv:8: its quotation marks do not match',
      'a.csv:9: the column LEVEL holds "1e400", which is not a number',
      '00:07 T-1 {"level_pct":20,"temperature_c":20}',
      '00:08 T-1 {"level_pct":20,"temperature_c":2}'
    ])
  })

  it('says so when its last line is torn off', async () => {
    expect(await read({ 'a.csv': 't,LEVEL,T1\n0,1,20\n1,1' }, PLAIN)).toEqual([
      '00:00 T-1 {"level_pct":20,"temperature_c":20}',
      'a.csv:3: the last line is torn off: it has 2 cells where the header has 3'
    ])
  })

  it('may have a byte order mark, quoted cells, spaces, other delimiters and decimals', async () => {
    const map = `
time: { column: Time s, format: elapsed-s, ${START} }
delimiter: ";"
decimal: ","
rows: [{ device: C, values: { temperature_c: Cable 1, kelvin: '"Cable 1" + 273' } }]
`
    expect(await read({ 'a.csv': '\ufeff"Time s"; "Cable 1" \n0; 1,5\n"1";"2,5"\n' }, map)).toEqual([
      '00:00 C {"temperature_c":1.5,"kelvin":274.5}',
      '00:01 C {"temperature_c":2.5,"kelvin":275.5}'
    ])
  })

  it('by white space, without a header and without a time column', async () => {
    const map = `
time: { ${START}, every: 3m }
delimiter: whitespace
header: false
rows: [{ device: R, values: { p: c2 } }, { device: F, values: { v: c3 } }]
`
    expect(await read({ 'd.dat': '  1.0e0   2.0E+01 \t 3\n' }, map.replace('whitespace', '" "'))).toEqual([
      '00:00 R {"p":20}',
      '00:00 F {"v":3}'
    ])
    expect(await read({ 'd.dat': '  1.0e0   2.0E+01 \t 3\n  1 x 3\n 1 2\n  4 5 6\n' }, map)).toEqual([
      '00:00 R {"p":20}',
      '00:00 F {"v":3}',
      'd.dat:2: the column c2 holds "x", which is not a number',
      'd.dat:3: the row has 2 cells where the first row has 3',
      '09:00 R {"p":5}',
      '09:00 F {"v":6}'
    ])
  })

  it('with a zone that its times need, or do not need', async () => {
    const rows = 'rows: [{ device: R, values: { p: v } }]\n'
    const epoch = `time: { column: t, format: epoch-s, zone: Asia/Shanghai }\n${rows}`
    const steps = `time: { start: 2026-01-01T08:00:05, every: 3s, zone: Asia/Shanghai }\n${rows}`
    expect(await read({ 'a.csv': 't,v\n1767225610,1\n' }, epoch)).toEqual(['00:10 R {"p":1}'])
    expect(await read({ 'a.csv': 't,v\n0,1\n0,2\n' }, steps)).toEqual(['00:05 R {"p":1}', '00:08 R {"p":2}'])
  })

  it('without a single line is told as such', async () => {
    const map = `time: { column: t, format: epoch-s }\nrows: [{ device: R, values: { p: v } }]\n`
    expect(await read({ 'a.csv': '' }, map)).toEqual(['a.csv:1:1: a.csv has no first line that names its columns'])
  })

  it('that does not fit its mapping is told with the place in the mapping, all mistakes at once', async () => {
    const map = `
time: { column: time, format: elapsed-s, ${START} }
rows:
  - { device: T-1, values: { level_pct: LEVLE * 20, ok: T1, sum: T1 + } }
`
    expect(await read({ 'a.csv': 'Time,LEVEL,T1,T2,T2\n' }, map)).toEqual([
      'MAP.yaml:4:41: "LEVLE * 20" cannot be computed from a.csv: there is no column LEVLE; did you mean LEVEL?',
      'MAP.yaml:4:70: "T1 +" cannot be computed from a.csv: the expression ends where a column or a number is expected',
      'MAP.yaml:2:17: a.csv has no column time; did you mean Time?'
    ])
  })

  it('needs a mapping', async () => {
    await expect(read({ 'a.csv': 't,v\n' })).rejects.toThrow(/a\.csv is a table, and without a mapping .* Name one by --map MAP\.yaml\./)
  })

  it('that has no lines has no samples', async () => {
    expect(await read({ 'a.csv': 't,LEVEL,T1\n' }, PLAIN)).toEqual([])
  })
})

describe('NDJSON', () => {
  it('holds samples and arrays of samples', async () => {
    const text = [
      '{"device":"T-1","ts":1767225600000,"values":{"level_pct":71.2,"alarm":true,"x":null},"bad":["x"]}',
      '',
      '[{"device":"A","ts":"2026-01-01T00:00:01Z","values":{}},{"device":"B","ts":"2026-01-01T08:00:02+08:00","values":{"v":1}}]',
      '{"device":"C","values":{"v":2}}'
    ].join('\n')
    expect(await read({ 'a.ndjson': text })).toEqual([
      '00:00 T-1 {"level_pct":71.2,"alarm":true,"x":null} bad x',
      '00:01 A {}',
      '00:02 B {"v":1}',
      'no time C {"v":2}'
    ])
  })

  it('names lines it cannot read, and reads on', async () => {
    const text = [
      'nonsense',
      '{"device":"T","ts":"soon","values":{}}',
      '{"ts":0,"values":{}}',
      '{"device":"T","values":[1]}',
      '{"device":"T","values":{"v":"high"}}',
      '{"device":"T","values":{"v":1e400}}',
      '{"device":"T","bad":"v","values":{}}',
      '[{"device":"T","values":{}},7]',
      '42',
      '{"device":"T","ts":0,"values":{"v":1}}',
      '{"device":"T","ts":1000,"val'
    ].join('\n')
    expect(await read({ 'a.jsonl': text })).toEqual([
      'a.jsonl:1: this is not JSON',
      'a.jsonl:2: the sample of T has a ts that is neither epoch ms nor ISO 8601',
      'a.jsonl:3: the sample names no device',
      'a.jsonl:4: the sample of T has no values object',
      'a.jsonl:5: the sample of T has a value v that is no finite number, true, false or null',
      'a.jsonl:6: the sample of T has a value v that is no finite number, true, false or null',
      'a.jsonl:7: the sample of T has a "bad" that is no list of metric names',
      'a.jsonl:8: sample 2 of the array is not an object with device, ts and values',
      'a.jsonl:9: the sample is not an object with device, ts and values',
      '00:00 T {"v":1}',
      'a.jsonl:11: the last line is torn off and is not JSON'
    ])
  })

  it('may hold lines of any length, and bytes that are no text', async () => {
    const long = `{"device":"T","ts":0,"values":{"v":1},"note":"${'x'.repeat(3_000_000)}"}`
    const text = Buffer.concat([
      Buffer.from(`${long}\n`),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from('{"device":"T","ts":1000,"values":{}}\n')
    ])
    expect(await read({ 'a.ndjson': text })).toEqual([
      'a.ndjson:1: the line is longer than 1048576 characters',
      'a.ndjson:2: this is not JSON',
      '00:01 T {}'
    ])
  })

  it('reads characters across the borders of what is read at once', async () => {
    const line = (i: number): string => `{"device":"液位${i}","ts":${i * 1000},"values":{}}`
    const text = Array.from({ length: 5000 }, (_, i) => line(i)).join('\n')
    const lines = await read({ 'a.ndjson': text })
    expect(lines).toHaveLength(5000)
    expect(lines.every((found, i) => found.includes(`液位${i} `))).toBe(true)
  })
})

describe('several files', () => {
  it('are merged by time, each in its own order', async () => {
    const sample = (device: string, s: number): string => `{"device":"${device}","ts":${Date.parse('2026-01-01') + s * 1000},"values":{}}`
    const files = {
      'a.ndjson': [sample('A', 1), sample('A', 5), sample('A', 3), sample('A', 6)].join('\n'),
      'b.ndjson': ['oops', sample('B', 1), sample('B', 4), sample('B', 9)].join('\n'),
      'c.csv': 't,LEVEL,T1\n2,1,1\n7,1,1\n'
    }
    expect((await read(files, PLAIN)).map((line) => line.slice(0, 9))).toEqual([
      'b.ndjson:',
      '00:01 A {',
      '00:01 B {',
      '00:02 T-1',
      '00:04 B {',
      '00:05 A {',
      '00:03 A {',
      '00:06 A {',
      '00:07 T-1',
      '00:09 B {'
    ])
  })

  it('that are missing, or no files, are refused with a sentence', async () => {
    await expect(openRecording([path.join(folder, 'none.csv')], null)).rejects.toThrow(/none\.csv cannot be read: there is no such file\.$/)
    await expect(openRecording([folder], null)).rejects.toThrow(/cannot be read: it is not a file\.$/)
  })
})

describe('a mapping', () => {
  it.each([
    ['time: { column: t }\nrows: []\n', ['MAP.yaml:2:7: rows of the mapping must name at least one device, not a list']],
    [
      'time: { colum: t }\nrows: [{ device: a/b, values: { Level: x } }]\nextra: 1\n',
      [
        'MAP.yaml:1:9: time of the mapping has the unknown key colum; did you mean column?',
        'MAP.yaml:2:18: rows[0].device of the mapping must be an id of 1 to 64 letters, digits, dots, underscores or hyphens, not the text "a/b"',
        'MAP.yaml:2:33: the name Level in rows[0].values of the mapping must be a metric such as level_pct: a letter, then letters, digits and underscores',
        'MAP.yaml:3:1: the mapping has the unknown key extra; known here: time, delimiter, header, decimal, rows'
      ]
    ],
    [
      'time: { column: t, format: yyyy-mm }\ndelimiter: abc\nrows: [{ device: a, values: {} }]\n',
      [
        'MAP.yaml:1:28: the time pattern has no month, no day, or one of iso, epoch-s, epoch-ms, elapsed-s',
        'MAP.yaml:2:12: the delimiter must be one character such as "," or ";", or the word tab or whitespace',
        'MAP.yaml:3:8: a gets no values'
      ]
    ],
    [
      'time: { column: t, zone: Asia/Shangai }\nrows: [{ device: a, values: { v: x } }]\n',
      ['MAP.yaml:1:26: Asia/Shangai is no time zone; write one of the IANA database, such as Asia/Shanghai']
    ],
    [
      'time: { column: t, format: elapsed-s }\nrows: [{ device: a, values: { v: x } }]\n',
      ['MAP.yaml:1:28: elapsed seconds need a start: the instant at which they are 0']
    ],
    [
      'time: { start: 2026-01-01T00:00:00Z, every: 3 }\nrows: [{ device: a, values: { v: x } }]\n',
      ['MAP.yaml:1:45: time.every of the mapping must be text, not the number 3 (put it in quotes)']
    ],
    ['time: [', ['MAP.yaml:1:8: this is not valid YAML']]
  ])('with mistakes: %j', async (map, problems) => {
    const found = await read({}, map)
    expect(found.map((line, i) => line.slice(0, problems[i]?.length ?? 999))).toEqual(problems)
  })
})
