// Identification and grading of major hazard sources after GB 18218-2018: S decides whether it is one, R which grade it has.
// Pure. Sums are rounded to 12 digits, so that ten tenths of a threshold are a threshold.

import type { HazardousSubstance, HazardSource } from '../model/plant.ts'
import { ALPHA_BY_EXPOSED, BETA_OF_TOXIC_GAS, GRADE_BY_R, HAZARD_CLASSES, NAMED_SUBSTANCES } from './hazardTables.ts'

/** What the standard says of a substance: its threshold Q (t) and its correction factor beta. */
export interface SubstanceFactors {
  readonly thresholdT: number
  readonly beta: number
}

export interface GradedSubstance extends SubstanceFactors {
  readonly substance: HazardousSubstance
  /** q (t). */
  readonly amountT: number
  /** q / Q. */
  readonly ratio: number
}

export interface HazardGrading {
  /** Sum of q / Q: from 1 on it is a major hazard source. */
  readonly s: number
  readonly major: boolean
  readonly alpha: number
  /** alpha x sum of beta x q / Q. */
  readonly r: number
  /** 1 is the gravest; null where it is no major hazard source. */
  readonly grade: 1 | 2 | 3 | 4 | null
  readonly inventory: readonly GradedSubstance[]
}

/**
 * Threshold and beta of a substance by its CAS number, its class, or both: a named threshold (table 1) stands over that of the
 * class, a named beta (table 3) over that of the class. Answers what is missing as a predicate ("needs …").
 */
export function factorsOf({ cas, class: given }: Pick<HazardousSubstance, 'cas' | 'class'>): SubstanceFactors | string {
  const known = cas === null ? undefined : NAMED_SUBSTANCES[cas]
  const own = given === null ? undefined : HAZARD_CLASSES[given]
  const thresholdT = known?.thresholdT ?? own?.thresholdT
  if (thresholdT === undefined) return 'needs its class: table 1 of GB 18218-2018 does not name it'
  const beta = (cas === null ? undefined : BETA_OF_TOXIC_GAS[cas]) ?? own?.beta ?? HAZARD_CLASSES[known?.class ?? '']?.beta
  if (beta === undefined) return 'needs its class: beta depends on it'
  return { thresholdT, beta }
}

/** Alpha by the people exposed within 500 m. */
export function alphaOf(exposed: number): number {
  return ALPHA_BY_EXPOSED.find(({ from }) => exposed >= from)?.alpha ?? 2
}

/** R of exactly 100, 50 or 10 belongs to the graver grade. */
export function gradeOf(r: number): 1 | 2 | 3 | 4 {
  return GRADE_BY_R.find(({ from }) => r >= from)?.grade ?? 1
}

/**
 * Grades a source. `amounts` (t, in the order of the inventory) take the place of the design amounts: with live ones it is the
 * live R. Substances whose factors cannot be told are refused by the plant's checks; they throw here.
 */
export function gradeHazard(source: HazardSource, amounts?: readonly number[]): HazardGrading {
  const inventory = source.inventory.map((substance, i): GradedSubstance => {
    const factors = factorsOf(substance)
    if (typeof factors === 'string') throw new Error(`${substance.name.en} of hazard source ${source.id} ${factors}`)
    const amountT = amounts?.[i] ?? substance.amountT
    return { substance, ...factors, amountT, ratio: decimal(amountT / factors.thresholdT) }
  })
  const alpha = alphaOf(source.exposed)
  const s = decimal(inventory.reduce((sum, { amountT, thresholdT }) => sum + amountT / thresholdT, 0))
  const r = decimal(alpha * inventory.reduce((sum, { amountT, thresholdT, beta }) => sum + (beta * amountT) / thresholdT, 0))
  return { s, major: s >= 1, alpha, r, grade: s >= 1 ? gradeOf(r) : null, inventory }
}

/** What a tank holds now (t), by its level in percent. A level that is unknown counts as full: unknown is never called well. */
export function liveInventory(levelPct: number | null, capacityT: number): number {
  if (levelPct === null || Number.isNaN(levelPct)) return capacityT
  return decimal((Math.max(0, levelPct) / 100) * capacityT)
}

/** Whether the check digit of a CAS number such as 67-56-1 is right. */
export function isCasNumber(cas: string): boolean {
  if (!/^[1-9]\d{1,6}-\d\d-\d$/.test(cas)) return false
  const digits = [...cas.replaceAll('-', '')].map(Number)
  const check = digits.pop()
  return digits.reverse().reduce((sum, digit, i) => sum + digit * (i + 1), 0) % 10 === check
}

function decimal(value: number): number {
  return Number(value.toPrecision(12))
}
