// Whom the certificate of a connected client names. Invariant: only a certificate that TLS itself has verified names anybody.

import type { TLSSocket } from 'node:tls'
import { certificateNumber } from '../platform/der.ts'
import { GATEWAY_ID } from './brokerTopics.ts'

/** Where in its certificate a gateway's id stands: the subject's common name, or DNS names of the subject's alternatives. */
export type NamedBy = 'cn' | 'san'

/** A client with a verified certificate. */
export interface Peer {
  /** Gateways that it may sign in as. */
  readonly gateways: readonly string[]
  /** Issuer and serial number. */
  readonly number: string
}

/**
 * The client's certificate; null: it has none. `refused` says why what it has does not count. To be asked as long as the
 * connection lasts: afterwards nobody knows any more.
 */
export function peerOf(socket: TLSSocket, by: NamedBy): Peer | null | { readonly refused: string } {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return null
  if (!socket.authorized) return { refused: `its certificate does not count (${String(socket.authorizationError)})` }
  const gateways = by === 'cn' ? commonName(socket) : dnsNames(certificate.subjectAltName ?? '')
  return { gateways, number: certificateNumber(certificate.raw) }
}

/** Exactly one common name counts: of several nobody knows which one was looked at when it was issued. */
function commonName(socket: TLSSocket): string[] {
  const name: unknown = socket.getPeerCertificate().subject?.CN
  return typeof name === 'string' && GATEWAY_ID.test(name) ? [name] : []
}

function dnsNames(alternatives: string): string[] {
  // A quoted entry may hold a comma and look like several: then none counts.
  if (alternatives.includes('"')) return []
  return alternatives
    .split(', ')
    .filter((entry) => entry.startsWith('DNS:'))
    .map((entry) => entry.slice(4))
    .filter((name) => GATEWAY_ID.test(name))
}
