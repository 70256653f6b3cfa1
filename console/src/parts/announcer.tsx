// Says new alarms aloud for screen readers. One sentence at a time; a flood is one sentence with its number.

import { useEffect, useState } from 'react'
import type { Raise } from '../alarm-list.ts'
import { TIER_RANK } from '../api.ts'
import { useConsole } from '../console.tsx'
import { currentLanguage, type Language } from '../preferences.ts'
import { inLanguage, type Words, wordsIn } from '../words.ts'
import { ROMAN } from './tier-mark.tsx'

const ONE_BY_ONE = 2

export function Announcer() {
  const { list } = useConsole()
  const [said, setSaid] = useState('')
  useEffect(
    () =>
      list.onRaised((raises) => {
        const language = currentLanguage()
        setSaid(announcement(raises, language, wordsIn(language)))
      }),
    [list]
  )
  return (
    <div className="unseen" aria-live="assertive" data-announcer>
      {said}
    </div>
  )
}

function announcement(raises: readonly Raise[], language: Language, words: Words): string {
  const worst = raises.reduce((a, b) => (TIER_RANK[b.alarm.tier] > TIER_RANK[a.alarm.tier] ? b : a)).alarm.tier
  const name = (tier: typeof worst): string => words.tierName(words.tier[tier], ROMAN[tier])
  if (raises.length > ONE_BY_ONE) return words.alarms.announceMany(raises.length, name(worst))
  return raises
    .map(({ alarm, kind }) => {
      const subject = inLanguage(alarm.deviceName ?? alarm.areaName, language, alarm.device ?? alarm.area ?? '')
      return kind === 'escalate'
        ? words.alarms.announceEscalated(name(alarm.tier), subject)
        : words.alarms.announceOne(name(alarm.tier), subject, inLanguage(alarm.becauseText, language, alarm.because))
    })
    .join('。')
}
