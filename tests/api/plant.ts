// A plant for the tests of the API: a tank farm of one enterprise, a market street of another, and a device of nobody.

import { type Fleet, numberFleet } from '../../src/model/fleet.ts'
import type { Device, Metric, Plant, Rule, Selector } from '../../src/model/plant.ts'
import type { Text } from '../../src/model/text.ts'

const text = (zh: string, en = zh): Text => ({ zh, en })
const metric = (id: string, unit: string, min: number, max: number): Metric => ({ id, name: text(id), unit, min, max, stuckAfterMs: null })
const everything: Selector = { profile: null, devices: null, labels: {}, area: null, site: null, enterprise: null }

function device(id: string, profile: string, given: Partial<Device>): Device {
  return { id, name: text(id), profile, gateway: null, area: null, site: null, enterprise: null, labels: {}, limits: {}, ...given }
}

const tankLevel: Rule = {
  id: 'tank-level',
  title: text('储罐液位', 'Tank level'),
  appliesTo: { ...everything, profile: 'storage-tank' },
  per: 'device',
  latched: false,
  tiers: [
    { tier: 'yellow', when: 'level_pct > limits.level_high', clear: null, deadband: 2, forMs: 5_000, clearForMs: 10_000 },
    {
      tier: 'red',
      when: 'level_pct > limits.level_high_high || rate(level_pct, "10m") > 5',
      clear: 'level_pct < 88',
      deadband: null,
      forMs: 2_000,
      clearForMs: 0
    }
  ],
  guidance: text('停止进料', 'Stop filling'),
  source: 'GB 17681-2024'
}

const bundGas: Rule = {
  id: 'bund-gas',
  title: text('围堰气体', 'Gas in the bund'),
  appliesTo: { ...everything, area: 'bund-1' },
  per: 'area',
  latched: true,
  tiers: [{ tier: 'orange', when: 'voted(2, temperature_c >= 60)', clear: null, deadband: null, forMs: 0, clearForMs: 0 }],
  guidance: text(''),
  source: null
}

const smoke: Rule = { ...tankLevel, id: 'smoke', title: text('烟雾', 'Smoke'), appliesTo: { ...everything, profile: 'smoke' } }

export const PLANT: Plant = {
  hash: 'test',
  states: [
    {
      id: 'works',
      title: text('施工', 'Works'),
      appliesTo: everything,
      within: 'device',
      while: null,
      schedule: null,
      longestMs: 3_600_000,
      forMs: 0,
      clearForMs: 0,
      suppresses: { rules: ['tank-level'], upTo: 'yellow' },
      source: null
    }
  ],
  inhibitions: [
    {
      id: 'gas-first',
      title: text('气体', 'Gas first'),
      rule: 'bund-gas',
      tier: 'red',
      within: 'area',
      clearForMs: 0,
      suppresses: { rules: ['tank-level'], upTo: 'orange' },
      source: null
    }
  ],
  enterprises: [
    { id: 'daxie', name: text('大榭化工', 'Daxie Chemicals') },
    { id: 'market', name: text('集市街', 'Market Street') }
  ],
  sites: [
    { id: 'farm', enterprise: 'daxie', name: text('A 罐区', 'Tank farm A'), lat: 29.91, lon: 121.98 },
    { id: 'street', enterprise: 'market', name: text('老街', 'Old street'), lat: null, lon: null }
  ],
  areas: [{ id: 'bund-1', site: 'farm', name: text('1# 围堰', 'Bund 1') }],
  gateways: [
    { id: 'gw-01', enterprise: 'daxie', name: text('gw-01'), secret: 'secret-one' },
    { id: 'gw-02', enterprise: 'market', name: text('gw-02'), secret: 'secret-two' }
  ],
  profiles: [
    {
      id: 'storage-tank',
      name: text('储罐', 'Storage tank'),
      metrics: [metric('level_pct', '%', 0, 110), metric('temperature_c', 'Cel', -60, 250)],
      limits: { level_high: 85, level_high_high: 90 },
      silentAfterMs: 90_000,
      source: null
    },
    {
      id: 'smoke',
      name: text('独立烟感', 'Smoke alarm'),
      metrics: [metric('alarm', '1', 0, 1)],
      limits: {},
      silentAfterMs: 3_600_000,
      source: null
    }
  ],
  devices: [
    device('T-102', 'storage-tank', {
      gateway: 'gw-01',
      area: 'bund-1',
      site: 'farm',
      enterprise: 'daxie',
      limits: { level_high: 80, level_high_high: 90 }
    }),
    device('T-101', 'storage-tank', {
      gateway: 'gw-01',
      area: 'bund-1',
      site: 'farm',
      enterprise: 'daxie',
      name: text('甲醇储罐', 'Methanol tank'),
      labels: { medium: 'methanol' },
      limits: { level_high: 85, level_high_high: 95 }
    }),
    device('S-1', 'smoke', { gateway: 'gw-02', site: 'street', enterprise: 'market', name: text('烟感一', 'Smoke one') }),
    device('S-2', 'smoke', { gateway: 'gw-02', site: 'street', enterprise: 'market' }),
    device('X-1', 'smoke', {})
  ],
  rules: [tankLevel, bundGas, smoke]
}

/** The same plant with many more smoke alarms. */
export function bigPlant(count: number): Plant {
  const more = Array.from({ length: count }, (_, i) =>
    device(`D-${String(i).padStart(6, '0')}`, 'smoke', { gateway: 'gw-02', site: 'street', enterprise: 'market' })
  )
  return { ...PLANT, hash: `test-${count}`, devices: [...PLANT.devices, ...more] }
}

export const FLEET: Fleet = numberFleet(PLANT)
