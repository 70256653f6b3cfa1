// What the journal holds: every input that can change a judgement, in one order.

import type { Alarm } from './alarm.ts'

export const RECORD_KINDS = ['telemetry', 'presence', 'action', 'plant', 'delivery'] as const
/**
 * - telemetry: `source` is the MQTT topic (also for HTTP, where it is `fh/1/{gateway}/telemetry`), `body` what was sent.
 * - presence: `source` is the gateway id, `body` `{"online": boolean, "why": text}`.
 * - action: `source` is the user, `body` the operator action as JSON (OperatorActionBody).
 * - plant: `source` is the plant's hash; from this seq on, the plant stored under that hash is in force.
 * - delivery: `source` is a notification's id, `body` what became of it (DeliveryReport) as JSON. The same may come twice.
 */
export type RecordKind = (typeof RECORD_KINDS)[number]

export interface JournalRecord {
  /** 1, 2, 3 … without gaps. */
  readonly seq: number
  /** Epoch ms by our clock; never decreases from one seq to the next. */
  readonly receivedAt: number
  readonly kind: RecordKind
  readonly source: string
  /** A view into a shared buffer: copy it to keep it. */
  readonly body: Uint8Array
}

/** The body of an 'action' record on one alarm. What an action does not need is left out. */
export interface OperatorActionBody {
  readonly id: string
  readonly action: string
  readonly note: string | null
  /** shelve: epoch ms */
  readonly until?: number | null | undefined
  readonly assignee?: string | null | undefined
  readonly disposition?: string | null | undefined
  readonly verifier?: string | null | undefined
  /** Its names are compared as people (src/model/identity.ts); missing, as in records of earlier versions: as they are written. */
  readonly identities?: true
  /** Of who acts, where it matters; missing: anything is allowed, as in scenarios. */
  readonly role?: string
  /** The alarm as the book knows it, where it has left the desk long ago. */
  readonly alarm?: Alarm
}

/** The body of an 'action' record that takes a device, an area or a site out of service, or puts it back. */
export interface ServiceActionBody {
  readonly id: null
  readonly action: 'outOfService' | 'returnToService'
  /** Exactly one of the three is set. */
  readonly target: ServiceTarget
  /** outOfService: the window, epoch ms; one that begins in the past begins at once. */
  readonly from?: number | null | undefined
  readonly until?: number | null | undefined
  readonly note: string | null
}

export interface ServiceTarget {
  readonly device: string | null
  readonly area: string | null
  readonly site: string | null
}

/** A telemetry message, or a part of one, that was accepted but could not be used. */
export interface Reject {
  /** Receipt, epoch ms. */
  readonly at: number
  readonly seq: number
  readonly gateway: string
  readonly topic: string
  readonly device: string | null
  /** One sentence: what is wrong, where, what to do. */
  readonly problem: string
  /** The first bytes of what was sent, as text. */
  readonly excerpt: string
}
