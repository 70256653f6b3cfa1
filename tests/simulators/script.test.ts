import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Sample } from '../../simulators/behaviour.ts'
import { parseScript } from '../../simulators/script.ts'
import { problemLine } from '../../src/platform/problem.ts'

const START = Date.parse('2026-01-01T00:00:00Z')

/** What one device with these behaviours sends every 10 s, for `count` reports. */
function sends(behaviours: string, count: number, seed = 1): (readonly Sample[])[] {
  const text = `gateways: { gw: { secret: s } }\ndevices:\n  - { id: D, gateway: gw, every: 10s, behaviours: [${behaviours}] }\n`
  const { script, problems } = parseScript(text, 'test.yaml', seed)
  expect(problems).toEqual([])
  const device = script!.devices[0]!
  return Array.from({ length: count }, (_, i) => device.samples(START + i * 10_000, i * 10_000))
}

const values = (reports: (readonly Sample[])[], metric: string) => reports.map((samples) => samples.map((sample) => sample.values[metric]))

describe('behaviours', () => {
  it('fill and drain a tank as a triangle', () => {
    expect(values(sends('{ fillAndDrain: { metric: level, low: 40, high: 60, period: 40s } }', 5), 'level')).toEqual([
      [40],
      [50],
      [60],
      [50],
      [40]
    ])
  })

  it('run away from the behaviour below, from their onset, up to a limit', () => {
    const reports = sends('{ steady: { metric: level, value: 80 } }, { from: 20s, run: { metric: level, perMinute: 60, limit: 95 } }', 6)
    expect(values(reports, 'level')).toEqual([[80], [80], [80], [90], [95], [95]])
  })

  it('leak by the hour', () => {
    const reports = sends('{ steady: { metric: level, value: 80 } }, { leak: { metric: level, perHour: 360 } }', 3)
    expect(values(reports, 'level')).toEqual([[80], [79], [78]])
  })

  it('grow a fire with the square of time', () => {
    expect(values(sends('{ fireCurve: { metric: t, peak: 90, growth: 30s } }', 5), 't')).toEqual([[0], [10], [40], [90], [90]])
  })

  it('swing with the hour of the day', () => {
    const [[first]] = values(sends('{ diurnal: { metric: t, mean: 20, amplitude: 5, peakHour: 0 } }', 1), 't') as [[number]]
    expect(first).toBe(25)
  })

  it('rise and decay as a passing gas cloud', () => {
    const levels = values(sends('{ gasRelease: { metric: lel, peak: 50, rise: 20s, halfLife: 20s } }', 5), 'lel').flat() as number[]
    expect(levels[0]).toBe(0)
    expect(levels[2]).toBeGreaterThan(levels[1]!)
    expect(levels[4]).toBeLessThan(0.6 * levels[2]!)
  })

  it('drift by the day', () => {
    expect(values(sends('{ state: { metric: v, value: 1 } }, { drift: { metric: v, perDay: 8640 } }', 3), 'v')).toEqual([[1], [2], [3]])
  })

  it('stick at what was said first', () => {
    const moving = '{ fillAndDrain: { metric: level, low: 40, high: 60, period: 40s } }'
    expect(values(sends(`${moving}, { from: 10s, stuck: { metric: level } }`, 4), 'level')).toEqual([[40], [50], [50], [50]])
  })

  it('call the value faulty', () => {
    expect(values(sends('{ state: { metric: v, value: 1 } }, { from: 10s, faulty: { metric: v } }', 2), 'v')).toEqual([[1], [null]])
  })

  it('fall silent for a while', () => {
    expect(values(sends('{ state: { metric: v, value: 1 } }, { from: 10s, until: 30s, silent: {} }', 4), 'v')).toEqual([[1], [], [], [1]])
  })

  it('report with a wrong clock', () => {
    const [[sample]] = sends('{ state: { metric: v, value: 1 } }, { wrongClock: { offset: -2h } }', 1) as [[Sample]]
    expect(sample.ts).toBe(START - 7_200_000)
  })

  it('say everything twice', () => {
    expect(values(sends('{ state: { metric: v, value: 1 } }, { duplicate: {} }', 1), 'v')).toEqual([[1, 1]])
  })

  it('hold samples back and burst', () => {
    const reports = sends('{ state: { metric: v, value: 1 } }, { burst: { every: 30s, most: 3 } }', 5)
    expect(reports.map((samples) => samples.map((sample) => (sample.ts! - START) / 1000))).toEqual([[], [], [], [10, 20, 30], []])
  })

  it('are reproducible from the seed, and differ between seeds', () => {
    const noisy = '{ steady: { metric: v, value: 10, noise: 1 } }'
    expect(sends(noisy, 5, 7)).toEqual(sends(noisy, 5, 7))
    expect(sends(noisy, 5, 7)).not.toEqual(sends(noisy, 5, 8))
  })
})

describe('a script', () => {
  it('names every mistake with its line', () => {
    const text = [
      'gateways: { gw: { secret: s } }',
      'devices:',
      '  - { id: A, gateway: other, every: 10s, behaviours: [{ silent: {} }] }',
      '  - { id: B, gateway: gw, every: 10s, behaviours: [{ silent: {}, duplicate: {} }] }'
    ].join('\n')
    expect(parseScript(text, 's.yaml', null).problems.map(problemLine)).toEqual([
      's.yaml:3:23: gateway other is not listed under gateways',
      expect.stringMatching(/^s\.yaml:4:\d+: an entry names exactly one behaviour \(steady, state, /)
    ])
    expect(
      parseScript('gateways: {}\ndevices: [{ id: A, gateway: g, every: 10, behaviours: [] }]', 's.yaml', null).problems.map(problemLine)
    ).toEqual([
      expect.stringMatching(/^s\.yaml:2:39: a duration is text with a unit, such as 30s, 15m or 8h$/),
      expect.stringMatching(/^s\.yaml:2:55: a device needs at least one behaviour$/)
    ])
    expect(parseScript('devices: [', 's.yaml', null).problems).toHaveLength(1)
    const wrong = [
      'seed: x',
      'gateways: [a]',
      'devices:',
      '  - { id: 5, gateway: g, every: 5s, behaviours: [{ steady: { metric: v, noise: -1 } }, { fly: {} }] }',
      '  - 7'
    ].join('\n')
    expect(parseScript(wrong, 's.yaml', null).problems.map(problemLine)).toEqual([
      's.yaml:1:7: seed must be a number',
      's.yaml:2:11: gateways must be a mapping',
      's.yaml:4:11: devices.0.id must be one id or a list of ids',
      's.yaml:4:60: devices.0.behaviours.0.steady.value is missing: it must be a number',
      's.yaml:4:80: devices.0.behaviours.0.steady.noise must be at least 0',
      's.yaml:4:88: devices.0.behaviours.1 has the unknown key fly',
      's.yaml:5:5: devices.1 must be a mapping'
    ])
  })

  it('of the demo is sound and speaks of every device of the sample plant', () => {
    const file = path.join(import.meta.dirname, '../../simulators/scripts/demo.yaml')
    const { script, problems } = parseScript(readFileSync(file, 'utf8'), 'demo.yaml', null)
    expect(problems).toEqual([])
    const plant = readFileSync(path.join(import.meta.dirname, '../../config/plant.yaml'), 'utf8')
    const inPlant = [...plant.matchAll(/^ +- \{ id: ([\w-]+), +profile:/gm)].map((match) => match[1])
    expect(script!.devices.map((device) => device.id).sort()).toEqual(inPlant.sort())
  })
})
