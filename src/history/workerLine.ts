// The line to one worker thread, from its start to its end.

import { Worker } from 'node:worker_threads'
import { messageOf, Refusal } from '../platform/problem.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './messages.ts'

export class WorkerLine {
  readonly #worker: Worker
  readonly #opened: Promise<number>
  readonly #ended: Promise<void>
  #closing = false

  /** `lost` is called once where the worker ends after it was opened and without having been asked to. */
  constructor(file: URL, options: WorkerOptions, hear: (message: FromWorker) => void, lost: (problem: string) => void) {
    this.#worker = new Worker(file, { workerData: options, name: 'history' })
    let failure = 'the history worker ended by itself'
    this.#worker.on('error', (cause) => {
      failure = `the history worker failed: ${messageOf(cause)}`
    })
    this.#ended = new Promise((resolve) => void this.#worker.once('exit', () => resolve()))
    this.#opened = new Promise((resolve, reject) => {
      let opened = false
      this.#worker.on('message', (message: FromWorker) => {
        if (message.kind === 'opened') {
          opened = true
          resolve(message.storedSeq)
        } else if (message.kind === 'refused') {
          reject(new Refusal(message.problem))
        } else hear(message)
      })
      this.#worker.once('exit', () => {
        if (!opened) reject(new Refusal(`History could not be opened: ${failure}`))
        else if (!this.#closing) lost(failure)
      })
    })
  }

  /** The `storedSeq` found, once the worker is ready; rejects with a Refusal where the database cannot be opened. */
  opened(): Promise<number> {
    return this.#opened
  }

  post(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  /** Asks the worker to close and resolves when its thread has ended. */
  close(): Promise<void> {
    this.#closing = true
    this.post({ kind: 'close' })
    return this.#ended
  }

  /** Waits no longer for a worker that does not close. It is not torn down: that could abort the process. */
  abandon(): void {
    this.#worker.unref()
  }
}
