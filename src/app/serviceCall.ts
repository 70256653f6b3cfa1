// What commands ask of the running service, over its API.

import { messageOf, Refusal } from '../platform/problem.ts'
import type { Environment } from './config/service.ts'
import { configured } from './configured.ts'

/** Nobody answers there, or nobody who can at the moment. */
export class Unreachable extends Refusal {}

export interface Sent {
  readonly type: string
  readonly body: string | Uint8Array
}

export interface Answered {
  readonly ok: boolean
  readonly body: Record<string, unknown>
  /** Why it was not done, for people. */
  readonly refusal: Refusal
}

/** A GET, or with something to send a POST. Throws an Unreachable whose sentence ends with `todo`. */
export async function askService(base: string, token: string, path: string, sent: Sent | null, todo: string): Promise<Answered> {
  const authorization = `Bearer ${token}`
  let response: Response
  try {
    response = await fetch(new URL(`/api/v1/${path}`, base), {
      headers: sent === null ? { authorization } : { authorization, 'content-type': sent.type },
      ...(sent === null ? {} : { method: 'POST', body: typeof sent.body === 'string' ? sent.body : Buffer.from(sent.body) })
    })
  } catch (cause) {
    const why = messageOf((cause as { cause?: unknown }).cause ?? cause)
    throw new Unreachable(`The service at ${base} cannot be reached: ${why}. ${todo}`, { cause })
  }
  const body = (await response.json().catch(() => null)) as Record<string, unknown> | null
  const sentence = `The service at ${base} refuses: ${String(body?.detail ?? `it answers ${response.status}`)}`
  const refusal = response.status === 503 ? new Unreachable(sentence) : new Refusal(sentence)
  return { ok: response.ok && body !== null, body: body ?? {}, refusal }
}

/** Where the service of this configuration is reached from this machine. */
export function serviceAddress(config: string, env: Environment): string {
  const { host, port, tls } = configured(config, env).config.http
  const reached = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `${tls === null ? 'http' : 'https'}://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}
