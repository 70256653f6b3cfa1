// The broker's port with TLS, spoken to by real TLS and MQTT clients: who is let in by a certificate and who is not, that the
// bounds of the plain port hold, and that certificates and revocation lists change while connections go on.

import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { generate } from 'mqtt-packet'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { Broker } from '../../src/ingest/broker.ts'
import type { BrokerTls } from '../../src/ingest/brokerPorts.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import type { Log } from '../../src/platform/log.ts'
import { Metrics } from '../../src/platform/metrics.ts'
import { ServedCertificate } from '../../src/platform/servedCertificate.ts'
import { Authority, type Issued } from '../authority.ts'
import { HandJournal, WAIT } from './brokerHarness.ts'

let folder: string
let ca: Authority
let foreign: Authority
let server: Issued
let next: Issued
const clients: Record<string, Issued> = {}
const open: { stop(): Promise<unknown> }[] = []

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-broker-tls-'))
  ca = new Authority(path.join(folder, 'ca'))
  foreign = new Authority(path.join(folder, 'foreign'), 'Somebody else')
  server = ca.issue('server', { san: 'DNS:localhost,IP:127.0.0.1' })
  next = ca.issue('next', { san: 'DNS:localhost,IP:127.0.0.1' })
  for (const id of ['gw-01', 'gw-02', 'gw-gone', 'gw-revoked']) clients[id] = ca.issue(id, { usage: 'clientAuth' })
  clients.san = ca.issue('san', { cn: 'gw-02', san: 'DNS:gw-01,DNS:gw-03' })
  clients.sly = ca.issue('sly', { cn: 'x', san: 'URI.1=urn:x, DNS:gw-01' })
  clients.nobody = ca.issue('nobody', { cn: null })
  clients.server = ca.issue('only-server', { cn: 'gw-01', usage: 'serverAuth' })
  clients.old = ca.issue('old', { cn: 'gw-01', from: new Date(Date.now() - 9e9), to: new Date(Date.now() - 1e9) })
  clients.foreign = foreign.issue('gw-01')
})

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop()
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Setting {
  readonly broker: Broker
  readonly certificate: ServedCertificate
  /** Where the port's certificate lies. */
  readonly here: string
  readonly journal: HandJournal
  readonly sentences: string[]
  readonly port: number
  readonly plainPort: number
  readonly gateways: Set<string>
}

const secrets: Record<string, string> = { 'gw-01': 'one', 'gw-02': 'two', 'gw-03': 'three', 'gw-revoked': 'four' }

async function serving(
  changes: Partial<BrokerTls> & { clientCa?: string | null; crl?: string | null; plain?: boolean } = {}
): Promise<Setting> {
  const { clientCa = ca.cert, crl = null, plain = true, ...tls } = changes
  const here = mkdtempSync(path.join(folder, 'port-'))
  const files = {
    cert: path.join(here, 'tls.crt'),
    key: path.join(here, 'tls.key'),
    passphrase: null,
    clientCa,
    crl,
    minVersion: 'TLSv1.2' as const
  }
  copyFileSync(server.cert, files.cert)
  copyFileSync(server.key, files.key)
  const clock = new SystemClock()
  const sentences: string[] = []
  const say = (sentence: string): void => void sentences.push(sentence.replaceAll(/127\.0\.0\.1:\d+/g, 'HERE'))
  const log: Log = { debug: say, info: say, warn: say, error: say }
  const certificate = new ServedCertificate({ what: 'the MQTT port', files, clock, log })
  await certificate.start()
  const journal = new HandJournal(true)
  const gateways = new Set(Object.keys(secrets))
  const broker = new Broker({
    ...{ host: '127.0.0.1', port: 0, plain, clock, log, metrics: new Metrics(), journal },
    authenticate: async (id, secret) => gateways.has(id) && secrets[id] === secret,
    standing: (id) => gateways.has(id),
    tls: {
      ...{ host: '127.0.0.1', port: 0, certificate, clients: clientCa !== null, requireClientCert: clientCa !== null },
      ...{ gatewayName: 'cn', secretToo: false, ...tls }
    }
  })
  await broker.start()
  open.push(certificate, broker)
  return {
    broker,
    certificate,
    here,
    journal,
    sentences,
    port: broker.tlsAddress?.port ?? 0,
    plainPort: broker.address?.port ?? 0,
    gateways
  }
}

