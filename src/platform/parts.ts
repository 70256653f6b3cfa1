// Parts have a lifetime: constructors only remember, start() begins, stop() ends, both idempotent.
// What is leaned on starts first and stops last.

import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import { messageOf } from './problem.ts'

export interface Part {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}

export interface RunningParts {
  /** Stops in reverse order, each step named where it fails or overruns; one deadline for all. True when all ended well. */
  stop(deadlineMs: number): Promise<boolean>
}

/** Starts the parts in order. Where one fails, those already started are stopped again and the failure is thrown. */
export async function startAll(parts: readonly Part[], clock: Clock, log: Log): Promise<RunningParts> {
  const started: Part[] = []
  const running: RunningParts = { stop: (deadlineMs) => stopAll(started, deadlineMs, clock, log) }
  for (const part of parts) {
    try {
      await part.start()
      started.push(part)
    } catch (cause) {
      await running.stop(10_000)
      throw cause
    }
  }
  return running
}

async function stopAll(started: Part[], deadlineMs: number, clock: Clock, log: Log): Promise<boolean> {
  const deadline = clock.monotonic() + deadlineMs
  let well = true
  for (let part = started.pop(); part !== undefined; part = started.pop()) {
    const name = part.name
    let overrun = (): void => {}
    const late = new Promise<'late'>((resolve) => {
      overrun = () => resolve('late')
    })
    const timer = clock.after(Math.max(0, deadline - clock.monotonic()), overrun)
    try {
      if ((await Promise.race([part.stop(), late])) === 'late') {
        well = false
        log.error(`${name} did not stop in time`)
      }
    } catch (cause) {
      well = false
      log.error(`${name} failed to stop: ${messageOf(cause)}`)
    }
    timer.cancel()
  }
  return well
}
