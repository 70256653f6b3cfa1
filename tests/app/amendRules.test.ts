// Rules changed through the API: checked like files, versioned, applied at once without losing the state of what stays.

import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runBacktest } from '../../src/app/commands/backtest.ts'
import { AmendYard } from './amendYard.ts'
import { LEVEL_RULES, type TankPlant, tankPlant } from './tankPlant.ts'

const LEVEL = {
  id: 'level',
  appliesTo: { profile: 'tank' },
  tiers: {
    yellow: { when: 'level_pct > 50', deadband: 3 },
    red: { when: 'level_pct > limits.high_high', clear: 'level_pct < 88', for: '1s' }
  }
}
const WARM = { id: 'warm', appliesTo: { profile: 'tank' }, tiers: { orange: { when: 'temperature_c > 60' } } }

let files: TankPlant
let yard: AmendYard

beforeEach(async () => {
  files = tankPlant(LEVEL_RULES)
  yard = await AmendYard.open(files)
})
afterEach(async () => {
  await yard.stop()
  files.remove()
})

const turns = async (): Promise<string[]> =>
  (await yard.events()).map(({ rule, device, from, to, because }) => `${rule}/${device} ${from} -> ${to} (${because})`)

async function restart(): Promise<void> {
  await yard.stop()
  yard = await AmendYard.open(files)
}

