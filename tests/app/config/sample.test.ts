// The sample plant: it checks clean, holds what the contract's examples name, and its editor schemas are current.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { check } from '../../../src/app/commands/check.ts'
import { editorSchemas } from '../../../src/app/config/editorSchemas.ts'
import { type LoadedFolder, loadPlantFolder } from '../../../src/app/config/load.ts'
import { problemLine } from '../../../src/platform/problem.ts'
import { output } from './folders.ts'

const CONFIG = path.resolve(import.meta.dirname, '../../../config')
let sample: LoadedFolder

beforeAll(() => {
  sample = loadPlantFolder(CONFIG, {})
})

test('has neither problems nor warnings', () => {
  expect([...sample.problems, ...sample.warnings].map(problemLine)).toEqual([])
})

test('holds what the contract’s examples name', () => {
  const { plant } = sample
  expect(plant?.gateways.find(({ id }) => id === 'gw-01')?.secret).toBe('demo-gw-tank-farm')
  const tank = plant?.devices.find(({ id }) => id === 'T-101')
  expect(tank).toMatchObject({ profile: 'storage-tank', gateway: 'gw-01', area: 'bund-1', site: 'tank-farm-a', enterprise: 'daxie-chem' })
  expect(tank).toMatchObject({ limits: { level_high: 85, level_high_high: 95 }, labels: { medium: 'methanol' } })
  expect(plant?.rules.find(({ id }) => id === 'tank-level')?.tiers).toEqual([
    { tier: 'yellow', when: 'level_pct > limits.level_high', clear: null, deadband: 2, forMs: 5000, clearForMs: 10_000 },
    { tier: 'red', when: 'level_pct > limits.level_high_high', clear: 'level_pct < 88', deadband: null, forMs: 2000, clearForMs: 0 }
  ])
})

test('every device is watched by a rule of its profile and has a place on the map', () => {
  const { plant } = sample
  const watched = new Set(plant?.rules.map((rule) => rule.appliesTo.profile))
  expect(plant?.devices.filter(({ profile, site, gateway }) => !watched.has(profile) || site === null || gateway === null)).toEqual([])
  expect(plant?.sites.filter(({ lat, lon }) => lat === null || lon === null)).toEqual([])
})

test('every rule says in both languages what to do, and every rule and profile where its limits come from', () => {
  const { plant } = sample
  expect(
    plant?.rules
      .filter(({ guidance }) => !/原因.*后果.*处置.*时限/s.test(guidance.zh) || !/Cause.*Consequence.*Do:.*Within/s.test(guidance.en))
      .map(({ id }) => id)
  ).toEqual([])
  expect([...(plant?.rules ?? []), ...(plant?.profiles ?? [])].filter(({ source }) => source === null)).toEqual([])
})

test('the schemas for editors are current, and every file names its own', () => {
  const folder = path.join(CONFIG, 'schemas')
  // Where this fails: node src/main.ts check --schemas config/schemas
  const written = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]))
  expect(written).toEqual(editorSchemas())
  const files = [
    'fenghuo.yaml',
    'plant.yaml',
    ...['profiles', 'rules'].flatMap((name) =>
      readdirSync(path.join(CONFIG, name))
        .filter((file) => file.endsWith('.yaml'))
        .map((file) => `${name}/${file}`)
    )
  ]
  const schemaOf = (file: string): string => {
    const [first] = readFileSync(path.join(CONFIG, file), 'utf8').split('\n')
    return path.resolve(CONFIG, path.dirname(file), first?.replace('# yaml-language-server: $schema=', '') ?? '')
  }
  for (const file of files) {
    const kind = file.startsWith('profiles/') ? 'profile' : file.startsWith('rules/') ? 'rules' : path.basename(file, '.yaml')
    expect([file, schemaOf(file)]).toEqual([file, path.join(folder, `${kind}.schema.json`)])
  }
})

test('check prints one line and holds', () => {
  const { out, printed, noted } = output()
  expect(check({ config: path.join(CONFIG, 'fenghuo.yaml'), json: false, schemas: null }, {}, out)).toBe(true)
  expect(printed).toEqual([expect.stringMatching(/: 52 devices, 15 profiles, \d+ rules, 6 gateways, 6 sites: no problems$/)])
  expect(noted).toEqual([expect.stringMatching(/warning: nobody can be told of anything: no channel is configured/)])
})
