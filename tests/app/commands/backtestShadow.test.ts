// What a backtest makes of shadow rules: nothing, unless it is asked.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BacktestOptions, runBacktest } from '../../../src/app/commands/backtest.ts'
import { type TankPlant, tankPlant } from '../tankPlant.ts'

const RULES = `rules:
  - id: level
    appliesTo: { profile: tank }
    tiers: { yellow: { when: level_pct > limits.high } }
  - id: trial
    appliesTo: { profile: tank }
    shadow: true
    tiers: { orange: { when: level_pct > 50 } }
`

let files: TankPlant
let recording: string

beforeAll(() => {
  files = tankPlant(RULES)
  recording = path.join(files.folder, 'levels.ndjson')
  const at = Date.parse('2026-01-01T00:00:00Z')
  const lines = [40, 60, 99, 60, 40].map((level_pct, n) => JSON.stringify({ device: 'T-0', ts: at + n * 1000, values: { level_pct } }))
  writeFileSync(recording, lines.join('\n'))
})
afterAll(() => files.remove())

async function printed(options: Partial<BacktestOptions>): Promise<string[]> {
  const lines: string[] = []
  const out = { log: (line: string) => void lines.push(line), error: () => {} }
  expect(await runBacktest([recording], { plant: path.dirname(files.config), json: false, ...options }, {}, out)).toBe(true)
  return lines
}

/** `1 trial clear -> orange` of each event line, in seconds. */
function turns(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const { at, rule, from, to } = JSON.parse(line)
    return `${Date.parse(at) / 1000 - Date.parse('2026-01-01T00:00:00Z') / 1000} ${rule} ${from} -> ${to}`
  })
}

it('tells nothing of shadow rules, unless asked to', async () => {
  const real = ['2 level clear -> yellow', '3 level yellow -> clear']
  expect(turns(await printed({}))).toEqual(real)
  const [report] = await printed({ json: true })
  expect(JSON.parse(report!).report).toMatchObject({ alarms: 1, standing: 0 })
  const all = await printed({ shadow: true })
  expect(turns(all)).toEqual(['1 trial clear -> orange', ...real, '4 trial orange -> clear'])
  expect(all.every((line) => !line.includes('shadow'))).toBe(true)
})

it('sweeps a shadow rule like any other: to tune it before it is real', async () => {
  const [report] = await printed({ sweep: 'trial.orange.limit=50..70:20', json: true })
  expect(JSON.stringify(JSON.parse(report!))).toMatch(/"limit":50,.*?"alarms":1.*"limit":70,.*?"alarms":1/)
})
