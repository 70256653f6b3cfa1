// Whoever waits for the lease bears with a server that is just being started.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { LeaseWatch } from '../../src/store/leaseWatch.ts'

it('a server that is still starting is one that cannot be reached yet, and no bug', async () => {
  const fields = 'SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0'
  const refusal = Buffer.alloc(5 + fields.length)
  refusal.write('E')
  refusal.writeUInt32BE(4 + fields.length, 1)
  refusal.write(fields, 5)
  const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(refusal))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const watch = new LeaseWatch(`postgres://fenghuo:pw@127.0.0.1:${(server.address() as AddressInfo).port}/fenghuo`)
  const unreachable = { name: 'Refusal', kind: 'unreachable', passing: true }
  await expect(watch.look()).rejects.toMatchObject(unreachable)
  await expect(watch.installation()).rejects.toMatchObject(unreachable)
  await watch.close()
  server.close()
})
