// npm run bench [-- NAME … --data=FOLDER]: figures of the real service on this machine, the load generator in a process of its own.
// Programs that print figures; nothing here asserts a time.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { LiveService } from '../liveService.ts'
import { history } from './history.ts'
import { ingest } from './ingest.ts'
import type { Figures, Job } from './load.ts'
import { notify } from './notify.ts'
import { upstream } from './upstream.ts'

const CLIENTS = 32
const MANY_CLIENTS = 256
const DEVICES_PER_CLIENT = 50
const PROFILE = process.argv.includes('--cpu-prof')
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'))

const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** A plant of benchmark gateways and as many devices, two rules of two tiers on each. */
function writePlant(name: string, clients: number, devicesPerClient: number): string {
  const home = path.join(folder, name)
  for (const part of ['profiles', 'rules']) mkdirSync(path.join(home, part), { recursive: true })
  const gateways = Array.from({ length: clients }, (_, g) => ({ id: `bench-${g}`, enterprise: 'bench', secret: 'bench-secret' }))
  const devices = gateways.flatMap(({ id }) =>
    [...Array.from({ length: devicesPerClient }, (_, d) => `${id}-${d}`), `${id}-alarm`].map((device) => ({
      id: device,
      profile: 'bench',
      gateway: id
    }))
  )
  writeFileSync(path.join(home, 'fenghuo.yaml'), 'logLevel: error\n')
  writeFileSync(path.join(home, 'plant.json'), JSON.stringify({ enterprises: [{ id: 'bench' }], gateways, devices }))
  writeFileSync(
    path.join(home, 'profiles/bench.yaml'),
    'id: bench\nmetrics: { v: { unit: "1", min: -10, max: 110 } }\nlimits: { high: 80, high_high: 95, low: 10 }\nsilentAfter: 1h\n'
  )
  const rule = (id: string, tiers: string): string => `  - { id: ${id}, appliesTo: { profile: bench }, tiers: { ${tiers} } }\n`
  writeFileSync(
    path.join(home, 'rules/bench.yaml'),
    `rules:\n${rule('high', 'yellow: { when: v > limits.high, deadband: 5 }, red: { when: v > limits.high_high, clear: v < 85, for: 10s }')}${rule('low', 'yellow: { when: v < limits.low, deadband: 2, for: 10s }, orange: { when: v < 5, for: 5s }')}`
  )
  return path.join(home, 'fenghuo.yaml')
}

async function load(service: LiveService, job: Partial<Job>): Promise<Figures> {
  const live = { url: `${service.httpAddress}/api/v1/live`, cookie: await service.cookie() }
  return generate({ mqttPort: Number(new URL(service.mqttAddress).port), live, ...job })
}

async function generate(job: Partial<Job> & { readonly mqttPort: number }): Promise<Figures> {
  const whole: Job = {
    clients: CLIENTS,
    devicesPerClient: DEVICES_PER_CLIENT,
    samplesPerMessage: 1,
    seconds: 8,
    window: 10,
    rate: null,
    live: null,
    ...job
  }
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'load.ts'), JSON.stringify(whole)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  for await (const chunk of child.stdout) output += chunk
  return JSON.parse(output) as Figures
}

function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
  return Math.round(Number(kb) / 1024)
}

