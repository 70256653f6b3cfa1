// One mistake of each kind, and the line that `check` prints for it.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadPlant, loadPlantFolder } from '../../../src/app/config/load.ts'
import { type Files, folderOf, GOOD, lines, load } from './folders.ts'

const without = (name: string): Files => Object.fromEntries(Object.entries(GOOD).filter(([file]) => file !== name))
const plant = (text: string): Files => ({ ...GOOD, 'rules/level.yaml': '', 'plant.yaml': text })
const profile = (text: string): Files => ({ ...GOOD, 'plant.yaml': '', 'rules/level.yaml': '', 'profiles/tank.yaml': text })
const rule = (text: string): Files => ({ ...GOOD, 'rules/level.yaml': `rules:\n  - id: level\n${text}` })
const service = (text: string): Files => ({ ...GOOD, 'fenghuo.yaml': text })

const MISTAKES: Record<string, [Files, ...string[]]> = {
  'no plant.yaml': [
    without('plant.yaml'),
    'plant.yaml:1:1: this file does not exist; it lists enterprises, sites, areas, gateways and devices'
  ],
  'no profiles folder': [without('profiles/tank.yaml'), 'profiles:1:1: there is no such folder; it holds one YAML file per kind of device'],
  'both plant files': [{ ...GOOD, 'plant.json': '{}' }, 'plant.json:1:1: plant.yaml and plant.json both exist; keep one of them'],
  'a file that would be overlooked': [
    { ...GOOD, 'rules/more.yml': '' },
    'rules/more.yml:1:1: this file would not be read; name it more.yaml, or move it out of the folder'
  ],
  'duty.yaml that is a list': [{ ...GOOD, 'duty.yaml': '- x' }, 'duty.yaml:1:1: the duty file must be a mapping, not a list'],

  'a bracket left open': [
    plant('devices: [{ id: T-1, profile: tank }\nareas: []\n'),
    'plant.yaml:2:1: this is not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]'
  ],
  'a tab': [
    plant('devices:\n\t- { id: T-1, profile: tank }\n'),
    'plant.yaml:2:1: this line is indented with a tab; YAML takes spaces only'
  ],
  'a colon in plain text': [
    rule('    appliesTo: {}\n    guidance: Cause: fire\n    tiers: { red: { when: level_pct > 1 } }\n'),
    'rules/level.yaml:4:15: there is a second ": " in this line; put text that contains a colon in quotes'
  ],
  'a duration that is text, said once': [
    rule("    appliesTo: {}\n    tiers: { red: { when: level_pct > 1, for: 5 s, clearFor: '-5s' } }\n"),
    'rules/level.yaml:4:47: tiers.red.for of rule level must be a duration with a unit, such as 500ms, 30s, 15m, 8h or 7d, not the text "5 s"',
    'rules/level.yaml:4:62: tiers.red.clearFor of rule level must be a duration with a unit, such as 500ms, 30s, 15m, 8h or 7d, not the text "-5s"'
  ],
  'two documents': [
    service('logLevel: info\n---\nlogLevel: warn\n'),
    'fenghuo.yaml:2:1: a second document begins here (---); one file holds one document'
  ],
  'a key twice': [
    service('logLevel: info\nlogLevel: warn\n'),
    'fenghuo.yaml:2:1: the key logLevel is given twice in the same mapping; keep one of them'
  ],
  'an alias': [plant('areas: &x []\nsites: *x\n'), 'plant.yaml:2:8: *x refers to a value elsewhere; write the value out here'],
  'a tag': [
    service('data: !secret x\n'),
    'fenghuo.yaml:1:7: this is not plain YAML (Unresolved tag: !secret); write the value without a tag'
  ],
  'JSON with a comma too many': [
    {
      ...without('plant.yaml'),
      'rules/level.yaml': '',
      'plant.json': '{"devices": [\n  {"id": "T-1", "profile": "tank"}\n  {"id": "T-2"}]}'
    },
    'plant.json:3:3: this is not valid YAML: missing , or : between flow sequence items'
  ],

  'an unknown list': [plant('device: []\n'), 'plant.yaml:1:1: the plant has the unknown key device; did you mean devices?'],
  'a mapping for a list': [plant('devices: { T-1: {} }\n'), 'plant.yaml:1:10: devices of the plant must be a list, not a mapping'],
  'a list for the plant': [plant('- { id: T-1, profile: tank }\n'), 'plant.yaml:1:1: the plant must be a mapping, not a list'],
  'a device without id': [
    plant('devices: [{ profile: tank }]\n'),
    'plant.yaml:1:11: device number 1 has no id, which is required and must be an id of 1 to 64 letters, digits, dots, underscores or hyphens'
  ],
  'a device without profile': [
    plant('devices:\n  - id: T-1\n'),
    'plant.yaml:2:5: device T-1 has no profile, which is required and must be an id of 1 to 64 letters, digits, dots, underscores or hyphens'
  ],
  'a number for an id': [
    plant('devices: [{ id: 101, profile: tank }]\n'),
    'plant.yaml:1:17: id of device number 1 must be an id of 1 to 64 letters, digits, dots, underscores or hyphens, not the number 101 (put it in quotes)'
  ],
  'text for a limit': [
    plant('devices: [{ id: T-1, profile: tank, limits: { level_high: "85" } }]\n'),
    'plant.yaml:1:59: limits.level_high of device T-1 must be a number, not the text "85"'
  ],
  'an unknown limit': [
    plant('devices: [{ id: T-1, profile: tank, limits: { level_hihg: 85 } }]\n'),
    'plant.yaml:1:47: device T-1 sets the limit level_hihg, which its profile tank does not know; did you mean level_high?'
  ],
  'an unknown gateway': [
    plant('gateways: []\ndevices: [{ id: T-1, profile: tank, gateway: gw }]\n'),
    'plant.yaml:2:46: device T-1 names the gateway gw, which is not under gateways in this file'
  ],
  'an unknown area and site': [
    plant('devices: [{ id: T-1, profile: tank, area: a, site: b }]\n'),
    'plant.yaml:1:43: device T-1 names the area a, which is not under areas in this file',
    'plant.yaml:1:52: device T-1 names the site b, which is not under sites in this file'
  ],
  'an area in another site': [
    plant(
      'enterprises: [{ id: e }]\nsites: [{ id: a, enterprise: e }, { id: b, enterprise: e }]\nareas: [{ id: x, site: a }]\ndevices: [{ id: T-1, profile: tank, area: x, site: b }]\n'
    ),
    'plant.yaml:4:52: device T-1 names the site b, but its area x lies in the site a; leave the site out'
  ],
  'a latitude off the globe': [
    plant('enterprises: [{ id: e }]\nsites: [{ id: s, enterprise: e, lat: 129.9, lon: 29 }]\n'),
    'plant.yaml:2:38: lat of site s must be between -90 and 90 degrees, not 129.9'
  ],
  'a gateway without secret': [
    plant('enterprises: [{ id: e }]\ngateways: [{ id: g, enterprise: e }]\n'),
    'plant.yaml:2:12: gateway g has no secret, which is required'
  ],
  'a secret that names no variable': [
    plant('enterprises: [{ id: e }]\ngateways: [{ id: g, enterprise: e, secret: "env:" }]\n'),
    'plant.yaml:2:44: the secret of gateway g must name an environment variable after env:, in letters, digits and underscores'
  ],
  'a secret that is a number is not shown': [
    plant('enterprises: [{ id: e }]\ngateways: [{ id: g, enterprise: e, secret: 4711 }]\n'),
    'plant.yaml:2:44: secret of gateway g must be text'
  ],
  'a name in one language': [
    plant('enterprises: [{ id: e, name: { zh: 化工 } }]\n'),
    'plant.yaml:1:30: name of enterprise e has no en, which is required'
  ],

  'min above max': [
    profile('id: t\nmetrics:\n  a: { unit: "1", min: 2, max: 1 }\nsilentAfter: 1m\n'),
    'profiles/tank.yaml:3:24: metrics.a.min of profile t must be below its max, or no value is ever in range, not 2'
  ],
  'an infinite max': [
    profile('id: t\nmetrics:\n  a: { unit: "1", min: 2, max: .inf }\nsilentAfter: 1m\n'),
    'profiles/tank.yaml:3:32: metrics.a.max of profile t must be a number, not Infinity'
  ],
  'a metric name with capitals': [
    profile('id: t\nmetrics: { Level: { unit: "%", min: 0, max: 1 } }\nsilentAfter: 1m\n'),
    'profiles/tank.yaml:2:12: the name Level in metrics of profile t must be a lower-case name such as level_pct: a letter, then letters, digits and underscores'
  ],
  'a metric named like a word of the language': [
    profile('id: t\nmetrics: { in: { unit: "%", min: 0, max: 1 } }\nsilentAfter: 1m\n'),
    'profiles/tank.yaml:2:12: the name in in metrics of profile t must not be a word of the rule language'
  ],
  'no silentAfter': [
    profile('id: t\nmetrics: {}\n'),
    'profiles/tank.yaml:1:1: profile t has no silentAfter, which is required and must be a duration with a unit, such as 500ms, 30s, 15m, 8h or 7d'
  ],
  'silentAfter of nothing': [
    profile('id: t\nmetrics: {}\nsilentAfter: 0s\n'),
    'profiles/tank.yaml:3:14: silentAfter of profile t must be longer than nothing, not the text "0s"'
  ],
  'a profile twice': [
    { ...GOOD, 'profiles/zzz.yaml': GOOD['profiles/tank.yaml'] as string },
    'profiles/zzz.yaml:1:5: the profile tank is already defined in profiles/tank.yaml; profile ids are unique'
  ],
  'an empty profile file': [profile(''), 'profiles/tank.yaml:1:1: profile profiles/tank.yaml must be a mapping, not empty'],

  'a rule for an unknown profile': [
    rule('    appliesTo: { profile: tnak }\n    tiers: { red: { when: level_pct > 1 } }\n'),
    'rules/level.yaml:3:27: rule level applies to the profile tnak, which does not exist; did you mean tank?'
  ],
  'a rule for an unknown device': [
    rule('    appliesTo: { devices: [T-1, T-9] }\n    tiers: { red: { when: level_pct > 1 } }\n'),
    'rules/level.yaml:3:33: rule level applies to the device T-9, which does not exist'
  ],
  'a rule without tiers': [
    rule('    appliesTo: {}\n    tiers: {}\n'),
    'rules/level.yaml:4:12: rule level has no tier; give it at least one of blue, yellow, orange, red'
  ],
  'a tier of another colour': [
    rule('    appliesTo: {}\n    tiers: { purple: { when: level_pct > 1 } }\n'),
    'rules/level.yaml:4:14: tiers of rule level has the unknown key purple; known here: blue, yellow, orange, red'
  ],
  'an expression with a comma inside braces': [
    rule('    appliesTo: { profile: tank }\n    per: area\n    tiers: { red: { when: voted(2, level_pct > 1) } }\n'),
    expect.stringMatching(/^rules\/level.yaml:5:\d+: /),
    'rules/level.yaml:5:36: tiers.red of rule level has the unknown key level_pct > 1); inside { } text with a comma needs quotes'
  ],
  'a bare number for a delay': [
    rule('    appliesTo: {}\n    tiers: { red: { when: level_pct > 1, for: 5 } }\n'),
    'rules/level.yaml:4:47: tiers.red.for of rule level must be a duration with a unit, such as 500ms, 30s, 15m, 8h or 7d, not 5'
  ],
  'a rule twice': [
    { ...GOOD, 'rules/zzz.yaml': GOOD['rules/level.yaml'] as string },
    'rules/zzz.yaml:2:9: the rule level is already defined in rules/level.yaml:2; rule ids are unique'
  ],

  'a port that is text': [
    service('http: { port: "80" }\n'),
    'fenghuo.yaml:1:15: http.port of the service must be a port number from 0 to 65535, not the text "80"'
  ],
  'a size without unit': [
    service('journal: { keepBytes: 1000 }\n'),
    'fenghuo.yaml:1:23: journal.keepBytes of the service must be a size with a unit, such as 256MB, 4GB or 512MiB, not 1000'
  ],
  'half a day of history': [
    service('history: { keep: 36h }\n'),
    'fenghuo.yaml:1:18: history.keep must be a whole number of days such as 365d, not "36h": one day is one file'
  ],
  'an unset variable of the service': [
    service('state: { url: "env:DB_URL" }\n'),
    'fenghuo.yaml:1:15: state.url names the environment variable DB_URL, which is not set'
  ]
}

