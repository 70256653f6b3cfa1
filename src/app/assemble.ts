// Joins the rooms into one running service. Reads like the diagram in ARCHITECTURE.md: what is leaned on starts first and
// stops last; the doors open last and close first.

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { Access } from '../access/access.ts'
import { Book } from '../alerts/book.ts'
import { LiveHub } from '../api/live.ts'
import type { ApiParts } from '../api/parts.ts'
import { ApiServer } from '../api/server.ts'
import { History } from '../history/history.ts'
import { Broker } from '../ingest/broker.ts'
import { MessageCounts } from '../ingest/brokerCounts.ts'
import { Journal } from '../ingest/journal/journal.ts'
import type { Plant } from '../model/plant.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import { Metrics } from '../platform/metrics.ts'
import { type Part, type RunningParts, startAll } from '../platform/parts.ts'
import { messageOf, Refusal } from '../platform/problem.ts'
import { openState } from '../store/state.ts'
import type { Config } from './config/service.ts'
import { healthOf } from './health.ts'
import { Loop } from './loop.ts'
import { countReadings } from './metrics.ts'
import type { PipelineSnapshot } from './pipeline.ts'
import { Plants } from './plants.ts'
import { Snapshots } from './snapshots.ts'
import { submitTo } from './submit.ts'
import { type EventListener, watchFor } from './watch.ts'

const CONSOLE_FOLDER = path.join(import.meta.dirname, '..', '..', 'console', 'dist')

/** A running service. */
export interface House extends RunningParts {
  readonly httpAddress: string
  /** Null where the embedded broker is off. */
  readonly mqttAddress: string | null
  /** The first user's generated password: there is no second chance to read it. Null where one was given or exists. */
  readonly generatedPassword: string | null
  /** Resolves, if ever, with why the service cannot go on: it must be stopped and the process must end. */
  readonly failure: Promise<Refusal>
}

/** Starts everything over the data folder of the configuration. Throws a Refusal where something stands in the way. */
export async function assemble(config: Config, plant: Plant, clock: Clock, log: Log, listener?: EventListener): Promise<House> {
  const folder = await dataFolder(config.data)
  const metrics = new Metrics()
  const journal = new Journal({ folder: path.join(folder, 'journal'), clock, log })
  await journal.start()
  const state = await openState(path.join(folder, 'state.db')).catch(async (cause) => {
    await journal.stop()
    throw cause
  })
  const book = new Book(state)
  const access = new Access({ state, clock, log })
  const history = new History({
    folder: path.join(folder, 'history'),
    clock,
    log,
    memoryMb: config.history.memoryMb,
    threads: config.history.threads,
    retentionDays: config.history.retentionDays
  })
  const loop = new Loop({
    clock,
    log,
    journal,
    book,
    history,
    plant,
    plants: new Plants(path.join(folder, 'plants')),
    snapshots: new Snapshots<PipelineSnapshot>(path.join(folder, 'snapshots'), log),
    options: { clockSkewMs: config.clockSkewMs },
    retention: { bytes: config.journal.bytes, ageMs: config.journal.ageMs }
  })
  const view = () => ({ fleet: loop.pipeline.fleet, latest: loop.pipeline.latest, presence: loop.pipeline.presence })
  const live = new LiveHub({ clock, book, plant: view, metrics, log })
  const counts = new MessageCounts(metrics)
  const broker = new Broker({
    host: config.mqtt.host,
    port: config.mqtt.port,
    clock,
    log,
    metrics,
    counts,
    journal,
    authenticate: (gateway, secret) => access.verifyGateway(gateway, secret)
  })
  const health: ApiParts['health'] = () => healthOf({ clock, journal, loop, history })
  const api = new ApiServer({
    clock,
    log,
    metrics,
    http: config.http,
    consoleFolder: CONSOLE_FOLDER,
    access,
    book,
    history,
    plant: view,
    submit: submitTo({ journal, loop, counts }),
    health,
    live
  })
  loop.watch(watchFor({ live, broker, log, loop, listener }))
  countReadings(metrics, { loop, journal })
  access.setPlant(plant)

  let generatedPassword: string | null = null
  const admin: Part = {
    name: 'first user',
    start: async () => {
      generatedPassword = await access.ensureAdmin(config.adminPassword)
    },
    stop: async () => {}
  }
  const store: Part = { name: 'state store', start: () => book.load(), stop: () => state.destroy() }
  const parts = [journal, store, access, admin, history, loop, api, ...(config.mqtt.enabled ? [broker] : [])]
  const running = await startAll(parts, clock, log)
  return {
    stop: (deadlineMs) => running.stop(deadlineMs),
    httpAddress: api.address,
    mqttAddress: broker.address === null ? null : `mqtt://${broker.address.host}:${broker.address.port}`,
    generatedPassword,
    failure: loop.failure
  }
}

async function dataFolder(folder: string): Promise<string> {
  const absolute = path.resolve(folder)
  try {
    await mkdir(absolute, { recursive: true, mode: 0o750 })
    return absolute
  } catch (cause) {
    throw new Refusal(
      `The data folder ${absolute} cannot be made: ${messageOf(cause)}. Choose another with FENGHUO_DATA, or mend its rights.`,
      { cause }
    )
  }
}
