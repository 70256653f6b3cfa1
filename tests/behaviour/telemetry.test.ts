// Getting data in: every shape of a message over MQTT and HTTP, what becomes of its values, and that an acknowledgement is kept.

import { expect, it, vi } from 'vitest'
import type { Rejected } from './gateway.ts'
import { MINUTE, minute, onEachBackEnd, START, WAIT, type Yard } from './yard.ts'

const RULES = `rules:
  - { id: level, appliesTo: { profile: tank }, tiers: { yellow: { when: level_pct > limits.high } } }
`

onEachBackEnd({ rules: RULES, alone: ['influx', 'mosquitto'] }, (yard) => {
  it('takes every shape of a message, over MQTT and over HTTP', async () => {
    const gateway = await yard().connect('gw-0')
    await gateway.publish('telemetry', { device: 'T-0', ts: START, values: { level_pct: 1 } })
    await gateway.publish('telemetry', [
      { device: 'T-0', ts: minute(1), values: { level_pct: 2.5, tripped: true } },
      { device: 'T-2', ts: START, values: { level_pct: 3 } }
    ])
    await gateway.publish('T-0/telemetry', { ts: START + 2 * MINUTE, values: { level_pct: 4, tripped: false } })
    await gateway.publish('T-0/telemetry', [{ device: 'T-0', ts: '2026-01-01T08:03:00+08:00', values: { level_pct: 5 } }])
    await gateway.end()
    await stored(
      yard(),
      'T-0',
      'level_pct',
      [1, 2.5, 4, 5].map((value, n) => `${minute(n)} ${value} good`)
    )
    const one = await yard().post('gw-0', { device: 'T-0', ts: START + 4 * MINUTE, values: { level_pct: 6 } })
    const two = await yard().post('gw-0', [
      { device: 'T-0', ts: minute(5), values: { level_pct: 7 } },
      { device: 'T-2', ts: minute(5), values: { level_pct: 8, tripped: true } }
    ])
    expect([one.status, one.body, two.status, two.body]).toEqual([202, { accepted: 1, rejected: [] }, 202, { accepted: 2, rejected: [] }])
    await stored(
      yard(),
      'T-0',
      'level_pct',
      [1, 2.5, 4, 5, 6, 7].map((value, n) => `${minute(n)} ${value} good`)
    )
    await stored(yard(), 'T-0', 'tripped', [`${minute(1)} 1 good`, `${minute(2)} 0 good`])
    await stored(yard(), 'T-2', 'level_pct', [`${minute(0)} 3 good`, `${minute(5)} 8 good`])
    await stored(yard(), 'T-2', 'tripped', [`${minute(5)} 1 good`])
  })

  it('gives each reading its instant and its quality', async () => {
    const samples = [
      { device: 'T-4', ts: minute(10), values: { level_pct: 50, temperature_c: 20 } },
      { device: 'T-4', ts: minute(11), values: { level_pct: 111, temperature_c: null } },
      { device: 'T-4', ts: minute(12), values: { level_pct: 51, temperature_c: 21 }, bad: ['level_pct'] },
      { device: 'T-4', ts: minute(5), values: { level_pct: 52 } },
      { device: 'T-4', ts: minute(10), values: { level_pct: 50, temperature_c: 20 } },
      { device: 'T-4', ts: minute(13), values: { level_pct: 53 } },
      { device: 'T-4', ts: minute(13), values: { level_pct: 53 } }
    ]
    expect((await yard().post('gw-0', samples)).status).toBe(202)
    await stored(yard(), 'T-4', 'level_pct', [
      `${minute(5)} 52 late`,
      `${minute(10)} 50 good`,
      `${minute(11)} 111 outOfRange`,
      `${minute(12)} null sensorFault`,
      `${minute(13)} 53 good`
    ])
    await stored(yard(), 'T-4', 'temperature_c', [`${minute(10)} 20 good`, `${minute(11)} null sensorFault`, `${minute(12)} 21 good`])
    expect((await yard().events()).filter(({ device }) => device === 'T-4')).toEqual([])
  })

  it('takes the receipt for an instant that cannot be, and says so', async () => {
    const before = Date.now()
    const gateway = await yard().connect('gw-0')
    // One after the other: of two values at one millisecond the second would stand for both.
    for (const [n, ts] of [undefined, Date.now() + 10 * MINUTE, '1999-12-31T23:59:59Z'].entries()) {
      await gateway.publish('telemetry', { device: 'T-6', ts, values: { level_pct: n + 1 } })
      await vi.waitFor(async () => expect((await yard().get('/devices/T-6')).body.values[0].value).toBe(n + 1), WAIT)
    }
    await gateway.end()
    const after = Date.now()
    const seen = await vi.waitFor(async () => {
      const lines = (await yard().readings('T-6', 'level_pct')).map((line) => line.split(' '))
      expect(lines.map(([, value, quality]) => `${value} ${quality}`)).toEqual(['1 clockSkewed', '2 clockSkewed', '3 clockSkewed'])
      return lines
    }, WAIT)
    for (const [at] of seen) expect(Date.parse(at as string)).toBeGreaterThanOrEqual(before)
    for (const [at] of seen) expect(Date.parse(at as string)).toBeLessThanOrEqual(after)
  })

  it('acknowledges what it cannot read, keeps it with the reason, and tells its gateway', async () => {
    const gateway = await yard().connect('gw-0')
    await gateway.hearRejects()
    const bodies = [
      ['telemetry', '{broken', null],
      ['telemetry', { device: 'T-99', ts: START, values: { level_pct: 1 } }, 'T-99'],
      ['telemetry', { device: 'T-1', ts: START, values: { level_pct: 1 } }, 'T-1'],
      ['T-8/telemetry', { ts: START, values: { level_pct: 'full' } }, 'T-8'],
      ['T-8/telemetry', { ts: START, values: { nope: 1 } }, 'T-8'],
      ['nonsense', { ts: START }, null]
    ] as const
    for (const [tail, body] of bodies) await gateway.publish(tail, body)
    await vi.waitFor(() => expect(gateway.rejects).toHaveLength(bodies.length), WAIT)
    expect(gateway.connected).toBe(true)
    const said = ({ topic, device, excerpt }: Rejected): unknown => [topic, device, excerpt]
    const expected = bodies.map(([tail, body, device]) => [
      `fh/1/gw-0/${tail}`,
      device,
      typeof body === 'string' ? body : JSON.stringify(body)
    ])
    expect(gateway.rejects.map(said)).toEqual(expected)
    for (const { problem } of gateway.rejects) expect(problem).toMatch(/^[A-Z].*\.$/)
    await gateway.end()
    const { body } = await yard().get('/quarantine')
    expect(body.items.toReversed().map(said)).toEqual(expected)
    expect(body.items.toReversed().map((item: Rejected) => item.problem)).toEqual(gateway.rejects.map(({ problem }) => problem))
    // Page by page the same.
    const pages = await yard().service.all<Rejected>('/api/v1/quarantine')
    expect(pages).toEqual(body.items)
    const mixed = await yard().post('gw-0', [
      { device: 'T-8', ts: START, values: { level_pct: 5 } },
      { device: 'T-99', ts: START, values: { level_pct: 5 } }
    ])
    expect([mixed.status, mixed.body]).toEqual([202, { accepted: 1, rejected: [{ index: 1, problem: expect.stringContaining('T-99') }] }])
    await stored(yard(), 'T-8', 'level_pct', [`${minute(0)} 5 good`])
  })

  it('refuses who is not who it says, and what is not below its own prefix', async () => {
    const wrong = await yard().service.telemetry('gw-0', 'secret-gw-1', '{"device":"T-10","values":{"level_pct":1}}')
    expect(wrong.status).toBe(401)
    await expect(yard().connect('gw-0', { secret: 'wrong' })).rejects.toThrow()
    const gateway = await yard().connect('gw-0')
    // The embedded broker closes the connection; others may answer and pass nothing on.
    await Promise.race([
      gateway.publishTo('fh/1/gw-1/telemetry', { device: 'T-1', ts: START, values: { level_pct: 77 } }).catch(() => {}),
      gateway.closed()
    ])
    gateway.cut()
    const neighbour = await yard().connect('gw-1')
    // At another instant: a later value of the same one would take the place of what must not be there.
    await neighbour.publish('telemetry', { device: 'T-1', ts: minute(1), values: { level_pct: 1 } })
    await neighbour.end()
    await stored(yard(), 'T-1', 'level_pct', [`${minute(1)} 1 good`])
  })

  it('holds after kill -9 what it has acknowledged, once', async () => {
    const acknowledged = new Set<number>()
    let sent = 0
    for (let life = 0; life < 3; life++) {
      const gateway = await yard().connect('gw-0')
      const publish = async (n: number): Promise<void> => {
        await gateway.publish('telemetry', { device: 'T-10', ts: START + n * 1000, values: { level_pct: n % 80 } })
        acknowledged.add(n)
      }
      const wanted = acknowledged.size + 100
      const flood = (async () => {
        for (let goesOn = true; goesOn; ) {
          const settled = await Promise.allSettled(Array.from({ length: 20 }, () => publish(sent++)))
          goesOn = settled.some(({ status }) => status === 'fulfilled')
        }
      })()
      await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(wanted), { ...WAIT, interval: 1 })
      const killed = yard().restart('kill')
      // An external broker lives on: what it has acknowledged it holds until the service is back.
      if (yard().backEnd.brokerUrl !== null) gateway.cut()
      await flood
      await killed
      gateway.cut()
    }
    const values = (n: number): string => `${new Date(START + n * 1000).toISOString()} ${n % 80} good`
    const expected = [...acknowledged].toSorted((a, b) => a - b).map(values)
    await vi.waitFor(async () => {
      const lines = await yard().readings('T-10', 'level_pct')
      // What was sent and not acknowledged may be there too; nothing is there twice.
      expect(new Set(lines).size).toBe(lines.length)
      const found = new Set(lines)
      expect(expected.filter((line) => !found.has(line))).toEqual([])
      const possible = new Set(Array.from({ length: sent }, (_, n) => values(n)))
      expect(lines.filter((line) => !possible.has(line))).toEqual([])
    }, WAIT)
  })

  it('answers history page by page and in intervals', async () => {
    const samples = Array.from({ length: 50 }, (_, n) => ({
      device: 'T-3',
      ts: START + n * 10_000,
      values: { level_pct: n === 7 ? 111 : n }
    }))
    expect((await yard().post('gw-1', samples)).status).toBe(202)
    const all = samples.map(({ ts, values }, n) => `${new Date(ts).toISOString()} ${values.level_pct} ${n === 7 ? 'outOfRange' : 'good'}`)
    await stored(yard(), 'T-3', 'level_pct', all)
    const query = `/readings?device=T-3&metric=level_pct&from=${minute(0)}&to=${minute(60)}`
    const paged: string[] = []
    const sizes: number[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body }: { body: { items: { at: string; value: number; quality: string }[]; next: string | null } } = await yard().get(
        `${query}&limit=7${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      )
      sizes.push(body.items.length)
      paged.push(...body.items.map(({ at, value, quality }) => `${at} ${value} ${quality}`))
      cursor = body.next
    }
    expect([paged, sizes.slice(0, 7)]).toEqual([all, [7, 7, 7, 7, 7, 7, 7]])
    const { body } = await yard().get(`${query}&every=1m`)
    const buckets = Array.from({ length: 9 }, (_, m) => {
      const values = Array.from({ length: 6 }, (_, i) => m * 6 + i).filter((n) => n < 50 && n !== 7)
      const sum = values.reduce((total, value) => total + value, 0)
      return { at: minute(m), min: values[0], max: values.at(-1), avg: sum / values.length, last: values.at(-1), count: values.length }
    })
    expect(body.items).toEqual(buckets)
    expect(body.next).toBeNull()
    const part = await yard().get(`/readings?device=T-3&metric=level_pct&from=${minute(1)}&to=${minute(2)}`)
    expect(part.body.items.map(({ value }: { value: number }) => value)).toEqual([6, 111, 8, 9, 10, 11])
    expect((await yard().get('/readings?device=T-3&metric=nope')).status).toBe(404)
    expect((await yard().get('/readings?device=nope&metric=level_pct')).status).toBe(404)
    expect((await yard().get(`/readings?device=T-3&metric=level_pct&from=${minute(2)}&to=${minute(1)}`)).status).toBe(422)
    expect((await yard().get(`/readings?device=T-3&metric=level_pct&cursor=rubbish`)).status).toBe(422)
  })
})

/** Resolves once exactly this is stored. */
async function stored(yard: Yard, device: string, metric: string, lines: readonly string[]): Promise<void> {
  await vi.waitFor(async () => expect(await yard.readings(device, metric)).toEqual(lines), WAIT)
}
