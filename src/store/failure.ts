// What can go wrong with the state store through no fault of ours, as one typed outcome with a sentence.
// Anything else a database throws (a broken constraint, wrong SQL) is our own bug and is passed on as it is.

import { messageOf, Refusal } from '../platform/problem.ts'
import { kindOfServer } from './serverFailure.ts'

/**
 * - unreachable: the server does not answer, or has ended our connection; the same will work once it is back.
 * - full: no space left; the same write will work once there is.
 * - busy: another process holds the lock; the same write will work once it lets go.
 * - failing: the disk or file system reports errors.
 * - readOnly: the file or its folder may not be written.
 * - missing: it cannot be opened at all.
 * - corrupt: it is damaged, or no database.
 * - taken: another process has written to it behind our back.
 * - goneBack: it holds less than it had confirmed.
 */
export type StateFailureKind = 'unreachable' | 'full' | 'busy' | 'failing' | 'readOnly' | 'missing' | 'corrupt' | 'taken' | 'goneBack'

/** The state store cannot do what was asked; nothing of it was done. The message is a sentence for people. */
export class StateFailure extends Refusal {
  readonly kind: StateFailureKind
  /** Whether doing the same again can work without anybody restarting the service. */
  readonly passing: boolean

  constructor(kind: StateFailureKind, cause: unknown = null, where: 'file' | 'server' = 'file') {
    super(where === 'server' ? SERVER_SENTENCES[kind] : SENTENCES[kind], { cause })
    this.kind = kind
    this.passing = kind === 'unreachable' || kind === 'full' || kind === 'busy' || kind === 'failing' || kind === 'readOnly'
  }
}

const SENTENCES: Record<StateFailureKind, string> = {
  unreachable: 'The state store does not answer.',
  full: 'No space is left for the state store: free some on the disk of the data folder.',
  busy: 'The state store is locked by another process: end the program that has it open.',
  failing: 'The disk reports errors on the state store: check the disk of the data folder.',
  readOnly: 'The state store may not be written: check the permissions of the data folder.',
  missing: 'The state store cannot be opened: check that the data folder exists and may be read and written.',
  corrupt: 'The state store is damaged or is no Fenghuo state: restore the data folder from a backup.',
  taken: 'Another Fenghuo has written to this state store meanwhile: only one may run on a data folder. End one of them.',
  goneBack:
    'The state store holds less than was committed to it, as after a restore under a running service: start the service again, and it goes on from what is there.'
}

const SERVER_SENTENCES: Record<StateFailureKind, string> = {
  unreachable: 'PostgreSQL cannot be reached: check that the server runs and answers at the address in FENGHUO_POSTGRES_URL.',
  full: 'PostgreSQL has no space left for the state: free some on the disk of the server.',
  busy: 'PostgreSQL did not do it in time: look for long transactions and for load on the server.',
  failing: 'PostgreSQL reports errors of its own: check its disk, its memory and its log.',
  readOnly: 'PostgreSQL does not let us write: name the primary server in FENGHUO_POSTGRES_URL, and give the role its rights.',
  missing: 'PostgreSQL does not let us in: check user, password and database in FENGHUO_POSTGRES_URL.',
  corrupt: 'PostgreSQL reports that its data is damaged: restore the database from a backup.',
  taken: 'Another Fenghuo has taken over the state in PostgreSQL: only one may work with it at a time. Start this one again to stand by.',
  goneBack:
    'PostgreSQL has come back with less than it had confirmed, as after a restore or a failover that lost commits: find out what happened to the server. Started again, the service makes the alarms anew from its journal; messages of the lost time that the journal does not know to be sent are sent again, marked, and changes of users of that time are gone.'
}

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const KINDS: ReadonlyMap<number, StateFailureKind> = new Map([
  [5, 'busy'],
  [6, 'busy'],
  [8, 'readOnly'],
  [10, 'failing'],
  [11, 'corrupt'],
  [13, 'full'],
  [14, 'missing'],
  [26, 'corrupt']
])

/** The failure behind a thrown database error, or null where it is our own bug. */
export function stateFailure(thrown: unknown): StateFailure | null {
  if (thrown instanceof StateFailure) return thrown
  if (!(thrown instanceof Error)) return null
  const ofServer = kindOfServer(thrown)
  if (ofServer !== null) return new StateFailure(ofServer, thrown, 'server')
  if (!('errcode' in thrown) || typeof thrown.errcode !== 'number') return null
  // The low byte is the primary code; the rest says which kind of it.
  const kind = KINDS.get(thrown.errcode & 0xff)
  return kind === undefined ? null : new StateFailure(kind, thrown)
}

/** Runs it; a failure of the store is thrown as a StateFailure. */
export async function guarded<Result>(act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (cause) {
    throw stateFailure(cause) ?? cause
  }
}

/** What a person is told about the store at `path`: the sentence, the file, and what the database itself said. */
export function failureSentence(failure: StateFailure, path: string): string {
  return `${failure.message} (${path}: ${messageOf(failure.cause)})`
}
