// Built-in rules: what `builtIn:` becomes, who takes its place, and what is wrong with it.

import { expect, test } from 'vitest'
import type { Rule } from '../../../src/model/plant.ts'
import { type Files, GOOD, lines, load } from './folders.ts'

const DRIFTING = (GOOD['profiles/tank.yaml'] as string).replace('min: 0, max: 110', 'min: -5, max: 110, zeroDrift: 2')
const asking = (builtIn: string, rules = ''): Files => ({
  ...GOOD,
  'profiles/tank.yaml': DRIFTING,
  'rules/faults.yaml': `builtIn:\n${builtIn}${rules}`
})

function rulesOf(files: Files): readonly Rule[] {
  const { plant, problems, warnings } = load(files)
  expect(lines([...problems, ...warnings])).toEqual([])
  return plant?.rules ?? []
}

/** `id tier when / clear for clearFor` of all but the rule of the folder itself. */
function said(files: Files): string[] {
  return rulesOf(files)
    .filter(({ id }) => id !== 'level')
    .map(({ id, tiers: [one] }) => `${id} ${one?.tier} ${one?.when} / ${one?.clear} ${one?.forMs} ${one?.clearForMs}`)
}

test('a plant that does not ask for them has none, and its hash stays', () => {
  expect(said(GOOD)).toEqual([])
  expect(load({ ...GOOD, 'rules/more.yaml': 'builtIn: { sensor-faulty: off, clock-wrong: false }' }).plant?.hash).toBe(
    load(GOOD).plant?.hash
  )
})

test('they become plain rules, one per profile and metric', () => {
  const all = ['sensor-faulty', 'sensor-out-of-range', 'sensor-stuck', 'sensor-below-zero', 'device-silent', 'clock-wrong']
  expect(said(asking(all.map((name) => `  ${name}: on\n`).join('')))).toEqual([
    'clock-wrong.tank blue clockWrong() / null 600000 600000',
    "device-silent.tank yellow silent('1m30s') / null 0 0",
    'sensor-below-zero.tank.level_pct blue level_pct < -2 / level_pct >= -1 600000 600000',
    'sensor-faulty.tank.level_pct yellow faulty(level_pct) && !outOfRange(level_pct) / null 60000 60000',
    'sensor-faulty.tank.temperature_c yellow faulty(temperature_c) && !outOfRange(temperature_c) / null 60000 60000',
    'sensor-out-of-range.tank.level_pct yellow outOfRange(level_pct) / null 60000 60000',
    'sensor-out-of-range.tank.temperature_c yellow outOfRange(temperature_c) / null 60000 60000',
    'sensor-stuck.tank.temperature_c blue stuck(temperature_c) / null 0 0'
  ])
})

test('of a list the first change that fits counts', () => {
  const changes = `  sensor-faulty:
    - { metrics: [level_pct], tier: red, for: 5s, guidance: { zh: 看, en: Look } }
    - { profiles: [tank], tier: off }
  device-silent: { after: 3m, tier: blue }
`
  expect(said(asking(changes))).toEqual([
    "device-silent.tank blue silent('3m') / null 0 0",
    'sensor-faulty.tank.level_pct red faulty(level_pct) / null 5000 60000'
  ])
  const [, faulty] = rulesOf(asking(changes)).filter(({ id }) => id !== 'level')
  expect(faulty).toMatchObject({
    title: { zh: '储罐:level_pct传感器故障', en: 'Tank: level_pct sensor faulty' },
    guidance: { zh: '看', en: 'Look' },
    appliesTo: { profile: 'tank' }
  })
})

test('a written rule of the same id takes the place of a built-in one', () => {
  const own = `rules:
  - id: sensor-stuck.tank.temperature_c
    appliesTo: { devices: [T-1] }
    tiers: { orange: { when: "stuck(temperature_c, '1h')" } }
`
  expect(said(asking('  sensor-stuck: on\n', own))).toEqual([
    "sensor-stuck.tank.temperature_c orange stuck(temperature_c, '1h') / null 0 0"
  ])
})

test('every mistake is named with its place', () => {
  const wrong = `  sensor-stuk: on
  sensor-faulty: onn
  sensor-stuck: [{ profiles: [tnk] }, { metrics: [level], tier: blu }]
`
  expect(lines(load(asking(wrong)).problems)).toEqual([
    'rules/faults.yaml:2:3: builtIn of the rule file has the unknown key sensor-stuk; did you mean sensor-stuck?',
    'rules/faults.yaml:3:18: builtIn.sensor-faulty of the rule file must be on, off, what to change, or a list of these, not the text "onn"',
    'rules/faults.yaml:4:65: builtIn.sensor-stuck[1].tier of the rule file must be one of blue, yellow, orange, red, off, not the text "blu"'
  ])
  const names =
    '  sensor-stuck: [{ profiles: [tnk] }, { metrics: [level] }]\n  sensor-faulty: { after: 3m }\n  clock-wrong: { metrics: [level_pct] }\n'
  expect(lines(load(asking(names)).problems)).toEqual([
    'rules/faults.yaml:2:31: sensor-stuck names the profile tnk, which does not exist',
    'rules/faults.yaml:2:51: sensor-stuck names the metric level, which does not exist',
    'rules/faults.yaml:3:27: only device-silent knows after: write for',
    'rules/faults.yaml:4:27: clock-wrong is about whole devices: leave metrics out'
  ])
  const twice = { ...asking('  sensor-stuck: on\n'), 'rules/more.yaml': 'builtIn: { sensor-stuck: on }\n' }
  expect(lines(load(twice).problems)).toEqual([
    'rules/more.yaml:1:12: sensor-stuck is already said in rules/faults.yaml:2; say each built-in rule once'
  ])
  const drift = DRIFTING.replace('zeroDrift: 2', 'zeroDrift: 5')
  expect(lines(load({ ...GOOD, 'profiles/tank.yaml': drift }).problems)).toEqual([
    'profiles/tank.yaml:4:57: metrics.level_pct.zeroDrift of profile tank must leave room above its min, not 5'
  ])
})
