// mqtt.url and mqtt.broker: an external broker instead of the embedded one.

import path from 'node:path'
import { z } from 'zod'
import { parseBrokerUrl, type UpstreamSettings } from '../../ingest/upstreamSettings.ts'
import { LIMITS } from '../../platform/limits.ts'
import { problem } from '../../platform/problem.ts'
import { Secret } from '../../platform/secret.ts'
import type { Findings } from './findings.ts'
import { plainText } from './schema.ts'
import type { SourceFile } from './source.ts'

const MOST = LIMITS.upstream.connections
const MUST_BE_COUNT = `must be a whole number from 1 to ${MOST}`
const MUST_BE_PREFIX = 'must be 1 to 48 letters, digits, points, dashes or underscores'

export const upstreamShape = z.strictObject({
  username: plainText.optional().describe('Who we are to the external broker; also in its address.'),
  password: plainText.optional().describe('env:NAME, file:PATH (seen from the plant folder, read at every connection), or the password.'),
  ca: plainText.optional().describe('Whom to believe for mqtts:// and wss://, PEM; missing: the authorities of the system.'),
  cert: plainText.optional().describe('Our own certificate, PEM, where the broker asks for one.'),
  key: plainText.optional().describe('Its private key, PEM.'),
  connections: z
    .int({ error: MUST_BE_COUNT })
    .min(1, { error: MUST_BE_COUNT })
    .max(MOST, { error: MUST_BE_COUNT })
    .default(1)
    .describe('Sessions that share the gateways. With 1 everything below fh/1/ is heard, unknown gateways too.'),
  protocol: z
    .union([z.literal(4), z.literal(5)], { error: 'must be 5 (MQTT 5) or 4 (MQTT 3.1.1)' })
    .default(5)
    .describe('Which MQTT we speak to the broker; what gateways speak to it is their affair.'),
  clientId: z
    .string({ error: MUST_BE_PREFIX })
    .regex(/^[A-Za-z0-9._-]{1,48}$/, { error: MUST_BE_PREFIX })
    .default('fenghuo')
    .describe('Our client ids begin with it: fenghuo-p00 and so on. Two services at one broker need two.')
})

type Written = z.output<typeof upstreamShape>

/** Null where there is no external broker, or a problem, which is named. */
export function readUpstream(
  url: string | null,
  { username, password, ca, cert, key, connections, protocol, clientId }: Written,
  secret: (text: string | undefined, keys: readonly string[]) => string | null,
  folder: string,
  source: SourceFile | null,
  findings: Findings
): UpstreamSettings | null {
  if (url === null) return null
  const wrong = (name: string, sentence: string): null => {
    findings.problem(problem(`mqtt.${name} ${sentence}`, source?.place(['mqtt', ...name.split('.')]) ?? null))
    return null
  }
  const parsed = parseBrokerUrl(url)
  if (parsed === null) return wrong('url', 'must be an address such as mqtt://host:1883, mqtts://host, ws://host/mqtt or wss://host/mqtt')
  const { scheme } = parsed.address
  const isSecure = scheme === 'mqtts' || scheme === 'wss'
  if (!isSecure && (ca ?? cert ?? key) !== undefined)
    return wrong('broker', 'names files for a secure connection, and mqtt.url is without one: write mqtts:// or wss://')
  if ((cert === undefined) !== (key === undefined)) return wrong('broker', 'needs both cert and key, or neither')
  const file = (name: string | undefined): string | null => (name === undefined ? null : path.resolve(folder, name))
  const isFile = password?.startsWith('file:') ?? false
  const text = isFile ? null : secret(password, ['mqtt', 'broker', 'password'])
  const own = text ?? (parsed.password === '' ? null : parsed.password)
  return Object.freeze({
    address: parsed.address,
    username: username ?? (parsed.username === '' ? null : parsed.username),
    password: own === null ? null : new Secret(own),
    passwordFile: isFile ? path.resolve(folder, (password as string).slice('file:'.length)) : null,
    ...{ ca: file(ca), cert: file(cert), key: file(key), connections, protocol, clientId }
  })
}
