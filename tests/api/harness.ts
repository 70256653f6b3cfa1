// The API over real parts in a temporary folder: state store, book, access, history, intake, engine, live hub. In place of the
// broker the tests say which messages arrive; which alarm events there are, they say themselves: the engine's are for `explain`.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { expect, vi } from 'vitest'
import { Access } from '../../src/access/access.ts'
import type { OidcSettings } from '../../src/access/oidc.ts'
import { ROLES, type Role } from '../../src/access/roles.ts'
import { Book, type CommittedEvent } from '../../src/alerts/book.ts'
import type { Channel } from '../../src/alerts/channels/channel.ts'
import { Desk } from '../../src/alerts/desk.ts'
import { type DrillEffects, Drilling } from '../../src/alerts/drilling.ts'
import { Marks } from '../../src/alerts/marks.ts'
import { Telling } from '../../src/alerts/telling.ts'
import { LiveHub } from '../../src/api/live.ts'
import type { ApiParts, HealthReport } from '../../src/api/parts.ts'
import { ApiServer, buildApi } from '../../src/api/server.ts'
import { History } from '../../src/history/history.ts'
import { Intake } from '../../src/ingest/intake.ts'
import { Latest } from '../../src/ingest/latest.ts'
import type { AlarmEvent, DeskEvent, Transition } from '../../src/model/alarm.ts'
import { isDrillId } from '../../src/model/drill.ts'
import { type Fleet, numberFleet } from '../../src/model/fleet.ts'
import type { Reject } from '../../src/model/journal.ts'
import type { MarkChange } from '../../src/model/mark.ts'
import type { Plant } from '../../src/model/plant.ts'
import { ReadingColumns } from '../../src/model/readings.ts'
import type { SuppressionChange } from '../../src/model/suppression.ts'
import type { Level } from '../../src/model/tier.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Metrics } from '../../src/platform/metrics.ts'
import { Random } from '../../src/platform/random.ts'
import { Engine } from '../../src/rules/engine.ts'
import { Suppression } from '../../src/rules/suppression.ts'
import type { State } from '../../src/store/schema.ts'
import { happenings } from '../alerts/yard.ts'
import { openStore } from '../store/stateYard.ts'
import { PLANT } from './plant.ts'

export const START = Date.parse('2026-01-01T08:00:00.000Z')
export const PASSWORD = 'correct horse battery'

/** A transition of `rule/device#raisedAt`. */
export function turn(
  rule: string,
  subject: { device: string } | { area: string },
  raisedAt: number,
  at: number,
  from: Level,
  to: Level
): AlarmEvent {
  const device = 'device' in subject ? subject.device : null
  const area = 'area' in subject ? subject.area : null
  return { kind: 'transition', at, rule, device, area, from, to, id: `${rule}/${device ?? area}#${raisedAt}`, because: `because of ${to}` }
}

const REFUSED = { kind: 'refused', why: 'unavailable', sentence: 'The plant of the tests stays as it is.', problems: [] } as const

/** Here the plant stays as it is: what changes it is tested with the whole service. */
const NO_AMENDER: ApiParts['amender'] = {
  put: async () => REFUSED,
  remove: async () => REFUSED,
  try: async () => REFUSED,
  import: async () => REFUSED,
  standing: () => null,
  origin: () => 'file',
  versions: async () => null,
  overlay: () => [],
  yaml: () => ''
}

export class House {
  readonly clock = new ManualClock(START)
  readonly metrics = new Metrics()
  readonly fleet: Fleet
  readonly latest: Latest
  readonly presence = new Map<string, { online: boolean; since: number }>()
  readonly parts: ApiParts
  readonly app: FastifyInstance
  readonly live: LiveHub
  readonly book: Book
  readonly history: History
  readonly state!: State
  /** What submit.obstacle answers. */
  obstacle: string | null = null
  /** While true, nothing submitted is ever flushed. */
  stuck = false
  /** While true, what people answer by message or link cannot be taken. */
  refuseActions = false
  /** Happens after what people answered was looked up, before it is taken. */
  beforeAct: (() => Promise<void>) | null = null
  health: HealthReport
  readonly #folder: string
  readonly #intake: Intake
  readonly #engine: Engine
  readonly desk: Desk
  readonly suppression: Suppression
  readonly marks: Marks
  readonly drilling: Drilling
  readonly #drilled: DrillEffects = { notifications: [], drills: [] }
  readonly #close: () => Promise<void>
  readonly #columns = new ReadingColumns()
  readonly #servers: ApiServer[] = []
  #seq = 0