describe('one mistake', () => {
  for (const [name, [files, ...expected]] of Object.entries(MISTAKES)) {
    test(name, () => {
      expect(lines(load(files).problems)).toEqual(expected)
    })
  }
})

test('text that is not UTF-8 is named', () => {
  const folder = folderOf(GOOD)
  writeFileSync(path.join(folder, 'plant.yaml'), Buffer.from([0x69, 0x64, 0x3a, 0x20, 0xb4, 0xf3]))
  expect(lines(loadPlantFolder(folder, {}).problems)).toEqual(['plant.yaml:1:1: this file is not UTF-8 text; save it as UTF-8'])
})

test('brackets without end are named', () => {
  const { problems } = load({ ...GOOD, 'fenghuo.yaml': `data: ${'['.repeat(20_000)}` })
  expect(lines(problems)).toEqual([expect.stringMatching(/^fenghuo.yaml:1:\d+: this file nests too deeply to be read$/)])
})

test('a plant folder that does not exist is named', () => {
  const folder = folderOf({})
  expect(lines(loadPlantFolder(path.join(folder, 'nowhere', 'fenghuo.yaml'), {}).problems)).toEqual([
    'nowhere:1:1: there is no such folder; name the fenghuo.yaml of a plant folder'
  ])
  expect(lines(loadPlant(path.join(folder, 'nowhere'), {}).problems)).toEqual([
    'nowhere:1:1: there is no such folder; name a plant folder: it holds profiles/, plant.yaml and rules/'
  ])
})

