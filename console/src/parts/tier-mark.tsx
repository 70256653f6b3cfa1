// The mark of a tier: colour AND shape AND roman numeral, readable in greyscale and by the colour-blind.
// Unacknowledged marks blink, acknowledged ones are steady, returned ones are hollow, withheld ones grey in a violet line.

import { TIERS_DOWN, type Tier } from '../api.ts'
import { useWords } from '../words.ts'

export const ROMAN: Readonly<Record<Tier, string>> = { red: 'I', orange: 'II', yellow: 'III', blue: 'IV' }

const SHAPES: Readonly<Record<Tier, string>> = {
  red: 'M11.300 2h13.400L34 11.300v13.400L24.700 34H11.300L2 24.700V11.300z',
  orange: 'M18 1.500 35 32.500H1z',
  yellow: 'M18 0.800 35.200 18 18 35.200 0.800 18z',
  blue: 'M18 2a16 16 0 1 1 0 32 16 16 0 1 1 0-32z'
}
const TEXT_Y: Readonly<Record<Tier, number>> = { red: 24.2, orange: 29, yellow: 23.6, blue: 23.6 }

export type MarkState = 'unacknowledged' | 'acknowledged' | 'returned' | 'withheld' | 'plain'

/** `label` null: decoration beside words that say the same. */
export function TierMark({ tier, state = 'plain', label = null }: { tier: Tier; state?: MarkState; label?: string | null }) {
  return (
    <svg
      className="mark"
      data-tier={tier}
      data-state={state}
      viewBox="0 0 36 36"
      role="img"
      aria-label={label ?? ''}
      aria-hidden={label === null}
    >
      <path className="mark-shape" d={SHAPES[tier]} />
      <text className="mark-text" x="18" y={TEXT_Y[tier]} textAnchor="middle">
        {ROMAN[tier]}
      </text>
    </svg>
  )
}

/** The tiers to choose from, the most severe first. */
export function TierOptions() {
  const words = useWords()
  return TIERS_DOWN.map((tier) => (
    <option key={tier} value={tier}>
      {words.tierName(words.tier[tier], ROMAN[tier])}
    </option>
  ))
}
