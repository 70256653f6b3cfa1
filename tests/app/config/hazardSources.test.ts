// Hazard sources in plant.yaml: what is read, and each mistake with its line; and `fenghuo hazard` over them.

import { rmSync } from 'node:fs'
import path from 'node:path'
import { expect, it, test } from 'vitest'
import { hazard } from '../../../src/app/commands/hazard.ts'
import { folderOf, GOOD, lines, load, output } from './folders.ts'

const PLANT = GOOD['plant.yaml'] as string
const withSources = (text: string) => ({ ...GOOD, 'plant.yaml': `${PLANT}hazardSources:\n${text}` })
const source = (inventory: string) => withSources(`  - { id: yard, site: farm, name: Yard, exposed: 60, inventory: [${inventory}] }\n`)

test('are read with the names of the tables', () => {
  const { plant, problems } = load(source('{ cas: 67-56-1, amount_t: 700, tank: T-1 }, { class: W2, name: Off-gas, amount_t: 2.5 }'))
  expect(problems).toEqual([])
  expect(plant?.hazardSources).toEqual([
    {
      id: 'yard',
      site: 'farm',
      name: { zh: 'Yard', en: 'Yard' },
      exposed: 60,
      inventory: [
        { cas: '67-56-1', class: null, name: { zh: '甲醇', en: 'Methanol' }, amountT: 700, tank: 'T-1' },
        { cas: null, class: 'W2', name: { zh: 'Off-gas', en: 'Off-gas' }, amountT: 2.5, tank: null }
      ]
    }
  ])
})

test('belong to what the hash identifies; a plant without any keeps the hash it had', () => {
  const [none, empty, one] = [GOOD, withSources('  []\n'), source('{ cas: 67-56-1, amount_t: 700 }')].map((files) => load(files).plant)
  expect(none).not.toHaveProperty('hazardSources')
  expect(empty?.hash).toBe(none?.hash)
  expect(one?.hash).not.toBe(none?.hash)
})

it.each([
  [
    'neither cas nor class',
    '{ amount_t: 7 }',
    'plant.yaml:12:66: hazard source yard holds a substance with neither cas nor class: give one of them, or both'
  ],
  [
    'a wrong check digit',
    '{ cas: 67-56-2, amount_t: 7 }',
    'plant.yaml:12:73: inventory[0].cas of hazard source yard must be a CAS number with its right check digit, such as "67-56-1", not the text "67-56-2"'
  ],
  [
    'a class that there is not',
    '{ class: W5, amount_t: 7 }',
    'plant.yaml:12:75: inventory[0].class of hazard source yard must be a class of GB 18218-2018 such as J1, W2 or W5.3, not the text "W5"'
  ],
  [
    'nothing stored',
    '{ class: W2, amount_t: 0 }',
    'plant.yaml:12:89: inventory[0].amount_t of hazard source yard must be a number of tonnes above 0, not 0'
  ],
  [
    'a tank that there is not',
    '{ class: W2, amount_t: 7, tank: T-3 }',
    'plant.yaml:12:98: hazard source yard names the tank T-3, which is not under devices in this file'
  ],
  [
    'a substance that needs its class',
    '{ cas: 7726-95-6, amount_t: 7 }',
    'plant.yaml:12:73: hazard source yard holds Bromine (7726-95-6), which needs its class: beta depends on it'
  ],
  [
    'a substance that no table names',
    '{ cas: 64-19-7, amount_t: 7 }',
    'plant.yaml:12:73: hazard source yard holds 64-19-7, which needs its class: table 1 of GB 18218-2018 does not name it'
  ]
])('%s is a problem', (_, inventory, line) => {
  expect(lines(load(source(inventory)).problems)).toEqual([line])
})

test('an unknown site, a half person and an empty inventory are problems', () => {
  expect(lines(load(withSources('  - { id: yard, site: farn, exposed: 0.5, inventory: [] }\n')).problems)).toEqual([
    'plant.yaml:12:23: hazard source yard names the site farn, which is not under sites in this file; did you mean farm?',
    'plant.yaml:12:38: exposed of hazard source yard must be a whole number of people from 0, not 0.5',
    'plant.yaml:12:54: inventory of hazard source yard must name at least one substance, not a list'
  ])
})

test('the command prints S, R and grade', () => {
  const config = path.join(
    folderOf(source('{ cas: 68476-85-7, amount_t: 400 }, { cas: 7664-41-7, amount_t: 20, tank: T-1 }')),
    'fenghuo.yaml'
  )
  const text = output()
  expect(hazard({ config, json: false }, {}, text.out)).toBe(true)
  expect(text.printed).toEqual([
    'yard  Yard, site farm: major hazard source, grade 3',
    '    S = 10   alpha = 1.5 (60 people exposed)   R = 24',
    '    液化石油气 Liquefied petroleum gas (68476-85-7): 400 t of 50 t = 8, beta 1.5',
    '    氨 Ammonia (T-1, 7664-41-7): 20 t of 10 t = 2, beta 2'
  ])
  const json = output()
  hazard({ config, json: true }, {}, json.out)
  expect(JSON.parse(json.printed.join('\n'))).toMatchObject({
    standard: 'GB 18218-2018',
    sources: [{ id: 'yard', s: 10, major: true, alpha: 1.5, r: 24, grade: 3, inventory: [{ threshold_t: 50 }, { tank: 'T-1', ratio: 2 }] }]
  })
})

test('the command says where there is nothing to grade, where S is below 1, and what is wrong', () => {
  const run = (files: typeof GOOD) => {
    const { out, printed, noted } = output()
    return [hazard({ config: path.join(folderOf(files), 'fenghuo.yaml'), json: false }, {}, out), printed[0], noted.length]
  }
  expect(run(GOOD)).toEqual([true, 'The plant names no hazard sources: list them in plant.yaml under hazardSources.', 0])
  expect(run(source('{ cas: 7664-41-7, amount_t: 9 }'))).toEqual([true, 'yard  Yard, site farm: not a major hazard source (S < 1)', 0])
  expect(run(source('{ amount_t: 9 }'))).toEqual([false, undefined, 1])
})

test('the command takes a folder, with or without fenghuo.yaml, and refuses a file that is not there', () => {
  const folder = folderOf(source('{ class: W2, amount_t: 9 }'))
  rmSync(path.join(folder, 'fenghuo.yaml'))
  for (const config of [folder, path.join(folder, 'fenghuo.yaml')]) expect(hazard({ config, json: false }, {}, output().out)).toBe(true)
  expect(() => hazard({ config: path.join(folder, 'plan.yaml'), json: false }, {}, output().out)).toThrow(
    /^There is no .*plan\.yaml: name a plant folder/
  )
})