describe('a rule', () => {
  it('is made, changed, taken back and taken away; every version is kept with who, why and a diff', async () => {
    const made = await yard.ask('POST', '/rules?note=trial%20in%20summer', WARM)
    expect(made).toMatchObject({ status: 201, body: { id: 'warm', change: 'created', version: 1, written: WARM, warnings: [] } })
    expect((await yard.ask('GET', '/rules/warm')).body).toMatchObject({ subjects: 4, version: 1, amended: true, file: null, written: WARM })
    expect(await yard.ask('POST', '/rules', WARM)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('PUT /rules/warm') }
    })

    const yaml = 'id: warm\nappliesTo: { profile: tank }\ntiers: { orange: { when: temperature_c > 70 } }\n'
    const changed = await yard.ask('PUT', '/rules/warm', yaml, { token: await yard.token('engineer') })
    expect(changed).toMatchObject({ status: 200, body: { change: 'changed', version: 2 } })
    expect(await yard.ask('PUT', '/rules/warm', yaml)).toMatchObject({
      status: 200,
      etag: changed.etag,
      body: { change: 'unchanged', version: 2 }
    })

    const versions = (await yard.ask('GET', '/rules/warm/versions')).body.items
    expect(versions.map(({ version, by, note, change }: Record<string, unknown>) => [version, by, note, change])).toEqual([
      [2, expect.any(String), null, 'changed'],
      [1, 'admin', 'trial in summer', 'created']
    ])
    expect(versions[0].diff).toBe(
      '--- rule warm, before\n+++ rule warm, version 2\n@@ -3,4 +3,4 @@\n   profile: tank\n tiers:\n   orange:\n-    when: temperature_c > 60\n+    when: temperature_c > 70\n'
    )
    expect(await yard.ask('DELETE', '/rules/warm?note=done')).toMatchObject({
      status: 200,
      body: { change: 'removed', version: 3, written: null }
    })
    expect((await yard.ask('GET', '/rules/warm')).status).toBe(404)
    expect((await yard.ask('GET', '/rules/warm/versions')).body.items).toHaveLength(3)
    expect(await yard.ask('DELETE', '/rules/warm')).toMatchObject({ status: 404 })
    // A version number never comes again.
    expect(await yard.ask('POST', '/rules', WARM)).toMatchObject({ status: 201, body: { version: 4 } })
  })

  it('of a file goes back to the file, or out of force, and comes back from there', async () => {
    const before = await yard.ask('GET', '/rules/level')
    expect(before.body).toMatchObject({ version: 0, amended: false, file: expect.stringMatching(/rules\/level\.yaml:2$/) })
    await yard.ask('PUT', '/rules/level', LEVEL)
    expect((await yard.ask('GET', '/rules/level')).body.tiers[0].when).toBe('level_pct > 50')
    expect(await yard.ask('DELETE', '/rules/level')).toMatchObject({
      body: { change: 'reverted', version: 2, written: before.body.written }
    })
    expect(await yard.ask('DELETE', '/rules/level?to=file')).toMatchObject({ status: 409 })
    expect(await yard.ask('DELETE', '/rules/level')).toMatchObject({ body: { change: 'removed', version: 3 } })
    await restart()
    expect((await yard.ask('GET', '/rules/level')).status).toBe(404)
    expect(await yard.ask('DELETE', '/rules/level?to=file')).toMatchObject({ body: { change: 'reverted', version: 4 } })
    expect((await yard.ask('GET', '/rules')).body.items.map(({ id }: { id: string }) => id)).toEqual(['level', 'sensor'])
    expect((await yard.ask('GET', '/amendments')).body.items).toEqual([])
  })

  it('says whether a file has it, the console alone, or a file asks for it by name', async () => {
    await yard.stop()
    files.remove()
    files = tankPlant(`${LEVEL_RULES}\nbuiltIn: { device-silent: {} }\n`)
    yard = await AmendYard.open(files)
    await yard.ask('POST', '/rules', WARM)
    await yard.ask('PUT', '/rules/level', LEVEL)
    const items: { id: string; origin: string }[] = (await yard.ask('GET', '/rules')).body.items
    expect(items.map(({ id, origin }) => [id, origin])).toEqual([
      ['device-silent.tank', 'builtIn'],
      ['level', 'file'],
      ['sensor', 'file'],
      ['warm', 'console']
    ])
  })

  it('with mistakes is refused with all of them, each at its field', async () => {
    const wrong = {
      id: 'wrong',
      appliesTo: { profile: 'tnak' },
      tiers: { yellow: { when: 'level_pct > limits.hihg', for: 5 }, red: { wen: 'level_pct > 1' } },
      colour: 'blue'
    }
    const answer = await yard.ask('POST', '/rules', wrong)
    expect(answer.status).toBe(422)
    expect(answer.body.problems.map(({ place, problem }: Record<string, string>) => [place, problem])).toEqual([
      ['tiers.yellow.for', expect.stringContaining('duration')],
      ['tiers.red.when', expect.stringContaining('required')],
      ['tiers.red.wen', expect.stringContaining('unknown key')],
      ['colour', expect.stringContaining('unknown key')],
      ['appliesTo.profile', expect.stringContaining('did you mean tank')]
    ])
    const unit = await yard.ask(
      'POST',
      '/rules',
      'id: x\nappliesTo: { profile: tank }\ntiers:\n  red: { when: "level_pct > temperature_c" }\n'
    )
    expect(unit).toMatchObject({ status: 422, body: { problems: [{ place: 'tiers.red.when', line: 4 }] } })
    // What `fenghuo check` would refuse is refused here too.
    const idle = await yard.ask('POST', '/rules', { ...WARM, appliesTo: { labels: { a: 'b' } } })
    expect(idle).toMatchObject({ status: 422, body: { problems: [{ place: 'appliesTo' }] } })
    for (const body of ['a: [', '', '[]', '{}', '- a\n- b', '"text"', 'id: 7']) {
      const answer = await yard.ask('POST', '/rules', body)
      expect([400, 422], `${body}: ${JSON.stringify(answer.body)}`).toContain(answer.status)
      expect(answer.body.problems.length, body).toBeGreaterThan(0)
    }
    expect((await yard.ask('GET', '/rules/x')).status).toBe(404)
    expect((await yard.ask('PUT', '/rules/level', { ...LEVEL, id: 'other' })).body.problems[0].place).toBe('id')
  })

  it('that somebody else has changed meanwhile is not overwritten', async () => {
    const { etag } = await yard.ask('GET', '/rules/level')
    expect(etag).toMatch(/^"0-[0-9a-f]{16}"$/)
    const first = await yard.ask('PUT', '/rules/level', LEVEL, { headers: { 'if-match': etag! } })
    expect(first.status).toBe(200)
    expect(await yard.ask('PUT', '/rules/level', WARM, { headers: { 'if-match': etag! } })).toMatchObject({ status: 400 })
    const second = { ...LEVEL, latched: true }
    expect(await yard.ask('PUT', '/rules/level', second, { headers: { 'if-match': etag! } })).toMatchObject({ status: 412 })
    expect(await yard.ask('PUT', '/rules/level?version=0', second)).toMatchObject({ status: 409 })
    expect(await yard.ask('DELETE', '/rules/level?version=0')).toMatchObject({ status: 409 })
    expect(await yard.ask('PUT', '/rules/level?version=1', second, { headers: { 'if-match': first.etag! } })).toMatchObject({ status: 200 })
    // Many at once: one wins, each other is told.
    const many = await Promise.all(
      Array.from({ length: 8 }, (_, i) => yard.ask('PUT', '/rules/level?version=2', { ...LEVEL, source: `edit ${i}` }))
    )
    expect(many.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409, 409, 409, 409])
  })

  it('is changed by engineers only', async () => {
    for (const role of ['viewer', 'operator']) {
      const token = await yard.token(role)
      expect(await yard.ask('PUT', '/rules/level', LEVEL, { token })).toMatchObject({ status: 403 })
      expect(await yard.ask('POST', '/rules/check', LEVEL, { token })).toMatchObject({ status: 403 })
    }
    expect((await yard.ask('GET', '/rules/level/versions', undefined, { token: await yard.token('viewer') })).status).toBe(200)
  })

  it('is tried without being put in force: whom it watches, what would turn, what is different', async () => {
    expect(await yard.send('gw-0', 'secret-0', { device: 'T-0', values: { level_pct: 60, temperature_c: 20 } })).toBe(202)
    await vi.waitFor(async () => expect((await yard.ask('GET', '/devices/T-0')).body.values[0].value).toBe(60))
    const tried = (await yard.ask('POST', '/rules/check', { ...LEVEL, appliesTo: { devices: ['T-0', 'T-1'] } })).body
    expect(tried).toMatchObject({
      ok: true,
      problems: [],
      change: 'changed',
      subjects: { before: 4, after: 2, added: [], removed: ['T-2', 'T-3'] },
      turns: { count: 1, first: [{ subject: 'T-0', from: 'clear', to: 'yellow', because: 'level_pct 60 > 50' }] }
    })
    expect(tried.diff).toContain('-  profile: tank\n')
    const wrong = (await yard.ask('POST', '/rules/check', { ...LEVEL, tiers: { red: { when: 'nonsense > 1' } } })).body
    expect(wrong).toMatchObject({ ok: false, subjects: null, turns: null, problems: [{ place: 'tiers.red.when' }] })
    expect((await yard.ask('GET', '/rules/level')).body.version).toBe(0)
    expect(await turns()).toEqual([])
  })

  it('is handed out as YAML that a file can take over', async () => {
    await yard.ask('PUT', '/rules/level', LEVEL)
    const yaml = (await yard.ask('GET', '/rules/level?format=yaml')).body
    files.write('rules/level.yaml', `${yaml}${LEVEL_RULES.slice(LEVEL_RULES.indexOf('  - id: sensor'))}`)
    expect((await yard.ask('GET', '/rules/level', undefined, { headers: { accept: 'text/yaml' } })).body).toBe(yaml)
    const { written } = (await yard.ask('GET', '/rules/level')).body
    await yard.ask('DELETE', '/rules/level')
    await restart()
    expect((await yard.ask('GET', '/rules/level')).body).toMatchObject({ written, amended: false, version: 2 })
  })
})

