// One value with its unit and how far it may be trusted. Anything not usable is hatched and carries its word.

import type { Device } from '../api.ts'
import { useTimed } from '../clock.ts'
import { type Held, type HeldValue, isUsable, type Trust, trustOf } from '../device-state.ts'
import { formatUnit, formatValue } from '../format.ts'
import { useWords } from '../words.ts'
import { useLinkLost } from './age.tsx'

/** How far the value may be trusted at this moment; changes by itself when it grows too old. */
export function useTrust(held: Held<Device>, value: HeldValue): Trust {
  const lost = useLinkLost()
  return useTimed((now) => trustOf(held, value, now, lost))
}

/** Booleans travel as 0 and 1; a person reads yes and no. */
export const isTwoState = (value: HeldValue): boolean =>
  value.min === 0 && value.max === 1 && formatUnit(value.unit) === '' && (value.value === null || value.value === 0 || value.value === 1)

export function Value({ value, trust }: { value: HeldValue; trust: Trust }) {
  const words = useWords()
  const usable = isUsable(trust)
  const number =
    value.value === null || trust === 'never'
      ? '——'
      : isTwoState(value)
        ? words.twoState[value.value === 1 ? 'yes' : 'no']
        : formatValue(value.value)
  return (
    <span className={usable ? 'value' : 'value untrusted'} data-trust={trust}>
      <b>{number}</b> <span className="unit">{formatUnit(value.unit)}</span>
      {trust !== 'good' && <em>{words.quality[trust]}</em>}
    </span>
  )
}
