// npm run chaos: the service on InfluxDB, Redis, PostgreSQL and Mosquitto under load, each part killed, stalled, cut off and filled in
// turn; at the end the ledger. Exit status 1 where a promise is broken. `--seed` gives the order of the faults again.

import { parseArgs } from 'node:util'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { Random } from '../../src/platform/random.ts'
import type { LiveService } from '../liveService.ts'
import { type Fault, faultsOf } from './faults.ts'
import { accountOf, type Done, type Found, type Line, type Told } from './ledger.ts'
import { byHttp, byMqtt, Sender } from './load.ts'
import { DEVICES_PER_GATEWAY, GATEWAYS, Town } from './town.ts'
import { Screen } from './watch.ts'

const CALM_MS = 8_000
const BETWEEN_MS = 2_000
/** Everything must be well again after so long. */
const RECOVERY_MS = 60_000
const clock = new SystemClock()

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string', default: '1' } } })
const minutes = Number(values.minutes)
const seed = Number(values.seed)
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error('Use: chaos [--minutes N] [--seed N]')
  process.exit(2)
}

const town = new Town()
let status = 1
try {
  status = await chaos()
} finally {
  await town.close()
}
process.exit(status)

async function chaos(): Promise<number> {
  console.log(`chaos: ${minutes} min, seed ${seed}`)
  await town.open()
  const first = await town.startService('one')
  const standby = await standbyProblem()
  const token = await tokenOf(first)
  const senders = Array.from({ length: GATEWAYS }, (_, g) => senderOf(g))
  const screen = new Screen()
  const running = [...senders.map((sender) => sender.run()), screen.run(() => town.addresses(), token)]
  await pause(clock, CALM_MS)
  // A broker killed within ten seconds of its very first start forgets our session, and takes messages for nobody: docs/mqtt-broker.md.
  await town.mosquitto.save()
  const { faults, left } = faultsOf(town, standby)
  const done = await inTurn(faults, token)
  for (const sender of senders) sender.stop()
  await Promise.race([Promise.all(running.slice(0, -1)), pause(clock, 30_000)])
  const settled = await wellAgain(token)
  const found = await gather(token, screen)
  screen.stop()
  const { lines, broken } = accountOf(senders, found, done)
  const last = settled ? [] : [`what had waited was not done ${RECOVERY_MS / 1000} s after the end`]
  console.log(`\n${lines.join('\n')}\n`)
  for (const { what, why } of left) console.log(`left out: ${what}: ${why}.`)
  for (const sentence of [...broken, ...last]) console.log(`BROKEN: ${sentence}.`)
  if (broken.length + last.length === 0) console.log('Every promise was kept.')
  return broken.length + last.length === 0 ? 0 : 1
}

function senderOf(g: number): Sender {
  const id = `gw-${g}`
  const devices = Array.from({ length: DEVICES_PER_GATEWAY }, (_, i) => `T-${g + i * GATEWAYS}`)
  const secret = `secret-${id}`
  const deliver = g < GATEWAYS - 2 ? byMqtt(town.mosquitto.direct, id, secret) : byHttp(() => town.addresses(), id, secret)
  return new Sender(id, devices, 400 + 10 * g, deliver)
}

/** Starts a second service that stands by; or says why there is none. */
async function standbyProblem(): Promise<string | null> {
  try {
    await town.startService('two')
    return null
  } catch (cause) {
    return `a second service did not stand by (${String(cause).split('\n').slice(0, 2).join(' ')})`
  }
}

