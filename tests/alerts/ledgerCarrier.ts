// A carrier that takes messages over real HTTP and keeps a ledger of them; and the channel that speaks to it.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Channel, ChannelListener, OutgoingMessage, SendOutcome } from '../../src/alerts/channels/channel.ts'
import type { ChannelKind } from '../../src/model/notification.ts'

export interface Entry {
  readonly id: string
  readonly to: string
  readonly text: string
  readonly tier: string
  readonly title: string
  readonly ackUrl: string | null
  readonly body: unknown
  /** The channel that sent it. */
  readonly by: string
}

/** How the carrier treats a message, decided anew for each. */
export type Treatment = 'take' | 'fail' | 'refuse' | 'takeSilently' | 'hold'

export class LedgerCarrier {
  readonly ledger: Entry[] = []
  /** Requests so far, whatever became of them. */
  asked = 0
  treat: (entry: Entry) => Treatment = () => 'take'
  readonly #server: Server
  #held: (() => void)[] = []

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(host = '127.0.0.1'): Promise<LedgerCarrier> {
    const server = createServer()
    const carrier = new LedgerCarrier(server)
    server.on('request', (request: IncomingMessage, response) => {
      let body = ''
      request.on('data', (chunk) => (body += chunk))
      request.on('end', () => {
        // A webhook names its message in a header.
        const entry = { id: request.headers['webhook-id'], ...JSON.parse(body) } as Entry
        carrier.asked += 1
        const treatment = carrier.treat(entry)
        const answer = (status: number): void => void response.writeHead(status).end(`p-${entry.id}`)
        if (treatment === 'take' || treatment === 'takeSilently' || treatment === 'hold') carrier.ledger.push(entry)
        if (treatment === 'take') answer(200)
        else if (treatment === 'fail') answer(500)
        else if (treatment === 'refuse') answer(400)
        else if (treatment === 'takeSilently') response.destroy()
        else carrier.#held.push(() => answer(200))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    return carrier
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** Answers what was held. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer()
  }

  ids(): string[] {
    return this.ledger.map(({ id }) => id)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

export interface LedgerChannelOptions {
  readonly url: string
  readonly id?: string
  readonly kind?: ChannelKind
  readonly perSecond?: number | null
  readonly receipts?: boolean
}

export class LedgerChannel implements Channel {
  readonly id: string
  readonly kind: ChannelKind
  readonly perSecond: number | null
  readonly receipts: boolean
  problem: string | null = null
  starting = false
  refusesFor: 'provider' | 'recipient' = 'provider'
  listener: ChannelListener | null = null
  /** Whether what is accepted gets a name that receipts may speak of. */
  named = true
  sends = 0
  readonly #url: string

  constructor({ url, id = 'carrier', kind = 'sms', perSecond = null, receipts = false }: LedgerChannelOptions) {
    this.#url = url
    this.id = id
    this.kind = kind
    this.perSecond = perSecond
    this.receipts = receipts
  }

  async start(listener: ChannelListener): Promise<void> {
    this.listener = listener
  }

  async stop(): Promise<void> {}

  async send({ id, to, text, tier, title, ackUrl, body }: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    this.sends += 1
    try {
      const payload = JSON.stringify({ id, to, text, tier, title, ackUrl, body, by: this.id })
      const response = await fetch(this.#url, { method: 'POST', body: payload, signal })
      const answer = await response.text()
      if (response.status === 200) return { kind: 'accepted', providerId: this.named ? answer : null }
      if (response.status === 400) return { kind: 'refused', about: this.refusesFor, problem: 'The carrier refuses this message.' }
      return { kind: 'failed', problem: 'The carrier is in trouble.', retryAfterMs: null }
    } catch {
      return { kind: 'doubtful', problem: 'The carrier gave no answer.' }
    }
  }
}
