// What the journal holds: every input that can change a judgement, in one order.

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

/** The body of an 'action' record. */
export interface OperatorActionBody {
  readonly id: string
  readonly action: string
  readonly note: string | null
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
