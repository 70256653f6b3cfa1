// One live process per journal folder. The pid stands beside the lock for the sentence only: it decides nothing.

import fs from 'node:fs'
import { join } from 'node:path'
import { takeLock } from '../../store/lock.ts'
import { isFull } from './errno.ts'
import { folderRefusal, lockedRefusal } from './refusals.ts'

/** Takes the folder for this process, or throws a Refusal; the answer lets it go again. */
export function lockFolder(folder: string): () => void {
  const pidPath = join(folder, 'journal.pid')
  let release: (() => void) | null
  try {
    release = takeLock(join(folder, 'journal.lock'))
  } catch (cause) {
    throw folderRefusal(folder, cause)
  }
  if (release === null) throw lockedRefusal(folder, pidIn(pidPath))
  try {
    fs.writeFileSync(pidPath, `${process.pid}\n`)
  } catch (cause) {
    // A full disk must not keep the service from starting; the lock itself holds.
    if (!isFull(cause)) {
      release()
      throw folderRefusal(folder, cause)
    }
  }
  return release
}

function pidIn(path: string): number | null {
  try {
    const pid = Number.parseInt(fs.readFileSync(path, 'latin1'), 10)
    return Number.isSafeInteger(pid) ? pid : null
  } catch {
    return null
  }
}
