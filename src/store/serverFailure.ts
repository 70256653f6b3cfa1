// What PostgreSQL means by its error codes (SQLSTATE, appendix A of its manual), as far as the fault is not ours.

import type { StateFailureKind } from './failure.ts'

const KINDS: ReadonlyMap<string, StateFailureKind> = new Map([
  // Sign-in and database.
  ['28000', 'missing'],
  ['28P01', 'missing'],
  ['3D000', 'missing'],
  ['3F000', 'missing'],
  // Rights, and servers that only follow another.
  ['42501', 'readOnly'],
  ['25006', 'readOnly'],
  // Room and means.
  ['53100', 'full'],
  ['53200', 'failing'],
  ['53300', 'unreachable'],
  ['53400', 'failing'],
  ['58000', 'failing'],
  ['58030', 'failing'],
  ['58P01', 'failing'],
  ['XX000', 'failing'],
  ['XX001', 'corrupt'],
  ['XX002', 'corrupt'],
  // Others at work: statement and lock timeouts, deadlocks.
  ['40001', 'busy'],
  ['40P01', 'busy'],
  ['55P03', 'busy'],
  ['57014', 'busy'],
  // Ended by the server: shut down, crashed, starting, idle too long.
  ['25P03', 'unreachable'],
  ['57P01', 'unreachable'],
  ['57P02', 'unreachable'],
  ['57P03', 'unreachable'],
  ['57P05', 'unreachable']
])

/** Null: no error of a server, or one that is our own bug. */
export function kindOfServer(thrown: Error): StateFailureKind | null {
  if (!('severity' in thrown) || !('code' in thrown) || typeof thrown.code !== 'string') return null
  return KINDS.get(thrown.code) ?? (thrown.code.startsWith('08') ? 'unreachable' : null)
}
