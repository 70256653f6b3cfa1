// The service's API of one alarm's whole story, of what is out of service, and of states of the plant and alarms that
// explain others.

import { type Alarm, call, type Deed, type Page, post, query, type Text, type Tier, type ToldChange } from './api.ts'

/** One message to one person, as far as the service knows what became of it. */
export interface Notification {
  readonly id: string
  readonly at: string
  readonly reason: string
  readonly person: string
  readonly channel: string
  readonly address: string | null
  readonly text: string
  readonly drill: boolean
  /** Why it was deliberately not sent. */
  readonly withheld: string | null
  readonly state: string
  readonly tries: number
  readonly problem: string | null
  readonly possibleDuplicate: boolean
  readonly late: boolean
  readonly sentAt: string | null
  readonly deliveredAt: string | null
  readonly failedAt: string | null
}

/** Somebody to whom the alarm may be assigned, or by whom a closing may be verified. */
export interface Choice {
  /** What is sent, and stands in the story. */
  readonly id: string
  /** Null: nobody on duty, so that there is only the sign-in name. */
  readonly name: Text | null
  readonly me: boolean
}

/** `more`: there are others; ask with a part of the name. */
export const listChoices = (alarm: string, q: string, signal?: AbortSignal): Promise<{ items: readonly Choice[]; more: boolean }> =>
  call(`/people/choices${query({ alarm, q })}`, init(signal))

/** What the plant demands of whoever acts on the alarm. */
export interface Demands {
  readonly noteRequired: boolean
  /** It stays on until somebody resets it. */
  readonly latched: boolean
  readonly longestShelfMs: number
}

export interface AlarmDetail extends Alarm {
  readonly events: readonly (ToldChange | Deed)[]
  readonly notifications: readonly Notification[]
  readonly demands?: Demands
}

export type TargetKind = 'device' | 'area' | 'site'
export interface Target {
  readonly kind: TargetKind
  readonly id: string
}

/** Something is out of service, or will be. Exactly one of device, area and site is set. */
export interface ServiceWindow {
  readonly device: string | null
  readonly area: string | null
  readonly site: string | null
  readonly from: string
  readonly until: string
  readonly by: string
  readonly note: string | null
  readonly running: boolean
}

/** Where a state or inhibition is on. */
export interface OnSomewhere {
  /** `device T-101`, `area bund-1`, `site farm`; `*`: everywhere. */
  readonly scope: string
  /** The device or alarm that makes it so, `schedule`, or `person`. */
  readonly source: string
  readonly since: string
  readonly until: string | null
  readonly because: string
  readonly becauseText: Text
}

interface Suppressing {
  readonly id: string
  readonly title: Text
  readonly suppresses: { readonly rules: readonly string[] | null; readonly upTo: Tier }
  readonly on: readonly OnSomewhere[]
  /** The alarms that stand and are not told because of it. */
  readonly holdsBack: readonly string[]
}

export interface PlantState extends Suppressing {
  readonly kind: 'while' | 'schedule' | 'manual'
  readonly while: string | null
}

export interface Inhibition extends Suppressing {
  readonly source: { readonly rule: string; readonly tier: Tier }
  readonly within: string
}

export interface Site {
  readonly id: string
  readonly name: Text
  readonly areas: readonly { readonly id: string; readonly name: Text }[]
}

type Items<T> = Promise<{ readonly items: readonly T[] }>
const init = (signal?: AbortSignal): RequestInit => (signal ? { signal } : {})

export const readAlarm = (id: string, signal?: AbortSignal): Promise<AlarmDetail> => call(`/alarms/${encodeURIComponent(id)}`, init(signal))

export const listWindows = (signal?: AbortSignal): Items<ServiceWindow> => call('/out-of-service', init(signal))

const pathOf = ({ kind, id }: Target): string => `/${kind}s/${encodeURIComponent(id)}`

/** Without `from`: at once. Answers the target's windows. */
export const takeOutOfService = (target: Target, body: { from?: string; until: string; note: string }): Items<ServiceWindow> =>
  post(`${pathOf(target)}/out-of-service`, body)

export const returnToService = (target: Target, note: string): Items<ServiceWindow> =>
  post(`${pathOf(target)}/return-to-service`, note === '' ? {} : { note })

export const listStates = (signal?: AbortSignal): Items<PlantState> => call('/states', init(signal))

export const listInhibitions = (signal?: AbortSignal): Items<Inhibition> => call('/inhibitions', init(signal))

export const enterState = (state: string, { kind, id }: Target, until: string, note: string): Promise<PlantState> =>
  post(`/states/${encodeURIComponent(state)}/enter`, { [kind]: id, until, ...(note === '' ? {} : { note }) })

export const leaveState = (state: string, { kind, id }: Target, note: string): Promise<PlantState> =>
  post(`/states/${encodeURIComponent(state)}/leave`, { [kind]: id, ...(note === '' ? {} : { note }) })

export const listSites = (signal?: AbortSignal): Promise<Page<Site>> => call(`/sites${query({ limit: 500 })}`, init(signal))
