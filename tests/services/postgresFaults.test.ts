// What a PostgreSQL may do to the service: restarts, kills and cuts under load, a question that never ends, a commit whose answer is
// lost, a server that has gone back, a lease that somebody else has taken; and what `doctor` says of a server before any of it.

import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { EmbeddedDispatcher } from '../../src/alerts/queues/embedded.ts'
import { checkPostgres } from '../../src/app/doctor/postgres.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { type LeasedState, takeLease } from '../../src/store/lease.ts'
import type { State } from '../../src/store/schema.ts'
import { serviceSecret } from '../../src/store/serviceSecrets.ts'
import { openState } from '../../src/store/state.ts'
import { openWorkerState } from '../../src/store/workerState.ts'
import { CourierYard } from '../alerts/courierYard.ts'
import { ADMIN_PASSWORD, runFenghuo } from '../liveService.ts'
import { freePort } from './freePort.ts'
import { openPostgres, WITH_PASSWORD } from './postgresServer.ts'
import { type Instance, StandbyYard } from './standbyYard.ts'
import { TcpProxy } from './tcpProxy.ts'

const GAPS = `select first_seq, before from (select first_seq, lag(last_seq) over (order by first_seq) as before from journal_groups) as g
  where first_seq <> before + 1`
const WAIT = { timeout: 30_000, interval: 20 }
const server = await openPostgres()
afterAll(() => server.close())

let yard: StandbyYard | null = null
afterEach(async () => {
  await yard?.close()
  yard = null
})

/** The same database by way of a proxy. */
async function proxied(url: string): Promise<{ proxy: TcpProxy; address: string }> {
  const address = new URL(url)
  const proxy = await TcpProxy.open(Number(address.port), address.hostname)
  address.host = `127.0.0.1:${proxy.port}`
  return { proxy, address: address.href }
}

async function asked({ http }: Instance, path: string): Promise<{ status: number; body: { detail?: string; items?: unknown[] } }> {
  const headers = { 'content-type': 'application/json' }
  const session = await fetch(`${http}/api/v1/session`, {
    ...{ method: 'POST', headers, body: JSON.stringify({ username: 'admin', password: ADMIN_PASSWORD }) }
  })
  const cookie = session.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  const answer = await fetch(`${http}${path}`, { headers: { cookie } })
  return { status: answer.status, body: (await answer.json()) as { detail?: string } }
}

async function stateHealth({ http }: Instance): Promise<string | null> {
  const answer = await fetch(`${http}/healthz`)
  const { parts } = (await answer.json()) as { parts: { part: string; problem: string | null }[] }
  return parts.find(({ part }) => part === 'state store')?.problem ?? null
}

