// What an instance shows while it waits: its health on the port that will be the console's.

import { StandbyServer } from '../../api/standby.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import { Metrics } from '../../platform/metrics.ts'
import { type RunningParts, startAll } from '../../platform/parts.ts'
import { certificatesOf } from '../certificates.ts'
import type { Config } from '../config/service.ts'
import { VERSION } from '../version.ts'
import type { Waiting } from './seat.ts'

/** `opened` hears of the address once it answers. */
export function standbyDoors(config: Config, clock: Clock, log: Log, opened: (address: string) => void): Waiting {
  const certificates = certificatesOf(config, clock, log, new Metrics())
  const server = new StandbyServer({ ...config.http, tls: certificates.http }, VERSION, clock)
  let running: RunningParts | null = null
  return {
    open: async () => {
      running = await startAll(certificates.parts, clock, log)
      opened(await server.open())
    },
    tell: (holder, problem) => server.tell(holder, problem),
    taking: () => server.taking(),
    close: async () => {
      await server.close()
      await running?.stop(1_000)
      running = null
    }
  }
}
