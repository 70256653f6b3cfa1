// How due notifications come to be sent: a dispatcher is handed them and calls back for each, in this process or, by way of a
// server, in any that sends. The outbox row is the truth: one that comes twice, late or never costs at most time.

import type { DueNotification } from '../outbox.ts'

/** Sends the notification if it is still to be sent; resolves when that is over, and never throws. */
export type Deliver = (due: DueNotification) => Promise<void>

export interface Dispatcher {
  readonly name: string
  start(deliver: Deliver): Promise<void>
  /** Ends without waiting for what was handed over: the outbox still has it. */
  stop(): Promise<void>
  /** Hands over. False where it could not be taken: it stays in the outbox. Never throws, and never waits for long. */
  offer(due: readonly DueNotification[]): Promise<boolean>
  /** Whether what is handed over, by whomever, comes back to this process too. */
  readonly fetches: boolean
  /** A sentence while it does not work, else null. */
  readonly problem: string | null
}
