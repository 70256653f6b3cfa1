// What was last used of an external broker, in a small file of the data folder: by which client ids its sessions go, so that none is
// left behind with messages in it when the number of connections changes, and a session that the broker has lost is noticed.

import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import type { Log } from '../platform/log.ts'
import { messageOf, whyNot } from '../platform/problem.ts'

export interface Layout {
  /** host:port. */
  readonly broker: string
  readonly clientId: string
  readonly connections: number
}

interface Remembered {
  readonly layout: Layout
  /** Client ids of older layouts whose sessions may still hold messages. */
  readonly former: readonly string[]
  /** Client ids whose session the broker has. */
  readonly sessions: readonly string[]
}

export class UpstreamMemory {
  readonly #file: string
  readonly #log: Log
  #known: Remembered | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(file: string, log: Log) {
    this.#file = file
    this.#log = log
  }

  /** What the file says; nothing where it is missing or cannot be read, which is told. */
  load(): void {
    try {
      const { layout, former, sessions } = JSON.parse(readFileSync(this.#file, 'utf8')) as Partial<Remembered>
      if (isLayout(layout)) this.#known = { layout, former: textsOf(former), sessions: textsOf(sessions) }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return
      this.#log.warn(`${this.#file} cannot be read: ${whyNot(cause)}; former sessions at the MQTT broker are not looked for`)
    }
  }

  /** Client ids whose sessions are to be emptied before `wanted` is used. Those at another broker cannot be, which is told. */
  former(wanted: Layout): string[] {
    if (this.#known === null) return []
    const { layout, former } = this.#known
    if (layout.broker !== wanted.broker) {
      this.#log.warn(
        `the MQTT broker was ${layout.broker} and is ${wanted.broker} now: what may still wait for us there (${clientIdsOf(layout).join(', ')}) is not fetched. To have it, start once more with that address and all gateways moved.`
      )
      return []
    }
    if (layout.clientId === wanted.clientId && layout.connections === wanted.connections) return [...former]
    return [...new Set([...former, ...clientIdsOf(layout)])]
  }

  /** From now on sessions of `layout` are made; those of `former` may still hold something. */
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

  /** Resolves once everything is written. */
  written(): Promise<void> {
    return this.#writing
  }

  #keep(known: Remembered): Promise<void> {
    this.#known = known
    this.#writing = this.#writing.then(async () => {
      try {
        await writeFile(`${this.#file}.part`, `${JSON.stringify(known)}\n`, { mode: 0o600, flush: true })
        await rename(`${this.#file}.part`, this.#file)
      } catch (cause) {
        this.#log.warn(`${this.#file} cannot be written: ${messageOf(cause)}`)
      }
    })
    return this.#writing
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
