// The states of the plant and the inhibitions by name: alarms name only the id of what suppresses them.

import { useCallback } from 'react'
import type { Text } from './api.ts'
import { listInhibitions, listStates } from './api-lifecycle.ts'
import { useResource } from './console.tsx'
import type { NameSuppressor } from './handling.ts'
import { usePreferences } from './preferences.ts'
import { inLanguage } from './words.ts'

const REFRESH_MS = 60_000

export function useSuppressors(): NameSuppressor {
  const { language } = usePreferences()
  const { value } = useResource(
    'suppressors',
    async (signal) => {
      const [states, inhibitions] = await Promise.all([listStates(signal), listInhibitions(signal)])
      return new Map<string, Text>([
        ...states.items.map(({ id, title }) => [`state:${id}`, title] as const),
        ...inhibitions.items.map(({ id, title }) => [`inhibition:${id}`, title] as const)
      ])
    },
    REFRESH_MS
  )
  return useCallback((by) => inLanguage(value?.get(by), language, by.slice(by.indexOf(':') + 1)), [value, language])
}
