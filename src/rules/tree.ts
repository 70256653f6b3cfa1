// Conditions as a tree of our own: typed, names still unresolved, every node with its place in the text.
// A number node yields a number or unknown, a truth node yes, no or unknown.

import type { Degrade } from '../model/plant.ts'

/** Characters of the expression's text, `end` exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

export type ComparisonOperator = '<' | '<=' | '>' | '>=' | '==' | '!='
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'
/** Judged over the samples or held values of a window that ends now. */
export type WindowFunction = 'delta' | 'rate' | 'avg' | 'min' | 'max' | 'timeTo'

export type NumberNode =
  | { readonly kind: 'number'; readonly value: number; readonly span: Span }
  | { readonly kind: 'metric'; readonly name: string; readonly span: Span }
  | { readonly kind: 'limit'; readonly name: string; readonly span: Span }
  | { readonly kind: 'negative'; readonly of: NumberNode; readonly span: Span }
  | { readonly kind: 'magnitude'; readonly of: NumberNode; readonly span: Span }
  | {
      readonly kind: 'arithmetic'
      readonly operator: ArithmeticOperator
      readonly left: NumberNode
      readonly right: NumberNode
      /** Of constants: 0.14 + 0.01 is 0.15, as it is to those who write limits, and not 0.15000000000000002. */
      readonly decimal?: true
      readonly span: Span
    }
  | {
      readonly kind: 'window'
      readonly name: WindowFunction
      readonly metric: MetricNode
      readonly windowMs: number
      /** Of `timeTo` only. */
      readonly target: NumberNode | null
      readonly span: Span
    }
  | { readonly kind: 'choice'; readonly of: TruthNode; readonly yes: NumberNode; readonly no: NumberNode; readonly span: Span }

export type MetricNode = Extract<NumberNode, { kind: 'metric' }>

export type TruthNode =
  | { readonly kind: 'constant'; readonly value: boolean; readonly span: Span }
  | ComparisonNode
  | { readonly kind: 'in'; readonly left: NumberNode; readonly list: readonly NumberNode[]; readonly span: Span }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly TruthNode[]; readonly span: Span }
  | { readonly kind: 'not'; readonly of: TruthNode; readonly span: Span }
  | { readonly kind: 'same'; readonly left: TruthNode; readonly right: TruthNode; readonly span: Span }
  | { readonly kind: 'either'; readonly of: TruthNode; readonly yes: TruthNode; readonly no: TruthNode; readonly span: Span }
  | { readonly kind: 'faulty'; readonly metric: MetricNode; readonly span: Span }
  | { readonly kind: 'outOfRange'; readonly metric: MetricNode; readonly span: Span }
  /** `windowMs` null: the metric's own `stuckAfter`. */
  | { readonly kind: 'stuck'; readonly metric: MetricNode; readonly windowMs: number | null; readonly span: Span }
  | { readonly kind: 'silent'; readonly windowMs: number; readonly span: Span }
  | { readonly kind: 'clockWrong'; readonly span: Span }
  | VotedNode
  /** Yes unless `of` is yes for certain; never unknown. It cannot be written: states end by it. */
  | { readonly kind: 'notSurely'; readonly of: TruthNode; readonly span: Span }

export interface VotedNode {
  readonly kind: 'voted'
  readonly count: number
  readonly of: TruthNode
  /** How it is counted while members are unknown; missing: unknown it is. */
  readonly degrade?: Degrade
  readonly span: Span
}

/** What is asked of a subject's memory and is neither logic nor comparison. */
export type FactNode = Extract<TruthNode, { kind: 'faulty' | 'outOfRange' | 'stuck' | 'silent' | 'clockWrong' | 'voted' }>

export interface ComparisonNode {
  readonly kind: 'comparison'
  readonly operator: ComparisonOperator
  readonly left: NumberNode
  readonly right: NumberNode
  readonly span: Span
}

/** What holds exactly when the comparison does not. */
export const OPPOSITE: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  '==': '!=',
  '!=': '=='
}

/** Calls `see` for every node, from the outside in. */
export function walk(node: NumberNode | TruthNode, see: (node: NumberNode | TruthNode) => void): void {
  see(node)
  for (const child of children(node)) walk(child, see)
}

/** The nodes directly inside one. */
export function children(node: NumberNode | TruthNode): readonly (NumberNode | TruthNode)[] {
  switch (node.kind) {
    case 'number':
    case 'metric':
    case 'limit':
    case 'constant':
    case 'silent':
    case 'clockWrong':
      return []
    case 'negative':
    case 'magnitude':
    case 'not':
    case 'notSurely':
    case 'voted':
      return [node.of]
    case 'arithmetic':
    case 'comparison':
    case 'same':
      return [node.left, node.right]
    case 'window':
      return node.target === null ? [node.metric] : [node.metric, node.target]
    case 'choice':
    case 'either':
      return [node.of, node.yes, node.no]
    case 'in':
      return [node.left, ...node.list]
    case 'and':
    case 'or':
      return node.parts
    case 'faulty':
    case 'outOfRange':
    case 'stuck':
      return [node.metric]
  }
}

/** Whether a number is the same at all times: literals and limits only. */
export function isConstant(node: NumberNode): boolean {
  let constant = true
  walk(node, (part) => {
    if (part.kind === 'metric' || part.kind === 'silent' || part.kind === 'clockWrong') constant = false
  })
  return constant
}

/** `85 < level_pct` is `level_pct > 85`. */
export function measuredLeft(node: ComparisonNode): ComparisonNode {
  if (!isConstant(node.left) || isConstant(node.right)) return node
  const mirrored = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==', '!=': '!=' } as const
  return { ...node, operator: mirrored[node.operator], left: node.right, right: node.left }
}

/** The same text for the same condition or number, wherever it stands. */
export function shapeOf(node: NumberNode | TruthNode): string {
  return JSON.stringify(node, (key, value: unknown) => (key === 'span' ? undefined : value))
}
