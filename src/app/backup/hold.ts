// What the service does for a backup: for a while nothing is deleted, and the open days of history, whose file only the
// service can read, lie beside it as a copy.

import { stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import type { History } from '../../history/history.ts'
import type { Journal } from '../../ingest/journal/journal.ts'
import { Refusal } from '../../platform/problem.ts'
import type { ControlAnswers } from '../control.ts'
import type { Loop } from '../loop.ts'
import { removeFile } from './files.ts'

export interface HoldParts {
  readonly folder: string
  readonly loop: Loop
  /** Null where history is not kept in the data folder. */
  readonly history: History | null
  readonly journal: Journal
}

/** The `hold` and `release` of the control line. */
export function holdFor({ folder, loop, history, journal }: HoldParts): Pick<ControlAnswers, 'hold' | 'release'> {
  const copy = path.join(folder, 'history', 'backup.duckdb')
  return {
    hold: async () => {
      await loop.hold()
      const { flushedSeq } = journal
      if (history === null) return { flushedSeq, history: null }
      await refuseFullDisk(folder)
      return { flushedSeq, history: { file: copy, seq: await history.hold(copy) } }
    },
    release: async () => {
      loop.release()
      history?.release()
      await removeFile(copy)
      await removeFile(`${copy}.wal`)
    }
  }
}

/** A disk that the copy fills would stop the intake. */
async function refuseFullDisk(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const sizes = await Promise.all(
    ['open.duckdb', 'open.duckdb.wal'].map((name) =>
      stat(path.join(folder, 'history', name)).then(
        ({ size }) => size,
        () => 0
      )
    )
  )
  const needed = 2 * sizes.reduce((sum, size) => sum + size, 0)
  if (bavail * bsize < needed) {
    throw new Refusal(
      `The disk of ${folder} has ${Math.round((bavail * bsize) / 1e6)} MB free, and a backup needs ${Math.round(needed / 1e6)} MB there for a moment: make room, or stop the service and back up then.`
    )
  }
}
