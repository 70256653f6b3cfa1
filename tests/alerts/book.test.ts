import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Book } from '../../src/alerts/book.ts'
import { Desk } from '../../src/alerts/desk.ts'
import { type AlarmEvent, alarmEventLine } from '../../src/model/alarm.ts'
import type { Reject } from '../../src/model/journal.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { StateFailure } from '../../src/store/failure.ts'
import type { State } from '../../src/store/schema.ts'
import { fillUp, openState } from '../store/stateYard.ts'
import { act, BARE_YARD, happenings, of, reject, turn, YARD } from './yard.ts'

let folder: string
let state: State
let book: Book
let desk: Desk

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'fenghuo-book-'))
  desk = new Desk(YARD)
  await reopen()
})

afterEach(async () => {
  await state.destroy()
  rmSync(folder, { recursive: true })
})

/** As a new process finds it. */
async function reopen(): Promise<void> {
  await state?.destroy()
  state = await openState(path.join(folder, 'state.db'))
  book = new Book(state)
  await book.load()
}

function commit(seq: number, events: AlarmEvent[], rejects: Reject[] = [], advancedTo = seq * 10): ReturnType<Book['commit']> {
  return book.commit({ events: happenings(events, desk), rejects, position: { seq, advancedTo }, fleet: YARD })
}

async function everyEvent(): Promise<string[]> {
  return (await book.eventsAfter(0, 1000, null)).map(({ n, event }) => `${n} ${alarmEventLine(event)}`)
}

const T1 = 'level/T-1#1000'

