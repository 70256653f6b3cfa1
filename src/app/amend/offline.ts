// What was changed through the API, seen and added to without a service: straight in its data folder.

import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { Access } from '../../access/access.ts'
import { lockFolder } from '../../ingest/journal/lock.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import { isServer } from '../../store/postgres.ts'
import { openState } from '../../store/state.ts'
import { EmptyState } from '../../store/upgrade.ts'
import { NO_OVERLAY } from '../config/amend.ts'
import type { Configured } from '../configured.ts'
import { instanceOf } from '../standby/instance.ts'
import { refuseMoved, stateAt } from '../stateStore.ts'
import type { AmendedPlant } from './apply.ts'
import { amendedAtStart } from './start.ts'

/** The plant as the next start would have it; nothing is written. A service may be running. */
export async function amendedPlant({ config, plant, source }: Configured, clock: Clock, log: Log): Promise<AmendedPlant> {
  const where = stateAt(config)
  const nothing = { source, overlay: NO_OVERLAY, latest: new Map(), plant, leftOut: [] }
  if (!isServer(where) && !existsSync(where)) return nothing
  const state = await openState(where, { readOnly: true }).catch((cause: unknown) => {
    if (cause instanceof EmptyState) return null
    throw cause
  })
  if (state === null) return nothing
  try {
    return await amendedAtStart(source, plant, new Access({ state, clock, log }), log)
  } finally {
    await state.destroy()
  }
}

/** Lets `act` change what is kept, while no service can run on the data folder. Throws a Refusal where one does. */
export async function whileStopped<Answer>(
  { config, plant, source }: Configured,
  clock: Clock,
  log: Log,
  act: (now: AmendedPlant, access: Access) => Promise<Answer>
): Promise<Answer> {
  const journal = path.join(config.data, 'journal')
  await mkdir(journal, { recursive: true, mode: 0o750 })
  const unlock = lockFolder(journal)
  try {
    const isFile = config.state.url === null
    if (isFile) refuseMoved(config.data)
    const state = await openState(stateAt(config), isFile ? {} : { instance: (await instanceOf(config.data)).instance })
    try {
      const access = new Access({ state, clock, log })
      return await act(await amendedAtStart(source, plant, access, log), access)
    } finally {
      await state.destroy()
    }
  } finally {
    unlock()
  }
}