/** Signs in by mqtt.js; answers the client, or the return code or reason it was refused with. */
async function enter(port: number, issued?: Issued, more: IClientOptions = {}): Promise<MqttClient | string> {
  const own = issued === undefined ? {} : { cert: readFileSync(issued.cert), key: readFileSync(issued.key) }
  const client = connect({
    protocol: 'mqtts',
    host: '127.0.0.1',
    port,
    ca: readFileSync(ca.cert),
    reconnectPeriod: 0,
    connectTimeout: 5_000,
    ...own,
    ...more
  })
  open.push({ stop: () => client.endAsync(true) })
  return new Promise((resolve) => {
    let reason = 'closed'
    client.on('connect', () => resolve(client))
    client.on('error', (cause: Error & { code?: unknown }) => {
      if (typeof cause.code === 'number') reason = `code ${cause.code}`
    })
    client.on('close', () => resolve(reason))
  })
}

async function entered(port: number, issued?: Issued, more?: IClientOptions): Promise<MqttClient> {
  const client = await enter(port, issued, more)
  if (typeof client === 'string') throw new Error(`refused: ${client}`)
  return client
}

function gone(client: MqttClient): Promise<void> {
  return new Promise((resolve) => void client.once('close', resolve))
}

/** What the port presents, by node:tls. */
async function presented(port: number, options: object = {}): Promise<{ cn: string; version: string | null; socket: TLSSocket }> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
  open.push({ stop: async () => void socket.destroy() })
  await new Promise<void>((resolve, reject) => void socket.once('secureConnect', resolve).once('error', reject))
  return { cn: String(socket.getPeerCertificate().subject.CN), version: socket.getProtocol(), socket }
}

it('signs a gateway in by its certificate, with or without its name, and takes what it publishes as its own', async () => {
  const { port, broker, journal, plainPort } = await serving()
  const named = await entered(port, clients['gw-01'], { username: 'gw-01', clientId: 'a' })
  const unnamed = await entered(port, clients['gw-02'], { clientId: 'a' })
  expect(broker.connections().map(({ gateway, clientId }) => `${gateway} ${clientId}`)).toEqual(['gw-01 a', 'gw-02 a'])
  await named.publishAsync('fh/1/gw-01/telemetry', '{"n":1}', { qos: 1 })
  await unnamed.publishAsync('fh/1/gw-02/telemetry', '{"n":2}', { qos: 1 })
  expect(journal.of('telemetry')).toEqual(['telemetry fh/1/gw-01/telemetry {"n":1}', 'telemetry fh/1/gw-02/telemetry {"n":2}'])
  // The plain port beside it goes on by secrets.
  const plain = await entered(plainPort, undefined, { protocol: 'mqtt', username: 'gw-03', password: 'three', clientId: 'p' })
  await plain.publishAsync('fh/1/gw-03/telemetry', '{"n":3}', { qos: 1 })
  expect(journal.of('telemetry').at(-1)).toBe('telemetry fh/1/gw-03/telemetry {"n":3}')
  unnamed.publish('fh/1/gw-01/telemetry', '{"n":4}', { qos: 1 })
  await gone(unnamed)
  expect(journal.of('telemetry').length).toBe(3)
})

it('refuses a certificate that names another gateway, no gateway, or one that is not in the plant', async () => {
  const { port, sentences, gateways } = await serving()
  expect(await enter(port, clients['gw-02'], { username: 'gw-01', clientId: 'a' })).toBe('code 5')
  expect(await enter(port, clients['gw-02'], { username: 'gw-01', password: 'one', clientId: 'a' })).toBe('code 5')
  expect(await enter(port, clients.nobody, { clientId: 'a' })).toBe('code 5')
  expect(await enter(port, clients['gw-gone'], { clientId: 'a' })).toBe('code 4')
  expect(await enter(port, clients['gw-01'], { username: 'gw-01', password: 'wrong', clientId: 'a' })).toBe('code 4')
  expect(sentences.filter((sentence) => /turned away/.test(sentence))).toEqual([
    'gw-01 (HERE) was turned away: its certificate names gw-02, its user name another gateway.',
    'gw-01 (HERE) was turned away: its certificate names gw-02, its user name another gateway.',
    'HERE was turned away: it gave no user name, and its certificate names no gateway.',
    'gw-gone (HERE) was turned away: unknown gateway or wrong secret.',
    'gw-01 (HERE) was turned away: unknown gateway or wrong secret.'
  ])
  // Deleted from the plant, or its secret revoked: its certificate opens nothing any more.
  await entered(port, clients['gw-01'], { clientId: 'b' })
  gateways.delete('gw-01')
  expect(await enter(port, clients['gw-01'], { clientId: 'c' })).toBe('code 4')
})

