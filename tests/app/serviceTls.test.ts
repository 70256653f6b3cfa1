// The whole service with TLS: HTTPS with what browsers need to hear, gateways that sign in by certificate, certificates renewed
// while connections and live streams go on, and what health, metrics and the log say of them.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request } from 'node:https'
import path from 'node:path'
import { connect as connectTls } from 'node:tls'
import { connect, type MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Authority, type Issued } from '../authority.ts'
import { ADMIN_PASSWORD, LiveService, refusedStart } from '../liveService.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

const WAIT = { timeout: 10_000, interval: 20 }
const PASSPHRASE = 'the passphrase of the key'
/** Ten days and an hour from now. */
const SOON = new Date(Date.now() + 241 * 3_600_000)
let plant: TankPlant
let ca: Authority
let here: string
let data: string
let service: LiveService | null
const clients: MqttClient[] = []

beforeEach(() => {
  plant = tankPlant()
  data = path.join(plant.folder, 'data')
  here = path.join(plant.folder, 'plant', 'tls')
  mkdirSync(here)
  ca = new Authority(path.join(plant.folder, 'ca'))
  service = null
})

afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true)
  await service?.kill()
  plant.remove()
})

function put(name: string, { cert, key }: Issued): void {
  copyFileSync(cert, path.join(here, `${name}.crt`))
  copyFileSync(key, path.join(here, `${name}.key`))
}

const NAMES = 'DNS:localhost,IP:127.0.0.1'

function configure(): Record<string, string> {
  put('http', ca.issue('http-1', { san: NAMES, passphrase: PASSPHRASE }))
  put('mqtt', ca.issue('mqtt-1', { san: NAMES, to: SOON }))
  copyFileSync(ca.cert, path.join(here, 'ca.pem'))
  const file = path.join(plant.folder, 'passphrase')
  writeFileSync(file, `${PASSPHRASE}\n`)
  plant.write(
    'fenghuo.yaml',
    `http: { tls: { cert: tls/http.crt, key: tls/http.key, passphrase: "env:FENGHUO_HTTP_KEY_PASSPHRASE" } }
mqtt: { plain: false, tls: { port: 0, cert: tls/mqtt.crt, key: tls/mqtt.key, clientCa: tls/ca.pem } }
`
  )
  return { FENGHUO_HTTP_KEY_PASSPHRASE_FILE: file }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

function open(address: string, { method = 'GET', headers = {}, body = '' } = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request(`${service?.httpAddress}${address}`, { method, headers, ca: readFileSync(ca.cert), agent: false }, resolve)
    asking.on('error', reject)
    asking.end(body)
  })
}

async function ask(address: string, options: Parameters<typeof open>[1] = {}): Promise<Answer> {
  const answer = await open(address, options)
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return { status: answer.statusCode ?? 0, headers: answer.headers, text }
}

async function parts(): Promise<Record<string, string | null>> {
  const { parts: all } = JSON.parse((await ask('/healthz')).text) as { parts: { part: string; problem: string | null }[] }
  return Object.fromEntries(all.map(({ part, problem }) => [part, problem]))
}

