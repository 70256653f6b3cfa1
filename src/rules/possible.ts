// Which verdicts a condition can have at all, given the ranges of its metrics: finds limits that are never reached and
// exits that can never be met. Errs towards "possible": what it calls impossible is.

import {
  type ComparisonNode,
  type ComparisonOperator,
  children,
  measuredLeft,
  type NumberNode,
  OPPOSITE,
  shapeOf,
  type TruthNode
} from './tree.ts'

export interface Range {
  readonly low: number
  readonly high: number
}

export interface Possible {
  readonly yes: boolean
  readonly no: boolean
}

/** What is known beforehand of the subject: metric ranges, limits, and how many devices can vote. */
export interface Bounds {
  metric(name: string): Range
  limit(name: string): number
  readonly members: number
}

const ANY: Range = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
const BOTH: Possible = { yes: true, no: true }

export function possibleVerdicts(node: TruthNode, bounds: Bounds): Possible {
  const of = (part: TruthNode): Possible => possibleVerdicts(part, bounds)
  switch (node.kind) {
    case 'constant':
      return { yes: node.value, no: !node.value }
    case 'comparison':
      return compared(node.operator, rangeOf(node.left, bounds), rangeOf(node.right, bounds))
    case 'in': {
      const left = rangeOf(node.left, bounds)
      return { yes: node.list.some((member) => compared('==', left, rangeOf(member, bounds)).yes), no: true }
    }
    case 'and': {
      const parts = node.parts.map(of)
      return { yes: parts.every(({ yes }) => yes) && room(node.parts, bounds) >= 0, no: parts.some(({ no }) => no) }
    }
    case 'or': {
      const parts = node.parts.map(of)
      return { yes: parts.some(({ yes }) => yes), no: parts.every(({ no }) => no) && room(node.parts.map(opposite), bounds) >= 0 }
    }
    case 'not': {
      const { yes, no } = of(node.of)
      return { yes: no, no: yes }
    }
    case 'notSurely':
      return { yes: true, no: of(node.of).yes }
    case 'either': {
      const [condition, yes, no] = [of(node.of), of(node.yes), of(node.no)]
      return {
        yes: (condition.yes && yes.yes) || (condition.no && no.yes),
        no: (condition.yes && yes.no) || (condition.no && no.no)
      }
    }
    case 'voted':
      return node.count > bounds.members ? { yes: false, no: true } : of(node.of)
    case 'same':
    case 'faulty':
    case 'outOfRange':
    case 'stuck':
    case 'silent':
    case 'clockWrong':
      return BOTH
  }
}

function opposite(node: TruthNode): TruthNode {
  return node.kind === 'comparison' ? { ...node, operator: OPPOSITE[node.operator] } : { kind: 'not', of: node, span: node.span }
}

/** Whether two comparisons of the same number hold together for more than a single value. */
export function overlap(first: TruthNode, second: TruthNode, bounds: Bounds): boolean {
  if (first.kind !== 'comparison' || second.kind !== 'comparison') return false
  if (shapeOf(measuredLeft(first).left) !== shapeOf(measuredLeft(second).left)) return false
  return room([first, second], bounds) > 0
}

/** How much room the comparisons among `parts` leave together to what they compare, the least of all; below 0: none. */
function room(parts: readonly TruthNode[], bounds: Bounds): number {
  const limits = new Map<string, Range & { readonly strict: boolean }>()
  let least = Number.POSITIVE_INFINITY
  for (const part of parts) {
    if (part.kind !== 'comparison') continue
    const comparison = measuredLeft(part)
    const key = shapeOf(comparison.left)
    const limit = narrowed(comparison, limits.get(key) ?? { ...rangeOf(comparison.left, bounds), strict: false }, bounds)
    limits.set(key, limit)
    const left = limit.high - limit.low
    least = Math.min(least, left === 0 && limit.strict ? -1 : Number.isNaN(left) ? least : left)
  }
  return least
}

