// The audible alarm: one pattern per tier while an alarm of that tier waits to be acknowledged; the most severe is heard.
// While the link is lost two low notes say that silence means nothing.
// Browsers let a page sound only after somebody has pressed something: until then it is armed but blocked, and says so.

import { type Alarm, TIER_RANK, type Tier } from './api.ts'
import { isWaiting } from './withheld.ts'

/** What there is to hear: alarms of a tier, or that the link is lost. */
export type Audible = Tier | 'link'
export type SoundState = 'off' | 'on' | 'blocked'

/** Pitches of one round, Hz, each of the same length; more severe is higher, longer and sooner again. */
const PATTERNS: Readonly<Record<Audible, { readonly pitches: readonly number[]; readonly everyMs: number }>> = {
  red: { pitches: [960, 770, 960, 770, 960, 770], everyMs: 2000 },
  orange: { pitches: [770, 770, 770], everyMs: 4000 },
  yellow: { pitches: [620, 620], everyMs: 10_000 },
  blue: { pitches: [520], everyMs: 30_000 },
  link: { pitches: [330, 260], everyMs: 10_000 }
}
const NOTE_S = 0.18
const PAUSE_S = 0.06
const LOUDNESS = 0.25
const EDGE_S = 0.01

/** The tier to be heard: the most severe that nobody has taken note of; cleared ones are silent. */
export function audibleTier(alarms: readonly Alarm[]): Tier | null {
  let worst: Tier | null = null
  for (const alarm of alarms) {
    if (alarm.clearedAt !== null || !isWaiting(alarm)) continue
    if (worst === null || TIER_RANK[alarm.tier] > TIER_RANK[worst]) worst = alarm.tier
  }
  return worst
}

const KEY = 'fenghuo.sound'

export class Sound {
  #context: AudioContext | null = null
  #wanted = remembered()
  #tier: Audible | null = null
  #next: number | undefined
  readonly #changed = new Set<() => void>()

  get state(): SoundState {
    if (!this.#wanted) return 'off'
    return this.#context?.state === 'running' ? 'on' : 'blocked'
  }

  readonly follow = (changed: () => void): (() => void) => {
    this.#changed.add(changed)
    return () => this.#changed.delete(changed)
  }

  /** By a press: only then may the page sound. */
  arm(): void {
    this.#want(true)
    this.wake()
  }

  mute(): void {
    this.#want(false)
    window.clearTimeout(this.#next)
    this.#tell()
  }

  /** Any press will do once it is wanted: after a reload nobody need look for the button. */
  wake(): void {
    if (!this.#wanted) return
    if (this.#context === null) {
      this.#context = new AudioContext()
      this.#context.onstatechange = () => this.#tell()
    }
    void this.#context.resume().then(() => {
      this.#tell()
      this.#round()
    })
  }

  /** What is to be heard from now on; null: silence. A more severe one is heard at once. */
  play(tier: Audible | null): void {
    if (tier === this.#tier) return
    this.#tier = tier
    this.#round()
  }

  stop(): void {
    window.clearTimeout(this.#next)
    void this.#context?.close()
    this.#context = null
  }

  #round(): void {
    window.clearTimeout(this.#next)
    const tier = this.#tier
    if (tier === null || this.state !== 'on' || this.#context === null) return
    const { pitches, everyMs } = PATTERNS[tier]
    for (const [index, pitch] of pitches.entries()) note(this.#context, pitch, index * (NOTE_S + PAUSE_S))
    this.#next = window.setTimeout(() => this.#round(), everyMs)
  }

  #want(wanted: boolean): void {
    this.#wanted = wanted
    try {
      window.localStorage.setItem(KEY, wanted ? 'on' : 'off')
    } catch {
      // Not remembered then; it still holds until the page is closed.
    }
  }

  #tell(): void {
    for (const changed of this.#changed) changed()
  }
}

function note(context: AudioContext, pitch: number, after: number): void {
  const begins = context.currentTime + after
  const ends = begins + NOTE_S
  const tone = context.createOscillator()
  const volume = context.createGain()
  tone.type = 'square'
  tone.frequency.value = pitch
  volume.gain.setValueAtTime(0, begins)
  volume.gain.linearRampToValueAtTime(LOUDNESS, begins + EDGE_S)
  volume.gain.setValueAtTime(LOUDNESS, ends - EDGE_S)
  volume.gain.linearRampToValueAtTime(0, ends)
  tone.connect(volume).connect(context.destination)
  tone.start(begins)
  tone.stop(ends)
}

function remembered(): boolean {
  try {
    return window.localStorage.getItem(KEY) === 'on'
  } catch {
    return false
  }
}
