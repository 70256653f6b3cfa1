// The service's HTTP API as the console sees it: the shapes it relies on and one typed function per call.
// A refusal or an unreachable service is an ApiProblem with a status; nothing else is thrown.

export type Tier = 'blue' | 'yellow' | 'orange' | 'red'
/** From the highest tier to the lowest: the order in which operators see them. */
export const TIERS_DOWN: readonly Tier[] = ['red', 'orange', 'yellow', 'blue']
export const TIER_RANK: Readonly<Record<Tier, number>> = { blue: 1, yellow: 2, orange: 3, red: 4 }

export interface Text {
  readonly zh: string
  readonly en: string
}

export type Quality = 'good' | 'late' | 'clockSkewed' | 'outOfRange' | 'sensorFault'

export interface Person {
  readonly username: string
  readonly role: 'viewer' | 'operator' | 'engineer' | 'admin'
  readonly enterprises: readonly string[] | null
  readonly sites: readonly string[] | null
  /** Signs in by OpenID Connect, and has no password here. */
  readonly external: boolean
  /** Where to go after signing out, to sign out at the provider too; null: nowhere. */
  readonly signOutAt: string | null
}

export interface Alarm {
  readonly id: string
  readonly rule: string
  readonly device: string | null
  readonly area: string | null
  readonly site: string | null
  readonly enterprise: string | null
  readonly deviceName: Text | null
  readonly areaName: Text | null
  readonly siteName: Text | null
  readonly tier: Tier
  readonly worstTier: Tier
  readonly raisedAt: string
  readonly clearedAt: string | null
  readonly acknowledged: { readonly by: string; readonly at: string; readonly note: string | null } | null
  readonly shelved: Withholding | null
  /** The states and inhibitions for which nobody is told: `state:…`, `inhibition:…`. */
  readonly suppressedBy: readonly string[]
  readonly outOfService: Withholding | null
  readonly assignee: string | null
  readonly closed: Closing | null
  readonly realarmAt: string | null
  readonly firstOut: boolean
  readonly chattering: boolean
  readonly stale: boolean
  /** ISA-18.2: A normal … G shelved, H suppressed, I out of service. */
  readonly isaState: string
  readonly because: string
  readonly becauseText: Text
  readonly title: Text
  readonly guidance: Text
}

/** Told to nobody for the time being: by whom, until when, why. */
export interface Withholding {
  readonly by: string
  readonly at: string
  readonly until: string
  readonly note: string | null
}

export const DISPOSITIONS = ['real', 'instrumentFault', 'maintenance', 'test', 'communication'] as const
export type Disposition = (typeof DISPOSITIONS)[number]

export interface Closing {
  readonly by: string
  readonly at: string
  readonly disposition: Disposition
  readonly verifier: string | null
  readonly note: string | null
}

export interface LevelChange {
  readonly at: string
  readonly id: string
  readonly from: Tier | 'clear'
  readonly to: Tier | 'clear'
  readonly because: string
}

/** In the story of one alarm. */
export interface ToldChange extends LevelChange {
  readonly becauseText: Text
}

/** What a person did to an alarm, or the service by itself. */
export interface Deed {
  readonly at: string
  readonly id: string
  readonly action: string
  readonly by: string
  readonly note: string | null
  readonly until?: string
  readonly assignee?: string | null
  readonly disposition?: Disposition
  readonly verifier?: string | null
}

/** One line of the alarm journal. */
export type AlarmEvent = LevelChange | Deed

export type AlarmAction = 'acknowledge' | 'shelve' | 'unshelve' | 'reset' | 'comment' | 'assign' | 'close'

export interface AlarmActionBody {
  readonly note?: string
  readonly until?: string
  /** Null: nobody any more. */
  readonly assignee?: string | null
  readonly disposition?: Disposition
  readonly verifier?: string
}

export interface DeviceValue {
  readonly metric: string
  readonly name: Text
  readonly unit: string
  readonly min: number
  readonly max: number
  readonly value: number | null
  readonly at: string | null
  /** Since its device was heard with it, by the service's clock, when the answer was written. */
  readonly ageMs: number | null
  /** Null: this metric has never been reported. */
  readonly quality: Quality | null
}