describe('an edit while an alarm stands', () => {
  it('keeps the state of rules that it does not touch, and a backtest over the journal tells the same log', async () => {
    const send = (device: string, level: number, temperature: number | null = 20): Promise<number> =>
      yard.send(`gw-${Number(device.slice(2)) % 2}`, `secret-${Number(device.slice(2)) % 2}`, {
        device,
        values: { level_pct: level, temperature_c: temperature }
      })
    await yard.ask('POST', '/rules', { ...WARM, tiers: { orange: { when: 'temperature_c > 60', clear: 'temperature_c < 10' } } })
    await send('T-0', 95, 70)
    await send('T-1', 87, null)
    await vi.waitFor(async () => expect(await turns()).toHaveLength(5), { timeout: 5_000 })
    const alarms = async (): Promise<string[]> =>
      (await yard.ask('GET', '/alarms')).body.items.map(({ id, tier }: Record<string, string>) => `${id} ${tier}`).toSorted()
    const standing = await alarms()
    expect(standing).toHaveLength(4)

    // yellow is raised from 85 to 90: T-1 leaves it, T-0 and all others stay as they are, under their own ids.
    const stricter = { ...LEVEL, tiers: { ...LEVEL.tiers, yellow: { when: 'level_pct > 90', deadband: 1 } } }
    expect(await yard.ask('PUT', '/rules/level', stricter)).toMatchObject({ status: 200 })
    const kept = await vi.waitFor(async () => {
      const log = await turns()
      expect(log).toHaveLength(6)
      return log
    })
    expect(kept.at(-1)).toMatch(/^level\/T-1 yellow -> clear/)
    expect(await alarms()).toEqual(standing)
    await send('T-1', 89)
    await send('T-2', 91)
    await send('T-0', 60, 30)
    await vi.waitFor(async () => expect((await turns()).length).toBeGreaterThanOrEqual(9), { timeout: 5_000 })
    const log = await yard.events()
    const to = new Date().toISOString()
    const [printed, said]: [string[], string[]] = [[], []]
    const out = { log: (line: string) => void printed.push(line), error: (line: string) => void said.push(line) }
    expect(await runBacktest([], { fromData: path.join(files.folder, 'data'), to, json: false }, {}, out), said.join('\n')).toBe(true)
    expect(printed.map((line) => JSON.parse(line))).toEqual(log)
    await restart()
    expect(await yard.events()).toEqual(log)
  })
})

