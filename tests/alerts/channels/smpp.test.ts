// SMPP against a real SMPP server (of the same library, other side): binding, parts, receipts, replies, and every way it can fail.

import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { Carrier, type CarrierOptions } from '../../../simulators/carrier/carrier.ts'
import type { SmppSettings } from '../../../src/alerts/channels/settings.ts'
import { Smpp } from '../../../src/alerts/channels/smpp.ts'
import { ManualClock, SystemClock } from '../../../src/platform/clock.ts'
import { Secret } from '../../../src/platform/secret.ts'
import { ear, GO_ON, groundOf, later, MESSAGE } from './yard.ts'

const SETTINGS: SmppSettings = {
  id: 'sms-smpp',
  kind: 'sms',
  provider: 'smpp',
  perSecond: null,
  host: '127.0.0.1',
  port: 0,
  tls: false,
  systemId: 'fenghuo',
  password: new Secret('pw'),
  systemType: '',
  source: '10690000',
  numbers: 'digits',
  countryCode: '86',
  window: 10,
  referenceBits: 16,
  receiptIds: 'auto',
  maxParts: 6,
  enquireLinkMs: 30_000,
  answers: false
}

async function bound(options: Partial<CarrierOptions> = {}, settings: Partial<SmppSettings> = {}) {
  const clock = new SystemClock()
  const carrier = new Carrier({ clock, ...options })
  await carrier.start()
  later(() => carrier.stop())
  const channel = new Smpp({ ...SETTINGS, port: carrier.smppPort, ...settings }, groundOf({ clock }))
  later(() => channel.stop())
  const heard = ear()
  await channel.start(heard)
  await vi.waitFor(() => expect(channel.problem).toBeNull())
  return { carrier, channel, heard }
}

test('a Chinese text goes out whole and its receipt comes back', async () => {
  const { carrier, channel, heard } = await bound()
  expect(await channel.send(MESSAGE, GO_ON)).toEqual({ kind: 'accepted', providerId: '1' })
  expect(carrier.ledger.map(({ to, text, part, outcome }) => ({ to, text, part, outcome }))).toEqual([
    { to: '8613800000001', text: MESSAGE.text, part: null, outcome: 'taken' }
  ])
  await vi.waitFor(() => expect(heard.receipts).toEqual([{ providerId: '1', state: 'delivered', problem: null }]))
})

test('a long text is delivered once every part is; ids in receipts may be decimal where the answer was hexadecimal', async () => {
  const { carrier, channel, heard } = await bound({ receiptIds: 'decimal' })
  // Ten messages before it, so that hexadecimal and decimal differ.
  for (let i = 0; i < 10; i++) await channel.send({ ...MESSAGE, id: `before-${i}`, text: 'before' }, GO_ON)
  await vi.waitFor(() => expect(heard.receipts).toHaveLength(10))
  const text = '储罐液位超过高高限，请立即停止进料并确认现场。'.repeat(7)
  expect(await channel.send({ ...MESSAGE, text }, GO_ON)).toEqual({ kind: 'accepted', providerId: 'b' })
  const parts = carrier.ledger.slice(10)
  expect(parts.map(({ part }) => [part?.total, part?.number])).toEqual([
    [3, 1],
    [3, 2],
    [3, 3]
  ])
  expect(new Set(parts.map(({ part }) => part?.reference)).size).toBe(1)
  expect(parts.map((part) => part.text).join('')).toBe(text)
  await vi.waitFor(() => expect(heard.receipts.slice(10)).toEqual([{ providerId: 'b', state: 'delivered', problem: null }]))
})

test('a text of too many parts is cut before its link', async () => {
  const { carrier, channel } = await bound({}, { maxParts: 2 })
  const ackUrl = `https://alarms.example.com/a/${'k'.repeat(36)}`
  expect((await channel.send({ ...MESSAGE, text: '罐'.repeat(200), ackUrl }, GO_ON)).kind).toBe('accepted')
  expect(carrier.ledger.map(({ text }) => text).join('')).toBe(`${'罐'.repeat(62)}…\n确认：${ackUrl}`)
  expect((await channel.send({ ...MESSAGE, id: 'gsm', text: 'a'.repeat(400), language: 'en', ackUrl }, GO_ON)).kind).toBe('accepted')
  const gsm = carrier.ledger.slice(2).map(({ text }) => text)
  expect([gsm.length, gsm.join('').endsWith(`…\nAcknowledge: ${ackUrl}`)]).toEqual([2, true])
})

