// A behaviour is one small talent of a simulated device. A device is a stack of them: those on values come first and write
// over one another, those on delivery then decide what really leaves. Pure: instants and chance are arguments.

import type { Random } from '../src/platform/random.ts'

/** A sample as it goes over the wire (contract 3). */
export interface Sample {
  device: string
  ts?: number
  values: Record<string, number | boolean | null>
}

/** When a behaviour is asked. */
export interface Moment {
  /** Epoch ms. */
  readonly at: number
  /** Ms since the script began. */
  readonly sinceStart: number
  /** Ms since this behaviour set in. */
  readonly sinceOnset: number
  readonly random: Random
}

export type Behaviour =
  | { readonly on: 'values'; shape(values: Sample['values'], moment: Moment): void }
  | { readonly on: 'delivery'; deliver(samples: readonly Sample[], moment: Moment): readonly Sample[] }

/** Keeps three decimals, as instruments do. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

/** What a metric stands at before this behaviour adds to it; 0 where nothing has set it. */
export function present(values: Sample['values'], metric: string): number {
  const value = values[metric]
  return typeof value === 'number' ? value : 0
}
