// The switch of the audible alarm, which also says whether it can be heard at all.

import { useEffect, useState, useSyncExternalStore } from 'react'
import { useAlarmList } from '../console.tsx'
import { useHandling } from '../handling.ts'
import { audibleTier, Sound } from '../sound.ts'
import { useLinkLost } from './age.tsx'

export function SoundButton() {
  const { sound: words } = useHandling()
  const { alarms, loaded } = useAlarmList()
  const [sound] = useState(() => new Sound())
  const state = useSyncExternalStore(sound.follow, () => sound.state)
  const lost = useLinkLost()
  const tier = lost ? 'link' : loaded ? audibleTier(alarms) : null
  useEffect(() => sound.play(tier), [sound, tier])
  useEffect(() => {
    // The switch itself decides by what it showed when it was pressed.
    const wake = ({ target }: Event): void => {
      if (!(target instanceof Element && target.closest('.sound'))) sound.wake()
    }
    window.addEventListener('pointerdown', wake)
    window.addEventListener('keydown', wake)
    return () => {
      window.removeEventListener('pointerdown', wake)
      window.removeEventListener('keydown', wake)
      sound.stop()
    }
  }, [sound])
  const label = state === 'off' ? words.arm : state === 'on' ? words.mute : words.blocked
  return (
    <button
      type="button"
      className="button button-quiet sound"
      data-sound={state}
      data-sounding={state === 'on' ? (tier ?? '') : ''}
      aria-pressed={state === 'on'}
      aria-label={label}
      title={label}
      onClick={() => (state === 'on' ? sound.mute() : sound.arm())}
    >
      <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
        <path d="M4 9v6h4l5 4V5L8 9z" fill="currentColor" />
        {state === 'on' ? (
          <path d="M16 8a5 5 0 0 1 0 8M18.500 5.500a9 9 0 0 1 0 13" fill="none" stroke="currentColor" strokeWidth="2" />
        ) : (
          <path d="M16.500 9.500l5 5m0-5l-5 5" stroke="currentColor" strokeWidth="2" />
        )}
      </svg>
      {state === 'blocked' && <span>!</span>}
    </button>
  )
}
