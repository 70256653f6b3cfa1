// The newest notices as ready-made SSE frames for those who are connected. Nobody resumes in them: `GET /notices` and the
// overview tell what somebody has missed.

import type { MarkChange } from '../model/mark.ts'
import { maySee, type Scope } from '../model/scope.ts'
import { LIMITS } from '../platform/limits.ts'
import { frame } from './eventTape.ts'
import { noticeBody } from './views.ts'

interface NoticeFrame {
  readonly change: MarkChange
  readonly text: string
}

export class NoticeTape {
  #frames: NoticeFrame[] = []
  #end = 0

  /** Where the next notice will stand. */
  get end(): number {
    return this.#end
  }

  add(changes: readonly MarkChange[]): void {
    for (const change of changes) this.#frames.push({ change, text: frame('notice', noticeBody(change)) })
    this.#end += changes.length
    if (this.#frames.length > LIMITS.api.liveNotices) this.#frames = this.#frames.slice(-LIMITS.api.liveNotices)
  }

  clear(): void {
    this.#frames = []
  }

  /**
   * The next of them from `at` on for this scope, with the alarms that they mark though nothing has happened to these, and where
   * to go on; what is too old is passed over.
   */
  after(at: number, scope: Scope): { readonly text: string; readonly alarms: readonly string[]; readonly upTo: number } {
    const first = this.#end - this.#frames.length
    const some = this.#frames.slice(Math.max(0, at - first), Math.max(0, at - first) + LIMITS.api.liveNoticesAtOnce)
    const seen = some.filter(({ change }) => maySee(scope, change))
    return {
      text: seen.map(({ text }) => text).join(''),
      alarms: seen.flatMap(({ change }) => (byTime(change) ? change.alarms : [])),
      upTo: Math.max(at, first) + some.length
    }
  }
}

/** Other marks come with an event of the alarm, and it is shown after that. */
function byTime({ kind, on }: MarkChange): boolean {
  return (kind === 'stale' && on) || (kind === 'chattering' && !on)
}
