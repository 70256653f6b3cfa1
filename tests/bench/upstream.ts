// Messages a second from gateways into the journal: through a real Mosquitto over one and four sessions, against the embedded broker,
// and against Mosquitto alone with a subscriber that keeps nothing. Into the journal only: judging costs the same in all.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Broker } from '../../src/ingest/broker.ts'
import { Journal } from '../../src/ingest/journal/journal.ts'
import { Upstream } from '../../src/ingest/upstream.ts'
import type { Plant } from '../../src/model/plant.ts'
import { awake, pause, SystemClock } from '../../src/platform/clock.ts'
import { Metrics } from '../../src/platform/metrics.ts'
import { openLink } from '../../src/platform/mqttLink.ts'
import { openMosquitto } from '../services/mosquittoServer.ts'
import type { Figures, Job } from './load.ts'

const CLIENTS = 32
const SECONDS = 5
const clock = new SystemClock()
const log = { debug() {}, info() {}, warn() {}, error: (sentence: string) => console.error(sentence) }
const plant = { gateways: Array.from({ length: CLIENTS }, (_, g) => ({ id: `bench-${g}` })) } as unknown as Plant

function load(mqttPort: number): Promise<Figures> {
  const job: Job = {
    mqttPort,
    clients: CLIENTS,
    devicesPerClient: 50,
    samplesPerMessage: 1,
    seconds: SECONDS,
    window: 10,
    rate: null,
    live: null
  }
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'load.ts'), JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  child.stdout.on('data', (bytes) => (output += bytes))
  return new Promise((resolve) => void child.once('close', () => resolve(JSON.parse(output) as Figures)))
}

/** Messages a second from the first that arrives to the last. */
async function measured(name: string, mqttPort: number, taken: () => number): Promise<void> {
  const before = taken()
  let isOver = false
  let sentAt = 0
  const loading = load(mqttPort).then(() => {
    isOver = true
    sentAt = clock.monotonic()
  })
  let count = before
  let firstAt = 0
  let lastAt = Number.POSITIVE_INFINITY
  while (!isOver || clock.monotonic() - Math.min(lastAt, sentAt + 5_000) < 500) {
    await pause(clock, 2)
    if (taken() === count) continue
    if (count === before) firstAt = clock.monotonic()
    lastAt = clock.monotonic()
    count = taken()
  }
  await loading
  const perSecond = Math.round(((count - before) / (lastAt - firstAt)) * 1000).toLocaleString('en')
  const behindMs = Math.max(0, Math.round(lastAt - sentAt))
  console.log(`${name.padEnd(58)} ${perSecond.padStart(9)} /s   (${count - before} messages; the last ${behindMs} ms after the load ended)`)
}

async function withJournal(run: (journal: Journal) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-bench-upstream-'))
  const journal = new Journal({ folder: path.join(folder, 'journal'), clock, log })
  await journal.start()
  await run(journal)
  await journal.stop()
  rmSync(folder, { recursive: true, force: true })
}

export async function upstream(): Promise<void> {
  const staying = awake()
  const mosquitto = await openMosquitto({ lines: ['allow_anonymous true', 'log_type none'] })
  const address = { scheme: 'mqtt', host: mosquitto.host, port: mosquitto.port, path: '/' } as const
  const nobody = { username: null, password: null, ca: null, cert: null, key: null }
  let heard = 0
  const bare = await openLink({
    ...{ address, credentials: nobody, clientId: 'bare', protocol: 5, clean: true, clock, keepAliveS: 20, expiryS: 0 },
    ...{ inFlight: 2000, longest: 1_000_000, connectMs: 5_000 },
    ears: {
      publish(delivery) {
        heard++
        delivery.settle()
      },
      mayRead: () => true,
      lost() {}
    }
  })
  await bare.subscribe(['fh/1/#'])
  await measured('Mosquitto alone, a subscriber that keeps nothing', mosquitto.port, () => heard)
  await bare.end()
  for (const connections of [1, 4]) {
    await withJournal(async (journal) => {
      const settings = { address, ...nobody, passwordFile: null, connections, protocol: 5 as const, clientId: `bench-${connections}` }
      const options = {
        settings,
        clock,
        log,
        metrics: new Metrics(),
        journal,
        shelf: { read: async () => null, write: async () => {} },
        plant: () => plant
      }
      const sessions = new Upstream({ ...options, standing: () => 'known', presence: () => true })
      await sessions.start()
      while (sessions.connections().length < connections) await pause(clock, 10)
      await measured(
        `Mosquitto -> journal, ${connections} connection${connections > 1 ? 's' : ''}`,
        mosquitto.port,
        () => journal.flushedSeq
      )
      await sessions.stop()
    })
  }
  await mosquitto.close()
  await withJournal(async (journal) => {
    const broker = new Broker({ host: '127.0.0.1', port: 0, clock, log, metrics: new Metrics(), journal, authenticate: async () => true })
    await broker.start()
    // Each gateway's first message brings a presence record too.
    await measured('embedded broker -> journal', broker.address!.port, () => journal.flushedSeq)
    await broker.stop()
  })
  staying.cancel()
}
