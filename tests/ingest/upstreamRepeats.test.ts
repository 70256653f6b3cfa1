// Which redelivered messages count as known: only what the broker cannot have meant otherwise.

import { expect, it } from 'vitest'
import { UpstreamRepeats } from '../../src/ingest/upstreamRepeats.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import type { PublishFrame } from '../../src/platform/mqttFrames.ts'
import { Delivery, type MqttLink } from '../../src/platform/mqttLink.ts'

const link = { settled() {} } as MqttLink

function frame(packetId: number, text: string, more: Partial<PublishFrame> = {}): PublishFrame {
  return { topic: 'fh/1/gw/telemetry', body: Buffer.from(text), qos: 1, dup: true, retain: false, packetId, tooLong: 0, ...more }
}

function after(...frames: PublishFrame[]): { repeats: UpstreamRepeats; taken: Delivery[] } {
  const repeats = new UpstreamRepeats()
  const taken = frames.map((one) => new Delivery(one, link))
  repeats.left(taken)
  return { repeats, taken }
}

it('knows a message by its packet id, topic and body, where it is marked as a repeat', () => {
  const { repeats, taken } = after(frame(5, 'a', { dup: false }), frame(6, 'b', { dup: false }), frame(7, 'c', { dup: false }))
  expect(repeats.firstOf(frame(5, 'a'))).toBe(taken[0])
  expect(repeats.firstOf(frame(6, 'x'))).toBeNull()
  expect(repeats.firstOf(frame(7, 'c', { topic: 'fh/1/other/telemetry' }))).toBeNull()
  expect(repeats.firstOf(frame(8, 'a'))).toBeNull()
})

it('compares a packet id once: what comes under it next is another message', () => {
  const { repeats } = after(frame(5, 'a'), frame(6, 'b'))
  // The broker has given the id anew, so it had heard of the first.
  expect(repeats.firstOf(frame(5, 'a', { dup: false }))).toBeNull()
  expect(repeats.firstOf(frame(5, 'a'))).toBeNull()
  expect(repeats.firstOf(frame(6, 'b'))).not.toBeNull()
  expect(repeats.firstOf(frame(6, 'b'))).toBeNull()
})

it('remembers over several connections what has not come again yet, up to its bound, and forgets with the session', () => {
  const { repeats, taken } = after(frame(1, 'a'), frame(2, 'b'))
  const again = new Delivery(frame(2, 'b'), link)
  repeats.left([again])
  expect([repeats.firstOf(frame(1, 'a')), repeats.firstOf(frame(2, 'b'))]).toEqual([taken[0], again])
  repeats.left(Array.from({ length: LIMITS.upstream.repeatsKnown + 1 }, (_, n) => new Delivery(frame(n + 1, 'x'), link)))
  expect([repeats.firstOf(frame(1, 'x')), repeats.firstOf(frame(2, 'x')) === null]).toEqual([null, false])
  repeats.forget()
  expect(repeats.firstOf(frame(3, 'x'))).toBeNull()
})

it('is settled with the first: at once where that is on disk, else when it comes there', () => {
  const { taken } = after(frame(1, 'a'))
  const [second, third] = [new Delivery(frame(1, 'a'), link), new Delivery(frame(1, 'a'), link)]
  taken[0]!.settleWith(second)
  expect(second.isSettled).toBe(false)
  taken[0]!.settle()
  expect(second.isSettled).toBe(true)
  taken[0]!.settleWith(third)
  expect(third.isSettled).toBe(true)
})
