// What stands between a message that is ready and its person: quiet hours, floods, grouping, throttles; and the digests in
// which everything that was held back comes out again. Red always passes.

import type { Duty, Person } from '../model/duty.ts'
import type { ChannelKind, WithholdReason } from '../model/notification.ts'
import { LIMITS } from '../platform/limits.ts'
import { Digests, type Held, type Queue } from './digests.ts'
import type { FloodSight } from './floodWatch.ts'
import { Pace, type PaceSnapshot } from './pace.ts'
import { isQuiet, quietUntil, whyNotNow } from './withhold.ts'

/** What a message is about, as far as the gate asks. */
export interface Bearing {
  readonly red: boolean
  readonly site: string | null
  readonly enterprise: string | null
  /** It is one message instead of many already: what those were held back for; null: it is about one alarm. */
  readonly digest: WithholdReason | null
  /** The rule and subject of a new alarm that chatters; else null. */
  readonly chatter: string | null
}

/** A message for one person by one way, held back. */
export interface Parcel {
  readonly person: Person
  readonly channel: ChannelKind
  readonly ladder: string
  readonly why: WithholdReason
  readonly site: string | null
  readonly enterprise: string | null
  readonly chatter: string | null
}

export interface GateSnapshot {
  readonly digests: readonly Queue[]
  readonly pace: PaceSnapshot
}

export class Gate {
  #digests = new Digests()
  #pace = new Pace()
  readonly #floods: FloodSight

  constructor(floods: FloodSight) {
    this.#floods = floods
  }

  static restore({ digests, pace }: GateSnapshot, floods: FloodSight): Gate {
    const gate = new Gate(floods)
    gate.#digests = Digests.restore(digests)
    gate.#pace = Pace.restore(pace)
    return gate
  }

  snapshot(): GateSnapshot {
    return { digests: this.#digests.snapshot(), pace: this.#pace.snapshot() }
  }

  /** Why the person is not to have the message now; null: it passes. */
  why(duty: Duty, person: Person, channel: ChannelKind, bearing: Bearing, now: number): WithholdReason | null {
    const { red, site, enterprise, digest, chatter } = bearing
    const way = `${person.id}~${channel}`
    return whyNotNow({
      red,
      digest: digest !== null,
      quiet: isQuiet(person, now),
      flooding: this.#floods.flooding(enterprise),
      chattering: chatter !== null && this.#pace.windowEnd(chatterKey(way, chatter), LIMITS.marks.chatterTellMs, now) !== null,
      grouping: this.#pace.windowEnd(`${way}~${site ?? ''}`, duty.groupWindowMs, now) !== null,
      // The digest of a flood is what the throttle is for: red calls must not delay it.
      throttled: digest !== 'flood' && this.#pace.heldUntil(way, duty.throttle, now) !== null
    })
  }

  /** Holds the alarm back; answers the digest it goes into and when that is due, where nobody waits for it yet. */
  hold(duty: Duty, parcel: Parcel, held: Held, now: number): { readonly key: string; readonly at: number } | null {
    const { person, channel, ladder, why, chatter } = parcel
    const way = `${person.id}~${channel}`
    // A digest of a flood speaks of an enterprise, one of a group of a site, the others of whatever has gathered.
    const site = why === 'grouped' ? parcel.site : null
    const enterprise = why === 'grouped' || why === 'flood' ? parcel.enterprise : null
    const key = why === 'chattering' ? chatterKey(way, chatter ?? '') : `${way}~${why}~${site ?? enterprise ?? ''}`
    if (
      !this.#digests.add(
        { key, person: person.id, channel, ladder, why, site, enterprise, chatter: why === 'chattering' ? chatter : null },
        held
      )
    )
      return null
    return { key, at: this.#releaseAt(duty, parcel, way, now) }
  }

  take(key: string): Queue | undefined {
    return this.#digests.take(key)
  }

  /** A message has left. */
  sent(duty: Duty, person: string, channel: ChannelKind, { site, chatter }: Pick<Bearing, 'site' | 'chatter'>, now: number): void {
    const way = `${person}~${channel}`
    if (duty.groupWindowMs > 0) this.#pace.open(`${way}~${site ?? ''}`, now)
    if (chatter !== null) this.#pace.open(chatterKey(way, chatter), now)
    this.#pace.note(way, now, duty.throttle)
  }

  #releaseAt(duty: Duty, { person, why, site, chatter }: Parcel, way: string, now: number): number {
    if (why === 'quietHours') return quietUntil(person, now)
    if (why === 'flood') return now + duty.floodDigestMs
    if (why === 'chattering') return this.#pace.windowEnd(chatterKey(way, chatter ?? ''), LIMITS.marks.chatterTellMs, now) ?? now
    if (why === 'throttled') return this.#pace.heldUntil(way, duty.throttle, now) ?? now
    return this.#pace.windowEnd(`${way}~${site ?? ''}`, duty.groupWindowMs, now) ?? now
  }
}

function chatterKey(way: string, point: string): string {
  return `${way}~chattering~${point}`
}
