// What was last used of an external broker, kept beside the state: by which client ids the installation's sessions go, so that none
// is left behind with messages in it when the number of connections changes, and a session that the broker has lost is noticed,
// whichever instance comes to serve.

import type { Clock } from '../platform/clock.ts'
import { pause } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import { messageOf } from '../platform/problem.ts'

export interface Layout {
  /** host:port. */
  readonly broker: string
  readonly clientId: string
  readonly connections: number
}

/** Where it is kept: one text. Both may throw what passes. */
export interface UpstreamShelf {
  read(): Promise<string | null>
  /** Durable once it resolves. */
  write(text: string): Promise<void>
}

interface Remembered {
  readonly layout: Layout
  /** Client ids of older layouts whose sessions may still hold messages. */
  readonly former: readonly string[]
  /** Client ids whose session the broker has. */
  readonly sessions: readonly string[]
}

const RETRY_MS = 1_000

export class UpstreamMemory {
  readonly #shelf: UpstreamShelf
  readonly #clock: Clock
  readonly #log: Log
  #known: Remembered | null = null
  #isDirty = false
  #writing: Promise<void> | null = null
  #isEnding = false

  constructor(shelf: UpstreamShelf, clock: Clock, log: Log) {
    this.#shelf = shelf
    this.#clock = clock
    this.#log = log
  }

  /** Reads what is known, however long the store is away; false where it was ended before. */
  async load(): Promise<boolean> {
    let text: string | null = null
    if (!(await this.#insist('read', async () => void (text = await this.#shelf.read())))) return false
    if (text === null) return true
    try {
      const { layout, former, sessions } = JSON.parse(text) as Partial<Remembered>
      if (isLayout(layout)) this.#known = { layout, former: textsOf(former), sessions: textsOf(sessions) }
    } catch {
      this.#log.warn('what is known of sessions at the MQTT broker cannot be read; former sessions are not looked for')
    }
    return true
  }

  /** Client ids whose sessions are to be emptied before `wanted` is used. Those at another broker cannot be, which is told. */
  former(wanted: Layout): string[] {
    if (this.#known === null) return []
    const { layout, former } = this.#known
    if (layout.broker !== wanted.broker) {
      this.#log.warn(
        `the MQTT broker was ${layout.broker} and is ${wanted.broker} now: what may still wait for us there (${clientIdsOf(layout).join(', ')}) is not fetched. To have it, let all gateways publish to the new one, then start once with the former address.`
      )
      return []
    }
    if (layout.clientId === wanted.clientId && layout.connections === wanted.connections) return [...former]
    return [...new Set([...former, ...clientIdsOf(layout)])]
  }

  /** From now on sessions of `layout` are made; those of `former` may still hold something. Resolves once that is kept. */
  moving(layout: Layout, former: readonly string[]): Promise<void> {
    const known = this.#known
    const isSame = known !== null && known.layout.broker === layout.broker
    const ids = new Set(clientIdsOf(layout))
    return this.#keep({ layout, former, sessions: isSame ? known.sessions.filter((id) => ids.has(id)) : [] })
  }

  hasSession(clientId: string): boolean {
    return this.#known?.sessions.includes(clientId) ?? false
  }

  addSession(clientId: string): void {
    const known = this.#known
    if (known === null || known.sessions.includes(clientId)) return
    void this.#keep({ ...known, sessions: [...known.sessions, clientId].sort() })
  }

  /** Insists no longer; resolves once nothing is being written. */
  async end(): Promise<void> {
    this.#isEnding = true
    await this.#writing
  }

  #keep(known: Remembered): Promise<void> {
    this.#known = known
    this.#isDirty = true
    this.#writing ??= this.#writeAll()
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false
      if (!(await this.#insist('kept', () => this.#shelf.write(JSON.stringify(this.#known))))) break
    }
    this.#writing = null
  }

  /** Tries until it succeeds; false where it was ended before. */
  async #insist(what: 'read' | 'kept', act: () => Promise<void>): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        await act()
        return true
      } catch (cause) {
        if (tries === 1) this.#log.warn(`the sessions at the MQTT broker cannot be ${what} now: ${messageOf(cause)}; trying again`)
      }
      if (this.#isEnding) return false
      await pause(this.#clock, RETRY_MS)
    }
  }
}

export function clientIdsOf({ clientId, connections }: Layout): string[] {
  return Array.from({ length: connections }, (_, n) => `${clientId}-p${String(n).padStart(2, '0')}`)
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text): text is string => typeof text === 'string') : []
}

function isLayout(value: unknown): value is Layout {
  if (typeof value !== 'object' || value === null) return false
  const { broker, clientId, connections } = value as Partial<Layout>
  return typeof broker === 'string' && typeof clientId === 'string' && Number.isInteger(connections)
}
