// The newest alarm events as ready-made SSE frames, numbered without gaps; older ones come from the book. Whoever reads
// by number, from wherever it stands, gets every event once and in order, whichever of the two it comes from.

import type { Book, CommittedEvent } from '../alerts/book.ts'
import { alarmEventLine } from '../model/alarm.ts'
import { type Belonging, maySee, type Scope } from '../model/scope.ts'
import { LIMITS } from '../platform/limits.ts'

export interface EventFrame extends Belonging {
  readonly n: number
  readonly alarm: string
  /** As it goes over the wire. */
  readonly text: string
}

/** Events after some number. Everything up to and including `upTo` that is inside the scope is among them. */
export interface Stretch {
  readonly frames: readonly EventFrame[]
  readonly upTo: number
}

/** How many events are taken from the book at a time. */
const FROM_BOOK = 500
const FROM_MEMORY = 500

export class EventTape {
  readonly #book: Pick<Book, 'eventsAfter' | 'lastEvent'>
  #frames: EventFrame[] = []

  constructor(book: Pick<Book, 'eventsAfter' | 'lastEvent'>) {
    this.#book = book
  }

  /** The number of the last committed event. */
  get newest(): number {
    return Math.max(this.#book.lastEvent, this.#frames.at(-1)?.n ?? 0)
  }

  /** Adds events in the order of their numbers. Where some are missing in between, memory starts anew: the book has them. */
  add(committed: readonly CommittedEvent[]): void {
    for (const event of committed) {
      const last = this.#frames.at(-1)
      if (last !== undefined && event.n <= last.n) continue
      if (last !== undefined && event.n !== last.n + 1) this.#frames = []
      this.#frames.push(frameOf(event))
    }
    if (this.#frames.length > 2 * LIMITS.api.liveEvents) this.#frames = this.#frames.slice(-LIMITS.api.liveEvents)
  }

  /** Forgets what is in memory. */
  clear(): void {
    this.#frames = []
  }

  /** What follows event `n` for this scope; from memory at once, where it is there. */
  async after(n: number, scope: Scope): Promise<Stretch> {
    const first = this.#frames[0]
    const last = this.#frames.at(-1)
    if (first !== undefined && last !== undefined && n >= first.n - 1 && n < last.n) {
      const start = n - first.n + 1
      const frames = this.#frames.slice(start, start + FROM_MEMORY)
      return { frames: frames.filter((frame) => maySee(scope, frame)), upTo: (frames.at(-1) as EventFrame).n }
    }
    // Asked before the reading: an event committed in between is then read again, never skipped.
    const committed = this.#book.lastEvent
    if (n >= committed) return { frames: [], upTo: n }
    const events = await this.#book.eventsAfter(n, FROM_BOOK, scope)
    const frames = events.map(frameOf)
    const end = frames.at(-1)?.n ?? n
    return { frames, upTo: frames.length < FROM_BOOK ? Math.max(end, committed) : end }
  }
}

function frameOf({ n, event, enterprise, site }: CommittedEvent): EventFrame {
  return { n, alarm: event.id, enterprise, site, text: `id: ${n}\nevent: alarm\ndata: ${alarmEventLine(event)}\n\n` }
}

/** One SSE event without an id. */
export function frame(event: string, body: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(body)}\n\n`
}
