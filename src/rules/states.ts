// States of the plant as rules: what a state says of its devices is judged by the engine like any rule, under an id that no
// written rule can have. Its transitions are nobody's alarms.

import type { PlantState, Rule } from '../model/plant.ts'
import type { TruthNode } from './tree.ts'

/** No rule id holds a colon. */
const PREFIX = 'state:'

/** The rule that judges a state which goes by a condition; null for one that goes by the clock or by hand. */
export function ruleOfState(state: PlantState): Rule | null {
  if (state.while === null) return null
  const tier = { tier: 'blue' as const, when: state.while, clear: null, deadband: null, forMs: state.forMs, clearForMs: state.clearForMs }
  return {
    id: PREFIX + state.id,
    title: state.title,
    appliesTo: state.appliesTo,
    per: 'device',
    latched: false,
    tiers: [tier],
    guidance: { zh: '', en: '' },
    source: state.source
  }
}

/** The state that a rule judges; null for a rule that people wrote. */
export function stateOfRule(rule: string): string | null {
  return rule.startsWith(PREFIX) ? rule.slice(PREFIX.length) : null
}

/** What ends a state: anything but a certain yes. What is unknown is never called well. */
export function endOfState(condition: TruthNode): TruthNode {
  return { kind: 'notSurely', of: condition, span: condition.span }
}
