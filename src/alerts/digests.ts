// Messages held back to go out as one: per person, way and cause of waiting. An alarm is in each at most once, as it last was;
// one that ends before its message went out is dropped, for nobody knew of it.

import type { ChannelKind, WithholdReason } from '../model/notification.ts'
import type { Told } from './wording.ts'

/** One alarm in a message to be. */
export interface Held extends Told {
  readonly id: string
  /** The person knew of the alarm already. */
  readonly known: boolean
  readonly rung: number
  readonly occurrence: number
  readonly group: number
  readonly generation: number
}

export interface Queue {
  readonly key: string
  readonly person: string
  readonly channel: ChannelKind
  /** What its alarms were held back for. */
  readonly why: WithholdReason
  readonly site: string | null
  readonly enterprise: string | null
  readonly ladder: string
  /** The rule and subject, where it gathers the raises of one that chatters. */
  readonly chatter: string | null
  readonly items: Map<string, Held>
}

export class Digests {
  readonly #queues = new Map<string, Queue>()

  /** Puts the alarm into the queue; true where the queue is new and so needs its hour. */
  add(queue: Omit<Queue, 'items'>, held: Held): boolean {
    const known = this.#queues.get(queue.key)
    const { items } = known ?? { items: new Map<string, Held>() }
    if (known === undefined) this.#queues.set(queue.key, { ...queue, items })
    const before = items.get(held.id)
    if (before !== undefined && !before.known && held.reason === 'cleared') items.delete(held.id)
    // It is still news that it was raised, though it has turned since.
    else items.set(held.id, before === undefined || before.known ? held : { ...held, known: false, reason: before.reason })
    return known === undefined
  }

  /** Takes the queue out; undefined where there is none any more. */
  take(key: string): Queue | undefined {
    const queue = this.#queues.get(key)
    this.#queues.delete(key)
    return queue
  }

  snapshot(): Queue[] {
    return [...this.#queues.values()].map((queue) => ({ ...queue, items: new Map(queue.items) }))
  }

  static restore(queues: readonly Queue[]): Digests {
    const digests = new Digests()
    for (const queue of queues) digests.#queues.set(queue.key, { ...queue, items: new Map(queue.items) })
    return digests
  }
}
