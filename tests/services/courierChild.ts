// A delivery worker in a process of its own, on the clock and with the channel of the yard that has started it.

import { Courier } from '../../src/alerts/courier.ts'
import { Outbox } from '../../src/alerts/outbox.ts'
import { RedisDispatcher } from '../../src/alerts/queues/bullmq.ts'
import { SharedTempo } from '../../src/alerts/queues/sharedTempo.ts'
import { Roster } from '../../src/alerts/roster.ts'
import { OwnTempo } from '../../src/alerts/tempo.ts'
import { awake, SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Random } from '../../src/platform/random.ts'
import { openWorkerState } from '../../src/store/workerState.ts'
import { FastClock } from '../alerts/courierYard.ts'
import { LedgerChannel, type LedgerChannelOptions } from '../alerts/ledgerCarrier.ts'

export interface ChildJob {
  readonly id: string
  readonly postgres: string
  readonly redis: string
  readonly factor: number
  readonly start: number
  readonly channel: LedgerChannelOptions
}

const job = JSON.parse(process.argv[2] ?? '') as ChildJob
const wall = new SystemClock()
awake()
const { state } = await openWorkerState(job.postgres, wall)
const figures = () => ({ sends: true, sending: 0, sent: 0, problem: null })
const self = { id: job.id, role: 'worker', host: 'here', pid: process.pid, version: 'test' }
const roster = new Roster({ state, clock: wall, self, figures })
const dispatcher = new RedisDispatcher({ url: job.redis, clock: wall, log: silentLog })
const tempo = new SharedTempo({ evaluate: (...call) => dispatcher.evaluate(...call), id: job.id, own: new OwnTempo(wall) })
const courier = new Courier({
  outbox: new Outbox(state),
  channels: [new LedgerChannel(job.channel)],
  ...{ dispatcher, tempo },
  clock: new FastClock(job.factor, job.start),
  random: new Random(2),
  log: silentLog,
  journal: null,
  answered: async () => {},
  ...{ roster, id: job.id },
  ackUrl: (n) => `https://example.com/a/${n}`,
  alarmBody: async (id) => ({ id })
})
await roster.start()
await courier.start()
console.log('running')