describe('doctor', () => {
  const said = async (url: string): Promise<string[]> => (await checkPostgres(url)).map(({ state, found }) => `${state}: ${found}`)

  it('finds a server empty, ready, in use, of somebody else, older or newer', async () => {
    const url = await server.database()
    const lets = expect.stringMatching(/^ok: PostgreSQL \d+\S* .*lets us in\.$/)
    const nobody = 'ok: Nobody works with the state in it at the moment.'
    expect(await said(url)).toEqual([lets, 'ok: The database is empty: the first start makes its tables.', nobody])
    const state = await openState(url)
    expect(await said(url)).toEqual([
      lets,
      'ok: It holds a state of this version.',
      expect.stringMatching(/^ok: Somebody works with the state in it \(\d s since its last sign of life\)\.$/)
    ])
    await state.destroy()
    expect(await said(url)).toEqual([lets, 'ok: It holds a state of this version.', nobody])
    await server.run(url, "insert into schema_migrations (name, timestamp) values ('9999-later', '')")
    expect(await said(url)).toContain('fail: It holds a state of a newer version.')
    await server.run(url, "delete from schema_migrations where name >= '0012'")
    expect(await said(url)).toContain('warn: It holds a state of an older version.')
    const foreign = await server.database()
    await server.run(foreign, 'create table books (id int)')
    expect(await said(foreign)).toContain('fail: It holds tables of somebody else.')
  })

  it('tells a server that is not there from a role, a password and a database that are wrong', async () => {
    const url = new URL(await server.database())
    const away = new URL(url)
    away.port = String(await freePort())
    expect(await said(away.href)).toEqual([expect.stringMatching(/^fail: .* cannot be reached: .*ECONNREFUSED/)])
    const database = new URL(url)
    database.pathname = '/nothing_of_this_name'
    expect(await said(database.href)).toEqual([
      expect.stringMatching(/^fail: .* does not let us in: .*"nothing_of_this_name" does not exist\.$/)
    ])
    if (server.ours) await server.run(url.href, `create role ${WITH_PASSWORD} login password 'right'`)
    const wrong = new URL(url)
    if (server.ours) wrong.username = WITH_PASSWORD
    wrong.password = 'wrong'
    const [finding, ...others] = await checkPostgres(wrong.href)
    expect([finding?.state, finding?.todo, others]).toEqual([
      'fail',
      'Correct FENGHUO_POSTGRES_URL, or make the role and its database.',
      []
    ])
    expect(finding?.found).toMatch(/does not let us in: password authentication failed/)
    expect(JSON.stringify(finding)).not.toContain('wrong')
  })

  it('knows the instance of this data folder that stands by, and its port', async () => {
    yard = await StandbyYard.open({ postgres: await server.database(), influx: null })
    const [active, standby] = yard.instances
    expect([await active.start(), await standby.start()]).toEqual(['active', 'standby'])
    const outcome = await runFenghuo(['doctor', '--config', standby.config], standby.env)
    expect(outcome.code, outcome.output).toBe(0)
    expect(outcome.output).toMatch(/^ok {4}service: Fenghuo \S+ stands by on this data folder \(pid \d+\)\.$/m)
    expect(outcome.output).toContain(`HTTP port: Port ${new URL(standby.http).port} of 127.0.0.1 is served by this service.`)
    await active.kill()
    await vi.waitFor(async () => expect(await standby.ready()).toBe(true), WAIT)
    const after = await runFenghuo(['doctor', '--config', standby.config], standby.env)
    expect(after.output).toMatch(/^ok {4}service: Fenghuo \S+ runs on this data folder \(pid \d+\)\.$/m)
    expect(after.output).not.toContain('stands by on')
    // What it holds is of an earlier term: no backup is made of that.
    expect(await active.start()).toBe('standby')
    const refused = await runFenghuo(['backup', `${yard.folder}/backup`, '--config', active.config], active.env)
    expect([refused.code, refused.output.trim()]).toEqual([1, 'This instance stands by: back up the one that is active.'])
  })

  it('warns of too few connections', async () => {
    const url = await server.database()
    await server.run(url, `alter database ${new URL(url).pathname.slice(1)} connection limit 5`)
    expect(await said(url)).toContainEqual(expect.stringMatching(/^warn: It leaves 5 connections to Fenghuo;/))
  })
})

describe('what only reads', () => {
  async function leased(url: string): Promise<LeasedState> {
    return (await takeLease(url, { instance: 'a', host: 'a', clock: new SystemClock(), log: null })) as LeasedState
  }
  const epochIn = async (state: State): Promise<number> => (await state.selectFrom('lease').select('epoch').executeTakeFirstOrThrow()).epoch

  it('sees what was just committed, and cannot write', async () => {
    const { state, reads, release } = await leased(await server.database())
    for (let seq = 1; seq <= 50; seq++) {
      await state.updateTable('position').set({ seq }).execute()
      expect(await reads.selectFrom('position').select('seq').execute()).toEqual([{ seq }])
    }
    await expect(reads.updateTable('position').set({ seq: 0 }).execute()).rejects.toThrow(/read-only/)
    await release()
  })

  it('has a bounded number of connections, and waits for one in order', async () => {
    const url = await server.database()
    const { reads, release } = await leased(url)
    await Promise.all(Array.from({ length: 50 }, () => epochIn(reads)))
    const [{ count } = { count: 0 }] = await server.run<{ count: number }>(
      url,
      "select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name like 'fenghuo fenced % reading'"
    )
    expect(count).toBe(LIMITS.postgres.reads)
    await release()
  })

  it('answers nothing while the lease is away, and nothing at all once somebody else has it', async () => {
    const url = await server.database()
    const { proxy, address } = await proxied(url)
    const one = await leased(address)
    await Promise.all(Array.from({ length: 3 }, () => epochIn(one.reads)))
    proxy.mode = 'refuse'
    await server.run(url, 'select pg_terminate_backend((select pid::int from lease))')
    await vi.waitFor(() => expect(one.problem).toContain('PostgreSQL cannot be reached'), WAIT)
    await expect(epochIn(one.reads)).rejects.toMatchObject({ kind: 'unreachable' })
    const other = await leased(url)
    expect([one.epoch, other.epoch]).toEqual([1, 2])
    proxy.mode = 'pass'
    expect((await one.lost).message).toContain('Another Fenghuo has taken over the state in PostgreSQL')
    await expect(epochIn(one.reads)).rejects.toMatchObject({ kind: 'taken' })
    expect(await epochIn(other.reads)).toBe(2)
    await one.release()
    await other.release()
    await proxy.close()
  })
})

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

