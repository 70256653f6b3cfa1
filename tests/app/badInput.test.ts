// What the outside world may send, through the real doors: everything wrong gets a sentence that says what and where, is
// counted, and costs nobody else anything: a neighbour's samples keep flowing all the while.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import { LiveService, type Outcome, runFenghuo } from '../liveService.ts'
import { NEIGHBOUR_READINGS, Neighbour } from './neighbour.ts'
import { publishPacket, RawMqtt } from './rawMqtt.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

const clock = new SystemClock()
const MIB = 1024 * 1024
const SAMPLE = '{"device":"T-0","ts":1767225600000,"values":{"level_pct":50}}'
let plant: TankPlant
let service: LiveService
let neighbour: Neighbour
let publisher: MqttPublisher
let neighbourBefore = 0

beforeAll(async () => {
  plant = tankPlant()
  service = await LiveService.start({ config: plant.config, data: `${plant.folder}/data` })
  neighbour = await Neighbour.begin(service)
  publisher = await connectMqtt({ url: service.mqttAddress, clock, username: 'gw-0', password: 'secret-0' })
})

beforeEach(() => {
  neighbourBefore = neighbour.acknowledged
})

afterEach(async () => {
  if (!neighbour.ended)
    await vi.waitFor(() => expect(neighbour.acknowledged).toBeGreaterThan(neighbourBefore + 1), { timeout: 5_000, interval: 5 })
  expect(service.output).not.toMatch(/^\s+at .+:\d+:\d+/m)
})

afterAll(async () => {
  await publisher?.end()
  await service?.stop()
  plant?.remove()
})

interface Rejected {
  readonly topic: string
  readonly device: string | null
  readonly problem: string
  readonly excerpt: string
}

/** What stands in quarantine that was not there before `act`. */
async function rejectedBy(act: () => Promise<void>): Promise<Rejected[]> {
  const before = await service.get<{ items: { id: number }[] }>('/api/v1/quarantine?limit=1')
  const last = before.items[0]?.id ?? 0
  await act()
  return vi.waitFor(
    async () => {
      const { items } = await service.get<{ items: (Rejected & { id: number })[] }>('/api/v1/quarantine?limit=100')
      const fresh = items.filter(({ id }) => id > last).reverse()
      expect(fresh).not.toEqual([])
      return fresh
    },
    { timeout: 5_000, interval: 10 }
  )
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const samples = (count: number): string => `[${Array.from({ length: count }, () => '{"device":"T-0","values":{}}').join()}]`
const manyValues = JSON.stringify({ device: 'T-0', values: Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`m${n}`, n])) })

/** What is wrong, the body, the sentence that must come of it. */
const BODIES: readonly [string, string | Uint8Array, RegExp][] = [
  ['malformed JSON', '{"device":"T-0","values":{"level_pct":50}', /JSON.*character 4\d|JSON.*(ends|end)/i],
  ['an empty payload', '', /empty/i],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x80]), /UTF-8|JSON/],
  ['a text in place of a sample', '"T-0"', /sample/i],
  ['a number in place of values', '{"device":"T-0","values":7}', /values/],
  ['a text in place of a number', '{"device":"T-0","values":{"level_pct":"high"}}', /level_pct/],
  ['an object in place of a number', '{"device":"T-0","values":{"level_pct":{}}}', /level_pct/],
  ['1e400', '{"device":"T-0","values":{"level_pct":1e400}}', /level_pct/],
  ['a number as device', '{"device":7,"values":{"level_pct":50}}', /device/],
  ['an unknown device', '{"device":"T-77","values":{"level_pct":50}}', /T-77/],
  ["another gateway's device", '{"device":"T-1","values":{"level_pct":50}}', /T-1.*gw-1|T-1/],
  ['an unknown metric', '{"device":"T-0","values":{"lebel_pct":50}}', /lebel_pct/],
  ['a prototype as metric', '{"device":"T-0","values":{"__proto__":50}}', /__proto__/],
  ['a time that is none', '{"device":"T-0","ts":"yesterday","values":{"level_pct":50}}', /ts|time/],
  ['deep JSON', nested(100_000), /deep|nest/i],
  ['too many samples', samples(10_001), /10,?000/],
  ['too many values', manyValues, /"m0" is not in the profile/]
]