function narrowed({ operator, right }: ComparisonNode, { low, high, strict }: Range & { readonly strict: boolean }, bounds: Bounds) {
  const other = rangeOf(right, bounds)
  if (Number.isNaN(other.low) || Number.isNaN(other.high) || operator === '!=') return { low, high, strict }
  const above = operator !== '<' && operator !== '<='
  const below = operator !== '>' && operator !== '>='
  const [floor, ceiling] = [above ? Math.max(low, other.low) : low, below ? Math.min(high, other.high) : high]
  return { low: floor, high: ceiling, strict: strict || operator === '>' || operator === '<' }
}

/** The smallest and the largest value a number can have. */
export function rangeOf(node: NumberNode, bounds: Bounds): Range {
  switch (node.kind) {
    case 'number':
      return { low: node.value, high: node.value }
    case 'metric':
      return bounds.metric(node.name)
    case 'limit': {
      const limit = bounds.limit(node.name)
      return { low: limit, high: limit }
    }
    case 'negative': {
      const { low, high } = rangeOf(node.of, bounds)
      return { low: -high, high: -low }
    }
    case 'magnitude': {
      const { low, high } = rangeOf(node.of, bounds)
      return { low: low <= 0 && high >= 0 ? 0 : Math.min(Math.abs(low), Math.abs(high)), high: Math.max(Math.abs(low), Math.abs(high)) }
    }
    case 'arithmetic':
      return computed(node.operator, rangeOf(node.left, bounds), rangeOf(node.right, bounds))
    case 'window':
      return windowRange(node, bounds)
    case 'choice': {
      const [yes, no] = [rangeOf(node.yes, bounds), rangeOf(node.no, bounds)]
      return { low: Math.min(yes.low, no.low), high: Math.max(yes.high, no.high) }
    }
  }
}

function windowRange(node: Extract<NumberNode, { kind: 'window' }>, bounds: Bounds): Range {
  const { low, high } = bounds.metric(node.metric.name)
  switch (node.name) {
    case 'avg':
    case 'min':
    case 'max':
      return { low, high }
    case 'delta':
      return { low: low - high, high: high - low }
    case 'rate': {
      const minutes = node.windowMs / 60_000
      return { low: (low - high) / minutes, high: (high - low) / minutes }
    }
    case 'timeTo':
      return { low: 0, high: Number.POSITIVE_INFINITY }
  }
}

function computed(operator: '+' | '-' | '*' | '/' | '%', left: Range, right: Range): Range {
  if (operator === '%') return ANY
  if (operator === '/' && right.low <= 0 && right.high >= 0) return ANY
  const combine = (a: number, b: number): number => (operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b)
  const corners = [
    combine(left.low, right.low),
    combine(left.low, right.high),
    combine(left.high, right.low),
    combine(left.high, right.high)
  ]
  return corners.some(Number.isNaN) ? ANY : { low: Math.min(...corners), high: Math.max(...corners) }
}

/** A number that is NaN here (a limit that is missing) is reported elsewhere: anything is possible. */
function compared(operator: ComparisonOperator, left: Range, right: Range): Possible {
  if ([left.low, left.high, right.low, right.high].some(Number.isNaN)) return BOTH
  switch (operator) {
    case '<':
      return { yes: left.low < right.high, no: left.high >= right.low }
    case '<=':
      return { yes: left.low <= right.high, no: left.high > right.low }
    case '>':
      return { yes: left.high > right.low, no: left.low <= right.high }
    case '>=':
      return { yes: left.high >= right.low, no: left.low < right.high }
    case '==':
    case '!=': {
      const equal = left.low <= right.high && right.low <= left.high
      const fixed = left.low === left.high && right.low === right.high && left.low === right.low
      return operator === '==' ? { yes: equal, no: !fixed } : { yes: !fixed, no: equal }
    }
  }
}

/** The metrics a condition reads, in order of appearance, each once. */
export function metricsOf(node: TruthNode | NumberNode): string[] {
  const names = new Set<string>()
  const see = (part: TruthNode | NumberNode): void => {
    if (part.kind === 'metric') names.add(part.name)
    for (const child of children(part)) see(child)
  }
  see(node)
  return [...names]
}
