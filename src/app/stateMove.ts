// The state of an installation from its data folder into PostgreSQL, or back: while no service runs on it, into an empty store,
// checked there before it counts. What it came from stays where it is, set aside.

import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { Audit } from '../access/audit.ts'
import { lockFolder } from '../ingest/journal/lock.ts'
import { SystemClock } from '../platform/clock.ts'
import { Refusal } from '../platform/problem.ts'
import { isServer, serverName } from '../store/postgres.ts'
import type { State } from '../store/schema.ts'
import { openState } from '../store/state.ts'
import { refuseFilled, type Transferred, transfer } from '../store/transfer.ts'
import { flushFolder } from './backup/files.ts'
import type { Config } from './config/service.ts'
import { instanceOf } from './standby/instance.ts'
import { MOVED, placeOf, STATE_ENDS, STATE_FILE } from './stateStore.ts'

export interface Moved extends Transferred {
  /** Where it was, and where it is now, as people are told. */
  readonly from: string
  readonly to: string
  /** Records of the audit log, whose chain was checked in its new place. */
  readonly audit: number
  /** The file that is left of it, where it was a file. */
  readonly aside: string | null
}

/** Moves the state to `to`: an address of PostgreSQL, or the path of an SQLite file. Throws a Refusal; then nothing was moved. */
export async function moveState(config: Config, to: string): Promise<Moved> {
  const { data } = config
  const file = path.join(data, STATE_FILE)
  // With the new address already in the configuration, the file is what is meant.
  const from = config.state.url === null || config.state.url === to ? file : config.state.url
  if (from === to || (!isServer(to) && path.resolve(to) === path.resolve(from))) throw new Refusal('The state is there already.')
  if (!isServer(from) && !existsSync(from)) throw new Refusal(`There is no state in ${data}: there is nothing to move.`)
  if (!isServer(to) && existsSync(to)) throw new Refusal(`There is a file ${to} already: name another, or move it away.`)
  await mkdir(path.join(data, 'journal'), { recursive: true, mode: 0o750 })
  const unlock = lockFolder(path.join(data, 'journal'))
  try {
    const { instance } = await instanceOf(data)
    const source = await openState(from, { instance })
    try {
      const { done, audit } = await filled(source, to, instance)
      const aside = isServer(from) ? null : await setAside(from)
      return { ...done, audit, aside, from: placeOf(from), to: placeOf(to) }
    } finally {
      await source.destroy()
    }
  } finally {
    unlock()
  }
}

/** Copies all of `source` into the empty store at `to`, and checks what is there then. */
export async function filled(source: State, to: string, instance: string): Promise<{ done: Transferred; audit: number }> {
  const target = await openState(to, { instance })
  let whole = false
  try {
    await refuseFilled(target, isServer(to) ? `The database ${serverName(to)}` : `The file ${to}`)
    const done = await transfer(source, target)
    const verdict = await new Audit(target, new SystemClock()).verify()
    if (verdict.kind !== 'whole') {
      const before = await new Audit(source, new SystemClock()).verify()
      // What was broken before is moved as it is: it is evidence.
      if (before.kind === 'whole') throw new Refusal(`The audit log did not arrive whole (${verdict.sentence}): nothing counts as moved.`)
    }
    whole = true
    return { done, audit: done.rows.audit ?? 0 }
  } finally {
    await target.destroy()
    if (!whole && !isServer(to)) for (const end of STATE_ENDS) await rm(`${to}${end}`, { force: true })
  }
}

async function setAside(file: string): Promise<string> {
  const aside = `${file}${MOVED}`
  // The last connection to it closes only later: its log goes with it.
  for (const end of STATE_ENDS) if (existsSync(`${file}${end}`)) await rename(`${file}${end}`, `${aside}${end}`)
  await flushFolder(path.dirname(file))
  return aside
}
