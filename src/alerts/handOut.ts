// What is due goes from the outbox to the dispatcher: the most severe first, the oldest of each, and for each server only so many
// that one which is dead fills its own share and nobody else's.

import type { ChannelKind } from '../model/notification.ts'
import { levelRank, TIERS } from '../model/tier.ts'
import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { hasHosts } from './hosts.ts'
import type { DueNotification, Outbox } from './outbox.ts'
import type { Dispatcher } from './queues/dispatcher.ts'

interface HandedOut {
  readonly due: DueNotification
  /** Monotonic. */
  readonly since: number
  readonly place: string
}

export interface HandOutParts {
  readonly outbox: Outbox
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly kinds: readonly ChannelKind[]
  /** Whether this process sends; where it does not, it hands over to a queue and forgets. */
  readonly sends: () => boolean
  /** Sends without the queue. */
  readonly deliver: (due: DueNotification) => void
  /** Whether it is being sent here, or waits for that. */
  readonly isHere: (n: number) => boolean
}

export class HandOut {
  readonly #parts: HandOutParts
  /** What the dispatcher has been handed and has not brought to an end, by number. */
  readonly #out = new Map<number, HandedOut>()
  /** How many of them, by kind, tier and host, and by kind and tier. */
  readonly #outAt = new Map<string, number>()
  /** By kind and tier: the host looked at last, where there are more than one sweep looks at. */
  readonly #lastHost = new Map<string, string>()
  /** Since when the dispatcher takes nothing, by the monotonic clock; null: it does. */
  #refusingSince: number | null = null

  constructor(parts: HandOutParts) {
    this.#parts = parts
  }

  /** Hands out what is due and not out yet. */
  async sweep(): Promise<void> {
    this.#takeBack()
    const here = this.#countHere()
    for (const tier of TIERS.toReversed().map(levelRank)) {
      for (const kind of this.#parts.kinds) {
        const seen = hasHosts(kind) ? await this.#hostsOf(kind, tier) : ['']
        // Half of them here: no need to ask yet.
        const hosts = seen.filter((host) => (here.get(placeOf(kind, tier, host)) ?? 0) <= mostAt(kind) / 2)
        if (hosts.length === 0) continue
        // What is out are the oldest, so a page holds as many new ones as there is room for.
        const due = await this.#parts.outbox.due(kind, tier, hosts, this.#parts.clock.now(), mostAt(kind))
        this.#letGo(kind, tier, hosts, due)
        await this.#offer(due.filter(({ n }) => !this.#out.has(n)))
      }
    }
  }

  /** The notification is sent, or need not be. True where there is room for more like it now. */
  over(n: number): boolean {
    const out = this.#out.get(n)
    if (out === undefined) return false
    this.#out.delete(n)
    this.#add(out, -1)
    return this.#out.size === 0 || this.#outAt.get(out.place) === mostAt(out.due.kind) / 2
  }

  async #hostsOf(kind: ChannelKind, tier: number): Promise<string[]> {
    const group = `${kind} ${tier}`
    const most = LIMITS.courier.hostsPerSweep
    const after = this.#lastHost.get(group) ?? null
    const seen = await this.#parts.outbox.hostsQueued(kind, tier, after, most)
    if (seen.length === most) this.#lastHost.set(group, seen.at(-1) as string)
    else this.#lastHost.delete(group)
    // Those before the last place had their turn in the sweep before; where few are left behind it, they follow at once.
    if (after !== null && seen.length < most) seen.push(...(await this.#parts.outbox.hostsQueued(kind, tier, null, most - seen.length)))
    const room = LIMITS.courier.handedOutToHosts - (this.#outAt.get(group) ?? 0)
    return room <= 0 ? [] : [...new Set(seen)]
  }

  /** How many of those out are here, by place. */
  #countHere(): Map<string, number> {
    const here = new Map<string, number>()
    for (const [n, { place }] of this.#out) if (this.#parts.isHere(n)) here.set(place, (here.get(place) ?? 0) + 1)
    return here
  }

  /** What was out and is neither here nor due any more, another process has taken: it makes room. */
  #letGo(kind: ChannelKind, tier: number, hosts: readonly string[], due: readonly DueNotification[]): void {
    const places = new Set(hosts.map((host) => placeOf(kind, tier, host)))
    const still = new Set(due.map(({ n }) => n))
    for (const [n, { place }] of [...this.#out]) if (places.has(place) && !still.has(n) && !this.#parts.isHere(n)) this.over(n)
  }

  async #offer(fresh: readonly DueNotification[]): Promise<void> {
    if (fresh.length === 0) return
    const { dispatcher, sends, deliver, clock } = this.#parts
    for (const due of fresh) {
      const out = { due, since: clock.monotonic(), place: placeOf(due.kind, due.tier, due.host) }
      this.#out.set(due.n, out)
      this.#add(out, 1)
    }
    // Nobody fetches what is put into the queue from here on, where the sender is this process itself.
    if (sends() && !dispatcher.fetches) for (const due of fresh) deliver(due)
    else if (await dispatcher.offer(fresh)) this.#refusingSince = null
    else this.#refused(fresh)
  }

  /** A queue that takes nothing for a while is done without. */
  #refused(fresh: readonly DueNotification[]): void {
    const now = this.#parts.clock.monotonic()
    this.#refusingSince ??= now
    const away = now - this.#refusingSince >= LIMITS.courier.queuePatienceMs
    for (const due of fresh) {
      if (away && this.#parts.sends()) this.#parts.deliver(due)
      else this.over(due.n)
    }
  }

  /** What the queue was handed and has not brought back has been lost with it, is stuck in it, or another process has it: sent without it. */
  #takeBack(): void {
    const before = this.#parts.clock.monotonic() - LIMITS.courier.queuePatienceMs
    const sends = this.#parts.sends()
    for (const { due, since } of [...this.#out.values()]) {
      if (since > before) continue
      if (sends) this.#parts.deliver(due)
      else this.over(due.n)
    }
  }

  #add({ due, place }: HandedOut, change: number): void {
    for (const key of [place, `${due.kind} ${due.tier}`]) {
      const count = (this.#outAt.get(key) ?? 0) + change
      if (count === 0) this.#outAt.delete(key)
      else this.#outAt.set(key, count)
    }
  }
}

const ALL = LIMITS.courier.handedOut

function placeOf(kind: ChannelKind, tier: number, host: string): string {
  return `${kind} ${tier} ${host}`
}

function mostAt(kind: ChannelKind): number {
  return hasHosts(kind) ? LIMITS.courier.handedOutPerHost : ALL
}
