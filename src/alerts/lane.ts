// One kind of channel: what waits for it, most severe first, and how fast and by which provider it goes out.
// Invariants: a message leaves the lane only when a provider may be asked now, so a red one that comes late still goes first;
// a server that fails or is silent, be it a provider's or one of many hosts, holds up nobody else's messages.

import type { ChannelKind } from '../model/notification.ts'
import { TIERS } from '../model/tier.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Random } from '../platform/random.ts'
import type { Channel } from './channels/channel.ts'
import type { DueNotification } from './outbox.ts'
import type { Tempo } from './tempo.ts'

/** How a send went, as far as its provider is concerned. - idle: it was not asked at all. - refused: for a reason of its own. */
export type Trial =
  | { readonly kind: 'well' }
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'refused' | 'failed'
      readonly problem: string
      /** The provider asked to be left alone for this long, ms. */
      readonly restMs: number | null
      /** Another one is to be asked at once. */
      readonly passedOn: boolean
    }

/** One asking after another, until a provider takes the message or none is left. */
export interface Round {
  /** Whether a provider can be asked at once that has not been yet. */
  readonly others: () => boolean
  /** One that was asked failed: it may take the message later. */
  readonly hopeful: boolean
}

/** From so many failures in a row on, the provider is what is wrong, and not the message. */
const FAILURES_BEFORE_REST = 3
const FIRST_REST_MS = 1_000
const LONGEST_REST_MS = 30_000
/** A server that failed and was not asked for this long is no longer spoken of. */
const FORGET_MS = 10 * 60_000
/** A send without an answer for this long gives its place in the lane to others. */
const SLOW_MS = 2_000
/** How often a provider that is just starting is looked at. */
const STARTING_LOOK_MS = 20
/** Leave that was not used for this long is void. */
const LEAVE_MS = 1_000
/** Leave is asked for so much at a time: a tenth of a second's worth. */
const LEAVES_PER_SECOND = 10

/** How it goes with one server: the provider's only one, or the one behind an address. */
interface Server {
  active: number
  failures: number
  /** Not asked before this, by the monotonic clock. */
  restUntil: number
}

interface Provider {
  readonly channel: Channel
  /** By host; '' where the provider itself answers for all of them. */
  readonly servers: Map<string, Server>
  /** Sends that have leave to go, until when it holds, and whether more has been asked for. Only where there is a pace. */
  leave: number
  leaveUntil: number
  asking: boolean
  /** There is no leave before this, by the monotonic clock. */
  paceUntil: number
  /** Messages in a row that it refused for a reason of its own. */
  refusals: number
  /** What it last failed or refused with. */
  problem: string
}

interface Next {
  readonly waiting: Waiting
  readonly provider: Provider
  readonly server: Server
}

interface Waiting {
  readonly due: DueNotification
  /** In the order of coming. */
  readonly place: number
  /** Providers that have refused or failed it in this round. */
  readonly asked: readonly Provider[]
  readonly hopeful: boolean
  readonly over: () => void
}

export interface LaneParts {
  readonly kind: ChannelKind
  readonly channels: readonly Channel[]
  readonly clock: Clock
  readonly random: Random
  readonly tempo: Tempo
  /** Sends by this channel; never throws. */
  readonly send: (due: DueNotification, channel: Channel, round: Round) => Promise<Trial>
}

export class Lane {
  readonly kind: ChannelKind
  readonly #parts: LaneParts
  readonly #providers: Provider[]
  /** By tier rank and host; each in the order of coming. */
  readonly #waiting = Array.from({ length: TIERS.length + 1 }, () => new Map<string, Waiting[]>())
  #timer: Timer | null = null
  #places = 0
  /** Sends that hold a place, and those without an answer for so long that they hold none. */
  #active = 0
  #slow = 0
  #stopped = false

