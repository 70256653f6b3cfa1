// The live stream: alarm events, readings of chosen devices, devices coming and going, and a beat.
// Invariant: publishing never waits for a reader. Alarm events reach each reader once, in order, without a gap, from
// wherever it resumes; readings and device states are only ever the newest.

import type { ServerResponse } from 'node:http'
import type { Identity } from '../access/roles.ts'
import type { Book, CommittedEvent } from '../alerts/book.ts'
import type { Fleet } from '../model/fleet.ts'
import type { MarkChange } from '../model/mark.ts'
import type { ReadingColumns } from '../model/readings.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { type Log, silentLog } from '../platform/log.ts'
import type { Count, Metrics } from '../platform/metrics.ts'
import { messageOf } from '../platform/problem.ts'
import { DeviceChanges } from './deviceChanges.ts'
import { type EventFrame, EventTape, frame } from './eventTape.ts'
import { LiveClient, type LiveSource } from './liveClient.ts'
import { NoticeTape } from './noticeTape.ts'
import type { PlantView } from './parts.ts'
import { ApiProblem } from './problems.ts'
import { seesDevice } from './sight.ts'
import { alarmBody, instant, instantOrNull } from './views.ts'

const BEAT_MS = 5_000
/** Readings and device changes are gathered for so long. */
const GATHER_MS = 250
/** Every how many beats a client's sign-in is looked at again. */
const BEATS_PER_CHECK = 6
const CHANGES_PER_PIECE = 500
const STATES_KEPT = 2_000

export interface LiveParts {
  readonly clock: Clock
  readonly book: Pick<Book, 'eventsAfter' | 'lastEvent' | 'alarm'>
  readonly plant: () => PlantView
  readonly metrics: Metrics
  readonly log?: Log
}

export interface LiveRequest {
  readonly response: ServerResponse
  readonly identity: Identity
  /** Ids of devices that the caller may see. */
  readonly devices: ReadonlySet<string>
  /** Resume behind this event; null: from now on. */
  readonly after: number | null
  /** Whether the sign-in still holds. */
  readonly stillValid: () => Promise<boolean>
}

export class LiveHub implements LiveSource {
  readonly #parts: LiveParts
  readonly #log: Log
  readonly #tape: EventTape
  readonly #changes = new DeviceChanges()
  readonly #notices = new NoticeTape()
  readonly #clients = new Map<LiveClient, () => Promise<boolean>>()
  /** How many clients follow each device, by id. */
  readonly #followed = new Map<string, number>()
  /** The newest state of alarms as frames, by alarm id. */
  readonly #states = new Map<string, { readonly lastEvent: number; readonly text: string }>()
  readonly #cutOff: Count
  #timers: Timer[] = []
  #beats = 0
  #stopped = false

