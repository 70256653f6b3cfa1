// Where gateways' messages come in by MQTT: the embedded broker, or sessions with an external one. The same to everybody else.

import type { PartHealth } from '../api/parts.ts'
import { Broker, type BrokerOptions } from '../ingest/broker.ts'
import { Upstream } from '../ingest/upstream.ts'
import type { UpstreamSettings } from '../ingest/upstreamSettings.ts'
import type { Part } from '../platform/parts.ts'
import type { State } from '../store/schema.ts'
import { readUpstreamNote, writeUpstreamNote } from '../store/upstreamNote.ts'
import type { AmendedPlant } from './amend/apply.ts'
import type { Loop } from './loop.ts'

export interface MqttDoor extends Part {
  /** Sends a message down to the gateway that `topic` names. Bounded: dropped and counted above. */
  publish(topic: string, payload: string): void
  /** A gateway's secret changed, or it is gone from the plant. */
  disconnectGateway(id: string): void
  /** Where gateways connect, for people; null where nothing is open. */
  readonly shownAddress: string | null
  /** A sentence while gateways are not heard as they should be, else null. Missing: whatever is wrong is wrong with another part. */
  readonly problem?: string | null
}

export interface MqttDoorParts {
  readonly embedded: BrokerOptions
  /** Null: the embedded broker. */
  readonly settings: UpstreamSettings | null
  readonly state: State
  readonly amended: AmendedPlant
  readonly loop: Loop
}

export function mqttDoorOf(parts: MqttDoorParts): MqttDoor {
  return parts.settings === null ? new Broker(parts.embedded) : external(parts.settings, parts)
}

/** How the way in is, where that is a part of its own. */
export function mqttHealth({ problem }: MqttDoor): PartHealth[] {
  return problem === undefined ? [] : [{ part: 'MQTT broker', state: problem === null ? 'ok' : 'degraded', problem }]
}

function external(settings: UpstreamSettings, { embedded: options, state, amended, loop }: MqttDoorParts): Upstream {
  const { clock, log, metrics, journal, counts } = options
  return new Upstream({
    ...{ settings, clock, log, metrics, journal, ...(counts === undefined ? {} : { counts }) },
    shelf: { read: () => readUpstreamNote(state), write: (text) => writeUpstreamNote(state, text) },
    plant: () => amended.plant,
    standing(id) {
      const change = amended.latest.get(`gateway ${id}`)
      if (change?.secret === '') return 'revoked'
      if (loop.pipeline.fleet.gatewayNumber.has(id)) return 'known'
      // Removed through the API, or never heard of.
      return change === undefined || change.after !== null ? 'unknown' : 'revoked'
    },
    presence: (id) => loop.pipeline.presence.get(id)?.online ?? null
  })
}