describe('committing', () => {
  it('starts empty', () => {
    expect(book.position()).toEqual({ seq: 0, advancedTo: 0 })
    expect(book.lastEvent).toBe(0)
    expect(book.active({ state: 'active' }, null)).toEqual([])
  })

  it('numbers the events 1, 2, 3 … over all commits and keeps their lines byte for byte', async () => {
    const raised = turn('T-1', 1000, 1000, 'clear', 'yellow', 'level_pct 86.1 > 85 for 5s')
    const inArea = turn('area:bund', 2000, 2000, 'clear', 'red', '三 "quoted" \u2028 voted')
    const seen = act(T1, 3000, 'acknowledge', 'li', 'sent Wang')
    const first = await commit(1, [raised, inArea])
    const second = await commit(2, [seen])
    expect(first.map(({ n }) => n)).toEqual([1, 2])
    expect(second).toEqual([{ n: 3, event: seen, rule: 'level', device: 'T-1', area: null, site: 'farm', enterprise: 'daxie' }])
    const lines = [raised, inArea, seen].map((event, place) => `${place + 1} ${alarmEventLine(event)}`)
    expect(await everyEvent()).toEqual(lines)
    await reopen()
    expect(await everyEvent()).toEqual(lines)
    expect(book.lastEvent).toBe(3)
  })

  it('keeps alarms, position and what is active over a restart', async () => {
    await commit(1, [
      turn('T-1', 1000, 1000, 'clear', 'yellow'),
      turn('T-2', 1100, 1100, 'clear', 'red'),
      turn('S-1', 1200, 1200, 'clear', 'blue')
    ])
    await commit(2, [turn('T-1', 1000, 2000, 'yellow', 'red'), turn('T-2', 1100, 2100, 'red', 'clear')])
    await commit(3, [act('level/T-2#1100', 3000, 'acknowledge'), turn('S-1', 1200, 3100, 'blue', 'clear')])
    const before = book.active({ state: 'active' }, null)
    expect(before.map(({ id, tier, clearedAt, lastEvent }) => [id, tier, clearedAt, lastEvent])).toEqual([
      ['level/T-1#1000', 'red', null, 4],
      ['level/S-1#1200', 'blue', 3100, 7]
    ])
    await reopen()
    expect(book.position()).toEqual({ seq: 3, advancedTo: 30 })
    expect(book.active({ state: 'active' }, null)).toEqual(before)
    const gone = await book.get('level/T-2#1100', null)
    expect(gone?.alarm).toMatchObject({
      tier: 'red',
      worstTier: 'red',
      raisedAt: 1100,
      clearedAt: 2100,
      acknowledged: { by: 'li', at: 3000, note: null }
    })
    expect(gone?.events.map(({ n, event }) => [n, event.kind, event.at])).toEqual([
      [2, 'transition', 1100],
      [5, 'transition', 2100],
      [6, 'action', 3000]
    ])
  })

  it('is idempotent by position', async () => {
    const events = [turn('T-1', 1000, 1000, 'clear', 'yellow')]
    expect(await commit(5, events, [reject(5)], 100)).toHaveLength(1)
    expect(await commit(5, events, [reject(5)], 100)).toEqual([])
    expect(await commit(4, events, [reject(4)], 900)).toEqual([])
    expect(await commit(5, events, [reject(5)], 99)).toEqual([])
    expect(await everyEvent()).toHaveLength(1)
    expect(await book.quarantine({ limit: 10 }, null)).toMatchObject({ items: [{ seq: 5 }] })
    expect(book.position()).toEqual({ seq: 5, advancedTo: 100 })
    // Time alone moves on.
    expect(await commit(5, [turn('T-1', 1000, 5000, 'yellow', 'clear')], [], 101)).toHaveLength(1)
    await reopen()
    expect(book.position()).toEqual({ seq: 5, advancedTo: 101 })
  })

  it('moves an empty position, durably', async () => {
    expect(await commit(9, [])).toEqual([])
    await reopen()
    expect(book.position()).toEqual({ seq: 9, advancedTo: 90 })
  })

  it('takes commits that are asked for at once one after the other', async () => {
    const all = await Promise.all([
      commit(1, [turn('T-1', 1000, 1000, 'clear', 'yellow')]),
      commit(2, [turn('T-1', 1000, 2000, 'yellow', 'red')]),
      commit(3, [turn('T-1', 1000, 3000, 'red', 'clear')])
    ])
    expect(all.flat().map(({ n }) => n)).toEqual([1, 2, 3])
    expect(await book.alarm(T1, null)).toMatchObject({ worstTier: 'red', clearedAt: 3000, lastEvent: 3 })
  })

  it('folds a raise at the very instant of an alarm that is gone already', async () => {
    await commit(1, [turn('T-1', 1000, 1000, 'clear', 'red'), turn('T-1', 1000, 1000, 'red', 'clear'), act(T1, 1500, 'acknowledge')])
    expect(book.active({ state: 'active' }, null)).toEqual([])
    await commit(2, [turn('T-1', 1000, 1000, 'clear', 'yellow')])
    expect(book.active({ state: 'active' }, null)).toMatchObject([
      { id: T1, tier: 'yellow', worstTier: 'red', clearedAt: null, acknowledged: null }
    ])
  })

  it('commits a thousand alarms at once', async () => {
    const events = Array.from({ length: 1000 }, (_, place) => turn(`D-${place}`, place, place, 'clear', 'red'))
    expect((await commit(1, events)).map(({ n }) => n)).toEqual(events.map((_, place) => place + 1))
    await reopen()
    expect(book.active({ state: 'active' }, null)).toHaveLength(1000)
    expect((await everyEvent()).map((line) => line.slice(line.indexOf(' ') + 1))).toEqual(events.map(alarmEventLine))
  })
})

describe('where an alarm belongs', () => {
  it.each([
    ['T-1', { inArea: 'bund', site: 'farm', enterprise: 'daxie' }],
    ['S-1', { inArea: null, site: 'street', enterprise: 'ward' }],
    ['G-1', { inArea: null, site: null, enterprise: 'ward' }],
    ['X-1', { inArea: null, site: null, enterprise: null }],
    ['area:bund', { inArea: 'bund', site: 'farm', enterprise: 'daxie' }]
  ])('%s', async (subject, standing) => {
    await commit(1, [turn(subject, 1000, 1000, 'clear', 'red')])
    expect(book.active({ state: 'active' }, null)).toMatchObject([standing])
  })

  it('stays known when the plant forgets the device', async () => {
    await commit(1, [turn('T-1', 1000, 1000, 'clear', 'red')])
    const [cleared] = await book.commit({
      events: happenings([turn('T-1', 1000, 2000, 'red', 'clear', 'rule removed')], desk),
      rejects: [],
      position: { seq: 2, advancedTo: 20 },
      fleet: BARE_YARD
    })
    expect(cleared).toMatchObject({ n: 2, site: 'farm', enterprise: 'daxie' })
    await reopen()
    expect(await book.get(T1, of('daxie'))).toMatchObject({ alarm: { site: 'farm', enterprise: 'daxie', inArea: 'bund', clearedAt: 2000 } })
  })
})

