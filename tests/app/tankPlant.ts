// A small plant folder for tests of the whole service: tanks behind gateways, delays of seconds instead of minutes.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export const LEVEL_RULES = `rules:
  - id: level
    appliesTo: { profile: tank }
    tiers:
      yellow: { when: level_pct > limits.high, deadband: 3 }
      red: { when: level_pct > limits.high_high, clear: level_pct < 88, for: 1s }
  - id: sensor
    appliesTo: { profile: tank }
    tiers: { blue: { when: faulty(temperature_c) } }
`

export const TIMED_RULES = `${LEVEL_RULES}  - id: warm
    appliesTo: { profile: tank }
    tiers: { orange: { when: temperature_c > 60, for: 1500ms, clearFor: 500ms } }
  - id: lost
    appliesTo: { devices: [T-3] }
    tiers: { blue: { when: silent('2s') } }
`

export interface TankPlant {
  /** A temporary folder that holds the plant, and room for data. */
  readonly folder: string
  /** The plant folder's fenghuo.yaml. */
  readonly config: string
  /** Writes or replaces a file of the plant folder. */
  write(name: string, text: string): void
  remove(): void
}

/** gw-0 and gw-1 (secrets secret-0, secret-1); T-0, T-2 … belong to gw-0, T-1, T-3 … to gw-1. */
export function tankPlant(rules = LEVEL_RULES, { tanks = 4, silentAfter = '1h' } = {}): TankPlant {
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-service-'))
  const plantFolder = path.join(folder, 'plant')
  for (const name of ['profiles', 'rules']) mkdirSync(path.join(plantFolder, name), { recursive: true })
  const write = (name: string, text: string): void => writeFileSync(path.join(plantFolder, name), text)
  const devices = Array.from({ length: tanks }, (_, d) => `  - { id: T-${d}, profile: tank, gateway: gw-${d % 2} }\n`)
  const gateways = [0, 1].map((g) => `{ id: gw-${g}, enterprise: e, secret: secret-${g} }`)
  write('fenghuo.yaml', 'logLevel: info\n')
  write('plant.yaml', `enterprises: [{ id: e }]\ngateways: [${gateways.join(', ')}]\ndevices:\n${devices.join('')}`)
  write(
    'profiles/tank.yaml',
    `id: tank
metrics: { level_pct: { unit: "%", min: 0, max: 110 }, temperature_c: { unit: Cel, min: -60, max: 250 } }
limits: { high: 85, high_high: 92 }
silentAfter: ${silentAfter}
`
  )
  write('rules/level.yaml', rules)
  return {
    folder,
    config: path.join(plantFolder, 'fenghuo.yaml'),
    write,
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
