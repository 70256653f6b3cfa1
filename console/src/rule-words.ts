// The words of the pages of rules in the operator's language.

import { useOneOf } from './words.ts'
import { rules as en } from './words-rules-en.ts'
import { rules as zh } from './words-rules-zh.ts'

export type RuleWords = typeof zh

const BOTH = { zh, en }

export const useRuleWords = (): RuleWords => useOneOf(BOTH)