export type DeviceState = 'online' | 'silent' | 'offline' | 'never'

export interface Device {
  readonly id: string
  readonly name: Text
  readonly profile: string
  readonly profileName: Text
  readonly gateway: string | null
  readonly area: string | null
  readonly areaName: Text | null
  readonly site: string | null
  readonly siteName: Text | null
  readonly enterprise: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly limits: Readonly<Record<string, number>>
  readonly state: DeviceState
  readonly lastReceivedAt: string | null
  readonly ageMs: number | null
  readonly silentAfterMs: number
  readonly worstTier: Tier | null
  readonly values: readonly DeviceValue[]
}

/** Where a rule compares one metric with one number: a line on the trend, a mark on the bar. */
export interface Threshold {
  readonly metric: string
  readonly rule: string
  readonly tier: Tier
  readonly op: '>' | '>=' | '<' | '<='
  readonly value: number
  readonly limit: string | null
}

export interface DeviceRule {
  readonly id: string
  readonly title: Text
  readonly per: 'device' | 'area'
  readonly tiers: readonly { readonly tier: Tier; readonly when: string; readonly for: string }[]
}

export interface DeviceDetail extends Device {
  readonly thresholds: readonly Threshold[]
  readonly rules: readonly DeviceRule[]
}

export type Verdict = 'yes' | 'no' | 'unknown'

/** One part of a condition, from the outside in: a condition with its verdict, or a number with its value. */
export interface ExplainedPart {
  readonly depth: number
  readonly text: string
  /** Null: a number. */
  readonly verdict: Verdict | null
  readonly shown: string | null
  readonly value: number | null
  readonly ageMs: number | null
  readonly quality: Quality | null
  readonly unknown: readonly string[]
  readonly unknownText: readonly Text[]
}

export interface ExplainedTier {
  readonly tier: Tier
  readonly on: boolean
  readonly when: { readonly parts: readonly ExplainedPart[] }
  readonly clear: { readonly parts: readonly ExplainedPart[] }
  readonly clock: { readonly patienceMs: number; readonly elapsedMs: number } | null
}

/** Why a rule stands where it stands on one device or area. */
export interface Explanation {
  readonly at: string
  readonly level: Tier | 'clear'
  /** For what nobody is told of its alarm. */
  readonly suppressedBy: readonly { readonly by: string; readonly because: string; readonly becauseText: Text }[]
  readonly sentence: string
  readonly sentenceText: Text
  readonly tiers: readonly ExplainedTier[]
}

export interface Reading {
  readonly at: string
  readonly value: number | null
  readonly quality: Quality
}

export interface Bucket {
  readonly at: string
  readonly min: number
  readonly max: number
  readonly avg: number
  readonly last: number
  readonly count: number
}

export type TierCounts = Readonly<Record<Tier, number>>

export interface DeviceCounts {
  readonly total: number
  readonly online: number
  readonly silent: number
  readonly neverReported: number
}

export interface SiteOverview {
  readonly id: string
  readonly name: Text
  readonly worstTier: Tier | null
  readonly alarms: TierCounts
  readonly unacknowledged: number
  readonly devices: DeviceCounts
}

export interface HealthLine {
  readonly part: string
  readonly state: string
  readonly problem: string | null
}

/** More announced than a person can take in: everywhere, at one enterprise, or at one site. */
export interface Flood {
  readonly scope: 'installation' | 'enterprise' | 'site'
  readonly site: string | null
  readonly enterprise: string | null
  readonly since: string
  readonly count: number
}

export interface Overview {
  readonly floods?: readonly Flood[]
  readonly at: string
  readonly alarms: TierCounts & { readonly unacknowledged: number }
  readonly devices: DeviceCounts
  readonly intake: { readonly lagMs: number }
  readonly sites: readonly SiteOverview[]
  readonly health: readonly HealthLine[]
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
  /** How many there are in all, where the service says so. */
  readonly total?: number
}

/** Why a call did not succeed. Status 0: the service could not be reached. */
export class ApiProblem extends Error {
  readonly status: number
  /** What is wrong with a text that was sent, at its lines. */
  readonly problems: readonly TextProblem[]

