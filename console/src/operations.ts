// The words of notifications, duty and hazard sources in the operator's language.

import { useOneOf } from './words.ts'
import { operations as en } from './words-operations-en.ts'
import { operations as zh } from './words-operations-zh.ts'

export type Operations = typeof zh

const BOTH = { zh, en }

export const useOperations = (): Operations => useOneOf(BOTH)