test('a service file that was named must exist', () => {
  const folder = folderOf(GOOD)
  expect(lines(loadPlantFolder(path.join(folder, 'fenghou.yaml'), {}).problems)).toEqual(['fenghou.yaml:1:1: this file does not exist'])
})

test('several mistakes in one thing are all found', () => {
  const { problems } = load({
    ...GOOD,
    'plant.yaml': 'devices:\n  - { id: T-1, profile: tank, area: a, colour: red, limits: { level_hihg: x } }\n',
    'profiles/tank.yaml':
      'id: tank\nmetrics:\n  level_pct: { unit: "%", min: 1, max: 0, mean: 1 }\nsilentAfter: 90\nlimits: { level_high: 85 }\n',
    'rules/level.yaml':
      'rules:\n  - id: level\n    appliesTo: { profile: tank }\n    tiers: { red: { when: levle_pct > 1, for: 5, until: never } }\n'
  })
  expect(lines(problems)).toEqual([
    'plant.yaml:2:37: device T-1 names the area a, which is not under areas in this file',
    'plant.yaml:2:40: device T-1 has the unknown key colour; known here: id, name, profile, gateway, area, site, labels, limits',
    'plant.yaml:2:63: device T-1 sets the limit level_hihg, which its profile tank does not know; did you mean level_high?',
    'plant.yaml:2:75: limits.level_hihg of device T-1 must be a number, not the text "x"',
    'profiles/tank.yaml:3:32: metrics.level_pct.min of profile tank must be below its max, or no value is ever in range, not 1',
    'profiles/tank.yaml:3:43: metrics.level_pct of profile tank has the unknown key mean; known here: name, unit, min, max, stuckAfter, zeroDrift',
    'profiles/tank.yaml:4:14: silentAfter of profile tank must be a duration with a unit, such as 500ms, 30s, 15m, 8h or 7d, not 90',
    expect.stringContaining('rules/level.yaml:4:27: '),
    'rules/level.yaml:4:47: tiers.red.for of rule level must be a duration with a unit, such as 500ms, 30s, 15m, 8h or 7d, not 5',
    'rules/level.yaml:4:50: tiers.red of rule level has the unknown key until; known here: when, clear, deadband, for, clearFor'
  ])
})

