// Sessions: an opaque secret in a cookie, its sha256 in the store. A session ends when it is unused for too long, at its
// absolute age, or when it is taken back; asked for at every request, so that takes effect at once.

import { createHash } from 'node:crypto'
import { scopeFrom } from '../model/scope.ts'
import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { secretText } from '../platform/random.ts'
import { guarded, stateFailure } from '../store/failure.ts'
import type { State, UserRow } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import type { Audit } from './audit.ts'
import type { Identity } from './roles.ts'
import { grantsOfRow, roleOf } from './users.ts'

/** Somebody's session. Instants are epoch ms; `lastSeenAt` to the minute. */
export interface SessionView {
  readonly id: string
  readonly user: string
  readonly startedAt: number
  readonly lastSeenAt: number
  /** The network address it began from. */
  readonly from: string
}

export class Sessions {
  readonly #state: State
  readonly #clock: Clock
  readonly #audit: Audit

  constructor(state: State, clock: Clock, audit: Audit) {
    this.#state = state
    this.#clock = clock
    this.#audit = audit
  }

  /**
   * Begins a session of this user. `secret` is told once. Null: disabled, removed or given another password since `user` was read,
   * as checking a password takes a while.
   */
  async begin(user: UserRow, from: string): Promise<{ secret: string; identity: Identity } | null> {
    const secret = secretText(32)
    const now = this.#clock.now()
    const session = { hash: secretHash(secret), user_name: user.name, created_at: now, last_seen_at: now, from_address: plainText(from) }
    const begun = await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const own = state.selectFrom('users').select('name').where('name', '=', user.name).where('password', '=', user.password)
        if ((await own.where('disabled', '=', 0).executeTakeFirst()) === undefined) return false
        const others = await state
          .selectFrom('sessions')
          .select('hash')
          .where('user_name', '=', user.name)
          .orderBy('last_seen_at', 'desc')
          .offset(LIMITS.access.sessionsPerUser - 1)
          .limit(LIMITS.access.sessionsPerUser)
          .execute()
        for (const { hash } of others) await state.deleteFrom('sessions').where('hash', '=', hash).execute()
        await state.insertInto('sessions').values(session).execute()
        await this.#audit.appendIn(state, { who: user.name, what: 'session.begin', before: null, after: { from } })
        return true
      })
    )
    return begun ? { secret, identity: identityOf(user, now) } : null
  }

  /** Whose session this is, and still is; null otherwise. */
  async find(secret: string): Promise<Identity | null> {
    const { sessionIdleMs, sessionMs, touchMs } = LIMITS.access
    const hash = secretHash(secret)
    const now = this.#clock.now()
    const row = await guarded(() =>
      this.#state
        .selectFrom('sessions')
        .innerJoin('users', 'users.name', 'sessions.user_name')
        .selectAll('users')
        .select(['sessions.created_at as began_at', 'sessions.last_seen_at'])
        .where('sessions.hash', '=', hash)
        .where('users.disabled', '=', 0)
        .executeTakeFirst()
    )
    if (row === undefined || now >= row.began_at + sessionMs || now >= row.last_seen_at + sessionIdleMs) return null
    if (now >= row.last_seen_at + touchMs) await this.#touch(hash, now)
    return identityOf(row, row.began_at)
  }

  /** Ends the session at once; true where there was one. */
  async end(secret: string): Promise<boolean> {
    const hash = secretHash(secret)
    return guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const gone = await state.deleteFrom('sessions').where('hash', '=', hash).returning('user_name').executeTakeFirst()
        if (gone === undefined) return false
        await this.#audit.appendIn(state, { who: gone.user_name, what: 'session.end', before: null, after: null })
        return true
      })
    )
  }

  /** The sessions that have not ended, the last used first: of these users; null: of all. */
  async list(users: readonly string[] | null): Promise<SessionView[]> {
    const now = this.#clock.now()
    const { sessionMs, sessionIdleMs } = LIMITS.access
    let query = this.#state
      .selectFrom('sessions')
      .selectAll()
      .where('created_at', '>', now - sessionMs)
      .where('last_seen_at', '>', now - sessionIdleMs)
    if (users !== null) query = query.where('user_name', 'in', users.length === 0 ? [''] : users)
    const rows = await guarded(() => query.orderBy('last_seen_at', 'desc').orderBy('hash').limit(LIMITS.api.itemsPerPage).execute())
    return rows.map((row) => ({
      id: sessionId(row.hash),
      user: row.user_name,
      startedAt: row.created_at,
      lastSeenAt: row.last_seen_at,
      from: row.from_address
    }))
  }

  /** Ends the session of this id at once, where it is one of these users' (null: anybody's); true where there was one. */
  async endById(by: Identity, id: string, users: readonly string[] | null): Promise<boolean> {
    if (!/^[0-9a-f]{16}$/.test(id)) return false
    return guarded(() =>
      this.#state.transaction().execute(async (state) => {
        let query = state.deleteFrom('sessions').where('hash', '>=', id).where('hash', '<', `${id}g`)
        if (users !== null) query = query.where('user_name', 'in', users.length === 0 ? [''] : users)
        const gone = await query.returning(['user_name', 'from_address']).executeTakeFirst()
        if (gone === undefined) return false
        const before = { user: gone.user_name, from: gone.from_address }
        await this.#audit.appendIn(state, { who: by.user, what: `session.revoke ${id}`, before, after: null })
        return true
      })
    )
  }

  /** Removes what has expired; answers how many. */
  async sweep(): Promise<number> {
    const now = this.#clock.now()
    const query = this.#state
      .deleteFrom('sessions')
      .where((test) =>
        test.or([test('created_at', '<=', now - LIMITS.access.sessionMs), test('last_seen_at', '<=', now - LIMITS.access.sessionIdleMs)])
      )
    return Number((await guarded(() => query.executeTakeFirst())).numDeletedRows)
  }

  /** Remembers that it is in use. A store that cannot be written ends nobody's session: the next request tries again. */
  async #touch(hash: string, now: number): Promise<void> {
    try {
      await this.#state.updateTable('sessions').set({ last_seen_at: now }).where('hash', '=', hash).execute()
    } catch (cause) {
      if (stateFailure(cause) === null) throw cause
    }
  }
}

/** How a session is named to people: a piece of what is stored, from which nobody can sign in. */
export function sessionId(hash: string): string {
  return hash.slice(0, 16)
}

/** sha256 of a secret with enough randomness of its own, hex. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

function identityOf(user: UserRow, beganAt: number): Identity {
  const { name, role } = user
  const scope = scopeFrom(grantsOfRow(user))
  return { user: name, role: roleOf(role), scope, via: 'session', expiresAt: beganAt + LIMITS.access.sessionMs }
}
