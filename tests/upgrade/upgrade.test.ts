// Data folders of older versions, as they were left on disk: the present service goes on with them. layout-1.tar.gz is the
// folder of the first version (two tanks, an alarm that stands, one acknowledged, a token), stopped by SIGTERM.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { segmentHeader } from '../../src/ingest/journal/format.ts'
import { LiveService, refusedStart, runFenghuo } from '../liveService.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const LEVELS = [50, 87, 95, 90, 80, 60]
/** What the first version had told. */
const TOLD = [
  'T-0 clear -> yellow',
  'T-0 yellow -> red',
  'T-0 red -> clear',
  'T-0 clear -> yellow',
  'T-0 yellow -> red',
  'T-0 red -> clear',
  'T-1 clear -> yellow',
  'T-1 yellow -> red',
  'level/T-0#1767225601000 acknowledge'
]

let folder: string
let data: string
let config: string
let service: LiveService | null = null

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-upgrade-'))
  data = path.join(folder, 'data')
  config = path.join(folder, 'plant', 'fenghuo.yaml')
  execFileSync('tar', ['-xzf', path.join(import.meta.dirname, 'layout-1.tar.gz'), '-C', folder])
})

afterEach(async () => {
  await service?.kill()
  rmSync(folder, { recursive: true, force: true })
})

type Event = { device?: string; from?: string; to?: string; id: string; action?: string }

async function told(running: LiveService): Promise<string[]> {
  const events = await running.all<Event>('/api/v1/alarm-events')
  return events.map(({ device, from, to, id, action }) => (action === undefined ? `${device} ${from} -> ${to}` : `${id} ${action}`))
}

function readings(running: LiveService, device: string): Promise<{ value: number }[]> {
  return running.all(`/api/v1/readings?device=${device}&metric=level_pct&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z`)
}

it.each([['its snapshot'], ['its journal alone']])('the folder of the first version goes on by %s', async (by) => {
  if (by === 'its journal alone') rmSync(path.join(data, 'snapshots'), { recursive: true })
  const running = (service = await LiveService.start({ config, data }))
  expect(await told(running)).toEqual(TOLD)
  const active = await running.all<{ id: string; tier: string; isaState: string }>('/api/v1/alarms?state=active')
  expect(active.map(({ id, tier, isaState }) => `${id} ${tier} ${isaState}`)).toEqual([
    'level/T-0#1767225607000 red D',
    'level/T-1#1767225601000 red B'
  ])
  expect((await readings(running, 'T-0')).map(({ value }) => value)).toEqual([...LEVELS, ...LEVELS])
  expect((await running.get<{ items: { name: string }[] }>('/api/v1/tokens')).items.map(({ name }) => name)).toEqual(['map'])

  // The alarm that stood is the one that clears: nothing is raised a second time.
  for (const n of [3, 4]) {
    const sample = { device: 'T-1', ts: START + n * 1000, values: { level_pct: LEVELS[n] } }
    expect((await running.telemetry('gw-0', 'secret-0', JSON.stringify(sample))).status).toBe(202)
  }
  await vi.waitFor(async () => expect(await told(running)).toEqual([...TOLD, 'T-1 red -> clear']), { timeout: 10_000, interval: 50 })
  await vi.waitFor(async () => expect((await readings(running, 'T-1')).length).toBe(5), { timeout: 10_000, interval: 50 })
  expect(await running.stop()).toBe(0)
  expect(JSON.parse(readFileSync(path.join(data, 'layout.json'), 'utf8'))).toEqual({ layout: 2, version: expect.any(String) })
  const audit = await runFenghuo(['audit', 'verify', '--config', config, '--json'], { FENGHUO_DATA: data })
  expect([audit.code, audit.output]).toEqual([0, expect.stringContaining('"kind":"whole"')])
})

it('a journal of a newer format is refused by name, not called broken', async () => {
  const [name] = readdirSync(path.join(data, 'journal')) as [string]
  const file = path.join(data, 'journal', name)
  const bytes = readFileSync(file)
  segmentHeader(bytes.subarray(16, 24), 7).copy(bytes)
  writeFileSync(file, bytes)
  const outcome = await refusedStart({ config, data })
  expect([outcome.code, outcome.output]).toEqual([
    1,
    expect.stringMatching(/was written by a newer Fenghuo \(format 7, this one reads up to 1\)/)
  ])
  expect(outcome.output).not.toMatch(/broken/)
})

it('a state store of a newer version is refused by name before anything in the folder is touched', async () => {
  const running = await LiveService.start({ config, data })
  expect(await running.stop()).toBe(0)
  const database = new DatabaseSync(path.join(data, 'state.db'))
  database.exec(`insert into schema_migrations (name, timestamp) values ('9999-of-tomorrow', '2030-01-01')`)
  database.close()
  const before = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(journal|snapshots|plants|history)\b/.test(name)
  )
  const outcome = await refusedStart({ config, data })
  expect([outcome.code, outcome.output]).toEqual([
    1,
    expect.stringMatching(
      /The state store \S+ was written by a newer Fenghuo \(it has 9999-of-tomorrow\): start that version, or restore a backup/
    )
  ])
  const after = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(journal|snapshots|plants|history)\b/.test(name)
  )
  expect(after).toEqual(before)
})

it('a folder whose layout is newer is refused by its number', async () => {
  writeFileSync(path.join(data, 'layout.json'), '{"layout":99,"version":"9.0.0"}\n')
  const outcome = await refusedStart({ config, data })
  expect([outcome.code, outcome.output]).toEqual([
    1,
    expect.stringMatching(/was written by a newer Fenghuo \(layout 99, this one reads up to \d+\)/)
  ])
})
