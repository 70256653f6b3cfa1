// Several processes that send, seen from the store they share: claims, who is gone, what was answered to whom.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { handOver, takeHanded } from '../../src/alerts/handedAnswers.ts'
import { Outbox } from '../../src/alerts/outbox.ts'
import { PlannedBook } from '../../src/alerts/planned.ts'
import { Roster } from '../../src/alerts/roster.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import type { State } from '../../src/store/schema.ts'
import { openState } from '../store/stateYard.ts'
import { plannedAt } from './courierYard.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
let folder: string
let state: State
let outbox: Outbox

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fenghuo-senders-'))
  state = await openState(path.join(folder, 'state.db'))
  outbox = new Outbox(state)
})
afterEach(async () => {
  await state.destroy()
  await rm(folder, { recursive: true })
})

const plan = (...ids: string[]): Promise<number> =>
  new PlannedBook().write(
    state,
    ids.map((id) => plannedAt(id, START))
  )
const row = async (n: number) => {
  const { state: stands, claimed_by, possible_duplicate } = (await outbox.byN(n)) ?? {}
  return [stands, claimed_by, possible_duplicate]
}

describe('a claim', () => {
  it('is one sender’s; who has lost it writes nothing over what another does', async () => {
    await plan('a')
    expect((await outbox.claim([1], START, 'one')).length).toBe(1)
    expect(await outbox.claim([1], START, 'two')).toEqual([null])
    expect(await outbox.requeueDoubtful(START, ['one', 'two'])).toBe(0)
    expect(await outbox.requeueDoubtful(START, ['two'])).toBe(1)
    expect(await row(1)).toEqual(['queued', 'one', 1])
    await outbox.claim([1], START, 'two')
    expect(await outbox.settle([{ n: 1, claim: 'one', set: { state: 'failed' } }])).toEqual([false])
    expect(await outbox.settle([{ n: 1, claim: 'two', set: { state: 'sent' } }])).toEqual([true])
    expect(await row(1)).toEqual(['sent', 'two', 1])
  })

  it('taken for lost while its answer was on its way is settled by it all the same, where nobody has taken it since', async () => {
    await plan('a')
    await outbox.claim([1], START, 'one')
    await outbox.requeueDoubtful(START, [])
    expect(await outbox.settle([{ n: 1, claim: 'one', set: { state: 'sent' } }])).toEqual([true])
    expect(await outbox.claim([1], START, 'two')).toEqual([null])
  })

  it('reported is forgotten only as it stood', async () => {
    await plan('a')
    await outbox.settle([{ n: 1, set: { state: 'sent', unreported: 1 } }])
    const [first] = await outbox.unreported(10)
    await outbox.settle([{ n: 1, set: { state: 'delivered', unreported: 1 } }])
    await outbox.reported([first!])
    expect((await outbox.unreported(10)).map(({ report }) => report.state)).toEqual(['delivered'])
  })
})

describe('the roster', () => {
  it('takes a count that stands still for the end of its sender, whatever the clocks say', async () => {
    const clock = new ManualClock(START)
    const ahead = new ManualClock(START + 86_400_000)
    const figures = () => ({ sends: true, sending: 0, sent: 0, problem: null })
    const self = (id: string, role: string) => ({ id, role, host: 'h', pid: 1, version: 'v' })
    let looks = 0
    const service = new Roster({ state, clock, self: self('service', 'service'), figures, looked: () => void (looks += 1) })
    const worker = new Roster({ state, clock: ahead, self: self('worker', 'worker'), figures })
    await worker.start()
    await service.start()
    expect([service.alive(), service.workers(), service.sharers()]).toEqual([['service', 'worker'], 1, 2])
    for (let second = 1; second <= 8; second++) {
      expect(service.alive()).toEqual(['service', 'worker'])
      clock.moveTo(START + second * 1_000)
      await vi.waitFor(() => expect(looks).toBe(second))
    }
    expect([service.alive(), service.workers(), service.sharers()]).toEqual([['service'], 0, 1])
    expect(service.list().map(({ id, alive }) => [id, alive])).toEqual([
      ['service', true],
      ['worker', false]
    ])
    expect(service.aloneMs).toBe(8_000)
    await worker.stop()
    await service.stop()
    expect(await state.selectFrom('senders').selectAll().execute()).toEqual([])
  })
})

describe('an answer to a worker', () => {
  it('is kept until the service has taken it, known again where it takes it twice, and holds up no other meanwhile', async () => {
    await handOver(state, 'sms', 'sms', { from: '138', text: '1', providerId: null }, START)
    await handOver(state, 'sms', 'sms', { from: '139', text: '收到', providerId: 'p' }, START + 1)
    const taken: unknown[] = []
    const broken = takeHanded(state, async (_provider, _kind, answer) => {
      taken.push(answer)
      if (answer.from === '138') throw new Error('the journal is full')
    })
    await expect(broken).rejects.toThrow('the journal is full')
    await takeHanded(state, async (_provider, _kind, answer) => taken.push(answer))
    expect(taken).toEqual([
      { from: '138', text: '1', providerId: expect.stringMatching(/^handed-/) },
      { from: '139', text: '收到', providerId: 'p' },
      { from: '138', text: '1', providerId: (taken[0] as { providerId: string }).providerId }
    ])
    await takeHanded(state, async (_provider, _kind, answer) => taken.push(answer))
    expect(taken).toHaveLength(3)
    // Brought again before the first was taken: the same one.
    for (const from of ['138', '138', '137']) await handOver(state, 'sms', 'sms', { from, text: '1', providerId: null }, START + 2)
    for (let looks = 0; looks < 2; looks++) await takeHanded(state, async (_provider, _kind, answer) => taken.push(answer.from))
    expect(taken.slice(3).toSorted()).toEqual(['137', '138'])
  })
})

describe('receipts of messages that are none of ours, as where an account has other users', () => {
  const strangers = (count: number, at: number) =>
    Array.from({ length: count }, (_, i) => ({
      provider: 'sms',
      provider_id: `theirs-${i}`,
      state: 'delivered',
      problem: null,
      at: at + i
    }))
  const keep = async (all: ReturnType<typeof strangers>) => {
    for (let from = 0; from < all.length; from += 1_000)
      await state
        .insertInto('early_receipts')
        .values(all.slice(from, from + 1_000))
        .execute()
  }

  it('do not hide the one of ours behind them', async () => {
    await plan('ours')
    await keep(strangers(1_000, START))
    await outbox.keepEarly({ provider: 'sms', provider_id: 'p-1', state: 'delivered', problem: null, at: START + 5_000 })
    await outbox.settle([{ n: 1, set: { state: 'sent', provider: 'sms', provider_id: 'p-1' } }])
    expect((await outbox.earlyMatched(500)).map(({ receipt, row: { id } }) => [receipt.provider_id, id])).toEqual([['p-1', 'ours']])
  })

  it('are kept up to a bound, the newest, and not for ever', async () => {
    const { earlyReceipts, earlyMs } = LIMITS.courier
    await keep(strangers(earlyReceipts + 5, START))
    await outbox.pruneEarly(START + 10)
    const left = await state.selectFrom('early_receipts').select('at').orderBy('at').execute()
    expect([left.length, left[0]?.at]).toEqual([earlyReceipts - 5, START + 10])
    await keep(strangers(10, START + earlyMs).map((one, i) => ({ ...one, provider_id: `new-${i}` })))
    await outbox.pruneEarly(START)
    const kept = await state.selectFrom('early_receipts').select('at').orderBy('at').execute()
    expect([kept.length, kept[0]?.at]).toEqual([earlyReceipts, START + 15])
  })
})