describe('by MQTT', () => {
  it.each(BODIES)('%s is acknowledged, quarantined with a sentence, and counted', async (_what, body, sentence) => {
    const before = await service.metrics()
    const rejected = await rejectedBy(async () => {
      expect(await publisher.publish('fh/1/gw-0/telemetry', Buffer.from(body as string))).toBe(true)
    })
    expect(rejected[0]?.problem).toMatch(sentence)
    expect(rejected[0]?.problem).toMatch(/^[A-Z"'].*[.!]$/s)
    const after = await service.metrics()
    expect(after.get('fenghuo_rejects_total')! - before.get('fenghuo_rejects_total')!).toBeGreaterThanOrEqual(rejected.length)
  })

  it('tells the gateway on its rejects topic', async () => {
    const heard: string[] = []
    expect(await publisher.subscribe('fh/1/gw-0/rejects', (_topic, payload) => heard.push(payload.toString()))).toBe(true)
    await publisher.publish('fh/1/gw-0/telemetry', '{"device":"T-77","values":{}}')
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0), { timeout: 5_000, interval: 5 })
    expect(JSON.parse(heard[0]!)).toEqual({
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      topic: 'fh/1/gw-0/telemetry',
      device: 'T-77',
      problem: expect.stringContaining('T-77'),
      excerpt: '{"device":"T-77","values":{}}'
    })
  })

  it('a time stamp of 1970 or 2262 is kept at its receipt, marked clockSkewed, and counted', async () => {
    const before = (await service.metrics()).get('fenghuo_readings_doubtful_total{quality="clockSkewed"}')!
    const from = new Date().toISOString()
    for (const ts of [0, 86_400_000, '1970-01-01T00:00:00Z', Date.parse('2262-04-11T23:47:16Z'), '2262-04-11T23:47:16Z', 1e300]) {
      await publisher.publish('fh/1/gw-0/T-2/telemetry', JSON.stringify({ ts, values: { level_pct: 41 } }))
    }
    const items = await vi.waitFor(
      async () => {
        const to = new Date(Date.now() + 60_000).toISOString()
        const found = await service.all<{ at: string; quality: string }>(
          `/api/v1/readings?device=T-2&metric=level_pct&from=${from}&to=${to}`
        )
        expect(found.length).toBeGreaterThan(0)
        expect((await service.metrics()).get('fenghuo_readings_doubtful_total{quality="clockSkewed"}')! - before).toBeGreaterThanOrEqual(5)
        return found
      },
      { timeout: 5_000, interval: 20 }
    )
    expect(new Set(items.map(({ quality }) => quality))).toEqual(new Set(['clockSkewed']))
  })

  it.each([
    [
      'a foreign prefix',
      Buffer.from('fh/1/gw-1/telemetry'),
      /gw-0 .*published to \\"fh\/1\/gw-1\/telemetry\\": a gateway may publish below fh\/1\/gw-0\/ only/,
      'foreignTopic'
    ],
    ['a topic of somebody else', Buffer.from('$SYS/broker'), /gw-0 .*published to \\"\$SYS\/broker\\"/, 'foreignTopic'],
    ['a topic that is no UTF-8', Buffer.from([0x66, 0x68, 0x2f, 0xff, 0xfe]), /gw-0.*(no UTF-8|malformed)/i, 'malformedTopic'],
    ['a topic with a null character', Buffer.from('fh/1/gw-0/\0'), /gw-0.*(control|null|malformed)/i, 'malformedTopic']
  ])('%s closes the connection, with a log line, counted', async (_what, topic, sentence, reason) => {
    const before = await service.metrics()
    const raw = await RawMqtt.signIn(service.mqttAddress, 'gw-0', 'secret-0')
    raw.send(publishPacket(topic, Buffer.from(SAMPLE), 7))
    await raw.closed()
    await vi.waitFor(() => expect(service.output).toMatch(sentence), { timeout: 5_000, interval: 5 })
    const after = await service.metrics()
    const grown = (name: string): number => after.get(name)! - before.get(name)!
    expect(grown(`fenghuo_mqtt_refusals_total{reason="${reason}"}`)).toBe(1)
    expect(grown('fenghuo_messages_refused_total')).toBe(1)
  })

  it('a packet of two MiB closes the connection before it is buffered, counted', async () => {
    const before = await service.metrics()
    const raw = await RawMqtt.signIn(service.mqttAddress, 'gw-0', 'secret-0')
    raw.send(publishPacket(Buffer.from('fh/1/gw-0/telemetry'), Buffer.alloc(2 * MIB, 32), 7))
    await raw.closed()
    const after = await service.metrics()
    expect(
      after.get('fenghuo_mqtt_refusals_total{reason="packetTooLong"}')! - before.get('fenghuo_mqtt_refusals_total{reason="packetTooLong"}')!
    ).toBe(1)
  })

  it('a wrong password is refused with a sentence for both sides', async () => {
    await expect(connectMqtt({ url: service.mqttAddress, clock, username: 'gw-0', password: 'secret-1' })).rejects.toThrow(
      /refused the user name or password of gw-0/
    )
    expect((await service.metrics()).get('fenghuo_mqtt_refusals_total{reason="credentials"}')).toBe(1)
  })
})

