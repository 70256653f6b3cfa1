// Joins the rooms into one running service. Reads like the diagram in ARCHITECTURE.md: what is leaned on starts first and
// stops last; the doors open last and close first. Nobody is told anything before they are open.

import path from 'node:path'
import { Access } from '../access/access.ts'
import { Anchors } from '../access/anchors.ts'
import { hashOf, mosquittoHashOf } from '../access/phc.ts'
import { Book } from '../alerts/book.ts'
import { LiveHub } from '../api/live.ts'
import type { ApiParts, HealthReport } from '../api/parts.ts'
import { ApiServer } from '../api/server.ts'
import { roleGauge } from '../api/standby.ts'
import { History } from '../history/history.ts'
import { MessageCounts } from '../ingest/brokerCounts.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import { Metrics } from '../platform/metrics.ts'
import { type Part, type RunningParts, startAll } from '../platform/parts.ts'
import { Refusal } from '../platform/problem.ts'
import { Amending } from './amend/amending.ts'
import type { AmendedPlant } from './amend/apply.ts'
import { amendedAtStart, overlayHealth } from './amend/start.ts'
import { holdFor } from './backup/hold.ts'
import { type Certificates, certificatesOf } from './certificates.ts'
import type { Config } from './config/service.ts'
import type { Configured } from './configured.ts'
import { Control } from './control.ts'
import { markLayout } from './dataFolder.ts'
import { healthOf } from './health.ts'
import { Loop } from './loop.ts'
import { countReadings } from './metrics.ts'
import { type MqttDoor, mqttDoorOf, mqttHealth } from './mqttDoor.ts'
import type { PipelineSnapshot } from './pipeline.ts'
import { Plants } from './plants.ts'
import { Rate } from './rate.ts'
import { Snapshots } from './snapshots.ts'
import { openGround, type Standing } from './standby/ground.ts'
import { type Seat, takeSeat } from './standby/seat.ts'
import { doubtAfterLoss, tellTakeOver, withTerm } from './standby/telling.ts'
import { submitTo } from './submit.ts'
import { type TellingRooms, tellingOf } from './telling.ts'
import { VERSION } from './version.ts'
import { type EventListener, watchFor } from './watch.ts'

const CONSOLE_FOLDER = path.join(import.meta.dirname, '..', '..', 'console', 'dist')

/** A running service. */
export interface House extends RunningParts {
  readonly httpAddress: string
  /** Of the embedded broker, or the external one; null where MQTT is off. */
  readonly mqttAddress: string | null
  /** The first user's generated password: there is no second chance to read it. Null where one was given or exists. */
  readonly generatedPassword: string | null
  /** Reads certificates again; those that cannot be used leave the present ones in place. */
  reload(): Promise<void>
  /** Resolves, if ever, with why the service cannot go on: it must be stopped and the process must end. */
  readonly failure: Promise<Refusal>
}

/** What everything is built from. */
interface Ground extends Standing {
  readonly config: Config
  readonly amended: AmendedPlant
  readonly access: Access
  readonly anchors: Anchors
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly certificates: Certificates
}

/**
 * Starts everything over the data folder of the configuration, in the seat that was taken for it. Throws a Refusal where something
 * stands in the way, also where another instance is active.
 */
export async function assemble(
  configured: Configured,
  clock: Clock,
  log: Log,
  { listener, seat }: { readonly listener?: EventListener; readonly seat?: Seat } = {}
): Promise<House> {
  const { config, plant, source } = configured
  const standing = await openGround(config, seat ?? ((await takeSeat(config, clock, log)) as Seat), clock, log)
  const { folder, journal, state, stored, term } = standing
  const access = new Access({ state, reads: stored.reads, clock, log, oidc: config.oidc })
  const amended = await amendedAtStart(source, plant, access, log).catch(async (cause) => {
    await journal.stop()
    await standing.release()
    throw cause
  })
  await markLayout(folder, log)
  const anchors = new Anchors({ audit: access.audit, file: config.audit.anchors, clock, log })
  const metrics = new Metrics()
  const certificates = certificatesOf(config, clock, log, metrics)
  const ground = { config, amended, access, anchors, clock, log, metrics, certificates, ...standing }
  const rooms = roomsOver(ground)
  const { book, history, loop } = rooms
  const { api, broker, rate, live, telling } = doorsOf(ground, rooms)
  loop.watch(watchFor({ live, broker, log, loop, courier: telling.telling.courier, listener }))
  countReadings(ground.metrics, { loop, journal })
  roleGauge(ground.metrics, 'active', () => term?.lease.epoch ?? 0)
  access.setPlant(amended.plant)

  let generatedPassword: string | null = null
  const firstUser: Part = {
    name: 'first user',
    start: async () => {
      generatedPassword = await access.ensureAdmin(config.adminPassword)
      if (term !== null) await tellTakeOver(term, access.audit, log)
    },
    stop: async () => {}
  }
  // Both are held already, so their starts cannot fail: whatever else does, they are let go of, the lease with them.
  const store: Part = { name: 'state store', start: async () => {}, stop: () => standing.release() }
  const loaded: Part = { name: 'alarm book', start: () => book.load(), stop: async () => {} }
  const mqttAddress = (): string | null => (config.mqtt.enabled ? broker.shownAddress : null)
  const control = new Control(folder, log, {
    who: () => ({ version: VERSION, pid: process.pid, http: api.address, mqtt: mqttAddress() }),
    ...holdFor({ folder, loop, history: config.history.influx === null ? history : null, journal })
  })
  const doubts: Part = { name: 'doubts', start: () => doubtAfterLoss(standing, log), stop: async () => {} }
  const freePorts: Part = { name: 'standby', start: async () => seat?.endWaiting?.(), stop: async () => {} }
  const doors = config.mqtt.enabled ? [api, broker, control] : [api, control]
  // With PostgreSQL the last group is committed there, so the journal ends first.
  const onGround: readonly Part[] = term === null ? [journal, store] : [store, journal]
  const parts = [
    ...onGround,
    loaded,
    anchors,
    access,
    firstUser,
    history,
    loop,
    doubts,
    ...telling.parts,
    rate,
    ...certificates.parts,
    freePorts,
    ...doors,
    telling.speaking
  ]
  const running = await startAll(parts, clock, log).catch((cause: unknown) => {
    if (generatedPassword === null || !(cause instanceof Refusal)) throw cause
    // The user is in the store now: the next start would not say the password.
    throw new Refusal(`${cause.message} First sign-in, made before that: admin / ${generatedPassword}   (shown this once)`, { cause })
  })
  return {
    stop: (deadlineMs) => running.stop(deadlineMs),
    reload: certificates.reload,
    httpAddress: api.address,
    mqttAddress: mqttAddress(),
    generatedPassword,
    failure: Promise.race([loop.failure, stored.lost])
  }
}

