// The pipeline on a virtual clock: what a running service would make of these inputs, without one. Builds the records that
// the journal would hold and feeds them to the very code that judges live.

import type { AlarmEvent } from '../model/alarm.ts'
import type { DrillActionBody, DrillTurn } from '../model/drill.ts'
import type { JournalRecord, OperatorActionBody, RecordKind, Reject, ServiceActionBody } from '../model/journal.ts'
import type { MarkChange } from '../model/mark.ts'
import type { DeliveryReport, PlannedNotification } from '../model/notification.ts'
import type { Device, Plant } from '../model/plant.ts'
import type { StateActionBody } from '../model/suppression.ts'
import { Effects } from './effects.ts'
import { Pipeline } from './pipeline.ts'

/** What a service allows without settings of its own. */
export const OFFLINE_CLOCK_SKEW_MS = 300_000

/** The gateway of devices that have none: offline, everything is fed by somebody. */
const NOBODY = '_offline'

/** A sample as a gateway would send it; `ts` null: none given. */
export interface OfflineSample {
  readonly device: string
  readonly ts: number | null
  readonly values: Readonly<Record<string, number | boolean | null>>
  readonly bad?: readonly string[] | null
}

/** The same plant with a gateway for every device. Rules cannot see gateways: they judge alike. */
export function withGateways(plant: Plant, own: ReadonlySet<string> = new Set()): Plant {
  const enterprise = plant.enterprises[0]?.id ?? ''
  const gatewayOf = (device: Device): string => (own.has(device.id) ? ownGateway(plant, device.id) : (device.gateway ?? NOBODY))
  const ids = [NOBODY, ...[...own].map((device) => ownGateway(plant, device))].filter(
    (id) => !plant.gateways.some((known) => known.id === id)
  )
  const gateways = ids.map((id) => ({ id, enterprise, name: { zh: id, en: id }, secret: null }))
  const devices = plant.devices.map((device) => ({ ...device, gateway: gatewayOf(device) }))
  return { ...plant, gateways: [...plant.gateways, ...gateways], devices }
}

/** The gateway that `withGateways` gives to one device alone, so that it can go offline by itself. */
export function ownGateway(plant: Plant, device: string): string {
  return `_offline.${plant.devices.findIndex(({ id }) => id === device)}`
}

/** Builds journal records one after the other, `seq` from 1. */
export class RecordWriter {
  readonly #gatewayOf: ReadonlyMap<string, string>
  #seq = 0

  /** `plant` has a gateway for every device. */
  constructor(plant: Plant) {
    this.#gatewayOf = new Map(plant.devices.map(({ id, gateway }) => [id, gateway ?? NOBODY]))
  }

  /** Leaves out one `seq` and answers it: for a record that was written elsewhere. */
  skip(): number {
    return ++this.#seq
  }

  telemetry(receivedAt: number, { device, ts, values, bad = null }: OfflineSample): JournalRecord {
    const sample = { device, ...(ts === null ? {} : { ts }), values, ...(bad === null ? {} : { bad }) }
    return this.#record(receivedAt, 'telemetry', `fh/1/${this.#gatewayOf.get(device) ?? NOBODY}/telemetry`, sample)
  }

  presence(receivedAt: number, gateway: string, online: boolean): JournalRecord {
    return this.#record(receivedAt, 'presence', gateway, { online, why: 'scenario' })
  }

  action(receivedAt: number, by: string, body: OperatorActionBody | ServiceActionBody | StateActionBody | DrillActionBody): JournalRecord {
    return this.#record(receivedAt, 'action', by, body)
  }

  /** What became of a message. */
  delivery(receivedAt: number, report: DeliveryReport): JournalRecord {
    return this.#record(receivedAt, 'delivery', report.id, report)
  }

  #record(receivedAt: number, kind: RecordKind, source: string, body: unknown): JournalRecord {
    return { seq: ++this.#seq, receivedAt, kind, source, body: Buffer.from(JSON.stringify(body)) }
  }
}

/** What a run has caused so far; planned messages, marks and drills are kept where somebody asks for them. */
export interface OfflineEffects {
  readonly events: AlarmEvent[]
  readonly rejects: Reject[]
  readonly notifications?: PlannedNotification[]
  readonly marks?: MarkChange[]
  readonly drills?: DrillTurn[]
}

/** One run: records in, events and rejects out. */
export class OfflineRun {
  readonly pipeline: Pipeline
  readonly #effects = new Effects()

  /** `plant` has a gateway for every device; time begins at `startAt` (epoch ms). */
  constructor(plant: Plant, startAt: number) {
    this.pipeline = Pipeline.begin(plant, 0, startAt, { clockSkewMs: OFFLINE_CLOCK_SKEW_MS })
  }

  take(record: JournalRecord, into: OfflineEffects): void {
    this.pipeline.take([record], this.#effects)
    this.#hand(into)
  }

  /** Lets time pass up to and including `to`. */
  pass(to: number, into: OfflineEffects): void {
    this.pipeline.advance(to, this.#effects)
    this.#hand(into)
  }

  #hand(into: OfflineEffects): void {
    for (const event of this.#effects.events) into.events.push(event)
    for (const reject of this.#effects.rejects) into.rejects.push(reject)
    for (const one of this.#effects.notifications) into.notifications?.push(one)
    for (const mark of this.#effects.marks) into.marks?.push(mark)
    for (const turn of this.#effects.drills) into.drills?.push(turn)
    this.#effects.clear()
  }
}