it('turns away before MQTT whoever has no certificate, or one that does not count', async () => {
  const { port, sentences, broker } = await serving()
  for (const issued of [undefined, clients.foreign, clients.old, clients.server]) {
    expect(await enter(port, issued, { username: 'gw-01', password: 'one', clientId: 'a' })).toBe('closed')
  }
  expect(sentences).toEqual([
    'A connection from HERE was turned away: it has no certificate.',
    expect.stringMatching(/turned away: its certificate does not count \((DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|SELF_SIGNED\w+)\)/),
    'A connection from HERE was turned away: its certificate does not count (CERT_HAS_EXPIRED).',
    'A connection from HERE was turned away: its certificate does not count (INVALID_PURPOSE).'
  ])
  expect(broker.connections()).toEqual([])
})

it('reads names from the alternatives where it is told so, and nothing out of a name that only looks like several', async () => {
  const { port } = await serving({ gatewayName: 'san' })
  await entered(port, clients.san, { username: 'gw-03', clientId: 'a' })
  expect(await enter(port, clients.san, { username: 'gw-02', clientId: 'a' })).toBe('code 5')
  expect(await enter(port, clients.san, { clientId: 'a' })).toBe('code 5')
  expect(await enter(port, clients.sly, { username: 'gw-01', clientId: 'a' })).toBe('code 5')
  expect(await enter(port, clients['gw-01'], { username: 'gw-01', clientId: 'a' })).toBe('code 5')
})

it('wants the secret too where it is told so', async () => {
  const { port } = await serving({ secretToo: true })
  expect(await enter(port, clients['gw-01'], { username: 'gw-01', clientId: 'a' })).toBe('code 5')
  expect(await enter(port, clients['gw-01'], { username: 'gw-01', password: 'two', clientId: 'a' })).toBe('code 4')
  expect(await enter(port, clients['gw-02'], { username: 'gw-01', password: 'one', clientId: 'a' })).toBe('code 5')
  await entered(port, clients['gw-01'], { username: 'gw-01', password: 'one', clientId: 'a' })
})

it('lets in by secret whoever has no certificate, where none is required; one that does not count is refused all the same', async () => {
  const { port } = await serving({ requireClientCert: false })
  await entered(port, undefined, { username: 'gw-01', password: 'one', clientId: 'a' })
  await entered(port, clients['gw-02'], { clientId: 'b' })
  expect(await enter(port, undefined, { username: 'gw-01', password: 'two', clientId: 'c' })).toBe('code 4')
  expect(await enter(port, undefined, { clientId: 'd' })).toBe('code 5')
  expect(await enter(port, clients.foreign, { username: 'gw-01', password: 'one', clientId: 'e' })).toBe('closed')
})

it('serves a new certificate to new connections while the old ones go on', async () => {
  const { port, certificate, journal, here } = await serving({ clientCa: null })
  const before = await entered(port, undefined, { username: 'gw-01', password: 'one', clientId: 'a' })
  expect((await presented(port)).cn).toBe('server')
  copyFileSync(next.cert, path.join(here, 'tls.crt'))
  copyFileSync(next.key, path.join(here, 'tls.key'))
  await certificate.look(true)
  expect((await presented(port)).cn).toBe('next')
  await before.publishAsync('fh/1/gw-01/telemetry', 'still here', { qos: 1 })
  expect(journal.of('telemetry')).toEqual(['telemetry fh/1/gw-01/telemetry still here'])
  await entered(port, undefined, { username: 'gw-02', password: 'two', clientId: 'a' })
})

