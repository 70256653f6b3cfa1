// What TLS changes at the HTTP door: the server that speaks it, the certificate it serves, and what browsers are told.

import type { RequestListener } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { FastifyServerOptions } from 'fastify'
import { certificateNumber } from '../platform/der.ts'
import { LIMITS } from '../platform/limits.ts'
import type { ApiParts, HttpTls } from './parts.ts'

/** Browsers come back by HTTPS for half a year. */
const HSTS = { maxAge: 180 * 86_400, includeSubDomains: false, preload: false }

/** Options of Fastify for this port: nothing where it is plain. */
export function secureOptions({ http: { tls = null } }: ApiParts): Pick<FastifyServerOptions, 'serverFactory'> {
  if (tls === null) return {}
  return {
    serverFactory: (answer, options) => {
      const server = secureServer(tls, answer)
      // What Fastify sets on a server of its own.
      const { keepAliveTimeout, requestTimeout } = options as { keepAliveTimeout: number; requestTimeout: number }
      server.keepAliveTimeout = keepAliveTimeout
      server.requestTimeout = requestTimeout
      return server as never
    }
  }
}

/** A server that lets in whom `tls` lets in, and serves each certificate that takes the place of the present one. */
export function secureServer(tls: HttpTls, answer: RequestListener): Server {
  const { certificate, clients, requireClientCert } = tls
  const handshakes = { handshakeTimeout: LIMITS.tls.handshakeMs, requestCert: clients, rejectUnauthorized: requireClientCert }
  const server = createServer({ ...certificate.current.context, ...handshakes }, answer)
  serveChanges(server, tls)
  return server
}

/** For helmet: only where we ourselves speak TLS; a proxy sends its own. */
export function transportSecurity({ http: { tls = null } }: ApiParts): typeof HSTS | false {
  return tls === null ? false : HSTS
}

function serveChanges(server: Server, { certificate }: HttpTls): void {
  const clients = new Map<TLSSocket, string>()
  server.on('secureConnection', (socket) => {
    const own = socket.getPeerX509Certificate()
    if (own === undefined) return
    clients.set(socket, certificateNumber(own.raw))
    socket.once('close', () => clients.delete(socket))
  })
  const unwatch = certificate.onChange(({ context, revoked }) => {
    server.setSecureContext(context)
    // Connections are kept open for the next request: whoever was revoked must not make one.
    for (const [socket, number] of clients) if (revoked.has(number)) socket.destroy()
  })
  server.once('close', unwatch)
}
