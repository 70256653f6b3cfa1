import { describe, expect, it, vi } from 'vitest'
import { EmbeddedDispatcher } from '../../src/alerts/queues/embedded.ts'
import type { PlannedNotification } from '../../src/model/notification.ts'
import { courierBehaviour } from './courierBehaviour.ts'
import { CourierYard, type YardOptions } from './courierYard.ts'
import type { LedgerChannel, Treatment } from './ledgerCarrier.ts'

courierBehaviour('embedded', () => new EmbeddedDispatcher())

const WAIT = { timeout: 20_000, interval: 10 }

describe('a provider in trouble', () => {
  it('is left alone, without using up the tries of what waits; the ladder hears at once what is late', async () => {
    const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher(), factor: 200 })
    yard.channel.problem = 'The carrier cannot be reached.'
    await yard.courier.start()
    await yard.plan(yard.planned('red'), yard.planned('blue', { tier: 'blue' }))
    await vi.waitFor(() => expect(yard.reports).toHaveLength(1), WAIT)
    expect(yard.reports).toEqual([
      { id: 'red', state: 'failed', providerId: null, problem: 'Not sent within 60 s of being due; it is still tried.' }
    ])
    expect(yard.courier.problems()).toContainEqual({ part: 'channel sms', problem: 'The carrier cannot be reached.' })
    yard.channel.problem = null
    await vi.waitFor(async () => expect(await yard.states()).toEqual({ red: 'sent', blue: 'sent' }), WAIT)
    expect((await yard.rows()).map(({ tries, late }) => ({ tries, late }))).toEqual([
      { tries: 1, late: 1 },
      { tries: 1, late: 0 }
    ])
    expect(yard.carrier.ids()).toEqual(['red', 'blue'])
    await yard.close()
  })

  it('that is just starting is waited for, as long as it says so; then the next one is asked', async () => {
    const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher(), factor: 20, second: {} })
    yard.channel.problem = 'it is not connected yet'
    yard.channel.starting = true
    await yard.courier.start()
    await yard.plan(yard.planned('first'))
    await vi.waitFor(() => expect(yard.courier.figures.queued).toBe(1), WAIT)
    yard.channel.problem = null
    yard.channel.starting = false
    await vi.waitFor(async () => expect((await yard.rows()).map(({ provider }) => provider)).toEqual(['carrier']), WAIT)
    yard.channel.problem = 'it is not connected'
    await yard.plan(yard.planned('next'))
    await vi.waitFor(async () => expect((await yard.rows()).map(({ provider }) => provider)).toEqual(['carrier', 'second']), WAIT)
    await yard.close()
  })

  it('that is not configured (any more) makes dead letters with a sentence', async () => {
    const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher() })
    await yard.plan(yard.planned('mail', { channel: 'email', address: 'li@example.com' }))
    await yard.courier.start()
    await vi.waitFor(async () => expect(await yard.states()).toEqual({ mail: 'failed' }), WAIT)
    expect((await yard.rows())[0]?.problem).toBe('No provider for email is configured (any more): add one under channels in fenghuo.yaml.')
    await yard.close()
  })

  it('that is not configured withholds its message where the same call goes by another way, and fails it where none is left', async () => {
    const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher() })
    const at = yard.clock.now()
    const push = { at, channel: 'push', address: 'subscription' } as const
    const alarms = ['tank-level/T-102#1']
    await yard.plan(
      yard.planned('told-sms', { at }),
      yard.planned('told-push', { ...push, alarms: [`tank-level/T-101#${at}`] }),
      yard.planned('alone-push', { ...push, alarms, rung: 2 }),
      yard.planned('withheld-sms', { at, alarms, withheld: 'noAddress' }),
      yard.planned('withheld-push', { ...push, alarms }),
      yard.planned('other-person', { ...push, alarms: [`tank-level/T-101#${at}`], person: 'wang' })
    )
    await yard.courier.start()
    const over = { 'told-sms': 'sent', 'told-push': 'withheld', 'alone-push': 'failed', 'withheld-sms': 'withheld' }
    await vi.waitFor(
      async () => expect(await yard.states()).toEqual({ ...over, 'withheld-push': 'failed', 'other-person': 'failed' }),
      WAIT
    )
    const said = 'No provider for push is configured (any more): add one under channels in fenghuo.yaml.'
    expect((await yard.rows()).map(({ withheld, problem, failed_at }) => [withheld, problem, failed_at !== null])).toEqual([
      [null, null, false],
      ['noChannel', said, false],
      [null, said, true],
      ['noAddress', null, false],
      [null, said, true],
      [null, said, true]
    ])
    // To the ladder it is a way that does not arrive, either way.
    await vi.waitFor(async () => expect((await yard.rows()).filter(({ unreported }) => unreported === 1)).toEqual([]), WAIT)
    expect(yard.reports.filter(({ state }) => state === 'failed').map(({ id }) => id)).toEqual([
      'told-push',
      'alone-push',
      'withheld-push',
      'other-person'
    ])
    expect((await yard.outbox.figures()).deadLetters).toBe(3)
    await yard.close()
  })

  it('behind one address holds up nobody at another, however it fails', async () => {
    const yard = await hooked()
    yard.carrier.treat = ({ to }) => (to.includes('dead') ? 'fail' : to.includes('mute') ? 'hold' : 'take')
    await yard.courier.start()
    await yard.plan(...many(40, (i) => [hook(yard, `dead-${i}`, 'dead.plant'), hook(yard, `mute-${i}`, 'mute.plant')]))
    await vi.waitFor(() => expect(yard.courier.problems()).toHaveLength(1), WAIT)
    expect(yard.courier.problems()).toEqual([
      { part: 'channel webhook', problem: 'carrier to dead.plant: sending fails again and again; it is tried on.' }
    ])
    await yard.plan(...many(5, (i) => [hook(yard, `well-${i}`, 'well.plant')]))
    await vi.waitFor(() => expect(idsOf(yard, 'well')).toEqual(['well-0', 'well-1', 'well-2', 'well-3', 'well-4']), WAIT)
    expect(idsOf(yard, 'mute').length).toBeLessThanOrEqual(4)
    yard.carrier.release()
    await yard.close()
  })

  it('behind one address holds up nobody, however many messages wait for it', async () => {
    const yard = await hooked()
    yard.carrier.treat = ({ to }) => (to.includes('dead') ? 'fail' : 'take')
    await yard.plan(...many(1_200, (i) => [hook(yard, `dead-${i}`, `dead-${i % 2}.plant`)]))
    await yard.courier.start()
    await vi.waitFor(() => expect(yard.courier.problems()).toHaveLength(1), WAIT)
    await yard.plan(...many(300, (i) => [hook(yard, `well-${i}`, `well-${i % 3}.plant`)]))
    await vi.waitFor(() => expect(idsOf(yard, 'well')).toHaveLength(300), WAIT)
    // Each host gets what is most severe first, then what is oldest.
    expect(idsOf(yard, 'well').filter((id) => Number(id.slice(5)) % 3 === 0 && Number(id.slice(5)) < 12)).toEqual([
      ...['well-0', 'well-3', 'well-6', 'well-9']
    ])
    await yard.close()
  })

  it('that answers nothing takes no place from others, be they hosts or providers', async () => {
    const yard = await hooked()
    yard.carrier.treat = ({ to }) => (to.includes('mute') ? 'hold' : 'take')
    await yard.courier.start()
    await yard.plan(...many(60, (i) => [hook(yard, `mute-${i}`, `mute-${i % 12}.plant`)]))
    await vi.waitFor(() => expect(idsOf(yard, 'mute').length).toBeGreaterThan(10), WAIT)
    await yard.plan(hook(yard, 'well', 'well.plant'))
    await vi.waitFor(() => expect(idsOf(yard, 'well')).toEqual(['well']), WAIT)
    yard.carrier.release()
    await yard.close()

    const two = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher(), second: {} })
    two.carrier.treat = ({ by }) => (by === 'carrier' ? 'hold' : 'take')
    await two.plan(...many(40, (i) => [two.planned(`n-${i}`)]))
    await two.courier.start()
    const bySecond = () => two.carrier.ledger.filter(({ by }) => by === 'second')
    await vi.waitFor(() => expect(bySecond()).toHaveLength(24), WAIT)
    two.carrier.release()
    await two.close()
  })
})

