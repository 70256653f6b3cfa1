// What happens after a turn is committed: the log line, the live stream, the report to the gateway.

import type { CommittedEvent } from '../alerts/book.ts'
import type { LiveHub } from '../api/live.ts'
import type { Reject } from '../model/journal.ts'
import type { Log } from '../platform/log.ts'
import type { Loop, Watcher } from './loop.ts'
import type { MqttDoor } from './mqttDoor.ts'

/** Hears committed events besides the live stream. */
export interface EventListener {
  events(committed: readonly CommittedEvent[]): void
}

export interface WatchParts {
  readonly live: LiveHub
  readonly broker: Pick<MqttDoor, 'publish'>
  readonly log: Log
  readonly loop: Loop
  readonly courier: { wake(): void }
  readonly listener: EventListener | undefined
}

export function watchFor({ live, broker, log, loop, courier, listener }: WatchParts): Watcher {
  return {
    events(committed) {
      for (const one of committed) log.info(eventSentence(one))
      live.publishEvents(committed)
      listener?.events(committed)
    },
    marks(changes) {
      live.publishNotices(changes)
    },
    notifications() {
      courier.wake()
    },
    readings(readings) {
      live.publishReadings(readings, loop.pipeline.fleet)
    },
    rejects(rejects) {
      for (const reject of rejects) broker.publish(`fh/1/${reject.gateway}/rejects`, rejectLine(reject))
    },
    presence(gatewayIds) {
      for (const gateway of gatewayIds) {
        const online = loop.pipeline.presence.get(gateway)?.online === true
        log.info(`gateway ${gateway} is ${online ? 'online' : 'offline: the values of its devices are unknown until they report again'}`)
        live.publishPresence(gateway, online, loop.pipeline.fleet)
      }
    }
  }
}

/** `tank-level/T-101 yellow -> red (level_pct 95.2 > 95 for 2s)` */
export function eventSentence({ event }: CommittedEvent): string {
  if (event.kind === 'action') return `${event.id} ${event.action} by ${event.by}`
  return `${event.rule}/${event.device ?? event.area} ${event.from} -> ${event.to} (${event.because})`
}

/** The body on `fh/1/{gateway}/rejects` (contract 3). */
function rejectLine(reject: Reject): string {
  const { topic, device, problem, excerpt } = reject
  return JSON.stringify({ at: new Date(reject.at).toISOString(), topic, device, problem, excerpt })
}
