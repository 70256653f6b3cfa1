// What TLS changes at the HTTP door: the server that speaks it, the certificate it serves, and what browsers are told.

import { createServer, type Server } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { FastifyServerOptions } from 'fastify'
import { certificateNumber } from '../platform/der.ts'
import { LIMITS } from '../platform/limits.ts'
import type { ApiParts } from './parts.ts'

/** Browsers come back by HTTPS for half a year. */
const HSTS = { maxAge: 180 * 86_400, includeSubDomains: false, preload: false }

/** Options of Fastify for this port: nothing where it is plain. */
export function secureOptions({ http: { tls = null } }: ApiParts): Pick<FastifyServerOptions, 'serverFactory'> {
  if (tls === null) return {}
  return {
    serverFactory: (answer, options) => {
      const server = createServer({ ...tls.certificate.current.context, ...handshakes(tls) }, answer)
      // What Fastify sets on a server of its own.
      const { keepAliveTimeout, requestTimeout } = options as { keepAliveTimeout: number; requestTimeout: number }
      server.keepAliveTimeout = keepAliveTimeout
      server.requestTimeout = requestTimeout
      serveChanges(server, tls)
      return server as never
    }
  }
}

/** For helmet: only where we ourselves speak TLS; a proxy sends its own. */
export function transportSecurity({ http: { tls = null } }: ApiParts): typeof HSTS | false {
  return tls === null ? false : HSTS
}

type HttpTls = NonNullable<ApiParts['http']['tls']>

function handshakes({ clients, requireClientCert }: HttpTls): {
  handshakeTimeout: number
  requestCert: boolean
  rejectUnauthorized: boolean
} {
  return { handshakeTimeout: LIMITS.tls.handshakeMs, requestCert: clients, rejectUnauthorized: requireClientCert }
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