test('one part that cannot be delivered fails the message, once', async () => {
  const { channel, heard } = await bound({ receiptState: ({ part }) => (part?.number === 2 ? 'UNDELIV' : 'DELIVRD') })
  await channel.send({ ...MESSAGE, text: '长'.repeat(140) }, GO_ON)
  await channel.send({ ...MESSAGE, id: 'after', text: 'after' }, GO_ON)
  await vi.waitFor(() => expect(heard.receipts).toHaveLength(2))
  expect(heard.receipts).toEqual([
    { providerId: '1', state: 'failed', problem: 'it cannot be delivered (UNDELIV, error 000)' },
    { providerId: '4', state: 'delivered', problem: null }
  ])
})

test('replies are answers, in GSM and UCS-2, whole and in parts', async () => {
  const { carrier, heard } = await bound()
  carrier.reply('8613800000001', '1')
  carrier.reply('8613800000001', '收到，马上去')
  const part = (number: number, text: string) => ({
    source_addr: '8613800000002',
    destination_addr: '10690000',
    esm_class: 0x40,
    data_coding: 8,
    short_message: Buffer.concat([Buffer.from([5, 0, 3, 77, 2, number]), Buffer.from(text, 'utf16le').swap16()])
  })
  carrier.deliver(part(2, '确认'))
  carrier.deliver(part(1, '我已'))
  await vi.waitFor(() => expect(heard.answers).toHaveLength(3))
  expect(heard.answers).toEqual([
    { from: '+8613800000001', text: '1', providerId: null },
    { from: '+8613800000001', text: '收到，马上去', providerId: null },
    { from: '+8613800000002', text: '我已确认', providerId: null }
  ])
})

test.each([
  ['throttled', { kind: 'failed', problem: 'the carrier answered with status 0x58: too fast', retryAfterMs: 10_000 }],
  ['refused', { kind: 'refused', about: 'recipient', problem: 'the carrier answered with status 0x0b' }],
  ['broken', { kind: 'doubtful', problem: 'the connection to the carrier was lost: the connection was closed' }]
] as const)('a carrier that says %s', async (outcome, expected) => {
  const { channel } = await bound({ treat: () => outcome })
  expect(await channel.send(MESSAGE, GO_ON)).toEqual(expected)
})

test('a lost connection is bound again, and what is sent meanwhile fails at once', async () => {
  const { carrier, channel } = await bound()
  carrier.cut()
  await vi.waitFor(() => expect(channel.problem).toBe('it is not connected: the connection was closed'))
  expect(await channel.send(MESSAGE, GO_ON)).toEqual({
    kind: 'failed',
    problem: 'it is not connected: the connection was closed',
    retryAfterMs: null
  })
  await vi.waitFor(() => expect(channel.problem).toBeNull(), { timeout: 5_000 })
  expect((await channel.send(MESSAGE, GO_ON)).kind).toBe('accepted')
})

test('a carrier that does not answer: the submit is doubtful after its time, the enquiry ends the session', async () => {
  const clock = new ManualClock(1_767_225_600_000)
  const carrier = new Carrier({ clock, treat: () => 'silent' })
  await carrier.start()
  later(() => carrier.stop())
  const channel = new Smpp({ ...SETTINGS, port: carrier.smppPort }, groundOf({ clock }))
  await channel.start(ear())
  await vi.waitFor(() => expect(channel.problem).toBeNull())
  const sending = channel.send(MESSAGE, GO_ON)
  await vi.waitFor(() => expect(carrier.ledger).toHaveLength(1))
  clock.moveTo(clock.now() + 10_000)
  expect(await sending).toEqual({ kind: 'doubtful', problem: 'the carrier did not answer the submit in time' })
  await channel.stop()
  expect(carrier.bound).toBe(0)
})

