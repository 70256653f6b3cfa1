// Puts together what tells people: channels as configured, courier, drills, heartbeat, and the watch over ourselves.

import { hostname } from 'node:os'
import type { Audit } from '../access/audit.ts'
import type { Book } from '../alerts/book.ts'
import { channelsOf } from '../alerts/channels/channels.ts'
import { Outgoing } from '../alerts/channels/outgoing.ts'
import { Telling } from '../alerts/telling.ts'
import type { HealthReport, PartHealth, Submit } from '../api/parts.ts'
import { alarmBody } from '../api/views.ts'
import type { Journal } from '../ingest/journal/journal.ts'
import type { Alarm } from '../model/alarm.ts'
import { TIERS, type Tier } from '../model/tier.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf } from '../platform/problem.ts'
import { Random } from '../platform/random.ts'
import { StateFailure } from '../store/failure.ts'
import type { State } from '../store/schema.ts'
import type { Config } from './config/service.ts'
import { DeadMan } from './deadMan.ts'
import { dutyHealth } from './dutyHealth.ts'
import type { Loop } from './loop.ts'
import { type Fault, SelfWatch } from './selfWatch.ts'
import { VERSION } from './version.ts'

const CLOSE_DRILLS_MS = 5_000

export interface TellingGround {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly state: State
  readonly reads: State
  readonly journal: Journal
  readonly book: Book
  readonly loop: Loop
  readonly audit: Audit
  readonly submit: Submit
  readonly plant: () => Parameters<typeof alarmBody>[1]
  readonly health: () => HealthReport
}

export interface TellingRooms {
  readonly telling: Telling
  /** In the order of starting. */
  readonly parts: readonly Part[]
  /** Speaks to the outside; to be started when everything else has been: a start that is refused tells nobody anything. */
  readonly speaking: Part
  /** How telling is, for health. */
  readonly health: () => PartHealth[]
}

export function tellingOf(ground: TellingGround): TellingRooms {
  const { config, clock, log, state, reads, journal, book, loop, submit, plant } = ground
  const { allowPrivate, ca } = config.outgoing
  const outgoing = new Outgoing({ clock, allowPrivate, ca })
  const { redis: redisUrl, publicUrl, faultsTo, answersBack, deliver } = config.notifications
  const telling = new Telling({
    ...{ state, reads, clock, log, redisUrl, publicUrl, answersBack, deliver },
    sender: config.state.url === null ? null : { host: hostname(), pid: process.pid, version: VERSION },
    random: new Random(clock.now()),
    channels: channelsOf(config.channels, { clock, log, outgoing, ca }),
    journal: (report, done) => journal.append('delivery', report.id, Buffer.from(JSON.stringify(report)), done),
    alarm: (id) => book.alarm(id, null),
    async alarmBody(id) {
      const alarm = await book.alarm(id, null)
      return alarm === null ? null : alarmBody(alarm, plant())
    },
    act: (body, by) => submit.action(body, by),
    duty: () => loop.pipeline.fleet.plant.duty
  })
  ground.metrics.gauge('fenghuo_notifications_queued', 'Notifications waiting to be sent.', () => telling.courier.figures.queued)
  ground.metrics.gauge('fenghuo_notifications_dead', 'Notifications that failed for good.', () => telling.courier.figures.deadLetters)
  ground.metrics.gauge('fenghuo_delivery_workers', 'Delivery workers that are there.', () => telling.workers)
  ground.metrics.gauge(
    'fenghuo_notifications_sending',
    'Notifications being sent at this moment, by all processes that send.',
    () => telling.senders()?.reduce((sum, { alive, sending }) => sum + (alive ? sending : 0), 0) ?? telling.courier.sending
  )
  const duty = dutyHealth(() => loop.pipeline.fleet.plant, clock)
  const deadMan =
    config.deadMan === null ? null : new DeadMan({ ...config.deadMan, outgoing, clock, log, alive: () => loop.problem === null })
  const faults = (): Fault[] => faultsOf(ground.health())
  const served = new Set(config.channels.map(({ kind }) => kind))
  const watch = new SelfWatch({
    clock,
    log,
    to: faultsTo,
    served,
    plant: () => loop.pipeline.fleet.plant,
    faults,
    add: (all) => telling.add(all)
  })
  const prepared: Part = { name: telling.name, start: () => telling.prepare(), stop: () => telling.stop() }
  const speaking: Part = {
    name: 'first message',
    start: async () => {
      await telling.start()
      await deadMan?.start()
    },
    stop: async () => {}
  }
  return {
    telling,
    parts: [prepared, drillCloser(telling, ground), watch, ...(deadMan === null ? [] : [silent(deadMan)])],
    speaking,
    health: () => [...duty(), ...healthOf(telling, deadMan), ...unreachedPart(loop.pipeline.unreached())]
  }
}

/** Stops where the part would, and is started elsewhere. */
function silent(part: Part): Part {
  return { name: part.name, start: async () => {}, stop: () => part.stop() }
}

function healthOf(telling: Telling, deadMan: DeadMan | null): PartHealth[] {
  const found: PartHealth[] = [...telling.courier.problems(), ...telling.workerProblems()].map(({ part, problem }) => ({
    part,
    state: 'degraded',
    problem
  }))
  if (deadMan !== null && deadMan.problem !== null) found.push({ part: 'heartbeat', state: 'degraded', problem: deadMan.problem })
  if (!found.some(({ part }) => part === 'notifications')) found.push({ part: 'notifications', state: 'ok', problem: null })
  return found
}

/** Alarms that nobody has been told of. Says no id: whoever may see the alarms finds the messages that failed. */
export function unreachedPart(alarms: readonly Pick<Alarm, 'tier'>[]): PartHealth[] {
  if (alarms.length === 0) return []
  const worst = TIERS.findLast((tier) => alarms.some((alarm) => alarm.tier === tier)) as Tier
  const which = alarms.length === 1 ? `one ${worst} alarm` : `${alarms.length} alarms (the most severe is ${worst})`
  const problem = `Nobody could be told of ${which} without an acknowledgement: every way on the whole ladder has failed. Call somebody now, and look at Notifications for why.`
  return [{ part: 'people', state: 'degraded', problem }]
}

function faultsOf({ parts }: HealthReport): Fault[] {
  return parts.flatMap(({ part, state, problem }) => (problem === null || state === 'ok' ? [] : [{ part, problem }]))
}

/** Drills that are over get their record, signed and in the audit log. */
function drillCloser({ drills }: Telling, { clock, log, audit }: TellingGround): Part {
  let timer: Timer | null = null
  const close = (): Promise<number> =>
    drills.closeDue(clock.now(), (state, who, what, after) => audit.appendIn(state, { who, what, before: null, after }))
  return {
    name: 'drills',
    start: async () => {
      timer ??= clock.every(
        CLOSE_DRILLS_MS,
        // A store that does not answer is told of elsewhere, once.
        () =>
          void close().catch((cause) => {
            if (!(cause instanceof StateFailure && cause.passing)) log.error(`a drill could not be closed: ${messageOf(cause)}`)
          })
      )
    },
    stop: async () => {
      timer?.cancel()
      timer = null
    }
  }
}
