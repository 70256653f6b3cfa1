// What the pages of notifications, duty and hazard sources ask of the service.

import { call, type Page, post, type Query, query, type Text, type Tier } from './api.ts'

export const NOTICE_STATES = ['queued', 'sending', 'sent', 'delivered', 'failed', 'withheld'] as const
export type NoticeState = (typeof NOTICE_STATES)[number]
export type ChannelKind = 'sms' | 'voice' | 'email' | 'webhook' | 'dingtalk' | 'feishu' | 'wecom' | 'push'

/** One message to one person by one way. */
export interface Notice {
  readonly id: string
  readonly at: string
  readonly reason: string
  readonly alarms: readonly string[]
  readonly tier: Tier
  readonly ladder: string
  readonly rung: number
  readonly occurrence: number
  readonly person: string
  readonly channel: ChannelKind
  readonly address: string | null
  readonly text: string
  readonly drill: boolean
  readonly withheld: string | null
  readonly state: NoticeState
  readonly tries: number
  readonly provider: string | null
  readonly problem: string | null
  readonly possibleDuplicate: boolean
  readonly late: boolean
  readonly sentAt: string | null
  readonly deliveredAt: string | null
  readonly failedAt: string | null
}

export interface Answer {
  readonly at: string
  readonly channel: string
  readonly address: string
  readonly text: string
  readonly person: string | null
  readonly alarm: string | null
  readonly outcome: string
}

/** A test alarm that climbs a ladder, marked as one; not among the alarms. */
export interface Drill {
  readonly id: string
  readonly at: string
  readonly by: string
  readonly site: string | null
  readonly device: string | null
  readonly tier: Tier
  readonly person: string | null
  readonly note: string | null
  readonly ladder: string | null
  /** The delays of the ladder were divided by this. */
  readonly factor: number
  /** Null: it goes on. */
  readonly endedAt: string | null
  readonly outcome: string | null
  readonly acknowledged: { readonly by: string; readonly at: string; readonly note: string | null } | null
  readonly steps: readonly {
    readonly rung: number
    readonly occurrence: number
    readonly person: string
    readonly channel: ChannelKind
    readonly plannedAt: string
    readonly state: string
    readonly sentAt: string | null
    readonly deliveredAt: string | null
    readonly acknowledgedAt: string | null
    readonly problem: string | null
  }[]
  readonly signature: string | null
  /** Whether the record is as it was signed; null while it is not closed. */
  readonly genuine: boolean | null
}

/** Of site, device and person one at least. */
export interface DrillAsked {
  readonly site?: string
  readonly device?: string
  readonly tier: Tier
  readonly person?: string
  readonly note?: string
  /** The delays of the ladder are divided by it. */
  readonly fast: number
}

export const listNotices = (parts: Query, signal?: AbortSignal): Promise<Page<Notice>> =>
  call(`/notifications${query(parts)}`, signal ? { signal } : {})

/** Sends a dead letter once more. */
export const retryNotice = (id: string): Promise<Notice> => post(`/notifications/${encodeURIComponent(id)}/retry`, {})

export const listAnswers = (parts: Query, signal?: AbortSignal): Promise<Page<Answer>> =>
  call(`/answers${query(parts)}`, signal ? { signal } : {})

export const listDrills = (signal?: AbortSignal): Promise<{ items: readonly Drill[] }> => call('/drills', signal ? { signal } : {})

/** Sends real messages, each marked as a drill. */
export const holdDrill = (asked: DrillAsked): Promise<{ id: string; ladder: string; notifications: number }> => post('/drill', asked)

export const acknowledgeDrill = (id: string): Promise<Drill> => post(`/drills/${encodeURIComponent(id)}/acknowledge`, {})

export interface NamedPerson {
  readonly id: string
  readonly name: Text
}

export interface RotaNow {
  readonly rota: string
  readonly name: Text
  readonly zone: string
  readonly people: readonly NamedPerson[]
  /** Null: no handover is ahead, the same people stay. */
  readonly until: string | null
  readonly next: readonly NamedPerson[]
  readonly holes: readonly { readonly from: string; readonly to: string }[]
}

export interface DutyNow {
  readonly at: string
  /** False: nobody is told of alarms. */
  readonly configured: boolean
  readonly rotas: readonly RotaNow[]
}

export interface Ladder {
  readonly id: string
  readonly appliesTo: {
    readonly tiers: readonly Tier[] | null
    readonly rules: readonly string[] | null
    readonly area: string | null
    readonly site: string | null
    readonly enterprise: string | null
  }
  readonly receiptWithinMs: number | null
  readonly rungs: readonly {
    readonly afterMs: number
    readonly tell: readonly { readonly target: string; readonly name: Text | null }[]
    readonly by: readonly (readonly ChannelKind[])[]
    readonly repeatMs: number | null
    readonly times: number
  }[]
}

export type ResponsibleRole = 'operation' | 'technical' | 'main'

export interface DutyPlan {
  readonly ladders: readonly Ladder[]
  readonly responsible: readonly {
    readonly hazardSource: string
    readonly name: Text
    readonly siteName: Text | null
    readonly roles: readonly { readonly role: ResponsibleRole; readonly person: string | null; readonly name: Text | null }[]
  }[]
}

export interface DutyPreview {
  readonly at: string
  readonly tier: Tier
  readonly ladder: string | null
  readonly items: readonly {
    readonly at: string
    readonly rung: number
    readonly occurrence: number
    readonly reason: string
    readonly person: string
    readonly personName: Text | null
    readonly channel: ChannelKind
    readonly withheld: string | null
    readonly text: string
  }[]
}

export const getDuty = (signal?: AbortSignal): Promise<DutyNow> => call('/duty', signal ? { signal } : {})

export const getDutyPlan = (signal?: AbortSignal): Promise<DutyPlan> => call('/duty/plan', signal ? { signal } : {})

export const previewDuty = (parts: Query, signal?: AbortSignal): Promise<DutyPreview> =>
  call(`/duty/preview${query(parts)}`, signal ? { signal } : {})

export interface Grading {
  readonly s: number
  readonly major: boolean
  readonly alpha: number
  readonly r: number
  /** 1 is the gravest; null: no major hazard source. */
  readonly grade: number | null
}

export interface HazardSource {
  readonly id: string
  readonly name: Text
  readonly siteName: Text | null
  readonly site: string
  readonly exposed: number
  readonly design: Grading
  readonly live: Grading & { readonly unknownLevels: number }
  readonly inventory: readonly {
    readonly cas: string | null
    readonly class: string | null
    readonly name: Text
    readonly tank: string | null
    readonly thresholdT: number
    readonly beta: number
    readonly designT: number
    readonly liveT: number
    readonly levelPct: number | null
    readonly levelAt: string | null
    /** Why the level is not known, so that the design amount counts; null: it is. */
    readonly unknown: string | null
  }[]
}

export const listHazardSources = (signal?: AbortSignal): Promise<{ standard: string; at: string; items: readonly HazardSource[] }> =>
  call('/hazard-sources', signal ? { signal } : {})