test('a wrong password is said, and tried again only after a pause', async () => {
  const clock = new ManualClock(0)
  const carrier = new Carrier({ clock, password: 'other' })
  await carrier.start()
  later(() => carrier.stop())
  const channel = new Smpp({ ...SETTINGS, port: carrier.smppPort }, groundOf({ clock }))
  later(() => channel.stop())
  await channel.start(ear())
  await vi.waitFor(() => expect(channel.problem).toBe('it is not connected: the password is wrong (ESME_RINVPASWD)'))
  expect(channel.starting).toBe(false)
})

test('it is starting until the first bind, and for no longer than people can wait', async () => {
  const clock = new ManualClock(0)
  const mute = createServer(() => {}).listen(0, '127.0.0.1')
  later(() => void mute.close())
  await vi.waitFor(() => expect(mute.listening).toBe(true))
  const channel = new Smpp({ ...SETTINGS, port: (mute.address() as AddressInfo).port }, groundOf({ clock }))
  later(() => channel.stop())
  expect(channel.starting).toBe(false)
  await channel.start(ear())
  clock.moveTo(1_999)
  expect(channel.starting).toBe(true)
  clock.moveTo(2_000)
  expect(channel.starting).toBe(false)
  const { channel: quick } = await bound()
  expect(quick.starting).toBe(false)
})

test('what is no phone number is refused before anything leaves', async () => {
  const { carrier, channel } = await bound()
  expect(await channel.send({ ...MESSAGE, to: 'li@example.com' }, GO_ON)).toEqual({
    kind: 'refused',
    about: 'recipient',
    problem: 'the address is not a phone number'
  })
  expect(carrier.ledger).toEqual([])
})

test('a part that is told to slow down is tried again, so that the text arrives whole and once', async () => {
  let slowed = false
  const { carrier, channel } = await bound({
    treat: ({ number }) => {
      if (number !== 2 || slowed) return 'taken'
      slowed = true
      return 'throttled'
    }
  })
  expect((await channel.send({ ...MESSAGE, text: '长'.repeat(100) }, GO_ON)).kind).toBe('accepted')
  expect(carrier.ledger.map(({ part, outcome }) => [part?.number, outcome])).toEqual([
    [1, 'taken'],
    [2, 'throttled'],
    [2, 'taken']
  ])
})

test('the window bounds what is on its way, and every message arrives once', async () => {
  const { carrier, channel } = await bound({}, { window: 3 })
  const outcomes = await Promise.all(Array.from({ length: 200 }, (_, n) => channel.send({ ...MESSAGE, id: `n${n}`, text: `n${n}` }, GO_ON)))
  expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true)
  expect(carrier.ledger.map(({ text }) => text)).toEqual(Array.from({ length: 200 }, (_, n) => `n${n}`))
})

test('a server that speaks something else is left, whatever it says, and tried again later', async () => {
  const said = [
    Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
    Buffer.alloc(64),
    Buffer.from('0000001080000009', 'hex'),
    // A deliver_sm that ends in the middle of its header, and one whose user data header lies about its length.
    Buffer.from('00000018000000050000000000000001313233343536373839', 'hex'),
    Buffer.from('0000002d000000050000000000000001000101313233000101343536004000000000000000000800' + '06ff0004ffffff', 'hex')
  ]
  for (const bytes of said) {
    const clock = new ManualClock(0)
    const sockets: Socket[] = []
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.write(bytes)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    later(() => void server.close())
    const channel = new Smpp({ ...SETTINGS, port: (server.address() as AddressInfo).port }, groundOf({ clock }))
    await channel.start(ear())
    await vi.waitFor(() => expect(sockets).toHaveLength(1))
    await vi.waitFor(() => {
      clock.moveTo(clock.now() + 3_000)
      expect([channel.problem?.startsWith('it is not connected: '), sockets.length > 1]).toEqual([true, true])
    })
    await channel.stop()
  }
})

test('starts again after a stop that is over', async () => {
  const { carrier, channel, heard } = await bound()
  await channel.stop()
  expect(await channel.send(MESSAGE, GO_ON)).toMatchObject({ kind: 'failed' })
  await vi.waitFor(() => expect(carrier.bound).toBe(0))
  await channel.start(heard)
  await vi.waitFor(() => expect(channel.problem).toBeNull())
  expect([carrier.bound, await channel.send(MESSAGE, GO_ON)]).toEqual([1, { kind: 'accepted', providerId: '1' }])
})
