// Delivery workers as an operator would run them: `fenghuo courier` as a process of its own, on a plant with one webhook channel.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'

const LAUNCHER = path.join(import.meta.dirname, '..', '..', 'bin', 'fenghuo')

export interface WorkerOptions {
  readonly config: string
  readonly postgres: string
  readonly redis: string
}

/** Writes a small plant whose messages go to webhooks on loopback. Answers its fenghuo.yaml. */
export function workerPlant(folder: string, channels = '  - { id: hook, kind: webhook, secret: "env:HOOK_SECRET" }\n'): string {
  mkdirSync(folder, { recursive: true })
  const service = `logLevel: warn\noutgoing: { allowPrivate: [127.0.0.0/8] }\nchannels:\n${channels}`
  writeFileSync(path.join(folder, 'fenghuo.yaml'), service)
  writeFileSync(
    path.join(folder, 'plant.yaml'),
    'enterprises: [{ id: daxie-chem }]\nsites: [{ id: tank-farm-a, enterprise: daxie-chem }]\n'
  )
  return path.join(folder, 'fenghuo.yaml')
}

export class WorkerProcess {
  readonly id: string
  readonly #process: ChildProcess
  readonly #lines: string[]

  private constructor(child: ChildProcess, lines: string[], id: string) {
    this.#process = child
    this.#lines = lines
    this.id = id
  }

  /** Starts one and resolves once it says that it is running; throws what it printed where it ends instead. */
  static start({ config, postgres, redis }: WorkerOptions): Promise<WorkerProcess> {
    const env = {
      PATH: process.env.PATH,
      FENGHUO_POSTGRES_URL: postgres,
      FENGHUO_REDIS_URL: redis,
      HOOK_SECRET: 'a-test-secret-of-some-length'
    }
    const child = spawn(process.execPath, [LAUNCHER, 'courier', '--config', config], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const lines: string[] = []
    createInterface(child.stderr as NodeJS.ReadableStream).on('line', (line) => lines.push(line))
    return new Promise((resolve, reject) => {
      child.once('close', (code, signal) => reject(new Error(`the worker ended (${code ?? signal}):\n${lines.join('\n')}`)))
      createInterface(child.stdout as NodeJS.ReadableStream).on('line', (line) => {
        lines.push(line)
        const running = /^The delivery worker (\S+) is running/.exec(line)
        if (running?.[1] !== undefined) resolve(new WorkerProcess(child, lines, running[1]))
      })
    })
  }

  get output(): string {
    return this.#lines.join('\n')
  }

  /** Stands still, with every connection open; `false` lets it go on. */
  stall(still: boolean): void {
    this.#process.kill(still ? 'SIGSTOP' : 'SIGCONT')
  }

  kill(): Promise<number | null> {
    return this.#end('SIGKILL')
  }

  stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  /** Resolves with the exit status once it has ended by itself. */
  ended(): Promise<number | null> {
    const child = this.#process
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
    return new Promise((resolve) => child.once('exit', (code) => resolve(code)))
  }

  #end(signal: NodeJS.Signals): Promise<number | null> {
    const gone = this.ended()
    this.#process.kill(signal)
    return gone
  }
}