  constructor(parts: LaneParts) {
    this.kind = parts.kind
    this.#parts = parts
    this.#providers = parts.channels.map((channel) => ({
      channel,
      servers: new Map(),
      leave: 0,
      leaveUntil: 0,
      asking: false,
      paceUntil: 0,
      refusals: 0,
      problem: ''
    }))
  }

  /** Sends under way. */
  get active(): number {
    return this.#active + this.#slow
  }

  /** A sentence where nothing of this kind can be sent at the moment, or nothing to some server, else null. */
  get problem(): string | null {
    const now = this.#parts.clock.monotonic()
    if (!this.#providers.every((provider) => isInTrouble(provider, now))) return null
    const said = this.#providers.find(({ channel }) => channel.problem !== null)?.channel.problem
    if (said != null) return said
    const failing = this.#providers.filter((provider) => failingOf(provider, now).length > 0)
    const names = failing.map((provider) => [provider.channel.id, ...failingOf(provider, now).filter((host) => host !== '')].join(' to '))
    if (failing.length > 0) return `${names.join(' and ')}: sending fails again and again; it is tried on.`
    const refusing = this.#providers.map(({ channel: { id }, problem }) => `${id} refuses what it is given (${bare(problem)})`)
    return `${refusing.join(', and ')}: see to its account and its settings.`
  }

  /** Providers that refuse or fail one message after another, so that the next one stands in. */
  get stoodInFor(): { readonly id: string; readonly problem: string }[] {
    const now = this.#parts.clock.monotonic()
    if (this.problem !== null) return []
    return this.#providers.flatMap((provider) => {
      const { id } = provider.channel
      const said = bare(provider.problem)
      const refused = `${id} refuses what it is given (${said}); the next provider is asked instead. See to its account and its settings.`
      if (isRefusing(provider)) return [{ id, problem: refused }]
      if (!failingOf(provider, now).includes('')) return []
      return [{ id, problem: `${id} fails again and again (${said}); the next provider is asked instead, and it is tried on.` }]
    })
  }

  /** Resolves when the notification was sent, or need not be. */
  enter(due: DueNotification): Promise<void> {
    const tier = this.#waiting[due.tier]
    if (this.#stopped || tier === undefined) return Promise.resolve()
    return new Promise((over) => {
      this.#queueFor(due).push({ due, over, place: this.#places++, asked: [], hopeful: false })
      this.#pump()
    })
  }

  /** Lets go of what waits; what is being sent goes on. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    for (const tier of this.#waiting) {
      const all = [...tier.values()].flat()
      tier.clear()
      for (const { over } of all) over()
    }
  }

  #pump(): void {
    while (!this.#stopped && this.#active < LIMITS.courier.concurrency) {
      const next = this.#next(this.#parts.clock.monotonic())
      if (next === null) return
      void this.#send(next)
    }
  }

  /** Takes out the most severe message, of those the earliest, whose server may be asked now; else a timer is set. */
  #next(now: number): Next | null {
    const waits = { ms: Number.POSITIVE_INFINITY }
    for (const [tier, queues] of [...this.#waiting.entries()].toReversed()) {
      let best: { readonly host: string; readonly queue: Waiting[]; readonly provider: Provider } | null = null
      for (const [host, queue] of queues) {
        const provider = this.#providerFor(queue[0] as Waiting, tier, now, waits)
        if (provider !== null && (best === null || placeOf(queue) < placeOf(best.queue))) best = { host, queue, provider }
      }
      if (best === null) continue
      const { host, queue, provider } = best
      const waiting = queue.shift() as Waiting
      if (queue.length === 0) queues.delete(host)
      if (provider.channel.perSecond !== null) provider.leave -= 1
      return { waiting, provider, server: serverOf(provider, host) }
    }
    if (waits.ms === Number.POSITIVE_INFINITY) return null
    this.#timer?.cancel()
    this.#timer = this.#parts.clock.after(Math.ceil(waits.ms), () => this.#pump())
    return null
  }

  /** The first provider that may be asked now; null: `waits` is when that may change, infinite where only the end of a send can. */
  #providerFor({ due: { host }, asked }: Waiting, tier: number, now: number, waits: { ms: number }): Provider | null {
    // Those that were left may have stopped working while it waited: then the round begins again.
    const over = asked.length > 0 && !this.#isThereBut(asked, host)
    for (const provider of this.#providers) {
      if (!over && asked.includes(provider)) continue
      if (provider.channel.starting === true) {
        waits.ms = Math.min(waits.ms, STARTING_LOOK_MS)
        return null
      }
      let wait = waitOf(provider, host, now)
      if (wait === 0) wait = this.#leaveOf(provider, tier, now)
      if (wait === 0) return provider
      waits.ms = Math.min(waits.ms, wait)
    }
    return null
  }

  /** Whether there is leave to send by this provider; else it is asked for, for the most severe message that could go. */
  #leaveOf(provider: Provider, tier: number, now: number): number {
    const { perSecond, id } = provider.channel
    if (perSecond === null || (provider.leave > 0 && now < provider.leaveUntil)) return 0
    if (provider.asking) return Number.POSITIVE_INFINITY
    if (provider.paceUntil > now) return provider.paceUntil - now
    provider.asking = true
    const most = Math.min(LIMITS.courier.concurrency, Math.max(1, Math.floor(perSecond / LEAVES_PER_SECOND)))
    void this.#parts.tempo.ask({ provider: id, perSecond, tier, most }).then(({ granted, waitMs }) => {
      const then = this.#parts.clock.monotonic()
      provider.asking = false
      provider.leave = granted
      provider.leaveUntil = then + LEAVE_MS
      provider.paceUntil = granted > 0 ? 0 : then + Math.max(1, waitMs)
      this.#pump()
    })
    return Number.POSITIVE_INFINITY
  }

  async #send({ waiting, provider, server }: Next): Promise<void> {
    const { due, over, hopeful } = waiting
    server.active += 1
    this.#active += 1
    let slow = false
    const patience = this.#parts.clock.after(SLOW_MS, () => {
      if (this.#slow >= LIMITS.courier.slowSends) return
      slow = true
      this.#active -= 1
      this.#slow += 1
      this.#pump()
    })
    const asked = [...waiting.asked, provider]
    const others = (): boolean => !this.#stopped && this.#isThereBut(asked, due.host)
    const trial = await this.#parts.send(due, provider.channel, { others, hopeful })
    patience.cancel()
    server.active -= 1
    if (slow) this.#slow -= 1
    else this.#active -= 1
    // Nobody was asked: somebody else has sent it, or it need not be sent.
    if (trial.kind === 'idle' && provider.channel.perSecond !== null) provider.leave += 1
    this.#judge(provider, server, trial)
    this.#forget(provider)
    if (!('passedOn' in trial && trial.passedOn) || this.#stopped) over()
    else this.#queueFor(due).unshift({ ...waiting, asked, hopeful: hopeful || trial.kind === 'failed' })
    this.#pump()
  }

  /** Whether a provider beside these works, as far as is known. */
  #isThereBut(asked: readonly Provider[], host: string): boolean {
    const now = this.#parts.clock.monotonic()
    return this.#providers.some((provider) => {
      const { failures = 0, restUntil = 0 } = provider.servers.get(host) ?? {}
      const { problem, starting = false } = provider.channel
      return !asked.includes(provider) && (problem === null || starting) && (failures < FAILURES_BEFORE_REST || restUntil <= now)
    })
  }

  #queueFor({ tier, host }: DueNotification): Waiting[] {
    const queues = this.#waiting[tier] as Map<string, Waiting[]>
    const queue = queues.get(host) ?? []
    queues.set(host, queue)
    return queue
  }

  #judge(provider: Provider, server: Server, trial: Trial): void {
    if (trial.kind === 'idle') return
    if (trial.kind !== 'failed') server.failures = 0
    if (trial.kind === 'well') provider.refusals = 0
    if (trial.kind === 'refused') provider.refusals += 1
    if (trial.kind === 'well') return
    provider.problem = trial.problem
    if (trial.kind === 'refused') return
    server.failures += 1
    const { clock, random } = this.#parts
    const doubled = FIRST_REST_MS * 2 ** Math.min(10, server.failures - FAILURES_BEFORE_REST)
    const own = server.failures < FAILURES_BEFORE_REST ? 0 : Math.min(LONGEST_REST_MS, doubled) * (0.5 + random.next() / 2)
    server.restUntil = clock.monotonic() + Math.max(own, Math.min(trial.restMs ?? 0, LIMITS.courier.longestRetryAfterMs))
  }

  #forget({ servers }: Provider): void {
    const now = this.#parts.clock.monotonic()
    for (const [key, { active, failures, restUntil }] of servers) {
      if (key !== '' && active === 0 && restUntil + (failures === 0 ? 0 : FORGET_MS) < now) servers.delete(key)
    }
  }
}

