// Windows in which a device, an area or a site is out of service: declared by people, beginning and ending by our clock.
// Invariant: windows of one target do not overlap.

import type { ServiceTarget } from '../model/journal.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Standing } from './whereabouts.ts'

export interface ServiceWindow {
  readonly target: ServiceTarget
  /** Our clock, epoch ms; `until` is no part of it. */
  readonly from: number
  readonly until: number
  readonly by: string
  readonly note: string | null
}

/** Why a window cannot be: a `conflict` with another one, or wrong in itself. */
export interface WindowObstacle {
  readonly conflict: boolean
  readonly sentence: string
}

/** The subject of an alarm, and where it stands. */
export type Subject = Standing & { readonly device: string | null; readonly area: string | null }

export class ServiceWindows {
  readonly #of = new Map<string, ServiceWindow[]>()
  #count = 0

  constructor(windows: Iterable<ServiceWindow> = []) {
    for (const window of windows) this.add(window)
  }

  /** Running and planned ones, by target, then in time. */
  all(): ServiceWindow[] {
    return [...this.#of.keys()].sort().flatMap((key) => this.#of.get(key) as ServiceWindow[])
  }

  of(target: ServiceTarget): readonly ServiceWindow[] {
    return this.#of.get(keyOf(target)) ?? []
  }

  add(window: ServiceWindow): void {
    const key = keyOf(window.target)
    this.#of.set(
      key,
      [...(this.#of.get(key) ?? []), window].sort((one, other) => one.from - other.from)
    )
    this.#count += 1
  }

  remove(window: ServiceWindow): void {
    const key = keyOf(window.target)
    const left = this.of(window.target).filter((other) => other !== window)
    if (left.length === this.of(window.target).length) return
    this.#count -= 1
    if (left.length === 0) this.#of.delete(key)
    else this.#of.set(key, left)
  }

  /** The window that a subject is in at this instant; of several the one that lasts longest. */
  covering({ device, area, inArea, site }: Subject, at: number): ServiceWindow | null {
    if (this.#count === 0) return null
    let found: ServiceWindow | null = null
    const keys = [device === null ? null : `device ${device}`, `area ${area ?? inArea}`, `site ${site}`]
    for (const key of keys) {
      for (const window of key === null ? [] : (this.#of.get(key) ?? [])) {
        if (window.from <= at && at < window.until && window.until > (found?.until ?? 0)) found = window
      }
    }
    return found
  }

  /** Why this window cannot be taken in at `at`; null: it can. */
  obstacle({ target, from, until, note }: Omit<ServiceWindow, 'by'>, at: number): WindowObstacle | null {
    const invalid = (sentence: string): WindowObstacle => ({ conflict: false, sentence })
    if (until <= at || until <= from)
      return invalid(`The window ends at ${instant(until)}, before it begins or before now; give a later end.`)
    if (until - from > LIMITS.desk.windowMs) return invalid('The window is longer than a year: give an end that somebody will think of.')
    if ((note ?? '').trim() === '')
      return invalid('Taking something out of service needs a note: say why nobody need be told of its alarms.')
    if (this.#count >= LIMITS.desk.windows) return invalid(`There are ${LIMITS.desk.windows} windows already; end some of them first.`)
    const other = this.of(target).find((known) => known.from < until && from < known.until)
    if (other === undefined) return null
    const [name, begin, end] = [targetName(target), instant(other.from), instant(other.until)]
    const sentence = `${name} is out of service from ${begin} to ${end}, declared by ${other.by}; return it to service first to choose another window.`
    return { conflict: true, sentence }
  }
}

/** `device T-101`. */
export function targetName(target: ServiceTarget): string {
  return keyOf(target)
}

function keyOf({ device, area, site }: ServiceTarget): string {
  if (device !== null) return `device ${device}`
  return area !== null ? `area ${area}` : `site ${site}`
}

function instant(at: number): string {
  return new Date(at).toISOString()
}
