// Who a data folder belongs to: an id of its own, the installation, and the term (the epoch of the lease) that it last served.

import { readFileSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import path from 'node:path'
import { messageOf, Refusal } from '../../platform/problem.ts'
import { secretText } from '../../platform/random.ts'

export const INSTANCE_FILE = 'instance.json'

export interface Instance {
  readonly instance: string
  /** Null: it has not served a store that several can reach. */
  readonly installation: string | null
  /** The last term in which this folder was whole and in use; 0: none. */
  readonly term: number
  /** The store had lost what it had confirmed, and what follows from that has not been done yet. */
  readonly wentBack?: true
}

/** What the folder says, or who it is from now on. Throws a Refusal where that cannot be read or written. */
export async function instanceOf(folder: string): Promise<Instance> {
  const file = path.join(folder, INSTANCE_FILE)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(file, cause)
    return keepInstance(folder, { instance: newId(), installation: null, term: 0 })
  }
  try {
    const { instance, installation, term, wentBack } = JSON.parse(text) as Instance
    if (typeof instance !== 'string' || !Number.isSafeInteger(term)) throw new Error('it does not say whose it is')
    return { instance, installation: installation ?? null, term, ...(wentBack === true && { wentBack }) }
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

/** Writes it; on disk when it resolves. */
export async function keepInstance(folder: string, instance: Instance): Promise<Instance> {
  const target = path.join(folder, INSTANCE_FILE)
  try {
    await mkdir(folder, { recursive: true })
    const file = await open(`${target}.part`, 'w', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(instance)}\n`)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(`${target}.part`, target)
    return instance
  } catch (cause) {
    throw new Refusal(`${target} cannot be written: ${messageOf(cause)}. Make room, or mend the rights of the data folder.`, { cause })
  }
}

/** Notes that the store has lost what it had confirmed, or that what follows from that has been done. */
export async function noteWentBack(folder: string, so: boolean): Promise<void> {
  const { wentBack = false, ...rest } = await instanceOf(folder)
  if (wentBack !== so) await keepInstance(folder, so ? { ...rest, wentBack: so } : rest)
}

/** An id that nobody else has. */
export function newId(): string {
  return secretText(9).replaceAll('-', '.')
}

function unreadable(file: string, cause: unknown): Refusal {
  return new Refusal(
    `${file} cannot be read (${messageOf(cause)}): it says whose data this folder holds. Move the whole folder away and start again; a standby makes a new one from PostgreSQL.`,
    { cause }
  )
}
