// E-mail against a real SMTP server: over TLS, with and without, and every way it can refuse.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo, Server } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Email } from '../../../src/alerts/channels/email.ts'
import type { EmailSettings } from '../../../src/alerts/channels/settings.ts'
import { Secret } from '../../../src/platform/secret.ts'
import { GO_ON, groundOf, kindOf, later, MESSAGE } from './yard.ts'

const { SMTPServer } = createRequire(import.meta.url)('smtp-server')

const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-mail-'))
later(() => rmSync(folder, { recursive: true }))
const pem = (name: string): string => path.join(folder, name)
execFileSync(
  'openssl',
  ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost'].concat([
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout',
    pem('key'),
    '-out',
    pem('cert')
  ]),
  { stdio: 'ignore' }
)
const [key, cert] = [readFileSync(pem('key'), 'utf8'), readFileSync(pem('cert'), 'utf8')]

interface Mail {
  readonly from: string
  readonly to: string[]
  readonly raw: string
  readonly secure: boolean
  readonly user: string | null
}

async function mailServer(options: Record<string, unknown> = {}): Promise<{ port: number; mails: Mail[] }> {
  const mails: Mail[] = []
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    onAuth: (auth: { username: string; password: string }, _session: unknown, done: (error: Error | null, who?: object) => void) =>
      auth.password === 'right' ? done(null, { user: auth.username }) : done(new Error('no')),
    onData: (
      stream: NodeJS.ReadableStream,
      session: { envelope: { mailFrom: { address: string }; rcptTo: { address: string }[] }; secure: boolean; user?: string },
      done: () => void
    ) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const to = rcptTo.map(({ address }) => address)
        mails.push({
          from: mailFrom.address,
          to,
          raw: Buffer.concat(chunks).toString('utf8'),
          secure: session.secure,
          user: session.user ?? null
        })
        done()
      })
    },
    ...options
  })
  server.on('error', () => {})
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  later(() => new Promise((done) => server.close(done)))
  return { port: (server.server.address() as AddressInfo).port, mails }
}

function email(port: number, settings: Partial<EmailSettings> = {}, ca: string | null = cert): Email {
  const whole: EmailSettings = {
    id: 'mail',
    kind: 'email',
    provider: 'smtp',
    perSecond: null,
    host: 'localhost',
    port,
    tls: 'starttls',
    user: null,
    password: null,
    from: 'Fenghuo <alarms@example.com>',
    ...settings
  }
  return new Email(whole, groundOf(ca === null ? {} : { ca }))
}

const TO_LI = { ...MESSAGE, to: 'li@example.com', ackUrl: 'https://a.example.com/k/a"b', text: '<b>95.2</b> & 更高\n请停止进料' }

test('it goes by STARTTLS, signed in, as text and HTML, under the same Message-ID at every try', async () => {
  const { port, mails } = await mailServer()
  const channel = email(port, { user: 'me', password: new Secret('right') })
  const [first, second] = [await channel.send(TO_LI, GO_ON), await channel.send(TO_LI, GO_ON)]
  expect(first).toEqual({ kind: 'accepted', providerId: expect.stringMatching(/^<[0-9a-f]{32}@example\.com>$/) })
  expect(second).toEqual(first)
  const [mail] = mails
  expect({ ...mail, raw: '' }).toEqual({ from: 'alarms@example.com', to: ['li@example.com'], raw: '', secure: true, user: 'me' })
  const raw = mail?.raw ?? ''
  expect(raw).toContain(`Message-ID: ${(first as { providerId: string }).providerId}`)
  expect(raw).toContain('Auto-Submitted: auto-generated')
  const parts = [...raw.matchAll(/Content-Type: (text\/\w+).*?\r\nContent-Transfer-Encoding: (\S+)\r\n\r\n(.*?)\r\n--/gs)].map(
    ([, type, encoding, body = '']) => [type, encoding === 'base64' ? Buffer.from(body, 'base64').toString('utf8') : quotedPrintable(body)]
  )
  expect(parts).toEqual([
    ['text/plain', '<b>95.2</b> & 更高\n请停止进料\n确认：https://a.example.com/k/a"b'],
    [
      'text/html',
      '<!doctype html><html lang="zh"><body><p>&lt;b&gt;95.2&lt;/b&gt; &amp; 更高</p><p>请停止进料</p><p><a href="https://a.example.com/k/a&quot;b">确认</a></p></body></html>'
    ]
  ])
})

function quotedPrintable(text: string): string {
  const bytes = text
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8').replaceAll('\r\n', '\n')
}

test('a server without TLS, or with a certificate nobody vouches for, gets nothing', async () => {
  const plain = await mailServer({ disabledCommands: ['STARTTLS'] })
  expect((await email(plain.port).send(TO_LI, GO_ON)).kind).toBe('refused')
  const unknown = await mailServer()
  const outcome = await email(unknown.port, {}, null).send(TO_LI, GO_ON)
  expect(outcome).toEqual({ kind: 'failed', problem: expect.stringContaining('self-signed certificate'), retryAfterMs: null })
  expect([plain.mails, unknown.mails]).toEqual([[], []])
  expect((await email(plain.port, { tls: 'none' }).send(TO_LI, GO_ON)).kind).toBe('accepted')
})

test.each([
  [550, 'no such user', 'refused: recipient'],
  [550, '5.7.1 relaying denied', 'refused: provider'],
  [450, 'later', 'failed']
])('a recipient answered %i %s', async (responseCode, said, kind) => {
  const onRcptTo = (_address: unknown, _session: unknown, done: (error: Error) => void): void =>
    done(Object.assign(new Error(said), { responseCode }))
  const { port, mails } = await mailServer({ onRcptTo })
  expect(kindOf(await email(port).send(TO_LI, GO_ON))).toBe(kind)
  expect(mails).toEqual([])
})

test('a wrong password is refused, an address that is several addresses too', async () => {
  const { port, mails } = await mailServer()
  expect(await email(port, { user: 'me', password: new Secret('wrong') }).send(TO_LI, GO_ON)).toEqual({
    kind: 'refused',
    about: 'provider',
    problem: expect.stringContaining('does not let us in')
  })
  for (const to of ['a@x.com, b@x.com', 'a@x.com\r\nBcc: b@x.com', 'nobody', '<a@x.com>'])
    expect((await email(port).send({ ...TO_LI, to }, GO_ON)).kind).toBe('refused')
  expect(mails).toEqual([])
})

test('a connection lost after the whole content is doubtful, before it failed', async () => {
  const script = async (cutAfterContent: boolean): Promise<string> => {
    let content = false
    const server: Server = createServer((socket) => {
      socket.on('error', () => {})
      socket.write('220 mail\r\n')
      socket.on('data', (data) => {
        const text = data.toString('latin1')
        if (content) {
          if (text.endsWith('\r\n.\r\n')) socket.resetAndDestroy()
        } else if (/^DATA/m.test(text)) {
          if (!cutAfterContent) socket.resetAndDestroy()
          else {
            content = true
            socket.write('354 go on\r\n')
          }
        } else socket.write('250 ok\r\n')
      })
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    later(() => void server.close())
    return (await email((server.address() as AddressInfo).port, { tls: 'none', host: '127.0.0.1' }).send(TO_LI, GO_ON)).kind
  }
  expect([await script(true), await script(false)]).toEqual(['doubtful', 'failed'])
})
