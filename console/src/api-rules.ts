// What the pages of rules ask of the service. A rule is read and sent as YAML, with the ETag of what was read.

import { ApiProblem, call, type Page, type Query, query, type Text, type TextProblem, type Tier, type TierCounts } from './api.ts'

export interface Rule {
  readonly id: string
  readonly title: Text
  readonly per: 'device' | 'area'
  readonly source: string | null
  /** Where it is written; a built-in one nowhere: a file asks for it by name. */
  readonly origin: 'file' | 'console' | 'builtIn'
  readonly tiers: readonly { readonly tier: Tier; readonly when: string; readonly for: string }[]
  /** It is judged and tells nobody. */
  readonly shadow: boolean
  readonly appliesTo: {
    readonly profile: string | null
    readonly devices: readonly string[] | null
    readonly labels: Readonly<Record<string, string>>
    readonly area: string | null
    readonly site: string | null
    readonly enterprise: string | null
  }
  readonly subjects: number
  readonly standing: TierCounts
  readonly lastFiredAt: string | null
  readonly firing: 'never' | 'sometimes' | 'always'
  readonly unknown: {
    readonly looked: number
    readonly count: number
    readonly share: number
    readonly reasons: readonly { readonly reason: string; readonly reasonText: Text; readonly count: number }[]
  } | null
}

export interface RuleDetail extends Rule {
  readonly version: number
  readonly amended: boolean
  /** `file:line`; null: it is known through the console alone. */
  readonly file: string | null
  readonly written: Readonly<Record<string, unknown>>
}

export interface OverlayEntry {
  readonly kind: 'rule' | 'device' | 'gateway'
  readonly id: string
  readonly version: number
  readonly at: string
  readonly by: string
  readonly op: 'put' | 'remove'
  /** Why it is not in force; null: it is. */
  readonly leftOut: string | null
  readonly fileChanged: boolean
}

export interface RuleTrial {
  readonly ok: boolean
  readonly problems: readonly TextProblem[]
  readonly warnings: readonly string[]
  readonly change: 'created' | 'changed' | 'unchanged'
  readonly subjects: {
    readonly before: number
    readonly after: number
    readonly added: readonly string[]
    readonly removed: readonly string[]
  } | null
  readonly turns: {
    readonly count: number
    readonly first: readonly {
      readonly subject: string
      readonly from: string
      readonly to: string
      readonly because: string
      readonly becauseText: Text
    }[]
  } | null
  readonly diff: string
}

export interface RuleVersion {
  readonly version: number
  readonly at: string
  readonly by: string
  readonly note: string | null
  readonly change: string
  readonly diff: string
  readonly written: Readonly<Record<string, unknown>> | null
}

export interface Amended {
  readonly id: string
  readonly change: string
  readonly version: number
  readonly warnings: readonly string[]
}

const at = (id: string): string => `/rules/${encodeURIComponent(id)}`

export const listRules = (parts: Query, signal?: AbortSignal): Promise<Page<Rule>> =>
  call(`/rules${query(parts)}`, signal ? { signal } : {})

export const listOverlay = (signal?: AbortSignal): Promise<{ items: readonly OverlayEntry[] }> =>
  call('/amendments', signal ? { signal } : {})

export const getRule = (id: string, signal?: AbortSignal): Promise<RuleDetail> => call(at(id), signal ? { signal } : {})

export interface RuleText {
  readonly text: string
  /** What If-Match is to say, so that somebody else's change is not lost. */
  readonly etag: string | null
}

/** The rule as YAML, as its file would have it. */
export async function getRuleText(id: string, signal: AbortSignal): Promise<RuleText> {
  const response = await fetch(`/api/v1${at(id)}?format=yaml`, { signal, credentials: 'same-origin' })
  if (!response.ok) throw new ApiProblem(response.status, '')
  return { text: await response.text(), etag: response.headers.get('etag') }
}

const YAML = { 'content-type': 'text/yaml' }

/** What the text would do; nothing of it is done. */
export const checkRule = (text: string): Promise<RuleTrial> => call('/rules/check', { method: 'POST', headers: YAML, body: text })

export const makeRule = (text: string, note: string): Promise<Amended> =>
  call(`/rules${query({ note })}`, { method: 'POST', headers: YAML, body: text })

const matching = (etag: string | null): Record<string, string> => (etag === null ? {} : { 'if-match': etag })

export const saveRule = (id: string, text: string, etag: string | null, note: string): Promise<Amended> =>
  call(at(id) + query({ note }), { method: 'PUT', headers: { ...YAML, ...matching(etag) }, body: text })

export const saveWritten = (id: string, written: Readonly<Record<string, unknown>>, etag: string | null, note: string): Promise<Amended> =>
  call(at(id) + query({ note }), {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...matching(etag) },
    body: JSON.stringify(written)
  })

/** `file`: as the files say again. `gone`: out of force. */
export const takeRule = (id: string, to: 'file' | 'gone', etag: string | null, note: string): Promise<Amended> =>
  call(at(id) + query({ to, note }), { method: 'DELETE', headers: matching(etag) })

export const listVersions = (id: string, cursor: string | null, signal: AbortSignal): Promise<Page<RuleVersion>> =>
  call(`${at(id)}/versions${query({ limit: 20, cursor })}`, { signal })
