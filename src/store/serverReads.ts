// Connections for what only reads, beside the one that holds the lease: a question that takes long holds up no commit. Invariant:
// they are served only while the lease is held. Each is let in by the lease's epoch, whoever takes over ends them, and while the
// connection of the lease is away nothing is answered either: an instance that may have been replaced must not look well.

import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { StateFailure, stateFailure } from './failure.ts'
import { PostgresLink, type Query } from './postgres.ts'

export interface ReadOptions {
  /** What the server calls the connections to its administrator. */
  readonly name: string
  readonly clock: Clock
  /** Runs on each new connection; where it throws, the connection is given up. */
  readonly admit: (query: Query) => Promise<void>
  /** Why nothing may be answered; null: it may. */
  readonly refusal: () => StateFailure | null
}

/** A few connections, opened at the first need. Who finds all of them taken waits a while for one, in order of coming. */
export class ServerReads implements PostgresPool {
  readonly options = {}
  readonly #options: ReadOptions
  readonly #free: PostgresLink[]
  readonly #all: readonly PostgresLink[]
  readonly #waiting = new Set<(link: PostgresLink) => void>()

  constructor(url: string, options: ReadOptions) {
    this.#options = options
    const { name, admit } = options
    this.#all = Array.from({ length: LIMITS.postgres.reads }, () => new PostgresLink(url, { name, admit, readOnly: true }))
    this.#free = [...this.#all]
  }

  /** Kysely's way in. Throws a StateFailure where nothing may be answered, the server does not answer, or none gets free in time. */
  async connect(): Promise<PostgresPoolClient> {
    this.#check()
    const link = this.#free.pop() ?? (await this.#next())
    try {
      this.#check()
      await link.open()
      const client = await link.connect()
      const release = (): void => {
        client.release()
        this.#giveBack(link)
      }
      return { query: client.query, release } as PostgresPoolClient
    } catch (cause) {
      this.#giveBack(link)
      throw stateFailure(cause) ?? cause
    }
  }

  /** Nothing is answered any more, also not what is being asked. */
  close(why: StateFailure): void {
    for (const link of this.#all) link.close(why)
  }

  /** Nobody waits for an answer any more. */
  async end(): Promise<void> {
    const closing = new StateFailure('unreachable', new Error('the state store is being closed'), 'server')
    for (const link of this.#all) if (!this.#free.includes(link)) link.close(closing)
    await Promise.all(this.#free.map((link) => link.end()))
  }

  #check(): void {
    const refusal = this.#options.refusal()
    if (refusal !== null) throw refusal
  }

  async #next(): Promise<PostgresLink> {
    return new Promise((resolve, reject) => {
      const take = (link: PostgresLink): void => {
        late.cancel()
        resolve(link)
      }
      const late = this.#options.clock.after(LIMITS.postgres.readWaitMs, () => {
        this.#waiting.delete(take)
        reject(new StateFailure('busy', new Error('all connections for reading are taken'), 'server'))
      })
      this.#waiting.add(take)
    })
  }

  #giveBack(link: PostgresLink): void {
    const [next] = this.#waiting
    if (next === undefined) return void this.#free.push(link)
    this.#waiting.delete(next)
    next(link)
  }
}
