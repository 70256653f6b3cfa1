// The one door to the CEL parser: text to a tree of our own, or every problem with its offset. Only the syntax is
// CEL's; meaning (three values, windows) is ours. Strings occur as durations only, so `matches` has nothing to match.

import { type ASTNode, Environment } from '@marcbachmann/cel-js'
import { LIMITS } from '../platform/limits.ts'
import { callOf } from './expressionCalls.ts'
import type { ExpressionProblem, Reader } from './expressionReader.ts'
import type { ArithmeticOperator, ComparisonOperator, NumberNode, Span, TruthNode } from './tree.ts'

const environment = new Environment({
  limits: {
    maxAstNodes: LIMITS.rules.expressionNodes,
    maxDepth: LIMITS.rules.expressionDepth,
    maxListElements: LIMITS.rules.listElements,
    maxMapEntries: LIMITS.rules.listElements,
    maxCallArguments: 8
  }
})

/** A condition from its text. */
export function parseCondition(
  text: string
): { condition: TruthNode; problems: null } | { condition: null; problems: ExpressionProblem[] } {
  const problems: ExpressionProblem[] = []
  const ast = astOf(text, problems)
  if (ast !== null) {
    const condition = readerOf(text, problems).truth(ast)
    if (condition !== null && problems.length === 0) return { condition, problems: null }
  }
  return { condition: null, problems }
}

function astOf(text: string, problems: ExpressionProblem[]): ASTNode | null {
  if (text.length > LIMITS.rules.expressionLength) {
    problems.push({
      offset: LIMITS.rules.expressionLength,
      problem: `the expression is longer than ${LIMITS.rules.expressionLength} characters`
    })
    return null
  }
  try {
    return environment.parse(text).ast
  } catch (cause) {
    const { summary, range, message } = cause as { summary?: string; range?: Span; message: string }
    problems.push({ offset: range?.start ?? 0, problem: syntaxSentence(summary ?? message, text, range) })
    return null
  }
}

function syntaxSentence(summary: string, text: string, range: Span | undefined): string {
  if (text.trim() === '') return 'the expression is empty'
  const first = summary.split('\n')[0] ?? ''
  if (/maxDepth/i.test(first)) return `the expression is nested deeper than ${LIMITS.rules.expressionDepth} levels`
  if (/max[A-Z]/.test(first)) return 'the expression has too many parts: split it into several rules'
  if (/EOF/.test(first)) return 'the expression ends too early'
  if (/^Unexpected character: =/.test(first)) return 'to compare, write ==, not ='
  if (/^Unexpected character: &/.test(first)) return 'to combine conditions, write &&'
  if (/^Unexpected character: \|/.test(first)) return 'to combine conditions, write ||'
  const found = range === undefined ? '' : text.slice(range.start, range.end)
  return `this is not CEL: ${first.charAt(0).toLowerCase()}${first.slice(1)}${found !== '' && !first.includes(found) ? ` (${found})` : ''}`
}

function readerOf(text: string, problems: ExpressionProblem[]): Reader {
  const reader: Reader = {
    problems,
    number: (node) => numberOf(node, reader, text),
    truth: (node) => truthOf(node, reader, text),
    refuse: (node, sentence) => {
      problems.push({ offset: node.range.start, problem: sentence })
      return null
    }
  }
  return reader
}

function spanOf(node: ASTNode): Span {
  return { start: node.range.start, end: node.range.end }
}

function numberOf(node: ASTNode, reader: Reader, text: string): NumberNode | null {
  const span = spanOf(node)
  switch (node.op) {
    case 'value':
      return literalOf(node, reader)
    case 'id':
      if (node.args === 'limits') return reader.refuse(node, 'name one of the limits: limits.name')
      return { kind: 'metric', name: node.args, span }
    case '.': {
      const [of, name] = node.args
      if (of.op === 'id' && of.args === 'limits') return { kind: 'limit', name, span }
      return reader.refuse(node, `only limits have parts: limits.${name}`)
    }
    case '[]': {
      const [of, name] = node.args
      const named = of.op === 'id' && of.args === 'limits' && name.op === 'value' && typeof name.args === 'string'
      if (named) return { kind: 'limit', name: name.args as string, span }
      return reader.refuse(node, `a number is needed here, but ${text.slice(span.start, span.end)} is ${kindOf(node)}`)
    }
    case '-_': {
      const of = reader.number(node.args)
      return of && { kind: 'negative', of, span }
    }
    case '+':
    case '-':
    case '*':
    case '/':
    case '%': {
      const [left, right] = [reader.number(node.args[0]), reader.number(node.args[1])]
      return left && right && { kind: 'arithmetic', operator: node.op satisfies ArithmeticOperator, left, right, span }
    }
    case '?:': {
      const [of, yes, no] = [reader.truth(node.args[0]), reader.number(node.args[1]), reader.number(node.args[2])]
      return of && yes && no && { kind: 'choice', of, yes, no, span }
    }
    case 'call': {
      const call = callOf(node, reader)
      if (call === null || isNumber(call)) return call
      return reader.refuse(node, `a number is needed here, but ${text.slice(span.start, span.end)} is a condition`)
    }
    case 'rcall':
      return reader.refuse(node, methodSentence(node.args[0]))
    default:
      return reader.refuse(node, `a number is needed here, but ${text.slice(span.start, span.end)} is ${kindOf(node)}`)
  }
}