describe('a provider that fails', () => {
  const asked: string[] = []
  /** Two providers of one kind; `first` decides what becomes of what the first one is asked. */
  const open = async (first: () => Treatment, second: (id: string) => Treatment = () => 'take', options: Partial<YardOptions> = {}) => {
    asked.length = 0
    const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher(), second: {}, ...options })
    yard.carrier.treat = ({ by, id }) => {
      asked.push(`${id} ${by}`)
      return by === 'carrier' ? first() : second(id)
    }
    await yard.courier.start()
    return yard
  }
  const sent = async (yard: CourierYard, id: string) => {
    await yard.plan(yard.planned(id))
    await vi.waitFor(async () => expect((await yard.states())[id]).toBe('sent'), WAIT)
    const { provider, tries, possible_duplicate } = (await yard.rows()).find((row) => row.id === id) ?? {}
    return { provider, tries, possible_duplicate }
  }

  it('is stood in for by the next one at once, and named once it fails again and again', async () => {
    const yard = await open(() => 'fail')
    for (const id of ['a', 'b', 'c']) expect(await sent(yard, id)).toEqual({ provider: 'second', tries: 1, possible_duplicate: 0 })
    expect(asked).toEqual(['a carrier', 'a second', 'b carrier', 'b second', 'c carrier', 'c second'])
    expect(yard.courier.problems()).toEqual([
      {
        part: 'provider carrier',
        problem: 'carrier fails again and again (The carrier is in trouble); the next provider is asked instead, and it is tried on.'
      }
    ])
    await yard.close()
  })

  it('without an answer is stood in for too; what it may have taken is marked', async () => {
    const yard = await open(() => 'takeSilently')
    expect(await sent(yard, 'a')).toEqual({ provider: 'second', tries: 1, possible_duplicate: 1 })
    expect(asked).toEqual(['a carrier', 'a second'])
    await yard.close()
  })

  it('is asked again where the next one refuses: a refusal is the end only where all refuse', async () => {
    let fails = 1
    const yard = await open(
      () => (fails-- > 0 ? 'fail' : 'take'),
      () => 'refuse',
      { factor: 50 }
    )
    expect(await sent(yard, 'a')).toEqual({ provider: 'carrier', tries: 2, possible_duplicate: 0 })
    expect(asked).toEqual(['a carrier', 'a second', 'a carrier'])
    await yard.close()
  })

  it('is asked again where the next one stops working before it is its turn', async () => {
    let fails = 1
    const yard = await open(() => (fails-- > 0 ? 'fail' : 'take'), undefined, { second: { perSecond: 0.01 } })
    const second = yard.second as LedgerChannel
    fails = 2
    expect(await sent(yard, 'a')).toMatchObject({ provider: 'second' })
    await yard.plan(yard.planned('b'))
    await vi.waitFor(async () => expect(asked).toEqual(['a carrier', 'a second', 'b carrier']), WAIT)
    second.problem = 'it is not connected'
    expect(await sent(yard, 'c')).toMatchObject({ provider: 'carrier' })
    await vi.waitFor(async () => expect(await yard.states()).toEqual({ a: 'sent', b: 'sent', c: 'sent' }), WAIT)
    await yard.close()
  })

  it('because of the server behind an address is the same by every provider', async () => {
    const yard = await open(() => 'fail', undefined, { channel: { kind: 'webhook' }, second: { kind: 'webhook' }, factor: 200 })
    await yard.plan(hook(yard, 'a', 'dead.plant'))
    await vi.waitFor(async () => expect(asked.length).toBeGreaterThanOrEqual(2), WAIT)
    expect(new Set(asked.slice(0, 2))).toEqual(new Set(['a carrier']))
    await yard.close()
  })
})

