// The active alarms as this browser knows them: read whole when the link comes up, then kept by the live link.
// Invariant: an acknowledgement counts only when the service has confirmed it; until then it is marked as being sent.

import {
  type Alarm,
  type AlarmAction,
  type AlarmActionBody,
  type AlarmEvent,
  ApiProblem,
  actOn,
  getAlarm,
  listAlarms,
  TIER_RANK
} from './api.ts'
import type { LiveLink } from './live.ts'
import { isStanding, isWaiting, WITHHELD, withheldBy } from './withheld.ts'

const PAGE = 500
const MOST = 5000
const SETTLE_MS = 200
const TOGETHER_MS = 100
const EACH_BY_ITSELF = 8
const RETRY_MS = 5000
const RESYNC_MS = 60_000

export interface AlarmListState {
  /** Those that stand, withheld ones too. Highest tier first, then newest. */
  readonly alarms: readonly Alarm[]
  /** Alarms whose acknowledgement has been sent and is not yet confirmed. */
  readonly sending: ReadonlySet<string>
  readonly loaded: boolean
  /** Read whole since the link last came up. */
  readonly current: boolean
  /** Why the last reading of the list failed; null: it did not. */
  readonly problem: unknown
  /** There were more than this browser keeps. */
  readonly cut: boolean
  /** When each alarm last changed its place in the list, by this browser's clock. */
  readonly movedAt: ReadonlyMap<string, number>
}

/** An alarm that an operator must be told of now, for the announcement. */
export interface Raise {
  readonly alarm: Alarm
  readonly kind: 'raise' | 'escalate' | 'again'
}

/** What makes an alarm that is still true be told again. */
const RETURNS: ReadonlySet<string> = new Set(['realarm', 'unshelve', 'unsuppress', 'returnToService'])
type Change = Raise['kind'] | 'other'
const WEIGHT: Readonly<Record<Change, number>> = { other: 0, again: 1, escalate: 2, raise: 3 }

const EMPTY: AlarmListState = {
  alarms: [],
  sending: new Set(),
  loaded: false,
  current: false,
  problem: null,
  cut: false,
  movedAt: new Map()
}

export class AlarmList {
  #state = EMPTY
  readonly #link: LiveLink
  readonly #changed = new Set<() => void>()
  readonly #raised = new Set<(raises: readonly Raise[]) => void>()
  readonly #pending = new Map<string, Change>()
  /** Alarms as the link last said, not yet in the list: a flood is sorted in a few times a second, not per alarm. */
  readonly #incoming = new Map<string, Alarm>()
  #together: number | undefined
  #settle: number | undefined
  #again: number | undefined
  #reading: AbortController | null = null
  /** What the link said while the list was being read: newer than the answer may be. */
  #meanwhile: Alarm[] = []
  #round = 0
  readonly #release: (() => void)[] = []
  readonly #failed: (problem: unknown) => void

  constructor(link: LiveLink, failed: (problem: unknown) => void) {
    this.#link = link
    this.#failed = failed
  }