function placeOf([first]: readonly Waiting[]): number {
  return first?.place ?? Number.POSITIVE_INFINITY
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

function isRefusing({ refusals }: Provider): boolean {
  return refusals >= FAILURES_BEFORE_REST
}

function isInTrouble(provider: Provider, now: number): boolean {
  return provider.channel.problem !== null || isRefusing(provider) || failingOf(provider, now).length > 0
}

/** To stand within a sentence. */
function bare(sentence: string): string {
  return sentence.replace(/\.$/, '')
}

/** How long until this server of the provider may be asked, ms; infinite while only the end of a send can change that. */
function waitOf({ channel, servers }: Provider, host: string, now: number): number {
  // Where a provider has a problem of its own, it is looked at now and then.
  if (channel.problem !== null) return LIMITS.courier.sweepMs
  const { active, failures, restUntil } = servers.get(host) ?? { active: 0, failures: 0, restUntil: 0 }
  // After failures one message at a time finds out whether it works again.
  if (failures >= FAILURES_BEFORE_REST && active > 0) return Number.POSITIVE_INFINITY
  if (active >= (host === '' ? LIMITS.courier.concurrency : LIMITS.courier.concurrencyPerHost)) return Number.POSITIVE_INFINITY
  return Math.max(0, restUntil - now)
}
