// One SSE connection. It pulls: it holds no queue, only how far it has got, and takes the next piece when its socket has
// taken the last one. A client that does not read therefore costs one piece of memory, and is cut off after a while.

import type { ServerResponse } from 'node:http'
import type { Identity } from '../access/roles.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'

export interface LiveSource {
  /** The next piece of text for this client, at most about `liveChunkBytes`; empty: nothing at the moment. */
  next(client: LiveClient): Promise<string>
  left(client: LiveClient, how: 'closed' | 'stalled' | 'failed', why?: unknown): void
}

export class LiveClient {
  readonly identity: Identity
  /** The devices whose readings it follows, by id. */
  readonly devices: ReadonlySet<string>
  /** The last alarm event it has got, or that is none of its business. */
  position: number
  /** Its place in the changes of devices. */
  changesAt: number
  /** Its place in the notices. */
  noticesAt: number
  /** Devices with readings it has not got. */
  readonly unread = new Set<string>()
  beatDue = false
  /** Readings and changes of devices have been gathered long enough. */
  gatheredDue = true
  readonly #response: ServerResponse
  readonly #source: LiveSource
  readonly #clock: Clock
  #pulling = false
  #again = false
  #blocked = false
  #ended = false
  #stalled: Timer | null = null

  constructor(
    response: ServerResponse,
    identity: Identity,
    devices: ReadonlySet<string>,
    places: { readonly position: number; readonly changesAt: number; readonly noticesAt: number },
    source: LiveSource,
    clock: Clock
  ) {
    this.#response = response
    this.identity = identity
    this.devices = devices
    this.position = places.position
    this.changesAt = places.changesAt
    this.noticesAt = places.noticesAt
    this.#source = source
    this.#clock = clock
    response.on('drain', () => this.#drained())
    response.on('close', () => this.#leave('closed'))
    response.on('error', () => this.#leave('closed'))
  }

  /** Bytes written and not yet taken by the socket. */
  get waitingBytes(): number {
    return this.#response.writableLength
  }

  /** Sends what there is, as far as the socket takes it. Any number of calls at any time is one pull. */
  pull(): void {
    this.#again = true
    if (this.#pulling || this.#blocked || this.#ended) return
    this.#pulling = true
    this.#run().then(
      () => {
        this.#pulling = false
      },
      (cause) => {
        this.#pulling = false
        this.#leave('failed', cause)
        this.#response.destroy()
      }
    )
  }

  /** Ends the connection from our side. */
  end(): void {
    this.#leave('closed')
    if (this.#blocked) this.#response.destroy()
    else this.#response.end(() => this.#response.destroy())
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#blocked && !this.#ended) {
      this.#again = false
      for (let text = await this.#source.next(this); text !== ''; text = await this.#source.next(this)) {
        if (this.#ended) return
        this.#write(text)
        if (this.#blocked) return
      }
    }
  }

  #write(text: string): void {
    if (this.#response.write(text)) return
    this.#blocked = true
    this.#stalled = this.#clock.after(LIMITS.api.liveStalledMs, () => {
      this.#leave('stalled')
      this.#response.destroy()
    })
  }

  #drained(): void {
    this.#blocked = false
    this.#stalled?.cancel()
    this.#stalled = null
    this.pull()
  }

  #leave(how: 'closed' | 'stalled' | 'failed', why?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#stalled?.cancel()
    this.#source.left(this, how, why)
  }
}
