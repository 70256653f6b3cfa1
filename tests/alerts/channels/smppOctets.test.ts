// The octets that go out over SMPP, to a server that knows nothing of our library: what stands here was read by another
// implementation (Net::SMPP of Perl, as Debian carries it) as the very fields and texts that are named beside it.

import { type AddressInfo, createServer } from 'node:net'
import { expect, test, vi } from 'vitest'
import type { SmppSettings } from '../../../src/alerts/channels/settings.ts'
import { Smpp } from '../../../src/alerts/channels/smpp.ts'
import { Secret } from '../../../src/platform/secret.ts'
import { ear, GO_ON, groundOf, later, MESSAGE } from './yard.ts'

const SETTINGS: Omit<SmppSettings, 'port'> = {
  ...{ id: 'sms-smpp', kind: 'sms', provider: 'smpp', perSecond: null, host: '127.0.0.1', tls: false, systemId: 'fenghuo' },
  ...{ password: new Secret('secret08'), systemType: 'VMA', source: '10690000', numbers: 'digits', countryCode: '86', window: 10 },
  ...{ referenceBits: 16, receiptIds: 'auto', maxParts: 6, enquireLinkMs: 30_000, answers: true }
}

/** Of a submit_sm: from 10690000 (ton 3, npi 1) to 8613800000001 (1, 1); then esm_class, …, registered_delivery, …, data_coding. */
const ADDRESSES = '00 03 01 3130363930303030 00 01 01 38363133383030303030303031 00'
/** user_message_reference 0x1683. */
const REFERENCE = '0204 0002 1683'

test('a bind, a text in UCS-2, one in GSM and one in parts are the octets of SMPP 3.4', async () => {
  const pdus: Buffer[] = []
  const server = createServer((socket) => {
    let octets = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      octets = Buffer.concat([octets, chunk])
      while (octets.length >= 16 && octets.length >= octets.readUInt32BE(0)) {
        const pdu = octets.subarray(0, octets.readUInt32BE(0))
        octets = octets.subarray(pdu.length)
        pdus.push(pdu)
        // A response: its own length, the command with the highest bit, status 0, the same sequence number, and a name.
        const head = Buffer.from([0, 0, 0, 18, 0x80, 0, 0, pdu[7] as number, 0, 0, 0, 0])
        socket.write(Buffer.concat([head, pdu.subarray(12, 16), Buffer.from('1\0')]))
      }
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  later(() => void server.close())
  const channel = new Smpp({ ...SETTINGS, port: (server.address() as AddressInfo).port }, groundOf())
  later(() => channel.stop())
  await channel.start(ear())
  await vi.waitFor(() => expect(channel.problem).toBeNull())
  const message = { ...MESSAGE, id: 'x', to: '+8613800000001' }
  await channel.send({ ...message, text: 'A 罐区 T-101 液位 95.2% 😀' }, GO_ON)
  await channel.send({ ...message, language: 'en', text: 'Tank T-101 level 95.2% > 95 €[x] @_$' }, GO_ON)
  await channel.send({ ...message, text: '罐'.repeat(65) }, GO_ON)
  const octets = (...written: string[]) => written.join('').replaceAll(' ', '')
  const reply = '000a 56de 590d 0031 786e 8ba4'
  expect(pdus.map((pdu) => pdu.toString('hex'))).toEqual([
    // bind_transceiver: fenghuo, secret08, VMA, interface_version 0x34
    octets('00000029 00000009 00000000 00000001', '66656e6768756f00 736563726574303800 564d4100 34 00 00 00'),
    octets(
      '00000074 00000004 00000000 00000002',
      ...[ADDRESSES, '00 00 00 00 00 01 00 08 00', '38'],
      '0041 0020 7f50 533a 0020 0054 002d 0031 0030 0031 0020 6db2 4f4d 0020 0039 0035 002e 0032 0025 0020 d83d de00',
      ...[reply, REFERENCE]
    ),
    octets(
      '0000007a 00000004 00000000 00000003',
      ...[ADDRESSES, '00 00 00 00 00 01 00 00 00', '3e'],
      // GSM: € and the brackets by the extension table, @ 00, _ 11, $ 02
      '54616e6b20542d313031206c6576656c2039352e3225203e20393520 1b65 1b3c 78 1b3e 20 00 11 02',
      ...['0a 5265706c79203120746f2061636b6e6f776c65646765', REFERENCE]
    ),
    // esm_class 0x40: a header names the parts, 1 of 2 and 2 of 2
    octets(
      '000000c7 00000004 00000000 00000004',
      ...[ADDRESSES, '40 00 00 00 00 01 00 08 00', '8b 06 0804 1683 02 01', '7f50'.repeat(65), '000a', REFERENCE]
    ),
    octets(
      '0000004d 00000004 00000000 00000005',
      ...[ADDRESSES, '40 00 00 00 00 01 00 08 00', '11 06 0804 1683 02 02', reply.slice(5), REFERENCE]
    )
  ])
})
