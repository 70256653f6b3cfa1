// The tables of the state store, as Kysely types. One portable schema: text, integer, bigint (epoch ms, numbers), JSON as
// text, booleans as 0/1. Tiers are ranks (`levelRank`): 0 clear, 1 blue … 4 red, so that they sort.

import type { Kysely } from 'kysely'

/** The open state store. */
export type State = Kysely<Schema>

export interface Schema {
  position: PositionRow
  alarms: AlarmRow
  alarm_events: AlarmEventRow
  marks: MarkRow
  shadow_events: ShadowEventRow
  quarantine: QuarantineRow
  notifications: NotificationRow
  notification_alarms: NotificationAlarmRow
  answers: AnswerRow
  drills: DrillRow
  early_receipts: EarlyReceiptRow
  senders: SenderRow
  handed_answers: HandedAnswerRow
  service_secrets: ServiceSecretRow
  upstream: UpstreamRow
  amendments: AmendmentRow
  users: UserRow
  sessions: SessionRow
  tokens: TokenRow
  audit: AuditRow
  lease: LeaseRow
}

/** One row, id 1: how far the journal's effects are in this store, and the last numbers given. */
export interface PositionRow {
  id: number
  seq: number
  advanced_to: number
  last_event: number
  last_reject: number
}

export interface AlarmRow {
  id: string
  rule: string
  device: string | null
  /** The subject of a `per: area` alarm; else null. */
  area: string | null
  /** Where the subject stood when the alarm was raised. */
  in_area: string | null
  site: string | null
  enterprise: string | null
  tier: number
  worst_tier: number
  raised_at: number
  cleared_at: number | null
  acknowledged_by: string | null
  acknowledged_at: number | null
  acknowledged_note: string | null
  because: string
  /** 1 while not cleared or not acknowledged (and not settled). */
  active: number
  /** 1 while active, shelved, suppressed or out of service. */
  standing: number
  shelved: number
  suppressed: number
  out_of_service: number
  settled: number
  /** The rest of what is known of it, as JSON; null: nothing was done to it. */
  facts: string | null
  /** The number of the last event folded in. */
  last_event: number
}

/** Which alarm an event is about, and where its subject stood. */
export interface EventPlaceRow {
  n: number
  at: number
  alarm: string
  rule: string
  device: string | null
  area: string | null
  site: string | null
  enterprise: string | null
}

/** A transition (`from_level`, `to_level`, `because` set) or an operator action (`action`, `by_user`, `note`). */
export interface AlarmEventRow extends EventPlaceRow {
  from_level: number | null
  to_level: number | null
  because: string | null
  action: string | null
  by_user: string | null
  note: string | null
  /** JSON: until, assignee, disposition, verifier, as far as the action has them. */
  extras: string | null
  /** When an operator was told because of it, by our clock; null: nobody was. */
  announced_at: number | null
}

/** A mark goes on or off (`begins` 0). */
export interface MarkRow {
  n: number
  kind: string
  at: number
  begins: number
  /** Where it goes off: since when it was on. */
  since: number | null
  /** Of a flood: installation, enterprise or site. */
  scope: string | null
  rule: string | null
  device: string | null
  area: string | null
  in_area: string | null
  site: string | null
  enterprise: string | null
  /** JSON array of the ids of the alarms that carry it, or no longer. */
  alarms: string
  /** Of a flood: alarms announced so far. */
  announced: number | null
}

/** A transition of a shadow rule; `n` counts these alone. */
export interface ShadowEventRow extends EventPlaceRow {
  from_level: number
  to_level: number
  because: string
}

export interface QuarantineRow {
  id: number
  at: number
  seq: number
  gateway: string
  enterprise: string | null
  /** Of its device, where that is one of the gateway's enterprise. */
  site: string | null
  topic: string
  device: string | null
  problem: string
  excerpt: string
}

export interface UserRow {
  name: string
  /** PHC text; empty: signs in elsewhere. */
  password: string
  role: string
  /** JSON array of enterprise ids; null: all. */
  enterprises: string | null
  /** JSON array of site ids; null: all. */
  sites: string | null
  /** Who vouches for the user, and by what name: an OpenID Connect issuer and its `sub`. Null: a password here does. */
  issuer: string | null
  subject: string | null
  disabled: number
  created_at: number
  password_at: number
}

export interface SessionRow {
  /** sha256 of the secret, hex. */
  hash: string
  user_name: string
  created_at: number
  last_seen_at: number
  from_address: string
}

export interface TokenRow {
  id: string
  /** sha256 of the secret, hex. */
  hash: string
  name: string
  user_name: string
  role: string
  enterprises: string | null
  sites: string | null
  created_at: number
  last_used_at: number | null
  revoked_at: number | null
}