describe('a provider that refuses', () => {
  it('for a reason of its own without another one is what is wrong with its way', async () => {
    const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher() })
    yard.carrier.treat = () => 'refuse'
    await yard.courier.start()
    await yard.plan(...['a', 'b', 'c'].map((id) => yard.planned(id)))
    await vi.waitFor(async () => expect(await yard.states()).toEqual({ a: 'failed', b: 'failed', c: 'failed' }), WAIT)
    expect(yard.courier.problems()).toEqual([
      {
        part: 'channel sms',
        problem: 'carrier refuses what it is given (The carrier refuses this message): see to its account and its settings.'
      }
    ])
    await yard.close()
  })

  it('for a reason of its own is stood in for by the next one at once, and named; a retry is counted for none of it', async () => {
    const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher(), second: {} })
    yard.carrier.treat = ({ by }) => (by === 'carrier' ? 'refuse' : 'take')
    await yard.courier.start()
    await yard.plan(...['a', 'b', 'c'].map((id) => yard.planned(id)))
    await vi.waitFor(async () => expect(await yard.states()).toEqual({ a: 'sent', b: 'sent', c: 'sent' }), WAIT)
    expect((await yard.rows()).map(({ provider, tries, problem }) => ({ provider, tries, problem }))).toEqual(
      many(3, () => [{ provider: 'second', tries: 1, problem: null }] as never[])
    )
    expect(yard.reports.map(({ id, state }) => `${id} ${state}`).sort()).toEqual(['a sent', 'b sent', 'c sent'])
    expect(yard.courier.problems()).toEqual([
      {
        part: 'provider carrier',
        problem:
          'carrier refuses what it is given (The carrier refuses this message); the next provider is asked instead. See to its account and its settings.'
      }
    ])
    yard.carrier.treat = () => 'take'
    await yard.plan(yard.planned('d'))
    await vi.waitFor(() => expect(yard.courier.problems()).toEqual([]), WAIT)
    await yard.close()
  })

  it('makes a dead letter where it is the last, where the others do not work, or where it is about the number', async () => {
    const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher(), second: {} })
    yard.carrier.treat = () => 'refuse'
    await yard.courier.start()
    await yard.plan(yard.planned('both'))
    await vi.waitFor(async () => expect(await yard.states()).toEqual({ both: 'failed' }), WAIT)
    expect((await yard.rows()).map(({ provider, tries }) => ({ provider, tries }))).toEqual([{ provider: 'second', tries: 1 }])
    yard.channel.refusesFor = 'recipient'
    await yard.plan(yard.planned('number'))
    await vi.waitFor(async () => expect(await yard.states()).toEqual({ both: 'failed', number: 'failed' }), WAIT)
    expect((await yard.rows()).map(({ provider }) => provider)).toEqual(['second', 'carrier'])
    expect(yard.carrier.asked).toBe(3)
    await yard.close()
  })
})

function hooked(): Promise<CourierYard> {
  return CourierYard.open({ dispatcher: () => new EmbeddedDispatcher(), channel: { kind: 'webhook' } })
}

function hook(yard: CourierYard, id: string, host: string): PlannedNotification {
  return yard.planned(id, { channel: 'webhook', address: `https://${host}/in` })
}

function many(count: number, some: (i: number) => readonly PlannedNotification[]): PlannedNotification[] {
  return Array.from({ length: count }, (_, i) => some(i)).flat()
}

function idsOf(yard: CourierYard, prefix: string): string[] {
  return yard.carrier.ids().filter((id) => id.startsWith(prefix))
}
