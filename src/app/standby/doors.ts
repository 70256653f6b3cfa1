// What an instance shows while it waits: its health on the port that will be the console's, and to commands who it is.

import { StandbyServer } from '../../api/standby.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import { Metrics } from '../../platform/metrics.ts'
import { type Part, type RunningParts, startAll } from '../../platform/parts.ts'
import { Refusal } from '../../platform/problem.ts'
import { certificatesOf } from '../certificates.ts'
import type { Config } from '../config/service.ts'
import { Control, STANDBY_SOCKET } from '../control.ts'
import { VERSION } from '../version.ts'
import type { Waiting } from './seat.ts'

/** `opened` hears of the address once it answers. */
export function standbyDoors(config: Config, clock: Clock, log: Log, opened: (address: string) => void): Waiting {
  const certificates = certificatesOf(config, clock, log, new Metrics())
  const server = new StandbyServer({ ...config.http, tls: certificates.http }, VERSION, clock)
  let running: RunningParts | null = null
  let http = ''
  const port: Part = {
    name: 'standby',
    start: async () => {
      http = await server.open()
    },
    stop: () => server.close()
  }
  const control = new Control(
    config.data,
    log,
    {
      who: () => ({ version: VERSION, pid: process.pid, http, mqtt: null }),
      hold: () => Promise.reject(new Refusal('This instance stands by: back up the one that is active.')),
      release: async () => {}
    },
    STANDBY_SOCKET
  )
  return {
    open: async () => {
      running = await startAll([...certificates.parts, port, control], clock, log)
      opened(http)
    },
    tell: (holder, problem) => server.tell(holder, problem),
    taking: () => server.taking(),
    close: async () => {
      await running?.stop(1_000)
      running = null
    }
  }
}
