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
})
