// The one way out over HTTP. Invariants: the address that was checked is the address connected to; nothing is followed, nothing
// is read without end, and every answer says whether the request can have arrived.

import { type LookupAddress, lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { rootCertificates } from 'node:tls'
import { Agent, type Dispatcher } from 'undici'
import type { Clock, Timer } from '../../platform/clock.ts'
import { LIMITS } from '../../platform/limits.ts'
import { messageOf } from '../../platform/problem.ts'
import { PrivateHosts } from './privateHosts.ts'

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | null
  /** Gives up where it fires. */
  readonly signal: AbortSignal | null
}

/**
 * - answer: `cut` where the body went on beyond the bounds in size or time; what arrived until then is `body`.
 * - forbidden: the address may not be called; it never will.
 * - unsent: nothing of it can have arrived.
 * - doubtful: it was sent, and no answer came.
 */
export type OutgoingAnswer =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      readonly cut: boolean
    }
  | { readonly kind: 'forbidden'; readonly problem: string }
  | { readonly kind: 'unsent'; readonly problem: string }
  | { readonly kind: 'doubtful'; readonly problem: string }

/** Like dns.lookup with `all`. */
export type Resolve = (host: string, options: { all: true }, done: (error: Error | null, addresses: LookupAddress[]) => void) => void

export interface OutgoingOptions {
  readonly clock: Clock
  /** Host names, addresses and networks (CIDR) of the deployment that may be called although they are private. */
  readonly allowPrivate: readonly string[]
  /** Certificates (PEM) trusted beside the system's own; null: none. */
  readonly ca?: string | null
  readonly resolve?: Resolve
}

class Forbidden extends Error {}

export class Outgoing {
  readonly #clock: Clock
  readonly #hosts: PrivateHosts
  readonly #agent: Agent

  constructor({ clock, allowPrivate, ca, resolve }: OutgoingOptions) {
    this.#clock = clock
    this.#hosts = new PrivateHosts(allowPrivate)
    const { connectMs, requestMs, headerBytes } = LIMITS.outgoing
    this.#agent = new Agent({
      // A lookup happens for every connection, and its checked answer is what is connected to: a name that answers
      // differently the second time (DNS rebinding) is checked the second time too.
      connect: { lookup: guarded(resolve ?? lookup, this.#hosts), timeout: connectMs, ...(ca == null ? {} : { ca: trusted(ca) }) },
      connections: LIMITS.outgoing.connectionsPerHost,
      headersTimeout: requestMs,
      bodyTimeout: requestMs,
      maxHeaderSize: headerBytes
    })
  }

  /** Sends one request. Never throws. */
  send(request: OutgoingRequest): Promise<OutgoingAnswer> {
    const target = this.#target(request.url)
    if (typeof target === 'string') return Promise.resolve({ kind: 'forbidden', problem: target })
    return new Promise((resolve) => new Exchange(request, target, this.#clock, resolve).begin(this.#agent))
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  /** Where it goes, or a sentence why it must not. */
  #target(text: string): URL | string {
    const url = URL.parse(text)
    if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return 'the address is not an http(s) address'
    if (url.username !== '' || url.password !== '') return 'the address carries a user name or password; leave them out'
    // URL has already turned 0x7f.1, 2130706433 and the like into dotted form.
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const named = this.#hosts.allowsName(host)
    if (isIP(host) !== 0 && !named && this.#hosts.isForbidden(host)) return forbidden(host, host)
    if (url.protocol === 'http:' && !named && !(isIP(host) !== 0 && this.#hosts.allowsAddress(host)))
      return `${host} would be called without TLS; use https, or name it in outgoing.allowPrivate`
    return url
  }
}

function forbidden(host: string, address: string): string {
  const where = host === address ? host : `${host} (${address})`
  return `${where} is not a public address; name it in outgoing.allowPrivate if it belongs to the plant`
}

function trusted(ca: string): string[] {
  return [...rootCertificates, ca]
}

function guarded(resolve: Resolve, hosts: PrivateHosts): LookupFunction {
  return (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, [])
      // All of them: which one is connected to is the socket's choice.
      const wrong = hosts.allowsName(host) ? undefined : addresses.find(({ address }) => hosts.isForbidden(address))
      if (wrong !== undefined) return done(new Forbidden(forbidden(host, wrong.address)), [])
      const [first] = addresses
      if (first === undefined) return done(new Error(`${host} has no address`), [])
      if (options.all) return done(null, addresses)
      done(null, first.address, first.family)
    })
  }
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: OutgoingRequest
  readonly #target: URL
  readonly #clock: Clock
  #resolve: ((answer: OutgoingAnswer) => void) | null
  #timer: Timer | null = null
  #controller: Dispatcher.DispatchController | null = null
  #status = 0
  #headers: Record<string, string> = {}
  #chunks: Buffer[] = []
  #bytes = 0
  readonly #giveUp = (): void => this.#end('it was given up before an answer came')

  constructor(request: OutgoingRequest, target: URL, clock: Clock, resolve: (answer: OutgoingAnswer) => void) {
    this.#request = request
    this.#target = target
    this.#clock = clock
    this.#resolve = resolve
  }

  begin(agent: Agent): void {
    const { method, headers, body, signal } = this.#request
    if (signal?.aborted) {
      this.#giveUp()
      return
    }
    signal?.addEventListener('abort', this.#giveUp, { once: true })
    const { requestMs } = LIMITS.outgoing
    this.#timer = this.#clock.after(requestMs, () => this.#end(`${this.#target.host} did not answer within ${requestMs / 1000} s`))
    const path = this.#target.pathname + this.#target.search
    agent.dispatch({ origin: this.#target.origin, path, method, headers: { 'user-agent': 'Fenghuo', ...headers }, body }, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Given up while it was connecting: aborted here, nothing of it is written.
    if (this.#resolve === null) controller.abort(new Error('given up'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>
  ): void {
    // 1xx says nothing yet.
    if (status < 200) return
    this.#status = status
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) this.#headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > LIMITS.outgoing.answerBytes) this.#end('its answer is too long')
  }

  onResponseEnd(): void {
    this.#settle(this.#answer(false))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const forbiddenBy = [error, error.cause].find((one) => one instanceof Forbidden)
    if (forbiddenBy !== undefined) this.#settle({ kind: 'forbidden', problem: forbiddenBy.message })
    else this.#end(`${this.#target.host}: ${messageOf(error) || (error as { code?: string }).code || 'the connection failed'}`)
  }

  /** Ends it before its end, by what is known until now. */
  #end(problem: string): void {
    if (this.#status !== 0) this.#settle(this.#answer(true))
    else this.#settle({ kind: this.#controller === null ? 'unsent' : 'doubtful', problem })
    this.#controller?.abort(new Error(problem))
  }

  #answer(cut: boolean): OutgoingAnswer {
    const body = Buffer.concat(this.#chunks).subarray(0, LIMITS.outgoing.answerBytes).toString('utf8')
    return { kind: 'answer', status: this.#status, headers: this.#headers, body, cut }
  }

  #settle(answer: OutgoingAnswer): void {
    const resolve = this.#resolve
    if (resolve === null) return
    this.#resolve = null
    this.#timer?.cancel()
    this.#request.signal?.removeEventListener('abort', this.#giveUp)
    resolve(answer)
  }
}
