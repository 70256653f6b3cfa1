// The account at the end: what was acknowledged against what is stored, the alarms that had to be against those that are, the
// messages that had to go out against those that arrived; and per fault the longest delays.

import type { LedgerEntry } from '../../simulators/carrier/carrier.ts'
import { HIGH, type Sender } from './load.ts'
import type { Screen } from './watch.ts'

export interface Done {
  readonly name: string
  readonly begun: number
  /** When everything was well again and what had waited was done. */
  readonly over: number
  /** False: it was not well again in time. */
  readonly isWell: boolean
  readonly holdsAlarms: boolean
}

export interface Line {
  readonly at: string
  readonly id: string
  readonly device?: string
  readonly from?: string
  readonly to?: string
}

export interface Told {
  readonly id: string
  readonly at: string
  readonly reason: string
  readonly alarms: readonly string[]
  readonly state: string
  readonly withheld: string | null
  readonly possibleDuplicate: boolean
}

export interface Found {
  /** Epoch ms of every stored reading of a device. */
  readonly stored: ReadonlyMap<string, readonly { readonly ts: number; readonly value: number }[]>
  readonly lines: readonly Line[]
  readonly told: readonly Told[]
  readonly carrier: readonly LedgerEntry[]
  readonly screen: Screen
}

/** An alarm may wait this long where nothing of its own way is broken. */
export const PROMPT_MS = 5_000
/** What the broker had acknowledged and not yet passed on, or saved, when it was killed. */
const UNSAVED_MS = 10_500

export interface Account {
  readonly lines: readonly string[]
  readonly broken: readonly string[]
}

export function accountOf(senders: readonly Sender[], found: Found, faults: readonly Done[]): Account {
  const broken: string[] = []
  const promise = (holds: boolean, sentence: string): void => void (holds || broken.push(sentence))
  const messages = messageAccount(senders, found, faults)
  const instant = (at: number): string => new Date(at).toISOString()
  promise(
    messages.lost === 0,
    `${messages.lost} acknowledged samples are lost, acknowledged ${messages.lost === 0 ? '' : `from ${instant(messages.lostFrom)} to ${instant(messages.lostTo)}`}`
  )
  promise(messages.doubled === 0, `${messages.doubled} readings are stored twice or were never sent`)
  const alarms = alarmAccount(found)
  promise(alarms.missing === 0, `${alarms.missing} alarm events are missing`)
  promise(alarms.wrong === 0, `${alarms.wrong} alarm events are false`)
  promise(alarms.unseen === 0, `the live stream differs from the journal of alarms in ${alarms.unseen} lines`)
  const notices = noticeAccount(found)
  promise(notices.missing === 0, `${notices.missing} alarms were told to nobody`)
  promise(notices.unmarked === 0, `${notices.unmarked} messages went out twice without a mark`)
  promise(notices.false === 0, `${notices.false} messages arrived that nobody planned`)
  for (const { name, begun, isWell } of faults) promise(isWell, `${name} of ${instant(begun)}: not everything was well again in time`)
  const delays = delaysOf(found, faults)
  for (const { name, alarmMs, prompt } of delays) {
    promise(!prompt || alarmMs <= PROMPT_MS, `${name}: an alarm was ${alarmMs} ms late, though nothing on its way was broken`)
  }
  return {
    broken,
    lines: [
      `messages       acknowledged ${messages.acknowledged}   stored once ${messages.once}   lost ${messages.lost}   doubled ${messages.doubled}   lost with the broker's memory ${messages.withBroker}   sent again ${messages.repeats}`,
      `alarm events   expected ${alarms.expected}   found ${alarms.found}   missing ${alarms.missing}   false ${alarms.wrong}   seen live, in order ${alarms.seen}`,
      `notifications  expected ${notices.expected}   accepted once ${notices.once}   marked duplicates ${notices.marked}   unmarked duplicates ${notices.unmarked}   missing ${notices.missing}`,
      '',
      'fault                          times   sample -> alarm   alarm -> accepted   (longest, ms)',
      ...byName(delays).map(
        ({ name, times, alarmMs, toldMs }) =>
          `${name.padEnd(30)} ${String(times).padStart(5)} ${String(alarmMs).padStart(17)} ${String(toldMs).padStart(19)}`
      )
    ]
  }
}

/** Samples by device, as sent and acknowledged. */
function messageAccount(senders: readonly Sender[], { stored }: Found, faults: readonly Done[]) {
  const kills = faults.filter(({ name }) => name === 'mosquitto: kill -9')
  const counts = { acknowledged: 0, once: 0, lost: 0, doubled: 0, withBroker: 0, repeats: 0, lostFrom: Infinity, lostTo: 0 }
  for (const sender of senders) {
    counts.repeats += sender.repeats
    for (const [device, sent] of sender.sent) {
      const rows = stored.get(device) ?? []
      const values = new Map(rows.map(({ ts, value }) => [ts, value]))
      counts.doubled += rows.length - values.size
      for (const { ts, level, acknowledgedAt } of sent) {
        counts.acknowledged++
        if (values.get(ts) === level) counts.once++
        else if (kills.some(({ begun }) => acknowledgedAt > begun - UNSAVED_MS && acknowledgedAt <= begun + 1_000)) counts.withBroker++
        else {
          counts.lost++
          counts.lostFrom = Math.min(counts.lostFrom, acknowledgedAt)
          counts.lostTo = Math.max(counts.lostTo, acknowledgedAt)
        }
        values.delete(ts)
      }
      counts.doubled += values.size
    }
  }
  return counts
}

