// The dispatcher without a server: hands each notification straight on. The order is made behind it, in the lanes.

import type { DueNotification } from '../outbox.ts'
import type { Deliver, Dispatcher } from './dispatcher.ts'

export class EmbeddedDispatcher implements Dispatcher {
  readonly name = 'embedded'
  readonly fetches = true
  readonly problem = null
  #deliver: Deliver | null = null

  async start(deliver: Deliver): Promise<void> {
    this.#deliver = deliver
  }

  async stop(): Promise<void> {
    this.#deliver = null
  }

  async offer(due: readonly DueNotification[]): Promise<boolean> {
    if (this.#deliver === null) return false
    for (const one of due) void this.#deliver(one)
    return true
  }
}
