// Sessions with an external broker: a real Mosquitto, a real journal, gateways that publish to the one and are found in the other.

import { spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BrokerJournal } from '../../src/ingest/brokerAcceptance.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { type MosquittoForTests, openMosquitto } from './mosquittoServer.ts'
import { clock, settingsFor, UpstreamYard, WAIT } from './upstreamYard.ts'

let broker: MosquittoForTests
let yard: UpstreamYard

beforeEach(async () => {
  broker = await openMosquitto()
  yard = new UpstreamYard()
  await yard.journal.start()
})

afterEach(async () => {
  await yard?.close()
  await broker?.close()
})

/** mosquitto_pub to its end. */
function publish(...args: string[]): Promise<number | null> {
  const child = spawn('mosquitto_pub', ['-h', broker.host, '-p', String(broker.port), ...args], { stdio: 'ignore' })
  return new Promise((resolve) => void child.once('close', resolve))
}

describe.each([4, 5] as const)('over MQTT %s', (protocol) => {
  it('journals every message in order and acknowledges it', async () => {
    await yard.upstream(settingsFor(broker.url, { protocol }))
    const gateway = await yard.publisher(broker.direct, 'gw-0')
    for (let n = 0; n < 3000; n++) {
      while (!gateway.offer('fh/1/gw-0/telemetry', `{"n":${n}}`)) await gateway.room()
    }
    expect(await gateway.idle(20_000)).toBe(true)
    await vi.waitFor(async () => expect(await yard.journaled()).toHaveLength(3001), WAIT)
    const lines = await yard.journaled()
    expect(lines[0]).toBe('presence gw-0 {"online":true,"why":"published"}')
    expect(lines.slice(1)).toEqual(Array.from({ length: 3000 }, (_, n) => `telemetry fh/1/gw-0/telemetry {"n":${n}}`))
    expect(await yard.metric('fenghuo_messages_journaled_total')).toBe(3000)
  })

  it('takes QoS 0, 1 and 2 of devices that speak either version', async () => {
    await yard.upstream(settingsFor(broker.url, { protocol }))
    for (const version of ['mqttv311', 'mqttv5']) {
      for (const qos of ['0', '1', '2'])
        expect(await publish('-V', version, '-q', qos, '-t', 'fh/1/gw-1/T-1/telemetry', '-m', `${version} ${qos}`)).toBe(0)
    }
    await vi.waitFor(async () => expect(await yard.journaled()).toHaveLength(7), WAIT)
    expect((await yard.journaled()).slice(1)).toEqual(
      ['mqttv311', 'mqttv5'].flatMap((version) => ['0', '1', '2'].map((qos) => `telemetry fh/1/gw-1/T-1/telemetry ${version} ${qos}`))
    )
  })

  it('gets what was published while it was away, in order', async () => {
    const settings = settingsFor(broker.url, { protocol })
    const first = await yard.upstream(settings)
    await first.stop()
    const gateway = await yard.publisher(broker.direct, 'gw-0')
    for (let n = 0; n < 2000; n++) {
      while (!gateway.offer('fh/1/gw-0/telemetry', `{"n":${n}}`)) await gateway.room()
    }
    expect(await gateway.idle(20_000)).toBe(true)
    expect(await yard.journaled()).toEqual([])
    const second = await yard.upstream(settings)
    await vi.waitFor(async () => expect(await yard.journaled()).toHaveLength(2001), WAIT)
    expect((await yard.journaled()).slice(1)).toEqual(Array.from({ length: 2000 }, (_, n) => `telemetry fh/1/gw-0/telemetry {"n":${n}}`))
    expect(second.problem).toBeNull()
  })

  it('gets again what it had not acknowledged when it was cut off, however often', async () => {
    await yard.upstream(settingsFor(broker.url, { protocol }))
    const gateway = await yard.publisher(broker.direct, 'gw-0')
    const telemetry = async (): Promise<string[]> => (await yard.journaled()).filter((line) => line.startsWith('telemetry'))
    for (let cut = 1; cut <= 3; cut++) {
      const before = (await telemetry()).length
      for (let n = (cut - 1) * 500; n < cut * 500; n++) {
        while (!gateway.offer('fh/1/gw-0/telemetry', `{"n":${n}}`)) await gateway.room()
      }
      // Some of them have come, the others are on their way.
      await vi.waitFor(async () => expect((await telemetry()).length).toBeGreaterThan(before), { ...WAIT, interval: 1 })
      broker.proxy.cut()
      await vi.waitFor(async () => expect(await yard.metric('fenghuo_upstream_reconnects_total')).toBe(cut), WAIT)
    }
    expect(await gateway.idle(20_000)).toBe(true)
    // What was acknowledged while it was cut off may be there twice; whatever comes first comes in order.
    const expected = Array.from({ length: 1500 }, (_, n) => `telemetry fh/1/gw-0/telemetry {"n":${n}}`)
    await vi.waitFor(async () => expect([...new Set(await telemetry())]).toEqual(expected), WAIT)
  })
})