async function withService(plant: string, name: string, act: (service: LiveService) => Promise<void>): Promise<void> {
  const env: Record<string, string> = PROFILE
    ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${path.join(process.cwd(), 'bench-profiles', name)}` }
    : {}
  const service = await LiveService.start({ config: plant, data: path.join(folder, `data-${name}`), env })
  try {
    await act(service)
  } finally {
    await service.stop()
    if (name !== 'recovery') rmSync(path.join(folder, `data-${name}`), { recursive: true, force: true })
  }
}

const say = (what: string, figures: string): void => console.log(`${what.padEnd(58)} ${figures}`)
const rounded = (value: number): string => Math.round(value).toLocaleString('en')
const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1)

async function throughput(plant: string): Promise<void> {
  for (const [samplesPerMessage, window, clients] of [
    [1, 1, CLIENTS],
    [1, 1, MANY_CLIENTS],
    [1, 10, CLIENTS],
    [50, 1, CLIENTS],
    [50, 10, CLIENTS]
  ] as const) {
    await withService(plant, `throughput-${samplesPerMessage}-${window}-${clients}`, async (service) => {
      const { acknowledged, seconds } = await load(service, { samplesPerMessage, window, clients })
      const perSecond = acknowledged / seconds
      const readings = samplesPerMessage === 1 ? '' : ` = ${rounded(perSecond * samplesPerMessage)} readings/s`
      const what = samplesPerMessage === 1 ? 'single readings' : `batches of ${samplesPerMessage}`
      say(
        `${what}, QoS 1, ${clients} clients, ${window} in flight each`,
        `${rounded(perSecond)} acknowledged/s${readings}, ${residentMb(service.pid)} MB`
      )
    })
  }
}

async function latency(plant: string): Promise<void> {
  for (const rate of [1_000, 5_000, 10_000, 20_000]) {
    await withService(plant, `latency-${rate}`, async (service) => {
      const { latencies, alarmsSent, acknowledged, seconds } = await load(service, { rate, seconds: 15 })
      const figures = `p50 ${at(latencies, 0.5)}  p99 ${at(latencies, 0.99)}  max ${at(latencies, 1)} ms  (${latencies.length} of ${alarmsSent} alarms, ${rounded(acknowledged / seconds)} messages/s)`
      say(`publish to SSE at ${rounded(rate)} messages/s`, figures)
    })
  }
}

async function memory(): Promise<void> {
  const seen: number[] = []
  for (const devices of [0, 100_000]) {
    await withService(writePlant(`memory-${devices}`, 10, devices / 10), `memory-${devices}`, async (service) => {
      await service.get('/api/v1/overview')
      seen.push(residentMb(service.pid))
    })
  }
  say('memory at rest', `${seen[0]} MB with 10 devices, ${seen[1]} MB with 100,000 (2 rules each): ${seen[1]! - seen[0]!} MB per 100,000`)
}

async function recovery(plant: string): Promise<void> {
  const data = path.join(folder, 'data-recovery')
  let service = await LiveService.start({ config: plant, data })
  const journalBytes = (): number =>
    readdirSync(path.join(data, 'journal')).reduce((sum, name) => sum + statSync(path.join(data, 'journal', name)).size, 0)
  while (journalBytes() < 1024 ** 3) await load(service, { samplesPerMessage: 50, window: 10, seconds: 5 })
  await service.kill()
  const bytes = journalBytes()
  const startedAt = performance.now()
  service = await LiveService.start({ config: plant, data })
  const ms = performance.now() - startedAt
  say('kill -9, then running again', `${(ms / 1000).toFixed(2)} s with ${(bytes / 1024 ** 3).toFixed(2)} GB of journal`)
  await service.stop()
}

const plant = writePlant('plant', MANY_CLIENTS, DEVICES_PER_CLIENT)
/** The rules alone, their share in the whole work, and backtests (of `--data=FOLDER`), each in a process of its own. */
async function rules(): Promise<void> {
  const recorded = process.argv.find((word) => word.startsWith('--data='))?.slice('--data='.length)
  await program('rules.ts')
  await program('work.ts', ...(recorded === undefined ? [] : [recorded]))
}

async function program(file: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['--expose-gc', path.join(import.meta.dirname, file), ...args], { stdio: 'inherit' })
  await new Promise((resolve) => child.once('exit', resolve))
}

const benches: Record<string, () => Promise<void>> = {
  rules,
  throughput: () => throughput(plant),
  latency: () => latency(plant),
  memory,
  recovery: () => recovery(plant),
  history: () => history(say),
  ingest: () => ingest({ plant, data: (name) => path.join(folder, `data-${name}`), load: generate, say }),
  notify: () => notify(say),
  state: () => program('state.ts'),
  workers: () => program('deliveryWorkers.ts'),
  upstream
}
console.log(`Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model}), load generator on the same cores\n`)
for (const [name, run] of Object.entries(benches)) if (wanted.length === 0 || wanted.includes(name)) await run()
