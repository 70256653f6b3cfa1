import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Book } from '../../src/alerts/book.ts'
import type { AlarmFilter, EventFilter, Page } from '../../src/alerts/booked.ts'
import type { AlarmEvent } from '../../src/model/alarm.ts'
import type { Scope } from '../../src/model/scope.ts'
import type { Problem } from '../../src/platform/problem.ts'
import type { State } from '../../src/store/schema.ts'
import { openState } from '../store/stateYard.ts'
import { act, happenings, of, turn, YARD } from './yard.ts'

let folder: string
let state: State
let book: Book

const EVENTS: AlarmEvent[] = [
  turn('T-1', 1000, 1000, 'clear', 'yellow'),
  turn('S-1', 1100, 1100, 'clear', 'red'),
  turn('T-2', 1200, 1200, 'clear', 'red'),
  turn('X-1', 1300, 1300, 'clear', 'blue'),
  turn('area:bund', 1200, 1200, 'clear', 'red'),
  turn('G-1', 1400, 1400, 'clear', 'orange'),
  // Backlog: an event of long ago, journaled late.
  turn('T-1', 500, 500, 'clear', 'red'),
  turn('T-1', 500, 600, 'red', 'clear'),
  act('level/T-1#500', 2000, 'acknowledge'),
  turn('X-1', 1300, 2100, 'blue', 'clear'),
  act('level/G-1#1400', 2200, 'acknowledge'),
  turn('T-1', 1000, 2300, 'yellow', 'orange')
]

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'fenghuo-listings-'))
  state = await openState(path.join(folder, 'state.db'))
  const first = new Book(state)
  await first.load()
  await first.commit({ events: happenings(EVENTS), rejects: [], position: { seq: 1, advancedTo: 1 }, fleet: YARD })
  book = new Book(state)
  await book.load()
})

afterAll(async () => {
  await state.destroy()
  rmSync(folder, { recursive: true })
})

function page<Item>(answer: Page<Item> | Problem): Page<Item> {
  if ('problem' in answer) throw new Error(answer.problem)
  return answer
}

/** All pages of `limit`, one after the other. */
async function walk(filter: AlarmFilter, limit: number, scope: Scope): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const { items, next }: Page<{ id: string }> = page(await book.list(filter, { limit, cursor }, scope))
    expect(items.length).toBeLessThanOrEqual(limit)
    ids.push(...items.map(({ id }) => id.replace('level/', '')))
    cursor = next
  } while (cursor !== null)
  return ids
}

const ACTIVE = { state: 'active' } as const
const ALL = { state: 'all' } as const

describe('alarms', () => {
  it.each<[string, AlarmFilter, Scope, string[]]>([
    ['active: highest tier first, then newest', ACTIVE, null, ['bund#1200', 'T-2#1200', 'S-1#1100', 'G-1#1400', 'T-1#1000', 'X-1#1300']],
    ['all: newest first', ALL, null, ['G-1#1400', 'X-1#1300', 'bund#1200', 'T-2#1200', 'S-1#1100', 'T-1#1000', 'T-1#500']],
    ['of a tier', { ...ACTIVE, tiers: ['red'] }, null, ['bund#1200', 'T-2#1200', 'S-1#1100']],
    ['of two tiers', { ...ACTIVE, tiers: ['blue', 'orange'] }, null, ['G-1#1400', 'T-1#1000', 'X-1#1300']],
    ['of no tier', { ...ACTIVE, tiers: [] }, null, []],
    ['of a site', { ...ACTIVE, site: 'farm' }, null, ['bund#1200', 'T-2#1200', 'T-1#1000']],
    ['of an enterprise', { ...ACTIVE, enterprise: 'ward' }, null, ['S-1#1100', 'G-1#1400']],
    ['of a device', { ...ALL, device: 'T-1' }, null, ['T-1#1000', 'T-1#500']],
    ['of an unknown device', { ...ALL, device: "' or 1=1 --" }, null, []],
    ['from an instant on, that included', { ...ALL, from: 1300 }, null, ['G-1#1400', 'X-1#1300']],
    ['up to an instant, that excluded', { ...ALL, to: 1100 }, null, ['T-1#1000', 'T-1#500']],
    ['between', { ...ACTIVE, from: 1100, to: 1300 }, null, ['bund#1200', 'T-2#1200', 'S-1#1100']],
    ['in scope', ACTIVE, of('ward'), ['S-1#1100', 'G-1#1400']],
    ['in a scope of two', ALL, of('ward', 'daxie'), ['G-1#1400', 'bund#1200', 'T-2#1200', 'S-1#1100', 'T-1#1000', 'T-1#500']],
    ['in scope, asking for another enterprise', { ...ACTIVE, enterprise: 'daxie' }, of('ward'), []],
    ['in an empty scope', ALL, of(), []],
    ['at a site', ALL, { enterprises: null, sites: ['farm'] }, ['bund#1200', 'T-2#1200', 'T-1#1000', 'T-1#500']],
    ['at a site of another enterprise', ALL, { enterprises: ['ward'], sites: ['farm'] }, []],
    ['at no site', ALL, { enterprises: null, sites: [] }, []]
  ])('%s', async (_name, filter, scope, expected) => {
    for (const limit of [1, 2, 3, 100]) expect(await walk(filter, limit, scope)).toEqual(expected)
    if (filter.state === 'active') expect(book.active(filter, scope).map(({ id }) => id.replace('level/', ''))).toEqual(expected)
  })

  it('are one each by id, inside the scope only', async () => {
    for (const id of ['level/T-1#1000', 'level/T-1#500']) {
      expect(await book.alarm(id, null)).toMatchObject({ id, enterprise: 'daxie' })
      expect(await book.get(id, of('daxie'))).toMatchObject({ alarm: { id } })
      expect(await book.get(id, of('ward'))).toBe(null)
      expect(await book.alarm(id, of())).toBe(null)
    }
    expect(await book.alarm('level/X-1#1300', of('ward', 'daxie'))).toBe(null)
    expect(await book.get('level/nothing#1', null)).toBe(null)
  })

  it('are counted by tier and state', () => {
    const none = { unacknowledged: 0, acknowledged: 0, clearedUnacknowledged: 0 }
    expect(book.counts(null)).toEqual({
      blue: { ...none, clearedUnacknowledged: 1 },
      yellow: none,
      orange: { ...none, unacknowledged: 1, acknowledged: 1 },
      red: { ...none, unacknowledged: 3 }
    })
    expect(book.counts(of('ward'))).toEqual({
      blue: none,
      yellow: none,
      orange: { ...none, acknowledged: 1 },
      red: { ...none, unacknowledged: 1 }
    })
    expect(book.counts(of()).red).toEqual(none)
  })
})

