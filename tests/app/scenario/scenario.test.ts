import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadPlant } from '../../../src/app/config/load.ts'
import { logLine } from '../../../src/app/scenario/compare.ts'
import { parseScenario } from '../../../src/app/scenario/parse.ts'
import { playScenario } from '../../../src/app/scenario/play.ts'
import { parseSeries } from '../../../src/app/scenario/series.ts'
import { formatTime, parseInstant, parseTime } from '../../../src/app/scenario/times.ts'
import { problemLine } from '../../../src/platform/problem.ts'

const PLANT = path.join(import.meta.dirname, '../../scenarios/plant')

function problemsOf(text: string): string[] {
  return parseScenario('f', text).problems?.map(problemLine) ?? []
}

function play(above: string, below: string): { problems: string[]; differences: string[]; log: string[] } {
  const { scenario, problems } = parseScenario('f', `# plant: ${PLANT}\n${above}\n---\n${below}`)
  expect(problems).toBe(null)
  const outcome = playScenario(scenario!, loadPlant(PLANT, {}).plant!)
  return {
    problems: outcome.problems.map(problemLine),
    differences: outcome.differences.map(({ sign, text }) => `${sign} ${text}`),
    log: outcome.events.map(logLine)
  }
}

describe('values', () => {
  it.each([
    ['50', [50]],
    ['-0.5', [-0.5]],
    ['1e2', [100]],
    ['60x3', [60, 60, 60, 60]],
    ['60+2x5', [60, 62, 64, 66, 68, 70]],
    ['0.1+0.1x2', [0.1, 0.2, 0.3]],
    ['5-2x2', [5, 3, 1]],
    ['_', [undefined]],
    ['_x2', [undefined, undefined, undefined]],
    ['!x1', [null, null]],
    ['true', [1]]
  ])('%s', (text, values) => expect(parseSeries(text)).toEqual(values))

  it.each(['', 'x', '60x', '60+2', '!+1x2', '60y3', '1,5', '5x9999999'])('%s is none', (text) =>
    expect(parseSeries(text)).toBeTypeOf('string')
  )
})

describe('times', () => {
  it.each([
    [0, '0:00'],
    [65_000, '1:05'],
    [250, '0:00.250'],
    [3_600_000, '1:00:00'],
    [3_599_999, '59:59.999'],
    [90_061_001, '25:01:01.001'],
    [-90_000, '-1:30']
  ])('%i is %s', (ms, text) => {
    expect(formatTime(ms)).toBe(text)
    expect(parseTime(text)).toBe(ms)
  })

  it('above the line are durations or times', () => {
    expect([parseInstant('2m30s'), parseInstant('2:30'), parseInstant('0'), parseInstant('x')]).toEqual([150_000, 150_000, 0, null])
    expect([parseTime('1:60'), parseTime('1:60:00'), parseTime('5')]).toEqual([null, null, null])
  })
})

describe('a scenario file', () => {
  it('is refused with every problem at its place', () => {
    const text = [
      '# plant: config   the plant folder',
      'every 10  T-101 level_pct 50',
      'every 10s T-101 level_pct 50 5x 60q',
      'at        T-101 level_pct 50',
      'at 1m     T-101 level_pct 50 60',
      'every 10s T-101',
      'wait',
      'offline T-101 from 1m',
      'clock T-101 90s',
      'shelve tank-level/T-101',
      'acknowledge T-101',
      'jump 3',
      '---',
      '0:3  a/b  clear -> yellow',
      '0:30 ab   clear -> yellow',
      '0:30 a/b  clear - yellow',
      '0:30 a/b  green -> yellow'
    ].join('\n')
    expect(problemsOf(text).map((line) => line.replace(/: [^:]*$/, (rest) => rest.slice(0, 24)))).toHaveLength(16)
    expect(problemsOf(text)[0]).toBe('f:2:7: a duration with its unit is needed: every 10s DEVICE METRIC VALUES')
    expect(problemsOf(text)[1]).toMatch(/^f:3:30: 5x is no value/)
    expect(problemsOf(text)[2]).toMatch(/^f:3:33: 60q is no value/)
    expect(
      problemsOf(text)
        .map((line) => /^f:(\d+)/.exec(line)?.[1])
        .join(' ')
    ).toBe('2 3 3 4 5 6 7 8 9 10 11 12 14 15 16 17')
  })

  it('is refused where a line goes on after its end', () => {
    const text = '# plant: p\nwait 1m foo\noffline A from 1m to 2m bar\nclock A +90s baz\n---\n'
    expect(problemsOf(text)).toEqual([
      'f:2:9: the line is complete before foo: begin a new line for it',
      'f:3:25: the line is complete before bar: begin a new line for it',
      'f:4:14: the line is complete before baz: begin a new line for it'
    ])
  })

  it('needs a plant and a log', () => {
    expect(problemsOf('every 10s A gas_ppm 1')).toEqual([
      'f:1:1: the scenario names no plant folder: begin with a line `# plant: FOLDER`',
      'f:1:1: the scenario has no line `---` with the expected log (it may be empty) below it'
    ])
  })
})

describe('playing', () => {
  it('names what the plant does not have', () => {
    expect(play('every 10s X gas_ppm 1 2\nat 5s A x 1\noffline Y from 1s to 2s', '').problems).toEqual([
      `f:2:11: the plant ${PLANT} has no device X`,
      `f:4:9: the plant ${PLANT} has no device Y`,
      'f:3:9: A (profile probe) has no metric x: it has level_pct, temp_c, gas_ppm'
    ])
    expect(play('at 5s A gas_ppm 1\nacknowledge gas/pit', '').problems).toEqual([
      'f:3:13: there is no alarm gas/pit at 0:05 to acknowledge'
    ])
  })

  it('fails on a line too many, a line missing, a wrong time and a wrong reason', () => {
    const sent = 'every 10s A gas_ppm 0 30'
    const came = '0:10  gas/pit  clear -> orange  1 of 3 devices: A gas_ppm 30 >= 20'
    expect(play(sent, '0:10 gas/pit clear -> orange').differences).toEqual([])
    expect(play(sent, '').differences).toEqual([`+ ${came}`])
    expect(play(sent, '0:11 gas/pit clear -> orange').differences).toEqual([`+ ${came}`, '- 0:11  gas/pit  clear -> orange'])
    expect(play(sent, '0:10 gas/pit clear -> orange because').differences).toEqual([
      '- 0:10  gas/pit  clear -> orange  because',
      `+ ${came}`
    ])
    expect(play(sent, '0:10 gas/pit clear -> orange\n0:10 gas/pit clear -> orange').differences).toEqual([
      '- 0:10  gas/pit  clear -> orange'
    ])
  })

  it('lets lines of one instant stand in any order', () => {
    const sent = 'every 10s A gas_ppm 0 30\nevery 10s F gas_ppm 0 600\nat 10s F level_pct 50\nwait 5s'
    expect(play(sent, '0:15 off-centre/F clear -> blue\n0:10 gas/pit clear -> orange').differences).toEqual([])
  })

  it('takes what one device says at one instant as one sample', () => {
    const sent = 'at 0s F level_pct 50\nat 0s F gas_ppm 501\nat 5s F level_pct 90\nat 5s F gas_ppm 1\nwait 9s'
    expect(play(sent, '').log).toEqual(['0:05  off-centre/F  clear -> blue  abs((level_pct - 50)) 40 > 30 and gas_ppm 1 in [1, 2] for 5s'])
  })
})
