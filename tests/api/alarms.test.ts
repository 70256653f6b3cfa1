import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Role } from '../../src/access/roles.ts'
import { alarmEventLine } from '../../src/model/alarm.ts'
import { House, START, turn } from './harness.ts'

let house: House
let tokens: Record<Role, string>
let daxie: string
let market: string

const T101 = `tank-level/T-101#${START}`
const T102 = `tank-level/T-102#${START + 1000}`
const BUND = `bund-gas/bund-1#${START + 2000}`
const S1 = `smoke/S-1#${START + 3000}`
const X1 = `smoke/X-1#${START + 4000}`

beforeAll(async () => {
  house = await House.open()
  tokens = await house.tokens()
  daxie = await house.token('operator', ['daxie'])
  market = await house.token('operator', ['market'])
  await house.commit(
    turn('tank-level', { device: 'T-101' }, START, START, 'clear', 'yellow'),
    turn('tank-level', { device: 'T-102' }, START + 1000, START + 1000, 'clear', 'yellow'),
    turn('bund-gas', { area: 'bund-1' }, START + 2000, START + 2000, 'clear', 'orange'),
    turn('smoke', { device: 'S-1' }, START + 3000, START + 3000, 'clear', 'red'),
    turn('smoke', { device: 'X-1' }, START + 4000, START + 4000, 'clear', 'blue'),
    turn('tank-level', { device: 'T-101' }, START, START + 5000, 'yellow', 'red')
  )
})
afterAll(() => house.close())

const ids = async (query: string, token = tokens.viewer): Promise<string[]> =>
  (await house.ask(`/api/v1/alarms${query}`, token)).json().items.map((alarm: { id: string }) => alarm.id)

const path = (id: string): string => `/api/v1/alarms/${encodeURIComponent(id)}`

describe('GET /alarms', () => {
  it('lists the active ones, highest tier first, then newest', async () => {
    expect(await ids('')).toEqual([S1, T101, BUND, T102, X1])
  })

  it('shows an alarm as the contract has it', async () => {
    const { items } = (await house.ask('/api/v1/alarms?device=T-101', tokens.viewer)).json()
    expect(items).toEqual([
      {
        id: T101,
        rule: 'tank-level',
        device: 'T-101',
        deviceName: { zh: '甲醇储罐', en: 'Methanol tank' },
        area: 'bund-1',
        areaName: { zh: '1# 围堰', en: 'Bund 1' },
        site: 'farm',
        siteName: { zh: 'A 罐区', en: 'Tank farm A' },
        enterprise: 'daxie',
        enterpriseName: { zh: '大榭化工', en: 'Daxie Chemicals' },
        tier: 'red',
        worstTier: 'red',
        raisedAt: '2026-01-01T08:00:00.000Z',
        clearedAt: null,
        acknowledged: null,
        shelvedUntil: null,
        isaState: 'B',
        shelved: null,
        suppressedBy: [],
        outOfService: null,
        assignee: null,
        closed: null,
        realarmAt: null,
        firstOut: true,
        chattering: false,
        stale: false,
        because: 'because of red',
        becauseText: { zh: 'because of red', en: 'because of red' },
        title: { zh: '储罐液位', en: 'Tank level' },
        guidance: { zh: '停止进料', en: 'Stop filling' }
      }
    ])
  })

  it('filters', async () => {
    expect(await ids('?tier=red')).toEqual([S1, T101])
    expect(await ids('?tier=orange,blue')).toEqual([BUND, X1])
    expect(await ids('?site=farm')).toEqual([T101, BUND, T102])
    expect(await ids('?enterprise=market')).toEqual([S1])
    expect(await ids('?device=T-102')).toEqual([T102])
    expect(await ids('?from=2026-01-01T08:00:01Z&to=2026-01-01T08:00:03Z')).toEqual([BUND, T102])
    expect(await ids('?from=2026-01-01T16:00:03%2B08:00')).toEqual([S1, X1])
    expect(await ids('?to=2026-01-01')).toEqual([])
    expect(await ids('?tier=red&site=farm&state=all')).toEqual([T101])
  })

  it('pages without losing or repeating one', async () => {
    for (const state of ['active', 'all']) {
      const seen: string[] = []
      let cursor = ''
      for (let page = 0; page < 10; page++) {
        const { items, next } = (await house.ask(`/api/v1/alarms?state=${state}&limit=2${cursor}`, tokens.viewer)).json()
        seen.push(...items.map((alarm: { id: string }) => alarm.id))
        if (next === null) break
        expect(items).toHaveLength(2)
        cursor = `&cursor=${encodeURIComponent(next)}`
      }
      expect(seen).toEqual(await ids(`?state=${state}`))
      expect(seen).toHaveLength(5)
    }
  })

  it('shows nobody what is not theirs', async () => {
    expect(await ids('', daxie)).toEqual([T101, BUND, T102])
    expect(await ids('?state=all', market)).toEqual([S1])
    expect(await ids('?enterprise=market', daxie)).toEqual([])
    for (const id of [S1, X1, 'tank-level/none#1']) {
      const answer = await house.ask(path(id), daxie)
      expect([answer.statusCode, answer.json().detail]).toEqual([404, `There is no alarm ${id} that you may see.`])
    }
  })
})