test('a file that cannot be parsed makes nothing that refers to it look wrong', () => {
  const { problems } = load({ ...GOOD, 'profiles/tank.yaml': 'id: [tank' })
  expect(lines(problems)).toEqual([expect.stringMatching(/^profiles\/tank.yaml:1:10: this is not valid YAML: /)])
})

describe('the place inside an expression', () => {
  const folded = (when: string): Files => rule(`    appliesTo: { profile: tank }\n    tiers:\n      red:\n        when: ${when}\n`)
  test.each([
    ['plain', 'level_pct > limits.nothing', 6, 27],
    ['in quotes', '"level_pct > limits.nothing"', 6, 28],
    ['on the second line of a folded text', '>-\n          level_pct > 1 &&\n          level_pct > limits.nothing', 8, 23],
    ['on the second line of plain text', 'level_pct > 1 &&\n          level_pct > limits.nothing', 7, 23]
  ])('%s', (_name, when, line, column) => {
    const [found, ...more] = load(folded(when)).problems
    expect(more).toEqual([])
    expect(found?.place).toMatchObject({ line, column })
  })
})

test('a plant without rules is a warning: nothing would raise an alarm', () => {
  const { plant, problems, warnings } = load(without('rules/level.yaml'))
  expect(lines(problems)).toEqual([])
  expect(lines(warnings)).toEqual(['rules:1:1: there is no such folder; without rules nothing raises an alarm'])
  expect(plant?.devices).toHaveLength(2)
})

test('limits out of order are a warning', () => {
  const { plant, warnings } = load({
    ...GOOD,
    'plant.yaml': 'devices:\n  - { id: T-1, profile: tank, limits: { level_high: 92 } }\n'
  })
  expect(lines(warnings)).toEqual(['plant.yaml:2:53: level_high (92) of device T-1 is above level_high_high (90)'])
  expect(plant).not.toBeNull()
})
