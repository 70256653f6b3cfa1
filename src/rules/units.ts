// Units held against one another: comparing, adding or subtracting degrees and kilopascals says nothing.

import type { Profile } from '../model/plant.ts'
import { type NumberNode, type TruthNode, walk } from './tree.ts'

/** Calls `found` for every place where two numbers of different units meet, with the offset and a sentence. */
export function mismatchedUnits(profile: Profile, node: TruthNode, found: (offset: number, sentence: string) => void): void {
  walk(node, (part) => {
    if (part.kind === 'comparison') meet(part.left, part.right)
    else if (part.kind === 'arithmetic' && (part.operator === '+' || part.operator === '-')) meet(part.left, part.right)
    else if (part.kind === 'window' && part.target !== null) meet(part.metric, part.target)
    else if (part.kind === 'in') for (const member of part.list) meet(part.left, member)
  })
  function meet(left: NumberNode, right: NumberNode): void {
    const [one, other] = [unitOf(profile, left), unitOf(profile, right)]
    if (one === null || other === null || one === other) return
    found(right.span.start, `the units do not fit: ${one} on one side, ${other} on the other, in profile ${profile.id}`)
  }
}

/** The unit of a number that can only be of one metric; null where literals, limits, products or choices leave it open. */
function unitOf(profile: Profile, node: NumberNode): string | null {
  switch (node.kind) {
    case 'metric':
      return profile.metrics.find(({ id }) => id === node.name)?.unit ?? null
    case 'negative':
    case 'magnitude':
      return unitOf(profile, node.of)
    case 'window':
      return node.name === 'rate' || node.name === 'timeTo' ? null : unitOf(profile, node.metric)
    case 'arithmetic':
      return node.operator === '+' || node.operator === '-' ? (unitOf(profile, node.left) ?? unitOf(profile, node.right)) : null
    default:
      return null
  }
}
