// GB 18218-2018: worked examples, the boundaries of alpha and grade, and the tables held against themselves.

import { describe, expect, it } from 'vitest'
import type { HazardousSubstance, HazardSource } from '../../src/model/plant.ts'
import { alphaOf, factorsOf, gradeHazard, gradeOf, isCasNumber, liveInventory } from '../../src/rules/hazard.ts'
import { BETA_OF_TOXIC_GAS, HAZARD_CLASSES, NAMED_SUBSTANCES } from '../../src/rules/hazardTables.ts'

const LPG = '68476-85-7'
const AMMONIA = '7664-41-7'
const CHLORINE = '7782-50-5'
const METHANOL = '67-56-1'

const name = (text: string) => ({ zh: text, en: text })
const substance = (named: { cas?: string; class?: string }, amountT: number): HazardousSubstance => ({
  cas: null,
  class: null,
  name: name(''),
  tank: null,
  ...named,
  amountT
})
const source = (exposed: number, ...inventory: HazardousSubstance[]): HazardSource => ({
  id: 'h',
  site: 's',
  name: name('h'),
  exposed,
  inventory
})

describe('worked examples', () => {
  it.each([
    [
      'LPG 400 t and ammonia 20 t, 60 people',
      source(60, substance({ cas: LPG }, 400), substance({ cas: AMMONIA }, 20)),
      { s: 10, alpha: 1.5, r: 24, grade: 3 }
    ],
    ['chlorine 100 t, 120 people', source(120, substance({ cas: CHLORINE }, 100)), { s: 20, alpha: 2, r: 160, grade: 1 }],
    ['methanol 5000 t, nobody', source(0, substance({ cas: METHANOL }, 5000)), { s: 10, alpha: 0.5, r: 5, grade: 4 }],
    ['ammonia 9 t', source(60, substance({ cas: AMMONIA }, 9)), { s: 0.9, major: false, r: 2.7, grade: null }],
    ['ammonia 10 t: S of exactly 1', source(60, substance({ cas: AMMONIA }, 10)), { s: 1, major: true, r: 3, grade: 4 }],
    [
      'ten times a tenth of the threshold is the threshold',
      source(1, ...Array.from({ length: 10 }, () => substance({ cas: CHLORINE }, 0.5))),
      { s: 1, major: true, r: 4, grade: 4 }
    ],
    ['R of exactly 50', source(60, substance({ class: 'W5.3' }, 33_333.3333333333)), { r: 50, grade: 2 }]
  ])('%s', (_, given, expected) => {
    expect(gradeHazard(given)).toMatchObject(expected)
  })

  it('says how each substance takes part', () => {
    expect(gradeHazard(source(60, substance({ cas: LPG }, 400))).inventory).toMatchObject([
      { amountT: 400, thresholdT: 50, ratio: 8, beta: 1.5 }
    ])
  })
})

it.each([
  [0, 0.5],
  [1, 1],
  [29, 1],
  [30, 1.2],
  [49, 1.2],
  [50, 1.5],
  [99, 1.5],
  [100, 2],
  [5000, 2]
])('%i people exposed: alpha %d', (exposed, alpha) => {
  expect(alphaOf(exposed)).toBe(alpha)
})

it.each([
  [100, 1],
  [99.999, 2],
  [50, 2],
  [49.999, 3],
  [10, 3],
  [9.999, 4],
  [0, 4]
])('R %d: grade %i', (r, grade) => {
  expect(gradeOf(r)).toBe(grade)
})

describe('factors of a substance', () => {
  it.each([
    ['a named one', { cas: METHANOL, class: null }, { thresholdT: 500, beta: 1 }],
    ['a class', { cas: null, class: 'W5.3' }, { thresholdT: 1000, beta: 1 }],
    ['a named threshold stands over that of the class', { cas: METHANOL, class: 'W5.1' }, { thresholdT: 500, beta: 1.5 }],
    ['the beta of a toxic gas stands over that of its class', { cas: AMMONIA, class: 'J3' }, { thresholdT: 10, beta: 2 }],
    [
      'carbon monoxide: a flammable gas by its threshold, a toxic one by its beta',
      { cas: '630-08-0', class: null },
      { thresholdT: 10, beta: 2 }
    ],
    ['methyl bromide with its class', { cas: '74-83-9', class: 'J3' }, { thresholdT: 50, beta: 3 }],
    ['one that no table names', { cas: '64-19-7', class: null }, 'needs its class: table 1 of GB 18218-2018 does not name it'],
    ['a named one whose class is not certain', { cas: '7726-95-6', class: null }, 'needs its class: beta depends on it']
  ])('%s', (_, given, expected) => {
    expect(factorsOf(given)).toEqual(expected)
  })
})

describe('live amounts', () => {
  it.each([
    [0, 0],
    [50, 350],
    [33.3, 233.1],
    [104, 728],
    [-0.4, 0],
    [null, 700],
    [Number.NaN, 700]
  ])('level %d %% of 700 t is %d t', (level, amount) => {
    expect(liveInventory(level, 700)).toBe(amount)
  })

  it('give the live R', () => {
    const spheres = source(60, substance({ cas: LPG }, 900), substance({ cas: LPG }, 900))
    expect(gradeHazard(spheres)).toMatchObject({ r: 81, grade: 2 })
    expect(gradeHazard(spheres, [liveInventory(20, 900), liveInventory(null, 900)])).toMatchObject({ s: 21.6, r: 48.6, grade: 3 })
  })
})

describe('the tables', () => {
  it('hold CAS numbers with their check digits only', () => {
    expect([...Object.keys(NAMED_SUBSTANCES), ...Object.keys(BETA_OF_TOXIC_GAS)].filter((cas) => !isCasNumber(cas))).toEqual([])
    expect(['67-56-2', '67-56', '067-56-1', 'methanol', ''].filter(isCasNumber)).toEqual([])
  })

  it('name only classes that there are', () => {
    const classes = Object.values(NAMED_SUBSTANCES).flatMap((known) => known.class ?? [])
    expect(classes.filter((known) => !Object.hasOwn(HAZARD_CLASSES, known))).toEqual([])
  })
})