  constructor(status: number, sentence: string, problems: readonly TextProblem[] = []) {
    super(sentence)
    this.status = status
    this.problems = problems
  }
}

export interface TextProblem {
  readonly place: string
  readonly problem: string
  /** In the text that was sent, from 1; null: not a place in it. */
  readonly line: number | null
}

const BASE = '/api/v1'
const PATIENCE_MS = 15_000

/** One call of the API: its answer, or an ApiProblem. */
export async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  const tooLong = AbortSignal.timeout(PATIENCE_MS)
  const signal = init.signal ? AbortSignal.any([init.signal, tooLong]) : tooLong
  let response: Response
  let body: string
  try {
    response = await fetch(BASE + path, { ...init, signal, credentials: 'same-origin' })
    body = await response.text()
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw new ApiProblem(0, '')
  }
  if (!response.ok) throw new ApiProblem(response.status, sentenceOf(body), problemsOf(body))
  return (body === '' ? null : parsed(body, response.status)) as T
}

function parsed(body: string, status: number): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new ApiProblem(status, '')
  }
}

/** The sentence of an RFC 9457 problem; empty where the body is none. */
function sentenceOf(body: string): string {
  try {
    const problem = JSON.parse(body) as { detail?: unknown; title?: unknown }
    if (typeof problem.detail === 'string') return problem.detail
    return typeof problem.title === 'string' ? problem.title : ''
  } catch {
    return ''
  }
}

export function post<T>(path: string, body: unknown): Promise<T> {
  return call<T>(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

function problemsOf(body: string): readonly TextProblem[] {
  try {
    const { problems } = JSON.parse(body) as { problems?: unknown }
    return Array.isArray(problems) ? (problems as TextProblem[]) : []
  } catch {
    return []
  }
}

export type Query = Readonly<Record<string, string | number | null | undefined>>

export function query(parts: Query): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parts)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

/** Who is signed in; an ApiProblem with status 401 when nobody is. */
export const whoAmI = (): Promise<Person> => call('/session')

export const signIn = (username: string, password: string): Promise<Person> => post('/session', { username, password })

export interface SignInWays {
  /** At an OpenID Connect provider; null: only by password. */
  readonly oidc: { readonly name: Text; readonly begin: string; readonly available: boolean } | null
}

export const signInWays = (): Promise<SignInWays> => call('/session/ways')

export const signOut = (): Promise<unknown> => call('/session', { method: 'DELETE' })

export const listAlarms = (parts: Query, signal?: AbortSignal): Promise<Page<Alarm>> =>
  call(`/alarms${query(parts)}`, signal ? { signal } : {})

export const getAlarm = (id: string): Promise<Alarm> => call(`/alarms/${encodeURIComponent(id)}`)

/** Does something to one alarm; settles once the service has booked it. */
export const actOn = (id: string, action: AlarmAction, body: AlarmActionBody): Promise<Alarm> =>
  post(`/alarms/${encodeURIComponent(id)}/${action}`, body)

export const listDevices = (parts: Query, signal?: AbortSignal): Promise<Page<Device>> =>
  call(`/devices${query(parts)}`, signal ? { signal } : {})

export const getDevice = (id: string, signal?: AbortSignal): Promise<DeviceDetail> =>
  call(`/devices/${encodeURIComponent(id)}`, signal ? { signal } : {})

export const explainRule = (rule: string, subject: Query, signal?: AbortSignal): Promise<Explanation> =>
  call(`/rules/${encodeURIComponent(rule)}/explain${query(subject)}`, signal ? { signal } : {})

export const readings = (parts: Query, signal?: AbortSignal): Promise<Page<Reading>> =>
  call(`/readings${query(parts)}`, signal ? { signal } : {})

export const buckets = (parts: Query, signal?: AbortSignal): Promise<{ items: readonly Bucket[] }> =>
  call(`/readings${query(parts)}`, signal ? { signal } : {})

export const getOverview = (signal?: AbortSignal): Promise<Overview> => call('/overview', signal ? { signal } : {})

/** The address of the live stream: alarms always, readings of the named devices; `after` resumes behind that alarm event. */
export const liveAddress = (devices: readonly string[], after: string | null): string =>
  `${BASE}/live${query({ devices: devices.join(','), lastEventId: after })}`
