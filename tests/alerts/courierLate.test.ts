// What is late is told to the ladder, also where the service ends between writing that down and its journal.

import { expect, it, vi } from 'vitest'
import { EmbeddedDispatcher } from '../../src/alerts/queues/embedded.ts'
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