describe('operator actions', () => {
  it('count only where they are acceptable as the alarm then stands', async () => {
    const committed = await commit(1, [
      act(T1, 900, 'acknowledge'), // not raised yet
      turn('T-1', 1000, 1000, 'clear', 'yellow'),
      act(T1, 1100, 'acknowledge', 'li', 'first'),
      act(T1, 1200, 'acknowledge', 'wang', 'second'),
      act(T1, 1300, 'acknowledge', 'li', 'first'),
      turn('T-1', 1000, 1400, 'yellow', 'red'),
      act(T1, 1500, 'acknowledge', 'wang', 'red now'),
      act(T1, 1600, 'shelve'),
      act(T1, 1700, 'comment', 'li', 'torn \uD800 and \0'),
      act(T1, 1800, 'comment', 'li', ''),
      act('level/none#1', 1900, 'acknowledge')
    ])
    expect(committed.map(({ n, event }) => [n, event.at])).toEqual([
      [1, 1000],
      [2, 1100],
      [3, 1400],
      [4, 1500],
      [5, 1700]
    ])
    expect(await everyEvent()).toEqual(committed.map(({ n, event }) => `${n} ${alarmEventLine(event)}`))
    expect(committed[4]?.event).toMatchObject({ note: 'torn \uFFFD and \uFFFD' })
    expect(await book.alarm(T1, null)).toMatchObject({ acknowledged: { by: 'wang', at: 1500, note: 'red now' }, lastEvent: 5 })
  })

  it('can comment on an alarm that is long gone, and nothing else changes', async () => {
    await commit(1, [turn('T-1', 1000, 1000, 'clear', 'red'), turn('T-1', 1000, 2000, 'red', 'clear'), act(T1, 3000, 'acknowledge')])
    await reopen()
    expect(await commit(2, [act(T1, 9000, 'comment', 'li', 'a bee in the sensor')])).toMatchObject([{ n: 4, device: 'T-1', site: 'farm' }])
    expect(book.active({ state: 'active' }, null)).toEqual([])
    expect(await book.alarm(T1, null)).toMatchObject({ clearedAt: 2000, lastEvent: 4 })
  })

  it('reset only where the engine followed by clearing that alarm', async () => {
    const red = turn('T-1', 1000, 1000, 'clear', 'red')
    const other = turn('T-2', 1000, 1000, 'clear', 'red')
    expect(await commit(1, [red, other, act(T1, 2000, 'reset')])).toHaveLength(2)
    expect(await commit(2, [act(T1, 2000, 'reset'), turn('T-2', 1000, 2000, 'red', 'clear')])).toHaveLength(1)
    const done = await commit(3, [act(T1, 2500, 'reset', 'li', 'vented'), turn('T-1', 1000, 2500, 'red', 'clear', 'reset by li')])
    expect(done.map(({ event }) => (event.kind === 'action' ? event.action : event.to))).toEqual(['reset', 'clear'])
  })
})

