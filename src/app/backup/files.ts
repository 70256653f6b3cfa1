// Files copied whole or up to a byte, flushed and summed on the way. Invariant: what is reported copied is on disk.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { messageOf, Refusal } from '../../platform/problem.ts'

const PRIVATE_FILE = 0o600
const PRIVATE_FOLDER = 0o700

export interface Copied {
  readonly bytes: number
  readonly sha256: string
}

/** Copies `from`, or its first `bytes`, to the new file `to`, made with its folder. Only its owner can read it. */
export async function copyFile(from: string, to: string, bytes = Number.POSITIVE_INFINITY): Promise<Copied> {
  await mkdir(path.dirname(to), { recursive: true, mode: PRIVATE_FOLDER })
  const hash = createHash('sha256')
  let written = 0
  const target = await open(to, 'wx', PRIVATE_FILE)
  try {
    if (bytes > 0) {
      for await (const chunk of createReadStream(from, { end: bytes - 1, highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
        hash.update(chunk)
        for (let at = 0; at < chunk.length; ) at += (await target.write(chunk, at)).bytesWritten
        written += chunk.length
      }
    }
    await target.datasync()
  } finally {
    await target.close()
  }
  return { bytes: written, sha256: hash.digest('hex') }
}

/** The sum of a file; flushes it too where `flush`. */
export async function sumFile(file: string, flush = false): Promise<Copied> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  if (flush) await flushed(file, 'r+')
  return { bytes, sha256: hash.digest('hex') }
}

/** Names made in a folder last only once the folder itself is flushed. */
export async function flushFolder(folder: string): Promise<void> {
  await flushed(folder, 'r')
}

async function flushed(what: string, mode: 'r' | 'r+'): Promise<void> {
  const file = await open(what, mode)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

export async function removeFile(file: string): Promise<void> {
  await rm(file, { force: true })
}

/** The names in a folder; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}

/** Makes `folder`, or takes an empty one; `what` is the beginning of the sentence where it is neither. Null: made; else it was there. */
export async function emptyFolder(folder: string, otherwise: (names: readonly string[]) => string): Promise<void> {
  let names: string[]
  try {
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER })
    // A disk of its own comes with this folder.
    names = (await readdir(folder)).filter((name) => name !== 'lost+found')
  } catch (cause) {
    throw new Refusal(`The folder ${folder} cannot be used: ${messageOf(cause)}. Choose another, or mend its rights.`, { cause })
  }
  if (names.length > 0) throw new Refusal(otherwise(names))
}
