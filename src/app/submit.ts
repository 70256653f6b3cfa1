// Where inputs from the API enter: into the journal first, like everything that can change a judgement.

import type { Audit } from '../access/audit.ts'
import type { Book } from '../alerts/book.ts'
import type { BookedAlarm } from '../alerts/booked.ts'
import { targetName } from '../alerts/serviceWindows.ts'
import type { Submit } from '../api/parts.ts'
import type { MessageCounts } from '../ingest/brokerCounts.ts'
import type { Journal } from '../ingest/journal/journal.ts'
import { type DrillActionBody, isDrillId } from '../model/drill.ts'
import type { OperatorActionBody, ServiceActionBody } from '../model/journal.ts'
import type { StateActionBody } from '../model/suppression.ts'
import { LIMITS } from '../platform/limits.ts'
import type { State } from '../store/schema.ts'
import type { Loop } from './loop.ts'
import { retryQuarantined } from './retry.ts'

export interface SubmitParts {
  readonly journal: Journal
  readonly loop: Loop
  readonly counts: MessageCounts
  readonly book: Book
  readonly audit: Audit
  readonly state: State
}

export function submitTo({ journal, loop, counts, book, audit, state: store }: SubmitParts): Submit {
  async function serve(body: ServiceActionBody, by: string): Promise<void> {
    const name = targetName(body.target)
    const windows = () => loop.pipeline.desk.windows().filter(({ target }) => targetName(target) === name)
    const before = windows()
    const seq = await journal.appended('action', by, Buffer.from(JSON.stringify(body)))
    await loop.settled(seq)
    const after = windows()
    if (JSON.stringify(before) !== JSON.stringify(after)) await audit.append(by, `${body.action} ${name}`, before, after)
  }
  async function switchState(body: StateActionBody, by: string): Promise<void> {
    const on = () =>
      loop.pipeline.suppression.reasons().filter((reason) => reason.by === `state:${body.state}` && reason.source === 'person')
    const before = on()
    const seq = await journal.appended('action', by, Buffer.from(JSON.stringify(body)))
    await loop.settled(seq)
    const after = on()
    if (JSON.stringify(before) !== JSON.stringify(after)) await audit.append(by, `${body.action} ${body.state}`, before, after)
  }
  async function drill(body: DrillActionBody | OperatorActionBody, by: string): Promise<void> {
    const seq = await journal.appended('action', by, Buffer.from(JSON.stringify(body)))
    await loop.settled(seq)
    // The end of a drill is chained with its record.
    if ('drill' in body) await audit.append(by, `drill.begin ${body.id}`, null, body.drill)
  }
  async function telemetry(gateway: string, body: Uint8Array): Promise<void> {
    await journal.appended('telemetry', `fh/1/${gateway}/telemetry`, body)
    counts.addJournaled()
  }
  const retrying = { state: store, journal, audit, telemetry, fleet: () => loop.pipeline.fleet }
  return {
    obstacle() {
      const { state, problem } = journal.health()
      if (state !== 'ok') return problem
      if (journal.unflushedBytes > LIMITS.mqtt.unflushedBytes)
        return 'Too much is waiting for the disk at the moment; try again in a second.'
      return null
    },
    telemetry,
    retry: (id, by, scope) => retryQuarantined(retrying, id, by, scope),
    async action(body, by) {
      if (body.id === null && 'state' in body) return switchState(body, by)
      if (body.id === null) return serve(body, by)
      if ('drill' in body || isDrillId(body.id)) return drill(body, by)
      const before = await book.alarm(body.id, null)
      const seq = await journal.appended('action', by, Buffer.from(JSON.stringify(body)))
      await loop.settled(seq)
      const after = await book.alarm(body.id, null)
      // What changed nothing (the alarm was acknowledged meanwhile) is no action.
      if (after !== null && after.lastEvent !== before?.lastEvent) {
        await audit.append(by, `alarm.${body.action} ${body.id}`, state(before), state(after))
      }
    }
  }
}

function state(alarm: BookedAlarm | null): unknown {
  if (alarm === null) return null
  const { tier, clearedAt, acknowledged, shelved, assignee, closed } = alarm
  return { tier, clearedAt, acknowledged, shelved, assignee, closed }
}
