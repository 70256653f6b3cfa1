// Where a flood is on at this moment: in everything, in an enterprise, at a site. Memory: eleven instants for each of them.

import type { FloodNow, FloodScope, MarkChange } from '../model/mark.ts'
import { type FloodState, FloodWindow } from './floods.ts'
import type { Standing } from './whereabouts.ts'

export type FloodSnapshot = readonly (readonly [key: string, state: FloodState])[]

/** Whether messages are gathered because too much comes at once. */
export interface FloodSight {
  /** In the enterprise; null: in everything. */
  flooding(enterprise: string | null): boolean
}

/** Where nothing is known of floods, there is none. */
export const CALM: FloodSight = { flooding: () => false }

const ALL = ''

export class FloodWatch implements FloodSight {
  readonly #windows = new Map<string, FloodWindow>()

  static restore(snapshot: FloodSnapshot): FloodWatch {
    const watch = new FloodWatch()
    for (const [key, state] of snapshot) watch.#windows.set(key, new FloodWindow(state))
    return watch
  }

  snapshot(): FloodSnapshot {
    return [...this.#windows].map(([key, window]) => [key, window.state()])
  }

  /** An alarm was announced there; answers the keys of the floods that it begins. */
  note({ site, enterprise }: Pick<Standing, 'site' | 'enterprise'>, at: number, out: MarkChange[]): string[] {
    const keys = [ALL]
    if (enterprise !== null) keys.push(`enterprise:${enterprise}`)
    if (site !== null) keys.push(`site:${site}:${enterprise ?? ''}`)
    return keys.filter((key) => {
      let window = this.#windows.get(key)
      if (window === undefined) this.#windows.set(key, (window = new FloodWindow()))
      const begins = window.note(at)
      if (begins) out.push(changeOf(key, at, window, true))
      return begins
    })
  }

  /** When the flood of this key ends if nothing more is announced; Infinity: there is none. */
  endsAt(key: string): number {
    return this.#windows.get(key)?.endsAt ?? Number.POSITIVE_INFINITY
  }

  end(key: string, at: number, out: MarkChange[]): void {
    const window = this.#windows.get(key)
    if (window === undefined || window.since === null) return
    out.push(changeOf(key, at, window, false))
    window.end()
  }

  flooding(enterprise: string | null): boolean {
    return (this.#windows.get(enterprise === null ? ALL : `enterprise:${enterprise}`)?.since ?? null) !== null
  }

  /** Keys of the floods that are on. */
  on(): string[] {
    return [...this.#windows].flatMap(([key, { since }]) => (since === null ? [] : [key]))
  }

  /** The floods that are on, the widest first. */
  now(): FloodNow[] {
    const floods = [...this.#windows].flatMap(([key, { since, count }]) => (since === null ? [] : [{ ...placeOf(key), since, count }]))
    const width = ({ scope }: FloodNow): number => ['installation', 'enterprise', 'site'].indexOf(scope)
    return floods.sort((one, other) => width(one) - width(other) || one.since - other.since)
  }
}

function placeOf(key: string): { scope: FloodScope; site: string | null; enterprise: string | null } {
  const [scope, id, enterprise] = key.split(':')
  if (scope === 'enterprise') return { scope, site: null, enterprise: id ?? null }
  if (scope === 'site') return { scope, site: id ?? null, enterprise: enterprise === '' ? null : (enterprise ?? null) }
  return { scope: 'installation', site: null, enterprise: null }
}

function changeOf(key: string, at: number, { since, count }: FloodWindow, on: boolean): MarkChange {
  const none = { rule: null, device: null, area: null, inArea: null, alarms: [] }
  return { kind: 'flood', at, on, since: on ? null : since, ...placeOf(key), ...none, count }
}
