// The service's own settings: fenghuo.yaml under the environment, read once into a frozen Config.
// Every key has a default, so an empty file is valid; the environment wins over the file.

import path from 'node:path'
import type { z } from 'zod'
import type { OidcSettings } from '../../access/oidc.ts'
import type { ChannelSettings } from '../../alerts/channels/settings.ts'
import type { InfluxSettings } from '../../history/influxSettings.ts'
import type { UpstreamSettings } from '../../ingest/upstreamSettings.ts'
import { parseDuration } from '../../platform/duration.ts'
import { problem } from '../../platform/problem.ts'
import { type OutgoingConfig, readChannels, readOutgoing } from './channels.ts'
import type { Findings } from './findings.ts'
import { readOidc } from './oidc.ts'
import { serviceShape } from './serviceShape.ts'
import { hasShape } from './shapes.ts'
import { readSource, type SourceFile } from './source.ts'
import { checkPorts, type MqttTlsSettings, readTls, type TlsSettings } from './tls.ts'
import { readUpstream } from './upstream.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Config {
  /** The plant folder. */
  readonly folder: string
  /** The data folder, absolute. */
  readonly data: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly clockSkewMs: number
  readonly http: {
    readonly host: string
    readonly port: number
    /** HTTPS; null: plain. */
    readonly tls: TlsSettings | null
    /** Addresses and networks of proxies whose X-Forwarded headers are believed. */
    readonly trustProxy: readonly string[]
  }
  readonly mqtt: {
    readonly enabled: boolean
    readonly host: string
    readonly port: number
    /** False: only the port with TLS is opened. */
    readonly plain: boolean
    readonly tls: MqttTlsSettings | null
    /** An external broker instead of the embedded one. */
    readonly url: string | null
    readonly upstream: UpstreamSettings | null
  }
  /** What of the journal is kept, at most. `copy`: everything acknowledged stands in PostgreSQL too. */
  readonly journal: { readonly bytes: number; readonly ageMs: number; readonly copy: boolean }
  readonly history: {
    readonly retentionDays: number
    readonly memoryMb: number
    readonly threads: number
    readonly influx: InfluxSettings | null
  }
  /** The file that the daily anchors of the audit log are appended to, absolute. */
  readonly audit: { readonly anchors: string }
  /** Sign-in elsewhere, beside local accounts; null: there are only local ones. */
  readonly oidc: OidcSettings | null
  /** PostgreSQL instead of the embedded SQLite. */
  readonly state: { readonly url: string | null }
  /** Redis (BullMQ) instead of the embedded notification queue. */
  readonly notifications: {
    readonly redis: string | null
    /** Where phones reach this service, without a slash at its end; null: messages carry no links. */
    readonly publicUrl: string | null
    /** Ids of people and teams who are told of faults of this service itself. */
    readonly faultsTo: readonly string[]
    /** Whether whoever answers by SMS is told what was made of it. */
    readonly answersBack: boolean
    /** Who sends: the service, delivery workers (`fenghuo courier`), or both. */
    readonly deliver: 'here' | 'workers' | 'both'
  }
  /** Called as long as the service is well; null: nobody outside watches. */
  readonly deadMan: { readonly url: string; readonly everyMs: number } | null
  /** What may be called from here. */
  readonly outgoing: OutgoingConfig
  /** The ways of reaching people, in the order in which they are tried; secrets do not show. */
  readonly channels: readonly ChannelSettings[]
  /** The password of the first user, `admin`; null: one is generated and printed once. From the environment only. */
  readonly adminPassword: string | null
}

/** The environment variables that stand over a key of fenghuo.yaml (contract 2). */
export const SERVICE_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  FENGHUO_DATA: ['data'],
  FENGHUO_HTTP_HOST: ['http', 'host'],
  FENGHUO_HTTP_PORT: ['http', 'port'],
  FENGHUO_MQTT_HOST: ['mqtt', 'host'],
  FENGHUO_MQTT_PORT: ['mqtt', 'port'],
  FENGHUO_MQTT_URL: ['mqtt', 'url'],
  FENGHUO_MQTT_USERNAME: ['mqtt', 'broker', 'username'],
  FENGHUO_MQTT_PASSWORD: ['mqtt', 'broker', 'password'],
  FENGHUO_INFLUX_URL: ['history', 'influx', 'url'],
  FENGHUO_INFLUX_DATABASE: ['history', 'influx', 'database'],
  FENGHUO_INFLUX_TOKEN: ['history', 'influx', 'token'],
  FENGHUO_INFLUX_ORG: ['history', 'influx', 'org'],
  FENGHUO_POSTGRES_URL: ['state', 'url'],
  FENGHUO_REDIS_URL: ['notifications', 'redis']
}