it('cuts off who is revoked by a new list, at once, and nobody else; a session cannot be resumed past it', async () => {
  const crl = path.join(folder, 'current.crl')
  copyFileSync(ca.list('empty.pem'), crl)
  const { port, certificate, sentences } = await serving({ crl })
  const stays = await entered(port, clients['gw-01'], { clientId: 'a' })
  const goes = await entered(port, clients['gw-revoked'], { clientId: 'a' })
  const own = { cert: readFileSync((clients['gw-revoked'] as Issued).cert), key: readFileSync((clients['gw-revoked'] as Issued).key) }
  const { socket } = await presented(port, { ...own, maxVersion: 'TLSv1.2' })
  const again = await presented(port, { ...own, maxVersion: 'TLSv1.2', session: socket.getSession() })
  expect(again.socket.isSessionReused()).toBe(false)
  ca.revoke(clients['gw-revoked'] as Issued)
  copyFileSync(ca.list('revoking.pem'), crl)
  const cut = gone(goes)
  await certificate.look(true)
  await cut
  // Also the two that have not signed in.
  expect(sentences.filter((sentence) => /was disconnected/.test(sentence))).toEqual([
    'gw-revoked (HERE) was disconnected: its certificate was revoked.',
    'HERE was disconnected: its certificate was revoked.',
    'HERE was disconnected: its certificate was revoked.'
  ])
  expect(await enter(port, clients['gw-revoked'], { clientId: 'b' })).toBe('closed')
  expect(stays.connected).toBe(true)
})

it('speaks nothing older than TLS 1.2, and 1.3 where both can', async () => {
  const { port, sentences } = await serving({ clientCa: null })
  await expect(presented(port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow(
    /alert|version|protocol/i
  )
  expect((await presented(port, { maxVersion: 'TLSv1.2' })).version).toBe('TLSv1.2')
  expect((await presented(port)).version).toBe('TLSv1.3')
  await vi.waitFor(() => expect(sentences[0]).toMatch(/^TLS with HERE failed: .*(version|protocol)/), WAIT)
})

it('opens no plain port where it is told so', async () => {
  const { broker } = await serving({ plain: false })
  expect([broker.address, broker.tlsAddress?.host]).toEqual([null, '127.0.0.1'])
})

it('holds the packet guard on the port with TLS as on the plain one', async () => {
  const { port, sentences } = await serving({ clientCa: null })
  const hello = generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: 'a',
    keepalive: 0,
    username: 'gw-01',
    password: Buffer.from('one')
  })
  const said = async (bytes: Buffer): Promise<void> => {
    const { socket } = await presented(port)
    const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()))
    socket.on('error', () => socket.destroy())
    socket.resume()
    socket.write(bytes)
    await closed
  }
  await said(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await said(Buffer.concat([hello, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])]))
  await said(Buffer.from([0x10, 0xff, 0xff, 0x7f]))
  expect(sentences.filter((sentence) => /was disconnected/.test(sentence))).toEqual([
    'HERE was disconnected: the first packet is not CONNECT.',
    'gw-01 (HERE) was disconnected: a packet of 268435455 bytes was announced; the limit is 1048576.',
    `HERE was disconnected: a packet of 2097151 bytes was announced; the limit is ${LIMITS.mqtt.connectBytes}.`
  ])
})

it('closes the oldest of many connections that never finish their handshake, and lets gateways in meanwhile', async () => {
  const { port, sentences } = await serving({ clientCa: null })
  const idle = Array.from({ length: LIMITS.mqtt.strangers }, () => connectPlain({ host: '127.0.0.1', port }).on('error', () => undefined))
  open.push({ stop: async () => idle.forEach((socket) => void socket.destroy()) })
  const oldestGone = Promise.race(idle.map((socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve()))))
  await Promise.all(idle.map((socket) => new Promise((resolve) => void socket.once('connect', resolve))))
  await entered(port, undefined, { username: 'gw-01', password: 'one', clientId: 'a' })
  await oldestGone
  expect(sentences).toContain('A connection from HERE was closed: it is the oldest of many that never finished TLS.')
})
