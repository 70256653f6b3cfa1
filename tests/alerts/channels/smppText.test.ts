// Texts as octets: against the smpp library's own coders, at every length, and joined again as a phone joins them.

import fc from 'fast-check'
import smpp from 'smpp'
import { expect, test } from 'vitest'
import { messageId, PartReceipts, partReceipt, Replies } from '../../../src/alerts/channels/smppReceipts.ts'
import { partPlace, type SmsPart, smsParts, UCS2 } from '../../../src/alerts/channels/smppText.ts'

const decoded = ({ dataCoding, body }: SmsPart): string => smpp.encodings[dataCoding === UCS2 ? 'UCS2' : 'ASCII'].decode(body)
const shape = (parts: readonly SmsPart[]) => parts.map(({ dataCoding, header, body }) => [dataCoding, header?.length ?? 0, body.length])

test('one part up to 70 units of UCS-2 and 160 septets of GSM, then parts with a header', () => {
  expect(shape(smsParts('罐'.repeat(70), 1, 8, 9))).toEqual([[8, 0, 140]])
  expect(shape(smsParts('罐'.repeat(71), 1, 8, 9))).toEqual([
    [8, 6, 134],
    [8, 6, 8]
  ])
  expect(shape(smsParts('罐'.repeat(71), 1, 16, 9))).toEqual([
    [8, 7, 132],
    [8, 7, 10]
  ])
  expect(shape(smsParts('a'.repeat(160), 1, 8, 9))).toEqual([[0, 0, 160]])
  expect(shape(smsParts('a'.repeat(161), 1, 8, 9))).toEqual([
    [0, 6, 153],
    [0, 6, 8]
  ])
  expect(shape(smsParts('a'.repeat(161), 1, 16, 9))).toEqual([
    [0, 7, 152],
    [0, 7, 9]
  ])
})

test('headers name reference, total and number', () => {
  const headers = (bits: 8 | 16) => smsParts('罐'.repeat(140), 0xabcd, bits, 9).map(({ header }) => header?.toString('hex'))
  expect(headers(8)).toEqual(['050003cd0301', '050003cd0302', '050003cd0303'])
  expect(headers(16)).toEqual(['060804abcd0301', '060804abcd0302', '060804abcd0303'])
})

test('neither a surrogate pair nor an escape sequence is torn', () => {
  const torn = smsParts(`${'罐'.repeat(66)}😀${'罐'.repeat(10)}`, 1, 8, 9)
  expect(torn.map(decoded)).toEqual(['罐'.repeat(66), `😀${'罐'.repeat(10)}`])
  expect(smsParts(`${'a'.repeat(152)}€${'a'.repeat(20)}`, 1, 8, 9).map(decoded)).toEqual(['a'.repeat(152), `€${'a'.repeat(20)}`])
})

test('what needs more parts than allowed ends in an ellipsis', () => {
  for (const text of ['罐'.repeat(1000), 'a'.repeat(2000), '😀'.repeat(900)]) {
    const parts = smsParts(text, 1, 16, 3)
    const joined = parts.map(decoded).join('')
    expect([parts.length, joined.endsWith('…'), text.startsWith(joined.slice(0, -1))]).toEqual([3, true, true])
  }
})

test('law: whatever the text, its parts fit and join to it again, the same at every try', () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.string({ unit: 'binary-ascii', maxLength: 700 }))
  fc.assert(
    fc.property(text, fc.constantFrom<(8 | 16)[]>(8, 16), fc.nat(0xffff), (written, bits, reference) => {
      const parts = smsParts(written, reference, bits, 1000)
      for (const { dataCoding, header, body } of parts) {
        const septets = dataCoding === UCS2 ? 0 : body.length
        const octets = dataCoding === UCS2 ? body.length : Math.ceil((septets * 7) / 8)
        expect(octets + (header?.length ?? 0)).toBeLessThanOrEqual(140)
      }
      expect(parts.map(decoded).join('')).toBe(written)
      expect(smsParts(written, reference, bits, 1000)).toEqual(parts)
    }),
    { numRuns: 300 }
  )
})

test('places of parts are read from both kinds of header', () => {
  expect(partPlace([Buffer.from([0x00, 3, 7, 2, 1])])).toEqual({ reference: 7, total: 2, number: 1 })
  expect(partPlace([Buffer.from([0x05, 4, 0, 1, 0, 2]), Buffer.from([0x08, 4, 1, 7, 3, 2])])).toEqual({
    reference: 263,
    total: 3,
    number: 2
  })
  for (const broken of [[], [0x00], [0x00, 3, 7, 2, 3], [0x00, 3, 7, 1, 1], [0x08, 4, 1, 7]])
    expect(partPlace([Buffer.from(broken)])).toBeNull()
})

const TEXT = (stat: string) => `id:0A1B sub:001 dlvrd:001 submit date:2601010800 done date:2601010800 stat:${stat} err:012 text:hello`

test.each([
  [TEXT('DELIVRD'), undefined, undefined, { id: '0A1B', state: 'delivered', problem: null }],
  [TEXT('UNDELIV'), undefined, undefined, { id: '0A1B', state: 'failed', problem: 'it cannot be delivered (UNDELIV, error 012)' }],
  [
    TEXT('EXPIRED'),
    undefined,
    undefined,
    { id: '0A1B', state: 'failed', problem: 'it expired before the phone could be reached (EXPIRED, error 012)' }
  ],
  [TEXT('ENROUTE'), undefined, undefined, null],
  [TEXT('ACCEPTD'), undefined, undefined, null],
  [TEXT('UNKNOWN'), undefined, undefined, null],
  ['', '77', 2, { id: '77', state: 'delivered', problem: null }],
  ['', '77\u0000', 8, { id: '77', state: 'failed', problem: 'the carrier rejected it (REJECTD)' }],
  ['', '77', 1, null],
  ['garbage', undefined, undefined, null]
])('receipt %j %s %s', (text, id, state, expected) => {
  expect(partReceipt(text, id, state)).toEqual(expected)
})

test('ids are matched whatever their spelling; an early receipt waits for its submit', () => {
  expect([messageId('00AB'), messageId('0')]).toEqual(['ab', '0'])
  const receipts = new PartReceipts('auto')
  const delivered = (id: string, submitting = false) => receipts.take({ id, state: 'delivered', problem: null }, submitting)
  const done = (providerId: string) => ({ providerId, state: 'delivered', problem: null })
  receipts.expect(['0000001F'])
  expect(delivered('31')).toEqual(done('1f'))
  receipts.expect(['255'])
  expect(delivered('FF')).toEqual(done('255'))
  expect(delivered('abc', true)).toBeNull()
  expect(receipts.expect(['0abc'])).toEqual(done('abc'))
  expect(delivered('zzz', true)).toBeNull()
  expect(receipts.leftOver()).toEqual([done('zzz')])
  expect(delivered('first-before-restart')).toEqual(done('first-before-restart'))
})

test('replies in parts are joined whatever their order; others do not mix in', () => {
  const replies = new Replies()
  expect(replies.take('a', 'whole', null)).toBe('whole')
  expect(replies.take('a', 'B', { reference: 1, total: 2, number: 2 })).toBeNull()
  expect(replies.take('b', 'x', { reference: 1, total: 2, number: 1 })).toBeNull()
  expect(replies.take('a', 'A', { reference: 1, total: 2, number: 1 })).toBe('AB')
})