  start(): void {
    this.#release.push(
      this.#link.on('alarm', (event) => this.#note(event)),
      this.#link.on('alarm-state', ({ alarm }) => this.#take(alarm)),
      this.#link.follow(() => this.#linkTurned())
    )
  }

  stop(): void {
    for (const release of this.#release.splice(0)) release()
    window.clearTimeout(this.#settle)
    window.clearTimeout(this.#together)
    window.clearTimeout(this.#again)
    this.#reading?.abort()
  }

  get state(): AlarmListState {
    return this.#state
  }

  readonly follow = (changed: () => void): (() => void) => {
    this.#changed.add(changed)
    return () => this.#changed.delete(changed)
  }

  onRaised(listener: (raises: readonly Raise[]) => void): () => void {
    this.#raised.add(listener)
    return () => this.#raised.delete(listener)
  }

  /** Acknowledges one alarm. Rejects with the ApiProblem when the service did not book it; the alarm is then as before. */
  async acknowledge(id: string, note: string | null): Promise<void> {
    if (this.#state.sending.has(id)) return
    this.#turn({ sending: new Set([...this.#state.sending, id]) })
    try {
      this.#patch([await actOn(id, 'acknowledge', note === null ? {} : { note })])
    } catch (problem) {
      this.#failed(problem)
      // Somebody else was faster: what they did is the truth, and not an error of this operator.
      if (!(problem instanceof ApiProblem) || problem.status !== 409) throw problem
      this.#patch([await getAlarm(id)])
    } finally {
      this.#turn({ sending: new Set([...this.#state.sending].filter((other) => other !== id)) })
    }
  }

  /** Any other thing done to one alarm. Rejects with the ApiProblem when the service refused it. */
  async act(id: string, action: AlarmAction, body: AlarmActionBody): Promise<void> {
    try {
      this.#patch([await actOn(id, action, body)])
    } catch (problem) {
      this.#failed(problem)
      throw problem
    }
  }

  /** Reads the whole list again; on failure says so and tries later. */
  async reload(): Promise<void> {
    this.#reading?.abort()
    window.clearTimeout(this.#again)
    const reading = new AbortController()
    this.#reading = reading
    this.#meanwhile = []
    try {
      const { alarms, cut } = await readAll(reading.signal)
      this.#reading = null
      this.#place(alarms, { loaded: true, current: this.#link.state.kind === 'live', problem: null, cut })
      this.#patch(this.#meanwhile)
    } catch (problem) {
      if (reading.signal.aborted) return
      this.#reading = null
      this.#turn({ problem })
      this.#failed(problem)
    }
    this.#again = window.setTimeout(() => void this.reload(), this.#state.problem === null ? RESYNC_MS : RETRY_MS)
  }

  #linkTurned(): void {
    const { round, kind } = this.#link.state
    if (kind === 'lost') {
      window.clearTimeout(this.#again)
      this.#turn({ current: false })
      return
    }
    if (kind !== 'live' || round === this.#round) return
    this.#round = round
    void this.reload()
  }

  // The journal's line comes first, the alarm as it then stands right after it: the two are joined before anybody is told.
  #note(event: AlarmEvent): void {
    const kind = changeOf(event)
    const before = this.#pending.get(event.id) ?? 'other'
    this.#pending.set(event.id, WEIGHT[kind] >= WEIGHT[before] ? kind : before)
    this.#settle ??= window.setTimeout(() => void this.#settled(), SETTLE_MS)
  }

  async #settled(): Promise<void> {
    this.#settle = undefined
    const pending = new Map(this.#pending)
    this.#pending.clear()
    const missing = [...pending].filter(([id, kind]) => kind !== 'other' && this.#find(id) === undefined).map(([id]) => id)
    if (missing.length > EACH_BY_ITSELF) await this.reload()
    else await Promise.all(missing.map((id) => this.#fetch(id)))
    const raises: Raise[] = []
    for (const [id, kind] of pending) {
      const alarm = this.#find(id)
      if (alarm === undefined || kind === 'other' || alarm.clearedAt !== null || withheldBy(alarm) !== null) continue
      if (kind !== 'again' || isWaiting(alarm)) raises.push({ alarm, kind })
    }
    if (raises.length === 0) return
    for (const listener of this.#raised) listener(raises)
  }

  async #fetch(id: string): Promise<void> {
    try {
      this.#patch([await getAlarm(id)])
    } catch (problem) {
      if (!(problem instanceof ApiProblem && problem.status === 404)) this.#turn({ problem })
    }
  }

  #find(id: string): Alarm | undefined {
    return this.#state.alarms.find((alarm) => alarm.id === id)
  }

  #take(alarm: Alarm): void {
    this.#incoming.set(alarm.id, alarm)
    this.#together ??= window.setTimeout(() => {
      this.#together = undefined
      this.#patch([...this.#incoming.values()])
    }, TOGETHER_MS)
  }

  #patch(changed: readonly Alarm[]): void {
    for (const { id } of changed) this.#incoming.delete(id)
    if (this.#reading !== null) this.#meanwhile.push(...changed)
    const byId = new Map(this.#state.alarms.map((alarm) => [alarm.id, alarm]))
    for (const alarm of changed) {
      if (isStanding(alarm)) byId.set(alarm.id, alarm)
      else byId.delete(alarm.id)
    }
    this.#place([...byId.values()], {})
  }

  #place(alarms: readonly Alarm[], rest: Partial<AlarmListState>): void {
    const sorted = [...alarms].sort(inOrder)
    this.#turn({ ...rest, alarms: sorted, movedAt: moves(this.#state, sorted) })
  }

  #turn(change: Partial<AlarmListState>): void {
    this.#state = { ...this.#state, ...change }
    for (const changed of this.#changed) changed()
  }
}

/** Highest tier first, then newest, then by id: the same order for everybody. */
export function inOrder(a: Alarm, b: Alarm): number {
  if (a.tier !== b.tier) return TIER_RANK[b.tier] - TIER_RANK[a.tier]
  if (a.raisedAt !== b.raisedAt) return a.raisedAt < b.raisedAt ? 1 : -1
  return a.id < b.id ? -1 : 1
}

function changeOf(event: AlarmEvent): Change {
  if (!('from' in event)) return RETURNS.has(event.action) ? 'again' : 'other'
  return event.from === 'clear' ? 'raise' : rises(event.from, event.to) ? 'escalate' : 'other'
}

function rises(from: string, to: string): boolean {
  return (TIER_RANK[to as keyof typeof TIER_RANK] ?? 0) > (TIER_RANK[from as keyof typeof TIER_RANK] ?? 0)
}

function moves(before: AlarmListState, sorted: readonly Alarm[]): ReadonlyMap<string, number> {
  if (!before.loaded) return new Map()
  const place = new Map(before.alarms.map((alarm, index) => [alarm.id, index]))
  const now = Date.now()
  const movedAt = new Map<string, number>()
  for (const [index, alarm] of sorted.entries()) {
    const at = place.get(alarm.id) === index ? before.movedAt.get(alarm.id) : now
    if (at !== undefined) movedAt.set(alarm.id, at)
  }
  return movedAt
}

/** The active ones, and those that are withheld though nothing is wrong at the moment: they must stay in sight. */
async function readAll(signal: AbortSignal): Promise<{ alarms: Alarm[]; cut: boolean }> {
  const lists = await Promise.all([readList({}, signal), ...WITHHELD.map((withheld) => readList({ [withheld]: 'true' }, signal))])
  const alarms = lists.flatMap((list) => list.alarms).filter(isStanding)
  return { alarms: [...new Map(alarms.map((alarm) => [alarm.id, alarm])).values()], cut: lists.some(({ cut }) => cut) }
}

async function readList(only: Readonly<Record<string, string>>, signal: AbortSignal): Promise<{ alarms: Alarm[]; cut: boolean }> {
  const alarms: Alarm[] = []
  let cursor: string | null = null
  do {
    const page = await listAlarms({ state: 'active', ...only, limit: PAGE, cursor }, signal)
    alarms.push(...page.items)
    cursor = page.next
  } while (cursor !== null && alarms.length < MOST)
  return { alarms, cut: cursor !== null }
}
