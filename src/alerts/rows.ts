// Between the book's shapes and the rows of its tables.

import { type ActionKind, type Alarm, type AlarmEvent, type OperatorAction, UNTOUCHED } from '../model/alarm.ts'
import type { Reject } from '../model/journal.ts'
import type { Belonging } from '../model/scope.ts'
import { LEVELS, type Level, levelRank, type Tier } from '../model/tier.ts'
import { BulkWrite } from '../store/bulk.ts'
import type { AlarmEventRow, AlarmRow, EventPlaceRow, QuarantineRow } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import type { BookedAlarm, CommittedEvent, QuarantinedReject } from './booked.ts'
import { isActive, isStanding } from './fold.ts'

/** What of an alarm lies in one column as JSON: looked at one alarm at a time, never searched. */
const FACTS = [
  'shelved',
  'suppressedBy',
  'outOfService',
  'assignee',
  'closed',
  'realarmAt',
  'told',
  'firstOut',
  'chattering',
  'stale'
] as const satisfies readonly (keyof typeof UNTOUCHED)[]
type Facts = Partial<Pick<Alarm, (typeof FACTS)[number]>>

export function rowOfAlarm(alarm: BookedAlarm): AlarmRow {
  return {
    id: alarm.id,
    rule: alarm.rule,
    device: alarm.device,
    area: alarm.area,
    in_area: alarm.inArea,
    site: alarm.site,
    enterprise: alarm.enterprise,
    tier: levelRank(alarm.tier),
    worst_tier: levelRank(alarm.worstTier),
    raised_at: alarm.raisedAt,
    cleared_at: alarm.clearedAt,
    acknowledged_by: alarm.acknowledged?.by ?? null,
    acknowledged_at: alarm.acknowledged?.at ?? null,
    acknowledged_note: alarm.acknowledged?.note ?? null,
    because: alarm.because,
    active: isActive(alarm) ? 1 : 0,
    standing: isStanding(alarm) ? 1 : 0,
    shelved: alarm.shelved === null ? 0 : 1,
    suppressed: alarm.suppressedBy.length > 0 ? 1 : 0,
    out_of_service: alarm.outOfService === null ? 0 : 1,
    settled: alarm.settled ? 1 : 0,
    facts: factsText(alarm),
    last_event: alarm.lastEvent
  }
}

export function alarmOfRow(row: AlarmRow): BookedAlarm {
  const { acknowledged_by: by, acknowledged_at: at, acknowledged_note: note } = row
  return {
    ...UNTOUCHED,
    ...(row.facts === null ? {} : (JSON.parse(row.facts) as Facts)),
    settled: row.settled === 1,
    id: row.id,
    rule: row.rule,
    device: row.device,
    area: row.area,
    inArea: row.in_area,
    site: row.site,
    enterprise: row.enterprise,
    tier: tierOfRank(row.tier),
    worstTier: tierOfRank(row.worst_tier),
    raisedAt: row.raised_at,
    clearedAt: row.cleared_at,
    acknowledged: by === null || at === null ? null : { by, at, note },
    because: row.because,
    lastEvent: row.last_event
  }
}

/** What differs from an alarm to which nothing has been done. */
function factsText(alarm: Alarm): string | null {
  const facts = FACTS.filter((name) => {
    const [is, was] = [alarm[name], UNTOUCHED[name]]
    return is !== was && !(Array.isArray(is) && is.length === 0)
  })
  return facts.length === 0 ? null : JSON.stringify(Object.fromEntries(facts.map((name) => [name, alarm[name]])))
}

/** `announcedAt`: when an operator was told because of it, by our clock; null: nobody was. */
export function rowOfEvent({ n, event, rule, device, area, site, enterprise }: CommittedEvent, announcedAt: number | null): AlarmEventRow {
  const transition = event.kind === 'transition' ? event : null
  const action = event.kind === 'action' ? event : null
  return {
    n,
    at: event.at,
    alarm: event.id,
    rule,
    device,
    area,
    site,
    enterprise,
    from_level: transition === null ? null : levelRank(transition.from),
    to_level: transition === null ? null : levelRank(transition.to),
    because: transition?.because ?? null,
    action: action?.action ?? null,
    by_user: action?.by ?? null,
    note: action?.note ?? null,
    extras: action === null ? null : extrasText(action),
    announced_at: announcedAt
  }
}

type Extras = Pick<OperatorAction, 'until' | 'assignee' | 'disposition' | 'verifier'>

function extrasText({ until, assignee, disposition, verifier }: Extras): string | null {
  const text = JSON.stringify({ until, assignee, disposition, verifier })
  return text === '{}' ? null : text
}