async function signIn(): Promise<Answer> {
  const body = JSON.stringify({ username: 'admin', password: ADMIN_PASSWORD })
  return ask('/api/v1/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}

function gateway(issued: Issued): Promise<MqttClient | number> {
  const { host, port } = new URL(service!.mqttAddress)
  const tls = { ca: readFileSync(ca.cert), cert: readFileSync(issued.cert), key: readFileSync(issued.key) }
  const client = connect({ protocol: 'mqtts', host: host.split(':')[0]!, port: Number(port), reconnectPeriod: 0, clientId: 'a', ...tls })
  clients.push(client)
  return new Promise((resolve, reject) => {
    client.on('connect', () => resolve(client))
    client.on('error', (cause: Error & { code?: unknown }) => (typeof cause.code === 'number' ? resolve(cause.code) : reject(cause)))
  })
}

function presented(address: string): Promise<string> {
  const { hostname, port } = new URL(address)
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

it('serves HTTPS alone on its port, with cookies and headers that belong to it', async () => {
  service = await LiveService.start({ config: plant.config, data, env: configure() })
  expect([service.httpAddress, service.mqttAddress]).toEqual([
    expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
    expect.stringMatching(/^mqtts:\/\/127\.0\.0\.1:\d+$/)
  ])
  const answer = await signIn()
  expect([answer.status, answer.headers['strict-transport-security']]).toEqual([200, 'max-age=15552000'])
  expect(answer.headers['set-cookie']?.[0]).toMatch(/^fenghuo_session=.*; HttpOnly; Secure; SameSite=Lax/)
  await expect(fetch(`${service.httpAddress.replace('https', 'http')}/healthz`)).rejects.toThrow()
  expect(service.output).not.toContain(PASSPHRASE)
})

it('takes up new certificates on SIGHUP while gateways and live streams go on, keeps the old ones where the new are bad, and says so', async () => {
  service = await LiveService.start({ config: plant.config, data, env: configure() })
  const running = service
  const device = await gateway(ca.issue('gw-0', { usage: 'clientAuth' }))
  if (typeof device === 'number') throw new Error(`refused: ${device}`)
  const cookie = (await signIn()).headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  const stream = await open('/api/v1/live', { headers: { cookie } })
  let told = ''
  stream.on('data', (chunk) => (told += String(chunk)))

  const soon = `The certificate of the MQTT port ends on ${SOON.toISOString().slice(0, 10)}, in 10 days. Renew it: it is taken up without a restart.`
  expect(await parts()).toMatchObject({ 'certificate http': null, 'certificate mqtt': soon })
  const left = async (which: string): Promise<number> =>
    Number(new RegExp(`fenghuo_certificate_expires_seconds\\{which="${which}"\\} (-?\\d+)`).exec((await ask('/metrics')).text)?.[1])
  expect([Math.round((await left('mqtt')) / 86_400), Math.round((await left('http')) / 86_400)]).toEqual([10, 90])

  put('http', ca.issue('http-2', { san: NAMES, passphrase: PASSPHRASE }))
  put('mqtt', ca.issue('mqtt-2', { san: NAMES }))
  process.kill(running.pid, 'SIGHUP')
  await vi.waitFor(
    async () => expect([await presented(running.httpAddress), await presented(running.mqttAddress)]).toEqual(['http-2', 'mqtt-2']),
    WAIT
  )
  expect(await parts()).toMatchObject({ 'certificate http': null, 'certificate mqtt': null })

  // A key of another certificate: kept is what was served, and by health and log one knows.
  copyFileSync(ca.cert, path.join(here, 'mqtt.crt'))
  process.kill(running.pid, 'SIGHUP')
  const refused =
    /^The new certificate of the MQTT port is not used: \S+mqtt\.key is not the key of the certificate in \S+mqtt\.crt\. The one before is served on/
  await vi.waitFor(async () => expect((await parts())['certificate mqtt']).toMatch(refused), WAIT)
  expect(running.output).toMatch(/"level":50.*The new certificate of the MQTT port is not used/)
  expect(await presented(running.mqttAddress)).toBe('mqtt-2')

  // All the while both connections were served.
  await device.publishAsync('fh/1/gw-0/telemetry', '{"device":"T-0","values":{"level_pct":95}}', { qos: 1 })
  await vi.waitFor(() => expect(told).toMatch(/event: alarm/), WAIT)
  expect(device.connected).toBe(true)
})

it('takes up what certbot or Kubernetes put there, without being told', async () => {
  service = await LiveService.start({ config: plant.config, data, env: configure() })
  put('http', ca.issue('http-2', { san: NAMES, passphrase: PASSPHRASE }))
  const { httpAddress } = service
  await vi.waitFor(async () => expect(await presented(httpAddress)).toBe('http-2'), { timeout: 20_000, interval: 100 })
})

it('cuts off a gateway whose secret is revoked, and lets its certificate in no more', async () => {
  service = await LiveService.start({ config: plant.config, data, env: configure() })
  const issued = ca.issue('gw-0', { usage: 'clientAuth' })
  const device = await gateway(issued)
  if (typeof device === 'number') throw new Error(`refused: ${device}`)
  const cut = new Promise<void>((resolve) => void device.once('close', resolve))
  const cookie = (await signIn()).headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  const standing = await ask('/api/v1/gateways/gw-0', { headers: { cookie } })
  const answer = await ask('/api/v1/gateways/gw-0', {
    method: 'PUT',
    headers: { cookie, 'content-type': 'application/json', 'if-match': String(standing.headers.etag ?? '*') },
    body: JSON.stringify({ id: 'gw-0', enterprise: 'e', secret: null })
  })
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
  await cut
  expect(await gateway(issued)).toBe(4)
})

it('is not started on a key of another certificate, and says which files do not fit', async () => {
  const env = configure()
  copyFileSync(ca.issue('other').key, path.join(here, 'mqtt.key'))
  const { code, output } = await refusedStart({ config: plant.config, data, env })
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/TLS for the MQTT port cannot be served: \S+mqtt\.key is not the key of the certificate in \S+mqtt\.crt\./)
  ])
})
