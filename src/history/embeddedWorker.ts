// The history worker: one thread that stores, answers and closes days, so that no other thread ever waits for DuckDB.
// Invariant: a batch is reported stored only after its commit; one that fails is kept and tried again until it succeeds.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf, Refusal } from '../platform/problem.ts'
import { Asking } from './asking.ts'
import { ClosedDays } from './closing.ts'
import { EmbeddedStore } from './embedded.ts'
import { copyOpenRows } from './embeddedCopy.ts'
import { HistoryFailure, SPILL_FOLDER, whyNotOpened } from './failure.ts'
import { Gate } from './gate.ts'
import type { FromWorker, Question, SharedBatch, ToWorker, WorkerOptions } from './messages.ts'

const RETRY_MS = 1000

const options = workerData as WorkerOptions
const port = parentPort!
const store = new EmbeddedStore(options)
const gate = new Gate()
const freeReaders = Array.from({ length: store.readers }, (_, slot) => slot)
const questions: { id: number; question: Question }[] = []
let days: ClosedDays
let asking: Asking
let isOpen = false
let closing = false
let lastNow = options.now
let endPause = (): void => {}
let storing: Promise<void> = Promise.resolve()
let tending: Promise<void> = Promise.resolve()
const troubles: Record<'storing' | 'tending', string | null> = { storing: null, tending: null }

function tell(message: FromWorker): void {
  port.postMessage(message)
}

function tellTrouble(about: 'storing' | 'tending', problem: string | null): void {
  if (troubles[about] === problem) return
  troubles[about] = problem
  tell({ kind: 'trouble', about, problem })
}

async function begin(): Promise<void> {
  writing(() => mkdirSync(options.folder, { recursive: true }))
  await store.open(options.now)
  isOpen = true
  // From here on the folder is ours alone: what a killed process left behind may go.
  writing(() => {
    rmSync(join(options.folder, SPILL_FOLDER), { recursive: true, force: true })
    days = new ClosedDays(options.folder, store, gate)
  })
  asking = new Asking(store, days, gate)
  port.on('message', receive)
  tell({ kind: 'opened', storedSeq: store.storedSeq })
}

function writing(act: () => unknown): void {
  try {
    act()
  } catch (cause) {
    throw new Refusal(
      `The history folder ${options.folder} cannot be written (${messageOf(cause)}): make it writable for this user and start again`
    )
  }
}

function receive(message: ToWorker): void {
  if ('now' in message) lastNow = message.now
  switch (message.kind) {
    case 'fleet':
      store.adoptFleet(message.names)
      return
    case 'store':
      storing = storing.then(() => storeAtLast(message.batch, message.now))
      return
    case 'ask':
      questions.push(message)
      askNext()
      return
    case 'tend':
      tending = tending.then(() => tend(message.id, message.now, message.retentionDays))
      return
    case 'copy':
      // Behind a round of closing days that is under way: the copy and the files then say the same.
      tending = tending.then(() => copy(message.id, message.target))
      return
    case 'close':
      void end(0)
  }
}

/** Stores the batch, however often it takes. After a failure the database is opened anew: it may have lost its footing. */
async function storeAtLast(batch: SharedBatch, now: number): Promise<void> {
  while (!closing) {
    try {
      await reopen(now)
      const rows = await store.commit(batch, now)
      tellTrouble('storing', null)
      tell({ kind: 'stored', throughSeq: batch.throughSeq, rows })
      return
    } catch (cause) {
      await shut(cause)
      await pauseBeforeRetry()
    }
  }
}

async function reopen(now: number): Promise<void> {
  if (!isOpen) await store.open(now)
  isOpen = true
}

async function shut(cause: unknown): Promise<void> {
  if (cause instanceof TypeError || cause instanceof RangeError) throw cause
  tellTrouble(
    'storing',
    `History cannot be stored in ${options.folder} (${messageOf(cause).split('\n')[0]}): make room or mend the disk; it is tried again each second, and the journal keeps what arrives meanwhile`
  )
  isOpen = false
  await store.close()
}

/** Where a question or a closing day met a database that no longer answers: opens it anew before the next batch. */
function mend(now: number): void {
  storing = storing.then(async () => {
    while (!closing) {
      try {
        await reopen(now)
        await store.probe()
        return tellTrouble('storing', null)
      } catch (cause) {
        await shut(cause)
        await pauseBeforeRetry()
      }
    }
  })
}

function pauseBeforeRetry(): Promise<void> {
  if (closing) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, RETRY_MS)
    endPause = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}

/** Gives the next question to a free reader. */
function askNext(): void {
  while (freeReaders.length > 0 && questions.length > 0) {
    const slot = freeReaders.pop()!
    const { id, question } = questions.shift()!
    asking
      .answer(slot, question)
      .then((answer) => tell({ kind: 'answer', id, answer }))
      .catch((cause: unknown) => {
        const refused = cause instanceof Refusal
        if (refused || cause instanceof HistoryFailure) return tell({ kind: 'failure', id, refused, problem: cause.message })
        mend(lastNow)
        tell({
          kind: 'failure',
          id,
          refused,
          problem: `History cannot answer this (${messageOf(cause).split('\n')[0]}): the service's log and health say more`
        })
      })
      .finally(() => {
        freeReaders.push(slot)
        askNext()
      })
  }
}

async function tend(id: number, now: number, retentionDays: number | null): Promise<void> {
  if (closing || !isOpen) return tell({ kind: 'answer', id, answer: { tended: { written: [], deleted: [] } } })
  const { tended, problem } = await days.tend(now, retentionDays)
  if (!closing) tellTrouble('tending', problem)
  if (problem !== null) mend(now)
  tell({ kind: 'answer', id, answer: { tended } })
}

async function copy(id: number, target: string): Promise<void> {
  try {
    tell({ kind: 'answer', id, answer: { copiedSeq: await copyOpenRows(store.keeper(), target) } })
  } catch (cause) {
    if (!(cause instanceof HistoryFailure)) mend(lastNow)
    const problem = `The open days of history cannot be copied to ${target} (${messageOf(cause).split('\n')[0]}): make room there and try again`
    tell({ kind: 'failure', id, refused: true, problem })
  }
}

/** Ends the thread. What runs in DuckDB is ended first: an answer that arrives after the thread is gone aborts the process. */
async function end(exitCode: number): Promise<void> {
  if (closing) return
  closing = true
  endPause()
  await storing.catch(() => undefined)
  await store.close()
  await tending
  process.exit(exitCode)
}

process.on('uncaughtException', (cause) => {
  tell({ kind: 'crashed', problem: cause.stack ?? messageOf(cause) })
  void end(1)
})

begin().catch((cause: unknown) => {
  tell({ kind: 'refused', problem: whyNotOpened(options.folder, cause) })
  void end(0)
})
