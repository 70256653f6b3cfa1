// The alert rules and the dashboard for the service itself: every metric they name is one that the running service has.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { tankPlant } from '../app/tankPlant.ts'
import { Authority } from '../authority.ts'
import { LiveService } from '../liveService.ts'

const FOLDER = path.join(import.meta.dirname, '..', '..', 'docs', 'operations')
const NAME = /\bfenghuo_[a-z_]+\b/g

interface Rule {
  alert: string
  expr: string
  labels: { severity: string }
  annotations: { summary: string; todo: string }
}

it('name only metrics and labels that /metrics has, and say what to do', async () => {
  const rules = (parse(readFileSync(path.join(FOLDER, 'prometheus-rules.yaml'), 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
    (group) => group.rules
  )
  const dashboard = JSON.parse(readFileSync(path.join(FOLDER, 'grafana-service.json'), 'utf8')) as {
    panels: { targets: { expr: string; legendFormat: string }[] }[]
  }
  const targets = dashboard.panels.flatMap((panel) => panel.targets)
  const named = new Set([...rules, ...targets].flatMap(({ expr }) => expr.match(NAME) ?? []))
  expect(named.size).toBeGreaterThan(15)

  const plant = tankPlant()
  // A metric of certificates has series only where there is one.
  const { cert, key } = new Authority(path.join(plant.folder, 'ca')).issue('mqtt')
  plant.write('fenghuo.yaml', `mqtt: { tls: { port: 0, cert: ${cert}, key: ${key} } }\n`)
  const service = await LiveService.start({ config: plant.config, data: path.join(plant.folder, 'data') })
  try {
    const series = [...(await service.metrics()).keys()]
    const there = new Set(series.map((one) => one.replace(/\{.*/, '')))
    expect([...named].filter((name) => !there.has(name))).toEqual([])
    for (const { expr, legendFormat } of targets) {
      const [, label] = /^\{\{(\w+)\}\}$/.exec(legendFormat) ?? []
      const [metric] = expr.match(NAME) ?? []
      if (label !== undefined && metric !== undefined)
        expect(
          series.some((one) => one.startsWith(`${metric}{`) && one.includes(`${label}=`)),
          `${metric} ${label}`
        ).toBe(true)
    }
    expect(series).toContain('fenghuo_readings_dropped_total{reason="refused"}')
  } finally {
    await service.kill()
    plant.remove()
  }
  for (const { alert, labels, annotations } of rules) {
    expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(critical|warning)$/)])
    expect(annotations.summary.length * annotations.todo.length).toBeGreaterThan(0)
  }
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
})