describe('by HTTP', () => {
  it.each([
    ['malformed JSON', '{"device":', 400, 0, /JSON/],
    ['an empty body', '', 400, 0, /empty/],
    ['deep JSON', nested(100_000), 202, 0, /deep|nest/i],
    ['1e400', '{"device":"T-0","values":{"level_pct":1e400}}', 202, 0, /level_pct/],
    ['an unknown device', '{"device":"T-77","values":{"level_pct":1}}', 202, 0, /T-77/],
    ['a body of two MiB', ' '.repeat(2 * MIB), 413, 0, /1 MiB|1,?048,?576|large|long|bytes/i]
  ] as const)('%s is answered with a sentence', async (_what, body, status, accepted, sentence) => {
    const response = await service.telemetry('gw-0', 'secret-0', body)
    const text = await response.text()
    expect([response.status, text]).toEqual([status, expect.stringMatching(sentence)])
    const answer = JSON.parse(text)
    if (status === 202) expect(answer.accepted).toBe(accepted)
    else {
      expect(response.headers.get('content-type')).toMatch(/application\/problem\+json/)
      expect(answer).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
    }
  })

  it('a wrong secret, and a gateway that is not there, are answered alike', async () => {
    const details: string[] = []
    for (const [gateway, secret] of [
      ['gw-0', 'wrong'],
      ['gw-9', 'secret-0']
    ] as const) {
      const response = await service.telemetry(gateway, secret, SAMPLE)
      expect(response.status).toBe(401)
      details.push(((await response.json()) as { detail: string }).detail)
    }
    expect(details[0]).toBe(details[1])
  })

  it.each([
    '/api/v1/readings?device=T-0&metric=level_pct&from=yesterday',
    '/api/v1/readings?device=T-0&metric=level_pct&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&every=5',
    '/api/v1/alarms?limit=-1',
    '/api/v1/alarm-events?cursor=%F0%9F%94%A5',
    '/api/v1/devices?limit=1e9'
  ])('%s is answered with a sentence', async (address) => {
    const response = await fetch(service.httpAddress + address, { headers: { cookie: await service.cookie() } })
    expect([400, 422]).toContain(response.status)
    expect(await response.json()).toMatchObject({ detail: expect.stringMatching(/\w.*\./) })
  })

  it.each([
    ['an id cut within a character', '/api/v1/alarms/%E0%A4%A'],
    ['an id of 5000 characters', `/api/v1/devices/${'x'.repeat(5000)}`],
    ['a path out of the house', '/api/v1/devices/..%2f..%2fetc%2fpasswd'],
    ['a null character', '/%00']
  ])('%s finds nothing, and the answer says so', async (_what, address) => {
    const response = await fetch(service.httpAddress + address, { headers: { cookie: await service.cookie() } })
    expect([400, 403, 404, 414]).toContain(response.status)
    expect(await response.json()).toMatchObject({ detail: expect.any(String) })
  })

  it('a request that is no HTTP at all costs nobody anything', async () => {
    const { hostname, port } = new URL(service.httpAddress)
    const { connect } = await import('node:net')
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.write('\u0016\u0003\u0001 hello\r\n\r\n')
    socket.resume()
    await closed
  })
})

