// What the API needs to change rules, devices and gateways while the service runs: asked in these words, answered in these.

import type { Identity } from '../access/roles.ts'
import type { Amendable, WrittenThing } from '../model/amendment.ts'
import type { Scope } from '../model/scope.ts'

/** Who wants which thing changed, and what he has seen of it. */
export interface AmendCall {
  readonly kind: Amendable
  /** From the path; null: what was sent says it. */
  readonly id: string | null
  readonly by: Identity
  readonly note: string | null
  /** The entity tag that he has seen (If-Match): another one is refused as a failed precondition. */
  readonly ifMatch: string | null
  /** The version that he has seen: another one is refused as a conflict. */
  readonly version: number | null
}

/** What is wrong with a change. `place`: a field of what was sent (`tiers.yellow.when`), or a place in a file or another thing. */
export interface AmendProblem {
  readonly place: string
  readonly problem: string
  /** In the text that was sent, 1-based; null where the place is not in it. */
  readonly line: number | null
  readonly column: number | null
}

export type AmendRefusal = {
  readonly kind: 'refused'
  readonly why: 'malformed' | 'unknown' | 'exists' | 'conflict' | 'precondition' | 'forbidden' | 'invalid' | 'busy' | 'unavailable'
  readonly sentence: string
  readonly problems: readonly AmendProblem[]
}

export type AmendDone = {
  readonly kind: 'done'
  readonly id: string
  readonly change: 'created' | 'changed' | 'removed' | 'reverted' | 'unchanged'
  readonly version: number
  /** Null where the thing is gone. */
  readonly etag: string | null
  readonly warnings: readonly string[]
}

export const RULE_ORIGINS = ['file', 'console', 'builtIn'] as const
/** In a file (and perhaps changed since); through the API alone; nowhere: a file asks for it by name. */
export type RuleOrigin = (typeof RULE_ORIGINS)[number]

/** A thing that is in force, as it is written. */
export interface Standing {
  readonly version: number
  readonly etag: string
  readonly written: WrittenThing
  /** Where a file says something of it, `file:line`; null: it is known through the API alone. */
  readonly file: string | null
  /** Whether it was changed through the API, so that the file is not what is in force. */
  readonly amended: boolean
}

export interface VersionView {
  readonly version: number
  readonly at: number
  readonly by: string
  readonly note: string | null
  readonly change: AmendDone['change']
  /** Unified diff of the YAML before and after. */
  readonly diff: string
  readonly written: WrittenThing | null
}

/** What a change of a rule would do, and nothing of it done. */
export interface RuleTrial {
  readonly problems: readonly AmendProblem[]
  readonly warnings: readonly string[]
  readonly change: 'created' | 'changed' | 'unchanged'
  /** Whom it would watch; null where it cannot be judged. */
  readonly subjects: {
    readonly before: number
    readonly after: number
    readonly added: readonly string[]
    readonly removed: readonly string[]
  } | null
  /** What would turn at once, on the values held now; the rest is counted. */
  readonly turns: {
    readonly count: number
    readonly first: readonly { subject: string; from: string; to: string; because: string }[]
  } | null
  readonly diff: string
}

/** What an import of a table of devices did, or would do. */
export interface ImportOutcome {
  readonly kind: 'imported'
  readonly rows: number
  readonly created: number
  readonly changed: number
  readonly unchanged: number
  readonly dryRun: boolean
}

/** One change in force, or left out at the start. */
export interface OverlayEntry {
  readonly kind: Amendable
  readonly id: string
  readonly version: number
  readonly at: number
  readonly by: string
  readonly note: string | null
  readonly op: 'put' | 'remove'
  /** Why it is not in force; null: it is. */
  readonly leftOut: string | null
  /** The files say something else of it than when it was changed. */
  readonly fileChanged: boolean
}

/** One change at a time; each is checked as files are, kept, journaled, and in force when it is answered. */
export interface Amender {
  put(call: AmendCall, mode: 'create' | 'replace', sent: Uint8Array): Promise<AmendDone | AmendRefusal>
  /** `to`: `file` reverts to what the files say, `gone` takes it out of force; null: a rule that a file has reverts if it was changed. */
  remove(call: AmendCall, to: 'file' | 'gone' | null): Promise<AmendDone | AmendRefusal>
  /** A dry run of a rule. */
  try(call: AmendCall, sent: Uint8Array): Promise<RuleTrial | AmendRefusal>
  import(call: Pick<AmendCall, 'by' | 'note'>, table: Uint8Array, dryRun: boolean): Promise<ImportOutcome | AmendRefusal>
  standing(kind: Amendable, id: string): Standing | null
  /** Where a rule in force is written. */
  origin(rule: string): RuleOrigin
  /** Newest first; null: it was never changed through the API, and is not in force for this scope. */
  versions(kind: Amendable, id: string, scope: Scope, limit: number, before: number): Promise<readonly VersionView[] | null>
  overlay(scope: Scope): readonly OverlayEntry[]
  /** The rule or the rules as YAML, as they are written. */
  yaml(kind: Amendable, ids: readonly string[]): string
}