/** What the stored readings of a device must have raised and cleared. */
function expectedEvents(rows: readonly { readonly ts: number; readonly value: number }[]): string[] {
  const events: string[] = []
  let on = false
  for (const { ts, value } of rows) {
    if ((value === HIGH) === on) continue
    on = !on
    events.push(`${new Date(ts).toISOString()} ${on ? 'clear -> red' : 'red -> clear'}`)
  }
  return events
}

function alarmAccount({ stored, lines, screen }: Found) {
  const counts = { expected: 0, found: 0, missing: 0, wrong: 0, unseen: 0, seen: screen.seen.length }
  for (const [device, rows] of stored) {
    const expected = new Set(expectedEvents(rows))
    const own = lines.filter((line) => line.device === device && line.to !== undefined).map(({ at, from, to }) => `${at} ${from} -> ${to}`)
    const there = new Set(own)
    counts.expected += expected.size
    counts.found += own.length
    counts.missing += [...expected].filter((event) => !there.has(event)).length
    counts.wrong += own.filter((event) => !expected.has(event)).length + own.length - there.size
  }
  const journal = lines.map((line) => JSON.stringify(line))
  const live = screen.seen.map(({ line }) => line)
  for (let n = 0; n < Math.max(journal.length, live.length); n++) if (journal[n] !== live[n]) counts.unseen++
  return counts
}

function noticeAccount({ lines, told, carrier }: Found) {
  const raised = lines.filter(({ from, to }) => from === 'clear' && to !== undefined).map(({ id }) => id)
  const planned = new Map<string, Told[]>()
  for (const one of told) {
    if (one.reason !== 'raised' && one.reason !== 'digest') continue
    for (const alarm of one.alarms) planned.set(alarm, [...(planned.get(alarm) ?? []), one])
  }
  const taken = new Map<string, number>()
  for (const { reference, outcome } of carrier) if (outcome === 'taken') taken.set(reference, (taken.get(reference) ?? 0) + 1)
  const known = new Map(told.map((one) => [one.id, one]))
  const counts = { expected: raised.length, once: 0, marked: 0, unmarked: 0, missing: 0, false: 0 }
  for (const alarm of raised) {
    const arrivals = (planned.get(alarm) ?? []).map(({ id }) => taken.get(id) ?? 0)
    if (arrivals.every((times) => times === 0)) counts.missing++
    else if (arrivals.every((times) => times <= 1)) counts.once++
  }
  for (const [id, times] of taken) {
    const one = known.get(id)
    if (one === undefined) counts.false++
    else if (times > 1 && one.possibleDuplicate) counts.marked++
    else if (times > 1) counts.unmarked++
  }
  return counts
}

interface Delay {
  readonly name: string
  readonly alarmMs: number
  readonly toldMs: number
  /** Alarms had nothing to wait for. */
  readonly prompt: boolean
}

function delaysOf({ lines, told, carrier, screen }: Found, faults: readonly Done[]): Delay[] {
  const accepted = new Map<string, number>()
  for (const { reference, outcome, at } of carrier) if (outcome === 'taken' && !accepted.has(reference)) accepted.set(reference, at)
  const alarms = screen.seen.map(({ line, at }) => ({
    happened: Date.parse((JSON.parse(line) as Line).at),
    ms: at - Date.parse((JSON.parse(line) as Line).at)
  }))
  const messages = told
    .filter(({ withheld, id }) => withheld === null && accepted.has(id))
    .map(({ id, at }) => ({ happened: Date.parse(at), ms: (accepted.get(id) as number) - Date.parse(at) }))
  const longest = (rows: readonly { happened: number; ms: number }[], from: number, to: number): number =>
    rows.reduce((most, { happened, ms }) => (happened >= from && happened < to ? Math.max(most, ms) : most), 0)
  const first = faults[0]?.begun ?? Number.MAX_SAFE_INTEGER
  const begin = lines.length === 0 ? 0 : Date.parse(lines[0]?.at as string)
  const calm: Delay = {
    name: 'before any fault',
    alarmMs: longest(alarms, begin, first),
    toldMs: longest(messages, begin, first),
    prompt: true
  }
  const each = faults.map(({ name, begun, over, holdsAlarms }) => ({
    ...{ name, alarmMs: longest(alarms, begun - 1_000, over), toldMs: longest(messages, begun - 1_000, over), prompt: !holdsAlarms }
  }))
  return [calm, ...each]
}

function byName(delays: readonly Delay[]): (Delay & { times: number })[] {
  const rows = new Map<string, Delay & { times: number }>()
  for (const delay of delays) {
    const before = rows.get(delay.name)
    rows.set(delay.name, {
      ...delay,
      alarmMs: Math.max(delay.alarmMs, before?.alarmMs ?? 0),
      toldMs: Math.max(delay.toldMs, before?.toldMs ?? 0),
      times: (before?.times ?? 0) + 1
    })
  }
  return [...rows.values()]
}