function truthOf(node: ASTNode, reader: Reader, text: string): TruthNode | null {
  const span = spanOf(node)
  switch (node.op) {
    case 'value':
      if (typeof node.args === 'boolean') return { kind: 'constant', value: node.args, span }
      return reader.refuse(node, `a condition is needed here, but ${text.slice(span.start, span.end)} is ${kindOf(node)}`)
    case '!_': {
      const of = reader.truth(node.args)
      return of && { kind: 'not', of, span }
    }
    case '&&':
    case '||':
      return connectionOf(node.op === '&&' ? 'and' : 'or', node.args, span, reader)
    case '==':
    case '!=':
      if (isTruthShaped(node.args[0]) && isTruthShaped(node.args[1])) return sameOf(node.op, node.args, span, reader)
      return comparisonOf(node.op, node.args, span, reader)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return comparisonOf(node.op, node.args, span, reader)
    case 'in':
      return membershipOf(node.args, span, reader)
    case '?:': {
      const [of, yes, no] = node.args.map((part) => reader.truth(part))
      return of && yes && no ? { kind: 'either', of, yes, no, span } : null
    }
    case 'call': {
      const call = callOf(node, reader)
      if (call === null || !isNumber(call)) return call
      return reader.refuse(
        node,
        `a condition is needed here, but ${text.slice(span.start, span.end)} is a number: compare it with something`
      )
    }
    case 'rcall':
      return reader.refuse(node, methodSentence(node.args[0]))
    default:
      return reader.refuse(node, `a condition is needed here, but ${text.slice(span.start, span.end)} is ${kindOf(node)}`)
  }
}

function literalOf(node: Extract<ASTNode, { op: 'value' }>, reader: Reader): NumberNode | null {
  const { args: value } = node
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number)) return { kind: 'number', value: number, span: spanOf(node) }
  if (typeof value === 'boolean')
    return reader.refuse(node, `a number is needed here: booleans are stored as 1 and 0, so write ${value ? 1 : 0}`)
  return reader.refuse(node, `a number is needed here, not ${kindOf(node)}`)
}

/** `a && b && c` becomes one node of three parts. */
function connectionOf(kind: 'and' | 'or', args: [ASTNode, ASTNode], span: Span, reader: Reader): TruthNode | null {
  const parts: TruthNode[] = []
  for (const part of args.map((arg) => reader.truth(arg))) {
    if (part === null) continue
    if (part.kind === kind) parts.push(...part.parts)
    else parts.push(part)
  }
  return parts.length < 2 ? null : { kind, parts, span }
}

function sameOf(operator: '==' | '!=', args: [ASTNode, ASTNode], span: Span, reader: Reader): TruthNode | null {
  const [left, right] = [reader.truth(args[0]), reader.truth(args[1])]
  if (left === null || right === null) return null
  const same: TruthNode = { kind: 'same', left, right, span }
  return operator === '==' ? same : { kind: 'not', of: same, span }
}

function comparisonOf(operator: ComparisonOperator, args: [ASTNode, ASTNode], span: Span, reader: Reader): TruthNode | null {
  const [left, right] = [reader.number(args[0]), reader.number(args[1])]
  return left && right && { kind: 'comparison', operator, left, right, span }
}

function membershipOf([item, list]: [ASTNode, ASTNode], span: Span, reader: Reader): TruthNode | null {
  const left = reader.number(item)
  if (list.op !== 'list') return reader.refuse(list, 'in needs a list of numbers: [1, 2, 3]')
  const members: NumberNode[] = []
  for (const element of list.args) {
    const member = reader.number(element)
    if (member !== null) members.push(member)
  }
  return left && { kind: 'in', left, list: members, span }
}

const NUMBER_CALLS: ReadonlySet<string> = new Set(['window', 'magnitude'])

function isNumber(node: NumberNode | TruthNode): node is NumberNode {
  return NUMBER_CALLS.has(node.kind)
}

function isTruthShaped(node: ASTNode): boolean {
  if (node.op === 'value') return typeof node.args === 'boolean'
  if (node.op === 'call') return ['faulty', 'outOfRange', 'stuck', 'silent', 'clockWrong', 'voted'].includes(node.args[0])
  return ['!_', '&&', '||', '==', '!=', '<', '<=', '>', '>=', 'in'].includes(node.op)
}

function methodSentence(name: string): string {
  return name === 'matches'
    ? 'matches is refused: regular expressions can take for ever, and metrics are numbers'
    : `there is no function .${name}(); a rule may call delta, rate, avg, min, max, timeTo, stuck, silent, faulty, outOfRange, clockWrong, voted and abs`
}

function kindOf(node: ASTNode): string {
  switch (node.op) {
    case 'value':
      if (typeof node.args === 'string') return 'a text'
      if (typeof node.args === 'boolean') return 'a condition'
      if (node.args === null) return 'null'
      return typeof node.args === 'object' ? 'a literal of another type: write it plainly, such as 80' : 'a number'
    case 'list':
      return 'a list'
    case 'map':
      return 'a map'
    case '[]':
    case '[?]':
    case '.?':
      return 'not part of the rule language'
    case 'id':
    case '.':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '-_':
      return 'a number: compare it with something, e.g. > 0'
    default:
      return 'a condition'
  }
}
