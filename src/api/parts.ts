// What the API needs of the house, as one plain object: no globals, nothing looked up at run time.

import type { Access } from '../access/access.ts'
import type { Book } from '../alerts/book.ts'
import type { Marks } from '../alerts/marks.ts'
import type { ServiceWindow } from '../alerts/serviceWindows.ts'
import type { Telling } from '../alerts/telling.ts'
import type { History } from '../history/history.ts'
import type { Latest } from '../ingest/latest.ts'
import type { DrillActionBody } from '../model/drill.ts'
import type { Fleet } from '../model/fleet.ts'
import type { OperatorActionBody, ServiceActionBody } from '../model/journal.ts'
import type { Scope } from '../model/scope.ts'
import type { StateActionBody } from '../model/suppression.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { ServedCertificate } from '../platform/servedCertificate.ts'
import type { Doubt } from '../rules/doubts.ts'
import type { Explanation } from '../rules/explain.ts'
import type { Suppression } from '../rules/suppression.ts'
import type { Amender } from './amender.ts'
import type { LiveHub } from './live.ts'

/** The plant as the loop sees it at this moment: the devices, their last values, and which gateways are connected. */
export interface PlantView {
  readonly fleet: Fleet
  readonly latest: Latest
  /** By gateway id; a gateway that is not named has never said whether it is there. */
  readonly presence: ReadonlyMap<string, { readonly online: boolean; readonly since: number }>
  /** Whether the cause of this latched alarm is gone. Missing: nothing is known of it. */
  readonly causeGone?: (alarm: string) => boolean
  /** Windows out of service, running and planned. Missing: none. */
  readonly serviceWindows?: () => readonly ServiceWindow[]
  /** What states and inhibitions hold back. Missing: nothing. */
  readonly suppression?: () => Suppression
  /** Floods and chattering alarms. Missing: none. */
  readonly marks?: () => Pick<Marks, 'floods' | 'chattering'>
}

/** Where inputs enter: both go into the journal first. */
export interface Submit {
  /** A sentence where nothing can be accepted at the moment (disk full, too much waiting for the flush), else null. */
  obstacle(): string | null
  /** Resolves once the message is flushed. It does not resolve while the disk refuses writes. */
  telemetry(gateway: string, body: Uint8Array): Promise<void>
  /** Resolves once the action is flushed, applied, and committed to the book. */
  action(body: OperatorActionBody | ServiceActionBody | StateActionBody | DrillActionBody, by: string): Promise<void>
  /** Takes in again what is in quarantine; resolves once it is flushed. */
  retry(id: number, by: string, scope: Scope): Promise<RetryOutcome>
}

/** What became of an attempt to use what was in quarantine. */
export type RetryOutcome =
  | { readonly kind: 'unknown' | 'conflict'; readonly sentence: string }
  | { readonly kind: 'done'; readonly accepted: number; readonly rejected: readonly { readonly index: number; readonly problem: string }[] }

export interface PartHealth {
  readonly part: string
  /** The rota that it is about: told to those who may read of it only. */
  readonly rota?: string
  readonly state: 'ok' | 'starting' | 'degraded' | 'full' | 'failing'
  /** One sentence for people: what is wrong and what to do; null while all is well. */
  readonly problem: string | null
}

export interface HealthReport {
  /** The epoch of the lease it holds, one higher with each holder; null where nobody else could be active. */
  readonly epoch?: number | null
  readonly parts: readonly PartHealth[]
  readonly version: string
  /** How far judging is behind receiving, ms. */
  readonly intakeLagMs: number
  /** Records flushed but not yet judged. */
  readonly intakeLagRecords: number
  /** Records judged whose readings are not yet stored in history. */
  readonly historyLagRecords: number
  readonly messagesPerSecond: number | null
}

export interface HttpTls {
  readonly certificate: ServedCertificate
  /** Whether clients are asked for a certificate. */
  readonly clients: boolean
  /** Whether a client without a certificate that counts is turned away. */
  readonly requireClientCert: boolean
}

export interface ApiParts {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly http: {
    readonly host: string
    readonly port: number
    /** HTTPS with this certificate. Missing: plain HTTP. */
    readonly tls?: HttpTls | null
    /** Proxies whose X-Forwarded headers are believed. Missing: none. */
    readonly trustProxy?: readonly string[]
  }
  /** Where the built console lies (console/dist); it may be missing. */
  readonly consoleFolder: string
  readonly access: Access
  readonly book: Book
  readonly history: History
  readonly plant: () => PlantView
  /** Why a rule stands where it stands on a device or area; null where it does not watch it. */
  readonly explain: (rule: string, subject: { readonly device: string | null; readonly area: string | null }) => Explanation | null
  /** By rule: on how many of the subjects that `seen` lets pass it cannot be judged, and why. */
  readonly doubts: (
    seen: (subject: { readonly device: string | null; readonly area: string | null }) => boolean
  ) => ReadonlyMap<string, Doubt>
  readonly submit: Submit
  readonly telling: Telling
  /** Rules, devices and gateways changed while the service runs. */
  readonly amender: Amender
  readonly health: () => HealthReport
  readonly live: LiveHub
}
