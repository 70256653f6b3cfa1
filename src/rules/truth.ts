// Trees bound to closures in three values: 0 no, 1 yes, 2 unknown; NaN is the unknown number. Nothing is allocated when
// they are called. A closure asks about one subject (a device's or an area's number) at one instant of its line, when our
// clock stands at `clock`. Losing information can only turn yes or no into unknown, never into each other.

import type { ComparisonNode, ComparisonOperator, FactNode, NumberNode, TruthNode } from './tree.ts'

export const NO = 0
export const YES = 1
export const UNKNOWN = 2
export type Verdict = typeof NO | typeof YES | typeof UNKNOWN

export type TruthOf = (subject: number, at: number, clock: number) => Verdict
export type NumberOf = (subject: number, at: number, clock: number) => number

/** What the subject's memory answers: the parts of a condition that are not logic or arithmetic. */
export interface Leaves {
  metric(name: string): NumberOf
  limit(name: string): NumberOf
  window(node: Extract<NumberNode, { kind: 'window' }>, target: NumberOf): NumberOf
  truth(node: FactNode): TruthOf
  /** A shortcut for `metric op number` and `metric op limit`; null where there is none. */
  threshold(node: ComparisonNode): TruthOf | null
}

/** Binds trees to one kind of subject; the same node gives the same closure again. */
export class Binder {
  readonly leaves: Leaves
  readonly #numbers = new Map<NumberNode, NumberOf>()
  readonly #truths = new Map<TruthNode, TruthOf>()

  constructor(leaves: Leaves) {
    this.leaves = leaves
  }

  number(node: NumberNode): NumberOf {
    let bound = this.#numbers.get(node)
    if (bound === undefined) {
      bound = this.#bindNumber(node)
      this.#numbers.set(node, bound)
    }
    return bound
  }

  truth(node: TruthNode): TruthOf {
    let bound = this.#truths.get(node)
    if (bound === undefined) {
      bound = this.#bindTruth(node)
      this.#truths.set(node, bound)
    }
    return bound
  }

  #bindNumber(node: NumberNode): NumberOf {
    switch (node.kind) {
      case 'number': {
        const { value } = node
        return () => value
      }
      case 'metric':
        return this.leaves.metric(node.name)
      case 'limit':
        return this.leaves.limit(node.name)
      case 'negative': {
        const of = this.number(node.of)
        return (subject, at, clock) => -of(subject, at, clock)
      }
      case 'magnitude': {
        const of = this.number(node.of)
        return (subject, at, clock) => Math.abs(of(subject, at, clock))
      }
      case 'arithmetic': {
        const of = arithmetic(node.operator, this.number(node.left), this.number(node.right))
        return node.decimal === true ? decimal(of) : of
      }
      case 'window':
        return this.leaves.window(node, node.target === null ? () => Number.NaN : this.number(node.target))
      case 'choice': {
        const [of, yes, no] = [this.truth(node.of), this.number(node.yes), this.number(node.no)]
        return (subject, at, clock) => {
          const verdict = of(subject, at, clock)
          if (verdict !== UNKNOWN) return verdict === YES ? yes(subject, at, clock) : no(subject, at, clock)
          const either = yes(subject, at, clock)
          return either === no(subject, at, clock) ? either : Number.NaN
        }
      }
    }
  }

  #bindTruth(node: TruthNode): TruthOf {
    switch (node.kind) {
      case 'constant': {
        const verdict = node.value ? YES : NO
        return () => verdict
      }
      case 'comparison':
        return this.leaves.threshold(node) ?? comparison(node.operator, this.number(node.left), this.number(node.right))
      case 'in':
        return membership(
          this.number(node.left),
          node.list.map((member) => this.number(member))
        )
      case 'and':
      case 'or':
        return connection(
          node.kind === 'and' ? NO : YES,
          node.parts.map((part) => this.truth(part))
        )
      case 'not': {
        const of = this.truth(node.of)
        return (subject, at, clock) => opposite(of(subject, at, clock))
      }
      case 'notSurely': {
        const of = this.truth(node.of)
        return (subject, at, clock) => (of(subject, at, clock) === YES ? NO : YES)
      }
      case 'same': {
        const [left, right] = [this.truth(node.left), this.truth(node.right)]
        return (subject, at, clock) => {
          const [a, b] = [left(subject, at, clock), right(subject, at, clock)]
          return a === UNKNOWN || b === UNKNOWN ? UNKNOWN : a === b ? YES : NO
        }
      }
      case 'either': {
        const [of, yes, no] = [this.truth(node.of), this.truth(node.yes), this.truth(node.no)]
        return (subject, at, clock) => {
          const verdict = of(subject, at, clock)
          if (verdict !== UNKNOWN) return verdict === YES ? yes(subject, at, clock) : no(subject, at, clock)
          const either = yes(subject, at, clock)
          return either === no(subject, at, clock) ? either : UNKNOWN
        }
      }
      case 'faulty':
      case 'outOfRange':
      case 'stuck':
      case 'silent':
      case 'clockWrong':
      case 'voted':
        return this.leaves.truth(node)
    }
  }
}

