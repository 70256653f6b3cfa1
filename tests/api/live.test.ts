import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AlarmEvent, alarmEventLine } from '../../src/model/alarm.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { Random } from '../../src/platform/random.ts'
import { House, START, turn } from './harness.ts'
import { LiveReader } from './sse.ts'

let house: House
let viewer: string
let address: string
const readers: LiveReader[] = []

beforeEach(async () => {
  house = await House.open()
  viewer = await house.token('viewer')
  address = await house.listen()
})
afterEach(async () => {
  for (const reader of readers) reader.close()
  readers.length = 0
  await house.close()
})

async function listen(query = '', headers: Record<string, string> = {}, token = viewer): Promise<LiveReader> {
  const reader = await LiveReader.open(address, token, query, headers)
  readers.push(reader)
  return reader
}

const T101 = `tank-level/T-101#${START}`
const raise = (device = 'T-101', at = START): AlarmEvent =>
  turn(device.startsWith('T') ? 'tank-level' : 'smoke', { device }, at, at, 'clear', 'yellow')
const comment = (note: string): AlarmEvent => ({ kind: 'action', at: START, id: T101, action: 'comment', by: 'li', note })

/** Nothing more is on its way: a beat asked for now has arrived behind everything else. */
async function settled(reader: LiveReader): Promise<void> {
  const beats = reader.of('beat').length
  house.clock.moveTo(house.clock.now() + 5_000)
  await reader.until(({ of }) => of.call(reader, 'beat').length > beats)
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1)

