// The real process, kill -9 while it tells people of alarms: every alarm is told, and what was told twice is marked.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { HookReceiver, hookFiles } from '../hookReceiver.ts'
import { LiveService } from '../liveService.ts'

const KILLS = 5
const ALARMS_PER_LIFE = 80
const WAIT = { timeout: 30_000, interval: 5 }

let folder: string
let hooks: HookReceiver

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-notify-'))
  hooks = await HookReceiver.open()
  hooks.delayMs = 20
  const plant = path.join(folder, 'plant')
  for (const name of ['profiles', 'rules']) mkdirSync(path.join(plant, name), { recursive: true })
  const devices = Array.from({ length: (KILLS + 1) * ALARMS_PER_LIFE }, (_, d) => `{ id: T-${d}, profile: tank, gateway: gw }`)
  const { service, duty } = hookFiles(hooks.url)
  const write = (name: string, text: string): void => writeFileSync(path.join(plant, name), text)
  write('fenghuo.yaml', service)
  write('duty.yaml', duty)
  write('plant.yaml', `enterprises: [{ id: e }]\ngateways: [{ id: gw, enterprise: e, secret: secret }]\ndevices: [${devices.join(', ')}]\n`)
  write('profiles/tank.yaml', 'id: tank\nmetrics: { level_pct: { unit: "%", min: 0, max: 110 } }\nsilentAfter: 12h\n')
  write('rules/level.yaml', 'rules:\n  - { id: level, appliesTo: { profile: tank }, tiers: { red: { when: level_pct > 90 } } }\n')
})

afterAll(async () => {
  await hooks?.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Told {
  readonly id: string
  readonly alarms: readonly string[]
  readonly state: string
  readonly possibleDuplicate: boolean
}

it('tells every alarm, and marks what may have been told twice, through five kill -9', async () => {
  const { env } = hookFiles(hooks.url)
  const options = { config: path.join(folder, 'plant', 'fenghuo.yaml'), data: path.join(folder, 'data'), env }
  let service = await LiveService.start(options)
  for (let life = 0; life <= KILLS; life++) {
    const from = life * ALARMS_PER_LIFE
    const samples = Array.from({ length: ALARMS_PER_LIFE }, (_, d) => ({ device: `T-${from + d}`, values: { level_pct: 95 } }))
    const before = hooks.ledger.length
    expect((await service.telemetry('gw', 'secret', JSON.stringify(samples))).status).toBe(202)
    if (life === KILLS) break
    // At other moments of the sending each time: before anything left, and with more and more of it on its way.
    await vi.waitFor(() => expect(hooks.ledger.length - before).toBeGreaterThanOrEqual(life * 17), WAIT)
    await service.kill()
    service = await LiveService.start(options)
  }
  let told: Told[] = []
  await vi.waitFor(
    async () => {
      told = await service.all<Told>('/api/v1/notifications')
      expect(told.map(({ state }) => state)).toEqual(Array.from({ length: (KILLS + 1) * ALARMS_PER_LIFE }, () => 'sent'))
    },
    { timeout: 30_000, interval: 200 }
  )
  const arrivals = new Map<string, number>()
  for (const { id } of hooks.ledger) arrivals.set(id, (arrivals.get(id) ?? 0) + 1)
  expect([...arrivals.keys()].toSorted()).toEqual(told.map(({ id }) => id).toSorted())
  expect(new Set(told.flatMap(({ alarms }) => alarms)).size).toBe((KILLS + 1) * ALARMS_PER_LIFE)
  const marked = new Set(told.filter(({ possibleDuplicate }) => possibleDuplicate).map(({ id }) => id))
  const doubled = [...arrivals].filter(([, times]) => times > 1).map(([id]) => id)
  expect(doubled.filter((id) => !marked.has(id))).toEqual([])
  // No more is in doubt than was on its way at each of the kills.
  expect(marked.size).toBeLessThanOrEqual(KILLS * 16)
  expect(await service.stop()).toBe(0)
})
