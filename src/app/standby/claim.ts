// Before anything in a data folder is believed: whether it is the one that served last, and if not, a new one is made of the
// copy in PostgreSQL. Invariant: a folder that may lack what was acknowledged, or hold what was not, is never gone on with; it
// is renamed, and the latest few of those are kept. The term is noted only once the folder is whole, so a start that was killed half way begins again.

import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { lockFolder } from '../../ingest/journal/lock.ts'
import { rawGroups, writeRawGroups } from '../../ingest/journal/raw.ts'
import { ReadOnlyJournal } from '../../ingest/journal/readOnly.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Log } from '../../platform/log.ts'
import { messageOf, Refusal } from '../../platform/problem.ts'
import { type CopyMarks, type JournalCopy, lacking, recordsText } from '../../store/journalCopy.ts'
import { flushFolder, namesIn } from '../backup/files.ts'
import { fillCopy, fillPlants } from './copyMirror.ts'
import { type Instance, keepInstance, newId } from './instance.ts'

/** The parts of a data folder that go together; history joins by itself. */
const PARTS = ['journal', 'snapshots', 'plants'] as const
const REBUILDING = 'rebuilding'
const ASIDE = 'set-aside-before-term-'

export interface Claim {
  readonly folder: string
  readonly instance: Instance
  readonly epoch: number
  readonly copy: JournalCopy
  /** Whether the copy is kept; else both instances share this folder. */
  readonly copies: boolean
  /** The last journal record whose effects are in the state. */
  readonly committedSeq: number
  /** Of a folder that has stored in InfluxDB before, the id it is known by there. */
  readonly knownAs: string | null
  readonly log: Log
}

export interface Claimed {
  readonly installation: string
  /** Where the folder was made anew: how far history is stored, and where the journal ends; else null. */
  readonly rebuilt: { readonly historySeq: number; readonly lastSeq: number } | null
  /** PostgreSQL has lost what it had confirmed: of what the state says is still to be done, some may have been done. */
  readonly wentBack: boolean
}

/** Makes the folder the one to go on with, and the copy with it. Throws a Refusal where neither can be had. */
export async function claimFolder(claim: Claim): Promise<Claimed> {
  const { folder, instance, epoch, copy, copies, committedSeq } = claim
  const marks = await copy.marks()
  const local = await extentOf(folder)
  refuseForeign(claim, marks, local)
  const installation = marks.installation ?? instance.installation ?? claim.knownAs ?? newId()
  const isOurs = marks.installation === null || (local !== null && instance.term === marks.term)
  let rebuilt: Claimed['rebuilt'] = null
  let wentBack = instance.wentBack === true
  if (!copies) {
    if (!isOurs && (committedSeq > 0 || local !== null)) throw notShared(folder)
    await copy.clear()
  } else if (isOurs) wentBack = (await settle(claim, local)) || wentBack
  else rebuilt = await rebuild(claim, marks, local)
  await copy.begin(installation)
  await keepInstance(folder, { instance: instance.instance, installation, term: epoch, ...(wentBack && { wentBack }) })
  return { installation, rebuilt, wentBack }
}

interface Extent {
  readonly firstSeq: number
  readonly lastSeq: number
}

/** What the folder's journal holds; null where there is none. Throws a Refusal where another process has it. */
async function extentOf(folder: string): Promise<Extent | null> {
  const journal = path.join(folder, 'journal')
  if (!existsSync(journal)) return null
  lockFolder(journal)()
  const { oldestSeq, lastSeq } = await ReadOnlyJournal.open(journal)
  return lastSeq === 0 ? null : { firstSeq: oldestSeq, lastSeq }
}

function refuseForeign({ folder, instance, epoch, committedSeq }: Claim, { installation, term }: CopyMarks, local: Extent | null): void {
  if (installation === null) {
    if ((local?.lastSeq ?? 0) < committedSeq) {
      throw new Refusal(
        `PostgreSQL holds a state up to record ${committedSeq} that no service has run on yet, and the data folder ${folder} does not reach it: start first on the data folder that the state was migrated from.`
      )
    }
    if (local === null || committedSeq > 0) return
    throw new Refusal(
      `The data folder ${folder} holds a journal, but PostgreSQL holds no state: run fenghuo state migrate first, or choose an empty data folder.`
    )
  }
  if (instance.installation === null ? local !== null : instance.installation !== installation) {
    throw foreign(folder)
  }
  if (instance.term >= epoch) {
    throw new Refusal(
      `The data folder ${folder} has served term ${instance.term}, and PostgreSQL knows of no later one than ${term}: the database has gone back, as after a restore. To go on with what it holds, move the data folder away; to keep what the folder holds, restore the database as it was.`
    )
  }
}

/** The folder is not of the installation that the state is of. */
export function foreign(folder: string): Refusal {
  return new Refusal(
    `The data folder ${folder} belongs to another installation than the one in PostgreSQL: nothing of either is touched. Choose an empty data folder with FENGHUO_DATA, or the right database with FENGHUO_POSTGRES_URL.`
  )
}

function notShared(folder: string): Refusal {
  return new Refusal(
    `The data folder ${folder} is not the one that served last, and journal.copy is off, so PostgreSQL holds no copy to go on with: start the instance that served last, let both share its data folder, or turn journal.copy on.`
  )
}

/**
 * The folder that served last: what only one of the two holds is brought into the other. True where the server has lost what it
 * had confirmed: a process that is killed leaves at most the last group in one of them alone.
 */