/** Every fault once in an order of its own for each seed, and again, until the time is over. */
async function inTurn(faults: readonly Fault[], token: string): Promise<Done[]> {
  const end = Date.now() + minutes * 60_000
  const random = new Random(seed)
  const done: Done[] = []
  const last = faults.filter(({ isLast }) => isLast === true)
  let order: Fault[] = []
  for (;;) {
    const isOver = Date.now() >= end
    if (isOver && last.length === 0) break
    if (order.length === 0)
      order = shuffled(
        faults.filter(({ isLast }) => isLast !== true),
        random
      )
    const fault = (isOver ? last.pop() : order.pop()) as Fault
    const name = `${fault.part}: ${fault.how}`
    const begun = Date.now()
    await fault.begin()
    await pause(clock, fault.lastsMs)
    await fault.mend()
    const mended = Date.now()
    const isWell = await wellAgain(token)
    const over = Date.now()
    console.log(
      `${new Date(begun).toISOString()}  ${name.padEnd(30)} well again ${over - mended} ms after its end${isWell ? '' : ' (NOT WELL)'}`
    )
    done.push({ name, begun, over, isWell, holdsAlarms: fault.holdsAlarms })
    await pause(clock, BETWEEN_MS)
  }
  return done
}

function shuffled(faults: readonly Fault[], random: Random): Fault[] {
  const order = [...faults]
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1))
    ;[order[i], order[j]] = [order[j] as Fault, order[i] as Fault]
  }
  return order
}

/** Resolves true once a service answers, has nothing left to judge, to store or to send; false after RECOVERY_MS. */
async function wellAgain(token: string): Promise<boolean> {
  const until = Date.now() + RECOVERY_MS
  while (Date.now() < until) {
    if (await isWell(token)) return true
    await pause(clock, 100)
  }
  return false
}

async function isWell(token: string): Promise<boolean> {
  for (const address of town.addresses()) {
    try {
      const ready = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(2_000) })
      const body = (await ready.json()) as { parts?: { part: string; state: string }[] }
      const isSick = (body.parts ?? []).some(({ state }) => state !== 'ok')
      if (ready.status !== 200 || isSick) continue
      const waiting = await ask<{ items: unknown[] }>(address, '/notifications?state=queued&limit=1', token)
      const sending = await ask<{ items: unknown[] }>(address, '/notifications?state=sending&limit=1', token)
      if (waiting.items.length < 20 && sending.items.length <= 1) return true
    } catch {
      // Not there, or not well.
    }
  }
  return false
}

async function ask<Body>(address: string, where: string, token: string): Promise<Body> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${address}/api/v1${where}`, { headers, signal: AbortSignal.timeout(30_000) })
  if (!response.ok) throw new Error(`${where}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Body
}

async function all<Item>(where: string, token: string): Promise<Item[]> {
  const items: Item[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const address = await serving()
    const next = `${where}${where.includes('?') ? '&' : '?'}limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
    const page: { items: Item[]; next: string | null } = await ask(address, next, token)
    items.push(...page.items)
    cursor = page.next
  }
  return items
}

/** The address of the service that serves. */
async function serving(): Promise<string> {
  for (const address of town.addresses()) {
    const ready = await fetch(`${address}/readyz`).catch(() => null)
    if (ready?.status === 200) return address
  }
  throw new Error('no service serves')
}

async function gather(token: string, screen: Screen): Promise<Found> {
  const stored = new Map<string, { ts: number; value: number }[]>()
  for (let d = 0; d < GATEWAYS * DEVICES_PER_GATEWAY; d++) {
    const query = `/readings?device=T-${d}&metric=level_pct&from=2026-01-01T00:00:00Z&to=2100-01-01T00:00:00Z`
    const rows = await all<{ at: string; value: number; quality: string }>(query, token)
    stored.set(
      `T-${d}`,
      rows.filter(({ quality }) => quality === 'good').map(({ at, value }) => ({ ts: Date.parse(at), value }))
    )
  }
  const lines = await all<Line>('/alarm-events', token)
  for (let n = 0; n < 50 && screen.seen.length < lines.length; n++) await pause(clock, 100)
  const told = await all<Told>('/notifications', token)
  return { stored, lines, told, carrier: town.carrier.ledger, screen }
}

async function tokenOf(service: LiveService): Promise<string> {
  const response = await fetch(`${service.httpAddress}/api/v1/tokens`, {
    method: 'POST',
    headers: { cookie: await service.cookie(), 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'chaos', role: 'viewer' })
  })
  return ((await response.json()) as { token: string }).token
}
