// Laws of the book: however the same events are cut into commits, and wherever the process dies in between, the same book
// stands there.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Book } from '../../src/alerts/book.ts'
import type { BookedAlarm, Page } from '../../src/alerts/booked.ts'
import { foldEvent } from '../../src/alerts/fold.ts'
import { type Alarm, type AlarmEvent, alarmEventLine } from '../../src/model/alarm.ts'
import { LEVELS, type Level } from '../../src/model/tier.ts'
import { Random } from '../../src/platform/random.ts'
import { itInFile, openState } from '../store/stateYard.ts'
import { act, happenings, turn, YARD } from './yard.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'fenghuo-laws-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** A plausible life of a plant: alarms rise, fall and clear on several subjects, people acknowledge, comment and err. */
function life(random: Random, count: number): AlarmEvent[] {
  const events: AlarmEvent[] = []
  const standing = new Map<string, { raisedAt: number; level: Level }>()
  const ids: string[] = ['level/never#1']
  for (let at = 1; events.length < count; at++) {
    const subject = random.pick(['T-1', 'T-2', 'S-1', 'G-1', 'X-1', 'area:bund'])
    if (random.next() < 0.3) {
      events.push(
        act(
          random.pick(ids),
          at,
          random.pick(['acknowledge', 'acknowledge', 'comment', 'reset', 'shelve']),
          random.pick(['li', 'wang']),
          random.pick([null, 'hm'])
        )
      )
      continue
    }
    const before = standing.get(subject) ?? { raisedAt: at, level: 'clear' as const }
    const level = random.pick(LEVELS.filter((other) => other !== before.level))
    const event = turn(subject, before.raisedAt, at, before.level, level)
    if (before.level === 'clear') ids.push(event.id)
    events.push(event)
    if (level === 'clear') standing.delete(subject)
    else standing.set(subject, { ...before, level })
  }
  return events
}

async function openBook(file: string): Promise<{ book: Book; close: () => Promise<void> }> {
  const state = await openState(file)
  const book = new Book(state)
  await book.load()
  return { book, close: () => state.destroy() }
}

async function contents(book: Book): Promise<unknown> {
  const page = await book.list({ state: 'all' }, { limit: 1000 }, null)
  const events = await book.eventsAfter(0, 10_000, null)
  return { page, events, active: book.active({ state: 'active' }, null), counts: book.counts(null), lastEvent: book.lastEvent }
}

describe('the book', () => {
  it('is the same however its events are cut into commits, and wherever the process dies', async () => {
    for (const seed of [1, 2, 3]) {
      const random = new Random(seed)
      const events = happenings(life(random.fork('life'), 200))
      const whole = await openBook(path.join(folder, `whole-${seed}.db`))
      await whole.book.commit({ events, rejects: [], position: { seq: events.length, advancedTo: 1 }, fleet: YARD })
      const expected = await contents(whole.book)
      await whole.close()

      const file = path.join(folder, `cut-${seed}.db`)
      let part = await openBook(file)
      while (part.book.position().seq < events.length) {
        const from = part.book.position().seq
        const to = Math.min(events.length, from + random.between(1, 60))
        const commit = { events: events.slice(from, to), rejects: [], position: { seq: to, advancedTo: 1 }, fleet: YARD }
        await part.book.commit(commit)
        if (random.next() < 0.3) await part.book.commit(commit)
        if (random.next() < 0.3) {
          await part.close()
          part = await openBook(file)
        }
      }
      expect(await contents(part.book)).toEqual(expected)
      await part.close()
    }
  })

  it('holds every alarm as the fold of its kept events', async () => {
    const { book, close } = await openBook(path.join(folder, 'fold.db'))
    await book.commit({ events: happenings(life(new Random(9), 400)), rejects: [], position: { seq: 1, advancedTo: 1 }, fleet: YARD })
    const folded = new Map<string, Alarm | null>()
    for (const { event } of await book.eventsAfter(0, 1000, null)) folded.set(event.id, foldEvent(folded.get(event.id) ?? null, event))
    const { items } = (await book.list({ state: 'all' }, { limit: 1000 }, null)) as Page<BookedAlarm>
    expect(items.map(({ inArea: _a, site: _s, enterprise: _e, lastEvent: _l, ...alarm }) => alarm)).toEqual(
      items.map(({ id }) => folded.get(id))
    )
    expect(items).toHaveLength(folded.size)
    await close()
  })

  itInFile('is after a sudden death what it was after the last commit', async () => {
    const { book, close } = await openBook(path.join(folder, 'state.db'))
    const events = happenings(life(new Random(5), 30))
    for (let seq = 1; seq <= events.length; seq++) {
      await book.commit({ events: events.slice(seq - 1, seq), rejects: [], position: { seq, advancedTo: seq }, fleet: YARD })
      if (seq % 5 !== 0) continue
      // What lies on the disk at this moment, as a killed process leaves it: nothing was closed or checkpointed.
      const grave = path.join(folder, `died-${seq}`)
      mkdirSync(grave)
      for (const name of ['state.db', 'state.db-wal'])
        if (existsSync(path.join(folder, name))) copyFileSync(path.join(folder, name), path.join(grave, name))
      const risen = await openBook(path.join(grave, 'state.db'))
      expect(risen.book.position()).toEqual({ seq, advancedTo: seq })
      expect(await contents(risen.book)).toEqual(await contents(book))
      await risen.close()
    }
    await close()
  })

  itInFile('keeps nothing of a transaction that was never committed', async () => {
    const file = path.join(folder, 'state.db')
    const state = await openState(file)
    const book = new Book(state)
    await book.load()
    await book.commit({
      events: happenings([turn('T-1', 1, 1, 'clear', 'red')]),
      rejects: [],
      position: { seq: 1, advancedTo: 1 },
      fleet: YARD
    })
    const grave = path.join(folder, 'died')
    mkdirSync(grave)
    const dying = state.transaction().execute(async (within) => {
      await within.updateTable('position').set({ seq: 2, last_event: 9 }).execute()
      await within.deleteFrom('alarm_events').execute()
      for (const name of ['state.db', 'state.db-wal']) copyFileSync(path.join(folder, name), path.join(grave, name))
      throw new Error('killed')
    })
    await expect(dying).rejects.toThrow('killed')
    const risen = await openBook(path.join(grave, 'state.db'))
    expect(risen.book.position()).toEqual({ seq: 1, advancedTo: 1 })
    expect((await risen.book.eventsAfter(0, 10, null)).map(({ event }) => alarmEventLine(event))).toHaveLength(1)
    await risen.close()
    await state.destroy()
  })
})
