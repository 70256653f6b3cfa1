import { describe, expect, it, vi } from 'vitest'
import { EmbeddedDispatcher } from '../../src/alerts/queues/embedded.ts'
import { courierBehaviour } from './courierBehaviour.ts'
import { CourierYard } from './courierYard.ts'

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

  it('that is not configured (any more) makes dead letters with a sentence', async () => {
    const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher() })
    await yard.plan(yard.planned('mail', { channel: 'email', address: 'li@example.com' }))
    await yard.courier.start()
    await vi.waitFor(async () => expect(await yard.states()).toEqual({ mail: 'failed' }), WAIT)
    expect((await yard.rows())[0]?.problem).toBe('No provider for email is configured (any more): add one under channels in fenghuo.yaml.')
    await yard.close()
  })

  it('behind one address holds up nobody at another, however it fails', async () => {
    const destination = (address: string): string => URL.parse(address)?.host ?? ''
    const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher(), channel: { kind: 'webhook', destination } })
    yard.carrier.treat = ({ to }) => (to.includes('dead') ? 'fail' : to.includes('mute') ? 'hold' : 'take')
    const hook = (id: string, host: string) => yard.planned(id, { channel: 'webhook', address: `https://${host}/in` })
    await yard.courier.start()
    await yard.plan(...Array.from({ length: 40 }, (_, i) => [hook(`dead-${i}`, 'dead.plant'), hook(`mute-${i}`, 'mute.plant')]).flat())
    await vi.waitFor(() => expect(yard.courier.problems()).toHaveLength(1), WAIT)
    expect(yard.courier.problems()).toEqual([
      { part: 'channel webhook', problem: 'carrier to dead.plant: sending fails again and again; it is tried on.' }
    ])
    await yard.plan(...Array.from({ length: 5 }, (_, i) => hook(`well-${i}`, 'well.plant')))
    const wellOnes = (): string[] => yard.carrier.ids().filter((id) => id.startsWith('well'))
    await vi.waitFor(() => expect(wellOnes()).toEqual(['well-0', 'well-1', 'well-2', 'well-3', 'well-4']), WAIT)
    expect(yard.carrier.ids().filter((id) => id.startsWith('mute')).length).toBeLessThanOrEqual(4)
    yard.carrier.release()
    await yard.close()
  })
})
