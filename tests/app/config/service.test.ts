import path from 'node:path'
import { expect, test } from 'vitest'
import { SERVICE_VARIABLES } from '../../../src/app/config/service.ts'
import type { Secret } from '../../../src/platform/secret.ts'
import { GOOD, lines, load } from './folders.ts'

test('an empty file is valid: every key has a default', () => {
  const { config, problems, warnings } = load(GOOD)
  expect([problems, warnings]).toEqual([[], []])
  expect(config).toEqual({
    folder: expect.stringContaining('fenghuo-config-'),
    data: path.resolve('data'),
    logLevel: 'info',
    clockSkewMs: 300_000,
    http: { host: '127.0.0.1', port: 8080, tls: null, trustProxy: [] },
    mqtt: { enabled: true, host: '127.0.0.1', port: 1883, plain: true, tls: null, url: null, upstream: null },
    journal: { bytes: 20e9, ageMs: 30 * 86_400_000, copy: false },
    history: { retentionDays: 1095, memoryMb: 256, threads: 1, influx: null },
    audit: { anchors: path.resolve('data/audit-anchors.ndjson') },
    oidc: null,
    state: { url: null },
    notifications: { redis: null, publicUrl: null, faultsTo: [], answersBack: true, deliver: 'both' },
    deadMan: null,
    outgoing: { allowPrivate: [], ca: null },
    channels: [],
    adminPassword: null
  })
})

test('what the file says holds', () => {
  const { config, problems } = load(
    {
      ...GOOD,
      'fenghuo.yaml': `data: /var/lib/fenghuo
logLevel: warn
clockSkew: 1m30s
http: { host: 0.0.0.0, port: 0 }
mqtt: { enabled: false, url: "mqtts://broker:8883" }
journal: { keep: 7d, keepBytes: 512MiB }
history: { keep: 30d, memory: 1GB, threads: 2, influx: { url: "http://influx:8086", token: "env:INFLUX" } }
`
    },
    { INFLUX: 't0ken' }
  )
  expect(problems).toEqual([])
  expect(config).toMatchObject({
    data: '/var/lib/fenghuo',
    logLevel: 'warn',
    clockSkewMs: 90_000,
    http: { host: '0.0.0.0', port: 0 },
    mqtt: { enabled: false, host: '127.0.0.1', url: 'mqtts://broker:8883' },
    journal: { bytes: 512 * 2 ** 20, ageMs: 7 * 86_400_000, copy: false },
    history: {
      retentionDays: 30,
      memoryMb: 1000,
      threads: 2,
      influx: { url: 'http://influx:8086', database: 'fenghuo', token: 't0ken', api: 'v1', org: '' }
    }
  })
})

test('the environment wins over the file', () => {
  const files = { ...GOOD, 'fenghuo.yaml': 'data: here\nhttp: { host: a, port: 1 }\nmqtt: { host: b, port: 2 }\n' }
  const { config, problems } = load(files, {
    FENGHUO_DATA: '/there',
    FENGHUO_HTTP_HOST: '0.0.0.0',
    FENGHUO_HTTP_PORT: '18080',
    FENGHUO_MQTT_HOST: '::1',
    FENGHUO_MQTT_PORT: '11883',
    FENGHUO_MQTT_URL: 'mqtt://broker',
    FENGHUO_INFLUX_URL: 'http://influx:8086',
    FENGHUO_INFLUX_DATABASE: 'plant',
    FENGHUO_INFLUX_TOKEN: 't',
    FENGHUO_INFLUX_ORG: 'city',
    FENGHUO_REDIS_URL: 'redis://redis',
    FENGHUO_POSTGRES_URL: 'postgres://db/fenghuo',
    FENGHUO_ADMIN_PASSWORD: 'correct horse'
  })
  expect(problems).toEqual([])
  expect(config).toMatchObject({
    data: '/there',
    http: { host: '0.0.0.0', port: 18080 },
    mqtt: { host: '::1', port: 11883, url: 'mqtt://broker' },
    history: { influx: { url: 'http://influx:8086', database: 'plant', token: 't', api: 'v1', org: 'city' } },
    notifications: { redis: 'redis://redis', publicUrl: null, faultsTo: [], answersBack: true, deliver: 'both' },
    state: { url: 'postgres://db/fenghuo' },
    adminPassword: 'correct horse'
  })
})

test('every variable that stands over a key does so', () => {
  const url: Record<string, string> = { mqtt: 'mqtt://x', history: 'http://x', state: 'postgres://x', notifications: 'redis://x' }
  for (const [variable, keys] of Object.entries(SERVICE_VARIABLES)) {
    const last = keys.at(-1) as string
    const value = last === 'port' ? '4242' : /url|redis/.test(last) ? (url[keys[0] as string] as string) : 'x'
    const env = { FENGHUO_INFLUX_URL: 'http://x', FENGHUO_MQTT_URL: 'mqtt://x', [variable]: value }
    let found: unknown = load(GOOD, env).config
    // What is said of the broker is read as one whole: where it is and how to sign in.
    for (const key of keys) found = (found as Record<string, unknown>)[key === 'broker' ? 'upstream' : key]
    if (last === 'password') found = (found as Secret).reveal()
    expect([variable, String(found)]).toEqual([variable, last === 'data' ? path.resolve('x') : value])
  }
})

test('an empty variable counts as unset', () => {
  const { config, problems } = load(GOOD, { FENGHUO_HTTP_PORT: '', FENGHUO_MQTT_URL: '', FENGHUO_ADMIN_PASSWORD: '' })
  expect(problems).toEqual([])
  expect([config?.http.port, config?.mqtt.url, config?.adminPassword]).toEqual([8080, null, null])
})

test('a wrong variable is named; what may hold a password is not shown', () => {
  const { config, problems } = load(GOOD, { FENGHUO_HTTP_PORT: 'eighty', FENGHUO_MQTT_PORT: '99999', FENGHUO_REDIS_URL: 'me:pw@redis' })
  expect(lines(problems)).toEqual([
    'the environment variable FENGHUO_HTTP_PORT must be a port number from 0 to 65535, not "eighty"',
    'the environment variable FENGHUO_MQTT_PORT must be a port number from 0 to 65535, not "99999"',
    'the environment variable FENGHUO_REDIS_URL must be an address such as redis://host:6379'
  ])
  expect(config).toBeNull()
})

test('the journal is copied where the state is in PostgreSQL, unless both instances share a data folder; elsewhere there is nowhere to copy it to', () => {
  const postgres = { FENGHUO_POSTGRES_URL: 'postgres://db/fenghuo' }
  const copied = (yaml: string, env: Record<string, string>) => load({ ...GOOD, 'fenghuo.yaml': yaml }, env)
  expect(
    [copied('', {}), copied('', postgres), copied('journal: { copy: false }\n', postgres)].map(({ config }) => config?.journal.copy)
  ).toEqual([false, true, false])
  const { config, problems } = copied('journal: { copy: true }\n', {})
  expect(config).toBeNull()
  expect(lines(problems)).toEqual([expect.stringContaining('fenghuo.yaml:1:18: journal.copy is true, but the state is not in PostgreSQL')])
})
