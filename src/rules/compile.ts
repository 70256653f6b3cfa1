// Rules of a plant, read, checked against its device profiles, and joined with the devices they apply to.
// Invariant: what comes out of here can be bound and judged; a tier with a problem is left out of its rule.

import type { Fleet } from '../model/fleet.ts'
import type { Degrade, Device, Rule, RuleTier, Selector } from '../model/plant.ts'
import { checkTier } from './check.ts'
import type { CompiledRule, CompiledTier, RuleProblem } from './compiled.ts'
import { parseCondition } from './expression.ts'
import { endOfState, ruleOfState, stateOfRule } from './states.ts'
import { checkTierOrder } from './tierOrder.ts'
import { isConstant, measuredLeft, type NumberNode, type TruthNode } from './tree.ts'

/** Compiles every rule of the plant, and its states as rules; a tier with a problem is left out of its rule, a rule without tiers altogether. */
export function compileRules(fleet: Fleet): { rules: CompiledRule[]; problems: RuleProblem[] } {
  const rules: CompiledRule[] = []
  const problems: RuleProblem[] = []
  const inner = (fleet.plant.states ?? []).map(ruleOfState).filter((rule) => rule !== null)
  for (const rule of [...fleet.plant.rules, ...inner]) {
    const devices = selectedDevices(fleet, rule)
    const tiers: CompiledTier[] = []
    for (const tier of rule.tiers) {
      const found: RuleProblem[] = []
      const compiled = compileTier(rule, tier, found)
      if (compiled !== null) checkTier(fleet, rule, compiled, devices, found)
      if (compiled !== null && found.every(({ stops }) => stops !== undefined)) tiers.push(compiled)
      problems.push(...found)
    }
    // A plant without any device gets them while it runs.
    if (devices.length === 0 && fleet.devices.length > 0) problems.push(idle(rule))
    else checkTierOrder(fleet, rule, tiers, devices, problems)
    if (tiers.length > 0) rules.push({ rule, tiers, devices })
  }
  return { rules, problems }
}

function idle(rule: Rule): RuleProblem {
  const whom = rule.per === 'area' ? 'device that lies in an area' : 'device'
  const state = stateOfRule(rule.id)
  const name = state === null ? `rule ${rule.id}` : `state ${state}`
  const problem = `${name} applies to no ${whom}: all that is given here must match`
  return { rule: rule.id, tier: null, field: 'appliesTo', offset: null, problem, stops: 'check' }
}

function compileTier(rule: Rule, tier: RuleTier, problems: RuleProblem[]): CompiledTier | null {
  const when = conditionOf(rule, tier, 'when', tier.when, problems)
  const clear = tier.clear === null ? null : conditionOf(rule, tier, 'clear', tier.clear, problems)
  const refuse = (problem: string): null => {
    problems.push({ rule: rule.id, tier: tier.tier, field: 'deadband', offset: null, problem })
    return null
  }
  const { deadband } = tier
  if (deadband !== null && tier.clear !== null) return refuse('give either clear or deadband: with clear, the exit is already said')
  if (deadband !== null && !(deadband >= 0)) return refuse('the deadband must be a number from 0')
  if (when === null || (tier.clear !== null && clear === null)) return null
  const timing = { forMs: tier.forMs, clearForMs: tier.clearForMs }
  const entry = rule.degrade === undefined ? when : degraded(when, rule.degrade)
  if (clear !== null) return { tier: tier.tier, when: entry, clear, ...timing }
  if (stateOfRule(rule.id) !== null) return { tier: tier.tier, when, clear: endOfState(when), ...timing }
  const exit = deadband === null ? opposite(when) : exitBeyond(when, deadband)
  if (exit === null) return refuse('a deadband needs `when` to be one comparison with <, <=, > or >=: write `clear` instead')
  return { tier: tier.tier, when: entry, clear: exit, ...timing }
}

/** The entry with its votes counted as the rule says; exits stay as they are, so that a dead sensor never clears. */
function degraded(node: TruthNode, degrade: Degrade): TruthNode {
  if (node.kind === 'voted') return { ...node, degrade }
  if (node.kind === 'and' || node.kind === 'or') return { ...node, parts: node.parts.map((part) => degraded(part, degrade)) }
  return node
}

function conditionOf(rule: Rule, { tier }: RuleTier, field: 'when' | 'clear', text: string, problems: RuleProblem[]): TruthNode | null {
  const { condition, problems: found } = parseCondition(text)
  for (const { offset, problem } of found ?? []) problems.push({ rule: rule.id, tier, field, offset, problem })
  return condition
}

function opposite(when: TruthNode): TruthNode {
  return { kind: 'not', of: when, span: when.span }
}

/** The exit of `m > L` or `m >= L` is `m <= L - b`, of `m < L` or `m <= L` it is `m >= L + b` (contract 4). */
function exitBeyond(when: TruthNode, deadband: number): TruthNode | null {
  if (when.kind !== 'comparison' || when.operator === '==' || when.operator === '!=') return null
  if (deadband === 0) return opposite(when)
  const { left, right, operator, span } = measuredLeft(when)
  const falling = operator === '>' || operator === '>='
  const band: NumberNode = { kind: 'number', value: deadband, span }
  // Decimal, or a value of exactly limit and deadband would not leave: 0.15 >= 0.14 + 0.01 is false in binary.
  const decimal = isConstant(right) ? { decimal: true as const } : {}
  const limit: NumberNode = { kind: 'arithmetic', operator: falling ? '-' : '+', left: right, right: band, ...decimal, span }
  return { kind: 'comparison', operator: falling ? '<=' : '>=', left, right: limit, span }
}

/** The devices that a rule applies to, by number, ascending; of a rule `per: area` only those that lie in one. */
export function selectedDevices(fleet: Fleet, rule: Pick<Rule, 'appliesTo' | 'per'>): Int32Array {
  const { appliesTo } = rule
  const named = appliesTo.devices === null ? null : new Set(appliesTo.devices)
  const selected: number[] = []
  for (const [number, device] of fleet.devices.entries()) {
    if (rule.per === 'area' && device.area === null) continue
    if (matches(appliesTo, named, device)) selected.push(number)
  }
  return Int32Array.from(selected)
}

/** All that is given must match. */
function matches(selector: Selector, named: ReadonlySet<string> | null, device: Device): boolean {
  if (selector.profile !== null && selector.profile !== device.profile) return false
  if (named !== null && !named.has(device.id)) return false
  if (selector.area !== null && selector.area !== device.area) return false
  if (selector.site !== null && selector.site !== device.site) return false
  if (selector.enterprise !== null && selector.enterprise !== device.enterprise) return false
  for (const label in selector.labels) if (device.labels[label] !== selector.labels[label]) return false
  return true
}
