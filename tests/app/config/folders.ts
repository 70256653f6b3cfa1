// Plant folders in a temporary place, for the tests of this folder.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import type { Output } from '../../../src/app/commands/check.ts'
import { type LoadedFolder, loadPlantFolder } from '../../../src/app/config/load.ts'
import type { Environment } from '../../../src/app/config/service.ts'
import { type Problem, problemLine } from '../../../src/platform/problem.ts'

export type Files = Readonly<Record<string, string>>

/** A plant without a mistake; tests replace single files. */
export const GOOD: Files = {
  'fenghuo.yaml': '',
  'profiles/tank.yaml': `id: tank
name: { zh: 储罐, en: Tank }
metrics:
  level_pct: { unit: "%", min: 0, max: 110 }
  temperature_c: { unit: "°C", min: -60, max: 250, stuckAfter: 6h }
limits: { level_high: 85, level_high_high: 90 }
silentAfter: 90s
`,
  'plant.yaml': `enterprises: [{ id: chem, name: 化工 }]
sites:
  - { id: farm, enterprise: chem, name: Farm, lat: 29.91, lon: 121.98 }
areas:
  - { id: bund, site: farm }
gateways:
  - { id: gw, enterprise: chem, secret: open-sesame }
devices:
  - { id: T-2, profile: tank, gateway: gw, area: bund }
  - { id: T-1, profile: tank, gateway: gw, area: bund, limits: { level_high: 80 }, labels: { medium: methanol } }
`,
  'rules/level.yaml': `rules:
  - id: level
    title: { zh: 液位, en: Level }
    appliesTo: { profile: tank }
    tiers:
      yellow: { when: level_pct > limits.level_high, deadband: 2, for: 5s, clearFor: 10s }
    guidance: Look.
`
}

const made: string[] = []
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true })
})

export function folderOf(files: Files): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-config-'))
  made.push(folder)
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return folder
}

/** Loads a folder of these files. */
export function load(files: Files, env: Environment = {}): LoadedFolder {
  return loadPlantFolder(folderOf(files), env)
}

/** The lines `check` prints, without the temporary folder. */
export function lines(found: readonly Problem[]): string[] {
  const folder = new RegExp(`(${made.map((name) => name.replaceAll('.', '\\.')).join('|')})/?`, 'g')
  return found.map((one) => problemLine(one).replace(folder, ''))
}

/** What a command prints: `printed` on standard output, `noted` on standard error. */
export function output(): { out: Output; printed: string[]; noted: string[] } {
  const printed: string[] = []
  const noted: string[] = []
  return { out: { log: (line: string) => void printed.push(line), error: (line: string) => void noted.push(line) }, printed, noted }
}
