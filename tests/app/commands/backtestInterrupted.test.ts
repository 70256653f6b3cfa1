// A backtest that is interrupted and begun again tells the same to the byte: nothing of the broken run is left in its output.

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type TankPlant, TIMED_RULES, tankPlant } from '../tankPlant.ts'

const MAIN = path.join(import.meta.dirname, '../../../src/main.ts')
let files: TankPlant
let recording: string

beforeAll(() => {
  files = tankPlant(TIMED_RULES, { silentAfter: '5s' })
  recording = path.join(files.folder, 'recording.ndjson')
  const began = Date.parse('2026-01-01T00:00:00Z')
  // Four tanks, 40,000 samples each, an alarm now and then.
  const lines = Array.from({ length: 160_000 }, (_, n) =>
    JSON.stringify({
      device: `T-${n % 4}`,
      ts: began + n * 250,
      values: { level_pct: n % 97 < 9 ? 90 : 50, temperature_c: n % 61 < 5 ? 70 : 20 }
    })
  )
  writeFileSync(recording, lines.join('\n'))
})

afterAll(() => files.remove())

function run(out: string) {
  const child = spawn(process.execPath, [MAIN, 'backtest', recording, '--plant', path.dirname(files.config), '--out', out], {
    stdio: 'ignore'
  })
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  return { child, ended }
}

it('tells the same after Ctrl-C in the middle', async () => {
  const [whole, broken] = ['whole', 'broken'].map((name) => path.join(files.folder, `${name}.ndjson`)) as [string, string]
  expect(await run(whole).ended).toEqual({ code: 0, signal: null })
  expect(readFileSync(whole, 'utf8').split('\n').length).toBeGreaterThan(5000)

  const { child, ended } = run(broken)
  await vi.waitFor(() => expect(existsSync(broken) && statSync(broken).size).toBeGreaterThan(0), { timeout: 20_000, interval: 1 })
  child.kill('SIGINT')
  const { code, signal } = await ended
  expect(code === 0 && signal === null).toBe(false)
  expect(statSync(broken).size).toBeLessThan(statSync(whole).size)
  expect(await run(broken).ended).toEqual({ code: 0, signal: null })
  expect(readFileSync(broken).equals(readFileSync(whole))).toBe(true)
})
