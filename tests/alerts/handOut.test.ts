// What is handed out where several processes take from one queue.

import { expect, it } from 'vitest'
import { HandOut } from '../../src/alerts/handOut.ts'
import type { DueNotification } from '../../src/alerts/outbox.ts'
import type { Dispatcher } from '../../src/alerts/queues/dispatcher.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { CourierYard } from './courierYard.ts'

/** A queue that others fetch from. */
class SharedQueue implements Dispatcher {
  readonly name = 'shared'
  readonly fetches = true
  readonly problem = null
  readonly offered: number[] = []
  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  async offer(due: readonly DueNotification[]): Promise<boolean> {
    this.offered.push(...due.map(({ n }) => n))
    return true
  }
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

it('what another process has taken makes room for the next to the same host at once, and what waits here does not', async () => {
  const share = LIMITS.courier.handedOutPerHost
  const queue = new SharedQueue()
  const yard = await CourierYard.open({ dispatcher: () => queue })
  try {
    const address = 'https://one.example/in'
    const planned = numbers(1, 3 * share).map((n) => yard.planned(`n-${n}`, { channel: 'webhook', address }))
    await yard.plan(...planned)
    const clock = new ManualClock(yard.clock.now())
    const here = new Set<number>()
    const handOut = new HandOut({
      ...{ outbox: yard.outbox, dispatcher: queue, clock, kinds: ['webhook'], sends: () => true },
      ...{ deliver: () => {}, isHere: (n) => here.has(n) }
    })
    await handOut.sweep()
    await handOut.sweep()
    expect(queue.offered).toEqual(numbers(1, share))
    await yard.outbox.claim(numbers(1, share), clock.now(), 'another')
    await handOut.sweep()
    expect(queue.offered).toEqual(numbers(1, 2 * share))
    for (const n of numbers(share + 1, 2 * share)) here.add(n)
    await yard.outbox.claim([...here], clock.now(), 'service')
    await handOut.sweep()
    expect(queue.offered).toEqual(numbers(1, 2 * share))
  } finally {
    await yard.close()
  }
})
