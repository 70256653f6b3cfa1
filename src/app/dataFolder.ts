// The data folder as a whole: made where it is missing, and of a layout that this version reads. What is inside each part is
// that part's own; the number here changes where an older version would read the folder wrongly without noticing.

import { existsSync, readFileSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import path from 'node:path'
import type { Log } from '../platform/log.ts'
import { messageOf, Refusal } from '../platform/problem.ts'
import { VERSION } from './version.ts'

export const LAYOUT_FILE = 'layout.json'
/** Stands in a data folder while it is being restored. */
export const RESTORING_FILE = 'restoring'
/** 1 had no file that says so. 2: the journal holds deliveries, snapshots hold desk and ladders. */
export const LAYOUT = 2

/** The folder, absolute and there. Throws a Refusal where it cannot be made, or holds what this version must not touch. */
export async function dataFolder(folder: string): Promise<string> {
  const absolute = path.resolve(folder)
  // Numbers of people, hashes of passwords: what is made from here on is nobody else's to read, also in a folder that was there.
  process.umask(0o027)
  await makeFolder(absolute)
  if (existsSync(path.join(absolute, RESTORING_FILE))) {
    throw new Refusal(
      `The data folder ${absolute} holds a restore that was not finished. Empty the folder and run fenghuo restore again; nothing is started on half of a backup.`
    )
  }
  checkLayout(absolute)
  return absolute
}

/** Throws a Refusal where a newer version has written the folder. */
export function checkLayout(folder: string): void {
  const layout = layoutOf(folder)
  if (layout <= LAYOUT) return
  throw new Refusal(
    `The data folder ${folder} was written by a newer Fenghuo (layout ${layout}, this one reads up to ${LAYOUT}): start that version, or restore a backup made with this one.`
  )
}

/** Says in the folder that this version has written to it. Where the disk is full the next start says so. */
export async function markLayout(folder: string, log: Log): Promise<void> {
  if (layoutOf(folder) === LAYOUT) return
  const target = path.join(folder, LAYOUT_FILE)
  try {
    const file = await open(`${target}.part`, 'w', 0o600)
    try {
      await file.writeFile(`${JSON.stringify({ layout: LAYOUT, version: VERSION })}\n`)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(`${target}.part`, target)
  } catch (cause) {
    log.warn(`${target} cannot be written: ${messageOf(cause)}`)
  }
}

/** 1 where nothing says otherwise. */
function layoutOf(folder: string): number {
  const file = path.join(folder, LAYOUT_FILE)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 1
    throw new Refusal(`${file} cannot be read: ${messageOf(cause)}. Give the user that runs Fenghuo the right to read it.`, { cause })
  }
  const layout = Number(/"layout":\s*(\d+)/.exec(text)?.[1] ?? '1')
  return Number.isSafeInteger(layout) ? layout : 1
}

async function makeFolder(absolute: string): Promise<void> {
  try {
    await mkdir(absolute, { recursive: true, mode: 0o750 })
  } catch (thrown) {
    // Making a whole path at once says "no such file" of a read-only disk; making its last part says what is the matter.
    const cause = await mkdir(absolute, { mode: 0o750 }).catch((plain: unknown) => plain ?? thrown)
    throw new Refusal(
      `The data folder ${absolute} cannot be made: ${messageOf(cause)}. Choose another with FENGHUO_DATA, or mend its rights.`,
      { cause }
    )
  }
}
