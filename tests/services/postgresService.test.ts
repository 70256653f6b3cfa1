// One service whose PostgreSQL is restarted, killed and cut off under load: it waits and says so, goes on with the same lease, and
// in the end nothing is lost and nothing is there twice. One whose lease somebody else has taken ends with a sentence.

import { afterAll, afterEach, expect, it, vi } from 'vitest'
import { openPostgres } from './postgresServer.ts'
import { type Instance, StandbyYard } from './standbyYard.ts'

const server = await openPostgres()
afterAll(() => server.close())

let yard: StandbyYard | null = null
afterEach(async () => {
  await yard?.close()
  yard = null
})

async function stateHealth({ http }: Instance): Promise<string | null> {
  const answer = await fetch(`${http}/healthz`)
  const { parts } = (await answer.json()) as { parts: { part: string; problem: string | null }[] }
  return parts.find(({ part }) => part === 'state store')?.problem ?? null
}

it('goes on with the same lease after its server was restarted, killed and cut off under load', { timeout: 240_000 }, async () => {
  const postgres = await server.database()
  yard = await StandbyYard.open({ postgres, influx: null })
  const [service] = yard.instances
  expect(await service.start()).toBe('active')
  yard.load()
  await yard.more(20)
  for (const how of ['fast', 'kill'] as const) {
    await server.stop(how)
    if (server.ours) {
      await vi.waitFor(async () => expect(await stateHealth(service)).toContain('PostgreSQL cannot be reached'), {
        timeout: 20_000,
        interval: 50
      })
      expect(await service.ready()).toBe(false)
    }
    await server.start()
    await yard.more(20)
    await vi.waitFor(async () => expect(await stateHealth(service)).toBe(null), { timeout: 20_000, interval: 50 })
  }
  for (let cuts = 0; cuts < 5; cuts++) {
    service.proxy.cut()
    await yard.more(5)
  }
  await yard.endLoad()
  const found = await yard.check(service)
  expect(found.readings).toBeGreaterThan(200)
  expect(found.events).toBeGreaterThan(0)
  expect(await server.run(postgres, 'select epoch::int as epoch from lease')).toEqual([{ epoch: 1 }])
  expect(await service.stop()).toBe(0)
})

it('ends with a sentence and exit status 1 where somebody else has taken the lease', { timeout: 120_000 }, async () => {
  const postgres = await server.database()
  yard = await StandbyYard.open({ postgres, influx: null })
  const [service] = yard.instances
  await service.start()
  yard.load()
  await yard.more(5)
  await server.run(postgres, "update lease set epoch = epoch + 1, holder = 'somebody else'")
  service.proxy.cut()
  expect(await service.ended()).toBe(1)
  expect(service.output).toContain('Another Fenghuo has taken over the state in PostgreSQL')
})