export function eventOfRow(row: AlarmEventRow): CommittedEvent {
  const { n, rule, device, area, site, enterprise } = row
  return { n, event: plainEventOfRow(row), rule, device, area, site, enterprise }
}

function plainEventOfRow(row: AlarmEventRow): AlarmEvent {
  const { at, alarm: id, rule, device, area } = row
  if (row.action !== null) {
    const extras = row.extras === null ? {} : (JSON.parse(row.extras) as Extras)
    return { kind: 'action', at, id, action: row.action as ActionKind, by: row.by_user ?? '', note: row.note, ...extras }
  }
  const from = levelOfRank(row.from_level)
  const to = levelOfRank(row.to_level)
  return { kind: 'transition', at, rule, device, area, from, to, id, because: row.because ?? '' }
}

export function rowOfReject(id: number, reject: Reject, { enterprise, site }: Belonging): QuarantineRow {
  const { at, seq, gateway, device } = reject
  const [topic, problem, excerpt] = [plainText(reject.topic), plainText(reject.problem), plainText(reject.excerpt)]
  return {
    id,
    at,
    seq,
    gateway: plainText(gateway),
    enterprise,
    site,
    topic,
    device: device === null ? null : plainText(device),
    problem,
    excerpt
  }
}

export function rejectOfRow(row: QuarantineRow): QuarantinedReject {
  return { ...row }
}

function levelOfRank(rank: number | null): Level {
  return LEVELS[rank ?? 0] ?? 'clear'
}

function tierOfRank(rank: number): Tier {
  const level = levelOfRank(rank)
  return level === 'clear' ? 'blue' : level
}

/** The columns that events of real and of shadow rules have in common. */
export const EVENT_PLACE_COLUMNS = [
  'n',
  'at',
  'alarm',
  'rule',
  'device',
  'area',
  'site',
  'enterprise'
] as const satisfies readonly (keyof EventPlaceRow)[]

const EVENT_COLUMNS = [
  ...EVENT_PLACE_COLUMNS,
  'from_level',
  'to_level',
  'because',
  'action',
  'by_user',
  'note',
  'extras',
  'announced_at'
] as const satisfies readonly (keyof AlarmEventRow)[]

const ALARM_COLUMNS = [
  'id',
  'rule',
  'device',
  'area',
  'in_area',
  'site',
  'enterprise',
  'tier',
  'worst_tier',
  'raised_at',
  'cleared_at',
  'acknowledged_by',
  'acknowledged_at',
  'acknowledged_note',
  'because',
  'active',
  'standing',
  'shelved',
  'suppressed',
  'out_of_service',
  'settled',
  'facts',
  'last_event'
] as const satisfies readonly (keyof AlarmRow)[]

const QUARANTINE_COLUMNS = [
  'id',
  'at',
  'seq',
  'gateway',
  'enterprise',
  'site',
  'topic',
  'device',
  'problem',
  'excerpt'
] as const satisfies readonly (keyof QuarantineRow)[]

/** Appends events. */
export function eventWriter(): BulkWrite<AlarmEventRow> {
  return new BulkWrite<AlarmEventRow>(EVENT_COLUMNS, (state, rows) => state.insertInto('alarm_events').values(rows).compile())
}

/** Puts alarms as they stand now; no id twice in one call. What identifies an alarm and where it stood never changes. */
export function alarmWriter(): BulkWrite<AlarmRow> {
  return new BulkWrite<AlarmRow>(ALARM_COLUMNS, (state, rows) =>
    state
      .insertInto('alarms')
      .values(rows)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((put) => ({
          tier: put.ref('excluded.tier'),
          worst_tier: put.ref('excluded.worst_tier'),
          cleared_at: put.ref('excluded.cleared_at'),
          acknowledged_by: put.ref('excluded.acknowledged_by'),
          acknowledged_at: put.ref('excluded.acknowledged_at'),
          acknowledged_note: put.ref('excluded.acknowledged_note'),
          because: put.ref('excluded.because'),
          active: put.ref('excluded.active'),
          standing: put.ref('excluded.standing'),
          shelved: put.ref('excluded.shelved'),
          suppressed: put.ref('excluded.suppressed'),
          out_of_service: put.ref('excluded.out_of_service'),
          settled: put.ref('excluded.settled'),
          facts: put.ref('excluded.facts'),
          last_event: put.ref('excluded.last_event')
        }))
      )
      .compile()
  )
}

/** Appends rejects. */
export function quarantineWriter(): BulkWrite<QuarantineRow> {
  return new BulkWrite<QuarantineRow>(QUARANTINE_COLUMNS, (state, rows) => state.insertInto('quarantine').values(rows).compile())
}
