// What is in quarantine, taken in again after a correction of the plant: the message is still in the journal. It enters as a new
// input with the instants it had, so a repeat is a duplicate or late, and nothing is judged as if it had happened now.

import type { Audit } from '../access/audit.ts'
import { quarantined, release } from '../alerts/quarantine.ts'
import type { RetryOutcome, Submit } from '../api/parts.ts'
import { checkTelemetry } from '../ingest/intake.ts'
import type { Journal } from '../ingest/journal/journal.ts'
import { parseTelemetryTopic } from '../ingest/topics.ts'
import type { Fleet } from '../model/fleet.ts'
import type { JournalRecord } from '../model/journal.ts'
import type { Scope } from '../model/scope.ts'
import { Refusal } from '../platform/problem.ts'
import type { State } from '../store/schema.ts'

export interface RetryParts {
  readonly state: State
  readonly journal: Pick<Journal, 'read'>
  readonly audit: Pick<Audit, 'append'>
  readonly telemetry: Submit['telemetry']
  readonly fleet: () => Fleet
}

export async function retryQuarantined(parts: RetryParts, id: number, by: string, scope: Scope): Promise<RetryOutcome> {
  const { state, audit, telemetry, fleet } = parts
  const reject = await quarantined(state, id, scope)
  if (reject === null) return { kind: 'unknown', sentence: `There is nothing of the number ${id} in quarantine that you may see.` }
  const record = await recordOf(parts, reject.seq)
  if (record === null)
    return { kind: 'conflict', sentence: 'The message is no longer in the journal: its gateway would have to send it again.' }
  const body = samplesOf(record, reject.device)
  const gateway = parseTelemetryTopic(record.source)?.gateway ?? null
  if (body === null || gateway === null) return still(reject.problem)
  const check = checkTelemetry(fleet(), gateway, null, body)
  const same = check.rejected.find(({ problem }) => problem === reject.problem)
  if (same !== undefined || check.accepted === 0) return still((same ?? check.rejected[0])?.problem ?? reject.problem)
  await telemetry(gateway, body)
  await release(state, reject)
  const { topic, device, problem } = reject
  await audit.append(by, `quarantine.retry ${id}`, { topic, device, problem }, { accepted: check.accepted })
  return { kind: 'done', accepted: check.accepted, rejected: check.rejected }
}

function still(problem: string): RetryOutcome {
  return { kind: 'conflict', sentence: `It still cannot be used: ${problem}` }
}

async function recordOf({ journal }: RetryParts, seq: number): Promise<JournalRecord | null> {
  try {
    const [record] = await journal.read(seq - 1, 1, 1)
    return record?.seq === seq && record.kind === 'telemetry' ? record : null
  } catch (cause) {
    if (cause instanceof Refusal) return null
    throw cause
  }
}

/** The samples of the message of this device (null: all), each with its device and its instant; null where nothing can be read. */
function samplesOf({ source, body, receivedAt }: JournalRecord, device: string | null): Uint8Array | null {
  const ofTopic = parseTelemetryTopic(source)?.device ?? null
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    return null
  }
  const samples = (Array.isArray(parsed) ? parsed : [parsed]).filter((one) => typeof one === 'object' && one !== null)
  const whole = samples.map((one: { ts?: unknown; device?: unknown }) => {
    return { ...(ofTopic === null ? {} : { device: ofTopic }), ...one, ts: one.ts ?? receivedAt }
  })
  const wanted = device === null ? whole : whole.filter((one) => one.device === device)
  return wanted.length === 0 ? null : Buffer.from(JSON.stringify(wanted))
}
