// A small plant with everything the console shows: two sites, limits, guidance, a device that never reports.

import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

export const GATEWAY = 'gw-test'
export const SECRET = 'a-gateway-secret'

const FILES: Readonly<Record<string, string>> = {
  'fenghuo.yaml': '',
  'plant.yaml': `
enterprises: [{ id: chem, name: { zh: 试验化工, en: Test Chemicals } }]
sites:
  - { id: farm, enterprise: chem, name: { zh: 北罐区, en: North tank farm } }
  - { id: yard, enterprise: chem, name: { zh: 南堆场, en: South yard } }
areas: [{ id: bund, site: farm, name: { zh: 1# 围堰, en: Bund 1 } }]
gateways: [{ id: ${GATEWAY}, enterprise: chem, secret: ${SECRET} }]
devices:
  - { id: T-1, profile: tank, gateway: ${GATEWAY}, area: bund, name: { zh: 甲醇储罐, en: Methanol tank } }
  - { id: T-2, profile: tank, gateway: ${GATEWAY}, area: bund, name: { zh: 甲苯储罐, en: Toluene tank } }
  - { id: T-3, profile: tank, gateway: ${GATEWAY}, site: yard, name: { zh: 备用储罐, en: Spare tank } }
`,
  'profiles/tank.yaml': `
id: tank
name: { zh: 常压储罐, en: Atmospheric tank }
metrics:
  level_pct: { name: { zh: 液位, en: Level }, unit: "%", min: 0, max: 110 }
  temperature_c: { name: { zh: 温度, en: Temperature }, unit: "°C", min: -60, max: 250 }
limits: { level_high: 85, level_high_high: 95 }
silentAfter: 10m
`,
  'rules/level.yaml': `
rules:
  - id: tank-level
    title: { zh: 储罐液位超高, en: Tank level high }
    appliesTo: { profile: tank }
    tiers:
      yellow: { when: level_pct > limits.level_high, deadband: 2 }
      red: { when: level_pct > limits.level_high_high, deadband: 2 }
    guidance:
      zh: 原因:进料未停。后果:满罐溢流。处置:停止进料,核对液位计。时限:红色 3 分钟内。
      en: "Cause: filling was not stopped. Consequence: overflow. Do: stop filling, check the gauge. Within: 3 minutes at red."
`
}

/** Writes the plant folder with further files; gives the path of its fenghuo.yaml. */
export async function writePlant(folder: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  for (const [name, text] of Object.entries({ ...FILES, ...more })) {
    const file = path.join(folder, name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  return path.join(folder, 'fenghuo.yaml')
}