describe('events', () => {
  async function numbers(filter: EventFilter, limit: number, scope: Scope): Promise<number[]> {
    const all: number[] = []
    let cursor: string | null = null
    do {
      const { items, next }: Page<{ n: number }> = page(await book.events(filter, { limit, cursor }, scope))
      all.push(...items.map(({ n }) => n))
      cursor = next
    } while (cursor !== null)
    return all
  }

  it.each<[string, EventFilter, Scope, number[]]>([
    ['all, in journal order', {}, null, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ['from', { from: 1400 }, null, [6, 9, 10, 11, 12]],
    ['to', { to: 1000 }, null, [7, 8]],
    ['between', { from: 600, to: 1201 }, null, [1, 2, 3, 5, 8]],
    ['nothing there', { from: 9000 }, null, []],
    ['in scope', {}, of('ward'), [2, 6, 11]],
    ['in scope and time', { from: 1200, to: 2250 }, of('ward', 'daxie'), [3, 5, 6, 9, 11]],
    ['in an empty scope', {}, of(), []]
  ])('%s', async (_name, filter, scope, expected) => {
    for (const limit of [1, 5, 100]) expect(await numbers(filter, limit, scope)).toEqual(expected)
  })

  it('resume after a number', async () => {
    expect((await book.eventsAfter(9, 100, null)).map(({ n }) => n)).toEqual([10, 11, 12])
    expect((await book.eventsAfter(0, 2, null)).map(({ n }) => n)).toEqual([1, 2])
    expect((await book.eventsAfter(2, 100, of('ward'))).map(({ n }) => n)).toEqual([6, 11])
    expect(await book.eventsAfter(12, 100, null)).toEqual([])
    expect((await book.eventsAfter(0, 100, null)).map(({ event }) => event)).toEqual(EVENTS)
  })
})

describe('pages', () => {
  it('are bounded and never empty by request', async () => {
    expect(page(await book.list(ALL, { limit: 1e9 }, null)).items).toHaveLength(7)
    expect(page(await book.list(ALL, { limit: -5 }, null)).items).toHaveLength(1)
    expect(page(await book.list(ALL, { limit: 7 }, null)).next).toBe(null)
    expect(page(await book.list(ALL, { limit: 6 }, null)).next).not.toBe(null)
  })

  it.each([
    ['gibberish', 'gibberish'],
    ['json of something else', Buffer.from('{"a":1}').toString('base64url')],
    ['another listing', Buffer.from('["events",3]').toString('base64url')],
    ['wrong types', Buffer.from('["active","a","b","c"]').toString('base64url')],
    ['too long', 'A'.repeat(5000)]
  ])('refuse a cursor that is %s', async (_name, cursor) => {
    expect(await book.list(ACTIVE, { limit: 5, cursor }, null)).toMatchObject({
      problem: 'The cursor is not one that this listing gave out: ask again without it.'
    })
  })

  it('refuse the cursor of another listing everywhere', async () => {
    const { next } = page(await book.list(ALL, { limit: 1 }, null))
    for (const answer of [
      await book.list(ACTIVE, { limit: 1, cursor: next }, null),
      await book.events({}, { limit: 1, cursor: next }, null),
      await book.quarantine({ limit: 1, cursor: next }, null)
    ]) {
      expect(answer).toHaveProperty('kind', 'problem')
    }
  })
})
