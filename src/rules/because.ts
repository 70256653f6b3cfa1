// Why an alarm changed its tier, in the operator's words: the comparisons that decided, with the values of that instant.

import { formatDuration } from '../platform/duration.ts'
import { LIMITS } from '../platform/limits.ts'
import { AreaLeaves, degradedCount } from './areaLeaves.ts'
import { textOf } from './nodeText.ts'
import { isConstant, type NumberNode, OPPOSITE, type TruthNode, type VotedNode } from './tree.ts'
import { type Binder, NO, opposite, UNKNOWN, YES } from './truth.ts'

/** One subject at one instant. */
export interface Scene {
  readonly binder: Binder
  readonly subject: number
  readonly at: number
  readonly clock: number
}

/** `level_pct 86.1 > 85 for 5s`: the condition is yes in this scene, and has been for `patienceMs`. */
export function because(condition: TruthNode, scene: Scene, patienceMs: number): string {
  const parts = partsOf(condition, YES, scene)
  return `${parts.join(' and ')}${patienceMs > 0 ? ` for ${formatDuration(patienceMs)}` : ''}`
}

/** The parts that made the condition yes, or no, in this scene: `level_pct 71 <= 85`. */
export function decisive(condition: TruthNode, verdict: typeof YES | typeof NO, scene: Scene): string {
  return partsOf(condition, verdict, scene).join(' and ')
}

/** The shortest text of a number, without the noise of binary fractions. */
export function numberText(value: number): string {
  return Number.isNaN(value) ? 'unknown' : String(Number(value.toPrecision(12)))
}

function verdictOf(node: TruthNode, { binder, subject, at, clock }: Scene): 0 | 1 | 2 {
  return binder.truth(node)(subject, at, clock)
}

/** The parts that made the node `wanted`. */
function partsOf(node: TruthNode, wanted: typeof YES | typeof NO, scene: Scene): string[] {
  switch (node.kind) {
    case 'constant':
      return [String(node.value)]
    case 'comparison': {
      const operator = wanted === YES ? node.operator : OPPOSITE[node.operator]
      return [`${numberPart(node.left, scene)} ${operator} ${numberPart(node.right, scene)}`]
    }
    case 'in': {
      const list = node.list.map((member) => numberPart(member, scene)).join(', ')
      return [`${numberPart(node.left, scene)} ${wanted === YES ? 'in' : 'not in'} [${list}]`]
    }
    case 'and':
    case 'or':
      return node.parts.filter((part) => verdictOf(part, scene) === wanted).flatMap((part) => partsOf(part, wanted, scene))
    case 'not':
      return partsOf(node.of, opposite(wanted) as typeof YES | typeof NO, scene)
    case 'notSurely':
      return verdictOf(node.of, scene) === UNKNOWN
        ? [`${textOf(node.of)} is unknown`]
        : partsOf(node.of, opposite(wanted) as typeof YES | typeof NO, scene)
    case 'same':
      return [...decided(node.left, scene), ...decided(node.right, scene)]
    case 'either': {
      const verdict = verdictOf(node.of, scene)
      if (verdict === YES) return [...partsOf(node.of, YES, scene), ...partsOf(node.yes, wanted, scene)]
      if (verdict === NO) return [...partsOf(node.of, NO, scene), ...partsOf(node.no, wanted, scene)]
      return partsOf(node.yes, wanted, scene)
    }
    case 'faulty':
      return [`${node.metric.name} ${wanted === YES ? 'is' : 'is not'} faulty`]
    case 'outOfRange':
      return [`${node.metric.name} ${wanted === YES ? 'is' : 'is not'} out of range`]
    case 'clockWrong':
      return [wanted === YES ? 'its clock is wrong' : 'its clock is right, or it has none']
    case 'stuck': {
      const metric = numberPart(node.metric, scene)
      if (wanted === NO) return [`${metric} has changed`]
      return [node.windowMs === null ? `${metric} is stuck` : `${metric} unchanged for ${formatDuration(node.windowMs)}`]
    }
    case 'silent':
      return [wanted === YES ? `nothing received for ${formatDuration(node.windowMs)}` : `received within ${formatDuration(node.windowMs)}`]
    case 'voted':
      return [votedPart(node, wanted, scene)]
  }
}

function decided(node: TruthNode, scene: Scene): string[] {
  return partsOf(node, verdictOf(node, scene) === YES ? YES : NO, scene)
}

/** `2 of 3 devices: G-01 lel 31 > 25, G-03 lel 40 > 25`. */
function votedPart(node: VotedNode, wanted: typeof YES | typeof NO, scene: Scene): string {
  const area = scene.binder.leaves
  if (!(area instanceof AreaLeaves)) return `voted by ${node.count}`
  const { yes: voters, known, unknown } = area.votesOf(node, scene.subject, scene.at, scene.clock)
  const degraded = degradedText(node, area, known, unknown)
  const members = degraded === null ? area.membersOf(scene.subject).length : known
  const count = `${voters.length} of ${members} devices${degraded === null ? '' : ` (${degraded})`}`
  if (wanted === NO) return `only ${count}`
  const named = voters.slice(0, LIMITS.rules.membersNamed).map((device) => {
    const binder = area.binders[area.profileOf[device] as number] as Binder
    const own: Scene = { binder, subject: device, at: area.lineOf(device, scene.at), clock: scene.clock }
    return `${area.idOf(device)} ${partsOf(node.of, YES, own).join(' and ')}`
  })
  const more = voters.length - named.length
  return `${count}: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** `degraded from 2oo3 to 1oo2: GD-103 unknown`; null where the vote is as it is written. */
export function degradedText({ count, degrade }: VotedNode, area: AreaLeaves, known: number, unknown: readonly number[]): string | null {
  if (degrade === undefined || unknown.length === 0 || known === 0) return null
  const named = unknown.slice(0, LIMITS.rules.membersNamed).map((device) => area.idOf(device))
  const more = unknown.length - named.length
  const whom = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''} unknown`
  const now = `${degradedCount(degrade, count, known, unknown.length)}oo${known}`
  return `degraded from ${count}oo${known + unknown.length} to ${now}: ${whom}`
}

/** A constant is its number; anything measured is its name and its value. */
function numberPart(node: NumberNode, scene: Scene): string {
  const value = valueText(node, scene)
  return isConstant(node) ? value : `${numberName(node, scene)} ${value}`
}

function valueText(node: NumberNode, { binder, subject, at, clock }: Scene): string {
  return numberText(binder.number(node)(subject, at, clock))
}

/** As it is written in the rule, with numbers in place of limits. */
function numberName(node: NumberNode, scene: Scene): string {
  if (isConstant(node)) return valueText(node, scene)
  const name = (part: NumberNode): string => numberName(part, scene)
  switch (node.kind) {
    case 'number':
    case 'limit':
      return valueText(node, scene)
    case 'metric':
      return node.name
    case 'negative':
      return `-${name(node.of)}`
    case 'magnitude':
      return `abs(${name(node.of)})`
    case 'arithmetic':
      return `(${name(node.left)} ${node.operator} ${name(node.right)})`
    case 'window': {
      const target = node.target === null ? '' : `${name(node.target)}, `
      return `${node.name}(${node.metric.name}, ${target}${formatDuration(node.windowMs)})`
    }
    case 'choice':
      return `(${name(node.yes)} or ${name(node.no)})`
  }
}
