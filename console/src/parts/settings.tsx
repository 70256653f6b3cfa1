// Language and theme switches, both remembered by this browser.

import { prefer, usePreferences } from '../preferences.ts'
import { useWords } from '../words.ts'

export function LanguageButton() {
  const words = useWords()
  const { language } = usePreferences()
  const other = language === 'zh' ? 'en' : 'zh'
  return (
    <button
      type="button"
      className="button button-quiet"
      lang={other === 'zh' ? 'zh-CN' : 'en'}
      onClick={() => prefer({ language: other })}
    >
      {words.nav.language}
    </button>
  )
}

export function ThemeButton() {
  const words = useWords()
  const { theme } = usePreferences()
  const other = theme === 'dark' ? 'light' : 'dark'
  return (
    <button type="button" className="button button-quiet" onClick={() => prefer({ theme: other })}>
      {other === 'light' ? words.theme.toLight : words.theme.toDark}
    </button>
  )
}
