// No secret is said anywhere: the real service with a secret in every place that takes one, servers that refuse all of them and
// say back what they were sent, failed sign-ins of every kind; and then nothing in output, health, metrics, audit log or backup.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connect } from 'mqtt'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Authority } from '../authority.ts'
import { ADMIN_PASSWORD, LiveService, refusedStart, runFenghuo } from '../liveService.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

const WAIT = { timeout: 30_000, interval: 50 }
const canary = (what: string): string => `canary-${what}-7f3a9c`
const WHSEC = `whsec_${Buffer.from(canary('webhook-key-of-some-length')).toString('base64')}`
const SECRETS: Record<string, string> = {
  ALIYUN_ID: canary('aliyun-id'),
  ALIYUN_KEY: canary('aliyun-key'),
  TENCENT_ID: canary('tencent-id'),
  TENCENT_KEY: canary('tencent-key'),
  SMTP_PASSWORD: canary('smtp'),
  DING_SECRET: canary('ding-secret'),
  FEISHU_SECRET: canary('feishu-secret'),
  CALLBACK_SECRET: canary('callback-secret-of-some-length'),
  WEBHOOK_SECRET: WHSEC,
  INFLUX: canary('influx'),
  OIDC_SECRET: canary('oidc'),
  GW_SECRET: canary('gateway-env'),
  KEY_PASSPHRASE: canary('passphrase')
}
const TYPED = [canary('typed-password'), canary('typed-gateway'), canary('typed-token'), canary('typed-cookie'), canary('typed-basic')]

let plant: TankPlant
let service: LiveService | null
const servers: Server[] = []

beforeEach(() => {
  plant = tankPlant()
  service = null
})

afterEach(async () => {
  await service?.kill()
  for (const server of servers.splice(0)) server.close()
  plant.remove()
})

async function listening(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

/** Refuses everything, and says back all of it: address, headers, body. */
function echo(heard: string[]): Server {
  return createHttp(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const said = `${request.method} ${request.url} ${JSON.stringify(request.headers)} ${body}`
    heard.push(said)
    response
      .writeHead(401, { 'content-type': 'application/json', connection: 'close' })
      .end(JSON.stringify({ error: said, message: said, Message: said, msg: said, code: 401, Code: said.slice(0, 500) }))
  })
}

/** Greets, asks for AUTH, refuses it and says back what it was. */
function smtp(heard: string[]): Server {
  return createServer((socket: Socket) => {
    socket.on('error', () => socket.destroy())
    socket.write('220 mail\r\n')
    socket.on('data', (chunk) => {
      const line = chunk.toString().trim()
      heard.push(line)
      if (/^EHLO/i.test(line)) socket.write('250-mail\r\n250 AUTH PLAIN LOGIN\r\n')
      else if (/^AUTH/i.test(line)) socket.write(`535 ${line} refused\r\n`)
      else socket.write('250 ok\r\n')
    })
  })
}

/** Every spelling in which a secret could slip out. */
function spellings(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64')
  // In base64 behind something else its bytes are shifted; the middle is enough to be found by.
  const shifted = [1, 2].map((n) =>
    Buffer.from('x'.repeat(n) + secret)
      .toString('base64')
      .slice(4, -4)
  )
  return [secret, encodeURIComponent(secret), base64.replace(/=+$/, ''), ...shifted, Buffer.from(secret).toString('hex')]
}

function leaks(text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => spellings(secret).some((spelling) => text.includes(spelling)))
}

function everyFile(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n')
}

