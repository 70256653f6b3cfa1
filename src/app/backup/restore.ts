// A backup back into an empty data folder. Invariant: a service starts on the whole of it or not at all: until the last file
// is in its place and on disk, a mark in the folder says so.

import { existsSync } from 'node:fs'
import { rmdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { messageOf, Refusal } from '../../platform/problem.ts'
import { openState } from '../../store/state.ts'
import { LAYOUT, RESTORING_FILE } from '../dataFolder.ts'
import { INSTANCE_FILE, instanceOf } from '../standby/instance.ts'
import { filled } from '../stateMove.ts'
import { STATE_ENDS, STATE_FILE } from '../stateStore.ts'
import { copyFile, emptyFolder, flushFolder, removeFile, sumFile } from './files.ts'
import { type Manifest, readManifest } from './manifest.ts'

/**
 * Checks the backup in `source` and copies it into `data`, its state into the empty database at `url` where there is one. Throws
 * a Refusal, and then `data` is as it was.
 */
export async function restore(source: string, data: string, url: string | null = null): Promise<Manifest> {
  const manifest = await readManifest(source)
  if (manifest.layout > LAYOUT) {
    throw new Refusal(
      `The backup ${source} was made by a newer Fenghuo (${manifest.version}, data layout ${manifest.layout}; this one reads up to ${LAYOUT}): restore it with that version.`
    )
  }
  await verify(source, manifest)
  await emptyFolder(data, (names) =>
    names.includes(RESTORING_FILE)
      ? `The data folder ${data} holds a restore that was not finished: empty it and restore again.`
      : `The data folder ${data} is not empty (it has ${names[0]}): nothing is restored over other data. Choose another by FENGHUO_DATA, or move what is there away.`
  )
  const mark = path.join(data, RESTORING_FILE)
  await writeFile(mark, `${source}\n`, { mode: 0o600 })
  try {
    for (const file of manifest.files) {
      const { sha256 } = await copyFile(path.join(source, file.path), path.join(data, file.path))
      if (sha256 !== file.sha256) throw damaged(source, file.path, 'its content changed while it was being copied')
    }
    for (const folder of new Set(manifest.files.map((file) => path.dirname(path.join(data, file.path))))) await flushFolder(folder)
    if (url !== null) await intoServer(data, url)
    await removeFile(mark)
    await flushFolder(data)
  } catch (cause) {
    const made = [...manifest.files.map((file) => file.path), ...STATE_ENDS.map((end) => `${STATE_FILE}${end}`), INSTANCE_FILE]
    for (const name of made) await removeFile(path.join(data, name)).catch(() => undefined)
    await removeFile(mark).catch(() => undefined)
    for (const folder of foldersOf(manifest)) await rmdir(path.join(data, folder)).catch(() => undefined)
    if (cause instanceof Refusal) throw cause
    throw new Refusal(`The backup was not restored: ${messageOf(cause)}. The data folder ${data} has been emptied again.`, { cause })
  }
  return manifest
}

/** The folders that its files lie in, each before the one it lies in. */
function foldersOf({ files }: Manifest): string[] {
  const folders = new Set<string>()
  for (const file of files) for (let at = path.dirname(file.path); at !== '.'; at = path.dirname(at)) folders.add(at)
  return [...folders].sort((a, b) => b.length - a.length)
}

/** The state from the file that was restored into the empty database; then the file has no use any more. */
async function intoServer(data: string, url: string): Promise<void> {
  const file = path.join(data, STATE_FILE)
  const state = await openState(file)
  try {
    await filled(state, url, (await instanceOf(data)).instance)
  } finally {
    await state.destroy()
  }
  for (const end of STATE_ENDS) await removeFile(`${file}${end}`)
}

/** Every file there, and as it was written. */
async function verify(source: string, { files, journal, state }: Manifest): Promise<void> {
  if (!files.some((file) => file.path === STATE_FILE) || journal.to < state.seq) {
    throw new Refusal(`The backup ${source} is incomplete: use another one.`)
  }
  for (const file of files) {
    const at = path.join(source, file.path)
    if (!existsSync(at)) throw damaged(source, file.path, 'it is missing')
    const { bytes, sha256 } = await sumFile(at).catch((cause) => {
      throw damaged(source, file.path, messageOf(cause))
    })
    if (bytes !== file.bytes) throw damaged(source, file.path, `it has ${bytes} bytes, not ${file.bytes}`)
    if (sha256 !== file.sha256) throw damaged(source, file.path, 'its checksum does not match')
  }
}

function damaged(source: string, file: string, what: string): Refusal {
  return new Refusal(`The backup ${source} is damaged: ${file}: ${what}. Nothing was restored; use another backup.`)
}