  private constructor(given: { folder: string; fleet: Fleet; parts: (house: House) => ApiParts; close: () => Promise<void> }) {
    this.#folder = given.folder
    this.fleet = given.fleet
    this.latest = new Latest(given.fleet)
    this.#intake = new Intake(given.fleet, { clockSkewMs: 300_000 })
    this.#engine = new Engine(given.fleet, START)
    this.desk = new Desk(given.fleet)
    this.marks = new Marks(given.fleet)
    this.suppression = new Suppression(given.fleet, START, [])
    this.drilling = new Drilling(given.fleet.plant, START)
    this.#close = given.close
    this.health = {
      parts: [
        { part: 'journal', state: 'ok', problem: null },
        { part: 'history', state: 'ok', problem: null }
      ],
      version: '0.1.0',
      intakeLagMs: 0,
      intakeLagRecords: 0,
      historyLagRecords: 0,
      messagesPerSecond: null
    }
    this.parts = given.parts(this)
    this.book = this.parts.book
    this.history = this.parts.history
    this.live = this.parts.live
    this.app = null as never
  }

  static async open(
    options: { plant?: Plant; consoleFolder?: string; channels?: readonly Channel[]; oidc?: OidcSettings } = {}
  ): Promise<House> {
    const plant = options.plant ?? PLANT
    const folder = await mkdtemp(path.join(tmpdir(), 'fenghuo-api-'))
    const { state, reads } = await openStore(path.join(folder, 'state.db'))
    const fleet = numberFleet(plant)
    const house = new House({
      folder,
      fleet,
      parts: (self) =>
        self.#assemble(
          state,
          reads,
          plant,
          options.consoleFolder ?? path.join(folder, 'no-console'),
          options.channels ?? [],
          options.oidc ?? null
        ),
      close: () => state.destroy()
    })
    await house.book.load()
    await house.parts.access.ensureAdmin(PASSWORD)
    await house.history.start()
    house.history.setFleet(fleet)
    Object.assign(house, { app: await buildApi(house.parts), state })
    return house
  }

  async close(): Promise<void> {
    this.live.stop()
    for (const server of this.#servers) await server.stop()
    await this.app.close()
    await this.history.stop()
    await this.#close()
    await rm(this.#folder, { recursive: true })
  }

  /** Opens a port on loopback and answers the address. */
  async listen(port = 0): Promise<string> {
    const server = new ApiServer({ ...this.parts, metrics: new Metrics(), http: { host: '127.0.0.1', port } })
    await server.start()
    this.#servers.push(server)
    return server.address
  }

  /** Lets our clock pass until what is stuck has been answered. */
  async late(asked: Promise<unknown>): Promise<void> {
    let answered = false
    void asked.then(() => {
      answered = true
    })
    await vi.waitFor(
      () => {
        this.clock.moveTo(this.clock.now() + LIMITS.api.submitMs)
        expect(answered).toBe(true)
      },
      { timeout: 20_000, interval: 10 }
    )
  }

  /** A bearer token of this role and scope. */
  async token(role: Role, enterprises: readonly string[] | null = null, sites: readonly string[] | null = null): Promise<string> {
    const { access } = this.parts
    const outcome = await access.login('admin', PASSWORD, '127.0.0.1')
    if (outcome.kind !== 'signedIn') throw new Error(outcome.sentence)
    const made = await access.createToken(outcome.identity, { name: `${role} of the tests`, role, enterprises, sites })
    if ('problem' in made) throw new Error(made.problem)
    return made.secret
  }

  /** One token per role, none of them scoped. */
  async tokens(): Promise<Record<Role, string>> {
    const made: [Role, string][] = []
    for (const role of ROLES) made.push([role, await this.token(role)])
    return Object.fromEntries(made) as Record<Role, string>
  }

  /** Asks by this token; a body makes it a POST. */
  ask(url: string, token: string | null, more: Omit<InjectOptions, 'url'> = {}): Promise<LightMyRequestResponse> {
    const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...more.headers }
    return this.app.inject({ method: more.payload === undefined ? 'GET' : 'POST', ...more, url, headers })
  }

  /** Events become part of the book, then of the live stream, as after a turn of the loop. */
  async commit(...events: AlarmEvent[]): Promise<CommittedEvent[]> {
    const out = [...this.#passTime(), ...happenings(events, this.desk)]
    const transitions = events.filter((event) => event.kind === 'transition')
    this.desk.take([], this.suppression.take(transitions, this.clock.now(), false), this.clock.now(), out)
    return this.#turn(out, [])
  }

  /** What shadow rules did becomes part of the book. */
  async shadow(...transitions: Transition[]): Promise<void> {
    await this.#turn([], [], transitions)
  }

  /** A message of a gateway goes through intake into last values and history. */
  async receive(gateway: string, samples: unknown): Promise<void> {
    const body = samples instanceof Uint8Array ? samples : Buffer.from(JSON.stringify(samples))
    const rejects: Reject[] = []
    const columns = this.#columns
    columns.clear()
    const receivedAt = this.clock.now()
    this.#intake.read({ seq: ++this.#seq, receivedAt, kind: 'telemetry', source: `fh/1/${gateway}/telemetry`, body }, columns, rejects)
    this.#engine.judge(columns, 0, columns.length, receivedAt, [])
    this.latest.note(columns, 0, columns.length, receivedAt)
    this.history.offer(columns, this.#seq)
    await this.#turn([], rejects)
    this.live.publishReadings(columns, this.fleet)
  }

  /** A gateway comes or goes. */
  present(gateway: string, online: boolean): void {
    this.presence.set(gateway, { online, since: this.clock.now() })
    this.live.publishPresence(gateway, online, this.fleet)
  }

  /** What falls due up to now is done and becomes part of the book. */
  async pass(): Promise<CommittedEvent[]> {
    return this.#turn(this.#passTime(), [])
  }

  #passTime(): DeskEvent[] {
    const out: DeskEvent[] = []
    this.desk.advance(this.clock.now() - 1, out)
    this.drilling.advance(this.clock.now() - 1, this.#drilled)
    return out
  }

  async #turn(events: readonly DeskEvent[], rejects: readonly Reject[], shadow: readonly Transition[] = []): Promise<CommittedEvent[]> {
    const position = { seq: ++this.#seq, advancedTo: this.clock.now() }
    const { notifications, drills } = this.#drilled
    const told = { notifications: notifications.splice(0), drills: drills.splice(0) }
    const marks: MarkChange[] = []
    const marked = events.map((event) => this.marks.take(event, this.desk, marks))
    this.marks.advance(this.clock.now() - 1, this.desk, marks)
    const committed = await this.book.commit({ events: marked, shadow, rejects, marks, position, ...told, fleet: this.fleet })
    if (told.notifications.length > 0) this.parts.telling.courier.wake()
    this.live.publishEvents(committed)
    this.live.publishNotices(marks)
    return committed
  }

  #assemble(
    state: State,
    reads: State,
    plant: Plant,
    consoleFolder: string,
    channels: readonly Channel[],
    oidc: OidcSettings | null
  ): ApiParts {
    const { clock, metrics } = this
    const book = new Book(state, reads)
    const access = new Access({ state, reads, clock, log: silentLog, oidc })
    access.setPlant(plant)
    const serviceWindows = () => this.desk.windows()
    const view = () => ({
      fleet: this.fleet,
      latest: this.latest,
      presence: this.presence,
      serviceWindows,
      suppression: () => this.suppression,
      marks: () => this.marks
    })
    const submit: ApiParts['submit'] = {
      retry: async () => ({ kind: 'unknown', sentence: 'There is no journal here.' }),
      obstacle: () => this.obstacle,
      telemetry: (gateway, body) => (this.stuck ? new Promise(() => {}) : this.receive(gateway, body)),
      action: async (body, by) => {
        if (this.stuck) return new Promise(() => {})
        const out = this.#passTime()
        if (body.id === null && 'state' in body) {
          const changes: SuppressionChange[] = []
          this.suppression.act(body, by, clock.now(), changes)
          this.desk.take([], changes, clock.now(), out)
        } else if (body.id === null) this.desk.serve(body, by, clock.now(), out)
        else if ('drill' in body) this.drilling.begin(body.id, body.drill, by, clock.now(), this.#drilled)
        else if (isDrillId(body.id)) this.drilling.act(body, by, clock.now(), this.#drilled)
        else this.desk.act(body, by, clock.now(), false, out)
        await this.#turn(out, [])
      }
    }
    const telling = new Telling({
      ...{
        state,
        reads,
        clock,
        log: silentLog,
        random: new Random(1),
        channels,
        redisUrl: null,
        publicUrl: 'https://fenghuo.test'
      },
      journal: (_report, done) => done(),
      alarm: (id) => book.alarm(id, null),
      alarmBody: async () => null,
      act: async (body, by) => {
        if (this.refuseActions) throw new Error('The journal does not take anything at the moment.')
        await this.beforeAct?.()
        await submit.action(body, by)
      },
      duty: () => this.fleet.plant.duty
    })
    return {
      clock,
      metrics,
      log: silentLog,
      http: { host: '127.0.0.1', port: 0 },
      consoleFolder,
      access,
      book,
      history: new History({
        folder: path.join(this.#folder, 'history'),
        clock,
        log: silentLog,
        memoryMb: 64,
        threads: 1,
        retentionDays: null
      }),
      plant: view,
      explain: (rule, subject) => {
        this.#engine.advance(clock.now(), [])
        return this.#engine.explain(rule, subject)
      },
      doubts: (seen) => {
        this.#engine.advance(clock.now(), [])
        return this.#engine.doubts(seen)
      },
      submit,
      telling,
      amender: NO_AMENDER,
      health: () => this.health,
      live: new LiveHub({ clock, book, plant: view, metrics })
    }
  }
}
