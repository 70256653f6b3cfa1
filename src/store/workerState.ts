// The state store as a delivery worker has it: a connection of its own beside the service's, without the lease. It never brings
// the tables up to date, and stops where somebody else has: then the worker and the store are of different versions.

import { Kysely } from 'kysely'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { Refusal } from '../platform/problem.ts'
import { failureSentence, StateFailure, stateFailure } from './failure.ts'
import { EvenDialect, PostgresLink, serverName } from './postgres.ts'
import type { Schema, State } from './schema.ts'
import { checkVersion } from './upgrade.ts'

export interface WorkerState {
  readonly state: State
  /** A sentence while there is no connection, else null. */
  readonly problem: string | null
  /** Throws a Refusal where the store is no longer of this version; a server that does not answer is none. */
  check(): Promise<void>
  close(): Promise<void>
}

/** Opens it. Throws a Refusal where the server cannot be reached, or the store is older, newer, foreign or empty. */
export async function openWorkerState(url: string, clock: Clock): Promise<WorkerState> {
  let timer: Timer | null = null
  let closed = false
  const link: PostgresLink = new PostgresLink(url, { name: 'fenghuo courier', onLost: () => again() })
  const again = (): void => {
    timer?.cancel()
    if (!closed) timer = clock.after(LIMITS.courier.reconnectMs, () => void link.open().catch(again))
  }
  const state = new Kysely<Schema>({ dialect: new EvenDialect(link) })
  const close = async (): Promise<void> => {
    closed = true
    timer?.cancel()
    await state.destroy()
  }
  const check = (): Promise<void> => checkVersion(state, serverName(url), true)
  try {
    await link.open()
    await check()
  } catch (cause) {
    await close()
    const failure = stateFailure(cause)
    if (failure === null) throw cause
    throw new Refusal(failureSentence(failure, serverName(url)), { cause })
  }
  return {
    state,
    close,
    check: () =>
      check().catch((cause: unknown) => {
        if (cause instanceof Refusal && !(cause instanceof StateFailure)) throw cause
        if (stateFailure(cause) === null) throw cause
      }),
    get problem() {
      return link.problem
    }
  }
}
