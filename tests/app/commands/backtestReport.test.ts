// What `fenghuo backtest` says about the alarms: the report as text, JSON and page, the comparison, the sweep.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BacktestOptions, runBacktest } from '../../../src/app/commands/backtest.ts'
import { type TankPlant, tankPlant } from '../tankPlant.ts'

// biome-ignore lint/suspicious/noExplicitAny: read back as it was written
type Json = any

const T0 = Date.parse('2026-01-01T00:00:00Z')
const folder = mkdtempSync(path.join(tmpdir(), 'report-'))
let files: TankPlant
let plant: string
let recording: string

/** Two tiers, the yellow one with a constant; a second rule that has no single comparison. */
const rules = (yellow: string, extra = ''): string => `rules:
  - id: level
    title: { zh: 液位<高>, en: Level & "more" }
    appliesTo: { profile: tank }
    tiers:
      yellow: { when: level_pct > ${yellow}, deadband: 1 }
      red: { when: level_pct > 95 }
  - id: mixed
    appliesTo: { devices: [T-0] }
    tiers: { blue: { when: level_pct > 200 - 95 && temperature_c > 100 } }
${extra}`

beforeAll(() => {
  files = tankPlant(rules('85'))
  plant = path.dirname(files.config)
  recording = written('tanks.ndjson', samples().join('\n'))
})

afterAll(() => {
  files.remove()
  rmSync(folder, { recursive: true })
})

/** T-0 swings between 60 and 100 in 40 s, every second; T-1 climbs from 70 to 90 in 200 s; for 200 s. */
function samples(): string[] {
  return Array.from({ length: 201 }, (_, s) => {
    const swing = 80 + 20 * Math.sin((s / 40) * 2 * Math.PI)
    const at = { ts: T0 + s * 1000 }
    return `${JSON.stringify({ device: 'T-0', ...at, values: { level_pct: Number(swing.toFixed(3)) } })}\n${JSON.stringify({ device: 'T-1', ...at, values: { level_pct: 70 + s / 10 } })}`
  })
}

function written(name: string, text: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, text)
  return file
}

async function run(
  options: Partial<BacktestOptions>,
  inputs = [recording],
  folderOfPlant: string | null = plant
): Promise<{ good: boolean; printed: string[]; said: string[] }> {
  const [printed, said]: [string[], string[]] = [[], []]
  const out = { log: (line: string) => void printed.push(line), error: (line: string) => void said.push(line) }
  const good = await runBacktest(inputs, { json: false, ...(folderOfPlant === null ? {} : { plant: folderOfPlant }), ...options }, {}, out)
  return { good, printed, said }
}

async function json(options: Partial<BacktestOptions>, inputs = [recording]): Promise<Json> {
  return JSON.parse((await run({ ...options, json: true }, inputs)).printed[0]!)
}

