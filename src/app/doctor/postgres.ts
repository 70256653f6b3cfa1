// The PostgreSQL that keeps the state: lets us in, is recent, may be written, holds what this version can work with; and who works with it.

import { LIMITS } from '../../platform/limits.ts'
import { messageOf } from '../../platform/problem.ts'
import { stateFailure } from '../../store/failure.ts'
import { serverName } from '../../store/postgres.ts'
import { lookAtServer, type ServerLook } from '../../store/serverLook.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const CHECK = 'PostgreSQL'

export async function checkPostgres(url: string): Promise<Finding[]> {
  let look: ServerLook
  try {
    look = await lookAtServer(url)
  } catch (cause) {
    return [refusalOf(serverName(url), cause)]
  }
  return [
    versionOf(look),
    ...rightsOf(look),
    contentOf(look),
    ok(
      CHECK,
      look.holder === null
        ? 'Nobody works with the state in it at the moment.'
        : `${look.holder.host || 'Somebody'} works with the state in it (${secondsOf(look.holder.silentMs)} since its last sign of life).`
    )
  ]
}

/** What kept us out: not reachable, not let in, or the server's own trouble; each is mended elsewhere. */
function refusalOf(name: string, cause: unknown): Finding {
  const failure = stateFailure(cause)
  const said = messageOf(failure === null ? cause : failure.cause)
  if (failure?.kind === 'missing')
    return fail(CHECK, `${name} does not let us in: ${said}.`, 'Correct FENGHUO_POSTGRES_URL, or make the role and its database.')
  if (failure?.kind === 'unreachable')
    return fail(CHECK, `${name} cannot be reached: ${said}.`, 'See that the server runs, and that FENGHUO_POSTGRES_URL is its address.')
  return fail(CHECK, `${name} does not let us in: ${said}.`, 'Correct FENGHUO_POSTGRES_URL, or see the log of the server.')
}

function versionOf({ version, recent }: ServerLook): Finding {
  return recent
    ? ok(CHECK, `PostgreSQL ${version} lets us in.`)
    : fail(CHECK, `PostgreSQL ${version} is too old.`, 'Use version 13 or newer.')
}

function rightsOf({ follows, closed, mayCreate, connections, utf8 }: ServerLook): Finding[] {
  const findings: Finding[] = []
  if (follows) findings.push(fail(CHECK, 'It only follows another server and takes no writes.', 'Name the primary server.'))
  if (closed)
    findings.push(
      fail(
        CHECK,
        'It is set to take no writes (default_transaction_read_only).',
        'Reset it: alter database … reset default_transaction_read_only.'
      )
    )
  if (!mayCreate)
    findings.push(fail(CHECK, 'The role may not make tables.', 'Make it the owner of the database: alter database … owner to ….'))
  const { connections: wanted } = LIMITS.postgres
  if (connections < wanted) {
    const found = `It leaves ${Math.max(0, connections)} connections to Fenghuo; a service, a standby, two delivery workers and a backup want ${wanted}.`
    findings.push(warn(CHECK, found, 'Raise max_connections, or the connection limit of the role or the database.'))
  }
  if (!utf8) findings.push(fail(CHECK, 'The database does not keep text in UTF-8.', "Make it anew with encoding 'UTF8'."))
  return findings
}

function contentOf({ content }: ServerLook): Finding {
  switch (content) {
    case 'empty':
      return ok(CHECK, 'The database is empty: the first start makes its tables.')
    case 'ready':
      return ok(CHECK, 'It holds a state of this version.')
    case 'older':
      return warn(CHECK, 'It holds a state of an older version.', 'Back it up: the next start brings it up to date.')
    case 'newer':
      return fail(CHECK, 'It holds a state of a newer version.', 'Start that version, or restore a backup made with this one.')
    case 'foreign':
      return fail(CHECK, 'It holds tables of somebody else.', 'Create an empty database for Fenghuo.')
  }
}

function secondsOf(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
