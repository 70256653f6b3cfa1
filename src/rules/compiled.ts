// A rule after reading and checking, and what can be wrong with one.

import type { Rule } from '../model/plant.ts'
import type { Tier } from '../model/tier.ts'
import type { TruthNode } from './tree.ts'

/** What is wrong with a rule. `offset` counts UTF-16 code units into the field's text, null where there is none. */
export interface RuleProblem {
  readonly rule: string
  readonly tier: Tier | null
  readonly field: 'when' | 'clear' | 'deadband' | 'appliesTo' | 'per' | 'degrade'
  readonly offset: number | null
  /** One sentence: what is wrong and what to do. */
  readonly problem: string
  /**
   * Absent: the tier cannot be judged, or was surely not meant so. `check`: it is judged as written, but whoever checks the
   * plant should correct it. `nothing`: worth knowing only.
   */
  readonly stops?: 'check' | 'nothing'
}

/** A tier's two conditions. */
export interface CompiledTier {
  readonly tier: Tier
  readonly when: TruthNode
  readonly clear: TruthNode
  readonly forMs: number
  readonly clearForMs: number
}

/** A rule that can be judged, and the devices it applies to. */
export interface CompiledRule {
  readonly rule: Rule
  /** From the lowest tier to the highest. */
  readonly tiers: readonly CompiledTier[]
  /** Device numbers, ascending. */
  readonly devices: Int32Array
}