describe('the report', () => {
  it('counts what the events tell', async () => {
    const { report, alarmEvents } = await json({})
    // The eleventh announcement, T-0 red for the fifth time, is 34 s before the end: from there on it is a flood.
    // T-0 exceeds 85 in each of five swings; T-1 once, at 70 + 15.1, and stays.
    expect(report).toMatchObject({ alarms: 6, standing: 1, worst: { yellow: 1, red: 5 }, floodMinutes: 0.567, chattering: [] })
    const announced = alarmEvents.filter((event: Json) => ['yellow', 'red'].includes(event.to) && event.from !== 'red').length
    expect(report.announced).toBe(announced)
    expect(report.firstAlarm).toEqual({ rule: 'level', device: 'T-0', at: alarmEvents[0].at, tier: 'yellow', afterMinutes: 0.033 })
    expect(report.devices.map(({ device, alarms }: Json) => [device, alarms])).toEqual([
      ['T-0', 5],
      ['T-1', 1]
    ])
    expect(report.badActors[0]).toMatchObject({ rule: 'level', device: 'T-0', share: 0.8333 })
    expect(report.days.map(({ day, alarms }: Json) => [day, alarms])).toEqual([['2026-01-01', 6]])
  })

  it('is read by people: after the events on the other stream, or alone where they go to a file', async () => {
    const both = await run({})
    expect(both.printed.every((line) => line.startsWith('{"at"'))).toBe(true)
    expect(both.said.join('\n')).toMatch(
      /^6 alarms, \d+ announced, [\d.]+ red minutes, 1 standing at the end\nFirst alarm after 2s: yellow level\/T-0/
    )
    const alone = await run({ out: path.join(folder, 'e.ndjson') })
    expect(alone.printed[0]).toBe(both.said[0])
    expect(alone.said).toEqual([both.said.at(-1)])
    expect(readFileSync(path.join(folder, 'e.ndjson'), 'utf8')).toBe(`${both.printed.join('\n')}\n`)
  })

  it('tells of one stretch: what came before is judged, not told', async () => {
    const all = await run({})
    const part = await run({ from: '2026-01-01T00:01:00Z', to: '2026-01-01T00:02:00Z' })
    const within = all.printed.filter(
      (line) => line.slice(7, 31) >= '2026-01-01T00:01:00.000Z' && line.slice(7, 31) <= '2026-01-01T00:02:00.000Z'
    )
    expect(part.printed).toEqual(within)
    expect(within.length).toBeGreaterThan(2)
    await expect(run({ from: '2026-01-01T00:01:00' })).rejects.toThrow(/needs a zone/)
    await expect(run({ from: 'yesterday' })).rejects.toThrow(/--from is an instant/)
  })
})

it('tells the same to the byte however the recording is cut into chunks, lines and files', async () => {
  const { printed } = await run({})
  const lines = samples().join('\n').split('\n')
  const padded = written('padded.ndjson', lines.map((line, i) => `${line}${' '.repeat((i * 977) % 2500)}\r\n`).join('\n'))
  const [one, two] = ['T-0', 'T-1'].map((device) => written(`${device}.ndjson`, lines.filter((line) => line.includes(device)).join('\n')))
  expect((await run({}, [padded])).printed).toEqual(printed)
  expect((await run({}, [one!, two!])).printed).toEqual(printed)
})

