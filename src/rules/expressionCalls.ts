// The functions of the rule language: names, arguments, and what is wrong with a call.

import type { ASTNode } from '@marcbachmann/cel-js'
import { parseDuration } from '../platform/duration.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Reader } from './expressionReader.ts'
import type { MetricNode, NumberNode, Span, TruthNode, WindowFunction } from './tree.ts'

type Call = Extract<ASTNode, { op: 'call' }>

/** How each function is written. */
const SHAPES: Readonly<Record<string, string>> = {
  delta: "delta(metric, '10m')",
  rate: "rate(metric, '10m')",
  avg: "avg(metric, '5m')",
  min: "min(metric, '5m')",
  max: "max(metric, '5m')",
  timeTo: "timeTo(metric, limit, '15m')",
  stuck: "stuck(metric, '6h')",
  silent: "silent('90s')",
  faulty: 'faulty(metric)',
  outOfRange: 'outOfRange(metric)',
  clockWrong: 'clockWrong()',
  voted: 'voted(2, condition)',
  abs: 'abs(number)'
}

/** The functions of the rule language, as written in rules. */
export const RULE_FUNCTIONS: readonly string[] = Object.keys(SHAPES)

/** One call, read; null where something was refused. */
export function callOf(node: Call, reader: Reader): NumberNode | TruthNode | null {
  const [name, args] = node.args
  const span: Span = { start: node.range.start, end: node.range.end }
  const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined
  if (name === 'matches') return reader.refuse(node, 'matches is refused: regular expressions can take for ever, and metrics are numbers')
  if (shape === undefined) {
    return reader.refuse(node, `there is no function ${name}(); a rule may call ${RULE_FUNCTIONS.join(', ')}`)
  }
  if (!rightCount(name, args.length)) return reader.refuse(node, `${name} is written ${shape}`)
  const [first, second, third] = args
  switch (name) {
    case 'delta':
    case 'rate':
    case 'avg':
    case 'min':
    case 'max': {
      const [metric, windowMs] = [metricOf(first!, shape, reader), durationOf(second!, shape, reader)]
      return metric && windowMs ? { kind: 'window', name: name satisfies WindowFunction, metric, windowMs, target: null, span } : null
    }
    case 'timeTo': {
      const [metric, target, windowMs] = [metricOf(first!, shape, reader), reader.number(second!), durationOf(third!, shape, reader)]
      return metric && target && windowMs ? { kind: 'window', name, metric, windowMs, target, span } : null
    }
    case 'stuck': {
      const metric = metricOf(first!, shape, reader)
      const windowMs = second === undefined ? null : durationOf(second, shape, reader)
      return metric && (second === undefined || windowMs) ? { kind: 'stuck', metric, windowMs, span } : null
    }
    case 'silent': {
      const windowMs = durationOf(first!, shape, reader)
      return windowMs ? { kind: 'silent', windowMs, span } : null
    }
    case 'faulty':
    case 'outOfRange': {
      const metric = metricOf(first!, shape, reader)
      return metric && { kind: name, metric, span }
    }
    case 'clockWrong':
      return { kind: name, span }
    case 'abs': {
      const of = reader.number(first!)
      return of && { kind: 'magnitude', of, span }
    }
    default:
      return votedOf(first!, second!, span, shape, reader)
  }
}

function votedOf(first: ASTNode, second: ASTNode, span: Span, shape: string, reader: Reader): TruthNode | null {
  const count = first.op === 'value' && typeof first.args === 'bigint' ? Number(first.args) : 0
  if (count < 1) reader.refuse(first, `the number of devices must be a whole number from 1: ${shape}`)
  const of = reader.truth(second)
  return count >= 1 && of !== null ? { kind: 'voted', count, of, span } : null
}

function rightCount(name: string, count: number): boolean {
  switch (name) {
    case 'timeTo':
      return count === 3
    case 'stuck':
      return count === 1 || count === 2
    case 'clockWrong':
      return count === 0
    case 'silent':
    case 'faulty':
    case 'outOfRange':
    case 'abs':
      return count === 1
    default:
      return count === 2
  }
}

function metricOf(node: ASTNode, shape: string, reader: Reader): MetricNode | null {
  if (node.op === 'id' && node.args !== 'limits') {
    return { kind: 'metric', name: node.args, span: { start: node.range.start, end: node.range.end } }
  }
  return reader.refuse(node, `a metric's name is needed here: ${shape}`)
}

function durationOf(node: ASTNode, shape: string, reader: Reader): number | null {
  if (node.op !== 'value' || typeof node.args !== 'string') {
    return reader.refuse(node, `a duration with its unit in quotes is needed here: ${shape}`)
  }
  const ms = parseDuration(node.args)
  if (ms === null || ms < 1) return reader.refuse(node, `'${node.args}' is no duration: write a number and ms, s, m, h or d, e.g. '10m'`)
  if (ms > LIMITS.rules.windowMs) return reader.refuse(node, `'${node.args}' is too long: at most ${LIMITS.rules.windowMs / 86_400_000}d`)
  return ms
}