describe('quarantine', () => {
  it('keeps rejects with their gateway, newest first', async () => {
    await commit(1, [], [reject(1), { ...reject(2, 'stranger'), device: 'T-9', excerpt: 'a\0b\uD800' }])
    await reopen()
    expect(await book.quarantine({ limit: 10 }, null)).toEqual({
      items: [
        {
          id: 2,
          at: 20,
          seq: 2,
          gateway: 'stranger',
          enterprise: null,
          site: null,
          topic: 'fh/1/stranger/telemetry',
          device: 'T-9',
          problem: 'wrong 2',
          excerpt: 'a\uFFFDb\uFFFD'
        },
        {
          id: 1,
          at: 10,
          seq: 1,
          gateway: 'gw',
          enterprise: 'ward',
          site: null,
          topic: 'fh/1/gw/telemetry',
          device: null,
          problem: 'wrong 1',
          excerpt: '{'
        }
      ],
      next: null
    })
    expect(await book.quarantine({ limit: 10 }, of('ward'))).toMatchObject({ items: [{ id: 1 }], next: null })
    expect(await book.quarantine({ limit: 10 }, of())).toEqual({ items: [], next: null })
  })

  it('is bounded: the oldest go first', async () => {
    const { rows } = LIMITS.quarantine
    await commit(1, [], [reject(1)])
    await commit(
      2,
      [],
      Array.from({ length: rows + 5 }, () => reject(2))
    )
    const { count, oldest } = (
      await sql<{ count: number; oldest: number }>`select count(*) as count, min(id) as oldest from quarantine`.execute(state)
    ).rows[0] as { count: number; oldest: number }
    expect([count, oldest]).toEqual([rows, 2])
    await commit(3, [], [reject(3)])
    expect((await sql`select count(*) as count, min(id) as oldest, max(seq) as newest from quarantine`.execute(state)).rows).toEqual([
      { count: rows, oldest: 3, newest: 3 }
    ])
  })
})

describe('when the store cannot be written', () => {
  const flood = Array.from({ length: 300 }, (_, place) => turn(`D-${place}`, place, place, 'clear', 'red', 'x'.repeat(200)))

  it('nothing has changed, and the same commit is done once when it can be', async () => {
    await commit(1, [turn('T-1', 1000, 1000, 'clear', 'yellow')])
    const { kind, end } = await fillUp(state)
    for (let attempt = 0; attempt < 3; attempt++) {
      const failure = await commit(2, flood, [reject(2)]).catch((cause: unknown) => cause)
      expect(failure).toBeInstanceOf(StateFailure)
      expect(failure).toMatchObject({ kind, passing: true })
      expect(book.position()).toEqual({ seq: 1, advancedTo: 10 })
      expect(book.lastEvent).toBe(1)
      expect(book.active({ state: 'active' }, null)).toHaveLength(1)
    }
    expect(await everyEvent()).toHaveLength(1)
    await end()
    const committed = await commit(2, flood, [reject(2)])
    expect(committed.map(({ n }) => n)).toEqual(flood.map((_, place) => place + 2))
    expect(await commit(2, flood, [reject(2)])).toEqual([])
    await reopen()
    expect(book.active({ state: 'active' }, null)).toHaveLength(301)
    expect(book.lastEvent).toBe(301)
  })

  it('a commit that did reach the disk although it was reported as failed is answered, not repeated', async () => {
    await commit(1, [turn('T-1', 1000, 1000, 'clear', 'yellow')])
    const { kind, end } = await fillUp(state)
    await expect(commit(2, flood)).rejects.toMatchObject({ kind })
    await end()
    // The same commit, written by nobody this book knows of: as if the failed one had been durable after all.
    const behind = new Book(state)
    await behind.load()
    const written = await behind.commit({ events: happenings(flood, desk), rejects: [], position: { seq: 2, advancedTo: 20 }, fleet: YARD })
    expect(await commit(2, flood)).toEqual(written)
    expect(book.position()).toEqual({ seq: 2, advancedTo: 20 })
    expect(await commit(3, [turn('T-1', 1000, 9000, 'yellow', 'clear')])).toMatchObject([{ n: 302 }])
  })

  it('says so where another process has written meanwhile', async () => {
    const other = new Book(state)
    await other.load()
    await other.commit({
      events: happenings([turn('T-2', 1, 1, 'clear', 'red')]),
      rejects: [],
      position: { seq: 1, advancedTo: 1 },
      fleet: YARD
    })
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(commit(7, [turn('T-1', 1000, 1000, 'clear', 'red')])).rejects.toMatchObject({ kind: 'taken', passing: false })
    }
    expect(await everyEvent()).toHaveLength(1)
  })
})