describe('alarm events', () => {
  it('are the lines of the journal, numbered, each followed by the alarm as it now is', async () => {
    const reader = await listen()
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff'
    })
    const event = raise()
    await house.commit(event)
    await reader.until(() => reader.of('alarm-state').length === 1)
    expect(reader.of('alarm')).toEqual([{ id: '1', event: 'alarm', text: alarmEventLine(event), data: JSON.parse(alarmEventLine(event)) }])
    const [listed] = (await house.ask('/api/v1/alarms', viewer)).json().items
    expect(reader.of('alarm-state')[0]).toMatchObject({ id: null, data: { alarm: listed } })
    await house.ask(`/api/v1/alarms/${encodeURIComponent(T101)}/acknowledge`, await house.token('operator'), { payload: { note: 'seen' } })
    await reader.until(() => reader.of('alarm-state').length === 2)
    expect(reader.of('alarm')[1]?.data).toMatchObject({ action: 'acknowledge', note: 'seen' })
    expect(reader.of('alarm-state')[1]?.data.alarm).toMatchObject({ isaState: 'C', acknowledged: { by: 'admin', note: 'seen' } })
  })

  it('begin with now, or behind the event that was the last', async () => {
    await house.commit(raise('T-101'), raise('T-102'), raise('S-1'))
    const fresh = await listen()
    const byHeader = await listen('', { 'last-event-id': '1' })
    const byQuery = await listen('?lastEventId=2')
    const headerWins = await listen('?lastEventId=0', { 'last-event-id': '2' })
    const everything = await listen('?lastEventId=0')
    const beyond = await listen('?lastEventId=900')
    await house.commit(raise('S-2'))
    for (const reader of [fresh, byHeader, byQuery, headerWins, everything, beyond]) await reader.until(() => reader.numbers.at(-1) === 4)
    expect(fresh.numbers).toEqual([4])
    expect(byHeader.numbers).toEqual([2, 3, 4])
    expect(byQuery.numbers).toEqual([3, 4])
    expect(headerWins.numbers).toEqual([3, 4])
    expect(everything.numbers).toEqual([1, 2, 3, 4])
    expect(beyond.numbers).toEqual([4])
  })

  it('say where to resume before the first of them comes', async () => {
    await house.commit(raise('T-101'))
    const reader = await listen()
    await reader.until(() => reader.lastEventId !== null)
    reader.close()
    await house.commit(raise('T-102'))
    const again = await listen('', { 'last-event-id': String(reader.lastEventId) })
    await again.until(() => again.numbers.length > 0)
    expect(again.numbers).toEqual([2])
  })

  it('reach a client that comes and goes while they are committed, each once and in order', async () => {
    const random = new Random(7)
    const total = 3_000
    let committed = 0
    const committing = (async () => {
      await house.commit(raise())
      committed = 1
      while (committed < total) {
        const batch = Array.from({ length: Math.min(random.between(1, 40), total - committed) }, (_, i) => comment(`${committed + i + 1}`))
        await house.commit(...batch)
        committed += batch.length
        if (random.next() < 0.3) await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const listening = Array.from({ length: 4 }, async () => {
      const got: number[] = []
      const lines: string[] = []
      let last = '0'
      let connections = 0
      while (got.length < total) {
        const reader = await listen('', { 'last-event-id': last })
        connections++
        const enough = Math.min(total, got.length + random.between(50, 900))
        await reader.until(() => got.length + reader.numbers.length >= enough)
        reader.close()
        got.push(...reader.numbers)
        lines.push(...reader.of('alarm').map(({ text }) => text))
        last = String(reader.of('alarm').at(-1)?.id)
      }
      return { got, lines, connections }
    })
    await committing
    const journal = await house.ask('/api/v1/alarm-events?limit=1000', viewer, { headers: { accept: 'application/x-ndjson' } })
    for (const { got, lines, connections } of await Promise.all(listening)) {
      expect(got).toEqual(upTo(total))
      expect(connections).toBeGreaterThan(3)
      expect(`${lines.slice(0, 1000).join('\n')}\n`).toBe(journal.body)
    }
  })

  it('are only those of the scope, also on resuming across many others', async () => {
    const market = await house.token('viewer', ['market'])
    await house.commit(raise('T-101'), ...Array.from({ length: 1_200 }, (_, i) => comment(`${i}`)), raise('S-1'), raise('X-1'))
    const reader = await listen('?lastEventId=0', {}, market)
    await house.commit(raise('T-102'), raise('S-2'))
    await reader.until(() => reader.of('alarm-state').length === 2)
    await settled(reader)
    expect(reader.of('alarm').map(({ data }) => data.device)).toEqual(['S-1', 'S-2'])
    expect(reader.numbers).toEqual([1202, 1205])
    expect(reader.of('alarm-state').map(({ data }) => data.alarm.enterprise)).toEqual(['market', 'market'])
  })
})

describe('a client that does not read', () => {
  it('costs a bounded amount of memory, holds up nobody, is cut off, and resumes', async () => {
    const note = '长'.repeat(1_900)
    await house.commit(raise())
    const slow = await listen()
    const quick = await listen()
    await slow.until(() => slow.of('beat').length === 1)
    slow.pause()
    const total = 3_000
    for (let n = 1; n < total; n += 50) await house.commit(...Array.from({ length: Math.min(50, total - n) }, () => comment(note)))
    await quick.until(() => quick.numbers.at(-1) === total)
    expect(quick.numbers).toEqual(upTo(total).slice(1))
    expect(house.live.clients).toBe(2)
    expect(house.live.waitingBytes).toBeLessThan(4 * LIMITS.api.liveChunkBytes)
    house.clock.moveTo(house.clock.now() + LIMITS.api.liveStalledMs)
    expect(house.live.clients).toBe(1)
    expect(await house.metrics.text()).toMatch(/fenghuo_live_cut_off_total 1/)
    slow.resume()
    await slow.untilEnded()
    const got = slow.numbers
    expect(got.length).toBeLessThan(total)
    const again = await listen('', { 'last-event-id': String(slow.lastEventId) })
    await again.until(() => again.numbers.at(-1) === total)
    expect([...got, ...again.numbers]).toEqual(upTo(total).slice(1))
  })
})

describe('readings, devices and beats', () => {
  it('brings the newest readings of the devices asked for, gathered', async () => {
    await house.receive('gw-01', { device: 'T-101', ts: START, values: { level_pct: 10 } })
    const reader = await listen('?devices=T-101,T-102')
    house.clock.moveTo(START + 250)
    await reader.until(() => reader.of('reading').length === 1)
    for (let i = 1; i <= 20; i++) await house.receive('gw-01', { device: 'T-101', ts: START + i, values: { level_pct: 10 + i } })
    await house.receive('gw-02', { device: 'S-1', values: { alarm: 1 } })
    house.clock.moveTo(START + 500)
    await reader.until(() => reader.of('reading').length === 2)
    await settled(reader)
    expect(reader.of('reading').map(({ data, id }) => ({ ...data, id }))).toEqual([
      {
        id: null,
        device: 'T-101',
        receivedAt: '2026-01-01T08:00:00.000Z',
        values: [{ metric: 'level_pct', at: '2026-01-01T08:00:00.000Z', value: 10, quality: 'good' }]
      },
      {
        id: null,
        device: 'T-101',
        receivedAt: '2026-01-01T08:00:00.250Z',
        values: [{ metric: 'level_pct', at: '2026-01-01T08:00:00.020Z', value: 30, quality: 'good' }]
      }
    ])
  })

  it('tells when a device goes online, silent, or off with its gateway', async () => {
    const market = await house.token('viewer', ['market'])
    const all = await listen()
    const own = await listen('', {}, market)
    await house.receive('gw-01', { device: 'T-101', values: { level_pct: 10 } })
    await house.receive('gw-02', { device: 'S-1', values: { alarm: 0 } })
    await house.receive('gw-01', { device: 'T-101', values: { level_pct: 11 } })
    house.clock.moveTo(START + 250)
    await all.until(() => all.of('device').length === 2)
    house.clock.moveTo(START + 96_000)
    await all.until(() => all.of('device').length === 3)
    house.present('gw-02', false)
    house.clock.moveTo(START + 96_250)
    await all.until(() => all.of('device').length === 4)
    await settled(own)
    const told = (reader: LiveReader) => reader.of('device').map(({ data }) => [data.device, data.online, data.state])
    expect(told(all)).toEqual([
      ['T-101', true, 'online'],
      ['S-1', true, 'online'],
      ['T-101', false, 'silent'],
      ['S-1', false, 'offline']
    ])
    expect(told(own)).toEqual([
      ['S-1', true, 'online'],
      ['S-1', false, 'offline']
    ])
  })

  it('beats every 5 s with the time of the service', async () => {
    const reader = await listen()
    house.clock.moveTo(START + 10_000)
    await reader.until(() => reader.of('beat').length === 3)
    house.clock.moveTo(START + 15_000)
    await reader.until(() => reader.of('beat').length === 4)
    expect(reader.of('beat').map(({ data }) => data.at)).toEqual([
      '2026-01-01T08:00:00.000Z',
      '2026-01-01T08:00:05.000Z',
      '2026-01-01T08:00:10.000Z',
      '2026-01-01T08:00:15.000Z'
    ])
  })
})

describe('the door', () => {
  it('refuses who may not listen, and what cannot be followed', async () => {
    const market = await house.token('viewer', ['market'])
    expect((await LiveReader.open(address, 'wrong')).statusCode).toBe(401)
    expect((await listen('?devices=T-999')).statusCode).toBe(404)
    expect((await listen('?devices=T-101', {}, market)).statusCode).toBe(404)
    expect((await listen('', { 'last-event-id': 'abc' })).statusCode).toBe(422)
    expect((await listen('?lastEventId=-1')).statusCode).toBe(422)
    expect(house.live.clients).toBe(0)
  })

  it('has room for so many of one user', async () => {
    for (let i = 0; i < LIMITS.api.liveClientsPerUser; i++) await listen()
    const one = await listen()
    expect([one.statusCode, one.headers['retry-after']]).toEqual([503, '10'])
    readers[0]?.close()
    await expect.poll(() => house.live.clients).toBe(LIMITS.api.liveClientsPerUser - 1)
    expect((await listen()).statusCode).toBe(200)
  })

  it('closes behind whose token was revoked', async () => {
    const admin = await house.token('admin')
    const { id, token } = (await house.ask('/api/v1/tokens', admin, { payload: { name: 'wall' } })).json()
    const reader = await listen('', {}, token)
    const other = await listen()
    await house.ask(`/api/v1/tokens/${id}`, admin, { method: 'DELETE' })
    house.clock.moveTo(START + 30_000)
    await reader.untilEnded()
    expect(other.ended).toBe(false)
  })

  it('closes at once when the service stops', async () => {
    const reader = await listen('?devices=T-101')
    await house.close()
    await reader.untilEnded()
    await expect(LiveReader.open(address, viewer)).rejects.toThrow(/ECONNREFUSED/)
    house = await House.open()
  })
})
