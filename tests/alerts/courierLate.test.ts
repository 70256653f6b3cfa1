// What is late is told to the ladder, also where the service ends between writing that down and its journal.

import { expect, it, vi } from 'vitest'
import { EmbeddedDispatcher } from '../../src/alerts/queues/embedded.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { CourierYard } from './courierYard.ts'

const WAIT = { timeout: 20_000, interval: 10 }

async function late(folder?: string): Promise<CourierYard> {
  const yard = await CourierYard.open({
    dispatcher: () => new EmbeddedDispatcher(),
    factor: 200,
    ...(folder === undefined ? {} : { folder })
  })
  yard.channel.problem = 'The carrier cannot be reached.'
  await yard.courier.start()
  return yard
}

it('is told by the next life, where this one ends before its journal has it', async () => {
  const first = await late()
  first.journalStuck = true
  await first.plan(first.planned('red'))
  await vi.waitFor(() => expect(first.reports).toHaveLength(1), WAIT)
  expect((await first.rows()).map((row) => row.late)).toEqual([1])
  await first.close(true)
  const next = await late(first.folder)
  await vi.waitFor(() => expect(next.reports).toEqual(first.reports), WAIT)
  await next.close()
})

it('or could not be sent for hours is no news any more, save where it asks somebody to take a severe alarm on that still stands', async () => {
  const yard = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher() })
  const at = yard.clock.now() - LIMITS.courier.expireMs - 60_000
  yard.standing.add('stands')
  await yard.plan(
    yard.planned('stands', { at, alarms: ['taken', 'stands'] }),
    yard.planned('mild', { at, alarms: ['stands'], tier: 'yellow' }),
    yard.planned('eased', { at, alarms: ['stands'], reason: 'eased' }),
    yard.planned('taken', { at, alarms: ['taken'] })
  )
  await yard.courier.start()
  await vi.waitFor(
    async () => expect(await yard.states()).toEqual({ stands: 'sent', mild: 'failed', eased: 'failed', taken: 'failed' }),
    WAIT
  )
  expect(yard.carrier.ids()).toEqual(['stands'])
  await yard.close()
})
