// Two instances with data folders of their own over PostgreSQL and a Mosquitto: whoever takes over goes on with the installation's
// sessions, so nothing that Mosquitto acknowledged is lost; a session that it has lost meanwhile is noticed by the one that comes.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { pause } from '../../src/platform/clock.ts'
import { Random } from '../../src/platform/random.ts'
import { type InfluxForTests, openInflux } from './influxServer.ts'
import { type MosquittoForTests, openMosquitto } from './mosquittoServer.ts'
import { openPostgres, type PostgresServer } from './postgresServer.ts'
import { clock, type Instance, StandbyYard } from './standbyYard.ts'

const KILLS = 4
const WAIT = { timeout: 30_000, interval: 50 }
const random = new Random(9)
let postgres: PostgresServer
let influx: InfluxForTests
let broker: MosquittoForTests
let yard: StandbyYard

beforeAll(async () => {
  postgres = await openPostgres()
  influx = await openInflux()
})

afterEach(async () => {
  await yard?.close()
  await broker?.close()
})

afterAll(async () => {
  await influx?.close()
  await postgres?.close()
})

async function open(): Promise<[Instance, Instance]> {
  broker = await openMosquitto()
  yard = await StandbyYard.open({ postgres: await postgres.database(), influx: influx.url, broker })
  const [a, b] = yard.instances
  expect(await a.start()).toBe('active')
  expect(await b.start()).toBe('standby')
  await connected(a, 1)
  return [a, b]
}

async function metric({ http }: Instance, name: string): Promise<number> {
  const text = await (await fetch(`${http}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

async function connected(instance: Instance, count: number): Promise<void> {
  await vi.waitFor(async () => expect(await metric(instance, 'fenghuo_mqtt_connections'), instance.output.slice(-2_000)).toBe(count), WAIT)
}

const ready = (by: Instance): Promise<void> => vi.waitFor(async () => expect(await by.ready(), by.output.slice(-2_000)).toBe(true), WAIT)

it(`loses nothing over ${KILLS} kills of the active one under load, and another number of connections`, { timeout: 240_000 }, async () => {
  let [active, other] = await open()
  yard.load()
  await yard.more(20)
  const config = path.join(yard.folder, 'plant', 'fenghuo.yaml')
  for (let kill = 0; kill < KILLS; kill++) {
    await pause(clock, random.between(50, 1_200))
    await active.kill()
    await ready(other)
    await connected(other, kill === 0 ? 1 : 3)
    expect(await metric(other, 'fenghuo_upstream_sessions_lost_total')).toBe(0)
    // Whoever starts from now on wants three sessions.
    if (kill === 0) writeFileSync(config, `${readFileSync(config, 'utf8')}mqtt: { broker: { connections: 3 } }\n`)
    expect(await active.start()).toBe('standby')
    ;[active, other] = [other, active]
    if (kill === 1) expect(active.output).toContain('the sessions at the MQTT broker have moved')
    await yard.more(10)
  }
  await yard.endLoad()
  const sums = await yard.check(active)
  console.log(`over Mosquitto: ${JSON.stringify(sums)}`)
  expect(sums.events).toBeGreaterThan(5)
})

it('notices after a take-over that the broker has lost the session meanwhile', { timeout: 120_000 }, async () => {
  const [a, b] = await open()
  await a.kill()
  // Another client signs in with our id, and forgets.
  expect(spawnSync('mosquitto_pub', ['-p', String(broker.port), '-i', 'fenghuo-p00', '-t', 'x', '-m', 'x']).status).toBe(0)
  await ready(b)
  await connected(b, 1)
  expect(await metric(b, 'fenghuo_upstream_sessions_lost_total')).toBe(1)
  const health = (await (await fetch(`${b.http}/healthz`)).json()) as { parts: { part: string; problem: string | null }[] }
  expect(health.parts.find(({ part }) => part === 'MQTT broker')?.problem).toMatch(/no longer had our session fenghuo-p00 at/)
})