it('a question that never ends is answered 503 with a sentence; alarms and the lease go on meanwhile', { timeout: 120_000 }, async () => {
  const postgres = await server.database()
  yard = await StandbyYard.open({ postgres, influx: null })
  const [service] = yard.instances
  await service.start()
  expect((await asked(service, '/api/v1/quarantine')).status).toBe(200)
  await server.run(postgres, 'alter table quarantine rename to quarantine_rows')
  await server.run(postgres, 'create view quarantine as select q.* from pg_sleep(60) left join quarantine_rows q on true')
  yard.load()
  await yard.more(5)
  const open = new Set(['one', 'two'])
  const heavy = [...open].map((name) => asked(service, '/api/v1/quarantine').finally(() => open.delete(name)))
  await yard.more(100)
  expect((await asked(service, '/api/v1/alarm-events?limit=1')).body.items).toHaveLength(1)
  expect(open.size).toBe(2)
  for (const { status, body } of await Promise.all(heavy)) {
    expect([status, body.detail]).toEqual([503, 'PostgreSQL did not do it in time: look for long transactions and for load on the server.'])
  }
  await yard.more(5)
  expect(await server.run(postgres, 'select epoch::int as epoch from lease')).toEqual([{ epoch: 1 }])
  expect(service.output).not.toContain('was lost')
})

it('processes that ask at once for a secret that is not there yet all get the same', async () => {
  const postgres = await server.database()
  await (await openState(postgres)).destroy()
  const stores = await Promise.all(Array.from({ length: 4 }, () => openWorkerState(postgres, new SystemClock())))
  for (const name of Array.from({ length: 20 }, (_, i) => `secret-${i}`)) {
    const given = await Promise.all(stores.map(({ state }) => serviceSecret(state, name)))
    expect(await server.run(postgres, `select secret from service_secrets where name = '${name}'`)).toEqual([{ secret: given[0] }])
    expect(new Set(given)).toEqual(new Set([given[0]]))
  }
  await Promise.all(stores.map(({ close }) => close()))
})

it.runIf(server.ours)(
  'a server that comes back with less than it confirmed ends the process; started again, it makes the alarms anew and tells nobody twice',
  { timeout: 180_000 },
  async () => {
    const postgres = await server.database()
    yard = await StandbyYard.open({ postgres, influx: null })
    const [service] = yard.instances
    await service.start()
    yard.load()
    await yard.more(20)
    await server.keep()
    const beat = async () => (await server.run<{ at: number }>(postgres, 'select beat_at::float as at from lease'))[0]?.at ?? 0
    const kept = await beat()
    // Less than what the lease has said since is missing afterwards, not only groups of the journal's copy.
    await vi.waitFor(async () => expect(await beat()).toBeGreaterThan(kept + 2 * LIMITS.lease.beatMs), WAIT)
    await yard.more(40)
    await server.goBack()
    expect(await service.ended()).toBe(1)
    expect(service.output).toContain('PostgreSQL has come back with less than it had confirmed')
    expect(await service.start()).toBe('active')
    await yard.more(20)
    await yard.endLoad()
    const { events, told } = await yard.check(service)
    expect([events > 0, told > 0, await server.run(postgres, GAPS)]).toEqual([true, true, []])
  }
)

it('a server that has lost groups of the journal alone is found out by the next one: nothing is missing for whoever goes on', {
  timeout: 180_000
}, async () => {
  const postgres = await server.database()
  yard = await StandbyYard.open({ postgres, influx: null })
  const [service, other] = yard.instances
  await service.start()
  yard.load()
  await yard.more(40)
  const newest = 'first_seq > (select max(first_seq) - 30 from journal_groups)'
  await server.run(postgres, `begin; lock journal_groups in exclusive mode; delete from journal_groups where ${newest}; commit`)
  expect(await service.ended()).toBe(1)
  expect(service.output).toContain('PostgreSQL has come back with less than it had confirmed')
  // One that takes over has only what PostgreSQL holds.
  expect(await other.start()).toBe('active')
  await yard.more(20)
  await yard.endLoad()
  const { events, told } = await yard.check(other)
  expect([events > 0, told > 0, await server.run(postgres, GAPS)]).toEqual([true, true, []])
})

describe('a claim whose commit went through while its answer was lost', () => {
  it.each([['alone', {}] as const, ['beside others', { beside: { sends: true } }] as const])(
    'is found while the sender runs (%s)',
    async (_how, more) => {
      const { proxy, address } = await proxied(await server.database())
      const one = await CourierYard.open({ dispatcher: () => new EmbeddedDispatcher(), where: address, ...more })
      await one.start()
      proxy.cutAfter = ['"sending_at"', 'commit']
      await one.plan(one.planned('one'))
      await vi.waitFor(async () => expect(await one.rows()).toMatchObject([{ state: 'sent', tries: 2, possible_duplicate: 1 }]), WAIT)
      expect([proxy.cutAfter, one.carrier.ids()]).toEqual([[], ['one']])
      await one.close()
      await proxy.close()
    }
  )
})
