// An external broker, as the configuration names it.

import { readFileSync } from 'node:fs'
import type { BrokerAddress, LinkCredentials } from '../platform/mqttLink.ts'
import { Refusal, whyNot } from '../platform/problem.ts'
import type { Secret } from '../platform/secret.ts'

export interface UpstreamSettings {
  readonly address: BrokerAddress
  readonly username: string | null
  readonly password: Secret | null
  /** Files, absolute; read at every connection, so what is renewed is used from the next one on. */
  readonly passwordFile: string | null
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
  readonly connections: number
  readonly protocol: 4 | 5
  /** Client ids begin with it. */
  readonly clientId: string
}

const DEFAULT_PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const

/** `mqtt://host:port`, for sentences: neither user nor password. */
export function shownAddress({ scheme, host, port, path }: BrokerAddress): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${scheme.startsWith('ws') ? path : ''}`
}

/** The parts of an address; null where it is none. `tcp` means `mqtt`. */
export function parseBrokerUrl(text: string): { address: BrokerAddress; username: string; password: string } | null {
  const url = URL.canParse(text) ? new URL(text) : null
  const scheme = url?.protocol.replace(/:$/, '').replace(/^tcp$/, 'mqtt') ?? ''
  if (url === null || url.hostname === '' || !(scheme in DEFAULT_PORTS)) return null
  const known = scheme as keyof typeof DEFAULT_PORTS
  const port = url.port === '' ? DEFAULT_PORTS[known] : Number(url.port)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  try {
    return {
      address: { scheme: known, host, port, path: `${url.pathname === '' ? '/' : url.pathname}${url.search}` },
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password)
    }
  } catch {
    return null
  }
}

/** Reads the files. Throws a Refusal that names the one that cannot be read. */
export function credentialsOf({ username, password, passwordFile, ca, cert, key }: UpstreamSettings): LinkCredentials {
  return {
    username,
    password:
      passwordFile === null ? (password?.reveal() ?? null) : fileOf(passwordFile, 'mqtt.broker.password').toString('utf8').trimEnd(),
    ca: ca === null ? null : fileOf(ca, 'mqtt.broker.ca'),
    cert: cert === null ? null : fileOf(cert, 'mqtt.broker.cert'),
    key: key === null ? null : fileOf(key, 'mqtt.broker.key')
  }
}

function fileOf(file: string, setting: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new Refusal(`${setting} names ${file}, which cannot be read: ${whyNot(cause)}.`, { cause })
  }
}
