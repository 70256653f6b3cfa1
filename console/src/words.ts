// Every word the console says, in Chinese and in English. The Chinese dictionary is the pattern: a word missing in
// English does not compile.

import { useCallback } from 'react'
import type { Text } from './api.ts'
import { type Language, usePreferences } from './preferences.ts'
import { en } from './words-en.ts'
import { zh } from './words-zh.ts'

export type Words = typeof zh

const DICTIONARIES: Readonly<Record<Language, Words>> = { zh, en }

export const wordsIn = (language: Language): Words => DICTIONARIES[language]

export const useWords = (): Words => DICTIONARIES[usePreferences().language]

/** Reads a name or sentence of the plant in the operator's language; the other language where that one is empty. */
export function useSay(): (text: Text | null | undefined, otherwise?: string) => string {
  const { language } = usePreferences()
  return useCallback((text, otherwise = '') => inLanguage(text, language, otherwise), [language])
}

export function inLanguage(text: Text | null | undefined, language: Language, otherwise = ''): string {
  if (!text) return otherwise
  return text[language] || text.zh || text.en || otherwise
}

/** Words of one page alone, which are loaded with it. */
export function useOneOf<Dictionary>(both: Readonly<Record<Language, Dictionary>>): Dictionary {
  return both[usePreferences().language]
}
