import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runBacktest } from '../../../src/app/commands/backtest.ts'
import { testFiles } from '../../../src/app/commands/test.ts'

const REPLAY = path.join(import.meta.dirname, '../../../config/replay')
const SCENARIOS = path.join(import.meta.dirname, '../../scenarios')
const folder = mkdtempSync(path.join(tmpdir(), 'backtest-'))

afterAll(() => rmSync(folder, { recursive: true }))

function written(name: string, text: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, text)
  return file
}

interface Result {
  readonly good: boolean
  readonly printed: string[]
  readonly said: string[]
}

async function run(
  files: string[],
  options: { plant: string; map?: string; rules?: string; against?: string; out?: string; json?: boolean }
): Promise<Result> {
  const [printed, said]: [string[], string[]] = [[], []]
  const good = await runBacktest(
    files,
    { json: false, ...options },
    {},
    { log: (line) => void printed.push(line), error: (line) => void said.push(line) }
  )
  return { good, printed, said }
}

function recording(file: string, map: string): Promise<Result> {
  return run([path.join(REPLAY, 'data', file)], { plant: path.join(REPLAY, 'plant'), map: path.join(REPLAY, map) })
}

/** `12:00 rule/device level` of each line. */
function turns(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const { at, rule, device, to } = JSON.parse(line)
    return `${at.replace('.000Z', '')} ${rule}/${device} ${to}`
  })
}

describe('recordings of real fires and plants', () => {
  it('a house fire: 57 °C at the ceiling, then smoke', async () => {
    const { good, printed, said } = await recording('nist/NIST_Smoke_Alarms_SDC02.excerpt.csv', 'nist-sdc02.map.yaml')
    expect(printed).toEqual([
      '{"at":"2026-01-01T00:01:52.000Z","rule":"room-heat","device":"sdc02-heat","from":"clear","to":"red","id":"room-heat/sdc02-heat#1767225712000","because":"temperature_c 59.7 > 57"}',
      '{"at":"2026-01-01T00:02:24.000Z","rule":"room-smoke","device":"sdc02-smoke","from":"clear","to":"orange","id":"room-smoke/sdc02-smoke#1767225744000","because":"optical_density_per_m 0.156 > 0.15"}'
    ])
    expect(said.at(-1)).toBe('202 samples, 2 alarm events (2026-01-01T00:00:00.000Z to 2026-01-01T00:03:20.000Z)')
    expect(good).toBe(true)
  })

  it('an attacked water network: one overflow, a tank run low three times', async () => {
    const { printed } = await recording('batadal/BATADAL_test_dataset.excerpt.csv', 'batadal-test.map.yaml')
    const seconds = printed.map((line) => [JSON.parse(line).device, Date.parse(JSON.parse(line).at) / 1000, JSON.parse(line).to])
    expect(seconds).toEqual([
      ['ctown-t7', 1485122400, 'orange'],
      ['ctown-t7', 1485129600, 'clear'],
      ['ctown-t1', 1486890000, 'orange'],
      ['ctown-t1', 1486904400, 'clear'],
      ['ctown-t7', 1488142800, 'orange'],
      ['ctown-t7', 1488157200, 'clear'],
      ['ctown-t7', 1490832000, 'orange'],
      ['ctown-t7', 1490842800, 'clear']
    ])
  })

  it('a heated cable and a cell, whose delays run out between and at samples', async () => {
    expect(turns((await recording('nist/CAROLFIRE_PT_1.excerpt.csv', 'carolfire.map.yaml')).printed)[0]).toBe(
      '2026-01-01T00:01:44.500Z cable-hot/cable-1 red'
    )
    expect(turns((await recording('battery/R1_2C_discharge.csv', 'battery.map.yaml')).printed)).toEqual([
      '2026-01-01T00:26:10 cell-hot/cell-r1 yellow'
    ])
  })
})

const PROBE = path.join(SCENARIOS, 'plant')
const sample = (device: string, seconds: number, values: object): string =>
  JSON.stringify({ device, ts: 1767225600000 + seconds * 1000, values })

