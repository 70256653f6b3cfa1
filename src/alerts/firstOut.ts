// The first-out alarm of each area (of the site, where there is no area): the first one announced since no alarm was on there
// that people are told of. It is the likely cause of those that follow. Memory: the alarms that stand.

import { type Alarm, withheldBy } from '../model/alarm.ts'
import type { Standing } from './whereabouts.ts'

interface Group {
  /** Alarms that are on and not withheld. */
  readonly members: Set<string>
  /** Null: none yet, or it is over. */
  first: string | null
  since: number
  /** The group has had its first: there is another only when all is quiet in between. */
  had: boolean
}

export type FirstOutSnapshot = readonly (readonly [
  key: string,
  members: readonly string[],
  first: string | null,
  since: number,
  had: boolean
])[]

/** Null: it stands nowhere, so nothing can be the first there. */
export function groupOf({ inArea, site }: Standing): string | null {
  return inArea !== null ? `area:${inArea}` : site === null ? null : `site:${site}`
}

export class FirstOut {
  readonly #groups = new Map<string, Group>()

  static restore(snapshot: FirstOutSnapshot): FirstOut {
    const known = new FirstOut()
    for (const [key, members, first, since, had] of snapshot) known.#groups.set(key, { members: new Set(members), first, since, had })
    return known
  }

  snapshot(): FirstOutSnapshot {
    return [...this.#groups].map(([key, { members, first, since, had }]) => [key, [...members], first, since, had])
  }

  /** An alarm that stood before anything was known of it: what follows is not the first. */
  adopt(key: string, alarm: Alarm, clock: number): void {
    if (!counts(alarm)) return
    const group = this.#groupOf(key)
    group.members.add(alarm.id)
    group.had = true
    if (alarm.firstOut) Object.assign(group, { first: alarm.id, since: clock })
  }

  /** The alarm as it is now; 'on': it is the first, a number: it was, since then, and is no longer. */
  seen(key: string, alarm: Alarm, announced: boolean, clock: number): 'on' | number | null {
    const { id } = alarm
    if (counts(alarm)) {
      const group = this.#groupOf(key)
      group.members.add(id)
      if (!announced || group.had) return null
      Object.assign(group, { first: id, since: clock, had: true })
      return 'on'
    }
    const group = this.#groups.get(key)
    if (group === undefined || !group.members.delete(id)) return null
    if (group.members.size === 0) this.#groups.delete(key)
    if (group.first !== id) return null
    group.first = null
    return group.since
  }

  #groupOf(key: string): Group {
    let group = this.#groups.get(key)
    if (group === undefined) this.#groups.set(key, (group = { members: new Set(), first: null, since: 0, had: false }))
    return group
  }
}

function counts(alarm: Alarm): boolean {
  return alarm.clearedAt === null && withheldBy(alarm) === null
}
