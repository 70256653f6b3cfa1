// A standby on PostgreSQL takes over when the active one dies, hangs or is cut off: nothing acknowledged is lost, the alarm log
// is that of an undisturbed run, and nobody is told twice without being told so.

import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { pause } from '../../src/platform/clock.ts'
import { Random } from '../../src/platform/random.ts'
import { type InfluxForTests, openInflux } from './influxServer.ts'
import { openPostgres, type PostgresServer } from './postgresServer.ts'
import { clock, type Instance, StandbyYard } from './standbyYard.ts'

const MOST_MS = 10_000
const random = new Random(5)
let postgres: PostgresServer
let influx: InfluxForTests
let yard: StandbyYard | null = null
const measured: Record<string, { readyMs: number; servesMs: number }[]> = {}

beforeAll(async () => {
  postgres = await openPostgres()
  influx = await openInflux()
})

afterEach(async () => {
  await yard?.close()
  yard = null
})

afterAll(async () => {
  await influx?.close()
  await postgres?.close()
  for (const [what, all] of Object.entries(measured)) {
    const sorted = (of: 'readyMs' | 'servesMs'): number[] => all.map((one) => one[of]).sort((a, b) => a - b)
    console.log(
      `take-over, ${what}: ready after ${sorted('readyMs').join(', ')} ms; acknowledged again after ${sorted('servesMs').join(', ')} ms`
    )
  }
})

async function pair(options: { shared?: boolean } = {}): Promise<StandbyYard> {
  yard = await StandbyYard.open({ postgres: await postgres.database(), influx: options.shared === true ? null : influx.url, ...options })
  const [a, b] = yard.instances
  expect(await a.start()).toBe('active')
  expect(await b.start()).toBe('standby')
  yard.load()
  await yard.more(20)
  return yard
}

async function measure(what: string, here: StandbyYard, by: Instance): Promise<void> {
  const times = await here.takeOver(by)
  ;(measured[what] ??= []).push(times)
  expect(times.readyMs).toBeLessThan(MOST_MS)
}

async function checked(what: string, here: StandbyYard, active: Instance): Promise<void> {
  await here.endLoad()
  const sums = await here.check(active)
  console.log(`${what}: ${JSON.stringify(sums)}`)
  expect(sums.events).toBeGreaterThan(5)
  expect(sums.told).toBeGreaterThan(2)
}

/** Kills the active one, again and again; what was killed stands by then. */
async function backAndForth(what: string, here: StandbyYard, kills: number): Promise<void> {
  let [active, other] = here.instances as [Instance, Instance]
  for (let kill = 0; kill < kills; kill++) {
    await pause(clock, random.between(50, 1_500))
    const killed = active.kill()
    await measure(what, here, other)
    await killed
    expect(await active.start()).toBe('standby')
    ;[active, other] = [other, active]
    await here.more(10)
  }
  await checked(what, here, active)
}

it('takes over from an active one that is killed, back and forth', { timeout: 240_000 }, async () => {
  await backAndForth('kill -9', await pair(), 6)
})

it('takes over from an active one that hangs, which then finds itself out', { timeout: 240_000 }, async () => {
  const here = await pair()
  let [active, other] = here.instances as [Instance, Instance]
  for (let round = 0; round < 3; round++) {
    await pause(clock, random.between(50, 1_000))
    active.signal('SIGSTOP')
    await measure('SIGSTOP', here, other)
    await here.more(10)
    active.signal('SIGCONT')
    expect(await active.ended(), active.output.slice(-2000)).toBe(1)
    expect(active.output).toContain('Another Fenghuo has taken over')
    expect(await active.start()).toBe('standby')
    ;[active, other] = [other, active]
  }
  await checked('SIGSTOP', here, active)
})

it.each(['refuse', 'hole'] as const)(
  'takes over from an active one whose way to PostgreSQL is cut (%s)',
  { timeout: 240_000 },
  async (how) => {
    const here = await pair()
    let [active, other] = here.instances as [Instance, Instance]
    for (let round = 0; round < 2; round++) {
      await pause(clock, random.between(50, 1_000))
      active.proxy.mode = how
      if (how === 'refuse') active.proxy.cut()
      await measure(`cut (${how})`, here, other)
      active.proxy.mode = 'pass'
      active.proxy.cut()
      expect(await active.ended(), active.output.slice(-2000)).toBe(1)
      expect(await active.start()).toBe('standby')
      ;[active, other] = [other, active]
      await here.more(10)
    }
    await checked(`cut (${how})`, here, active)
  }
)

it('takes over on a data folder that both share', { timeout: 240_000 }, async () => {
  await backAndForth('kill -9, one data folder', await pair({ shared: true }), 4)
})

it('hands over when the active one is stopped, and waits again', { timeout: 120_000 }, async () => {
  const here = await pair()
  const [a, b] = here.instances
  const standby = (await (await fetch(`${b.http}/healthz`)).json()) as { role: string; holder: { host: string } }
  expect([standby.role, standby.holder.host]).toEqual(['standby', new URL(a.http).host])
  expect((await fetch(`${b.http}/readyz`)).status).toBe(503)
  expect(await (await fetch(`${b.http}/metrics`)).text()).toMatch(/^fenghuo_role 0$/m)
  const refused = await fetch(`${b.http}/api/v1/alarms`)
  expect([refused.status, refused.headers.get('content-type')]).toEqual([503, 'application/problem+json; charset=utf-8'])
  expect(((await refused.json()) as { detail: string }).detail).toContain(new URL(a.http).host)
  expect(await a.stop()).toBe(0)
  await measure('SIGTERM', here, b)
  const active = (await (await fetch(`${b.http}/healthz`)).json()) as { role: string; epoch: number }
  expect([active.role, active.epoch]).toEqual(['active', 2])
  expect(await (await fetch(`${b.http}/metrics`)).text()).toMatch(/^fenghuo_role 1$/m)
  const audited = await b.all<{ what: string; who: string }>('/api/v1/audit')
  expect(audited.filter(({ what }) => what === 'lease.taken')).toHaveLength(1)
  expect(await a.start()).toBe('standby')
  expect(await a.stop()).toBe(0)
  await checked('SIGTERM', here, b)
  await vi.waitFor(async () => expect(await b.ready()).toBe(true))
})
