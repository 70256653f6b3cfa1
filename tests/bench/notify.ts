// From an alarm to the carrier that accepts its message: at a steady 100 alarms/s, and with 10,000 alarms in a minute.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { HookReceiver, hookFiles } from '../hookReceiver.ts'
import { LiveService } from '../liveService.ts'

const STEADY_PER_SECOND = 100
const STEADY_SECONDS = 15
const FLOOD = 10_000
const FLOOD_SECONDS = 60
/** Every tenth alarm of the flood is red. */
const RED_EVERY = 10
const TICK_MS = 50

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function writePlant(folder: string, url: string): string {
  for (const name of ['profiles', 'rules']) mkdirSync(path.join(folder, name), { recursive: true })
  const { service, duty } = hookFiles(url)
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text)
  const devices = Array.from({ length: FLOOD + STEADY_PER_SECOND * STEADY_SECONDS }, (_, d) => ({
    id: `T-${d}`,
    profile: 'tank',
    gateway: 'gw'
  }))
  write('fenghuo.yaml', service.replace('warn', 'error'))
  write('duty.yaml', `floodDigest: 10s\n${duty}`)
  write('plant.json', JSON.stringify({ enterprises: [{ id: 'e' }], gateways: [{ id: 'gw', enterprise: 'e', secret: 'secret' }], devices }))
  write('profiles/tank.yaml', 'id: tank\nmetrics: { level_pct: { unit: "%", min: 0, max: 110 } }\nsilentAfter: 12h\n')
  write(
    'rules/level.yaml',
    'rules:\n  - { id: level, appliesTo: { profile: tank }, tiers: { yellow: { when: level_pct > 50 }, red: { when: level_pct > 90 } } }\n'
  )
  return path.join(folder, 'fenghuo.yaml')
}

/** Raises alarms evenly; answers when each device's reading was sent, epoch ms. */
async function raise(
  service: LiveService,
  from: number,
  count: number,
  seconds: number,
  level: (d: number) => number
): Promise<Map<string, number>> {
  const sentAt = new Map<string, number>()
  const startedAt = Date.now()
  const going: Promise<unknown>[] = []
  for (let done = 0; done < count; ) {
    const due = Math.min(count, Math.ceil(((Date.now() - startedAt) / (seconds * 1000)) * count))
    const samples: { device: string; values: { level_pct: number } }[] = []
    for (; done < due; done++) {
      const device = `T-${from + done}`
      sentAt.set(device, Date.now())
      samples.push({ device, values: { level_pct: level(done) } })
    }
    if (samples.length > 0) going.push(service.telemetry('gw', 'secret', JSON.stringify(samples)))
    await pause(TICK_MS)
  }
  await Promise.all(going)
  return sentAt
}

const deviceOf = (id: string): string => /\/(T-\d+)#/.exec(id)?.[1] ?? ''
const residentMb = (pid: number): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024)

/** Runs both and prints the figures. */
export async function notify(say: (what: string, figures: string) => void): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-bench-notify-'))
  const hooks = await HookReceiver.open()
  const { env } = hookFiles(hooks.url)
  const service = await LiveService.start({
    config: writePlant(path.join(folder, 'plant'), hooks.url),
    data: path.join(folder, 'data'),
    env
  })
  try {
    const count = STEADY_PER_SECOND * STEADY_SECONDS
    const steady = await raise(service, 0, count, STEADY_SECONDS, () => 95)
    while (hooks.ledger.length < count) await pause(TICK_MS)
    const latencies = hooks.ledger.map(({ id, at }) => at - (steady.get(deviceOf(id)) ?? at)).toSorted((one, other) => one - other)
    const share = (part: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] as number
    say(
      `red alarm to accepted by the carrier at ${STEADY_PER_SECOND} alarms/s`,
      `p50 ${share(0.5)}  p99 ${share(0.99)}  max ${share(1)} ms (${latencies.length} of ${count})`
    )

    hooks.ledger.length = 0
    const flood = await raise(service, count, FLOOD, FLOOD_SECONDS, (d) => (d % RED_EVERY === 0 ? 95 : 60))
    const endedAt = Math.max(...flood.values())
    const reds = FLOOD / RED_EVERY
    const red = () => hooks.ledger.filter(({ id }) => (Number(deviceOf(id).slice(2)) - count) % RED_EVERY === 0 && deviceOf(id) !== '')
    while (red().length < reds) await pause(TICK_MS)
    const late = Math.max(...red().map(({ id, at }) => at - (flood.get(deviceOf(id)) ?? at)))
    const lastRed = Math.max(...red().map(({ at }) => at)) - endedAt
    say(
      `${FLOOD} alarms in ${FLOOD_SECONDS} s, ${reds} of them red`,
      `last red ${lastRed} ms after the last alarm, slowest red ${late} ms, ${residentMb(service.pid)} MB`
    )
    while ((await service.get<{ items: unknown[] }>('/api/v1/notifications?state=queued&limit=1')).items.length > 0) await pause(500)
    await pause(11_000)
    const digests = hooks.ledger.filter(({ id }) => id.startsWith('digest'))
    const sizes = digests.map(({ body }) => body.length)
    const others = hooks.ledger.length - reds - digests.length
    say('the other messages of the flood', `${digests.length} digests of at most ${Math.max(0, ...sizes)} bytes, ${others} single messages`)
  } finally {
    await service.stop()
    await hooks.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
