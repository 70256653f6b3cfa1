// Behaviours of delivery: what of the measured really leaves the device, and when.

import type { Behaviour, Sample } from '../behaviour.ts'

/** The instrument repeats what it said when it got stuck. */
export function stuck(metric: string): Behaviour {
  let held: Sample['values'][string] | undefined
  return {
    on: 'values',
    shape(values) {
      held ??= values[metric]
      if (held !== undefined) values[metric] = held
    }
  }
}

/** Nothing is sent. */
export function silent(): Behaviour {
  return { on: 'delivery', deliver: () => [] }
}

/** The device's clock is off by `offsetMs`. */
export function wrongClock(offsetMs: number): Behaviour {
  return {
    on: 'delivery',
    deliver: (samples, { at }) => samples.map((sample) => ({ ...sample, ts: (sample.ts ?? at) + offsetMs }))
  }
}

/** Every sample is sent once more, as a link that lost an acknowledgement does. */
export function duplicate(): Behaviour {
  return { on: 'delivery', deliver: (samples) => samples.flatMap((sample) => [sample, sample]) }
}

/** Samples are held back and leave all at once every `everyMs`: a gateway that was cut off. At most `most` are held, the oldest go first. */
export function burst(everyMs: number, most: number): Behaviour {
  let held: Sample[] = []
  let releaseAt = everyMs
  return {
    on: 'delivery',
    deliver(samples, { sinceOnset }) {
      held = [...held, ...samples].slice(-most)
      if (sinceOnset < releaseAt) return []
      releaseAt = sinceOnset + everyMs
      const released = held
      held = []
      return released
    }
  }
}
