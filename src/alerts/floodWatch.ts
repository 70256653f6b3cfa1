// Whether an enterprise is in an alarm flood at this moment (ISA-18.2): it begins with the announcement that makes more than
// ten in ten minutes and ends when fewer than five are left. Memory: instants of ten minutes, and no more than matter.

import { FLOOD_ABOVE, FLOOD_BELOW, FLOOD_WINDOW_MS } from './floods.ts'

interface Sight {
  readonly instants: number[]
  flooding: boolean
}

export type FloodSnapshot = readonly (readonly [enterprise: string, instants: readonly number[], flooding: boolean])[]

export class FloodWatch {
  readonly #sights = new Map<string, Sight>()

  /** An alarm was announced; instants never go back. */
  note(enterprise: string, at: number): void {
    let sight = this.#sights.get(enterprise)
    if (sight === undefined) this.#sights.set(enterprise, (sight = { instants: [], flooding: false }))
    forget(sight, at)
    sight.instants.push(at)
    // A flood needs to know only when fewer than five are left: the newest few tell that.
    if (sight.instants.length > FLOOD_ABOVE + 1) sight.instants.shift()
    if (sight.instants.length > FLOOD_ABOVE) sight.flooding = true
  }

  flooding(enterprise: string, at: number): boolean {
    const sight = this.#sights.get(enterprise)
    if (sight === undefined) return false
    forget(sight, at)
    if (sight.instants.length === 0) this.#sights.delete(enterprise)
    return sight.flooding
  }

  snapshot(): FloodSnapshot {
    return [...this.#sights].map(([enterprise, { instants, flooding }]) => [enterprise, [...instants], flooding])
  }

  static restore(snapshot: FloodSnapshot): FloodWatch {
    const watch = new FloodWatch()
    for (const [enterprise, instants, flooding] of snapshot) watch.#sights.set(enterprise, { instants: [...instants], flooding })
    return watch
  }
}

function forget(sight: Sight, at: number): void {
  const { instants } = sight
  while (instants.length > 0 && (instants[0] as number) + FLOOD_WINDOW_MS <= at) {
    instants.shift()
    if (instants.length < FLOOD_BELOW) sight.flooding = false
  }
}