  constructor(parts: LiveParts) {
    this.#parts = parts
    this.#log = parts.log ?? silentLog
    this.#tape = new EventTape(parts.book)
    this.#cutOff = parts.metrics.counter('fenghuo_live_cut_off_total', 'Live clients cut off because they did not read.')
    parts.metrics.gauge('fenghuo_live_clients', 'Connected live clients.', () => this.#clients.size)
    parts.metrics.gauge('fenghuo_live_waiting_bytes', 'Bytes that live clients have not taken yet.', () => this.waitingBytes)
  }

  /** Connected clients. */
  get clients(): number {
    return this.#clients.size
  }

  /** Bytes written to clients that their sockets have not taken yet, in all. */
  get waitingBytes(): number {
    let sum = 0
    for (const client of this.#clients.keys()) sum += client.waitingBytes
    return sum
  }

  /** Tells the clients of events just committed. */
  publishEvents(committed: readonly CommittedEvent[]): void {
    if (this.#clients.size === 0 || committed.length === 0) return
    this.#tape.add(committed)
    for (const client of this.#clients.keys()) client.pull()
  }

  /** Tells the clients of marks that went on or off. */
  publishNotices(changes: readonly MarkChange[]): void {
    if (this.#clients.size === 0 || changes.length === 0) return
    this.#notices.add(changes)
    for (const { alarms } of changes) for (const id of alarms) this.#states.delete(id)
    for (const client of this.#clients.keys()) client.pull()
  }

  /** Notes which devices were heard. Only reads the columns: they may be reused as soon as this returns. */
  publishReadings(columns: ReadingColumns, fleet: Fleet): void {
    if (this.#clients.size === 0) return
    this.#changes.heard(columns, fleet)
    if (this.#followed.size === 0) return
    const heard = new Set<string>()
    for (let row = 0; row < columns.length; row++) {
      if (columns.head[row] !== 1) continue
      const id = fleet.devices[columns.device[row] as number]?.id
      if (id !== undefined && this.#followed.has(id)) heard.add(id)
    }
    if (heard.size === 0) return
    for (const client of this.#clients.keys()) for (const id of heard) if (client.devices.has(id)) client.unread.add(id)
  }

  /** A gateway has come or gone, and its devices with it. */
  publishPresence(_gateway: string, _online: boolean, _fleet: Fleet): void {
    if (this.#clients.size > 0) this.#changes.look(this.#parts.plant(), this.#parts.clock.now())
  }

  /** Takes over a response whose headers are sent. Throws an ApiProblem, before anything is written, where there is no room. */
  admit(user: string): void {
    const { liveClients, liveClientsPerUser } = LIMITS.api
    if (this.#stopped) throw full('The service is stopping.')
    if (this.#clients.size >= liveClients) throw full(`All ${liveClients} live connections are taken; try again later.`)
    let own = 0
    for (const client of this.#clients.keys()) if (client.identity.user === user) own++
    if (own >= liveClientsPerUser) throw full(`${user} has ${own} live connections open already; close some of them.`)
  }

  /** Begins to send. The first beat carries the place to resume from as its id. */
  join(request: LiveRequest): LiveClient {
    const { response, identity, devices, stillValid } = request
    const newest = this.#tape.newest
    const position = request.after === null ? newest : Math.min(request.after, newest)
    if (this.#clients.size === 0) this.#wakeUp()
    const places = { position, changesAt: this.#changes.end, noticesAt: this.#notices.end }
    const client = new LiveClient(response, identity, devices, places, this, this.#parts.clock)
    this.#clients.set(client, stillValid)
    for (const id of devices) {
      this.#followed.set(id, (this.#followed.get(id) ?? 0) + 1)
      client.unread.add(id)
    }
    response.write(`retry: 2000\nid: ${position}\n${this.#beat()}`)
    client.pull()
    return client
  }

  left(client: LiveClient, how: 'closed' | 'stalled' | 'failed', why?: unknown): void {
    if (!this.#clients.delete(client)) return
    for (const id of client.devices) {
      const others = (this.#followed.get(id) ?? 1) - 1
      if (others === 0) this.#followed.delete(id)
      else this.#followed.set(id, others)
    }
    if (how === 'stalled') {
      this.#cutOff.add()
      this.#log.warn(`a live client of ${client.identity.user} does not read and was cut off; it resumes by itself`)
    }
    if (how === 'failed') this.#log.error(`a live client of ${client.identity.user} had to be cut off: ${messageOf(why)}`)
    if (this.#clients.size === 0) this.#fallAsleep()
  }

  async next(client: LiveClient): Promise<string> {
    const scope = client.identity.scope
    let text = ''
    if (client.beatDue) {
      client.beatDue = false
      text += this.#beat()
    }
    while (client.position < this.#tape.newest && text.length < LIMITS.api.liveChunkBytes) {
      const { frames, upTo } = await this.#tape.after(client.position, scope)
      let taken = 0
      while (taken < frames.length && text.length < LIMITS.api.liveChunkBytes) text += (frames[taken++] as EventFrame).text
      const position = taken === frames.length ? upTo : (frames[taken - 1] as EventFrame).n
      if (position === client.position) break
      client.position = position
      text += await this.#alarmStates(frames.slice(0, taken).map(({ alarm, n }) => [alarm, n]))
    }
    while (client.noticesAt !== this.#notices.end && text.length < LIMITS.api.liveChunkBytes) {
      const { text: told, alarms, upTo } = this.#notices.after(client.noticesAt, scope)
      client.noticesAt = upTo
      text += told + (await this.#alarmStates(alarms.map((id) => [id, 0])))
    }
    if (!client.gatheredDue) return text
    while (client.changesAt !== this.#changes.end && text.length < LIMITS.api.liveChunkBytes) text += this.#deviceChanges(client)
    client.gatheredDue = client.changesAt !== this.#changes.end
    return text + this.#readings(client)
  }

  /** Looks at once whether everybody's sign-in still holds. */
  recheck(): void {
    for (const [client, stillValid] of this.#clients) void this.#check(client, stillValid)
  }

  /** Ends every connection. */
  stop(): void {
    this.#stopped = true
    for (const client of [...this.#clients.keys()]) client.end()
  }

  /** The present state of these alarms, each once, not before the event of this number. */
  async #alarmStates(wanted: readonly (readonly [alarm: string, event: number])[]): Promise<string> {
    const newest = new Map(wanted)
    let text = ''
    for (const [id, n] of newest) {
      let state = this.#states.get(id)
      if (state === undefined || state.lastEvent < n) {
        const alarm = await this.#parts.book.alarm(id, null)
        if (alarm === null) continue
        const body = alarmBody(alarm, this.#parts.plant())
        state = { lastEvent: alarm.lastEvent, text: frame('alarm-state', { alarm: body }) }
        if (this.#states.size >= STATES_KEPT) this.#states.clear()
        this.#states.set(id, state)
      }
      text += state.text
    }
    return text
  }

  #deviceChanges(client: LiveClient): string {
    const since = this.#changes.since(client.changesAt, CHANGES_PER_PIECE)
    if (since === null) throw new Error('it is too far behind the changes of devices')
    client.changesAt = since.upTo
    const { fleet, latest } = this.#parts.plant()
    let text = ''
    for (const number of since.devices) {
      const device = fleet.devices[number]
      if (device === undefined || !seesDevice(fleet, number, client.identity.scope)) continue
      const state = this.#changes.stateOf(number)
      const lastReceivedAt = instantOrNull(latest.receivedAt(number))
      text += frame('device', { device: device.id, online: state === 'online', state, lastReceivedAt })
    }
    return text
  }

  #readings(client: LiveClient): string {
    const { fleet, latest } = this.#parts.plant()
    let text = ''
    for (const id of client.unread) {
      client.unread.delete(id)
      const { receivedAt, values } = latest.of(fleet.deviceNumber.get(id) ?? -1)
      if (receivedAt === null) continue
      const last = values.map(({ metric, at, value, quality }) => ({ metric, at: instant(at), value, quality }))
      text += frame('reading', { device: id, receivedAt: instant(receivedAt), values: last })
    }
    return text
  }

  #beat(): string {
    return frame('beat', { at: instant(this.#parts.clock.now()) })
  }

  /** The first client has come. */
  #wakeUp(): void {
    const { clock, plant } = this.#parts
    this.#changes.look(plant(), clock.now())
    this.#timers = [
      clock.every(GATHER_MS, () => {
        for (const client of this.#clients.keys()) {
          if (client.unread.size === 0 && client.changesAt === this.#changes.end) continue
          client.gatheredDue = true
          client.pull()
        }
      }),
      clock.every(BEAT_MS, () => this.#beatAll())
    ]
  }

  /** The last client has gone: nothing is noted for nobody. */
  #fallAsleep(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers = []
    this.#tape.clear()
    this.#changes.clear()
    this.#notices.clear()
    this.#states.clear()
  }

  #beatAll(): void {
    this.#beats++
    this.#changes.look(this.#parts.plant(), this.#parts.clock.now())
    const check = this.#beats % BEATS_PER_CHECK === 0
    for (const [client, stillValid] of this.#clients) {
      client.beatDue = true
      client.pull()
      if (check) void this.#check(client, stillValid)
    }
  }

  /** Ends the connection of somebody whose sign-in has ended. While that cannot be found out, it stays. */
  async #check(client: LiveClient, stillValid: () => Promise<boolean>): Promise<void> {
    try {
      if (!(await stillValid())) client.end()
    } catch (cause) {
      this.#log.warn(`the sign-in of a live client could not be checked: ${messageOf(cause)}`)
    }
  }
}

function full(sentence: string): ApiProblem {
  return new ApiProblem('unavailable', sentence, { headers: { 'retry-after': '10' } })
}
