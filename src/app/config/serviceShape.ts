// The shape of fenghuo.yaml, the service's own settings. Every key has a default. Messages as in schema.ts.

import { isIP } from 'node:net'
import { z } from 'zod'
import { TLS_VERSIONS } from '../../platform/certificate.ts'
import { channelListShape, outgoingShape } from './channelShapes.ts'
import { oidcShape } from './oidc.ts'
import { durationText, flag, id, longerThanNothing, plainText } from './schema.ts'
import { upstreamShape } from './upstream.ts'

const MUST_BE_SIZE = 'must be a size with a unit, such as 256MB, 4GB or 512MiB'
const sizeText = z.string({ error: MUST_BE_SIZE }).regex(/^\d+(\.\d+)?(k|M|G|T)i?B$/, { error: MUST_BE_SIZE })
const port = z
  .int({ error: 'must be a port number from 0 to 65535' })
  .min(0, { error: 'must be a port number from 0 to 65535' })
  .max(65535, { error: 'must be a port number from 0 to 65535' })
const MUST_BE_NETWORK = 'must be an address or a network such as 10.0.0.7 or 10.0.0.0/24'
const network = z.string({ error: MUST_BE_NETWORK }).refine(isNetwork, { error: MUST_BE_NETWORK })
const host = plainText.default('127.0.0.1')
/** Everybody is no network: then anybody could say to be anywhere. */
function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined) return false
  if (bits === undefined) return true
  return /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (family === 4 ? 32 : 128)
}
/** An address of one of these schemes (a pattern), or env:NAME. */
const address = (schemes: string, example: string) => {
  const error = `must be an address such as ${example}`
  return z.string({ error }).regex(new RegExp(`^(${schemes})://.+|^env:.+`), { error })
}

const pemFile = (what: string) => plainText.describe(`${what}, PEM; seen from the plant folder.`)
const tlsKeys = {
  cert: pemFile('The certificate and what leads from it to its root'),
  key: pemFile('Its private key'),
  passphrase: plainText.optional().describe('Of an encrypted key: env:NAME.'),
  clientCa: pemFile('Who signs the certificates of clients, which are then asked for').optional(),
  crl: pemFile('Certificates of clients that no longer count').optional(),
  requireClientCert: flag.default(true).describe('With clientCa: false also lets in whoever has no certificate, by other credentials.'),
  minVersion: z.enum(TLS_VERSIONS, { error: 'must be TLSv1.2 or TLSv1.3: older ones are broken' }).default('TLSv1.2')
}