describe('GET /alarms/{id}', () => {
  it('tells the whole story', async () => {
    const alarm = (await house.ask(path(T101), tokens.viewer)).json()
    expect(alarm).toMatchObject({
      ...{ id: T101, tier: 'red', notifications: [] },
      demands: { noteRequired: false, latched: false, longestShelfMs: 3_600_000 }
    })
    expect(alarm.events).toEqual([
      {
        at: '2026-01-01T08:00:00.000Z',
        rule: 'tank-level',
        device: 'T-101',
        from: 'clear',
        to: 'yellow',
        id: T101,
        because: 'because of yellow',
        becauseText: { zh: 'because of yellow', en: 'because of yellow' }
      },
      {
        at: '2026-01-01T08:00:05.000Z',
        rule: 'tank-level',
        device: 'T-101',
        from: 'yellow',
        to: 'red',
        id: T101,
        because: 'because of red',
        becauseText: { zh: 'because of red', en: 'because of red' }
      }
    ])
  })

  it('is found where a proxy has decoded the slash in its id', async () => {
    const decoded = path(T101).replace('%2F', '/')
    expect((await house.ask(decoded, tokens.viewer)).json().id).toBe(T101)
    const comment = await house.ask(`${decoded}/comment`, tokens.operator, { payload: { note: '' } })
    expect([comment.statusCode, comment.json().detail]).toEqual([422, 'A comment needs a note: say what there is to say.'])
  })

  it('names the area of an alarm per area', async () => {
    const alarm = (await house.ask(path(BUND), tokens.viewer)).json()
    expect(alarm).toMatchObject({ device: null, area: 'bund-1', site: 'farm', enterprise: 'daxie' })
    expect(alarm.events[0]).toMatchObject({ area: 'bund-1' })
    expect(alarm.events[0]).not.toHaveProperty('device')
  })
})

describe('operator actions', () => {
  it('acknowledges: the answer is the alarm after it', async () => {
    house.clock.moveTo(START + 60_000)
    const answer = await house.ask(`${path(T102)}/acknowledge`, tokens.operator, { payload: { note: 'on my way' } })
    expect(answer.statusCode).toBe(200)
    const acknowledged = { by: 'admin', at: '2026-01-01T08:01:00.000Z', note: 'on my way' }
    expect(answer.json()).toMatchObject({ id: T102, isaState: 'C', acknowledged })
    const story = (await house.ask(path(T102), tokens.viewer)).json()
    expect(story.events.at(-1)).toEqual({ at: '2026-01-01T08:01:00.000Z', id: T102, action: 'acknowledge', by: 'admin', note: 'on my way' })
  })

  it('does nothing the second time', async () => {
    const before = (await house.ask(path(T102), tokens.viewer)).json()
    const again = await house.ask(`${path(T102)}/acknowledge`, tokens.operator, { payload: { note: 'on my way' } })
    expect([again.statusCode, again.json().acknowledged.note]).toEqual([200, 'on my way'])
    const other = await house.ask(`${path(T102)}/acknowledge`, tokens.operator, { payload: { note: 'and more' } })
    expect([other.statusCode, other.json().detail]).toEqual([409, expect.stringContaining('Add a comment to say more.')])
    expect((await house.ask(path(T102), tokens.viewer)).json()).toEqual(before)
  })

  it('leaves the active list once cleared and acknowledged, and stays in the book', async () => {
    await house.commit(turn('tank-level', { device: 'T-102' }, START + 1000, START + 70_000, 'yellow', 'clear'))
    expect(await ids('')).not.toContain(T102)
    expect(await ids('?state=all')).toContain(T102)
    const alarm = (await house.ask(path(T102), tokens.viewer)).json()
    expect(alarm).toMatchObject({ isaState: 'A', clearedAt: '2026-01-01T08:01:10.000Z', tier: 'yellow' })
  })

  it('takes an action without a body, and an empty one', async () => {
    const none = await house.ask(`${path(X1)}/acknowledge`, tokens.operator, { method: 'POST' })
    expect([none.statusCode, none.json().acknowledged.note]).toEqual([200, null])
    const headers = { 'content-type': 'application/json' }
    const empty = await house.ask(`${path(BUND)}/acknowledge`, tokens.operator, { method: 'POST', headers })
    expect([empty.statusCode, empty.json().acknowledged.note]).toEqual([200, null])
  })

  it('comments', async () => {
    const answer = await house.ask(`${path(T101)}/comment`, tokens.operator, { payload: { note: '现场已确认' } })
    expect([answer.statusCode, answer.json().isaState]).toEqual([200, 'B'])
    const { events } = (await house.ask(path(T101), tokens.viewer)).json()
    expect(events.at(-1)).toMatchObject({ action: 'comment', note: '现场已确认' })
    const silent = await house.ask(`${path(T101)}/comment`, tokens.operator, { payload: {} })
    expect([silent.statusCode, silent.json().detail]).toEqual([422, 'A comment needs a note: say what there is to say.'])
  })

  it('does not call reset what is still on', async () => {
    const answer = await house.ask(`${path(T101)}/reset`, tokens.operator, { payload: {} })
    expect([answer.statusCode, answer.json().detail]).toEqual([
      409,
      expect.stringMatching(/is still on \(.*\)\. A latched alarm can be reset once/)
    ])
  })

  it('lets nobody act on what they may not see', async () => {
    const answer = await house.ask(`${path(S1)}/acknowledge`, daxie, { payload: {} })
    expect(answer.statusCode).toBe(404)
    expect((await house.ask(path(S1), tokens.viewer)).json().acknowledged).toBeNull()
  })

  it('does not pretend while nothing can be written', async () => {
    house.obstacle = 'The disk is full.'
    const full = await house.ask(`${path(S1)}/acknowledge`, tokens.operator, { payload: {} })
    expect([full.statusCode, full.headers['retry-after'], full.json().detail]).toEqual([503, '5', 'The disk is full.'])
    house.obstacle = null
    house.stuck = true
    const asked = house.ask(`${path(S1)}/acknowledge`, tokens.operator, { payload: {} })
    await house.late(asked)
    const stuck = await asked
    expect([stuck.statusCode, stuck.json().detail]).toEqual([503, expect.stringMatching(/not confirmed to be on disk/)])
    house.stuck = false
    expect((await house.ask(path(S1), tokens.viewer)).json().acknowledged).toBeNull()
  })
})

