// Which rules chatter on which subjects at this moment. Memory: the cycles of the last minutes, and the episodes that go on.

import type { Alarm } from '../model/alarm.ts'
import { LIMITS } from '../platform/limits.ts'
import { chatters, quietAt, withCycle } from './chatter.ts'
import { isStanding } from './fold.ts'
import type { Standing } from './whereabouts.ts'

/** What an alarm is about, and where that stands. */
export interface Subject extends Standing {
  readonly rule: string
  readonly device: string | null
  readonly area: string | null
}

export interface Episode {
  readonly subject: Subject
  /** By our clock, as `raisedAt`: when it went on, and its latest raise. */
  readonly since: number
  readonly raisedAt: number
  /** Alarms that carry the mark and that somebody still has before him. */
  readonly alarms: ReadonlySet<string>
}

interface Cycles {
  /** On the subject's line. */
  readonly raises: readonly number[]
  /** Our clock at the last clear. */
  readonly clock: number
}

export interface ChatterSnapshot {
  readonly recent: readonly (readonly [point: string, cycles: Cycles])[]
  readonly raised: readonly (readonly [point: string, clock: number])[]
  readonly episodes: readonly (readonly [point: string, episode: Episode])[]
}

export class ChatterWatch {
  /** In the order of their last clears. */
  readonly #recent = new Map<string, Cycles>()
  /** Our clock at the latest raise of the alarms that stand. */
  readonly #raised = new Map<string, number>()
  readonly #episodes = new Map<string, Episode>()

  static restore({ recent, raised, episodes }: ChatterSnapshot): ChatterWatch {
    const watch = new ChatterWatch()
    for (const [point, cycles] of recent) watch.#recent.set(point, cycles)
    for (const [point, clock] of raised) watch.#raised.set(point, clock)
    for (const [point, episode] of episodes) watch.#episodes.set(point, episode)
    return watch
  }

  snapshot(): ChatterSnapshot {
    return { recent: [...this.#recent], raised: [...this.#raised], episodes: [...this.#episodes] }
  }

  /** Points that chatter. */
  on(): Iterable<string> {
    return this.#episodes.keys()
  }

  get size(): number {
    return this.#episodes.size
  }

  episodes(): Iterable<Episode> {
    return this.#episodes.values()
  }

  /** The alarm was raised; true: its point chatters, and it carries the mark from its beginning. */
  raised(point: string, id: string, clock: number): boolean {
    this.#raised.set(point, clock)
    const episode = this.#episodes.get(point)
    if (episode === undefined) return false
    const alarms = new Set(episode.alarms).add(id)
    for (const oldest of alarms) if (alarms.size > LIMITS.marks.alarmsPerMark) alarms.delete(oldest)
    this.#episodes.set(point, { ...episode, raisedAt: clock, alarms })
    return true
  }

  /** The alarm has cleared; true: from now on its point chatters. */
  cleared(point: string, subject: Subject, alarm: Alarm, clearedAt: number, clock: number): boolean {
    const raisedAt = this.#raised.get(point) ?? clock
    this.#raised.delete(point)
    if (this.#episodes.has(point)) return false
    const raises = withCycle(this.#recent.get(point)?.raises ?? [], alarm.raisedAt)
    this.#recent.delete(point)
    this.#forget(clock)
    if (!chatters(raises, clearedAt)) {
      this.#recent.set(point, { raises, clock })
      return false
    }
    this.#episodes.set(point, { subject, since: clock, raisedAt, alarms: new Set([alarm.id]) })
    return true
  }

  /** Nobody has this alarm before him any more, though its point may chatter on. */
  left(point: string, alarm: Alarm): void {
    const episode = this.#episodes.get(point)
    if (episode === undefined || isStanding(alarm) || !episode.alarms.has(alarm.id)) return
    this.#episodes.set(point, { ...episode, alarms: new Set([...episode.alarms].filter((id) => id !== alarm.id)) })
  }

  /** When the point has been quiet for long enough, as far as known; Infinity: it does not chatter. */
  endsAt(point: string): number {
    const episode = this.#episodes.get(point)
    return episode === undefined ? Number.POSITIVE_INFINITY : quietAt(episode.raisedAt)
  }

  end(point: string): Episode | undefined {
    const episode = this.#episodes.get(point)
    this.#episodes.delete(point)
    return episode
  }

  /** Cycles so old that the next one cannot lie within a minute of them. */
  #forget(clock: number): void {
    for (const [point, { clock: last }] of this.#recent) {
      if (quietAt(last) >= clock && this.#recent.size < LIMITS.marks.recentPoints) return
      this.#recent.delete(point)
    }
  }
}
