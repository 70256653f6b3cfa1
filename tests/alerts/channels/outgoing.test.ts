// The way out: whom it must not call, in every spelling, and what it makes of servers that misbehave.

import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { Outgoing, type Resolve } from '../../../src/alerts/channels/outgoing.ts'
import { isHostEntry, PrivateHosts } from '../../../src/alerts/channels/privateHosts.ts'
import { ManualClock, SystemClock } from '../../../src/platform/clock.ts'
import { endpoint, later } from './yard.ts'

function outgoing(options: { allowPrivate?: string[]; resolve?: Resolve; clock?: ManualClock } = {}): Outgoing {
  const made = new Outgoing({ clock: new SystemClock(), allowPrivate: [], ...options })
  later(() => made.close())
  return made
}

const post = (url: string, signal: AbortSignal | null = null) =>
  ({ method: 'POST', url, headers: { 'content-type': 'application/json' }, body: '{}', signal }) as const

/** A name server of our own. */
const resolving =
  (...answers: string[]): Resolve =>
  (_host, _options, done) =>
    done(null, [{ address: answers.length > 1 ? (answers.shift() as string) : (answers[0] as string), family: 4 }])

test.each([
  '127.0.0.1',
  '127.1.2.3',
  '0.0.0.0',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '100.100.100.200',
  '192.0.0.192',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '2001::1',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd00:ec2::254',
  'fec0::1',
  'ff02::1',
  'no address'
])('%s is forbidden', (address) => {
  expect(new PrivateHosts([]).isForbidden(address)).toBe(true)
})

test.each([
  '8.8.8.8',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '2606:4700::1111',
  '2400:3200::1',
  '::ffff:8.8.8.8'
])('%s is public', (address) => {
  expect(new PrivateHosts([]).isForbidden(address)).toBe(false)
})

test('what the deployment names may be called, and nothing else', () => {
  const hosts = new PrivateHosts(['10.1.0.0/16', '192.168.1.7', 'fd12::/16', 'MES.plant.local'])
  const open = ['10.1.2.3', '::ffff:10.1.2.3', '192.168.1.7', 'fd12::1']
  const shut = ['10.2.0.1', '192.168.1.8', 'fd13::1', '127.0.0.1']
  expect([...open, ...shut].filter((address) => !hosts.isForbidden(address))).toEqual(open)
  expect([hosts.allowsName('mes.plant.local'), hosts.allowsName('plant.local')]).toEqual([true, false])
  expect(['10.0.0.0/8', '::1', 'a.b', 'fd00::/8'].every(isHostEntry)).toBe(true)
  expect(['10.0.0.0/33', 'http://a', 'a b', '', '10.0.0.0/', 'a/8'].some(isHostEntry)).toBe(false)
})

test.each([
  'https://127.0.0.1/',
  'https://0x7f.1/',
  'https://2130706433/',
  'https://017700000001/',
  'https://127.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[fd00:ec2::254]/'
])('the literal %s is not called', async (url) => {
  expect(await outgoing().send(post(url))).toEqual({ kind: 'forbidden', problem: expect.stringContaining('is not a public address') })
})

test('a name that resolves to the loopback is not called, however often it is asked', async () => {
  const server = await endpoint()
  const { port } = new URL(server.url)
  const url = `https://hooks.example.com:${port}/`
  expect(await outgoing({ resolve: resolving('127.0.0.1') }).send(post(url))).toEqual({
    kind: 'forbidden',
    problem: 'hooks.example.com (127.0.0.1) is not a public address; name it in outgoing.allowPrivate if it belongs to the plant'
  })
  expect((await outgoing().send(post(`https://localhost:${port}/`))).kind).toBe('forbidden')
  expect(server.arrived).toEqual([])
})

test('rebinding: a name that was fine once is checked at every connection, by the very address that is connected to', async () => {
  const asked: string[] = []
  const answers = ['127.0.0.1', '10.0.0.1']
  const resolve: Resolve = (host, _options, done) => {
    asked.push(host)
    done(null, [{ address: answers.shift() ?? '10.0.0.1', family: 4 }])
  }
  const server = await endpoint()
  server.answer = (response) => response.writeHead(200, { connection: 'close' }).end('{}')
  const out = outgoing({ resolve, allowPrivate: ['127.0.0.0/8'] })
  // https is not spoken there: what matters is which address was connected to.
  const url = `https://hooks.example.com:${new URL(server.url).port}/`
  expect((await out.send(post(url))).kind).toBe('unsent')
  expect((await out.send(post(url))).kind).toBe('forbidden')
  expect(asked).toEqual(['hooks.example.com', 'hooks.example.com'])
})

