// `--sweep rule.tier.limit=80..95:1`: one rule judged under a row of limits. The limit is the constant or `limits.x` that the
// tier's condition compares with; everything else of the rule stays as it is written.

import { numberFleet } from '../model/fleet.ts'
import type { Plant, Rule, RuleTier } from '../model/plant.ts'
import { TIERS, type Tier } from '../model/tier.ts'
import { Refusal } from '../platform/problem.ts'
import { compileRules } from '../rules/compile.ts'
import { parseCondition } from '../rules/expression.ts'
import { type ComparisonNode, isConstant, type Span, walk } from '../rules/tree.ts'
import { told } from './toldShadows.ts'

/** Limits of one sweep: each is a whole judgement. */
const MOST_STEPS = 400
const FORM = '--sweep is written like tank-level.yellow.limit=80..95:1 (rule, tier, "limit"; from, to, step)'

export interface Sweep {
  readonly rule: string
  readonly tier: Tier
  /** Ascending or descending, as asked for. */
  readonly limits: readonly number[]
}

/** Reads the option. Throws a Refusal (wrong usage) with a sentence. */
export function parseSweep(text: string): Sweep {
  const match = /^([A-Za-z0-9._-]+)\.([a-z]+)\.limit=([^:]+?)\.\.([^:]+):(.+)$/.exec(text)
  if (match === null) throw wrong(`"${text}" cannot be read: ${FORM}.`)
  const [, rule = '', tier = '', first = '', last = '', step = ''] = match
  if (!(TIERS as readonly string[]).includes(tier)) throw wrong(`--sweep names the tier "${tier}"; the tiers are ${TIERS.join(', ')}.`)
  const numbers = [first, last, step].map((part) => (/^-?\d+(\.\d+)?$/.test(part) ? Number(part) : Number.NaN))
  const [from, to, by] = numbers as [number, number, number]
  if (numbers.some(Number.isNaN) || by <= 0)
    throw wrong(`"${first}..${last}:${step}" is not a row of limits: ${FORM}; the step is above 0.`)
  const count = Math.floor(Math.abs(to - from) / by + 1e-9) + 1
  if (count > MOST_STEPS) throw wrong(`--sweep asks for ${count} limits; at most ${MOST_STEPS} are judged at once. Take a larger step.`)
  const decimals = Math.max(...[first, last, step].map((part) => (part.split('.')[1] ?? '').length))
  // Multiplied, not added up, and rounded to what was written: 0.1 steps give 0.3, not 0.30000000000000004.
  const limits = Array.from({ length: count }, (_, i) => Number((from + Math.sign(to - from) * i * by).toFixed(decimals)))
  return { rule, tier: tier as Tier, limits }
}

/** What the sweep moves: where the limit stands in the tier's condition. */
export interface SweptLimit {
  readonly rule: Rule
  readonly tier: RuleTier
  /** As written, e.g. `limits.level_high`. */
  readonly text: string
  readonly span: Span
}

/** The limit that the sweep means. Throws a Refusal where the plant has no such rule or tier, or it has no single comparison. */
export function sweptLimit(plant: Plant, { rule: ruleId, tier: tierName }: Sweep): SweptLimit {
  const rule = plant.rules.find(({ id }) => id === ruleId)
  if (rule === undefined) throw wrong(`--sweep names the rule "${ruleId}", which is not among ${namesOf(plant.rules.map(({ id }) => id))}.`)
  const tier = rule.tiers.find((other) => other.tier === tierName)
  if (tier === undefined)
    throw wrong(`--sweep names the tier ${tierName}; the rule ${ruleId} has ${namesOf(rule.tiers.map((other) => other.tier))}.`)
  const { condition } = parseCondition(tier.when)
  const comparisons: ComparisonNode[] = []
  if (condition !== null) walk(condition, (node) => void (node.kind === 'comparison' && comparisons.push(node)))
  const sides = comparisons.flatMap(({ left, right }) => (isConstant(left) === isConstant(right) ? [] : [isConstant(left) ? left : right]))
  const [side] = sides
  if (comparisons.length !== 1 || side === undefined) {
    const why = comparisons.length === 1 ? 'compares nothing with a constant or a limit' : `has ${comparisons.length} comparisons`
    throw wrong(
      `The tier ${tierName} of the rule ${ruleId} cannot be swept: its condition "${tier.when}" ${why}. A sweep needs a single comparison with a constant or limits.x.`
    )
  }
  return { rule, tier, text: tier.when.slice(side.span.start, side.span.end), span: side.span }
}

/** The plant with that rule alone, under that limit. */
export function sweptPlant(plant: Plant, sweep: Sweep, limit: number): Plant {
  const { rule, tier, span } = sweptLimit(plant, sweep)
  const when = `${tier.when.slice(0, span.start)}${limit < 0 ? `(${limit})` : limit}${tier.when.slice(span.end)}`
  const tiers = rule.tiers.map((other) => (other === tier ? { ...tier, when } : other))
  return { ...plant, hash: `${plant.hash}:${sweep.rule}.${sweep.tier}=${limit}`, rules: [told({ ...rule, tiers })] }
}

/** Why the rule cannot be judged under this limit; null where it can. */
export function sweptProblem(plant: Plant, sweep: Sweep, limit: number): string | null {
  return compileRules(numberFleet(sweptPlant(plant, sweep, limit))).problems[0]?.problem ?? null
}

function namesOf(names: readonly string[]): string {
  return names.length <= 10 ? names.join(', ') : `${names.slice(0, 10).join(', ')} and ${names.length - 10} more`
}

function wrong(sentence: string): Refusal {
  return new Refusal(sentence, { exitCode: 2 })
}