export const serviceShape = z
  .strictObject({
    data: plainText.default('data').describe('The data folder, seen from the working directory.'),
    logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent'], { error: 'must be debug, info, warn, error or silent' }).default('info'),
    clockSkew: durationText.default('5m').describe('A time stamp further ahead of its receipt than this is replaced by the receipt.'),
    http: z
      .strictObject({
        host,
        port: port.default(8080),
        tls: z.strictObject(tlsKeys).optional().describe('HTTPS for API and console.'),
        trustProxy: z
          .array(network, { error: 'must be a list of addresses and networks' })
          .default([])
          .describe('Proxies whose X-Forwarded-For, -Proto and -Host are believed; nobody else is.')
      })
      .prefault({}),
    mqtt: z
      .strictObject({
        enabled: flag.default(true),
        host,
        port: port.default(1883),
        plain: flag.default(true).describe('false: only the port with TLS is opened.'),
        tls: z
          .strictObject({
            ...tlsKeys,
            host: plainText.optional().describe('Default: the host of mqtt.'),
            port: port.default(8883),
            gatewayName: z
              .enum(['cn', 'san'], { error: 'must be cn (common name of the subject) or san (DNS names of the subject alternatives)' })
              .default('cn')
              .describe('Where in its certificate the id of a gateway stands.'),
            secretToo: flag.default(false).describe('Whether a gateway with a certificate must give its secret all the same.')
          })
          .optional()
          .describe('MQTT with TLS.'),
        url: address('mqtts?|wss?|tcp', 'mqtt://host:1883').optional().describe('An external broker instead of the embedded one.'),
        broker: upstreamShape.prefault({}).describe('How we sign in to the external broker.')
      })
      .prefault({}),
    journal: z
      .strictObject({
        keep: longerThanNothing.default('30d').describe('Segments older than this are deleted, once everything has taken them in.'),
        keepBytes: sizeText.default('20GB').describe('The oldest segments beyond this are deleted, once everything has taken them in.'),
        copy: flag
          .optional()
          .describe(
            'Whether what is acknowledged stands in PostgreSQL too, for a standby with a data folder of its own. Default: true with PostgreSQL; false where both share one data folder.'
          )
      })
      .prefault({}),
    history: z
      .strictObject({
        keep: longerThanNothing.default('1095d').describe('Whole days; a closed day is one file.'),
        memory: sizeText.default('256MB'),
        threads: z
          .int({ error: 'must be a whole number from 1 to 64' })
          .min(1, { error: 'must be a whole number from 1 to 64' })
          .max(64, { error: 'must be a whole number from 1 to 64' })
          .default(1),
        influx: z
          .strictObject({
            url: address('https?', 'http://host:8086'),
            database: plainText.default('fenghuo').describe('Database, or bucket with api: v2.'),
            token: plainText.optional().describe('env:NAME, a token, or user:password of a server of 1.x.'),
            api: z
              .enum(['v1', 'v2'], { error: 'must be v1 (/write and /query: InfluxDB 1.x, 2.x, 3 Core) or v2 (/api/v2 with Flux)' })
              .default('v1')
              .describe('v1: /write and /query, served by InfluxDB 1.x, 2.x (with a DBRP mapping) and 3 Core. v2: /api/v2 with Flux.'),
            org: z
              .string({ error: 'must be text' })
              .default('')
              .describe('Organization of InfluxDB 2.x; needed by api: v2 and history setup.')
          })
          .optional()
          .describe('History in InfluxDB instead of the embedded store.')
      })
      .prefault({}),
    audit: z
      .strictObject({
        anchors: plainText
          .optional()
          .describe(
            'Where the daily anchors of the audit log are appended; best on the disk of another machine. Missing: in the data folder.'
          )
      })
      .prefault({}),
    oidc: oidcShape.optional().describe('Sign-in at an OpenID Connect provider, beside local accounts.'),
    state: z
      .strictObject({
        url: address('postgres(ql)?', 'postgres://host/fenghuo').optional().describe('State in PostgreSQL instead of the embedded SQLite.')
      })
      .prefault({}),
    notifications: z
      .strictObject({
        redis: address('rediss?', 'redis://host:6379').optional().describe('Notification queue on BullMQ instead of the embedded one.'),
        publicUrl: address('https?', 'https://alarms.example.com')
          .optional()
          .describe('Where phones reach this service: messages then carry a link to acknowledge by.'),
        faultsTo: z
          .array(id, { error: 'must be a list of ids of people and teams of duty.yaml' })
          .default([])
          .describe('People and teams of duty.yaml who are told of faults of this service itself.'),
        deliver: z
          .enum(['here', 'workers', 'both'], { error: 'must be here, workers or both' })
          .default('both')
          .describe('Who sends: the service (here), delivery workers (fenghuo courier; the service where none is there), or both.'),
        answersBack: flag.default(true).describe('Whether whoever answers by SMS is told in a short one what was made of it.')
      })
      .prefault({}),
    deadMan: z
      .strictObject({
        url: address('https?', 'https://watch.example.com/ping/fenghuo').describe(
          'Called while the service is well; who runs it raises the alarm when it falls silent.'
        ),
        every: longerThanNothing.default('1m')
      })
      .optional(),
    outgoing: outgoingShape.prefault({}),
    // Each entry by the shape of its kind and provider: channels.ts.
    channels: z.array(z.unknown(), { error: 'must be a list of channels' }).default([])
  })
  .meta({ title: 'Fenghuo service' })

/** For editors: with the shapes of the channels, which the service checks one by one. */
export const writtenServiceShape = serviceShape.extend({ channels: channelListShape.optional() }).meta({ title: 'Fenghuo service' })
