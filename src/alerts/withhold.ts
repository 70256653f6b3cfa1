// Why a message must not go out now: small questions, each with one answer. The first reason found is the one recorded.

import { type Alarm, withheldBy } from '../model/alarm.ts'
import type { Hours, Person } from '../model/duty.ts'
import type { WithholdReason } from '../model/notification.ts'
import { Zone } from '../platform/zone.ts'

/** Why nobody is to be called for the alarm any more; null: somebody must be. */
export function whyNotCall(alarm: Alarm): WithholdReason | null {
  if (alarm.clearedAt !== null) return 'cleared'
  return whyNotNotice(alarm) ?? (alarm.acknowledged === null ? null : 'acknowledged')
}

/** Why those who know are not to be told of a turn either; null: they are. */
export function whyNotNotice(alarm: Alarm): WithholdReason | null {
  return withheldBy(alarm)
}

/** What is going on around a message that is ready to go. */
export interface Surroundings {
  readonly red: boolean
  /** It is one message instead of many: it is neither grouped nor held for the flood. */
  readonly digest: boolean
  readonly quiet: boolean
  readonly flooding: boolean
  /** The person has just been told of something at the same place. */
  readonly grouping: boolean
  readonly throttled: boolean
  /** The alarm chatters, and the person has been told of it a short while ago. */
  readonly chattering: boolean
}

/** Why this person is not to have this message at this moment: it goes into a digest instead. Red always passes. */
export function whyNotNow({ red, digest, quiet, flooding, grouping, throttled, chattering }: Surroundings): WithholdReason | null {
  if (red) return null
  if (quiet) return 'quietHours'
  if (!digest && chattering) return 'chattering'
  if (!digest && flooding) return 'flood'
  if (!digest && grouping) return 'grouped'
  return throttled ? 'throttled' : null
}

/** Whether the person wants quiet at this instant. */
export function isQuiet(person: Person, at: number): boolean {
  return person.quiet !== null && within(person.quiet, wallMinute(person.zone, at))
}

/** When the quiet hours that hold `at` end. */
export function quietUntil(person: Person, at: number): number {
  const zone = zoneOf(person.zone)
  const { day, minute } = zone.wallClock(at)
  const { to } = person.quiet as Hours
  return zone.instantOf(minute < to ? day : day + 1, to)
}

function within({ from, to }: Hours, minute: number): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to
}

function wallMinute(zone: string, at: number): number {
  return zoneOf(zone).wallClock(at).minute
}

function zoneOf(name: string): Zone {
  return Zone.named(name) ?? (Zone.named('UTC') as Zone)
}
