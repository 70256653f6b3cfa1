// What can go wrong with the state store through no fault of ours, as one typed outcome with a sentence.
// Anything else a database throws (a broken constraint, wrong SQL) is our own bug and is passed on as it is.

import { messageOf, Refusal } from '../platform/problem.ts'

/**
 * - full: no space left; the same write will work once there is.
 * - busy: another process holds the lock; the same write will work once it lets go.
 * - failing: the disk or file system reports errors.
 * - readOnly: the file or its folder may not be written.
 * - missing: it cannot be opened at all.
 * - corrupt: it is damaged, or no database.
 * - taken: another process has written to it behind our back.
 */
export type StateFailureKind = 'full' | 'busy' | 'failing' | 'readOnly' | 'missing' | 'corrupt' | 'taken'

/** The state store cannot do what was asked; nothing of it was done. The message is a sentence for people. */
export class StateFailure extends Refusal {
  readonly kind: StateFailureKind
  /** Whether doing the same again can work without anybody restarting the service. */
  readonly passing: boolean

  constructor(kind: StateFailureKind, cause: unknown = null) {
    super(SENTENCES[kind], { cause })
    this.kind = kind
    this.passing = kind === 'full' || kind === 'busy' || kind === 'failing' || kind === 'readOnly'
  }
}

const SENTENCES: Record<StateFailureKind, string> = {
  full: 'No space is left for the state store: free some on the disk of the data folder.',
  busy: 'The state store is locked by another process: end the program that has it open.',
  failing: 'The disk reports errors on the state store: check the disk of the data folder.',
  readOnly: 'The state store may not be written: check the permissions of the data folder.',
  missing: 'The state store cannot be opened: check that the data folder exists and may be read and written.',
  corrupt: 'The state store is damaged or is no Fenghuo state: restore the data folder from a backup.',
  taken: 'Another Fenghuo has written to this state store meanwhile: only one may run on a data folder. End one of them.'
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
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') return null
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
