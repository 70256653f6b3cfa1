// The words of people and access in the operator's language.

import { useOneOf } from './words.ts'
import { people as en } from './words-people-en.ts'
import { people as zh } from './words-people-zh.ts'

export type PeopleWords = typeof zh

const BOTH = { zh, en }

export const usePeopleWords = (): PeopleWords => useOneOf(BOTH)