test('several addresses of which one is private: none is called', async () => {
  const resolve: Resolve = (_host, _options, done) =>
    done(null, [
      { address: '8.8.8.8', family: 4 },
      { address: '::1', family: 6 }
    ])
  expect((await outgoing({ resolve }).send(post('https://mixed.example.com/'))).kind).toBe('forbidden')
})

test.each([
  ['ftp://example.com/', 'the address is not an http(s) address'],
  ['file:///etc/passwd', 'the address is not an http(s) address'],
  ['nonsense', 'the address is not an http(s) address'],
  ['https://me:pw@example.com/', 'the address carries a user name or password; leave them out'],
  ['http://example.com/', 'example.com would be called without TLS; use https, or name it in outgoing.allowPrivate']
])('%s is not called', async (url, problem) => {
  expect(await outgoing().send(post(url))).toEqual({ kind: 'forbidden', problem })
})

test('a redirect is an answer, and is not followed', async () => {
  const [server, other] = [await endpoint(), await endpoint()]
  server.answer = { status: 302, headers: { location: `${other.url}/secret` }, body: '' }
  const answer = await outgoing({ allowPrivate: ['127.0.0.1'] }).send(post(server.url))
  expect(answer).toMatchObject({ kind: 'answer', status: 302, body: '' })
  expect(other.arrived).toEqual([])
})

test('a body without end is cut where it is long enough; its status counts', async () => {
  const server = await endpoint()
  server.answer = (response) => {
    response.writeHead(200)
    const chunk = Buffer.alloc(16_384, 'x')
    const go = (): void => {
      while (!response.destroyed && response.write(chunk)) {}
    }
    response.on('drain', go)
    go()
  }
  const answer = await outgoing({ allowPrivate: ['127.0.0.1'] }).send(post(server.url))
  expect(answer).toMatchObject({ kind: 'answer', status: 200, cut: true })
  expect((answer as { body: string }).body).toHaveLength(65_536)
})

/** A server that reads the request and then does what it is told. */
async function rude(act: (socket: Socket) => void): Promise<{ url: string; requests: () => number }> {
  let requests = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      requests++
      act(socket)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  later(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests: () => requests }
}

test('silence, half an answer, and a trickle of headers: over after their time, and doubtful', async () => {
  for (const start of ['', 'HTTP/1.1 200 OK\r\nx: ']) {
    const clock = new ManualClock(0)
    const server = await rude((socket) => void socket.write(start))
    const sending = outgoing({ allowPrivate: ['127.0.0.1'], clock }).send(post(server.url))
    await vi.waitFor(() => expect(server.requests()).toBe(1))
    clock.moveTo(20_000)
    expect(await sending).toEqual({ kind: 'doubtful', problem: expect.stringContaining('did not answer within 20 s') })
  }
})

test('a body that never ends in time is an answer that was cut', async () => {
  const clock = new ManualClock(0)
  const server = await endpoint()
  const begun = Promise.withResolvers<void>()
  server.answer = (response) => void response.writeHead(503).write('{"part', () => begun.resolve())
  const out = outgoing({ allowPrivate: ['127.0.0.1'], clock })
  let answered = false
  const sending = out.send(post(server.url)).finally(() => {
    answered = true
  })
  await begun.promise
  await vi.waitFor(() => {
    clock.moveTo(clock.now() + 4_000)
    expect(answered).toBe(true)
  })
  expect(await sending).toMatchObject({ kind: 'answer', status: 503, cut: true })
})

test('a connection reset after the request is doubtful, one refused is not sent', async () => {
  const server = await rude((socket) => socket.resetAndDestroy())
  const out = outgoing({ allowPrivate: ['127.0.0.1'] })
  expect((await out.send(post(server.url))).kind).toBe('doubtful')
  const gone = await rude(() => {})
  const { port } = new URL(gone.url)
  const closed = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => closed.once('listening', done))
  const free = (closed.address() as AddressInfo).port
  await new Promise((done) => closed.close(done))
  expect(port).not.toBe(String(free))
  expect((await out.send(post(`http://127.0.0.1:${free}/`))).kind).toBe('unsent')
})

test('garbage in place of HTTP is doubtful; giving up before the end is what is known by then', async () => {
  const garbage = await rude((socket) => socket.end('\u0000\u0001garbage\r\n\r\n'))
  const out = outgoing({ allowPrivate: ['127.0.0.1'] })
  expect((await out.send(post(garbage.url))).kind).toBe('doubtful')
  const silent = await rude(() => {})
  const stop = new AbortController()
  const sending = out.send(post(silent.url, stop.signal))
  await vi.waitFor(() => expect(silent.requests()).toBe(1))
  stop.abort()
  expect(await sending).toEqual({ kind: 'doubtful', problem: 'it was given up before an answer came' })
  expect(await out.send(post(silent.url, stop.signal))).toEqual({ kind: 'unsent', problem: 'it was given up before an answer came' })
})
