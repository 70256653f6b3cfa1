// What a backup says of itself: which files, their sums, and up to where they reach. Written last, so that a backup that was
// not finished has none.

import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { messageOf, Refusal } from '../../platform/problem.ts'

export const MANIFEST_FILE = 'manifest.json'
const FORMAT = 1
/** What a backup may hold; nothing else is written into a data folder. */
const KNOWN_FILE = /^(state\.db|layout\.json|(journal|snapshots|plants)\/[\w-][\w.-]*|history\/(open\.duckdb(\.wal)?|days\/[\w-][\w.-]*))$/

const whole = z.int().min(0)
const shape = z.object({
  product: z.literal('fenghuo'),
  format: whole,
  /** Of the data folder. */
  layout: whole,
  version: z.string(),
  /** ISO 8601. */
  at: z.string(),
  /** Whether a service went on beside it. */
  running: z.boolean(),
  journal: z.object({ from: whole, to: whole }),
  /** The last journal seq whose effects are in the state. */
  state: z.object({ seq: whole }),
  /**
   * The journal seq through which history is complete; the journal holds what follows. seq null: its database alone knows, no
   * service was running. history null: it is kept elsewhere.
   */
  history: z.object({ seq: whole.nullable() }).nullable(),
  files: z.array(z.object({ path: z.string().regex(KNOWN_FILE), bytes: whole, sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
})

export type Manifest = z.output<typeof shape>

export async function writeManifest(folder: string, manifest: Omit<Manifest, 'product' | 'format'>): Promise<Manifest> {
  const full: Manifest = { product: 'fenghuo', format: FORMAT, ...manifest }
  const file = await open(path.join(folder, MANIFEST_FILE), 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(full, null, 2)}\n`)
    await file.datasync()
  } finally {
    await file.close()
  }
  return full
}

/** Throws a Refusal where the folder is no backup, not a finished one, or one of a newer version. */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, MANIFEST_FILE)
  let written: unknown
  try {
    written = JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Refusal(
        `${folder} holds no ${MANIFEST_FILE}: it is no backup, or one that was not finished. Name the folder of a finished backup.`
      )
    }
    throw new Refusal(`${file} cannot be read (${messageOf(cause)}): the backup is damaged. Use another one.`, { cause })
  }
  const { format } = written as { format?: unknown }
  if (typeof format === 'number' && format > FORMAT) {
    throw new Refusal(
      `The backup ${folder} was made by a newer Fenghuo (format ${format}, this one reads up to ${FORMAT}): use that version.`
    )
  }
  const outcome = shape.safeParse(written)
  if (outcome.success) return outcome.data
  const [issue] = outcome.error.issues
  throw new Refusal(`${file} is damaged (${issue?.path.join('.')}: ${issue?.message}): use another backup.`)
}
