// One kind of channel: what waits for it, most severe first, and how fast and by which provider it goes out.
// Invariant: a message leaves the lane only when a provider may be asked now, so a red one that comes late still goes first.

import type { ChannelKind } from '../model/notification.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Random } from '../platform/random.ts'
import type { Channel } from './channels/channel.ts'
import type { DueNotification } from './outbox.ts'

/** How a send went, as far as its provider is concerned: 'idle' where it was not asked at all. */
export interface Trial {
  readonly kind: 'well' | 'troubled' | 'idle'
  /** The provider asked to be left alone for this long, ms. */
  readonly restMs: number | null
}

/** From so many failures in a row on, the provider is what is wrong, and not the message. */
const FAILURES_BEFORE_REST = 3
const FIRST_REST_MS = 1_000
const LONGEST_REST_MS = 30_000
/** Sends may be this much too early, so that a fast pace does not hang on the fineness of timers. */
const BURST_MS = 50

interface Provider {
  readonly channel: Channel
  active: number
  failures: number
  /** Not asked before this, by the monotonic clock. */
  restUntil: number
  /** The next send is not before this, by the monotonic clock. */
  paceUntil: number
}

interface Waiting {
  readonly due: DueNotification
  readonly over: () => void
}

export interface LaneParts {
  readonly kind: ChannelKind
  readonly channels: readonly Channel[]
  readonly clock: Clock
  readonly random: Random
  /** Sends by this channel; never throws. */
  readonly send: (due: DueNotification, channel: Channel) => Promise<Trial>
}

export class Lane {
  readonly kind: ChannelKind
  readonly #parts: LaneParts
  readonly #providers: Provider[]
  /** By tier rank; each in the order of coming. */
  readonly #waiting: Waiting[][] = [[], [], [], [], []]
  #timer: Timer | null = null
  #active = 0
  #stopped = false

  constructor(parts: LaneParts) {
    this.kind = parts.kind
    this.#parts = parts
    this.#providers = parts.channels.map((channel) => ({ channel, active: 0, failures: 0, restUntil: 0, paceUntil: 0 }))
  }

  get active(): number {
    return this.#active
  }

  /** A sentence where nothing of this kind can be sent at the moment, else null. */
  get problem(): string | null {
    const resting = this.#providers.every(({ channel, failures }) => channel.problem !== null || failures >= FAILURES_BEFORE_REST)
    if (!resting) return null
    const said = this.#providers.find(({ channel }) => channel.problem !== null)?.channel.problem
    return said ?? `${this.#providers.map(({ channel }) => channel.id).join(' and ')}: sending fails again and again; it is tried on.`
  }

  /** Resolves when the notification was sent, or need not be. */
  enter(due: DueNotification): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    return new Promise((over) => {
      this.#waiting[due.tier]?.push({ due, over })
      this.#pump()
    })
  }

  /** Lets go of what waits; what is being sent goes on. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    for (const tier of this.#waiting) for (const { over } of tier.splice(0)) over()
  }

  #pump(): void {
    while (!this.#stopped && this.#active < LIMITS.courier.concurrency) {
      const tier = this.#waiting.findLast((waiting) => waiting.length > 0)
      if (tier === undefined) return
      const now = this.#parts.clock.monotonic()
      const provider = this.#providers.find((one) => waitOf(one, now) === 0)
      if (provider === undefined) {
        this.#pumpLater(now)
        return
      }
      void this.#send(tier.shift() as Waiting, provider, now)
    }
  }

  /** The soonest that some provider may be asked again. Where one has a problem of its own, it is looked at now and then. */
  #pumpLater(now: number): void {
    const wait = Math.min(...this.#providers.map((one) => waitOf(one, now)))
    if (wait === Number.POSITIVE_INFINITY) return
    this.#timer?.cancel()
    this.#timer = this.#parts.clock.after(Math.ceil(wait), () => this.#pump())
  }

  async #send({ due, over }: Waiting, provider: Provider, now: number): Promise<void> {
    const { perSecond } = provider.channel
    if (perSecond !== null) provider.paceUntil = Math.max(now - BURST_MS, provider.paceUntil) + 1000 / perSecond
    provider.active += 1
    this.#active += 1
    const trial = await this.#parts.send(due, provider.channel)
    provider.active -= 1
    this.#active -= 1
    this.#judge(provider, trial)
    over()
    this.#pump()
  }

  #judge(provider: Provider, { kind, restMs }: Trial): void {
    if (kind === 'well') provider.failures = 0
    if (kind !== 'troubled') return
    provider.failures += 1
    const { clock, random } = this.#parts
    const doubled = FIRST_REST_MS * 2 ** Math.min(10, provider.failures - FAILURES_BEFORE_REST)
    const own = provider.failures < FAILURES_BEFORE_REST ? 0 : Math.min(LONGEST_REST_MS, doubled) * (0.5 + random.next() / 2)
    provider.restUntil = clock.monotonic() + Math.max(own, Math.min(restMs ?? 0, LIMITS.courier.longestRetryAfterMs))
  }
}

/** How long until this provider may be asked, ms; infinite while only the end of a send can change that. */
function waitOf({ channel, active, failures, restUntil, paceUntil }: Provider, now: number): number {
  if (channel.problem !== null) return LIMITS.courier.sweepMs
  // After failures one message at a time finds out whether it works again.
  if (failures >= FAILURES_BEFORE_REST && active > 0) return Number.POSITIVE_INFINITY
  return Math.max(0, restUntil - now, paceUntil - now)
}