describe('by file', () => {
  async function replay(name: string, text: string, map: string | null): Promise<Outcome> {
    const at = (file: string): string => path.join(plant.folder, file)
    writeFileSync(at(name), text)
    if (map !== null) writeFileSync(at('map.yaml'), map)
    const url = service.mqttAddress.replace('mqtt://', 'mqtt://gw-0:secret-0@')
    return runFenghuo(['replay', at(name), '--url', url, ...(map === null ? [] : ['--map', at('map.yaml')])])
  }

  it('cells that are no numbers and a torn last line are named, and the rest is sent', async () => {
    const csv =
      'time,level\n2026-03-01T00:00:00Z,40\n2026-03-01T00:01:00Z,NaN\n2026-03-01T00:02:00Z,\nyesterday,42\n2026-03-01T00:04:00Z,44\n2026-03-01T00:0'
    const map = 'time: { column: time, format: iso }\nrows:\n  - { device: T-0, values: { level_pct: level } }\n'
    const { code, output } = await replay('torn.csv', csv, map)
    expect([code, output]).toEqual([1, expect.stringMatching(/torn\.csv:5: .*yesterday/)])
    expect(output).toMatch(/torn\.csv:7: \w/)
    expect(output).not.toMatch(/^\s+at .+:\d+/m)
    const found = await vi.waitFor(
      async () => {
        const query = 'device=T-0&metric=level_pct&from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z'
        const items = await service.all<{ at: string; value: number | null }>(`/api/v1/readings?${query}`)
        expect(items.at(-1)).toMatchObject({ at: '2026-03-01T00:04:00.000Z', value: 44 })
        return items
      },
      { timeout: 5_000, interval: 20 }
    )
    expect(found.filter(({ value }) => value !== null).map(({ value }) => value)).toEqual([40, 44])
  })

  it('lines that are no samples are named, and the rest is sent', async () => {
    const lines = [
      '{"device":"T-0","ts":1772409600000,"values":{"level_pct":45}}',
      '{"device":"T-0","ts":',
      '7',
      '{"device":"T-0","ts":1772409660000,"values":{"level_pct":46}}'
    ]
    const { code, output } = await replay('torn.ndjson', lines.join('\n'), null)
    expect([code, output]).toEqual([1, expect.stringMatching(/torn\.ndjson:2: \w/)])
    expect(output).toMatch(/torn\.ndjson:3: \w/)
    expect(output).toMatch(/2 samples sent .*2 acknowledged/)
  })
})

it('the neighbour lost nothing', async () => {
  await neighbour.end()
  const readings = await vi.waitFor(
    async () => {
      const found = await service.all<{ at: string; value: number }>(NEIGHBOUR_READINGS)
      expect(found).toHaveLength(neighbour.acknowledged)
      return found
    },
    { timeout: 5_000, interval: 50 }
  )
  expect(readings.map(({ at, value }) => [at, value])).toEqual(neighbour.expected())
  const metrics = await service.metrics()
  expect(metrics.get('fenghuo_messages_received_total')).toBe(
    metrics.get('fenghuo_messages_journaled_total')! + metrics.get('fenghuo_messages_refused_total')!
  )
})
