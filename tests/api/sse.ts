// A live client over a real socket, which can stop reading.

import { type ClientRequest, type IncomingMessage, request } from 'node:http'

export interface LiveEvent {
  readonly id: string | null
  readonly event: string
  /** As it came. */
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly data: any
}

export class LiveReader {
  readonly events: LiveEvent[] = []
  readonly headers: IncomingMessage['headers']
  readonly statusCode: number | undefined
  /** The id to resume from. */
  lastEventId: string | null = null
  ended = false
  readonly #response: IncomingMessage
  readonly #request: ClientRequest
  #rest = ''
  #waiting: (() => void)[] = []

  private constructor(outgoing: ClientRequest, response: IncomingMessage) {
    this.#request = outgoing
    this.#response = response
    this.headers = response.headers
    this.statusCode = response.statusCode
    response.setEncoding('utf8')
    response.on('data', (text: string) => this.#read(text))
    const end = (): void => {
      this.ended = true
      this.#wake()
    }
    response.on('end', end)
    response.on('error', end)
    response.on('close', end)
  }

  static open(address: string, token: string, query = '', headers: Record<string, string> = {}): Promise<LiveReader> {
    return new Promise((resolve, reject) => {
      const outgoing = request(`${address}/api/v1/live${query}`, {
        headers: { authorization: `Bearer ${token}`, ...headers },
        agent: false
      })
      outgoing.on('response', (response) => resolve(new LiveReader(outgoing, response)))
      outgoing.on('error', reject)
      outgoing.end()
    })
  }

  of(event: string): LiveEvent[] {
    return this.events.filter((one) => one.event === event)
  }

  /** The ids of the alarm events, as numbers. */
  get numbers(): number[] {
    return this.of('alarm').map((one) => Number(one.id))
  }

  /** Resolves once it holds, looked at after each piece that arrives; fails where the connection ends before. */
  async until(holds: (reader: LiveReader) => boolean): Promise<void> {
    while (!holds(this)) {
      if (this.ended) throw new Error(`the stream ended; it brought ${JSON.stringify(this.events.slice(-5))}`)
      await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    }
  }

  async untilEnded(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => void this.#waiting.push(resolve))
  }

  pause(): void {
    this.#response.pause()
    this.#response.socket.pause()
  }

  resume(): void {
    this.#response.socket.resume()
    this.#response.resume()
  }

  close(): void {
    this.#request.destroy()
  }

  #read(text: string): void {
    this.#rest += text
    for (let end = this.#rest.indexOf('\n\n'); end !== -1; end = this.#rest.indexOf('\n\n')) {
      this.#take(this.#rest.slice(0, end))
      this.#rest = this.#rest.slice(end + 2)
    }
    this.#wake()
  }

  #take(block: string): void {
    const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
    const id = fields.get('id') ?? null
    if (id !== null) this.lastEventId = id
    const text = fields.get('data') ?? ''
    this.events.push({ id, event: fields.get('event') ?? 'message', text, data: JSON.parse(text) })
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}
