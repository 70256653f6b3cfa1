// Where inputs from the API enter: into the journal first, like everything that can change a judgement.

import type { Submit } from '../api/parts.ts'
import type { MessageCounts } from '../ingest/brokerCounts.ts'
import type { Journal } from '../ingest/journal/journal.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Loop } from './loop.ts'

export interface SubmitParts {
  readonly journal: Journal
  readonly loop: Loop
  readonly counts: MessageCounts
}

export function submitTo({ journal, loop, counts }: SubmitParts): Submit {
  return {
    obstacle() {
      const { state, problem } = journal.health()
      if (state !== 'ok') return problem
      if (journal.unflushedBytes > LIMITS.mqtt.unflushedBytes)
        return 'Too much is waiting for the disk at the moment; try again in a second.'
      return null
    },
    async telemetry(gateway, body) {
      await journal.appended('telemetry', `fh/1/${gateway}/telemetry`, body)
      counts.addJournaled()
    },
    async action(body, by) {
      const seq = await journal.appended('action', by, Buffer.from(JSON.stringify(body)))
      await loop.settled(seq)
    }
  }
}