interface Rooms {
  readonly book: Book
  readonly history: History
  readonly loop: Loop
  readonly plants: Plants
}

function roomsOver({ config, amended, clock, log, folder, journal, state, stored, copy, copying }: Ground): Rooms {
  const book = new Book(state, stored.reads)
  const { memoryMb, threads, retentionDays, influx } = config.history
  const history = new History({ folder: path.join(folder, 'history'), clock, log, memoryMb, threads, retentionDays, influx })
  const plants = new Plants(path.join(folder, 'plants'), copy)
  const snapshots = new Snapshots<PipelineSnapshot>(path.join(folder, 'snapshots'), log)
  const options = { clockSkewMs: config.clockSkewMs }
  const loop = new Loop({
    clock,
    log,
    journal,
    book,
    history,
    plant: amended.plant,
    plants,
    snapshots,
    options,
    retention: config.journal,
    copying
  })
  return { book, history, loop, plants }
}

interface Doors {
  readonly api: ApiServer
  readonly broker: MqttDoor
  readonly rate: Rate
  readonly live: LiveHub
  readonly telling: TellingRooms
}

function doorsOf(
  { config, clock, log, metrics, certificates, journal, access, anchors, amended, state, stored, term, copying }: Ground,
  { book, history, loop, plants }: Rooms
): Doors {
  const causeGone = (alarm: string) => loop.pipeline.causeGone(alarm)
  const serviceWindows = () => loop.pipeline.desk.windows()
  const suppression = () => loop.pipeline.suppression
  const marks = () => loop.pipeline.marks
  const plant = () => {
    const { fleet, latest, presence } = loop.pipeline
    return { fleet, latest, presence, causeGone, serviceWindows, suppression, marks }
  }
  const live = new LiveHub({ clock, book, plant, metrics, log })
  const counts = new MessageCounts(metrics)
  const rate = new Rate(clock, counts.received)
  const authenticate = (gateway: string, secret: string | null) => access.verifyGateway(gateway, secret)
  const standing = (gateway: string) => access.gatewayStands(gateway)
  const embedded = { ...config.mqtt, tls: certificates.mqtt, clock, log, metrics, counts, journal, authenticate, standing }
  const broker = mqttDoorOf({ embedded, settings: config.mqtt.upstream, state, amended, loop })
  const submit = submitTo({ journal, loop, counts, book, audit: access.audit, state })
  const health = (): HealthReport => {
    const report = healthOf({
      clock,
      journal,
      stored,
      loop,
      history,
      rate,
      changes: overlayHealth(amended),
      anchors,
      elsewhere: access.elsewhere,
      telling: telling.health(),
      certificates: certificates.health(),
      mqtt: config.mqtt.enabled ? mqttHealth(broker) : []
    })
    return withTerm(report, term, config, copying?.lacks ?? null)
  }
  const telling = tellingOf({
    config,
    clock,
    log,
    metrics,
    state,
    reads: stored.reads,
    journal,
    book,
    loop,
    audit: access.audit,
    submit,
    plant,
    health
  })
  // Where the gateways connect to a broker of their own, `broker export` must have something that it can check.
  const hashOfSecret = config.mqtt.upstream === null ? hashOf : mosquittoHashOf
  const amender = new Amending({ clock, log, access, plants, journal, loop, broker, hashOf: hashOfSecret }, amended)
  const http = { ...config.http, tls: certificates.http }
  const consoleFolder = CONSOLE_FOLDER
  const explain: ApiParts['explain'] = (rule, subject) => loop.pipeline.explain(rule, subject)
  const doubts: ApiParts['doubts'] = (seen) => loop.pipeline.doubts(seen)
  const api = new ApiServer({
    clock,
    log,
    metrics,
    http,
    consoleFolder,
    access,
    book,
    history,
    plant,
    explain,
    doubts,
    submit,
    telling: telling.telling,
    amender,
    health,
    live
  })
  return { api, broker, rate, live, telling }
}
