// How each part is, in sentences: what /healthz, /readyz and the console show.

import type { HealthReport, PartHealth } from '../api/parts.ts'
import type { History } from '../history/history.ts'
import type { Journal } from '../ingest/journal/journal.ts'
import type { Clock } from '../platform/clock.ts'
import { clockParts } from './clockHealth.ts'
import type { Loop } from './loop.ts'
import type { Rate } from './rate.ts'
import type { StateStore } from './stateStore.ts'
import { VERSION } from './version.ts'

/** Judging this far behind receiving is said aloud. */
const LAG_MS = 10_000

export interface HealthParts {
  readonly clock: Clock
  readonly journal: Journal
  readonly stored: Pick<StateStore, 'problem'>
  readonly loop: Loop
  readonly history: History
  readonly rate: Rate
  /** Whether what was changed through the API is in force. */
  readonly changes: PartHealth
  /** Of the audit log. */
  readonly anchors: { readonly problem: string | null }
  /** Sign-in elsewhere, where there is such a way. */
  readonly elsewhere: { readonly problem: string | null } | null
  /** How telling people is, and the duty. */
  readonly telling: readonly PartHealth[]
  /** How the certificates of the doors are. */
  readonly certificates: readonly PartHealth[]
  /** How the sessions with an external MQTT broker are, where there is one. */
  readonly mqtt: readonly PartHealth[]
}

export function healthOf(all: HealthParts): HealthReport {
  const { clock, journal, stored, loop, history, rate, changes, anchors, elsewhere } = all
  const intakeLagMs = loop.lag === 0 ? 0 : Math.max(0, clock.now() - loop.pipeline.position.advancedTo)
  const disk = journal.health()
  const storeProblem = loop.problem ?? stored.problem()
  const parts: PartHealth[] = [
    { part: 'journal', state: disk.state, problem: disk.problem },
    { part: 'state store', state: storeProblem === null ? 'ok' : 'failing', problem: storeProblem },
    {
      part: 'rules',
      state: intakeLagMs > LAG_MS ? 'degraded' : 'ok',
      problem:
        intakeLagMs > LAG_MS
          ? `Judging is ${Math.round(intakeLagMs / 1000)} s behind receiving (${loop.lag} messages): alarms are late.`
          : null
    },
    historyPart(history, loop),
    changes,
    { part: 'audit log', state: anchors.problem === null ? 'ok' : 'failing', problem: anchors.problem },
    ...(elsewhere === null ? [] : [signInPart(elsewhere)]),
    ...clockParts(clock),
    ...all.telling,
    ...all.certificates,
    ...all.mqtt
  ]
  return {
    parts,
    version: VERSION,
    intakeLagMs,
    intakeLagRecords: loop.lag,
    historyLagRecords: Math.max(0, loop.pipeline.position.seq - history.storedSeq),
    messagesPerSecond: rate.perSecond
  }
}

function signInPart({ problem }: { readonly problem: string | null }): PartHealth {
  return { part: 'sign-in elsewhere', state: problem === null ? 'ok' : 'degraded', problem }
}

function historyPart(history: History, { feed, pipeline }: Loop): PartHealth {
  const { state, problem } = history.health()
  const sentence = `${problem}.`.replace(/\.\.$/, '.')
  if (state === 'failing') return { part: 'history', state, problem: sentence }
  // A service that judges and tells is not to be taken out of use because a server behind it is.
  if (state === 'away') return { part: 'history', state: 'degraded', problem: `${sentence} Alarms are not affected.` }
  if (feed.problem !== null) return { part: 'history', state: 'failing', problem: feed.problem }
  if (!feed.behind && state === 'ok') return { part: 'history', state: 'ok', problem: null }
  const records = Math.max(0, pipeline.position.seq - feed.storedSeq)
  return {
    part: 'history',
    state: 'degraded',
    problem: `History is catching up from the journal (${records} messages to go): trends show their readings later. Alarms are not affected.`
  }
}
