// The small plant of the console's tests with people to tell: two on a ladder, a rota with a hole, a hazard source.

import { appendFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { writePlant } from './plant.ts'

/** Writes the plant folder; messages go to the carrier at `carrier`, on loopback. */
export async function writeOperationsPlant(folder: string, carrier: string): Promise<string> {
  const config = await writePlant(folder)
  await writeFile(
    config,
    `
outgoing: { allowPrivate: [127.0.0.1] }
channels:
  - { id: hook, kind: webhook, secret: "env:HOOK_SECRET" }
`
  )
  await writeFile(
    path.join(folder, 'duty.yaml'),
    `
zone: Asia/Shanghai
people:
  - { id: zhang, name: { zh: 张值班, en: Zhang }, enterprise: chem, addresses: { webhook: "${carrier}/zhang" } }
  - { id: li, name: { zh: 李备班, en: Li }, enterprise: chem, addresses: { webhook: "${carrier}/li" } }
rotas:
  - id: gate
    name: { zh: 门岗值班, en: Gate duty }
    start: 2026-01-01
    shifts: [{ from: "00:00", to: "00:00", order: [person:zhang, person:li] }]
  - id: night
    name: { zh: 夜班, en: Night duty }
    start: 2026-01-01
    shifts: [{ from: "20:00", to: "20:01", order: [person:li] }]
responsible:
  - { hazardSource: bund-methanol, operation: zhang, technical: li }
ladders:
  - id: farm
    appliesTo: { site: farm }
    steps:
      - { after: 0s, tell: [duty:gate], by: [webhook] }
      - { after: 5m, tell: [responsible:technical], by: [webhook] }
`
  )
  await appendFile(
    path.join(folder, 'plant.yaml'),
    `
hazardSources:
  - id: bund-methanol
    name: { zh: 甲醇罐区, en: Methanol bund }
    site: farm
    exposed: 120
    inventory:
      - { cas: 67-56-1, amount_t: 2000, tank: T-1 }
      - { cas: 108-88-3, amount_t: 1000, tank: T-2 }
`
  )
  return config
}
