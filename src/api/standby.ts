// The doors of an instance that waits: whether it lives, that it takes no work, and who is active. Everything else is 503.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { Metrics } from '../platform/metrics.ts'
import { Refusal } from '../platform/problem.ts'
import type { ApiParts } from './parts.ts'
import { portSentence } from './portSentence.ts'
import { PROBLEMS } from './problems.ts'
import { secureServer } from './secure.ts'

/** Who is active, for people. */
export interface Active {
  readonly instance: string
  readonly host: string
  readonly epoch: number
  /** Ms without a sign of life; null: it holds the lease no more. */
  readonly silentMs: number | null
}

export class StandbyServer {
  readonly #http: ApiParts['http']
  readonly #version: string
  readonly #clock: Clock
  readonly #metrics = new Metrics()
  #active: Active | null = null
  #problem: string | null = null
  #taking = false
  #server: Server | null = null

  constructor(http: ApiParts['http'], version: string, clock: Clock) {
    this.#http = http
    this.#version = version
    this.#clock = clock
    roleGauge(this.#metrics, 'standby', () => this.#active?.epoch ?? 0)
  }

  /** Opens the port. Throws a Refusal where it cannot be had. */
  async open(): Promise<string> {
    const { host, port, tls = null } = this.#http
    const answer = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response)
    const server = tls === null ? createServer(answer) : secureServer(tls, answer)
    server.requestTimeout = LIMITS.api.requestMs
    // Whoever watches asks again; nobody is to be kept here when the active one's place is taken.
    server.keepAliveTimeout = 1
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new Refusal(portSentence(cause, host, port), { cause })))
      server.listen({ host, port }, resolve)
    })
    this.#server = server
    const address = server.address()
    const bound = address !== null && typeof address === 'object' ? address : { address: host, port }
    return `http${tls === null ? '' : 's'}://${isIP(bound.address) === 6 ? `[${bound.address}]` : bound.address}:${bound.port}`
  }

  tell(active: Active | null, problem: string | null): void {
    this.#active = active
    this.#problem = problem
  }

  /** From now on it says that everything is being started. */
  taking(): void {
    this.#taking = true
  }

  /** Ends open connections at once, so that the port is free when it resolves. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (server === null) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume()
    const address = (request.url ?? '/').split('?')[0]
    if (address === '/healthz') return send(response, 200, 'application/json; charset=utf-8', JSON.stringify(this.#health()))
    if (address === '/metrics') return send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await this.#metrics.text())
    const body = { type: 'urn:fenghuo:problem:unavailable', ...PROBLEMS.unavailable, detail: this.#sentence(), instance: address }
    response.setHeader('retry-after', '2')
    send(response, 503, 'application/problem+json; charset=utf-8', JSON.stringify(body))
  }

  #health(): object {
    return {
      at: new Date(this.#clock.now()).toISOString(),
      version: this.#version,
      role: 'standby',
      holder: this.#active,
      parts: [{ part: 'standby', state: this.#taking ? 'starting' : this.#problem === null ? 'ok' : 'failing', problem: this.#problem }]
    }
  }

  #sentence(): string {
    if (this.#taking) return 'This instance is taking over: it answers in a moment.'
    const who = this.#active === null ? 'Another instance is active' : `The instance at ${this.#active.host} is active`
    return `This instance stands by: it takes over when the active one ends. ${who}${this.#problem === null ? '' : `; ${this.#problem}`}`
  }
}

/** Which role this process has, as `fenghuo_role`: 1 active, 0 standby; and the epoch of the lease. */
export function roleGauge(metrics: Metrics, role: 'active' | 'standby', epoch: () => number): void {
  metrics.gauge('fenghuo_role', 'Whether this instance is active (1) or stands by (0).', () => (role === 'active' ? 1 : 0))
  metrics.gauge('fenghuo_lease_epoch', 'The epoch of the lease: one higher with each holder.', epoch)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}
