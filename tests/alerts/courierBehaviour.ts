// What every dispatcher must do, whatever carries the numbers: the same suite for the embedded one and for Redis.

import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Dispatcher } from '../../src/alerts/queues/dispatcher.ts'
import type { Clock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { CourierYard, type YardOptions } from './courierYard.ts'

/** Several processes cannot agree on instants much finer than this. */
const SLOWEST = 20
const WAIT = { timeout: 30_000, interval: 10 }

/** Where and beside whom the courier works; missing: alone, on a file. */
export interface Surroundings {
  readonly options: () => Promise<Partial<YardOptions>>
  /** Called once the yard is there; answers what ends it. */
  readonly around: (yard: CourierYard, options: Partial<YardOptions>) => Promise<() => Promise<void>>
}

export function courierBehaviour(name: string, dispatcher: (clock: Clock) => Dispatcher, surroundings?: Surroundings): void {
  describe(`the courier, ${name}`, () => {
    let yard: CourierYard
    const open = async (options: Partial<YardOptions> = {}): Promise<CourierYard> => {
      const factor = surroundings === undefined ? options.factor : Math.min(options.factor ?? 1, SLOWEST)
      const all = { dispatcher, ...options, ...(factor === undefined ? {} : { factor }), ...(await surroundings?.options()) }
      yard = await CourierYard.open(all)
      end = (await surroundings?.around(yard, all)) ?? end
      return yard
    }
    let end = async (): Promise<void> => {}
    afterEach(async () => {
      await end()
      await yard.close()
    })

    it('sends what is planned, once, and reports it', async () => {
      await open()
      await yard.start()
      const planned = [yard.planned('a'), yard.planned('b', { withheld: 'acknowledged' }), yard.planned('c')]
      await yard.plan(...planned)
      await vi.waitFor(() => expect(yard.carrier.ids().toSorted()).toEqual(['a', 'c']), WAIT)
      await yard.plan(...planned)
      await vi.waitFor(async () => expect(await yard.states()).toEqual({ a: 'sent', b: 'withheld', c: 'sent' }), WAIT)
      await vi.waitFor(() => expect(yard.reports).toHaveLength(2), WAIT)
      expect(yard.reports.toSorted((one, other) => (one.id < other.id ? -1 : 1))).toEqual([
        { id: 'a', state: 'sent', providerId: 'p-a', problem: null },
        { id: 'c', state: 'sent', providerId: 'p-c', problem: null }
      ])
      await vi.waitFor(async () => expect((await yard.rows()).map(({ unreported }) => unreported)).toEqual([0, 0, 0]), WAIT)
      expect(yard.carrier.ledger).toHaveLength(2)
    })

    it('sends the most severe first, however long the queue', async () => {
      await open({ channel: { perSecond: 50 } })
      await yard.plan(...Array.from({ length: 200 }, (_, i) => yard.planned(`blue-${i}`, { tier: 'blue' })))
      await yard.start()
      await vi.waitFor(() => expect(yard.carrier.ledger.length).toBeGreaterThan(10), WAIT)
      await yard.plan(yard.planned('red'), yard.planned('orange', { tier: 'orange' }))
      const before = yard.carrier.ledger.length
      await vi.waitFor(() => expect(yard.carrier.ids()).toEqual(expect.arrayContaining(['red', 'orange'])), WAIT)
      const place = yard.carrier.ids().indexOf('red')
      // Only what was on its way already may come before it.
      expect(place - before).toBeLessThan(20)
      // What is under way at the same time may arrive in any order.
      expect(yard.carrier.ids().indexOf('orange')).toBeGreaterThan(place - LIMITS.courier.concurrency)
    })

    it('tries again after a failure, then it is a dead letter that can be retried by hand', async () => {
      await open({ factor: 50 })
      let fails = 2
      yard.carrier.treat = ({ id }) => (id === 'never' || fails-- > 0 ? 'fail' : 'take')
      await yard.start()
      await yard.plan(yard.planned('later'))
      await vi.waitFor(async () => expect(await yard.states()).toEqual({ later: 'sent' }), WAIT)
      expect((await yard.rows())[0]).toMatchObject({ tries: 3, possible_duplicate: 0, problem: null })
      await yard.plan(yard.planned('never', { tier: 'blue' }))
      await vi.waitFor(async () => expect(await yard.states()).toEqual({ later: 'sent', never: 'failed' }), WAIT)
      const [, dead] = await yard.rows()
      expect(dead).toMatchObject({ tries: 8, problem: 'The carrier is in trouble. It was tried 8 times.' })
      await vi.waitFor(() => expect(yard.reports.at(-1)).toMatchObject({ id: 'never', state: 'failed' }), WAIT)
      yard.carrier.treat = () => 'take'
      expect(await yard.outbox.retry('never', yard.clock.now())).toBe(true)
      expect(await yard.outbox.retry('later', yard.clock.now())).toBe(false)
      yard.courier.wake()
      await vi.waitFor(async () => expect(await yard.states()).toEqual({ later: 'sent', never: 'sent' }), WAIT)
      expect(yard.carrier.ids()).toEqual(['later', 'never'])
    })

    it('takes a refusal for an answer', async () => {
      await open()
      yard.carrier.treat = () => 'refuse'
      await yard.start()
      await yard.plan(yard.planned('bad'))
      await vi.waitFor(async () => expect(await yard.states()).toEqual({ bad: 'failed' }), WAIT)
      expect(yard.carrier.asked).toBe(1)
      await vi.waitFor(
        () =>
          expect(yard.reports).toEqual([{ id: 'bad', state: 'failed', providerId: null, problem: 'The carrier refuses this message.' }]),
        WAIT
      )
    })

    it('marks what may have gone out twice', async () => {
      await open({ factor: 20 })
      let first = true
      yard.carrier.treat = () => {
        const treatment = first ? 'takeSilently' : 'take'
        first = false
        return treatment
      }
      await yard.start()
      await yard.plan(yard.planned('doubt'))
      await vi.waitFor(async () => expect(await yard.states()).toEqual({ doubt: 'sent' }), WAIT)
      expect(yard.carrier.ids()).toEqual(['doubt', 'doubt'])
      expect((await yard.rows())[0]).toMatchObject({ possible_duplicate: 1, tries: 2 })
    })

    it('finds what was being sent when the process ended, and sends it again under the same id, marked', async () => {
      await open()
      await yard.plan(yard.planned('a'), yard.planned('b'))
      await yard.state.updateTable('notifications').set({ state: 'sending', tries: 1 }).where('id', '=', 'a').execute()
      await yard.state.updateTable('notifications').set({ state: 'sent', unreported: 1 }).where('id', '=', 'b').execute()
      await yard.start()
      await vi.waitFor(async () => expect(await yard.states()).toEqual({ a: 'sent', b: 'sent' }), WAIT)
      expect(yard.carrier.ids()).toEqual(['a'])
      expect((await yard.rows()).map((row) => row.possible_duplicate)).toEqual([1, 0])
      await vi.waitFor(() => expect(yard.reports.map(({ id }) => id).toSorted()).toEqual(['a', 'b']), WAIT)
    })

    it('takes receipts, also those that are quicker than the answer, and misses those that do not come', async () => {
      await open({ factor: 200, channel: { receipts: true } })
      yard.carrier.treat = ({ id }) => {
        if (id === 'quick') void yard.channel.listener?.receipt({ providerId: 'p-quick', state: 'delivered', problem: null })
        return 'take'
      }
      await yard.start()
      await yard.plan(yard.planned('quick'), yard.planned('slow'), yard.planned('lost'), yard.planned('gone'))
      await vi.waitFor(async () => expect(await yard.states()).toMatchObject({ quick: 'delivered', slow: 'sent', gone: 'sent' }), WAIT)
      await yard.channel.listener?.receipt({ providerId: 'p-slow', state: 'delivered', problem: null })
      await yard.channel.listener?.receipt({ providerId: 'p-gone', state: 'failed', problem: 'The number is not in service.' })
      await vi.waitFor(
        async () => expect(await yard.states()).toEqual({ quick: 'delivered', slow: 'delivered', lost: 'failed', gone: 'failed' }),
        WAIT
      )
      await yard.channel.listener?.receipt({ providerId: 'p-lost', state: 'delivered', problem: null })
      await vi.waitFor(async () => expect(await yard.states()).toMatchObject({ lost: 'delivered' }), WAIT)
      await vi.waitFor(() => {
        const of = (id: string) => yard.reports.filter((report) => report.id === id).map(({ state }) => state)
        expect([of('quick').filter((state) => state !== 'sent'), of('slow').at(-1), of('lost'), of('gone').at(-1)]).toEqual([
          ['delivered'],
          'delivered',
          ['sent', 'failed', 'delivered'],
          'failed'
        ])
      }, WAIT)
      expect(await yard.state.selectFrom('early_receipts').selectAll().execute()).toEqual([])
    })

    it('misses the receipt of what was accepted without a name: none can come', async () => {
      await open({ factor: 200, channel: { receipts: true } })
      yard.channel.named = false
      await yard.start()
      await yard.plan(yard.planned('nameless'))
      await vi.waitFor(async () => expect(await yard.states()).toEqual({ nameless: 'failed' }), WAIT)
      expect((await yard.rows())[0]?.problem).toBe(
        'The provider accepted it, but no receipt came within 3 min: the person may not have it.'
      )
    })

    it('finds the message of a receipt that came before it was known, also one that another process has sent', async () => {
      await open({ factor: 50, channel: { receipts: true } })
      await yard.start()
      await yard.courier.take(yard.channel, [{ providerId: 'theirs', state: 'delivered', problem: null }])
      await yard.plan(yard.planned('other'))
      await vi.waitFor(async () => expect(await yard.states()).toEqual({ other: 'sent' }), WAIT)
      await yard.outbox.settle([{ n: 1, set: { provider_id: 'theirs' } }])
      await vi.waitFor(async () => expect(await yard.states()).toEqual({ other: 'delivered' }), WAIT)
      expect(await yard.state.selectFrom('early_receipts').selectAll().execute()).toEqual([])
    })
  })
}
