// Where webhooks arrive: a server that answers after a moment and keeps a ledger of the ids, in the order of their arrival.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Arrival {
  readonly id: string
  readonly at: number
  readonly body: string
}

export class HookReceiver {
  readonly ledger: Arrival[] = []
  /** Answers come after this, ms. */
  delayMs = 0
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(): Promise<HookReceiver> {
    const server = createServer()
    const receiver = new HookReceiver(server)
    server.on('request', (request, response) => {
      let body = ''
      request.on('data', (chunk) => (body += chunk))
      request.on('end', () => {
        receiver.ledger.push({ id: String(request.headers['webhook-id']), at: Date.now(), body })
        setTimeout(() => response.writeHead(204).end(), receiver.delayMs)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** fenghuo.yaml and duty.yaml of a plant whose every red alarm goes to one person by webhook. */
export function hookFiles(url: string): { readonly service: string; readonly duty: string; readonly env: Record<string, string> } {
  return {
    service:
      'logLevel: warn\noutgoing: { allowPrivate: [127.0.0.1] }\nchannels:\n  - { id: hook, kind: webhook, secret: "env:HOOK_SECRET" }\n',
    duty: `zone: Asia/Shanghai
people:
  - { id: li, name: { zh: 李, en: Li }, addresses: { webhook: "${url}" } }
ladders:
  - { id: all, appliesTo: {}, steps: [{ after: 0s, tell: [person:li], by: [webhook] }] }
`,
    env: { HOOK_SECRET: `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}` }
  }
}
