// What every channel stands on.

import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Outgoing } from './outgoing.ts'

export interface ChannelGround {
  readonly clock: Clock
  readonly log: Log
  readonly outgoing: Outgoing
  /** Certificates (PEM) trusted beside the system's own, for what does not go over HTTP; null: none. */
  readonly ca: string | null
}
