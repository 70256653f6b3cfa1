// fenghuo demo: the service on an empty data folder with the sample plant, simulated devices, a scripted incident, and a carrier
// on this machine that stands in for the real one.

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import { SimulatedFleet } from '../../../simulators/fleet.ts'
import type { CommittedEvent } from '../../alerts/book.ts'
import type { Level } from '../../model/tier.ts'
import { SystemClock } from '../../platform/clock.ts'
import { openLog } from '../../platform/log.ts'
import { Refusal } from '../../platform/problem.ts'
import { assemble } from '../assemble.ts'
import { configured } from '../configured.ts'
import { DemoCarrier } from '../demoCarrier.ts'
import { untilSignal } from '../signals.ts'
import { eventSentence } from '../watch.ts'
import { loadScript } from './simulate.ts'

const HOME = path.join(import.meta.dirname, '..', '..', '..')
const PLANT = path.join(HOME, 'config')
const SCRIPT = path.join(HOME, 'simulators', 'scripts', 'demo.yaml')
const STOP_DEADLINE_MS = 10_000

export function demoCommand(program: Command): void {
  program.command('demo').description('show a working plant: service, console, simulated devices and a scripted incident').action(demo)
}

async function demo(): Promise<void> {
  const ended = untilSignal()
  const folder = await mkdtemp(path.join(tmpdir(), 'fenghuo-demo-'))
  try {
    await runDemo(folder, ended)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runDemo(folder: string, ended: Promise<string>): Promise<void> {
  const { config, ...plant } = configured(PLANT, { ...process.env, FENGHUO_DATA: folder })
  const http = { ...config.http, port: await freePort(config.http.host, config.http.port) }
  const mqtt = { ...config.mqtt, port: await freePort(config.mqtt.host, config.mqtt.port) }
  const clock = new SystemClock()
  const carrier = new DemoCarrier(clock, (line) =>
    console.log(styleText('cyan', `${timeOf(clock.now())}  ${line}`, { stream: process.stdout }))
  )
  const toCarrier = await carrier.start(config, plant.plant.duty?.people ?? [])
  const publicUrl = http.port === 0 ? null : `http://${http.host}:${http.port}`
  const notifications = { ...config.notifications, publicUrl }
  const house = await assemble({ ...plant, config: { ...toCarrier, http, mqtt, notifications } }, clock, openLog('warn'), {
    listener: { events: (committed) => committed.forEach(printEvent) }
  }).catch(async (cause) => {
    await carrier.stop()
    throw cause
  })
  console.log(`\n  Console   ${house.httpAddress}`)
  console.log(`  Sign in   admin / ${house.generatedPassword ?? '(the password in FENGHUO_ADMIN_PASSWORD)'}`)
  console.log(`  MQTT      ${house.mqttAddress}   (gateway gw-01, secret demo-gw-tank-farm)`)
  console.log('  Messages go to a carrier in this process: no number is real, nothing is sent to anybody.')
  console.log('  An incident begins in half a minute. Ctrl-C ends the demo.\n')
  const fleet = await SimulatedFleet.connect(loadScript(SCRIPT, null), {
    url: house.mqttAddress ?? '',
    clock,
    env: process.env,
    seed: 1,
    onState: () => {}
  })
  const running = fleet.run()
  const end = await Promise.race([ended, house.failure])
  fleet.stop()
  await running
  const well = await house.stop(STOP_DEADLINE_MS)
  await carrier.stop()
  if (typeof end !== 'string') throw end
  if (!well) throw new Refusal('Not everything ended as it should.')
}

const COLOURS = { clear: 'green', blue: 'blue', yellow: 'yellow', orange: 'magenta', red: 'red' } as const satisfies Record<Level, string>

function printEvent(committed: CommittedEvent): void {
  const { event } = committed
  const sentence = `${timeOf(event.at)}  ${eventSentence(committed)}`
  console.log(event.kind === 'action' ? sentence : styleText(COLOURS[event.to], sentence, { stream: process.stdout }))
}

function timeOf(at: number): string {
  return new Date(at).toISOString().slice(11, 19)
}

/** The port itself where nobody listens there, else any free one. */
async function freePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (cause: NodeJS.ErrnoException) => (cause.code === 'EADDRINUSE' ? resolve(0) : reject(cause)))
    probe.listen(port, host, () => probe.close(() => resolve(port)))
  })
}
