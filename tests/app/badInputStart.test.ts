// What can be wrong before the service runs: configuration, data folder, ports. Each is refused with a sentence that says
// what and where, exit status 1 (2 for wrong usage), never a stack trace; and what runs already runs on.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LiveService, type Outcome, refusedStart, runFenghuo } from '../liveService.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

let plant: TankPlant

beforeAll(() => {
  plant = tankPlant()
})

afterAll(() => plant.remove())

function expectRefusal({ code, output }: Outcome, ...sentences: RegExp[]): void {
  for (const sentence of sentences) expect(output).toMatch(sentence)
  expect(code, output).toBe(1)
  expect(output).not.toMatch(/^\s+at .+:\d+/m)
  expect(output).not.toMatch(/Fenghuo is running/)
}

describe('the configuration', () => {
  it('with ten mistakes gets ten sentences with their places, from serve as from check', async () => {
    const wrong = tankPlant()
    wrong.write('fenghuo.yaml', 'http: { port: 808080 }\nclockSkew: 5\nlogLevel: loud\n')
    wrong.write(
      'profiles/tank.yaml',
      'id: tank\nmetrics:\n  level_pct: { unit: "%", min: 110, max: 0 }\n  temperature_c: { min: -60, max: 250 }\nsilentAfter: 90\n'
    )
    wrong.write(
      'plant.yaml',
      'enterprises: [{ id: e }]\ndevices:\n  - { id: T-0, profile: tnak }\n  - { id: T-1, profile: tank }\n  - { id: T-1, profile: tank, lables: { a: b } }\n'
    )
    wrong.write(
      'rules/level.yaml',
      'rules:\n  - id: level\n    appliesTo: { profile: tank, area: nowhere }\n    tiers: { yellow: { when: level_pct > 85 } }\n'
    )
    try {
      const served = await refusedStart({ config: wrong.config, data: path.join(wrong.folder, 'data') })
      const placed = (output: string): string[] => output.split('\n').filter((line) => /\.yaml:\d+:\d+: /.test(line))
      expectRefusal(served, /10 problems; nothing was started/)
      expect(placed(served.output)).toHaveLength(10)
      const checked = await runFenghuo(['check', '--config', wrong.config])
      expect(checked.code).toBe(1)
      expect(placed(checked.output)).toEqual(placed(served.output))
    } finally {
      wrong.remove()
    }
  })

  it('that is not there', async () => {
    const config = path.join(plant.folder, 'nowhere/fenghuo.yaml')
    expectRefusal(await refusedStart({ config, data: path.join(plant.folder, 'unused') }), /nowhere/)
  })

  it('that is no YAML', async () => {
    const torn = tankPlant()
    torn.write('rules/level.yaml', 'rules:\n  - id: level\n   tiers: [{\n')
    try {
      expectRefusal(await refusedStart({ config: torn.config, data: path.join(torn.folder, 'data') }), /rules\/level\.yaml:\d+:\d+: \w/)
    } finally {
      torn.remove()
    }
  })

  it.each([
    ['FENGHUO_HTTP_PORT', 'eighty'],
    ['FENGHUO_MQTT_URL', 'broker:1883'],
    ['FENGHUO_POSTGRES_URL', 'db:5432']
  ])('%s=%s in the environment', async (name, value) => {
    const refused = await refusedStart({ config: plant.config, data: path.join(plant.folder, 'unused'), env: { [name]: value } })
    expectRefusal(refused, new RegExp(name))
  })

  it('of a command line: wrong usage is status 2', async () => {
    for (const args of [['serv'], ['simulate', 'a.yaml', '--url', 'mqtt://127.0.0.1:1', '--for', '90']]) {
      const { code, output } = await runFenghuo(args)
      expect([code, output]).toEqual([2, expect.stringMatching(/error: \w/)])
      expect(output).not.toMatch(/^\s+at .+:\d+/m)
    }
  })
})