/** One record of the audit chain: `hash` covers the record and the `hash` before it. */
export interface AuditRow {
  n: number
  at: number
  who: string
  what: string
  before: string | null
  after: string | null
  previous_hash: string
  hash: string
}

/** A planned notification and what became of it. `n` counts in the order of planning. */
export interface NotificationRow {
  n: number
  /** From the inputs; the provider's idempotency key. */
  id: string
  /** When it was due, epoch ms. */
  at: number
  reason: string
  /** JSON array of alarm ids, the most severe first. */
  alarms: string
  tier: number
  site: string | null
  enterprise: string | null
  ladder: string
  rung: number
  occurrence: number
  person: string
  /** The kind of channel. */
  channel: string
  address: string | null
  /** The address as answers are recognised by it; null where nobody answers from there. */
  address_key: string | null
  /** The server behind the address, where each may have its own; else ''. */
  host: string
  language: string
  /** JSON of NotificationWords. */
  words: string
  text: string
  drill: number
  withheld: string | null
  /** queued, sending, sent, delivered, failed, withheld. */
  state: string
  tries: number
  /** Queued: not before this, epoch ms. */
  next_at: number
  /** The sender that took it last. */
  claimed_by: string | null
  /** The configured channel that was tried last. */
  provider: string | null
  provider_id: string | null
  problem: string | null
  /** 1 where it may have reached the person twice. */
  possible_duplicate: number
  /** 1 where it was not sent in time: the ladder has been told so that it steps on. */
  late: number
  sending_at: number | null
  sent_at: number | null
  delivered_at: number | null
  failed_at: number | null
  /** Without a receipt by then it counts as failed, epoch ms. */
  receipt_due: number | null
  /** When its one-time link was used. */
  answered_at: number | null
  /** 1 while its state is not yet in the journal. */
  unreported: number
}

/** Which notifications tell of an alarm. */
export interface NotificationAlarmRow {
  alarm: string
  n: number
}

/** What somebody sent back. */
export interface AnswerRow {
  n: number
  at: number
  provider: string
  provider_id: string | null
  address: string
  text: string
  person: string | null
  alarm: string | null
  enterprise: string | null
  site: string | null
  /** acknowledged, drill, unknownText, unknownSender, nothingOpen (also: not done yet). */
  outcome: string
}

/** A test of everything from alarm to person. `record` (JSON) and `signature` once it is over. */
export interface DrillRow {
  id: string
  at: number
  by_user: string
  site: string | null
  enterprise: string | null
  device: string | null
  rule: string | null
  tier: string
  person: string | null
  note: string | null
  /** Null: none takes such an alarm. */
  ladder: string | null
  factor: number
  /** Null while it goes on. */
  ended_at: number | null
  /** DrillOutcome. */
  outcome: string | null
  acknowledged_by: string | null
  /** How it was acknowledged. */
  answer: string | null
  /** Once it is closed: JSON text as it was signed. */
  record: string | null
  signature: string | null
}

/** A receipt of a message that was not known to be accepted yet. */
export interface EarlyReceiptRow {
  provider: string
  provider_id: string
  state: string
  problem: string | null
  at: number
}

/** A process that sends notifications: the service, or a delivery worker. */
export interface SenderRow {
  id: string
  /** service or worker. */
  role: string
  host: string
  pid: number
  version: string
  started_at: number
  /** Counts up while it lives: who looks on needs no common clock. */
  beat: number
  /** By its own clock, for people. */
  beat_at: number
  /** 1 while it sends. */
  sends: number
  sending: number
  sent: number
  problem: string | null
}

/** What somebody sent back to a delivery worker, until the service has taken it. */
export interface HandedAnswerRow {
  id: string
  at: number
  provider: string
  kind: string
  address: string
  text: string
  provider_id: string | null
}

/** Secrets the service made for itself. */
export interface ServiceSecretRow {
  name: string
  secret: string
}

/** Which sessions there are with an external MQTT broker: one row, JSON. */
export interface UpstreamRow {
  only: number
  body: string
}

/** One version of a rule, device or gateway changed through the API; `before` and `after` are JSON, never with a secret. */
export interface AmendmentRow {
  n: number
  kind: string
  id: string
  version: number
  at: number
  by_user: string
  note: string | null
  op: string
  before: string | null
  after: string | null
  /** Of a gateway: a PHC hash, empty where revoked, null where the files say it. */
  secret: string | null
  base: string | null
}

/** One row: who works with a store on a server. Unused in an SQLite file. */
export interface LeaseRow {
  /** One higher with each holder. */
  epoch: number
  /** The id of the holder's data folder; empty: nobody has held it yet. */
  holder: string
  /** Of the holder's connection, on the server. */
  pid: number
  /** Where the holder answers, for people. */
  host: string
  /** When the holder last showed that it lives, by the server's clock. */
  beat_at: number
}
