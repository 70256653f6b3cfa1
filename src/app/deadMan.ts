// The dead man's switch: as long as we live we say so to somebody outside, who raises the alarm when we fall silent.
// What is not well with us is said in the same breath, so that a service that lives but cannot tell anybody is found too.

import type { Outgoing } from '../alerts/channels/outgoing.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'

export interface DeadManParts {
  readonly url: string
  readonly everyMs: number
  readonly outgoing: Pick<Outgoing, 'send'>
  readonly clock: Clock
  readonly log: Log
  /** False while judging or storing stands still: then nothing is sent. */
  readonly alive: () => boolean
}

export class DeadMan implements Part {
  readonly name = 'heartbeat'
  readonly #parts: DeadManParts
  #timer: Timer | null = null
  #problem: string | null = null

  constructor(parts: DeadManParts) {
    this.#parts = parts
  }

  /** A sentence where the last heartbeat did not arrive, else null. */
  get problem(): string | null {
    return this.#problem
  }

  async start(): Promise<void> {
    this.#timer ??= this.#parts.clock.every(this.#parts.everyMs, () => void this.#beat())
    void this.#beat()
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
  }

  async #beat(): Promise<void> {
    const { url, outgoing, alive, log } = this.#parts
    if (!alive()) return
    const answer = await outgoing.send({ method: 'GET', url, headers: {}, body: null, signal: null })
    const arrived = answer.kind === 'answer' && answer.status < 400
    const why = answer.kind === 'answer' ? `it answers ${answer.status}` : answer.problem
    const problem = arrived
      ? null
      : `The heartbeat does not reach ${new URL(url).origin}: ${why.replace(/\.$/, '')}. Nobody outside would notice if this service fell silent.`
    if (problem !== null && this.#problem === null) log.warn(problem)
    this.#problem = problem
  }
}