describe('what is sent again', () => {
  /** The yard's journal, whose flush is not told of before `open` is called. */
  function held(): { journal: BrokerJournal; open: () => void } {
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const { journal } = yard
    return {
      journal: {
        append: (kind, source, body, done) => journal.append(kind, source, body, (seq) => void gate.then(() => done(seq))),
        get unflushedBytes() {
          return journal.unflushedBytes
        }
      },
      open
    }
  }

  it.each([4, 5] as const)('is taken once, also without a time of its own, where it was never acknowledged (MQTT %s)', async (protocol) => {
    const { journal, open } = held()
    const settings = settingsFor(broker.url, { protocol })
    await yard.upstream(settings, { journal })
    for (let n = 0; n < 3; n++) await publish('-q', '1', '-t', 'fh/1/gw-0/T-1/telemetry', '-m', '{"values":{"level_pct":50}}')
    await vi.waitFor(async () => expect(await yard.journaled()).toHaveLength(4), WAIT)
    for (let cut = 1; cut <= 2; cut++) {
      broker.proxy.cut()
      await vi.waitFor(async () => expect(await yard.metric('fenghuo_upstream_redelivered_total')).toBe(3 * cut), WAIT)
      await vi.waitFor(async () => expect(await yard.metric('fenghuo_upstream_reconnects_total')).toBe(cut), WAIT)
    }
    expect(await yard.metric('fenghuo_upstream_ignored_total{reason="repeat"}')).toBe(6)
    open()
    await publish('-q', '1', '-t', 'fh/1/gw-0/T-1/telemetry', '-m', '{"values":{"level_pct":50}}')
    await vi.waitFor(async () => expect(await yard.journaled()).toHaveLength(5), WAIT)
    expect(await yard.metric('fenghuo_messages_journaled_total')).toBe(4)
    // All of it is acknowledged: nothing comes again.
    broker.proxy.cut()
    await vi.waitFor(async () => expect(await yard.metric('fenghuo_upstream_reconnects_total')).toBe(3), WAIT)
    await publish('-q', '1', '-t', 'fh/1/gw-0/T-1/telemetry', '-m', '{"last":1}')
    await vi.waitFor(async () => expect((await yard.journaled()).at(-1)).toContain('{"last":1}'), WAIT)
    expect(await yard.journaled()).toHaveLength(6)
  })

  it('is taken again in a new session, where its packet id may mean another message', async () => {
    const { journal, open } = held()
    await yard.upstream(settingsFor(broker.url), { journal })
    await publish('-q', '1', '-t', 'fh/1/gw-0/telemetry', '-m', '{"same":1}')
    await vi.waitFor(async () => expect(await yard.journaled()).toHaveLength(2), WAIT)
    broker.proxy.mode = 'refuse'
    broker.proxy.cut()
    await publish('-i', 'fenghuo-p00', '-t', 'x', '-m', 'x')
    broker.proxy.mode = 'pass'
    await vi.waitFor(async () => expect(await yard.metric('fenghuo_upstream_sessions_lost_total')).toBe(1), WAIT)
    // The new session's first message has the same packet id and the same body.
    await publish('-q', '1', '-t', 'fh/1/gw-0/telemetry', '-m', '{"same":1}')
    await vi.waitFor(async () => expect(await yard.journaled()).toHaveLength(3), WAIT)
    broker.proxy.cut()
    await vi.waitFor(async () => expect(await yard.metric('fenghuo_upstream_redelivered_total')).toBe(1), WAIT)
    open()
    await vi.waitFor(async () => expect(await yard.metric('fenghuo_messages_journaled_total')).toBe(2), WAIT)
    expect(await yard.journaled()).toHaveLength(3)
  })
})

