// The ports of the embedded broker: plain, and with TLS. Invariant: what a connection may cost before it has signed in is the
// same on both; a handshake is bounded in time, and in number by the bound of clients that have not said CONNECT.

import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import { messageOf, Refusal } from '../platform/problem.ts'
import type { ServedCertificate } from '../platform/servedCertificate.ts'
import type { Refusals } from './brokerCounts.ts'
import { type NamedBy, type Peer, peerOf } from './brokerPeer.ts'

/** A port with TLS. */
export interface BrokerTls {
  readonly host: string
  readonly port: number
  readonly certificate: ServedCertificate
  /** Whether clients are asked for a certificate. */
  readonly clients: boolean
  /** Whether a client without a certificate is turned away. */
  readonly requireClientCert: boolean
  readonly gatewayName: NamedBy
  /** Whether a gateway with a certificate must give its secret all the same. */
  readonly secretToo: boolean
}

export interface Address {
  readonly host: string
  readonly port: number
}

type Accept = (stream: Socket, remote: string, peer: Peer | null) => void

const SOCKETS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const

export class BrokerPorts {
  readonly #log: Log
  readonly #refusals: Refusals
  readonly #accept: Accept
  #plain: Server | null = null
  #secure: TlsServer | null = null
  /** Connections in their handshake, oldest first, by their address. */
  readonly #shaking = new Map<string, Socket>()
  #unwatch: () => void = () => {}

  constructor(log: Log, refusals: Refusals, accept: Accept) {
    this.#log = log
    this.#refusals = refusals
    this.#accept = accept
  }

  /** Where it listens without TLS; null: nowhere. */
  get plain(): Address | null {
    return addressOf(this.#plain)
  }

  /** Where it listens with TLS; null: nowhere. */
  get secure(): Address | null {
    return addressOf(this.#secure)
  }

  /** Opens the port without TLS, or throws a Refusal that says why it cannot be opened. */
  async openPlain(host: string, port: number): Promise<void> {
    const server = createServer(SOCKETS, (socket) => this.#accept(socket, remoteOf(socket), null))
    await listen(server, host, port, 'FENGHUO_MQTT_PORT or mqtt.port')
    this.#plain = this.#kept(server)
  }

  /** Opens the port with TLS, and serves each certificate that takes the place of the first. */
  async openSecure(tls: BrokerTls): Promise<void> {
    const { certificate, clients } = tls
    const server = createTlsServer({
      ...SOCKETS,
      ...certificate.current.context,
      handshakeTimeout: LIMITS.tls.handshakeMs,
      requestCert: clients,
      // Who has none that counts is turned away by ourselves, to be counted and named.
      rejectUnauthorized: false
    })
    server.on('connection', (socket: Socket) => this.#shakes(socket))
    server.on('secureConnection', (socket) => this.#shaken(socket, tls))
    server.on('tlsClientError', (cause, socket) => this.#failed(cause, socket))
    await listen(server, tls.host, tls.port, 'mqtt.tls.port')
    this.#secure = this.#kept(server)
    this.#unwatch = certificate.onChange(({ context }) => server.setSecureContext(context))
  }

  /** Takes no more connections; resolves once those that there are have ended. */
  async close(): Promise<void> {
    this.#unwatch()
    for (const socket of this.#shaking.values()) socket.destroy()
    await Promise.all([closed(this.#plain), closed(this.#secure)])
    this.#plain = null
    this.#secure = null
  }

  #kept<Kind extends Server>(server: Kind): Kind {
    server.on('error', (cause) => this.#log.error(`The MQTT port failed: ${messageOf(cause)}`))
    return server
  }

  #shakes(socket: Socket): void {
    const remote = remoteOf(socket)
    this.#shaking.set(remote, socket)
    socket.once('close', () => this.#shaking.get(remote) === socket && this.#shaking.delete(remote))
    if (this.#shaking.size <= LIMITS.mqtt.strangers) return
    const [[address, oldest]] = this.#shaking as unknown as [[string, Socket]]
    this.#shaking.delete(address)
    this.#refusals.add('tooManyConnections', `A connection from ${address} was closed: it is the oldest of many that never finished TLS.`)
    oldest.destroy()
  }

  #shaken(socket: TLSSocket, { gatewayName, requireClientCert, certificate }: BrokerTls): void {
    const remote = remoteOf(socket)
    this.#shaking.delete(remote)
    // Until the broker has it, and after: a connection that breaks is no news.
    socket.on('error', () => socket.destroy())
    const peer = peerOf(socket, gatewayName)
    if (peer !== null && 'refused' in peer) return void this.#turnAway(socket, remote, peer.refused)
    if (peer === null && requireClientCert) return void this.#turnAway(socket, remote, 'it has no certificate')
    // Its handshake may have begun before the list was changed.
    if (peer !== null && certificate.current.revoked.has(peer.number))
      return void this.#turnAway(socket, remote, 'its certificate was revoked')
    this.#accept(socket, remote, peer)
  }

  #turnAway(socket: TLSSocket, remote: string, why: string): void {
    this.#refusals.add('certificate', `A connection from ${remote} was turned away: ${why}.`)
    socket.destroy()
  }

  #failed(cause: Error & { code?: unknown }, socket: TLSSocket): void {
    // Somebody who comes and goes without a word, like a probe of a port, is no refusal.
    if (cause.code !== 'ECONNRESET') this.#refusals.add('tls', `TLS with ${remoteOf(socket)} failed: ${messageOf(cause).trim()}.`)
    socket.destroy()
  }
}

function addressOf(server: Server | null): Address | null {
  const address = server?.address()
  return address !== null && typeof address === 'object' ? { host: address.address, port: address.port } : null
}

function closed(server: Server | null): Promise<void> {
  return new Promise((resolve) => (server === null ? resolve() : server.close(() => resolve())))
}

function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`
}

async function listen(server: Server, host: string, port: number, setting: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new Refusal(listenProblem(host, port, setting, cause), { cause })))
    server.listen({ host, port, backlog: 4096 }, resolve)
  })
}

function listenProblem(host: string, port: number, setting: string, cause: NodeJS.ErrnoException): string {
  const where = `Port ${port} on ${host}`
  const remedy = `or choose another port by ${setting} in fenghuo.yaml.`
  if (cause.code === 'EADDRINUSE') return `${where} is in use, so MQTT cannot be served there. Stop the program that uses it, ${remedy}`
  if (cause.code === 'EACCES') return `${where} may not be opened by this user, so MQTT cannot be served there. Allow it, ${remedy}`
  if (cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND' || cause.code === 'EAI_AGAIN') {
    return `This machine has no address ${host}, so MQTT cannot be served there. Correct FENGHUO_MQTT_HOST or mqtt.host in fenghuo.yaml.`
  }
  return `${where} cannot be opened for MQTT: ${cause.message}.`
}
