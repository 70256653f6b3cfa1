// Web push, decrypted as a browser decrypts it (RFC 8291 by the ECE reference library) and its VAPID signature verified by
// node's own crypto; the push service is an https server on the loopback.

import { execFileSync } from 'node:child_process'
import { createECDH, createPublicKey, verify } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { WebPush } from '../../../src/alerts/channels/push.ts'
import { Secret } from '../../../src/platform/secret.ts'
import { GO_ON, groundOf, later, MESSAGE } from './yard.ts'

const ece = createRequire(import.meta.url)('http_ece')

const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-push-'))
later(() => rmSync(folder, { recursive: true }))
const pem = (name: string): string => path.join(folder, name)
execFileSync(
  'openssl',
  ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost'].concat([
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    pem('key'),
    '-out',
    pem('cert')
  ]),
  { stdio: 'ignore' }
)
const cert = readFileSync(pem('cert'), 'utf8')

const vapid = createECDH('prime256v1')
vapid.generateKeys()
const browser = createECDH('prime256v1')
browser.generateKeys()
const AUTH = Buffer.alloc(16, 7)

interface Pushed {
  readonly path: string
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

async function pushService(status: () => number): Promise<{ url: string; pushed: Pushed[] }> {
  const pushed: Pushed[] = []
  const server = createServer({ key: readFileSync(pem('key')), cert }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    pushed.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) })
    response.writeHead(status(), { location: '/message/1' }).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  later(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, pushed }
}

const subscription = (endpoint: string, p256dh = browser.getPublicKey('base64url')) =>
  JSON.stringify({ endpoint, expirationTime: null, keys: { p256dh, auth: AUTH.toString('base64url') } })

const channel = (allowPrivate = ['127.0.0.1']): WebPush =>
  new WebPush(
    {
      id: 'push',
      kind: 'push',
      provider: 'vapid',
      perSecond: null,
      publicKey: vapid.getPublicKey('base64url'),
      privateKey: new Secret(vapid.getPrivateKey('base64url')),
      subject: 'mailto:ops@example.com'
    },
    groundOf({ allowPrivate, ca: cert })
  )

test('the browser can read it, and its push service can tell who sent it', async () => {
  const { url, pushed } = await pushService(() => 201)
  const text = '长'.repeat(5_000)
  expect(await channel().send({ ...MESSAGE, to: subscription(`${url}/push/abc`), text, ackUrl: 'https://a/k' }, GO_ON)).toEqual({
    kind: 'accepted',
    providerId: '/message/1'
  })
  const [one] = pushed
  if (one === undefined) throw new Error('a push must have arrived')
  expect(one.path).toBe('/push/abc')
  expect(one.body.length).toBeLessThan(4_096)
  expect([one.headers['content-encoding'], one.headers.ttl, one.headers.urgency]).toEqual(['aes128gcm', '3600', 'high'])
  const plain = ece.decrypt(one.body, { version: 'aes128gcm', privateKey: browser, authSecret: AUTH.toString('base64url') })
  const { id, title, tier, url: link, text: cut } = JSON.parse(plain.toString('utf8'))
  expect({ id, title, tier, link }).toEqual({ id: MESSAGE.id, title: MESSAGE.title, tier: 'red', link: 'https://a/k' })
  expect(text.startsWith(cut.slice(0, -1))).toBe(true)
  const [, token = '', k = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(String(one.headers.authorization)) ?? []
  const [head, claims, signature = ''] = token.split('.')
  const point = Buffer.from(k, 'base64url')
  const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') }
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  expect(verify('sha256', Buffer.from(`${head}.${claims}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))).toBe(
    true
  )
  expect(k).toBe(vapid.getPublicKey('base64url'))
  expect(JSON.parse(Buffer.from(claims ?? '', 'base64url').toString())).toMatchObject({ aud: url, sub: 'mailto:ops@example.com' })
})

test.each([
  [410, 'refused'],
  [404, 'refused'],
  [413, 'refused'],
  [429, 'failed'],
  [502, 'failed']
])('a push service that answers %i', async (status, kind) => {
  const { url } = await pushService(() => status)
  expect((await channel().send({ ...MESSAGE, to: subscription(url) }, GO_ON)).kind).toBe(kind)
})

test('a further try has the same topic, so that it replaces the first', async () => {
  const { url, pushed } = await pushService(() => 201)
  for (let i = 0; i < 2; i++) await channel().send({ ...MESSAGE, to: subscription(url) }, GO_ON)
  await channel().send({ ...MESSAGE, id: 'other', to: subscription(url) }, GO_ON)
  const topics = pushed.map(({ headers }) => headers.topic)
  expect([topics[0] === topics[1], topics[0] === topics[2]]).toEqual([true, false])
})

test('a subscription that points inside, or is none, is refused', async () => {
  const { url, pushed } = await pushService(() => 201)
  const outcomes = [
    await channel([]).send({ ...MESSAGE, to: subscription(url) }, GO_ON),
    await channel().send({ ...MESSAGE, to: 'nonsense' }, GO_ON),
    await channel().send({ ...MESSAGE, to: '{"endpoint":"https://a"}' }, GO_ON),
    await channel().send({ ...MESSAGE, to: subscription(url, 'AAAA') }, GO_ON)
  ]
  expect(outcomes.map(({ kind }) => kind)).toEqual(['refused', 'refused', 'refused', 'refused'])
  expect(pushed).toEqual([])
})
