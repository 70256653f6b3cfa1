// What is under way when a connection to a broker ends: everybody who waits for it hears that it is over.

import net from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { SystemClock } from '../../src/platform/clock.ts'
import { type MqttLink, openLink } from '../../src/platform/mqttLink.ts'

const CONNACK = Buffer.from([0x20, 2, 0, 0])

/** A broker that lets everybody in and answers nothing else; `cut` ends the connection. */
async function deafBroker(): Promise<{ port: number; cut: () => void; close: () => void }> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => socket.write(CONNACK))
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const close = (): void => {
    cut()
    server.close()
  }
  return { port: (server.address() as net.AddressInfo).port, cut, close }
}

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function linked(): Promise<{ link: MqttLink; lost: Promise<unknown>; cut: () => void }> {
  const broker = await deafBroker()
  const { promise: lost, resolve } = Promise.withResolvers<unknown>()
  const link = await openLink({
    ...{ address: { scheme: 'mqtt', host: '127.0.0.1', port: broker.port, path: '/' }, clientId: 'ours', protocol: 4, clean: false },
    credentials: { username: null, password: null, ca: null, cert: null, key: null },
    ...{ keepAliveS: 20, expiryS: 60, inFlight: 10, longest: 1000, connectMs: 5_000, clock: new SystemClock() },
    ears: { publish() {}, mayRead: () => true, lost: resolve }
  })
  closers.push(() => link.cut(), broker.close)
  return { link, lost, cut: broker.cut }
}

it('tells of every message that was not acknowledged that it is over', async () => {
  const { link, lost, cut } = await linked()
  const done: string[] = []
  for (const topic of ['a', 'b']) link.publish(topic, 'x', () => void done.push(topic))
  expect(done).toEqual([])
  cut()
  await lost
  expect(done).toEqual(['a', 'b'])
  link.publish('c', 'x', () => void done.push('c'))
  expect(done).toEqual(['a', 'b', 'c'])
})

it('refuses at once what is asked of it afterwards, and what it was being asked', async () => {
  const { link, lost, cut } = await linked()
  const under = link.subscribe(['a']).catch(String)
  cut()
  await lost
  // mqtt.js takes back that it is ending a few turns later, and would keep what comes then for a connection that never comes.
  await new Promise((resolve) => setImmediate(resolve))
  const after = await Promise.all([link.subscribe(['b']).catch(String), link.unsubscribe(['c']).catch(String)])
  expect(after).toEqual(['Error: the connection has ended', 'Error: the connection has ended'])
  expect(await under).toContain('Connection closed')
})