describe('the page', () => {
  it('holds the alarms, series and limits in two languages and asks nobody for anything', async () => {
    const file = path.join(folder, 'page.html')
    const { printed } = await run({ html: file })
    const page = readFileSync(file, 'utf8')
    for (const line of printed.map((text) => JSON.parse(text)).filter(({ from }) => from === 'clear'))
      expect(page).toContain(line.at.slice(11, 19))
    expect(page).toContain('报警规则回测')
    expect(page).toContain('Backtest of alarm rules')
    expect(page).toContain('液位&lt;高&gt;')
    expect(page).toContain('Level &amp; &quot;more&quot;')
    expect(page).toMatch(/<path class="limit yellow"[^>]*\/><text[^>]*>85</)
    expect(page.match(/<svg class="chart"/g)!.length).toBe(3)
    expect(page).not.toMatch(/\b(?:https?:)?\/\/[\w.-]+\.\w|@import|<link[^>]+href="(?!data:)|<script[^>]+src|url\(/)
    await run({ html: `${file}2` })
    expect(readFileSync(`${file}2`, 'utf8')).toBe(page)
  })

  it('cannot be written', async () => {
    await expect(run({ html: path.join(folder, 'no/such/page.html') })).rejects.toThrow(/The report cannot be written/)
  })
})

describe('against other rules', () => {
  it('says alarm by alarm what is added, removed, earlier and later', async () => {
    const lower = written('lower.yaml', rules('80'))
    const { comparison, difference } = await json({ rules: lower, against: path.join(plant, 'rules/level.yaml') })
    expect(comparison).toMatchObject({ added: 0, removed: 0, earlier: 6, later: 0, same: 0 })
    expect(comparison.changes.find(({ device }: Json) => device === 'T-1')).toMatchObject({
      change: 'earlier',
      rule: 'level',
      bySeconds: 50,
      was: { raisedAt: '2026-01-01T00:02:31.000Z', worstTier: 'yellow' },
      now: { raisedAt: '2026-01-01T00:01:41.000Z' }
    })
    expect(difference.every((line: string) => /^[-+] \{"at"/.test(line))).toBe(true)
    const higher = written('higher.yaml', rules('90'))
    const page = path.join(folder, 'against.html')
    const text = await run({ rules: higher, against: lower, out: path.join(folder, 'd'), html: page })
    expect(text.printed[0]).toBe('Against the other rules: 1 removed, 5 later, 0 the same')
    expect(text.printed).toContainEqual(expect.stringMatching(/^ {2}removed {2}level\/T-1 {2}yellow {2}2026-01-01 00:01:41$/))
    expect(readFileSync(page, 'utf8')).toContain('<span lang="en">removed</span>')
  })
})

describe('a sweep', () => {
  it('gives the figures that separate backtests give', async () => {
    const { sweep } = await json({ sweep: 'level.yellow.limit=80..92.5:2.5' })
    expect(sweep.rows.map(({ limit }: Json) => limit)).toEqual([80, 82.5, 85, 87.5, 90, 92.5])
    expect(sweep.written).toBe('85')
    for (const { limit, alarms, tierMinutes, redMinutes, problem } of sweep.rows) {
      const { report } = await json({ rules: written('one.yaml', rules(String(limit))) })
      expect([limit, problem, alarms, redMinutes]).toEqual([limit, null, report.alarms, report.redMinutes])
      expect(tierMinutes).toBe(report.tiers.find(({ tier }: Json) => tier === 'yellow').minutes)
    }
    expect(new Set(sweep.rows.map(({ alarms, tierMinutes }: Json) => `${alarms} ${tierMinutes}`)).size).toBeGreaterThan(4)
  })

  it('moves limits of devices too, downwards as well, and prints a table alone', async () => {
    const named = written('named.yaml', rules('limits.high'))
    const { printed } = await run({ rules: named, sweep: 'level.yellow.limit=88..84:2', html: path.join(folder, 's.html') })
    expect(printed[0]).toBe('level, tier yellow, in place of limits.high:')
    expect(printed.slice(2).map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
      ['88', '6'],
      ['86', '6'],
      ['84', '6']
    ])
  })

  it('has one column of minutes where the tier is red', async () => {
    const { printed } = await run({ sweep: 'level.red.limit=90..94:4' })
    expect(printed[1]!.match(/minutes/g)).toHaveLength(1)
    expect(printed.slice(2).map((line) => line.split(/\s+/).length)).toEqual([4, 4])
  })

  it('says where a limit cannot be judged, and what it cannot sweep', async () => {
    const { sweep } = await json({ sweep: 'level.yellow.limit=100..120:20' })
    expect(sweep.rows.map(({ problem }: Json) => problem === null)).toEqual([expect.any(Boolean), false])
    for (const [row, sentence] of [
      ['level.yellow=1..2:1', /cannot be read: --sweep is written like/],
      ['level.yellow.limit=1..2:0', /the step is above 0/],
      ['level.yellow.limit=0..1:0.0001', /asks for 10001 limits/],
      ['level.green.limit=1..2:1', /the tiers are blue, yellow/],
      ['other.red.limit=1..2:1', /names the rule "other", which is not among level, mixed/],
      ['level.blue.limit=1..2:1', /the rule level has yellow, red/],
      ['mixed.blue.limit=1..2:1', /has 2 comparisons/]
    ] as const)
      await expect(run({ sweep: row }), row).rejects.toThrow(sentence)
  })
})

it('says what does not go together', async () => {
  await expect(run({}, [])).rejects.toThrow(/Name the recorded files/)
  await expect(run({ fromData: folder })).rejects.toThrow(/not both/)
  await expect(run({ fromData: folder, against: 'x' }, [], null)).rejects.toThrow(/--plant/)
  await expect(run({ fromData: path.join(folder, 'none') }, [])).rejects.toThrow(/cannot be read/)
})
