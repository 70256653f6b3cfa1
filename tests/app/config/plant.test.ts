import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadPlant } from '../../../src/app/config/load.ts'
import { folderOf, GOOD, lines, load } from './folders.ts'

const yaml = (name: keyof typeof GOOD): string => GOOD[name] as string

test('a plant comes out whole, ordered by id, with what follows from areas and profiles filled in', () => {
  const { plant, problems } = load(GOOD)
  expect(problems).toEqual([])
  expect(plant).toEqual({
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    enterprises: [{ id: 'chem', name: { zh: '化工', en: '化工' } }],
    sites: [{ id: 'farm', enterprise: 'chem', name: { zh: 'Farm', en: 'Farm' }, lat: 29.91, lon: 121.98 }],
    areas: [{ id: 'bund', site: 'farm', name: { zh: 'bund', en: 'bund' } }],
    gateways: [{ id: 'gw', enterprise: 'chem', name: { zh: 'gw', en: 'gw' }, secret: 'open-sesame' }],
    profiles: [
      {
        id: 'tank',
        name: { zh: '储罐', en: 'Tank' },
        metrics: [
          { id: 'level_pct', name: { zh: 'level_pct', en: 'level_pct' }, unit: '%', min: 0, max: 110, stuckAfterMs: null },
          {
            id: 'temperature_c',
            name: { zh: 'temperature_c', en: 'temperature_c' },
            unit: '°C',
            min: -60,
            max: 250,
            stuckAfterMs: 21_600_000
          }
        ],
        limits: { level_high: 85, level_high_high: 90 },
        silentAfterMs: 90_000,
        source: null
      }
    ],
    devices: [
      {
        id: 'T-1',
        name: { zh: 'T-1', en: 'T-1' },
        profile: 'tank',
        gateway: 'gw',
        area: 'bund',
        site: 'farm',
        enterprise: 'chem',
        labels: { medium: 'methanol' },
        limits: { level_high: 80, level_high_high: 90 }
      },
      {
        id: 'T-2',
        name: { zh: 'T-2', en: 'T-2' },
        profile: 'tank',
        gateway: 'gw',
        area: 'bund',
        site: 'farm',
        enterprise: 'chem',
        labels: {},
        limits: { level_high: 85, level_high_high: 90 }
      }
    ],
    rules: [
      {
        id: 'level',
        title: { zh: '液位', en: 'Level' },
        appliesTo: { profile: 'tank', devices: null, labels: {}, area: null, site: null, enterprise: null },
        per: 'device',
        latched: false,
        tiers: [{ tier: 'yellow', when: 'level_pct > limits.level_high', clear: null, deadband: 2, forMs: 5000, clearForMs: 10_000 }],
        guidance: { zh: 'Look.', en: 'Look.' },
        source: null
      }
    ]
  })
})

test('the hash is that of the meaning: order, layout and secrets do not change it, a limit does', () => {
  const hash = load(GOOD).plant?.hash
  const reordered = yaml('plant.yaml').replace(/( {2}- \{ id: T-2.*\n)( {2}- \{ id: T-1.*\n)/, '$2$1')
  expect(reordered).not.toBe(yaml('plant.yaml'))
  expect(load({ ...GOOD, 'plant.yaml': reordered }).plant?.hash).toBe(hash)
  expect(load({ ...GOOD, 'plant.yaml': yaml('plant.yaml').replace('open-sesame', 'other') }).plant?.hash).toBe(hash)
  expect(load({ ...GOOD, 'plant.yaml': yaml('plant.yaml').replace('level_high: 80', 'level_high: 81') }).plant?.hash).not.toBe(hash)
})

test('a secret comes from the environment; an unset one is a warning, not a problem', () => {
  const files = { ...GOOD, 'plant.yaml': yaml('plant.yaml').replace('open-sesame', '"env:GW_SECRET"') }
  expect(load(files, { GW_SECRET: 'told' }).plant?.gateways[0]?.secret).toBe('told')
  const { plant, problems, warnings } = load(files)
  expect(problems).toEqual([])
  expect(lines(warnings)).toEqual(['plant.yaml:7:41: the environment variable GW_SECRET is not set, so gateway gw cannot sign in'])
  expect(plant?.gateways[0]?.secret).toBeNull()
})

test('plant.json stands in for plant.yaml', () => {
  const { 'plant.yaml': _, ...files } = GOOD
  const { plant, problems } = load({ ...files, 'plant.json': '{"devices": [{"id": "T-1", "profile": "tank"}]}' })
  expect(problems).toEqual([])
  expect(plant?.devices.map((device) => device.id)).toEqual(['T-1'])
  const wrong = load({ ...files, 'plant.json': '{"devices": [\n  {"id": "T-1", "profile": "tnak"}]}' })
  expect(lines(wrong.problems)).toEqual([
    'plant.json:2:28: device T-1 names the profile tnak, which no file in profiles/ defines; did you mean tank?'
  ])
})

test('a plant without devices, rules and fenghuo.yaml is a plant', () => {
  const { config, plant, problems } = load({ 'plant.yaml': '', 'profiles/tank.yaml': yaml('profiles/tank.yaml'), 'rules/none.yaml': '' })
  expect(problems).toEqual([])
  expect([plant?.devices, plant?.rules, config?.http.port]).toEqual([[], [], 8080])
})

test('other rule files can take the place of the folder’s own', () => {
  const folder = folderOf({ ...GOOD, 'other.yaml': yaml('rules/level.yaml').replace('id: level', 'id: other') })
  const { plant } = loadPlant(folder, {}, { rules: [`${folder}/other.yaml`] })
  expect(plant?.rules.map((rule) => rule.id)).toEqual(['other'])
  const missing = loadPlant(folder, {}, { rules: [`${folder}/nowhere.yaml`] })
  expect(lines(missing.problems)).toEqual(['nowhere.yaml:1:1: this file does not exist'])
  expect(missing.plant).toBeNull()
})

test('what comes out is frozen', () => {
  const { config, plant } = load(GOOD)
  const open: string[] = []
  const walk = (value: unknown, name: string): void => {
    if (typeof value !== 'object' || value === null) return
    if (!Object.isFrozen(value)) open.push(name)
    for (const [key, inner] of Object.entries(value)) walk(inner, `${name}.${key}`)
  }
  walk(plant, 'plant')
  walk(config, 'config')
  expect(open).toEqual([])
})

test('the contract’s own example of a plant is read as it stands', () => {
  const contract = readFileSync(new URL('contractExample.yaml', import.meta.url), 'utf8')
  const { plant, problems } = load({
    'plant.yaml': contract,
    'profiles/storage-tank.yaml': yaml('profiles/tank.yaml').replace('id: tank', 'id: storage-tank'),
    'rules/none.yaml': 'rules: []\n'
  })
  expect(problems).toEqual([])
  expect(plant?.devices[0]).toMatchObject({ id: 'T-101', site: 'tank-farm-a', enterprise: 'daxie-chem', limits: { level_high_high: 95 } })
})