async function settle(claim: Claim, local: Extent | null): Promise<boolean> {
  const { folder, copy, log } = claim
  const extent = await copy.extent()
  if (local === null) {
    if (extent !== null) await copy.clear()
    return false
  }
  await fillPlants(copy, folder)
  if (extent === null) {
    await seed(claim, local)
    return false
  }
  const { lacked, left, groups } = await fillCopy(copy, folder, local.lastSeq)
  const wentBack = groups > 1 || left.length > 0 || lacked.some(({ to }) => to < local.lastSeq)
  if (wentBack) log.warn(`PostgreSQL had lost ${recordsText(lacked)} of the copy of the journal: find out what happened to the server`)
  if (left.length > 0) {
    await copy.clear()
    await seed(claim, local)
  } else if (extent.lastSeq > local.lastSeq) {
    // The process died when the copy was written and the disk not yet.
    await writeRawGroups(path.join(folder, 'journal'), copy.groups(local.lastSeq))
    log.info(`records ${local.lastSeq + 1} to ${extent.lastSeq} were taken into the journal from its copy`)
  }
  return wentBack
}

/** A copy of what there is: from the oldest snapshot that the journal reaches back to. */
async function seed({ folder, copy, log }: Claim, local: Extent): Promise<void> {
  const snapshots = (await namesIn(path.join(folder, 'snapshots'))).filter((name) => name.endsWith('.snapshot'))
  const reached = snapshots.map((name) => Number.parseInt(name, 10)).filter((seq) => seq + 1 >= local.firstSeq && seq <= local.lastSeq)
  const from = local.firstSeq === 1 && reached.length === 0 ? 0 : Math.min(...reached)
  if (!Number.isFinite(from)) return
  for await (const group of rawGroups(path.join(folder, 'journal'), from)) await copy.keep(group)
  for (const seq of reached) await copy.keepSnapshot(seq, await readFile(path.join(folder, 'snapshots', snapshotName(seq))))
  log.info(`the journal was copied to PostgreSQL from record ${from + 1} on`)
}

/** A folder made of the copy; what was there is renamed. */
async function rebuild(claim: Claim, marks: CopyMarks, local: Extent | null): Promise<Claimed['rebuilt']> {
  const { folder, copy, committedSeq, log } = claim
  const extent = await copy.extent()
  const snapshots = await copy.snapshots()
  if ((extent?.lastSeq ?? 0) < committedSeq || (extent !== null && extent.firstSeq > 1 && snapshots.length === 0)) {
    throw new Refusal(
      `PostgreSQL holds the state up to record ${committedSeq}, but no copy of the journal that reaches it (${extent === null ? 'none at all' : `records ${extent.firstSeq} to ${extent.lastSeq}`}): journal.copy was off where the service ran last. Start that instance with its data folder.`
    )
  }
  const missing = await copy.missing()
  if (missing.length > 0) throw lacking(missing)
  const aside = await setAside(claim)
  const parts = path.join(folder, REBUILDING)
  // Half of one, from a start that was killed meanwhile.
  await rm(parts, { recursive: true, force: true })
  for (const part of PARTS) await mkdir(path.join(parts, part), { recursive: true })
  await writeRawGroups(path.join(parts, 'journal'), copy.groups(0))
  for (const seq of snapshots) await writeFile(path.join(parts, 'snapshots', snapshotName(seq)), await copy.snapshot(seq), { flush: true })
  for (const hash of await copy.plants())
    await writeFile(path.join(parts, 'plants', `${hash}.json`), await copy.plant(hash), { flush: true })
  for (const part of PARTS) {
    await flushFolder(path.join(parts, part))
    await rename(path.join(parts, part), path.join(folder, part))
  }
  await rm(parts, { recursive: true })
  await flushFolder(folder)
  const lastSeq = extent?.lastSeq ?? 0
  log.info(
    `the data folder was made from the copy in PostgreSQL: records ${extent?.firstSeq ?? 1} to ${lastSeq}${aside === null ? '' : `; what it held${local === null ? '' : ` (records ${local.firstSeq} to ${local.lastSeq})`} lies in ${aside}`}`
  )
  return { historySeq: marks.historySeq, lastSeq }
}

/** Renames what another term has left behind; answers where it lies. */
async function setAside({ folder, epoch, log }: Claim): Promise<string | null> {
  const there = PARTS.filter((name) => existsSync(path.join(folder, name)))
  if (there.length === 0) return null
  const aside = path.join(folder, `${ASIDE}${epoch}`)
  try {
    await mkdir(aside, { recursive: true })
    for (const name of there) await rename(path.join(folder, name), path.join(aside, name))
    for (const old of oldestAside(await namesIn(folder))) {
      await rm(path.join(folder, old), { recursive: true })
      log.info(`${path.join(folder, old)}, set aside long ago, was deleted: the latest ${LIMITS.lease.foldersSetAside} are kept`)
    }
  } catch (cause) {
    throw new Refusal(`What is left in ${folder} cannot be set aside: ${messageOf(cause)}. Move it away and start again.`, { cause })
  }
  return aside
}

function oldestAside(names: readonly string[]): string[] {
  const term = (name: string): number => Number(name.slice(ASIDE.length))
  const asides = names.filter((name) => name.startsWith(ASIDE)).sort((a, b) => term(a) - term(b))
  return asides.slice(0, -LIMITS.lease.foldersSetAside)
}

function snapshotName(seq: number): string {
  return `${String(seq).padStart(16, '0')}.snapshot`
}