function fenghuoYaml(http: number, mail: number): string {
  const provider = `http://127.0.0.1:${http}`
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the notation of the provider
  const template = '[{ code: SMS_1, text: "${where}${what}", variables: { where: where, what: what } }]'
  return `logLevel: debug
http: { tls: { cert: tls/tls.pem, key: tls/tls.key.enc, passphrase: "env:KEY_PASSPHRASE" } }
history: { influx: { url: "${provider}", token: "env:INFLUX" } }
oidc: { issuer: "${provider}", allowLoopback: true, clientId: fenghuo, clientSecret: "env:OIDC_SECRET", redirectUrl: "https://localhost/api/v1/session/oidc/callback", mapping: [{ value: a, role: admin }] }
outgoing: { allowPrivate: [127.0.0.1] }
notifications: { faultsTo: [li] }
channels:
  - { id: ali, kind: sms, provider: aliyun, accessKeyId: "env:ALIYUN_ID", accessKeySecret: "env:ALIYUN_KEY", endpoint: "${provider}", signName: F, callbackSecret: "env:CALLBACK_SECRET", templates: ${template} }
  - { id: voice, kind: voice, provider: aliyun, accessKeyId: "env:ALIYUN_ID", accessKeySecret: "env:ALIYUN_KEY", endpoint: "${provider}", templates: ${template} }
  - { id: mail, kind: email, host: 127.0.0.1, port: ${mail}, tls: none, user: fenghuo, password: "env:SMTP_PASSWORD", from: f@example.com }
  - { id: hook, kind: webhook, secret: "env:WEBHOOK_SECRET" }
  - { id: ding, kind: dingtalk, url: "env:DING_URL", secret: "env:DING_SECRET" }
  - { id: feishu, kind: feishu, url: "env:FEISHU_URL", secret: "env:FEISHU_SECRET" }
`
}

const DUTY = (http: number): string => `zone: Asia/Shanghai
people:
  - { id: li, name: { zh: 李, en: Li }, phone: "+8613800000101", email: li@example.com, addresses: { webhook: "http://127.0.0.1:${http}/hook", dingtalk: "13800000101", feishu: "ou_1" } }
ladders:
  - { id: all, appliesTo: {}, steps: [{ tell: [person:li], by: [sms, voice, email, webhook, dingtalk, feishu] }] }
`

