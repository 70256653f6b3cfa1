// The loss identity of readings and the state of the loop, as Prometheus sees them at each scrape:
// fenghuo_readings_total = fenghuo_readings_stored_total + fenghuo_readings_pending + fenghuo_readings_dropped_total.

import { DROP_REASONS } from '../history/messages.ts'
import type { Journal } from '../ingest/journal/journal.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Loop } from './loop.ts'

const DROPPED = ['duplicate', ...DROP_REASONS] as const
const DOUBTFUL = ['late', 'clockSkewed', 'outOfRange', 'sensorFault'] as const

export function countReadings(metrics: Metrics, { loop, journal }: { readonly loop: Loop; readonly journal: Journal }): void {
  const total = metrics.counter('fenghuo_readings_total', 'Readings decoded from accepted messages, exact repeats included.')
  const stored = metrics.counter('fenghuo_readings_stored_total', 'Readings committed to history.')
  const dropped = metrics.counters('fenghuo_readings_dropped_total', 'Readings not kept, by reason.', 'reason', DROPPED)
  const rejects = metrics.counter('fenghuo_rejects_total', 'Problems found in accepted messages; what they are stands in quarantine.')
  const doubtful = metrics.counters(
    'fenghuo_readings_doubtful_total',
    'Readings kept with a quality other than good, by quality.',
    'quality',
    DOUBTFUL
  )
  let pending = 0
  metrics.gauge('fenghuo_readings_pending', 'Readings waiting to be committed to history.', () => pending)
  metrics.beforeScrape(() => {
    const { pipeline, feed } = loop
    const { counts } = pipeline.intake
    const { duplicates } = counts
    total.add(feed.total + duplicates - total.value)
    stored.add(feed.stored - stored.value)
    dropped.duplicate.add(duplicates - dropped.duplicate.value)
    for (const reason of DROP_REASONS) dropped[reason].add(feed.drops[reason] - dropped[reason].value)
    rejects.add(counts.rejects - rejects.value)
    for (const quality of DOUBTFUL) doubtful[quality].add(counts[quality] - doubtful[quality].value)
    pending = feed.pending
  })
  metrics.gauge('fenghuo_loop_lag_records', 'Journal records flushed but not yet judged.', () => loop.lag)
  metrics.gauge('fenghuo_journal_failing', '1 while the journal cannot be written: nothing is acknowledged.', () =>
    journal.health().state === 'ok' ? 0 : 1
  )
  metrics.gauge('fenghuo_journal_bytes', 'Size of the journal.', () => journal.health().bytes)
  metrics.gauge('fenghuo_state_failing', '1 while the state store cannot be written: alarms wait.', () => (loop.problem === null ? 0 : 1))
  metrics.gauge('fenghuo_history_catching_up', '1 while history reads the journal again.', () => (loop.feed.behind ? 1 : 0))
  metrics.gauge('fenghuo_journal_seq', 'The last flushed journal record.', () => journal.flushedSeq)
  metrics.gauge('fenghuo_history_lag_records', 'Journal records judged but not yet in history.', () =>
    Math.max(0, loop.pipeline.position.seq - loop.feed.storedSeq)
  )
}
