// A condition or number as text, in the language it was written in: what the engine understood, not what was typed.

import { formatDuration } from '../platform/duration.ts'
import { type NumberNode, OPPOSITE, type TruthNode } from './tree.ts'

/** The expression of a node; parsing it again gives the same meaning. */
export function textOf(node: NumberNode | TruthNode): string {
  switch (node.kind) {
    case 'number':
      return String(node.value)
    case 'constant':
      return String(node.value)
    case 'metric':
      return node.name
    case 'limit':
      return /^[A-Za-z_]\w*$/.test(node.name) ? `limits.${node.name}` : `limits[${JSON.stringify(node.name)}]`
    case 'negative':
      return `-${inner(node.of)}`
    case 'magnitude':
      return `abs(${textOf(node.of)})`
    case 'arithmetic':
      return `${inner(node.left)} ${node.operator} ${inner(node.right)}`
    case 'window': {
      const target = node.target === null ? '' : `${textOf(node.target)}, `
      return `${node.name}(${node.metric.name}, ${target}'${formatDuration(node.windowMs)}')`
    }
    case 'choice':
    case 'either':
      return `${inner(node.of)} ? ${inner(node.yes)} : ${inner(node.no)}`
    case 'comparison':
      return `${side(node.left)} ${node.operator} ${side(node.right)}`
    case 'in':
      return `${side(node.left)} in [${node.list.map(textOf).join(', ')}]`
    case 'and':
    case 'or':
      return node.parts.map((part) => (isComparison(part) ? textOf(part) : inner(part))).join(node.kind === 'and' ? ' && ' : ' || ')
    case 'not':
      return node.of.kind === 'comparison' ? textOf({ ...node.of, operator: OPPOSITE[node.of.operator] }) : `!${inner(node.of)}`
    case 'notSurely':
      return `not surely ${inner(node.of)}`
    case 'same':
      return `${inner(node.left)} == ${inner(node.right)}`
    case 'faulty':
    case 'outOfRange':
      return `${node.kind}(${node.metric.name})`
    case 'clockWrong':
      return 'clockWrong()'
    case 'stuck':
      return node.windowMs === null ? `stuck(${node.metric.name})` : `stuck(${node.metric.name}, '${formatDuration(node.windowMs)}')`
    case 'silent':
      return `silent('${formatDuration(node.windowMs)}')`
    case 'voted':
      return `voted(${node.count}, ${textOf(node.of)})`
  }
}

/** In brackets where it would otherwise be read apart. */
function inner(node: NumberNode | TruthNode): string {
  const text = textOf(node)
  const loose = ['arithmetic', 'choice', 'either', 'and', 'or', 'same', 'in'].includes(node.kind)
  return loose || isComparison(node) ? `(${text})` : text
}

/** One side of a comparison. */
function side(node: NumberNode): string {
  return node.kind === 'choice' ? inner(node) : textOf(node)
}

function isComparison(node: NumberNode | TruthNode): boolean {
  return node.kind === 'comparison' || (node.kind === 'not' && node.of.kind === 'comparison')
}
