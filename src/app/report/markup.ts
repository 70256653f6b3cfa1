// Small pieces of the report page: words in two languages, the marks of the tiers.

import type { Text } from '../../model/text.ts'
import type { Tier } from '../../model/tier.ts'
import { escaped } from '../../platform/html.ts'

/** Both languages; the page shows one of them. The texts are our own: they are not escaped. */
export function both(zh: string, en: string): string {
  return zh === en ? zh : `<span lang="zh">${zh}</span><span lang="en">${en}</span>`
}

/** A name from the plant. */
export function nameOf({ zh, en }: Text): string {
  return both(escaped(zh), escaped(en))
}

export const TIER_NAMES: Readonly<Record<Tier, readonly [zh: string, en: string]>> = {
  red: ['红色', 'red'],
  orange: ['橙色', 'orange'],
  yellow: ['黄色', 'yellow'],
  blue: ['蓝色', 'blue']
}

/** Shape, numeral and colour, as in the console: readable without colour. */
const MARKS: Readonly<Record<Tier, readonly [shape: string, numeral: string, y: number]>> = {
  red: ['M11.300 2h13.400L34 11.300v13.400L24.700 34H11.300L2 24.700V11.300z', 'I', 24.2],
  orange: ['M18 1.500 35 32.500H1z', 'II', 29],
  yellow: ['M18 0.800 35.200 18 18 35.200 0.800 18z', 'III', 23.6],
  blue: ['M18 2a16 16 0 1 1 0 32 16 16 0 1 1 0-32z', 'IV', 23.6]
}

export function tierMark(tier: Tier): string {
  const [shape, numeral, y] = MARKS[tier]
  return `<svg class="mark ${tier}" viewBox="0 0 36 36" aria-hidden="true"><path d="${shape}"/><text x="18" y="${y}" text-anchor="middle">${numeral}</text></svg>`
}

/** Mark and name. */
export function tierTag(tier: Tier): string {
  return `<span class="tag">${tierMark(tier)}${both(...TIER_NAMES[tier])}</span>`
}

export interface Column {
  readonly head: string
  /** Figures stand to the right. */
  readonly figure?: boolean
}

/** Cells are markup already. Answers a sentence in place of an empty table. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], more = 0): string {
  if (rows.length === 0) return `<p class="none">${both('无', 'None')}</p>`
  const kind = (column: number): string => (columns[column]?.figure === true ? ' class="figure"' : '')
  const head = columns.map(({ head }, column) => `<th scope="col"${kind(column)}>${head}</th>`).join('')
  const body = rows.map((cells) => `<tr>${cells.map((cell, column) => `<td${kind(column)}>${cell}</td>`).join('')}</tr>`).join('\n')
  const rest = more > 0 ? `<p class="none">${both(`另有 ${more} 行`, `and ${more} more`)}</p>` : ''
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>${rest}`
}

export function section(title: string, body: string, note = ''): string {
  return `<section><h2>${title}</h2>${note === '' ? '' : `<p class="note">${note}</p>`}${body}</section>`
}
