import fc from 'fast-check'
import mqtt, { type Packet } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import { PacketGuard } from '../../src/ingest/packetGuard.ts'

const CONNECT = mqtt.generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId: 'a', keepalive: 0 })

function publish(bytes: number): Buffer {
  return mqtt.generate({ cmd: 'publish', topic: 't', payload: 'x'.repeat(bytes), qos: 0, dup: false, retain: false })
}

describe('the packet guard', () => {
  it('stops at the end of CONNECT, so that what follows waits for the answer', () => {
    const guard = new PacketGuard()
    const bytes = Buffer.concat([CONNECT, publish(10)])
    expect(guard.look(bytes)).toBe(CONNECT.length)
    expect(guard.connected).toBe(true)
    expect(guard.look(bytes.subarray(CONNECT.length))).toBe(publish(10).length)
    expect(guard.unfinished).toBe(false)
  })

  it('knows packets however they are cut, and whether the last one is finished', () => {
    const packets: Packet[] = [{ cmd: 'pingreq' }, { cmd: 'puback', messageId: 1 }]
    const stream = Buffer.concat([publish(0), publish(200), ...packets.map((packet) => mqtt.generate(packet)), publish(20_000)])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 20 }), fc.boolean(), (cuts, whole) => {
        const guard = new PacketGuard()
        guard.look(CONNECT)
        const places = [0, ...[...new Set(cuts)].sort((a, b) => a - b), whole ? stream.length : stream.length - 1]
        for (let i = 1; i < places.length; i++) {
          const chunk = stream.subarray(places[i - 1], places[i])
          expect(guard.look(chunk)).toBe(chunk.length)
        }
        expect(guard.unfinished).toBe(!whole)
      })
    )
  })

  it('refuses a remaining length of five bytes', () => {
    const guard = new PacketGuard()
    guard.look(CONNECT)
    expect(guard.look(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff]))).toBe(-1)
    expect(guard.problem).toMatchObject({ reason: 'malformed', publish: true })
  })

  it('hears DISCONNECT', () => {
    const guard = new PacketGuard()
    guard.look(CONNECT)
    guard.look(mqtt.generate({ cmd: 'disconnect' } as Packet))
    expect(guard.saidGoodbye).toBe(true)
  })

  it('never reads beyond a refused packet, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const guard = new PacketGuard()
        const taken = guard.look(bytes)
        expect(taken).toBeLessThanOrEqual(bytes.length)
        expect(taken === -1).toBe(guard.problem !== null)
      })
    )
  })
})
