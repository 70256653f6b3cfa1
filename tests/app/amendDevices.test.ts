// Devices and gateways changed through the API and by tables; what a crash between two steps leaves; what no longer fits.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { importDevices } from '../../src/app/commands/devices.ts'
import { exportRules } from '../../src/app/commands/rules.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt } from '../../src/platform/mqtt.ts'
import { LiveService } from '../liveService.ts'
import { stateEnv } from '../store/stateYard.ts'
import { AmendYard } from './amendYard.ts'
import { LEVEL_RULES, type TankPlant, tankPlant } from './tankPlant.ts'

const NEW = { id: 'T-9', profile: 'tank', gateway: 'gw-0', name: '新罐', limits: { high: 70 } }

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

const data = (): string => path.join(files.folder, 'data')
const env = async (): Promise<Record<string, string>> => ({ FENGHUO_DATA: data(), ...(await stateEnv(data())) })
const ids = async (): Promise<string[]> => (await yard.ask('GET', '/devices')).body.items.map(({ id }: { id: string }) => id)

async function restart(): Promise<void> {
  await yard.stop()
  yard = await AmendYard.open(files)
}

describe('a device', () => {
  it('is made, judged, changed and taken away, without a restart', async () => {
    expect(await yard.ask('POST', '/devices', NEW)).toMatchObject({ status: 201, body: { id: 'T-9', version: 1, written: NEW } })
    expect(await yard.send('gw-0', 'secret-0', { device: 'T-9', values: { level_pct: 75, temperature_c: 1 } })).toBe(202)
    await vi.waitFor(async () => expect((await yard.events()).map(({ device, to }) => [device, to])).toEqual([['T-9', 'yellow']]))
    const got = await yard.ask('GET', '/devices/T-9')
    expect(got.body).toMatchObject({ limits: { high: 70, high_high: 92 }, version: 1, amended: true, file: null, written: NEW })
    expect(got.etag).toMatch(/^"1-/)
    expect(await yard.ask('PUT', '/devices/T-9', { ...NEW, limits: { high: 80 } }, { headers: { 'if-match': got.etag! } })).toMatchObject({
      status: 200
    })
    await vi.waitFor(async () => expect((await yard.events()).at(-1)).toMatchObject({ device: 'T-9', to: 'clear' }))
    expect(await yard.ask('DELETE', '/devices/T-9')).toMatchObject({ status: 200, body: { change: 'removed', version: 3 } })
    expect(await yard.ask('GET', '/devices/T-9')).toMatchObject({ status: 404 })
    expect(await ids()).toEqual(['T-0', 'T-1', 'T-2', 'T-3'])
  })

  it('of a file is changed and taken away for good, until it is taken back', async () => {
    expect((await yard.ask('GET', '/devices/T-1')).body).toMatchObject({
      version: 0,
      amended: false,
      file: expect.stringContaining('plant.yaml:')
    })
    await yard.ask('PUT', '/devices/T-1', { id: 'T-1', profile: 'tank', gateway: 'gw-1', limits: { high: 60 } })
    expect(await yard.ask('DELETE', '/devices/T-1')).toMatchObject({ body: { change: 'removed' } })
    await restart()
    expect(await ids()).toEqual(['T-0', 'T-2', 'T-3'])
    expect(await yard.ask('DELETE', '/devices/T-1?to=file')).toMatchObject({ body: { change: 'reverted', version: 3 } })
    expect((await yard.ask('GET', '/devices/T-1')).body.limits).toEqual({ high: 85, high_high: 92 })
    expect((await yard.ask('GET', '/devices/T-1/versions')).body.items.map(({ change }: { change: string }) => change)).toEqual([
      'reverted',
      'removed',
      'changed'
    ])
  })

  it('that the plant cannot have is refused; so is taking away what a rule names', async () => {
    const wrong = await yard.ask('POST', '/devices', {
      id: 'T 9',
      profile: 'tnak',
      gateway: 'gw-7',
      limits: { hihg: 1, high: '9' },
      colour: 1
    })
    expect(wrong.status).toBe(422)
    expect(wrong.body.problems.map(({ place }: { place: string }) => place)).toEqual(['id', 'limits.high', 'colour', 'gateway', 'profile'])
    expect((await yard.ask('POST', '/devices', { ...NEW, limits: { hihg: 1 } })).body.problems).toMatchObject([
      { place: 'limits.hihg', problem: expect.stringContaining('did you mean high') }
    ])
    await yard.ask('POST', '/rules', { id: 'own', appliesTo: { devices: ['T-3'] }, tiers: { red: { when: 'level_pct > 1' } } })
    const named = await yard.ask('DELETE', '/devices/T-3')
    expect(named).toMatchObject({ status: 422, body: { problems: [{ place: 'rule own, appliesTo.devices[0]' }] } })
    expect(await ids()).toEqual(['T-0', 'T-1', 'T-2', 'T-3'])
  })
})

describe('a gateway', () => {
  it('is made with a secret that is never told, and cut off at once where that changes or is revoked', async () => {
    const made = await yard.ask('POST', '/gateways', { id: 'gw-9', enterprise: 'e', secret: 'first secret' })
    expect(made).toMatchObject({ status: 201, body: { written: { id: 'gw-9', enterprise: 'e' } } })
    await yard.ask('POST', '/devices', { ...NEW, gateway: 'gw-9' })
    const sample = { device: 'T-9', values: { level_pct: 1 } }
    expect(await yard.send('gw-9', 'first secret', sample)).toBe(202)
    const publisher = await connectMqtt({
      url: yard.mqttAddress,
      username: 'gw-9',
      password: 'first secret',
      clientId: 'one',
      clock: new SystemClock()
    })
    await publisher.publish('fh/1/gw-9/status', '{"online": true}')
    await vi.waitFor(async () => expect((await yard.ask('GET', '/gateways/gw-9')).body.online).toBe(true), { timeout: 5_000 })
    expect(await yard.ask('PUT', '/gateways/gw-9', { id: 'gw-9', enterprise: 'e', name: 'nine' })).toMatchObject({ status: 200 })
    expect(await yard.send('gw-9', 'first secret', { ...sample, values: { level_pct: 2 } })).toBe(202)
    expect(await yard.ask('PUT', '/gateways/gw-9', { id: 'gw-9', enterprise: 'e', name: 'nine', secret: 'second secret' })).toMatchObject({
      status: 200
    })
    await vi.waitFor(async () => expect((await yard.ask('GET', '/gateways/gw-9')).body.online).toBe(false), { timeout: 10_000 })
    await publisher.end(100)
    expect(await yard.send('gw-9', 'first secret', sample)).toBe(401)
    expect(await yard.send('gw-9', 'second secret', { ...sample, values: { level_pct: 3 } })).toBe(202)
    await restart()
    expect(await yard.send('gw-9', 'second secret', { ...sample, values: { level_pct: 4 } })).toBe(202)
    expect(await yard.ask('PUT', '/gateways/gw-0', { id: 'gw-0', enterprise: 'e', secret: null })).toMatchObject({ status: 200 })
    expect(await yard.send('gw-0', 'secret-0', { device: 'T-0', values: { level_pct: 1 } })).toBe(401)
    expect(await yard.ask('DELETE', '/gateways/gw-0?to=file')).toMatchObject({ status: 200 })
    expect(await yard.send('gw-0', 'secret-0', { device: 'T-0', values: { level_pct: 2 } })).toBe(202)
    const told = JSON.stringify([
      await yard.ask('GET', '/gateways/gw-9'),
      await yard.ask('GET', '/gateways/gw-9/versions'),
      await yard.ask('GET', '/amendments')
    ])
    expect(told).not.toMatch(/secret"|argon2|second/)
    expect((await yard.ask('POST', '/gateways', { id: 'gw-8', enterprise: 'e' })).body.problems).toMatchObject([{ place: 'secret' }])
    expect((await yard.ask('POST', '/gateways', { id: 'gw-8', enterprise: 'e', secret: 'env:HOME' })).body.problems).toMatchObject([
      { place: 'secret' }
    ])
    expect(await yard.ask('DELETE', '/gateways/gw-9')).toMatchObject({
      status: 422,
      body: { problems: [{ place: 'device T-9, gateway' }] }
    })
  })
})

describe('a table', () => {
  const table = (text: string | Uint8Array): string => {
    const file = path.join(files.folder, 'table.csv')
    writeFileSync(file, text)
    return file
  }
  const run = async (file: string, options: object = {}, more: Record<string, string> = {}): Promise<[boolean, string[], string[]]> => {
    const [printed, said]: [string[], string[]] = [[], []]
    const out = { log: (line: string) => void printed.push(line), error: (line: string) => void said.push(line.replaceAll(file, 'FILE')) }
    const all = { config: files.config, dryRun: false, json: false, url: null, note: null, ...options }
    const good = await importDevices(file, all, { ...(await env()), ...more }, out, new SystemClock())
    return [good, printed.map((line) => line.replaceAll(file, 'FILE')), said]
  }

  it('is imported by the running service, all of it or nothing', async () => {
    const token = await yard.token('engineer')
    const service = [{ url: yard.address }, { FENGHUO_TOKEN: token }] as const
    const good = table('id,profile,gateway,limits.high\nT-8,tank,gw-0,70\nT-1,tank,gw-1,75\nT-2,tank,gw-0,\n')
    expect(await run(good, { ...service[0], dryRun: true }, service[1])).toEqual([
      true,
      ['FILE: 3 rows: 1 would be created, 1 would be changed, 1 unchanged'],
      []
    ])
    expect(await ids()).not.toContain('T-8')
    expect(await run(good, { ...service[0], note: 'spring' }, service[1])).toEqual([
      true,
      ['FILE: 3 rows: 1 created, 1 changed, 1 unchanged'],
      []
    ])
    expect((await yard.ask('GET', '/devices/T-1')).body.limits.high).toBe(75)
    expect((await yard.ask('GET', '/devices/T-8/versions')).body.items).toMatchObject([{ version: 1, note: 'spring', change: 'created' }])
    const bad = table('id,profile,gateway,limits.high\nT-10,tank,gw-0,70\nT-11,tnak,gw-0,70\nT-12,tank,gw-7,70\nT-13,tank,gw-0,x\n')
    expect(await run(bad, ...service)).toEqual([
      false,
      [],
      ['FILE:5: device T-13: limits.high holds "x", which is not a number', '1 problem; nothing was imported']
    ])
    const worse = table('id,profile,gateway\nT-10,tank,gw-0\nT-11,tnak,gw-0\nT-12,tank,gw-7\n')
    const [, , said] = await run(worse, ...service)
    expect(said).toEqual([
      expect.stringMatching(/^FILE:3: .*tnak/),
      expect.stringMatching(/^FILE:4: .*gw-7/),
      '2 problems; nothing was imported'
    ])
    expect(await ids()).toEqual(['T-0', 'T-1', 'T-2', 'T-3', 'T-8'])
    await expect(run(good, { url: yard.address })).rejects.toThrow('FENGHUO_TOKEN')
    await expect(run(good, ...([service[0], { FENGHUO_TOKEN: await yard.token('viewer') }] as const))).rejects.toThrow('role engineer')
    await expect(run(good)).rejects.toThrow('is in use by')
  })

  it('is imported into the data folder of a stopped service, and in force at the next start', async () => {
    await yard.stop()
    const good = table('id,profile,gateway\nT-8,tank,gw-0\n')
    expect((await run(good, { dryRun: true }))[1]).toEqual(['FILE: 1 rows: 1 would be created, 0 would be changed, 0 unchanged'])
    expect((await run(good, { json: true }))[0]).toBe(true)
    expect((await run(table('id,profile\nT-7,nothing\n')))[0]).toBe(false)
    yard = await AmendYard.open(files)
    expect(await ids()).toEqual(['T-0', 'T-1', 'T-2', 'T-3', 'T-8'])
  })
})

describe('what is kept', () => {
  it('is in force after a kill wherever it was answered, and whole wherever it was not', async () => {
    await yard.stop()
    const rule = (n: number): string =>
      JSON.stringify({ id: 'level', appliesTo: { profile: 'tank' }, tiers: { red: { when: `level_pct > ${n}` } } })
    let acknowledged = 0
    for (const pauses of [0, 2, 40, 400]) {
      const service = await LiveService.start({ config: files.config, data: data(), env: await stateEnv(data()) })
      const headers = { cookie: await service.cookie(), 'content-type': 'application/json' }
      const put = (n: number): Promise<Response> =>
        fetch(`${service.httpAddress}/api/v1/rules/level`, { method: 'PUT', headers, body: rule(n) })
      const { version, tiers } = await service.get<{ version: number; tiers: { when: string }[] }>('/api/v1/rules/level')
      expect(version).toBeGreaterThanOrEqual(acknowledged)
      if (version > 0) expect(tiers[0]?.when).toBe(`level_pct > ${version}`)
      const shown = await service.get<{ items: { version: number; written: { tiers: { red: { when: string } } } }[] }>(
        '/api/v1/rules/level/versions'
      )
      expect(shown.items.map((one) => [one.version, one.written.tiers.red.when])).toEqual(
        Array.from({ length: version }, (_, i) => [version - i, `level_pct > ${version - i}`])
      )
      for (const n of [version + 1, version + 2]) expect((await put(n)).status).toBe(200)
      acknowledged = version + 2
      const last = put(version + 3).then(
        () => {},
        () => {}
      )
      for (let pause = 0; pause < pauses; pause++) await new Promise<void>((resolve) => setImmediate(resolve))
      await service.kill()
      await last
    }
    yard = await AmendYard.open(files)
    expect((await yard.ask('GET', '/rules/level')).body.version).toBeGreaterThanOrEqual(acknowledged)
  }, 60_000)

  it('and no longer fits the files is left out by name, and the service starts', async () => {
    await yard.ask('POST', '/rules', { id: 'own', appliesTo: { devices: ['T-3'] }, tiers: { red: { when: 'level_pct > 1' } } })
    await yard.ask('POST', '/devices', NEW)
    await yard.stop()
    files.write(
      'plant.yaml',
      'enterprises: [{ id: e }]\ngateways: [{ id: gw-0, enterprise: e, secret: secret-0 }]\ndevices: [{ id: T-0, profile: tank, gateway: gw-0 }]\n'
    )
    yard = await AmendYard.open(files)
    expect(yard.sentences.find((sentence) => sentence.includes('left out'))).toMatch(/^the rule own, .*T-3, which does not exist/)
    expect(await ids()).toEqual(['T-0', 'T-9'])
    expect((await yard.ask('GET', '/rules/own')).status).toBe(404)
    expect((await yard.ask('GET', '/amendments')).body.items).toMatchObject([
      { kind: 'rule', id: 'own', leftOut: expect.stringContaining('T-3') },
      { kind: 'device', id: 'T-9', leftOut: null }
    ])
    const changes = async (): Promise<unknown> =>
      (await yard.ask('GET', '/overview')).body.health.find(({ part }: { part: string }) => part === 'changes')
    expect(await changes()).toEqual({
      ...{ part: 'changes', state: 'degraded' },
      problem:
        'One change made through the API is not in force, because the files no longer fit: change or take back what GET /api/v1/amendments names.'
    })
    expect(
      await yard.ask('POST', '/rules', { id: 'own', appliesTo: { devices: ['T-0'] }, tiers: { red: { when: 'level_pct > 1' } } })
    ).toMatchObject({
      status: 201,
      body: { version: 2 }
    })
    expect(await changes()).toMatchObject({ state: 'ok', problem: null })
  })

  it('stands over a file that was edited since, which is told; and can be taken into the files', async () => {
    const level = { id: 'level', appliesTo: { profile: 'tank' }, tiers: { yellow: { when: 'level_pct > 50' } } }
    await yard.ask('PUT', '/rules/level', level)
    await yard.stop()
    const [printed, said]: [string[], string[]] = [[], []]
    const out = { log: (line: string) => void printed.push(line), error: (line: string) => void said.push(line) }
    await exportRules({ config: files.config, all: false, json: false }, await env(), out, new SystemClock())
    expect(printed.join('\n')).toBe(
      'rules:\n  - id: level\n    appliesTo:\n      profile: tank\n    tiers:\n      yellow:\n        when: level_pct > 50'
    )
    expect(said[0]).toMatch(/^level: changed; put it in place of .*rules\/level\.yaml:2$/)
    files.write('rules/level.yaml', LEVEL_RULES.replace('deadband: 3', 'deadband: 5'))
    yard = await AmendYard.open(files)
    expect(yard.sentences.some((sentence) => /the files say something else of rule level .* that change stands/.test(sentence))).toBe(true)
    expect((await yard.ask('GET', '/amendments')).body.items).toMatchObject([{ id: 'level', fileChanged: true }])
    await yard.stop()
    files.write('rules/level.yaml', `${printed.join('\n')}\n`)
    yard = await AmendYard.open(files)
    expect(yard.sentences.some((sentence) => sentence.includes('the files say something else'))).toBe(false)
  })
})
