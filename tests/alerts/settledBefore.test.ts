// A store that has lost what was sent, read again from a journal that knows: what went out is not sent twice, and what may have is marked.

import { afterEach, expect, it, vi } from 'vitest'
import { EmbeddedDispatcher } from '../../src/alerts/queues/embedded.ts'
import { doubtQueued, type JournaledReport } from '../../src/alerts/settledBefore.ts'
import { CourierYard, FLEET } from './courierYard.ts'

let yard: CourierYard
afterEach(() => yard.close())

const report = (id: string, state: 'sent' | 'delivered' | 'failed', at: number): JournaledReport => ({
  at,
  report: { id, state, providerId: state === 'failed' ? null : `p-${id}`, problem: null }
})

it('takes from the journal what was sent, plans anew what was not, and marks what nobody knows of', async () => {
  yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher() })
  const ids = ['sent', 'delivered', 'failed', 'unknown', 'sending']
  const [first, ...rest] = ids.map((id) => yard.planned(id))
  const turn = (seq: number, reports: readonly JournaledReport[], notifications: readonly (typeof first & object)[] = []) =>
    yard.book.commit({ events: [], rejects: [], notifications, reports, position: { seq, advancedTo: 0 }, fleet: FLEET })
  // Planned and reported in one turn, or in several.
  await turn(1, [report('sent', 'sent', 10)], [first!, ...rest])
  await yard.state
    .updateTable('notifications')
    .set({ state: 'sending', tries: 1, claimed_by: 'gone' })
    .where('id', '=', 'sending')
    .execute()
  await turn(2, [report('delivered', 'sent', 20), report('delivered', 'delivered', 21), report('failed', 'failed', 22)])
  await turn(3, [report('sending', 'sent', 30), report('nobody', 'sent', 31)])
  expect(await yard.rows()).toMatchObject([
    { id: 'sent', state: 'sent', sent_at: 10, provider_id: 'p-sent', possible_duplicate: 0, unreported: 0 },
    { id: 'delivered', state: 'delivered', sent_at: 20, delivered_at: 21, provider_id: 'p-delivered', possible_duplicate: 0 },
    { id: 'failed', state: 'queued', sent_at: null, possible_duplicate: 0 },
    { id: 'unknown', state: 'queued', sent_at: null, possible_duplicate: 0 },
    { id: 'sending', state: 'sent', sent_at: 30, possible_duplicate: 0 }
  ])
  expect(await doubtQueued(yard.state)).toBe(2)
  const waiting = (await yard.rows()).filter(({ state }) => state === 'queued')
  expect(waiting.map(({ id, possible_duplicate, problem }) => [id, possible_duplicate, problem])).toEqual(
    ['failed', 'unknown'].map((id) => [id, 1, expect.stringMatching(/^The state store had lost .* sent again under the same id\.$/)])
  )
  await yard.start()
  await vi.waitFor(async () => expect(Object.values(await yard.states())).toEqual(['sent', 'delivered', 'sent', 'sent', 'sent']))
  expect(yard.carrier.ids().toSorted()).toEqual(['failed', 'unknown'])
})

it('leaves what was queued again by hand, and what came later than it', async () => {
  yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher() })
  const commit = (seq: number, reports: readonly JournaledReport[]) =>
    yard.book.commit({ events: [], rejects: [], reports, position: { seq, advancedTo: 0 }, fleet: FLEET })
  await yard.plan(yard.planned('again'), yard.planned('arrived'))
  await yard.state.updateTable('notifications').set({ sent_at: 5 }).where('id', '=', 'again').execute()
  await yard.state
    .updateTable('notifications')
    .set({ state: 'delivered', sent_at: 5, delivered_at: 6 })
    .where('id', '=', 'arrived')
    .execute()
  await commit(2, [report('again', 'sent', 10), report('arrived', 'sent', 10), report('arrived', 'delivered', 11)])
  expect(await yard.rows()).toMatchObject([
    { id: 'again', state: 'queued', sent_at: 5 },
    { id: 'arrived', state: 'delivered', sent_at: 5, delivered_at: 6 }
  ])
})
