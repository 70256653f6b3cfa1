// Behaviours that shape values: what the instrument measures.

import { type Behaviour, present, rounded } from '../behaviour.ts'

const MINUTE = 60_000

/** A value that stays where it is, with a little noise. */
export function steady(metric: string, value: number, noise: number): Behaviour {
  return {
    on: 'values',
    shape(values, { random }) {
      values[metric] = rounded(value + noise * random.normal())
    }
  }
}

/** A switch or a state that does not change. */
export function state(metric: string, value: number): Behaviour {
  return {
    on: 'values',
    shape(values) {
      values[metric] = value
    }
  }
}

/** The day's swing around a mean, warmest at `peakHour` (UTC). */
export function diurnal(metric: string, mean: number, amplitude: number, peakHour: number, noise: number): Behaviour {
  return {
    on: 'values',
    shape(values, { at, random }) {
      const hour = (at / 3_600_000) % 24
      values[metric] = rounded(mean + amplitude * Math.cos(((hour - peakHour) / 24) * 2 * Math.PI) + noise * random.normal())
    }
  }
}

/** A tank filled and emptied in turn between two levels: a triangle of the given period. */
export function fillAndDrain(metric: string, low: number, high: number, periodMs: number, noise: number): Behaviour {
  return {
    on: 'values',
    shape(values, { sinceStart, random }) {
      const phase = (sinceStart % periodMs) / periodMs
      const share = phase < 0.5 ? phase * 2 : 2 - phase * 2
      values[metric] = rounded(low + (high - low) * share + noise * random.normal())
    }
  }
}

/** A level that runs away from where the behaviours below leave it, at a constant rate per minute, until `limit`. */
export function run(metric: string, perMinute: number, limit: number): Behaviour {
  return {
    on: 'values',
    shape(values, { sinceOnset }) {
      const moved = present(values, metric) + (perMinute * sinceOnset) / MINUTE
      values[metric] = rounded(perMinute < 0 ? Math.max(limit, moved) : Math.min(limit, moved))
    }
  }
}

/** A leak: the level falls without a transfer, at a rate per hour. */
export function leak(metric: string, perHour: number): Behaviour {
  return run(metric, -perHour / 60, 0)
}

/** A gas cloud passing: rises to `peak` within `riseMs`, then decays with the given half-life. */
export function gasRelease(metric: string, peak: number, riseMs: number, halfLifeMs: number): Behaviour {
  return {
    on: 'values',
    shape(values, { sinceOnset, random }) {
      const share = sinceOnset < riseMs ? sinceOnset / riseMs : 0.5 ** ((sinceOnset - riseMs) / halfLifeMs)
      values[metric] = rounded(Math.max(0, present(values, metric) + peak * share * (1 + 0.03 * random.normal())))
    }
  }
}

/** A fire growing with the square of time (the t² curve of fire engineering), up to `peak` after `growthMs`. */
export function fireCurve(metric: string, peak: number, growthMs: number): Behaviour {
  return {
    on: 'values',
    shape(values, { sinceOnset }) {
      const share = Math.min(1, sinceOnset / growthMs)
      values[metric] = rounded(present(values, metric) + peak * share * share)
    }
  }
}

/** An instrument that slowly goes wrong by `perDay`. */
export function drift(metric: string, perDay: number): Behaviour {
  return {
    on: 'values',
    shape(values, { sinceOnset }) {
      values[metric] = rounded(present(values, metric) + (perDay * sinceOnset) / 86_400_000)
    }
  }
}

/** An instrument that says nothing sensible: the value is null, a sensor fault. */
export function faulty(metric: string): Behaviour {
  return {
    on: 'values',
    shape(values) {
      values[metric] = null
    }
  }
}