it('says no secret in output, health, metrics, audit log or backup, whatever fails', async () => {
  const heard: string[] = []
  const http = await listening(echo(heard))
  const mail = await listening(smtp(heard))
  const ca = new Authority(path.join(plant.folder, 'plant', 'tls'))
  ca.issue('tls', { san: 'IP:127.0.0.1', passphrase: SECRETS.KEY_PASSPHRASE! })
  plant.write('fenghuo.yaml', fenghuoYaml(http, mail))
  plant.write('duty.yaml', DUTY(http))
  plant.write(
    'plant.yaml',
    `enterprises: [{ id: e }]\ngateways: [{ id: gw-0, enterprise: e, secret: "env:GW_SECRET" }, { id: gw-1, enterprise: e, secret: ${canary('gateway-literal')} }]\ndevices: [{ id: T-0, profile: tank, gateway: gw-0 }]\n`
  )
  const urls = {
    DING_URL: `http://127.0.0.1:${http}/robot?access_token=${canary('ding-url')}`,
    FEISHU_URL: `http://127.0.0.1:${http}/hook/${canary('feishu-url')}`
  }
  const redis = `redis://:${canary('redis')}@127.0.0.1:1`
  const env = {
    ...SECRETS,
    ...urls,
    FENGHUO_REDIS_URL: redis,
    FENGHUO_ADMIN_PASSWORD: canary('admin-password'),
    NODE_EXTRA_CA_CERTS: ca.cert
  }
  const data = path.join(plant.folder, 'data')
  const running = (service = await LiveService.start({ config: plant.config, data, env }))

  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  try {
    const ask = (address: string, headers: Record<string, string> = {}, body?: string): Promise<Response> =>
      fetch(`${running.httpAddress}${address}`, { headers, ...(body === undefined ? {} : { method: 'POST', body }) })
    const json = { 'content-type': 'application/json' }
    const session = await ask('/api/v1/session', json, JSON.stringify({ username: 'admin', password: canary('admin-password') }))
    expect(session.status).toBe(200)
    const cookie = session.headers.getSetCookie()[0]!.split(';')[0]!
    const sessionSecret = cookie.split('=')[1]!

    // Signing in wrongly, in every way there is.
    for (let i = 0; i < 8; i++) await ask('/api/v1/session', json, JSON.stringify({ username: `u${i % 2}`, password: TYPED[0] }))
    expect((await ask('/api/v1/alarms', { authorization: `Bearer ${TYPED[2]}` })).status).toBe(401)
    expect((await ask('/api/v1/alarms', { cookie: `fenghuo_session=${TYPED[3]}` })).status).toBe(401)
    const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
    expect((await ask('/api/v1/telemetry', { authorization: basic('gw-0', TYPED[4]!) }, '{}')).status).toBe(401)
    await ask('/api/v1/session/oidc')
    await ask(`/api/v1/callbacks/ali/${canary('wrong-callback')}`, json, '{}')
    const device = connect(running.mqttAddress, { username: 'gw-0', password: TYPED[1]!, reconnectPeriod: 0 })
    await new Promise<void>((resolve) => void device.on('error', () => resolve()))
    await device.endAsync(true)
    const token = (await (await ask('/api/v1/tokens', { ...json, cookie }, JSON.stringify({ name: 'map', role: 'viewer' }))).json()) as {
      secret?: string
      token?: string
    }
    const tokenSecret = token.secret ?? token.token ?? ''
    expect(tokenSecret.length).toBeGreaterThan(20)

    // An alarm that goes out by every channel, each of which refuses and says back what it got.
    const sample = '{"device":"T-0","values":{"level_pct":95}}'
    expect((await ask('/api/v1/telemetry', { authorization: basic('gw-0', SECRETS.GW_SECRET!) }, sample)).status).toBe(202)
    const tried = (): string => heard.join('\n')
    await vi.waitFor(() => {
      expect(tried()).toMatch(/\/robot\?access_token/)
      expect(tried()).toMatch(/\/hook\/canary-feishu/)
      expect(tried()).toMatch(/AUTH/)
      expect(tried()).toMatch(/webhook-signature/)
      expect(tried()).toMatch(/canary-influx/)
      expect(tried()).toMatch(/canary-aliyun-id/)
    }, WAIT)
    await vi.waitFor(async () => {
      const { items } = (await (await ask('/api/v1/notifications', { cookie })).json()) as {
        items: { problem: string | null; tries: number }[]
      }
      expect(items.filter(({ tries }) => tries > 0).length).toBeGreaterThanOrEqual(4)
    }, WAIT)

    // The admin's password and the gateways' are known; the id of a key is none, but it opens with its key.
    const secrets = [
      ...Object.values(SECRETS),
      ...TYPED,
      ...['ding-url', 'feishu-url', 'redis', 'admin-password', 'gateway-literal', 'wrong-callback'].map(canary),
      sessionSecret,
      tokenSecret
    ]
    const shown = await Promise.all(['/metrics', '/healthz', '/readyz'].map(async (address) => (await ask(address)).text()))
    const inside = await Promise.all(
      ['/api/v1/audit', '/api/v1/notifications', '/api/v1/gateways', '/api/v1/sessions', '/api/v1/tokens'].map(async (address) =>
        (await ask(address, { cookie })).text()
      )
    )
    const backup = path.join(mkdtempSync(path.join(tmpdir(), 'fenghuo-backup-')), 'copy')
    const made = await runFenghuo(['backup', backup, '--config', plant.config], { ...env, FENGHUO_DATA: data })
    const doctor = await runFenghuo(['doctor', '--config', plant.config], { ...env, FENGHUO_DATA: data })
    const check = await runFenghuo(['check', '--config', plant.config], env)
    expect(made.code, made.output).toBe(0)
    const copied = everyFile(backup)
    rmSync(path.dirname(backup), { recursive: true, force: true })
    expect(await running.stop()).toBe(0)
    expect({
      output: leaks(running.output, secrets),
      shown: leaks(shown.join('\n'), secrets),
      inside: leaks(inside.join('\n'), secrets),
      commands: leaks([made, doctor, check].map(({ output }) => output).join('\n'), secrets),
      backup: leaks(copied, secrets),
      data: leaks(everyFile(data), secrets)
    }).toEqual({ output: [], shown: [], inside: [], commands: [], backup: [], data: [] })
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  }
})

it.each([
  ['FENGHUO_POSTGRES_URL', `postgres://fenghuo:${canary('postgres')}@127.0.0.1:1/fenghuo`],
  ['FENGHUO_MQTT_URL', `mqtt://fenghuo:${canary('mqtt-url')}@127.0.0.1:1`]
])('says no password of %s where its server is not there', async (variable, url) => {
  const data = path.join(plant.folder, 'data')
  mkdirSync(data)
  const { output } = await refusedStart({ config: plant.config, data, env: { [variable]: url } })
  expect(leaks(output, [canary('postgres'), canary('mqtt-url'), ADMIN_PASSWORD])).toEqual([])
  const doctor = await runFenghuo(['doctor', '--config', plant.config], { [variable]: url, FENGHUO_DATA: data })
  expect(leaks(doctor.output, [canary('postgres'), canary('mqtt-url')])).toEqual([])
})
