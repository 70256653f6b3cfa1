// The worker that keeps history in InfluxDB: it speaks the same messages as the one of the embedded store, so that everything in
// front of it is the same. Invariant: one batch at a time, tried until it is stored; questions pass beside it.

import { parentPort, workerData } from 'node:worker_threads'
import { SystemClock, type Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { messageOf } from '../platform/problem.ts'
import { Random, secretText } from '../platform/random.ts'
import { InfluxFailure } from './influx.ts'
import { pointsOf } from './influxPoints.ts'
import { InfluxPosition } from './influxPosition.ts'
import type { InfluxSettings } from './influxSettings.ts'
import { InfluxStore, troubleSentence, underway } from './influxStore.ts'
import type { FleetNames, FromWorker, Question, SharedBatch, ToWorker, WorkerOptions } from './messages.ts'

const { folder, influx } = workerData as WorkerOptions
const settings = influx as InfluxSettings
const port = parentPort!
const clock = new SystemClock()
const random = new Random(Buffer.from(secretText(4), 'base64url').readUInt32LE())
const { retryMs, retryMostMs, questionsAtOnce } = LIMITS.history.influx
let position: InfluxPosition
let store: InfluxStore
let names: FleetNames = { devices: [], metrics: [], places: [] }
/** The server has answered since the last failure, and knows no less than we do. */
let agreed = false
let trouble: string | null = null
let closing = false
let storing: Promise<void> = Promise.resolve()
let endPause = (): void => {}
const questions: { id: number; question: Question }[] = []
let asked = 0

function tell(message: FromWorker): void {
  port.postMessage(message)
}

function tellTrouble(problem: string | null): void {
  if (trouble === problem) return
  trouble = problem
  tell({ kind: 'trouble', about: 'storing', problem })
}

async function begin(): Promise<void> {
  position = InfluxPosition.open(folder)
  store = new InfluxStore(settings, position, clock, (problem, expected) => tell({ kind: 'dropped', problem, expected }))
  port.on('message', receive)
  try {
    position.learn(await store.knownSeqSoon())
    agreed = true
  } catch (cause) {
    // Alarms do not wait for InfluxDB: the service starts without it.
    tellTrouble(sentenceOf(cause))
  }
  tell({ kind: 'opened', storedSeq: position.seq })
}

function receive(message: ToWorker): void {
  switch (message.kind) {
    case 'fleet':
      names = message.names
      return
    case 'store': {
      const numbered = names
      storing = storing.then(() => storeAtLast(message.batch, numbered))
      return
    }
    case 'ask':
      questions.push(message)
      askNext()
      return
    case 'tend':
      // The server deletes by its own retention.
      tell({ kind: 'answer', id: message.id, answer: { tended: { written: [], deleted: [] } } })
      return
    case 'close':
      void end(0)
  }
}

/** Stores the batch, however often it takes, unless the server turns out to have lost what came before it. */
async function storeAtLast(batch: SharedBatch, numbered: FleetNames): Promise<void> {
  const { throughSeq } = batch
  const work = underway(pointsOf(batch, numbered))
  let waitMs: number = retryMs
  while (!closing) {
    try {
      if (!agreed) {
        const known = await store.knownSeq()
        if (known < position.seq) return rewind(known)
        agreed = true
      }
      await store.store(work)
      tellTrouble(null)
      return tell({ kind: 'stored', throughSeq, rows: work.batch.rows, drops: work.drops })
    } catch (cause) {
      if (!(cause instanceof InfluxFailure)) throw cause
      agreed = false
      if (!closing) tellTrouble(sentenceOf(cause))
      await pauseBeforeRetry(waitMs * (1 + random.next() / 4))
      waitMs = Math.min(waitMs * 2, retryMostMs)
    }
  }
}

function rewind(known: number): void {
  const problem = `${store.name} has lost what was stored in it after seq ${known} of the journal (we had stored up to seq ${position.seq}): what the journal still holds is stored again`
  position.move(known)
  agreed = true
  tellTrouble(null)
  tell({ kind: 'rewound', storedSeq: known, problem })
}

function sentenceOf(cause: unknown): string {
  const failure = cause instanceof InfluxFailure ? cause : new InfluxFailure('passing', messageOf(cause))
  return troubleSentence(store.name, settings.database, failure)
}

function pauseBeforeRetry(ms: number): Promise<void> {
  if (closing) return Promise.resolve()
  return new Promise((resolve) => {
    const timer: Timer = clock.after(ms, resolve)
    endPause = () => {
      timer.cancel()
      resolve()
    }
  })
}

function askNext(): void {
  while (asked < questionsAtOnce && questions.length > 0) {
    const { id, question } = questions.shift()!
    asked++
    store
      .answer(question)
      .then((answer) => tell({ kind: 'answer', id, answer }))
      .catch((cause: unknown) =>
        tell({ kind: 'failure', id, refused: false, problem: `${store.name} does not answer this (${messageOf(cause)}): ask again later` })
      )
      .finally(() => {
        asked--
        askNext()
      })
  }
}

async function end(exitCode: number): Promise<void> {
  if (closing) return
  closing = true
  endPause()
  store?.close()
  await storing.catch(() => undefined)
  process.exit(exitCode)
}

process.on('uncaughtException', (cause) => {
  tell({ kind: 'crashed', problem: cause.stack ?? messageOf(cause) })
  void end(1)
})

begin().catch((cause: unknown) => {
  tell({ kind: 'refused', problem: messageOf(cause) })
  void end(0)
})
