// What to do and in how long, out of a rule's guidance ("Cause: … Consequence: … Do: … Within: …"), for one tier.

import type { Language, Text } from '../model/text.ts'
import { TIERS, type Tier } from '../model/tier.ts'

/** Both as clauses without a full stop; empty where the guidance does not say. */
export interface Advice {
  readonly todo: string
  readonly within: string
}

export const TIER_NAMES: Readonly<Record<Tier, Text>> = {
  blue: { zh: '蓝色', en: 'blue' },
  yellow: { zh: '黄色', en: 'yellow' },
  orange: { zh: '橙色', en: 'orange' },
  red: { zh: '红色', en: 'red' }
}

const PARTS: Readonly<Record<Language, { readonly todo: RegExp; readonly within: RegExp; readonly plain: string }>> = {
  zh: { todo: /处置[::]\s*(.*?)(?=时限[::]|$)/s, within: /时限[::]\s*(.*)$/s, plain: '到现场核实并确认' },
  en: { todo: /\bDo:\s*(.*?)(?=\bWithin:|$)/s, within: /\bWithin:\s*(.*)$/s, plain: 'verify on site and acknowledge' }
}

/** What the guidance asks for at this tier; a guidance of another form is what to do as it stands. */
export function adviceOf(guidance: string, tier: Tier, language: Language): Advice {
  const text = tidy(guidance)
  const { todo, within, plain } = PARTS[language]
  const [, asked = ''] = todo.exec(text) ?? []
  const [, time = ''] = within.exec(text) ?? []
  const whole = asked === '' && time === '' ? text : asked
  return { todo: forTier(withoutStop(whole), tier, language) || plain, within: timeFor(withoutStop(time), tier, language) }
}

/** Lines folded in a file leave spaces between Chinese characters, where none belong. */
function tidy(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/(?<=[\u3000-\u9fff\uff00-\uffef][,;:]?) (?=[\u3000-\u9fff\uff00-\uffef])/g, '')
    .trim()
}

function withoutStop(text: string): string {
  return text.trim().replace(/[。.;;,,\s]+$/, '')
}

/** Without the clauses that are for other tiers: "at red …", "红色时…". */
function forTier(text: string, tier: Tier, language: Language): string {
  const clauses = text.split(/[;;]\s*/)
  const kept = clauses.filter((clause) => {
    const named = TIERS.filter((other) => beginsWith(clause, other, language))
    return named.length === 0 || named.includes(tier)
  })
  return kept.join(language === 'zh' ? ';' : '; ')
}

function beginsWith(clause: string, tier: Tier, language: Language): boolean {
  const name = TIER_NAMES[tier][language]
  return language === 'zh' ? clause.startsWith(`${name}时`) : new RegExp(`^at ${name}\\b`, 'i').test(clause)
}

/** "黄色 10 分钟内,红色立即" at red is "立即"; "15 minutes at yellow, 5 at orange" at orange "5 minutes". */
function timeFor(text: string, tier: Tier, language: Language): string {
  const clauses = text.split(/[,,;;]\s*/)
  const name = TIER_NAMES[tier][language]
  const own = clauses.find((clause) => clause.includes(name))
  if (own === undefined) return text
  const bare = own.replace(language === 'zh' ? name : new RegExp(`\\s*\\b(at|for) ${name}\\b`), '').trim()
  if (!/^\d+$/.test(bare)) return bare
  const unit = /\d\s*([a-z]+)/.exec(clauses[0] ?? '')?.[1] ?? ''
  return `${bare} ${unit}`.trim()
}
