// A consistent copy of a data folder, beside the running service or without one. Invariant: the journal in it reaches at least
// as far as state and history, and begins no later than they need: a start on it reads on from there, as after a power loss.
// Copied in this order: history (its open days by the service), then the state, then the journal up to the end of the group
// that holds all three, then the plants it names, which are on disk before the journal says so. While it is copied the service
// deletes nothing. Everything in the backup was on disk when the state was copied, so it is the folder as it was at that instant.

import { existsSync } from 'node:fs'
import path from 'node:path'
import { journalPieces } from '../../ingest/journal/copy.ts'
import { lockFolder } from '../../ingest/journal/lock.ts'
import type { Clock } from '../../platform/clock.ts'
import { messageOf, Refusal } from '../../platform/problem.ts'
import { copyServerState, copyState } from '../../store/copy.ts'
import { ControlLine, type Held, STANDBY_SOCKET } from '../control.ts'
import { checkLayout, LAYOUT, LAYOUT_FILE, RESTORING_FILE } from '../dataFolder.ts'
import { STATE_ENDS, STATE_FILE } from '../stateStore.ts'
import { VERSION } from '../version.ts'
import { copyFile, emptyFolder, flushFolder, namesIn, removeFile, sumFile } from './files.ts'
import { MANIFEST_FILE, type Manifest, writeManifest } from './manifest.ts'

type File = Manifest['files'][number]

/**
 * Copies the data folder `data` into `target`, which must be empty or not there, with the state in it, also where that is kept on
 * the server `url`. Throws a Refusal where that cannot be.
 */
export async function backup(data: string, target: string, clock: Clock, url: string | null = null): Promise<Manifest> {
  if ((url === null && !existsSync(path.join(data, STATE_FILE))) || !existsSync(path.join(data, 'journal'))) {
    throw new Refusal(
      `There is nothing to back up: ${data} holds no data of a service. Name its fenghuo.yaml by --config, or its folder by FENGHUO_DATA.`
    )
  }
  if (existsSync(path.join(data, RESTORING_FILE)))
    throw new Refusal(`${data} holds a restore that was not finished: there is nothing whole to back up.`)
  checkLayout(data)
  if (`${path.resolve(target)}${path.sep}`.startsWith(`${data}${path.sep}`)) {
    throw new Refusal(`A backup does not belong into the data folder ${data} itself: name a folder elsewhere, best on another disk.`)
  }
  // One that stands by says so, and holds nothing.
  const line = (await ControlLine.open(data)) ?? (await ControlLine.open(data, STANDBY_SOCKET))
  const unlock = line === null ? lockWithoutService(data) : null
  try {
    const held = line === null ? null : await line.ask<Held>('hold')
    await emptyFolder(target, (names) => `The folder ${target} is not empty (it has ${names[0]}): a backup needs a new or empty one.`)
    const files: File[] = []
    try {
      return await copyAll(data, target, url, held, files, clock, () => line?.alive ?? true)
    } catch (cause) {
      // Half a backup is none, and takes room.
      for (const file of [...files.map(({ path: name }) => name), ...STATE_ENDS.map((end) => `${STATE_FILE}${end}`), MANIFEST_FILE])
        await removeFile(path.join(target, file))
      if (cause instanceof Refusal) throw cause
      throw new Refusal(`The backup was not finished: ${messageOf(cause)}. What was copied has been removed again.`, { cause })
    }
  } finally {
    line?.end()
    unlock?.()
  }
}

function lockWithoutService(data: string): () => void {
  try {
    return lockFolder(path.join(data, 'journal'))
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new Refusal(
      `A service on ${data} is just starting or ending, or a command writes there: try again in a moment. (${cause.message})`,
      { cause }
    )
  }
}

async function copyAll(
  data: string,
  target: string,
  url: string | null,
  held: Held | null,
  files: File[],
  clock: Clock,
  alive: () => boolean
): Promise<Manifest> {
  const at = new Date(clock.now()).toISOString()
  const copy = async (name: string, from = path.join(data, name), bytes?: number): Promise<void> => {
    const file: File = { path: name, bytes: 0, sha256: '' }
    // Named before it is made, so that it is removed where copying it fails.
    files.push(file)
    Object.assign(file, await copyFile(from, path.join(target, name), bytes))
  }
  await copyHistory(data, held, copy)
  const stateFile = path.join(target, STATE_FILE)
  const state = url === null ? await copyState(path.join(data, STATE_FILE), stateFile) : await copyServerState(url, stateFile)
  files.push({ path: STATE_FILE, ...(await sumFile(stateFile, true)) })
  const needed = held === null ? Number.POSITIVE_INFINITY : Math.max(held.flushedSeq, held.history?.seq ?? 0, state.seq)
  for (const name of await namesIn(path.join(data, 'snapshots'))) {
    // One taken since the state was copied would lie ahead of everything, and be believed when the journal has grown past it.
    if (name.endsWith('.snapshot') && Number.parseInt(name, 10) <= state.seq) await copy(`snapshots/${name}`)
  }
  const { pieces, from, to } = await journalPieces(path.join(data, 'journal'), needed)
  for (const piece of pieces) await copy(`journal/${piece.name}`, piece.path, piece.bytes)
  for (const name of await namesIn(path.join(data, 'plants'))) if (name.endsWith('.json')) await copy(`plants/${name}`)
  if (existsSync(path.join(data, LAYOUT_FILE))) await copy(LAYOUT_FILE)
  if (!alive()) throw new Refusal('The service ended while it was being backed up: what was copied may not fit together. Try again.')
  if (to < state.seq) {
    throw new Refusal(
      `The state in ${data} knows journal record ${state.seq}, but the journal ends at ${to}: this folder cannot be continued.`
    )
  }
  for (const folder of new Set(files.map((file) => path.dirname(path.join(target, file.path))))) await flushFolder(folder)
  const history = held === null ? { seq: null } : held.history === null ? null : { seq: held.history.seq }
  const manifest = await writeManifest(target, {
    ...{ layout: LAYOUT, version: VERSION, at, running: held !== null, journal: { from, to }, state },
    history,
    files
  })
  await flushFolder(target)
  return manifest
}

/** The closed days, and the open ones: by the service's copy of them, or the database itself where no service has it open. */
async function copyHistory(data: string, held: Held | null, copy: (name: string, from?: string) => Promise<void>): Promise<void> {
  const folder = path.join(data, 'history')
  if (held === null) {
    for (const name of ['open.duckdb', 'open.duckdb.wal']) if (existsSync(path.join(folder, name))) await copy(`history/${name}`)
  } else if (held.history !== null) await copy('history/open.duckdb', held.history.file)
  for (const name of await namesIn(path.join(folder, 'days'))) if (name.endsWith('.parquet')) await copy(`history/days/${name}`)
}