describe('what is whose', () => {
  it('journals status and wills as presence, and retained ones only where they say something new', async () => {
    await publish('-q', '1', '-r', '-t', 'fh/1/gw-0/status', '-m', '{"online": false}')
    await publish('-q', '1', '-r', '-t', 'fh/1/gw-1/status', '-m', '{"online": true}')
    await publish('-q', '1', '-r', '-t', 'fh/1/gw-2/telemetry', '-m', '{"old":1}')
    yard.presence.set('gw-1', true)
    const settings = settingsFor(broker.url)
    const upstream = await yard.upstream(settings)
    await vi.waitFor(async () => expect(await yard.journaled()).toEqual(['presence gw-0 {"online":false,"why":"retained status"}']), WAIT)
    await publish('-q', '1', '-r', '-t', 'fh/1/gw-0/status', '-m', '{"online": true}')
    const will = ['--will-topic', 'fh/1/gw-0/status', '--will-payload', '{"online": false}', '--will-qos', '1', '--will-retain']
    const device = spawn('mosquitto_sub', ['-h', broker.host, '-p', String(broker.port), '-t', 'fh/1/gw-0/rejects', '-i', 'gw-0', ...will])
    await vi.waitFor(() => expect(broker.output()).toContain('gw-0 0 fh/1/gw-0/rejects'), WAIT)
    device.kill('SIGKILL')
    await vi.waitFor(
      async () =>
        expect((await yard.journaled()).slice(1)).toEqual([
          'presence gw-0 {"online":true,"why":"status"}',
          'presence gw-0 {"online":false,"why":"status"}'
        ]),
      WAIT
    )
    expect(upstream.gatewayConnected('gw-0')).toBe(false)
    // Another connection hears the same retained messages again.
    broker.proxy.cut()
    await vi.waitFor(() => expect(yard.sentences.filter((line) => line.startsWith('connected'))).toHaveLength(2), WAIT)
    await publish('-q', '1', '-t', 'fh/1/gw-3/telemetry', '-m', '{}')
    await vi.waitFor(async () => expect((await yard.journaled()).at(-1)).toBe('telemetry fh/1/gw-3/telemetry {}'), WAIT)
    expect(await yard.journaled()).toHaveLength(5)
  })

  it('quarantines unknown gateways by journaling, refuses revoked ones, and does not hear itself', async () => {
    yard.standings.set('gw-1', 'revoked')
    const upstream = await yard.upstream(settingsFor(broker.url))
    await publish('-q', '1', '-t', 'fh/1/gw-99/telemetry', '-m', '{"unknown":1}')
    await publish('-q', '1', '-t', 'fh/1/gw-1/telemetry', '-m', '{"revoked":1}')
    await publish('-q', '1', '-t', 'fh/1/gw 2/telemetry', '-m', '{"no id":1}')
    await publish('-q', '1', '-t', 'fh/1/gw-0/T-1/else', '-m', '{"odd":1}')
    await publish('-q', '1', '-t', 'fh/2/gw-0/telemetry', '-m', '{"not ours":1}')
    upstream.publish('fh/1/gw-0/rejects', '{"problem":"p"}')
    await publish('-q', '1', '-t', 'fh/1/gw-0/telemetry', '-m', '{"last":1}')
    await vi.waitFor(async () => expect((await yard.journaled()).at(-1)).toBe('telemetry fh/1/gw-0/telemetry {"last":1}'), WAIT)
    expect(await yard.journaled()).toEqual([
      'telemetry fh/1/gw-99/telemetry {"unknown":1}',
      'presence gw-0 {"online":true,"why":"published"}',
      'telemetry fh/1/gw-0/T-1/else {"odd":1}',
      'telemetry fh/1/gw-0/telemetry {"last":1}'
    ])
    expect([await yard.metric('fenghuo_messages_refused_total'), await yard.metric('fenghuo_messages_received_total')]).toEqual([2, 5])
    expect(yard.sentences.filter((line) => line.includes('refused') || line.includes('none of a gateway'))).toEqual([
      'gw-1 is revoked, and the broker passed on what it published to "fh/1/gw-1/telemetry": refused. Take it out of the broker\'s password file.',
      'The broker passed on "fh/1/gw 2/telemetry", which is none of a gateway.'
    ])
  })

  it('refuses what is too long without gathering it, and goes on', async () => {
    await yard.upstream(settingsFor(broker.url))
    const gateway = await yard.publisher(broker.direct, 'gw-0')
    await gateway.publish('fh/1/gw-0/telemetry', Buffer.alloc(LIMITS.mqtt.packetBytes * 3, 'x'))
    await gateway.publish('fh/1/gw-0/telemetry', Buffer.alloc(LIMITS.mqtt.packetBytes - 100, 'y'))
    await gateway.publish('fh/1/gw-0/telemetry', '{"after":1}')
    await vi.waitFor(async () => expect((await yard.journaled()).at(-1)).toBe('telemetry fh/1/gw-0/telemetry {"after":1}'), WAIT)
    expect(await yard.journaled()).toEqual([
      'presence gw-0 {"online":true,"why":"published"}',
      `telemetry fh/1/gw-0/telemetry ${'y'.repeat(LIMITS.mqtt.packetBytes - 100)}`,
      'telemetry fh/1/gw-0/telemetry {"after":1}'
    ])
    expect(await yard.metric('fenghuo_messages_refused_total')).toBe(1)
  })
})

