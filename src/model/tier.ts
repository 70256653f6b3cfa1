// The four tiers of an alarm (China's warning colours), and 'clear' as level zero: recovering is just another change of level.

export const TIERS = ['blue', 'yellow', 'orange', 'red'] as const
/** blue < yellow < orange < red: general, larger, major, particularly serious (IV, III, II, I). */
export type Tier = (typeof TIERS)[number]

export const LEVELS = ['clear', ...TIERS] as const
export type Level = (typeof LEVELS)[number]

/** 0 for clear, 1 for blue, … 4 for red: orders levels, and indexes per-tier tables. */
export function levelRank(level: Level): number {
  return LEVELS.indexOf(level)
}