const MS_PER_DAY = 86_400_000
const SIZE_UNITS: Readonly<Record<string, number>> = {
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  kiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40
}

/**
 * Reads the service's settings. `file` null: a plant folder without fenghuo.yaml, all defaults. Null where there is a
 * problem. An empty variable counts as unset.
 */
export function readService(folder: string, file: string | null, env: Environment, findings: Findings): Config | null {
  const source = file === null ? null : readSource(file, findings)
  if (file !== null && source === null) return null
  const written = source?.value ?? {}
  if (source !== null && !hasShape(serviceShape, written, 'the service', source, [], findings)) {
    // What else is wrong is said in the same run.
    const { channels } = (written ?? {}) as { readonly channels?: unknown }
    if (Array.isArray(channels)) readChannels(channels, source, env, findings)
    return null
  }
  const overridden = withEnvironment(structuredClone(written) as Mapping, env)
  const outcome = serviceShape.safeParse(overridden)
  if (!outcome.success) {
    // The file alone was right, so what is left comes from the environment.
    for (const issue of outcome.error.issues) reportVariable(issue.path, issue.message, env, findings)
    return null
  }
  return freeze(outcome.data, folder, source, env, findings)
}

type Mapping = Record<string, unknown>

function withEnvironment(settings: Mapping, env: Environment): Mapping {
  for (const [variable, keys] of Object.entries(SERVICE_VARIABLES)) {
    const text = env[variable]
    if (text === undefined || text === '') continue
    // A database or a token without an address does not turn InfluxDB on.
    if (keys[1] === 'influx' && !env.FENGHUO_INFLUX_URL && (settings.history as Mapping | undefined)?.influx === undefined) continue
    let here = settings
    for (const key of keys.slice(0, -1)) here = (here[key] ??= {}) as Mapping
    here[keys.at(-1) as string] = keys.at(-1) === 'port' && /^\d+$/.test(text) ? Number(text) : text
  }
  return settings
}

function reportVariable(steps: readonly PropertyKey[], message: string, env: Environment, findings: Findings): void {
  const variable = Object.entries(SERVICE_VARIABLES).find(([, keys]) => keys.join() === steps.join())?.[0]
  const shown = variable === undefined || /TOKEN|URL|PASSWORD/.test(variable) ? '' : `, not "${env[variable]}"`
  findings.problem(problem(`the environment variable ${variable ?? steps.join('.')} ${message}${shown}`))
}

