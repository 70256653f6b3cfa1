// What everything stands on: the data folder, the journal and the state, opened in the order that keeps a second service off.

import path from 'node:path'
import { installationOf, placePosition } from '../../history/influxPosition.ts'
import { Journal } from '../../ingest/journal/journal.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import { committedSeq, JournalCopy } from '../../store/journalCopy.ts'
import type { State } from '../../store/schema.ts'
import { openState } from '../../store/state.ts'
import type { Config } from '../config/service.ts'
import { refuseMoved, STATE_FILE, type StateStore } from '../stateStore.ts'
import { claimFolder } from './claim.ts'
import { Copying } from './copying.ts'
import { CopyMirror } from './copyMirror.ts'
import type { Seat, Term } from './seat.ts'
import { emptyHistory } from './telling.ts'

export interface Standing {
  readonly folder: string
  /** Started. */
  readonly journal: Journal
  readonly state: State
  readonly stored: StateStore
  readonly term: Term | null
  /** Where what is acknowledged stands in PostgreSQL too; else null. */
  readonly copy: JournalCopy | null
  /** Keeps that whole; null where there is none. */
  readonly copying: Copying | null
  /** PostgreSQL has lost what it had confirmed: of what the state says is still to be done, some may have been done. */
  readonly wentBack: boolean
  /** Lets go of the state, and with it of the lease. With PostgreSQL after the journal has ended. */
  release(): Promise<void>
}

/** Throws a Refusal where something of it cannot be had; then nothing of it is held any more. */
export async function openGround(config: Config, { folder, term }: Seat, clock: Clock, log: Log): Promise<Standing> {
  const journalFolder = path.join(folder, 'journal')
  if (term === null) {
    const journal = new Journal({ folder: journalFolder, clock, log })
    // The journal's lock keeps a second service off the whole data folder, so it comes before anything else is opened.
    await journal.start()
    try {
      refuseMoved(folder)
      const state = await openState(path.join(folder, STATE_FILE))
      const stored: StateStore = { state, reads: state, problem: () => null, lost: new Promise(() => {}) }
      return { folder, journal, state, stored, term, copy: null, copying: null, wentBack: false, release: () => state.destroy() }
    } catch (cause) {
      await journal.stop()
      throw cause
    }
  }
  const { lease, url, instance } = term
  const copy = new JournalCopy(url, lease.epoch)
  const release = async (): Promise<void> => {
    await copy.close()
    await lease.release()
  }
  const warning = emptyHistory(config)
  if (warning !== null) log.warn(`${warning.found} ${warning.todo}`)
  try {
    const copies = config.journal.copy
    const historyFolder = path.join(folder, 'history')
    const knownAs = config.history.influx === null ? null : installationOf(historyFolder)
    const claimed = await claimFolder({
      folder,
      instance,
      epoch: lease.epoch,
      copy,
      copies,
      committedSeq: await committedSeq(lease.state),
      knownAs,
      log
    })
    if (config.history.influx !== null) placePosition(historyFolder, claimed.installation, claimed.rebuilt)
    const mirror = copies ? new CopyMirror(copy, folder, log) : null
    const journal = new Journal({ folder: journalFolder, clock, log, mirror })
    await journal.start()
    const { state, reads } = lease
    const lost = mirror === null ? lease.lost : Promise.race([lease.lost, mirror.lost])
    const stored: StateStore = { state, reads, problem: () => lease.problem, lost }
    const kept = copies ? { copy, copying: new Copying(copy, folder, log) } : { copy: null, copying: null }
    return { folder, journal, state, stored, term, ...kept, wentBack: claimed.wentBack, release }
  } catch (cause) {
    await release()
    throw cause
  }
}
