// Why a connection to a broker is not there, as a sentence for whoever runs the service. No secret is ever part of one.

import { messageOf } from './problem.ts'

/**
 * - away: nobody answers. - credentials, rights, protocol, tls, clientId: it must be set right before it can work.
 * - takenOver: another client uses our id. - closed: without a reason.
 */
export type LossKind = 'away' | 'credentials' | 'rights' | 'protocol' | 'tls' | 'clientId' | 'takenOver' | 'closed' | 'malformed' | 'limits'

export interface Loss {
  readonly kind: LossKind
  /** The end of a sentence that begins with the broker's name: "nobody answers there". */
  readonly sentence: string
}

interface Party {
  readonly clientId: string
  readonly protocol: 4 | 5
  readonly credentials: { readonly username: string | null }
}

/** What a failed connection attempt, or an error on a connection, means. */
export function connectLoss(error: Error & { code?: unknown }, party: Party): Loss {
  const { code } = error
  if (typeof code === 'number') return refusedLoss(code, party)
  if (typeof code === 'string') return failedLoss(code, error)
  if (/keepalive/i.test(error.message)) return { kind: 'away', sentence: 'it has not answered for too long' }
  if (/connack timeout/i.test(error.message)) return { kind: 'away', sentence: 'it takes the connection and does not answer' }
  const refused = /Unexpected server response: (\d+)/.exec(error.message)?.[1]
  if (refused !== undefined) return { kind: 'away', sentence: `it answers ${refused} where MQTT over WebSocket is expected` }
  if (/TLS|SSL|certificate/i.test(error.message)) return tlsLoss(error.message)
  return { kind: 'closed', sentence: `the connection failed (${messageOf(error)})` }
}

/** Codes of CONNACK: 3.1.1 below 6, MQTT 5 from 128. */
function refusedLoss(code: number, { clientId, protocol, credentials: { username } }: Party): Loss {
  const who = username === null ? 'a client without a user name' : `the user ${username}`
  switch (code) {
    case 1:
    case 132:
      return protocol === 5
        ? { kind: 'protocol', sentence: 'it does not speak MQTT 5: set mqtt.broker.protocol to 4' }
        : { kind: 'protocol', sentence: 'it does not speak MQTT 3.1.1' }
    case 2:
    case 133:
      return { kind: 'clientId', sentence: `it refuses the client id ${clientId}` }
    case 4:
    case 134:
      return {
        kind: 'credentials',
        sentence: `it refuses the user name or password of ${who}: correct mqtt.broker.username and mqtt.broker.password`
      }
    case 5:
    case 135:
      return {
        kind: 'credentials',
        sentence: `it does not let ${who} in: correct mqtt.broker.username and mqtt.broker.password, or its rights there`
      }
    case 138:
      return { kind: 'credentials', sentence: `it has banned ${who}` }
    case 3:
    case 136:
    case 137:
      return { kind: 'away', sentence: 'it is there but takes no connections at the moment' }
    case 151:
    case 159:
      return { kind: 'limits', sentence: 'it takes no more connections of ours: its quota is used up' }
    default:
      return { kind: 'closed', sentence: `it refuses the connection (reason ${code})` }
  }
}

function failedLoss(code: string, error: Error): Loss {
  switch (code) {
    case 'ECONNREFUSED':
      return { kind: 'away', sentence: 'nobody answers there' }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { kind: 'away', sentence: 'its host is not known by that name' }
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return { kind: 'away', sentence: 'it cannot be reached from here' }
    case 'ECONNRESET':
    case 'EPIPE':
      return { kind: 'closed', sentence: 'the connection was cut' }
    default:
      return /CERT|SSL|TLS|SIGNATURE|SELF_SIGNED|ISSUER/.test(code)
        ? tlsLoss(messageOf(error))
        : { kind: 'closed', sentence: `the connection failed (${messageOf(error)})` }
  }
}

function tlsLoss(message: string): Loss {
  return {
    kind: 'tls',
    sentence: `no secure connection comes about (${message}): see mqtt.broker.ca, mqtt.broker.cert and mqtt.broker.key, and the broker's own certificate`
  }
}

/** What a broker's DISCONNECT (MQTT 5) means. */
export function disconnectLoss(reason: number, { clientId }: { readonly clientId: string }): Loss {
  switch (reason) {
    case 0x8e:
      return { kind: 'takenOver', sentence: `another client has signed in with our client id ${clientId}` }
    case 0x87:
      return { kind: 'rights', sentence: 'it closed the connection: we may not do what we asked for' }
    case 0x8b:
      return { kind: 'away', sentence: 'it is shutting down' }
    case 0x93:
    case 0x95:
    case 0x96:
    case 0x97:
      return { kind: 'limits', sentence: `it closed the connection because a limit of it was exceeded (reason ${reason})` }
    case 0x8d:
      return { kind: 'away', sentence: 'it has not heard of us for too long' }
    default:
      return { kind: 'closed', sentence: `it closed the connection (reason ${reason})` }
  }
}
