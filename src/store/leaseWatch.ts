// For whoever waits for the lease: who had it last, without asking for it.

import { guarded } from './failure.ts'
import { holderOf } from './leaseHolder.ts'
import { PostgresLink, type Query } from './postgres.ts'

export interface LastHolder {
  /** The id of its data folder; empty: nobody ever. */
  readonly instance: string
  /** Where it answers, as it says itself. */
  readonly host: string
  readonly epoch: number
  /** Ms without a sign of life, where a connection of its still holds the lease; else null. */
  readonly silentMs: number | null
}

/** A look at the lease of a store on a server, on a connection of its own. */
export class LeaseWatch {
  readonly #link: PostgresLink

  constructor(url: string) {
    this.#link = new PostgresLink(url, { name: 'fenghuo standby', readOnly: true })
  }

  /** Null where the store has never been used. Throws a StateFailure where the server does not answer. */
  async look(): Promise<LastHolder | null> {
    return this.#ask(async (query) => {
      const { rows: there } = await query<{ there: boolean }>(`select to_regclass('lease') is not null as there`)
      if (there[0]?.there !== true) return null
      const { rows } = await query<{ holder: string; host: string; epoch: number }>('select holder, host, epoch from lease')
      const [row] = rows
      if (row === undefined) return null
      const holder = await holderOf(query)
      return { instance: row.holder, host: row.host, epoch: row.epoch, silentMs: holder?.silentMs ?? null }
    })
  }

  /** Whose the store is; null where no service has run on it. */
  async installation(): Promise<string | null> {
    return this.#ask(async (query) => {
      const { rows: there } = await query<{ there: boolean }>(`select to_regclass('copy_state') is not null as there`)
      if (there[0]?.there !== true) return null
      const { rows } = await query<{ installation: string }>('select installation from copy_state')
      return rows[0]?.installation ?? null
    })
  }

  /** A server that is starting, or lets nobody in at the moment, says so in its own errors. */
  #ask<Answer>(act: (query: Query) => Promise<Answer>): Promise<Answer> {
    return guarded(async () => {
      await this.#link.open()
      return await this.#link.use(act)
    })
  }

  close(): Promise<void> {
    return this.#link.end()
  }
}
