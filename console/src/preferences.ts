// What this browser remembers for its operator: language and theme. Nothing else is kept on the machine.

import { useSyncExternalStore } from 'react'

export type Language = 'zh' | 'en'
export type Theme = 'dark' | 'light'

export interface Preferences {
  readonly language: Language
  readonly theme: Theme
}

const KEY = 'fenghuo.preferences'
const watchers = new Set<() => void>()
let preferences: Preferences = remembered()

function remembered(): Preferences {
  let kept: Partial<Preferences> = {}
  try {
    kept = JSON.parse(window.localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>
  } catch {
    // Storage may be switched off or hold anything: the defaults serve.
  }
  return { language: kept?.language === 'en' ? 'en' : 'zh', theme: kept?.theme === 'light' ? 'light' : 'dark' }
}

/** Puts language and theme on the document, where style sheets and screen readers find them. */
export function applyPreferences(): void {
  const root = document.documentElement
  root.lang = preferences.language === 'zh' ? 'zh-CN' : 'en'
  root.dataset.theme = preferences.theme
}

export function prefer(change: Partial<Preferences>): void {
  preferences = { ...preferences, ...change }
  try {
    window.localStorage.setItem(KEY, JSON.stringify(preferences))
  } catch {
    // Not remembered then; it still holds until the page is closed.
  }
  applyPreferences()
  for (const watcher of watchers) watcher()
}

function follow(changed: () => void): () => void {
  watchers.add(changed)
  return () => watchers.delete(changed)
}

export const usePreferences = (): Preferences => useSyncExternalStore(follow, () => preferences)

export const currentLanguage = (): Language => preferences.language
