// The data folder: whether it can be written, by whom it can be read, how much room there is and how fast a flush is.

import { randomFillSync } from 'node:crypto'
import { mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from '../../platform/clock.ts'
import { messageOf, whyNot } from '../../platform/problem.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const FLUSHES = 40
const FLUSH_BYTES = 16 * 1024
/** Every acknowledgement waits for a flush. */
const SLOW_MS = 20
const LEAST_FREE = 500e6
const WORTH_SAYING_FREE = 5e9
/** Of statfs(2). */
const NETWORK_FILE_SYSTEMS: Readonly<Record<number, string>> = { 26985: 'NFS', 4283649346: 'CIFS', 4266872130: 'SMB2', 16914839: '9p' }
const MEMORY_FILE_SYSTEMS: Readonly<Record<number, string>> = { 16914836: 'tmpfs', 2240043254: 'ramfs' }

/** `journalBytes`: what the configuration lets the journal grow to. */
export async function checkDisk(folder: string, journalBytes: number, clock: Clock): Promise<Finding[]> {
  const probe = path.join(folder, 'doctor.tmp')
  let times: number[]
  try {
    await mkdir(folder, { recursive: true, mode: 0o750 })
    times = await flushTimes(probe, clock)
  } catch (cause) {
    return [
      fail(
        'data folder',
        `The data folder ${folder} cannot be written: ${whyNot(cause)}.`,
        'Give the user that runs Fenghuo the right to write there, or choose another by FENGHUO_DATA.'
      )
    ]
  } finally {
    await rm(probe, { force: true }).catch(() => undefined)
  }
  return [await readers(folder), await fileSystem(folder), await room(folder, journalBytes), flushing(times)]
}

async function flushTimes(probe: string, clock: Clock): Promise<number[]> {
  const bytes = randomFillSync(Buffer.alloc(FLUSH_BYTES))
  const times: number[] = []
  const file = await open(probe, 'w', 0o600)
  try {
    for (let n = 0; n < FLUSHES; n++) {
      const since = clock.monotonic()
      await file.write(bytes, 0, bytes.length, n * bytes.length)
      await file.datasync()
      times.push(clock.monotonic() - since)
    }
  } finally {
    await file.close()
  }
  return times.sort((a, b) => a - b)
}

function flushing(times: readonly number[]): Finding {
  const middle = times[times.length >> 1]!
  const slowest = times.at(-1)!
  const said = `A flush of ${FLUSH_BYTES / 1024} KiB takes ${middle.toFixed(2)} ms, the slowest of ${times.length} took ${slowest.toFixed(1)} ms`
  if (middle > SLOW_MS) {
    return warn(
      'flush',
      `${said}: every acknowledgement waits for one.`,
      'Put the data folder on a local SSD, or on a controller with a battery-backed cache.'
    )
  }
  if (middle < 0.01)
    return warn(
      'flush',
      `${said}: too fast to be true.`,
      'See that the disk, or the virtual machine it belongs to, honours flushes; a power loss would else take what was acknowledged.'
    )
  return ok('flush', `${said}.`)
}

async function readers(folder: string): Promise<Finding> {
  const modes = await Promise.all(
    ['.', 'state.db', 'journal'].map(async (name) => (await stat(path.join(folder, name)).catch(() => null))?.mode ?? 0)
  )
  if (((modes[0] ?? 0) & 0o007) === 0) return ok('data folder', `${folder} can be written, and others cannot read it.`)
  return warn(
    'data folder',
    `Everybody on this machine may enter ${folder}: it holds phone numbers, and hashes of passwords.`,
    `Close it: chmod 750 ${folder}`
  )
}

async function fileSystem(folder: string): Promise<Finding> {
  const { type } = await statfs(folder)
  const network = NETWORK_FILE_SYSTEMS[type]
  const memory = MEMORY_FILE_SYSTEMS[type]
  if (network !== undefined)
    return fail(
      'file system',
      `${folder} is on ${network}: locks and flushes cannot be relied on there.`,
      'Put the data folder on a local disk.'
    )
  if (memory !== undefined)
    return warn('file system', `${folder} is on ${memory}: it is gone when the machine stops.`, 'Put the data folder on a disk.')
  return ok('file system', `${folder} is on a local disk.`)
}

async function room(folder: string, journalBytes: number): Promise<Finding> {
  let free: number
  try {
    const { bavail, bsize } = await statfs(folder)
    free = bavail * bsize
  } catch (cause) {
    return warn('room', `The room on the disk of ${folder} is not known: ${messageOf(cause)}.`, 'Look at it by df.')
  }
  const said = `${(free / 1e9).toFixed(1)} GB are free for ${folder}`
  const todo = 'Make room, or let less be kept: journal.keepBytes and history.keep in fenghuo.yaml.'
  if (free < LEAST_FREE) return fail('room', `${said}: when it is full, nothing is acknowledged any more.`, todo)
  if (free < WORTH_SAYING_FREE) return warn('room', `${said}.`, todo)
  if (free < journalBytes) return warn('room', `${said}, and the journal alone may grow to ${(journalBytes / 1e9).toFixed(0)} GB.`, todo)
  return ok('room', `${said}.`)
}