function freeze(
  settings: z.output<typeof serviceShape>,
  folder: string,
  source: SourceFile | null,
  env: Environment,
  findings: Findings
): Config | null {
  const before = findings.problems.length
  const secret = (text: string | undefined, keys: readonly string[]): string | null => {
    if (text === undefined) return null
    if (!text.startsWith('env:')) return text
    const name = text.slice(4)
    const value = env[name]
    if (value === undefined || value === '') {
      findings.problem(problem(`${keys.join('.')} names the environment variable ${name}, which is not set`, source?.place(keys) ?? null))
      return null
    }
    return value
  }
  const tls = (where: 'http' | 'mqtt'): TlsSettings | null =>
    readTls(settings[where].tls, secret(settings[where].tls?.passphrase, [where, 'tls', 'passphrase']), where, folder, source, findings)
  const { host: mqttHost, tls: written } = settings.mqtt
  const mqttFiles = tls('mqtt')
  const mqttUrl = secret(settings.mqtt.url, ['mqtt', 'url'])
  const mqttTls =
    mqttFiles === null || written === undefined
      ? null
      : Object.freeze({
          ...mqttFiles,
          host: written.host ?? mqttHost,
          port: written.port,
          gatewayName: written.gatewayName,
          secretToo: written.secretToo
        })
  const { influx } = settings.history
  const { broker, ...mqtt } = settings.mqtt
  const retentionDays = days(settings.history.keep, source, findings)
  const config: Config = {
    folder,
    data: path.resolve(settings.data),
    logLevel: settings.logLevel,
    clockSkewMs: parseDuration(settings.clockSkew) as number,
    http: Object.freeze({ ...settings.http, trustProxy: Object.freeze(settings.http.trustProxy), tls: tls('http') }),
    mqtt: Object.freeze({
      ...mqtt,
      tls: mqttTls,
      url: mqttUrl,
      upstream: readUpstream(mqttUrl, broker, secret, folder, source, findings)
    }),
    journal: Object.freeze({
      bytes: parseSize(settings.journal.keepBytes),
      ageMs: parseDuration(settings.journal.keep) as number,
      copy: copies(settings.journal.copy, settings.state.url, source, findings)
    }),
    history: Object.freeze({
      retentionDays,
      memoryMb: Math.max(1, Math.floor(parseSize(settings.history.memory) / 1e6)),
      threads: settings.history.threads,
      influx:
        influx === undefined
          ? null
          : Object.freeze({
              url: secret(influx.url, ['history', 'influx', 'url']) ?? '',
              database: influx.database,
              token: secret(influx.token, ['history', 'influx', 'token']),
              api: influx.api,
              org: influx.org
            })
    }),
    audit: Object.freeze({ anchors: path.resolve(settings.audit.anchors ?? path.join(settings.data, 'audit-anchors.ndjson')) }),
    oidc: readOidc(settings.oidc, secret(settings.oidc?.clientSecret, ['oidc', 'clientSecret']), source, findings),
    state: Object.freeze({ url: secret(settings.state.url, ['state', 'url']) }),
    notifications: Object.freeze({
      redis: secret(settings.notifications.redis, ['notifications', 'redis']),
      publicUrl: secret(settings.notifications.publicUrl, ['notifications', 'publicUrl'])?.replace(/\/+$/, '') ?? null,
      faultsTo: Object.freeze(settings.notifications.faultsTo),
      answersBack: settings.notifications.answersBack,
      deliver: deliverBy(settings, source, findings)
    }),
    deadMan:
      settings.deadMan === undefined
        ? null
        : Object.freeze({
            url: secret(settings.deadMan.url, ['deadMan', 'url']) ?? '',
            everyMs: parseDuration(settings.deadMan.every) as number
          }),
    outgoing: readOutgoing(settings.outgoing, folder, source, findings),
    channels: Object.freeze(source === null ? [] : readChannels(settings.channels, source, env, findings)),
    adminPassword: env.FENGHUO_ADMIN_PASSWORD || null
  }
  checkPorts(config, source, findings)
  return findings.problems.length > before ? null : Object.freeze(config)
}

/** Delivery workers share the outbox in PostgreSQL and the queue on Redis. */
function deliverBy(settings: z.output<typeof serviceShape>, source: SourceFile | null, findings: Findings): 'here' | 'workers' | 'both' {
  const { deliver, redis } = settings.notifications
  if (deliver === 'workers' && (redis === undefined || settings.state.url === undefined)) {
    const missing = [
      ...(settings.state.url === undefined ? ['state.url (FENGHUO_POSTGRES_URL)'] : []),
      ...(redis === undefined ? ['notifications.redis (FENGHUO_REDIS_URL)'] : [])
    ]
    const sentence = `notifications.deliver is workers, but they need PostgreSQL and Redis: set ${missing.join(' and ')}, or write deliver: here`
    findings.problem(problem(sentence, source?.place(['notifications', 'deliver']) ?? null))
  }
  return deliver
}

/** Bytes of a size text such as 256MB (decimal) or 512MiB (binary). */
function parseSize(text: string): number {
  const [, amount, unit] = /^([\d.]+)(.+)$/.exec(text) ?? []
  return Math.round(Number(amount) * (SIZE_UNITS[unit ?? ''] ?? 1))
}

/** Without PostgreSQL there is nowhere to copy the journal to. */
function copies(written: boolean | undefined, state: string | undefined, source: SourceFile | null, findings: Findings): boolean {
  if (written === true && state === undefined) {
    findings.problem(
      problem(
        'journal.copy is true, but the state is not in PostgreSQL, so there is nowhere to copy the journal to: set state.url (FENGHUO_POSTGRES_URL), or leave journal.copy out',
        source?.place(['journal', 'copy']) ?? null
      )
    )
  }
  return written ?? state !== undefined
}

function days(text: string, source: SourceFile | null, findings: Findings): number {
  const ms = parseDuration(text) ?? 0
  if (ms >= MS_PER_DAY && ms % MS_PER_DAY === 0) return ms / MS_PER_DAY
  findings.problem(
    problem(
      `history.keep must be a whole number of days such as 365d, not "${text}": one day is one file`,
      source?.place(['history', 'keep']) ?? null
    )
  )
  return 1
}