describe('the data folder', () => {
  const at = (name: string): string => path.join(plant.folder, name)

  it.each([
    ['is a file', 'a-file', /a-file.*cannot be made/],
    ['lies below a file', 'a-file/data', /a-file\/data.*cannot be made/]
  ])('%s', async (_what, name, sentence) => {
    writeFileSync(at('a-file'), 'not a folder')
    expectRefusal(await refusedStart({ config: plant.config, data: at(name) }), sentence, /FENGHUO_DATA/)
  })

  it.each(['history', 'snapshots', 'plants'])('holds a file where the folder %s belongs', async (part) => {
    const data = at(`data-${part}`)
    mkdirSync(data)
    writeFileSync(path.join(data, part), 'not a folder')
    expectRefusal(await refusedStart({ config: plant.config, data }), new RegExp(`data-${part}/${part}`))
  })

  it('holds something else in place of the state store', async () => {
    const data = at('data-state')
    mkdirSync(data)
    writeFileSync(path.join(data, 'state.db'), 'x'.repeat(100_000))
    expectRefusal(await refusedStart({ config: plant.config, data }), /state\.db/, /damaged|no Fenghuo state/)
  })

  it('holds something else in place of the history', async () => {
    const data = at('data-history-file')
    mkdirSync(path.join(data, 'history'), { recursive: true })
    writeFileSync(path.join(data, 'history', 'open.duckdb'), 'x'.repeat(100_000))
    expectRefusal(await refusedStart({ config: plant.config, data }), /data-history-file\/history/)
  })

  it('is in use by another live service, which runs on', async () => {
    const data = at('data-shared')
    const first = await LiveService.start({ config: plant.config, data })
    try {
      expectRefusal(await refusedStart({ config: plant.config, data }), /data-shared/, /in use by another process \(pid \d+\)/)
      const sample = '{"device":"T-0","ts":1767225600000,"values":{"level_pct":50}}'
      expect((await first.telemetry('gw-0', 'secret-0', sample)).status).toBe(202)
    } finally {
      expect(await first.stop()).toBe(0)
    }
  })

  it('has lost its journal, but not what was made of it', async () => {
    const data = at('data-lost')
    const service = await LiveService.start({ config: plant.config, data })
    await service.telemetry('gw-0', 'secret-0', '{"device":"T-0","ts":1767225600000,"values":{"level_pct":90}}')
    expect(await service.stop()).toBe(0)
    execFileSync('rm', ['-rf', path.join(data, 'journal')])
    expectRefusal(await refusedStart({ config: plant.config, data }), /journal in the data folder ends at seq 0: a part of it is missing/)
  })
})

describe('a port', () => {
  let taken: Server
  let port: string

  beforeAll(async () => {
    taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    port = String((taken.address() as { port: number }).port)
  })

  afterAll(() => taken.close())

  it.each(['HTTP', 'MQTT'])('for %s in use is named', async (door) => {
    const variable = `FENGHUO_${door}_PORT`
    const refused = await refusedStart({ config: plant.config, data: path.join(plant.folder, 'data-port'), env: { [variable]: port } })
    expectRefusal(refused, new RegExp(`ort ${port} (of|on) 127\\.0\\.0\\.1 is in use`), new RegExp(variable))
  })

  it('in use at the very first start: the password that was made is not lost', async () => {
    const env = { FENGHUO_HTTP_PORT: port, FENGHUO_ADMIN_PASSWORD: '' }
    const refused = await refusedStart({ config: plant.config, data: path.join(plant.folder, 'data-first'), env })
    expectRefusal(refused, /is in use/, /First sign-in, made before that: admin \/ [\w-]{20}/)
  })

  it('of an address that is not ours is named', async () => {
    const env = { FENGHUO_HTTP_HOST: '203.0.113.7' }
    expectRefusal(
      await refusedStart({ config: plant.config, data: path.join(plant.folder, 'data-port'), env }),
      /203\.0\.113\.7.*not an address of this machine/
    )
  })
})
