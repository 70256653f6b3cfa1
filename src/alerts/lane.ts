// One kind of channel: what waits for it, most severe first, and how fast and by which provider it goes out.
// Invariants: a message leaves the lane only when a provider may be asked now, so a red one that comes late still goes first;
// where every address has a server of its own, one that fails or is silent holds up nobody else's messages.

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
/** A server that failed and was not asked for this long is no longer spoken of. */
const FORGET_MS = 10 * 60_000
/** Sends may be this much too early, so that a fast pace does not hang on the fineness of timers. */
const BURST_MS = 50

/** How it goes with one server: the provider's only one, or the one behind an address. */
interface Server {
  active: number
  failures: number
  /** Not asked before this, by the monotonic clock. */
  restUntil: number
}

interface Provider {
  readonly channel: Channel
  /** By the channel's destination of an address; '' where the provider itself answers for all of them. */
  readonly servers: Map<string, Server>
  /** The next send is not before this, by the monotonic clock. */
  paceUntil: number
}

interface Next {
  readonly waiting: Waiting
  readonly provider: Provider
  readonly server: Server
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
    this.#providers = parts.channels.map((channel) => ({ channel, servers: new Map(), paceUntil: 0 }))
  }

  get active(): number {
    return this.#active
  }

  /** A sentence where nothing of this kind can be sent at the moment, or nothing to some server, else null. */
  get problem(): string | null {
    const now = this.#parts.clock.monotonic()
    const failing = this.#providers.map((provider) => failingOf(provider, now))
    if (!this.#providers.every(({ channel }, i) => channel.problem !== null || (failing[i] as string[]).length > 0)) return null
    const said = this.#providers.find(({ channel }) => channel.problem !== null)?.channel.problem
    const names = this.#providers.map(({ channel }, i) =>
      [channel.id, ...(failing[i] as string[]).filter((host) => host !== '')].join(' to ')
    )
    return said ?? `${names.join(' and ')}: sending fails again and again; it is tried on.`
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
      const now = this.#parts.clock.monotonic()
      const next = this.#next(now)
      if (next === null) return
      void this.#send(next, now)
    }
  }

  /** Takes out the most severe message, of those the earliest, whose server may be asked now; else a timer is set. */
  #next(now: number): Next | null {
    const held = new Set<string>()
    let wait = Number.POSITIVE_INFINITY
    for (const tier of this.#waiting.toReversed()) {
      for (const [i, waiting] of tier.entries()) {
        const keys = this.#providers.map(({ channel }) => destinationOf(channel, waiting.due))
        const key = keys.join(' ')
        if (held.has(key)) continue
        const waits = this.#providers.map((provider, at) => waitOf(provider, keys[at] as string, now))
        const free = waits.indexOf(0)
        if (free >= 0) {
          tier.splice(i, 1)
          const provider = this.#providers[free] as Provider
          return { waiting, provider, server: serverOf(provider, keys[free] as string) }
        }
        held.add(key)
        wait = Math.min(wait, ...waits)
        if (this.#parts.channels.every(({ destination }) => destination === undefined)) return this.#pumpAfter(wait)
      }
    }
    return this.#pumpAfter(wait)
  }

  /** The soonest that some server may be asked again. Where a provider has a problem of its own, it is looked at now and then. */
  #pumpAfter(wait: number): null {
    if (wait === Number.POSITIVE_INFINITY) return null
    this.#timer?.cancel()
    this.#timer = this.#parts.clock.after(Math.ceil(wait), () => this.#pump())
    return null
  }

  async #send({ waiting: { due, over }, provider, server }: Next, now: number): Promise<void> {
    const { perSecond } = provider.channel
    if (perSecond !== null) provider.paceUntil = Math.max(now - BURST_MS, provider.paceUntil) + 1000 / perSecond
    server.active += 1
    this.#active += 1
    const trial = await this.#parts.send(due, provider.channel)
    server.active -= 1
    this.#active -= 1
    this.#judge(server, trial)
    this.#forget(provider)
    over()
    this.#pump()
  }

  #judge(server: Server, { kind, restMs }: Trial): void {
    if (kind === 'well') server.failures = 0
    if (kind !== 'troubled') return
    server.failures += 1
    const { clock, random } = this.#parts
    const doubled = FIRST_REST_MS * 2 ** Math.min(10, server.failures - FAILURES_BEFORE_REST)
    const own = server.failures < FAILURES_BEFORE_REST ? 0 : Math.min(LONGEST_REST_MS, doubled) * (0.5 + random.next() / 2)
    server.restUntil = clock.monotonic() + Math.max(own, Math.min(restMs ?? 0, LIMITS.courier.longestRetryAfterMs))
  }

  #forget({ servers }: Provider): void {
    const now = this.#parts.clock.monotonic()
    for (const [key, { active, failures, restUntil }] of servers) {
      if (key !== '' && active === 0 && restUntil + (failures === 0 ? 0 : FORGET_MS) < now) servers.delete(key)
    }
  }
}

function destinationOf(channel: Channel, { address }: DueNotification): string {
  return channel.destination === undefined || address === null ? '' : channel.destination(address)
}

function serverOf({ servers }: Provider, key: string): Server {
  const known = servers.get(key) ?? { active: 0, failures: 0, restUntil: 0 }
  servers.set(key, known)
  return known
}

/** The servers that fail again and again. */
function failingOf({ servers }: Provider, now: number): string[] {
  const failing = [...servers].filter(
    ([key, { failures, restUntil }]) => failures >= FAILURES_BEFORE_REST && (key === '' || restUntil + FORGET_MS > now)
  )
  return failing.map(([key]) => key)
}

/** How long until this server of the provider may be asked, ms; infinite while only the end of a send can change that. */
function waitOf({ channel, servers, paceUntil }: Provider, key: string, now: number): number {
  if (channel.problem !== null) return LIMITS.courier.sweepMs
  const { active, failures, restUntil } = servers.get(key) ?? { active: 0, failures: 0, restUntil: 0 }
  // After failures one message at a time finds out whether it works again.
  if (failures >= FAILURES_BEFORE_REST && active > 0) return Number.POSITIVE_INFINITY
  if (key !== '' && active >= LIMITS.courier.concurrencyPerHost) return Number.POSITIVE_INFINITY
  return Math.max(0, restUntil - now, paceUntil - now)
}
