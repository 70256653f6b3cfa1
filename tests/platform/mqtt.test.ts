// The door to mqtt.js: a connection that could not be had, or was ended, does not come back by itself.

import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import { freePort } from '../services/freePort.ts'

const clock = new SystemClock()
const CONNACK = Buffer.from([0x20, 2, 0, 0])
let server: Server | null = null
let accepted: Socket[] = []

afterEach(() => {
  for (const socket of accepted) socket.destroy()
  accepted = []
  server?.close()
  server = null
})

async function listen(port: number, answer: Buffer | null): Promise<void> {
  server = createServer((socket) => {
    accepted.push(socket)
    socket.on('error', () => {}).once('data', () => void (answer !== null && socket.write(answer)))
  })
  await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve))
}

const attempt = (port: number, connectMs = 5_000): Promise<MqttPublisher> =>
  connectMqtt({ url: `mqtt://127.0.0.1:${port}`, clock, username: 'gw', password: 'secret', connectMs })

it('gives up for good where nobody answers', async () => {
  const port = await freePort()
  await expect(attempt(port)).rejects.toThrow('Nothing answers at')
  await listen(port, null)
  // Longer than the pause after which a lost connection is tried again.
  await expect(attempt(port, 1_500)).rejects.toThrow('did not answer within 1.5 s')
  expect(accepted).toHaveLength(1)
})

it('stays away once it is cut', async () => {
  const port = await freePort()
  await listen(port, CONNACK)
  const [first, second] = [await attempt(port), await attempt(port)]
  first.cut()
  // The other one lost its connection, and comes back.
  accepted[1]?.destroy()
  await vi.waitFor(() => expect([accepted.length, second.connected]).toEqual([3, true]), { timeout: 10_000 })
  second.cut()
  await expect(attempt(port).then((third) => third.end(0))).resolves.toBeUndefined()
  expect(accepted).toHaveLength(4)
})