describe('who is limited to enterprises', () => {
  it('changes a rule only where all that it watches is his', async () => {
    await yard.stop()
    const tanks = [0, 1].map((d) => `  - { id: T-${d}, profile: tank, gateway: gw-${d} }\n`).join('')
    files.write(
      'plant.yaml',
      `enterprises: [{ id: e }, { id: f }]\ngateways: [{ id: gw-0, enterprise: e, secret: s }, { id: gw-1, enterprise: f, secret: s }]\ndevices:\n${tanks}`
    )
    yard = await AmendYard.open(files)
    const token = await yard.token('engineer', ['e'])
    expect(await yard.ask('PUT', '/rules/level', LEVEL, { token })).toMatchObject({ status: 403 })
    expect(await yard.ask('POST', '/rules', WARM, { token })).toMatchObject({ status: 403 })
    const own = { ...WARM, appliesTo: { enterprise: 'e' } }
    expect(await yard.ask('POST', '/rules', own, { token })).toMatchObject({ status: 201 })
    expect(await yard.ask('PUT', '/rules/warm', WARM, { token })).toMatchObject({ status: 403 })
    const other = await yard.token('engineer', ['f'])
    for (const [method, url] of [
      ['PUT', '/rules/warm'],
      ['DELETE', '/rules/warm'],
      ['GET', '/rules/warm/versions']
    ] as const)
      expect((await yard.ask(method, url, method === 'PUT' ? own : undefined, { token: other })).status, url).toBe(404)
    expect((await yard.ask('GET', '/amendments', undefined, { token: other })).body.items).toEqual([])
  })
})