export function opposite(verdict: Verdict): Verdict {
  return verdict === UNKNOWN ? UNKNOWN : verdict === YES ? NO : YES
}

/** Compares two numbers; unknown where either is. */
export function compare(operator: ComparisonOperator, left: number, right: number): Verdict {
  if (Number.isNaN(left) || Number.isNaN(right)) return UNKNOWN
  switch (operator) {
    case '<':
      return left < right ? YES : NO
    case '<=':
      return left <= right ? YES : NO
    case '>':
      return left > right ? YES : NO
    case '>=':
      return left >= right ? YES : NO
    case '==':
      return left === right ? YES : NO
    case '!=':
      return left !== right ? YES : NO
  }
}

function comparison(operator: ComparisonOperator, left: NumberOf, right: NumberOf): TruthOf {
  return (subject, at, clock) => compare(operator, left(subject, at, clock), right(subject, at, clock))
}

function arithmetic(operator: '+' | '-' | '*' | '/' | '%', left: NumberOf, right: NumberOf): NumberOf {
  switch (operator) {
    case '+':
      return (subject, at, clock) => left(subject, at, clock) + right(subject, at, clock)
    case '-':
      return (subject, at, clock) => left(subject, at, clock) - right(subject, at, clock)
    case '*':
      return (subject, at, clock) => left(subject, at, clock) * right(subject, at, clock)
    case '/':
      return (subject, at, clock) => left(subject, at, clock) / right(subject, at, clock)
    case '%':
      return (subject, at, clock) => left(subject, at, clock) % right(subject, at, clock)
  }
}

/** Rounded to 12 digits. For constants: it remembers one result for each distinct set of limits. */
function decimal(of: NumberOf): NumberOf {
  const known = new Map<number, number>()
  return (subject, at, clock) => {
    const raw = of(subject, at, clock)
    let rounded = known.get(raw)
    if (rounded === undefined) known.set(raw, (rounded = Number(raw.toPrecision(12))))
    return rounded
  }
}

/** `decisive` decides alone: no for and, yes for or. */
function connection(decisive: typeof NO | typeof YES, parts: readonly TruthOf[]): TruthOf {
  const otherwise = decisive === NO ? YES : NO
  return (subject, at, clock) => {
    let result: Verdict = otherwise
    for (let i = 0; i < parts.length; i++) {
      const verdict = (parts[i] as TruthOf)(subject, at, clock)
      if (verdict === decisive) return decisive
      if (verdict === UNKNOWN) result = UNKNOWN
    }
    return result
  }
}

function membership(left: NumberOf, list: readonly NumberOf[]): TruthOf {
  return (subject, at, clock) => {
    const value = left(subject, at, clock)
    if (Number.isNaN(value)) return UNKNOWN
    let result: Verdict = NO
    for (const member of list) {
      const other = member(subject, at, clock)
      if (value === other) return YES
      if (Number.isNaN(other)) result = UNKNOWN
    }
    return result
  }
}
