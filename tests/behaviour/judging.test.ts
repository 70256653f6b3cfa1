// The journal of alarms: whatever the way, the chunks and the kills, it is the log that `fenghuo backtest` writes of the same samples.

import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it, vi } from 'vitest'
import { Random } from '../../src/platform/random.ts'
import { type Line, MINUTE, onEachBackEnd, START, WAIT, type Yard } from './yard.ts'

// Hours, where the test takes seconds: no delay runs out while the service is down.
const RULES = `rules:
  - id: level
    title: { zh: 储罐液位, en: Tank level }
    appliesTo: { profile: tank }
    tiers:
      yellow: { when: level_pct > limits.high, deadband: 3, for: 1h, clearFor: 30m }
      red: { when: level_pct > limits.high_high, clear: level_pct < 88, for: 20m }
  - id: rising
    appliesTo: { profile: tank }
    tiers: { blue: { when: "rate(level_pct, '30m') > 0.25", clear: "rate(level_pct, '30m') < 0.1" } }
  - id: hot
    appliesTo: { profile: tank }
    tiers: { orange: { when: temperature_c > 60, deadband: 5 }, yellow: { when: "avg(temperature_c, '1h') > 55", clear: "avg(temperature_c, '1h') < 50" } }
  - id: trip
    appliesTo: { profile: tank }
    latched: true
    tiers: { red: { when: tripped > 0, for: 15m } }
  - id: sensor
    appliesTo: { profile: tank }
    tiers: { blue: { when: faulty(temperature_c) } }
  - id: two-high
    appliesTo: { profile: tank }
    per: area
    tiers: { orange: { when: "voted(2, level_pct > limits.high)", for: 20m } }
`

const SEED = 20_262
const SAMPLES = 100
const DEVICES = ['T-0', 'T-1', 'T-2', 'T-3']

interface Sample {
  readonly device: string
  readonly ts: number
  readonly values: Record<string, number | boolean | null>
}

/** Random walks around the limits, every ten minutes, with faults, values out of range and gaps; the same every time. */
function walks(): Sample[] {
  const random = new Random(SEED)
  const level = DEVICES.map(() => 82)
  const warm = DEVICES.map(() => 52)
  const samples: Sample[] = []
  for (let n = 0; n < SAMPLES; n++) {
    for (const [d, device] of DEVICES.entries()) {
      level[d] = Math.min(112, Math.max(70, (level[d] as number) + 4 * random.normal()))
      warm[d] = Math.min(75, Math.max(30, (warm[d] as number) + 4 * random.normal()))
      if (random.next() < 0.08) continue
      const temperature = random.next() < 0.05 ? null : Math.round((warm[d] as number) * 10) / 10
      const values = { level_pct: Math.round((level[d] as number) * 10) / 10, temperature_c: temperature, tripped: random.next() < 0.15 }
      samples.push({ device, ts: START + n * 10 * MINUTE + d, values })
    }
  }
  return samples
}

/** Sends in order in pieces of any size, for one gateway by MQTT, for the other by HTTP; again whatever an end of the service left in doubt. */
async function send(yard: Yard, samples: readonly Sample[], random: Random): Promise<void> {
  for (let from = 0; from < samples.length; ) {
    const piece = samples.slice(from, from + 1 + Math.floor(random.next() * 12))
    for (const gateway of ['gw-0', 'gw-1']) {
      const own = piece.filter(({ device }) => `gw-${Number(device.slice(2)) % 2}` === gateway)
      if (own.length === 0) continue
      await vi.waitFor(async () => {
        if (gateway === 'gw-1') return expect((await yard.post(gateway, own)).status).toBe(202)
        const connection = await yard.connect(gateway)
        await connection.publish('telemetry', own)
        await connection.end()
      }, WAIT)
    }
    from += piece.length
  }
}

onEachBackEnd({ rules: RULES, alone: ['postgres', 'mosquitto'] }, (yard) => {
  it('is what a backtest of the same samples says, through kills and restarts', { timeout: 120_000 }, async () => {
    const samples = walks()
    const random = new Random(SEED + 1)
    const third = Math.floor(samples.length / 3)
    await send(yard(), samples.slice(0, third), random)
    const sending = send(yard(), samples.slice(third, 2 * third), random)
    await yard().restart('kill')
    await sending
    await yard().restart('stop')
    await send(yard(), samples.slice(2 * third), random)

    // Device by device, since their times interleave otherwise where they come from one file.
    const logs = DEVICES.map(async (device): Promise<[string, string[]]> => {
      const file = path.join(yard().folder, `${device}.ndjson`)
      const own = samples.filter((sample) => sample.device === device)
      writeFileSync(file, own.map((sample) => `${JSON.stringify(sample)}\n`).join(''))
      const lines = await backtest(yard(), [file, '--plant', path.dirname(yard().config)], device)
      return [device, lines.filter((line) => line.includes(`"device":"${device}"`))]
    })
    const expected = new Map(await Promise.all(logs))
    const count = [...expected.values()].reduce((sum, lines) => sum + lines.length, 0)
    expect(count).toBeGreaterThan(40)
    const found = await yard().eventsOnce((lines) => expect(lines.filter(({ device }) => device !== undefined)).toHaveLength(count))
    for (const [device, lines] of expected) {
      expect(inOrder(found.filter((line) => line.device === device))).toEqual(inOrder(lines.map((line) => JSON.parse(line) as Line)))
    }
    expect(found.some(({ area, rule }) => area !== undefined && rule === 'two-high')).toBe(true)
    // All together, areas included, from what the service itself wrote down.
    await yard().restart('stop')
    const again = await backtest(yard(), ['--from-data', yard().data], 'all')
    const live = (await yard().events()).map((line) => JSON.stringify(line))
    expect(live).toEqual(again)
    // And as pages of any size, and by time.
    const some = await yard().get(`/alarm-events?from=2026-01-01T05:00:00Z&to=2026-01-01T15:00:00Z&limit=1000`)
    const within = found.filter(({ at }) => at >= '2026-01-01T05:00:00.000Z' && at < '2026-01-01T15:00:00.000Z')
    expect(some.body).toEqual({ items: within, next: null })
    const paged: unknown[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await yard().get(`/alarm-events?limit=9${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
      paged.push(...body.items)
      cursor = body.next
    }
    expect(paged).toEqual(found)
  })
})

/**
 * Lines by instant and rule. What one message causes is in this order; in a file each sample is an input of its own, and what falls
 * due at the very instant of a reading comes after what the reading does.
 */
function inOrder(lines: readonly Line[]): string[] {
  const key = ({ at, rule = '' }: Line): string => `${at} ${rule}`
  return lines.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)).map((line) => JSON.stringify(line))
}

/** The event lines of a backtest. */
async function backtest(yard: Yard, options: readonly string[], name: string): Promise<string[]> {
  const file = path.join(yard.folder, `${name}.events.ndjson`)
  const outcome = await yard.command('backtest', ...options, '--out', file)
  if (outcome.code !== 0) throw new Error(outcome.output)
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
}
