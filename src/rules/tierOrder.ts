// The tiers of a rule held against one another: a higher tier that is entered no later than a lower one hides it.

import type { Fleet } from '../model/fleet.ts'
import type { Rule } from '../model/plant.ts'
import { distinctSubjects } from './check.ts'
import type { CompiledTier, RuleProblem } from './compiled.ts'
import { type Bounds, rangeOf } from './possible.ts'
import { measuredLeft, shapeOf, type TruthNode } from './tree.ts'

/** Adds a problem for every tier that lies above a higher one, with the first device it concerns. `tiers` ascend. */
export function checkTierOrder(
  fleet: Fleet,
  rule: Rule,
  tiers: readonly CompiledTier[],
  devices: Int32Array,
  problems: RuleProblem[]
): void {
  for (const [index, higher] of tiers.entries()) {
    for (const lower of tiers.slice(0, index)) {
      if (higher.forMs > lower.forMs) continue
      const subject = distinctSubjects(fleet, rule, [lower.when, higher.when], devices).find(({ bounds }) =>
        hides(higher.when, lower.when, bounds)
      )
      if (subject === undefined) continue
      const problem = `${higher.tier} is entered before ${lower.tier} for ${subject.subject}: the lower tier never shows; exchange their limits`
      problems.push({ rule: rule.id, tier: higher.tier, field: 'when', offset: higher.when.span.start, problem, stops: 'check' })
    }
  }
}

/** Two comparisons of the same number in the same direction, the higher tier's the easier one to meet. */
function hides(higher: TruthNode, lower: TruthNode, bounds: Bounds): boolean {
  if (higher.kind === 'voted' && lower.kind === 'voted') return higher.count === lower.count && hides(higher.of, lower.of, bounds)
  if (higher.kind !== 'comparison' || lower.kind !== 'comparison') return false
  const [above, below] = [measuredLeft(higher), measuredLeft(lower)]
  const direction = above.operator.charAt(0)
  if (direction !== below.operator.charAt(0) || shapeOf(above.left) !== shapeOf(below.left)) return false
  const [easy, hard] = [rangeOf(above.right, bounds), rangeOf(below.right, bounds)]
  return direction === '>' ? easy.high < hard.low : direction === '<' ? easy.low > hard.high : false
}