describe('GET /alarm-events', () => {
  it('has exactly the lines of the journal', async () => {
    const committed = await house.book.events({}, { limit: 100 }, null)
    if ('problem' in committed) throw new Error(committed.problem)
    const lines = committed.items.map(({ event }) => alarmEventLine(event))
    const plain = await house.ask('/api/v1/alarm-events', tokens.viewer)
    expect(plain.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(plain.json().items.map((item: unknown) => JSON.stringify(item))).toEqual(lines)
    const ndjson = await house.ask('/api/v1/alarm-events', tokens.viewer, { headers: { accept: 'application/x-ndjson' } })
    expect(ndjson.headers['content-type']).toMatch(/^application\/x-ndjson/)
    expect(ndjson.body).toBe(`${lines.join('\n')}\n`)
    expect(lines.length).toBeGreaterThan(6)
  })

  it('pages, in both forms alike', async () => {
    const all = (await house.ask('/api/v1/alarm-events', tokens.viewer)).json().items
    const pages: unknown[] = []
    const lines: string[] = []
    let cursor = ''
    do {
      const query = `/api/v1/alarm-events?limit=3${cursor}`
      const { items, next } = (await house.ask(query, tokens.viewer)).json()
      const ndjson = await house.ask(query, tokens.viewer, { headers: { accept: 'application/x-ndjson' } })
      expect(ndjson.headers['x-next-cursor'] ?? null).toBe(next)
      pages.push(...items)
      lines.push(...ndjson.body.trimEnd().split('\n'))
      cursor = next === null ? '' : `&cursor=${encodeURIComponent(next)}`
    } while (cursor !== '')
    expect(pages).toEqual(all)
    expect(lines).toEqual(all.map((item: unknown) => JSON.stringify(item)))
  })

  it('is cut by time, and by scope', async () => {
    const { items } = (await house.ask('/api/v1/alarm-events?from=2026-01-01T08:00:01Z&to=2026-01-01T08:00:05Z', tokens.viewer)).json()
    expect(items.map((item: { id: string }) => item.id)).toEqual([T102, BUND, S1, X1])
    const own = (await house.ask('/api/v1/alarm-events', market)).json()
    expect(own.items.map((item: { id: string }) => item.id)).toEqual([S1])
  })
})

it('acknowledged by several at once is acknowledged once, and the others learn of it', async () => {
  const other = await House.open()
  try {
    const operator = await other.token('operator')
    await other.commit(turn('smoke', { device: 'S-1' }, START, START, 'clear', 'red'))
    const id = path(`smoke/S-1#${START}`)
    const answers = await Promise.all(['I go', 'so do I'].map((note) => other.ask(`${id}/acknowledge`, operator, { payload: { note } })))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 409])
    const { events } = (await other.ask(id, operator)).json()
    expect(events.filter((event: { action?: string }) => event.action === 'acknowledge')).toMatchObject([{ note: 'I go' }])
  } finally {
    await other.close()
  }
})