describe('several connections', () => {
  it('keep the order of each gateway, and follow the plant', async () => {
    const upstream = await yard.upstream(settingsFor(broker.url, { connections: 4 }))
    expect(upstream.connections().map(({ clientId }) => clientId)).toEqual(['fenghuo-p00', 'fenghuo-p01', 'fenghuo-p02', 'fenghuo-p03'])
    const gateways = await Promise.all(['gw-0', 'gw-1', 'gw-2', 'gw-3', 'gw-4'].map((id) => yard.publisher(broker.direct, id)))
    for (let n = 0; n < 300; n++) gateways.forEach((gateway, g) => void gateway.offer(`fh/1/gw-${g}/telemetry`, `{"n":${n}}`))
    await vi.waitFor(async () => expect(await yard.journaled()).toHaveLength(5 * 301), WAIT)
    for (let g = 0; g < 5; g++) {
      const own = (await yard.journaled()).filter((line) => line.startsWith(`telemetry fh/1/gw-${g}/`))
      expect(own).toEqual(Array.from({ length: 300 }, (_, n) => `telemetry fh/1/gw-${g}/telemetry {"n":${n}}`))
    }
    const seen = yard.journal.flushedSeq
    yard.plant = { ...yard.plant, gateways: [...yard.plant.gateways.slice(1), { id: 'gw-9' }] } as typeof yard.plant
    await vi.waitFor(() => expect(broker.output()).toMatch(/fh\/1\/gw-9\/# \(QoS 1\)[\s\S]*Received UNSUBSCRIBE/), WAIT)
    await publish('-q', '1', '-t', 'fh/1/gw-0/telemetry', '-m', '{"gone":1}')
    await publish('-q', '1', '-t', 'fh/1/gw-9/telemetry', '-m', '{"new":1}')
    await vi.waitFor(async () => expect((await yard.journaled(seen)).at(-1)).toBe('telemetry fh/1/gw-9/telemetry {"new":1}'), WAIT)
    expect(await yard.journaled(seen)).toHaveLength(2)
  })

  it.each([
    [4, 2],
    [1, 3],
    [3, 1]
  ])('lose nothing and keep the order when %i become %i', async (before, after) => {
    const first = await yard.upstream(settingsFor(broker.url, { connections: before }))
    await first.stop()
    const gateways = await Promise.all(['gw-0', 'gw-1', 'gw-2', 'gw-3', 'gw-4'].map((id) => yard.publisher(broker.direct, id)))
    const send = (from: number, to: number): void => {
      for (let n = from; n < to; n++) gateways.forEach((gateway, g) => void gateway.offer(`fh/1/gw-${g}/telemetry`, `{"n":${n}}`))
    }
    send(0, 400)
    for (const gateway of gateways) expect(await gateway.idle(20_000)).toBe(true)
    const second = await yard.upstream(settingsFor(broker.url, { connections: after }), {}, false)
    // More comes while the sessions move.
    for (let n = 400; n < 600; n += 20) {
      send(n, n + 20)
      for (const gateway of gateways) await gateway.idle(5_000)
    }
    await vi.waitFor(() => expect(second.connections()).toHaveLength(after), WAIT)
    send(600, 700)
    await vi.waitFor(async () => {
      const lines = new Set((await yard.journaled()).filter((line) => line.startsWith('telemetry')))
      expect(lines.size).toBe(5 * 700)
    }, WAIT)
    const lines = (await yard.journaled()).filter((line) => line.startsWith('telemetry'))
    for (let g = 0; g < 5; g++) {
      const own = [...new Set(lines.filter((line) => line.startsWith(`telemetry fh/1/gw-${g}/`)))]
      expect(own).toEqual(Array.from({ length: 700 }, (_, n) => `telemetry fh/1/gw-${g}/telemetry {"n":${n}}`))
    }
    expect(JSON.parse(yard.kept!)).toMatchObject({
      layout: { connections: after },
      former: []
    })
    expect(yard.sentences).toContain('the sessions at the MQTT broker have moved')
  })
})

describe('when the broker is not as it should be', () => {
  it('says that nobody answers, and connects once it is there', async () => {
    await broker.stop()
    const upstream = await yard.upstream(settingsFor(broker.direct), {}, false)
    await vi.waitFor(() => expect(upstream.problem).toMatch(/: nobody answers there\. It keeps what gateways publish/), WAIT)
    await broker.restart()
    await vi.waitFor(() => expect(upstream.problem).toBeNull(), WAIT)
  })

  it('ends at once where it was just connecting, and leaves no connection behind', async () => {
    broker.proxy.delayMs = 2_000
    const upstream = await yard.upstream(settingsFor(broker.url, { connections: 4 }), {}, false)
    await vi.waitFor(() => expect(broker.proxy.connections).toBe(4), WAIT)
    await upstream.stop()
    // Before anything was answered.
    expect(broker.proxy.answered).toBe(0)
    await vi.waitFor(() => expect(broker.proxy.standing).toBe(0), WAIT)
    await publish('-q', '1', '-t', 'fh/1/gw-0/telemetry', '-m', '{}')
    expect(await yard.journaled()).toEqual([])
  })

  it('notices a network that swallows everything', async () => {
    const upstream = await yard.upstream(settingsFor(broker.url), { keepAliveS: 2 })
    broker.proxy.mode = 'hole'
    await vi.waitFor(() => expect(upstream.problem).toContain('it has not answered for too long'), WAIT)
    const gateway = await yard.publisher(broker.direct, 'gw-0')
    await gateway.publish('fh/1/gw-0/telemetry', '{"while":"away"}')
    broker.proxy.mode = 'pass'
    broker.proxy.cut()
    await vi.waitFor(async () => expect((await yard.journaled()).at(-1)).toBe('telemetry fh/1/gw-0/telemetry {"while":"away"}'), WAIT)
  })

  it('says that the broker lost the session', async () => {
    const upstream = await yard.upstream(settingsFor(broker.url))
    await upstream.stop()
    // Another client forgets it in our name.
    const other = await yard.publisher(`${broker.direct}`, 'x')
    await publish('-i', 'fenghuo-p00', '-t', 'x', '-m', 'x')
    await other.end()
    const again = await yard.upstream(settingsFor(broker.url))
    expect(again.problem).toMatch(/no longer had our session fenghuo-p00 at .*: what gateways published while we were away may be lost/)
    expect(await yard.metric('fenghuo_upstream_sessions_lost_total')).toBe(1)
  })

  it('says that another client uses its id, and backs off', async () => {
    const upstream = await yard.upstream(settingsFor(broker.direct))
    const since = clock.monotonic()
    for (let n = 0; n < 3; n++) {
      await vi.waitFor(() => expect(upstream.connections()).toHaveLength(1), WAIT)
      await publish('-i', 'fenghuo-p00', '-V', 'mqttv5', '-x', '1000', '-t', 'x', '-m', 'x')
      await vi.waitFor(() => expect(upstream.connections()).toHaveLength(0), WAIT)
    }
    await vi.waitFor(() => expect(upstream.problem).toContain('another client may use our client id fenghuo-p00'), WAIT)
    await vi.waitFor(() => expect(upstream.connections()).toHaveLength(1), WAIT)
    // 0.25, 0.5 and 1 s at the least: no quick succession.
    expect(clock.monotonic() - since).toBeGreaterThan(1_500)
    expect(upstream.problem).toContain('another client signs in with our client id fenghuo-p00, or so it seems')
  })

  it('comes back after the broker was killed and had saved its sessions', async () => {
    const upstream = await yard.upstream(settingsFor(broker.url))
    await broker.save()
    await broker.kill()
    await vi.waitFor(() => expect(upstream.problem).not.toBeNull(), WAIT)
    await broker.restart()
    await vi.waitFor(() => expect(upstream.problem).toBeNull(), WAIT)
    expect(await yard.metric('fenghuo_upstream_reconnects_total')).toBe(1)
    const gateway = await yard.publisher(broker.direct, 'gw-0')
    await gateway.publish('fh/1/gw-0/telemetry', '{"after":1}')
    await vi.waitFor(async () => expect((await yard.journaled()).at(-1)).toBe('telemetry fh/1/gw-0/telemetry {"after":1}'), WAIT)
  })
})