describe('a backtest', () => {
  it('ends at the last sample, delays that run out at that instant included', async () => {
    const lines = [0, 10, 15].map((at) => sample('F', at, { level_pct: 50, gas_ppm: 600 }))
    const due = [sample('F', 10, { level_pct: 50, gas_ppm: 600 }), sample('D', 15, { level_pct: 1 })]
    const short = [sample('F', 10, { level_pct: 50, gas_ppm: 600 }), sample('D', 14.999, { level_pct: 1 })]
    expect(turns((await run([written('a.ndjson', lines.join('\n'))], { plant: PROBE })).printed)).toEqual([
      '2026-01-01T00:00:05 off-centre/F blue'
    ])
    expect(turns((await run([written('b.ndjson', due.join('\n'))], { plant: PROBE })).printed)).toEqual([
      '2026-01-01T00:00:15 off-centre/F blue'
    ])
    expect((await run([written('c.ndjson', short.join('\n'))], { plant: PROBE })).printed).toEqual([])
  })

  it('names what it cannot read and what the plant cannot use, goes on, and says so', async () => {
    const text = [
      sample('A', 0, { gas_ppm: 30 }),
      'torn{',
      sample('X', 1, { gas_ppm: 1 }),
      sample('A', 2, { nonsense: 1, gas_ppm: 0 })
    ].join('\n')
    const file = written('bad.ndjson', `${text}\n`)
    const { good, printed, said } = await run([file], { plant: PROBE })
    expect(good).toBe(false)
    expect(printed.map((line) => JSON.parse(line).to)).toEqual(['orange'])
    expect(said[0]).toBe(`${file}:2: this is not JSON`)
    expect(said[1]).toMatch(new RegExp(`^${file}:3: .*X`))
    expect(said[2]).toMatch(new RegExp(`^${file}:4: .*nonsense`))
    expect(said.at(-1)).toMatch(/^3 samples, 1 alarm event, 1 row could not be read, 2 samples could not be used/)
  })

  it('merges several files by time', async () => {
    const one = written('one.ndjson', [0, 20].map((at) => sample('A', at, { gas_ppm: 30 })).join('\n'))
    const two = written('two.ndjson', [10, 20].map((at) => sample('B', at, { gas_ppm: 30 })).join('\n'))
    const { printed } = await run([one, two], { plant: PROBE })
    expect(printed.map((line) => [JSON.parse(line).at.slice(14, 19), JSON.parse(line).to])).toEqual([
      ['00:00', 'orange'],
      ['00:20', 'red']
    ])
  })

  it('writes events to a file, and the summary as JSON', async () => {
    const file = written('in.ndjson', sample('A', 0, { gas_ppm: 30 }))
    const out = path.join(folder, 'out.ndjson')
    const { printed } = await run([file], { plant: PROBE, out, json: true })
    expect(JSON.parse(printed[0]!)).toMatchObject({
      files: [file],
      samples: 1,
      badRows: 0,
      rejected: 0,
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-01-01T00:00:00.000Z',
      events: 1,
      problems: []
    })
    expect(readFileSync(out, 'utf8')).toBe(
      '{"at":"2026-01-01T00:00:00.000Z","rule":"gas","area":"pit","from":"clear","to":"orange","id":"gas/pit#1767225600000","because":"1 of 3 devices: A gas_ppm 30 >= 20"}\n'
    )
    await expect(run([file], { plant: PROBE, out: path.join(folder, 'no/such/folder') })).rejects.toThrow(/cannot be written/)
  })

  it('tells two rule sets apart', async () => {
    const rules = (limit: number): string =>
      `rules:\n  - id: level\n    title: { zh: a, en: a }\n    appliesTo: { profile: probe }\n    guidance: { zh: a, en: a }\n    tiers:\n      red: { when: level_pct > ${limit} }\n      blue: { when: level_pct > 10 }\n`
    const file = written('level.ndjson', [5, 20, 45, 80].map((value, i) => sample('D', i * 10, { level_pct: value })).join('\n'))
    const { printed, said } = await run([file], {
      plant: PROBE,
      rules: written('new.yaml', rules(70)),
      against: written('old.yaml', rules(40))
    })
    expect(
      printed.map((line) => `${line.slice(0, 2)}${JSON.parse(line.slice(2)).at.slice(14, 19)} ${JSON.parse(line.slice(2)).to}`)
    ).toEqual(['- 00:20 red', '+ 00:30 red'])
    expect(said.at(-1)).toMatch(/^4 samples, 2 alarm events, 2 under the other rules/)
  })

  it('does not begin with a plant or a mapping that has problems', async () => {
    const file = written('x.csv', 't,v\n0,1\n')
    const broken = written(
      'broken.yaml',
      'rules:\n  - id: r\n    title: { zh: a, en: a }\n    appliesTo: { profile: probe }\n    guidance: { zh: a, en: a }\n    tiers:\n      red: { when: nonsense > 1 }\n'
    )
    const { good, said } = await run([written('y.ndjson', '')], { plant: PROBE, rules: broken })
    expect([good, said[0]]).toEqual([
      false,
      `${broken}:7:20: profile probe has no metric nonsense: its metrics are level_pct, temp_c, gas_ppm`
    ])
    expect((await run([file], { plant: PROBE, map: written('m.yaml', 'rows: 5\n') })).good).toBe(false)
  })
})

describe('fenghuo test', () => {
  it('prints the difference', () => {
    const printed: string[] = []
    const file = written('s.scenario', `# plant: ${PROBE}\nat 1s A gas_ppm 30\n---\n0:02 gas/pit clear -> orange\n`)
    const good = testFiles([path.join(SCENARIOS, 'language/rising.scenario'), file], false, {}, { log: (line) => void printed.push(line) })
    expect(good).toBe(false)
    expect(printed).toEqual([
      `ok    ${path.join(SCENARIOS, 'language/rising.scenario')} (4 lines)`,
      `FAIL  ${file}`,
      '    + 0:01  gas/pit  clear -> orange  1 of 3 devices: A gas_ppm 30 >= 20',
      '    - 0:02  gas/pit  clear -> orange',
      '1 of 2 scenarios hold',
      '(- was expected and did not happen, + happened and was not expected)'
    ])
  })

  it('says where a plant cannot be used', () => {
    const printed: string[] = []
    testFiles([written('t.scenario', '# plant: nowhere\nwait 1s\n---\n')], true, {}, { log: (line) => void printed.push(line) })
    expect(JSON.parse(printed[0]!).results[0].problems[0]).toMatch(/t.scenario:1:10: the plant nowhere cannot be used/)
  })
})
