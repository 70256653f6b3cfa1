// API tokens: `fh_…`, shown once, their sha256 in the store. A token may do what it was given, and never more than its
// owner may at that moment.

import { type Grants, narrowScope, scopeFrom } from '../model/scope.ts'
import type { Clock } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import { type Problem, problem } from '../platform/problem.ts'
import { secretText } from '../platform/random.ts'
import { guarded, stateFailure } from '../store/failure.ts'
import type { State, TokenRow } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import type { Audit } from './audit.ts'
import { type Identity, lowerRole, mayAct, type Role } from './roles.ts'
import { secretHash } from './sessions.ts'
import { grantProblem, grantsOfRow, idsText, roleOf } from './users.ts'

export interface TokenRequest {
  readonly name: string
  readonly role: Role
  readonly enterprises: readonly string[] | null
  /** Missing: all. */
  readonly sites?: readonly string[] | null
}

/** A token without its secret. Instants are epoch ms. */
export interface TokenView extends Grants {
  readonly id: string
  readonly name: string
  /** The owner. */
  readonly user: string
  readonly role: Role
  readonly createdAt: number
  /** To the minute; null: never. */
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

const PREFIX = 'fh_'

export class Tokens {
  readonly #state: State
  readonly #clock: Clock
  readonly #audit: Audit

  constructor(state: State, clock: Clock, audit: Audit) {
    this.#state = state
    this.#clock = clock
    this.#audit = audit
  }

  /** Makes a token of `by`'s. `secret` is told once. A problem says why not. */
  async create(by: Identity, request: TokenRequest): Promise<{ readonly secret: string; readonly token: TokenView } | Problem> {
    const name = plainText(request.name.trim())
    if (name === '' || name.length > LIMITS.access.tokenNameLength) {
      return problem(`A token's name is 1 to ${LIMITS.access.tokenNameLength} characters long: say what the token is for.`)
    }
    const { enterprises, sites = null } = request
    const wrong = grantProblem(by, request.role, { enterprises, sites })
    if (wrong !== null) return wrong
    const secret = PREFIX + secretText(32)
    const row: TokenRow = {
      id: secretText(9),
      hash: secretHash(secret),
      name,
      user_name: by.user,
      role: request.role,
      enterprises: idsText(enterprises),
      sites: idsText(sites),
      created_at: this.#clock.now(),
      last_used_at: null,
      revoked_at: null
    }
    const made = await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const { count } = await state
          .selectFrom('tokens')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('user_name', '=', by.user)
          .where('revoked_at', 'is', null)
          .executeTakeFirstOrThrow()
        if (count >= LIMITS.access.tokensPerUser) return false
        await state.insertInto('tokens').values(row).execute()
        const after = { name, role: request.role, enterprises, sites }
        await this.#audit.appendIn(state, { who: by.user, what: `token.create ${row.id}`, before: null, after })
        return true
      })
    )
    if (!made) return problem(`${by.user} has ${LIMITS.access.tokensPerUser} tokens in force, more are not kept: revoke one first.`)
    return { secret, token: viewOf(row) }
  }

  /** Whose token this is, and still is; null otherwise. */
  async find(secret: string): Promise<Identity | null> {
    if (!secret.startsWith(PREFIX)) return null
    const row = await guarded(() =>
      this.#state
        .selectFrom('tokens')
        .innerJoin('users', 'users.name', 'tokens.user_name')
        .selectAll('tokens')
        .select(['users.role as owner_role', 'users.enterprises as owner_enterprises', 'users.sites as owner_sites'])
        .where('tokens.hash', '=', secretHash(secret))
        .where('tokens.revoked_at', 'is', null)
        .where('users.disabled', '=', 0)
        .executeTakeFirst()
    )
    if (row === undefined) return null
    const now = this.#clock.now()
    if (row.last_used_at === null || now >= row.last_used_at + LIMITS.access.touchMs) await this.#touch(row.id, now)
    const role = lowerRole(roleOf(row.role), roleOf(row.owner_role))
    const owners = grantsOfRow({ enterprises: row.owner_enterprises, sites: row.owner_sites })
    const scope = narrowScope(scopeFrom(grantsOfRow(row)), scopeFrom(owners))
    return { user: row.user_name, role, scope, via: 'token', expiresAt: null }
  }

  /** Tokens, newest first: one's own; an administrator of everything sees all. */
  async list(by: Identity): Promise<TokenView[]> {
    let query = this.#state.selectFrom('tokens').selectAll().orderBy('created_at', 'desc').orderBy('id')
    if (!ownsAll(by)) query = query.where('user_name', '=', by.user)
    return (await guarded(() => query.limit(LIMITS.api.itemsPerPage).execute())).map(viewOf)
  }

  /** Ends a token at once; false where there is none of this id in force that `by` may revoke. */
  async revoke(by: Identity, id: string): Promise<boolean> {
    return guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const query = state
          .updateTable('tokens')
          .set({ revoked_at: this.#clock.now() })
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
        const mine = ownsAll(by) ? query : query.where('user_name', '=', by.user)
        const gone = await mine.returning(['user_name', 'name']).executeTakeFirst()
        if (gone === undefined) return false
        await this.#audit.appendIn(state, {
          who: by.user,
          what: `token.revoke ${id}`,
          before: { user: gone.user_name, name: gone.name },
          after: null
        })
        return true
      })
    )
  }

  /** Remembers its use. A store that cannot be written stops nobody's program: the next request tries again. */
  async #touch(id: string, now: number): Promise<void> {
    try {
      await this.#state.updateTable('tokens').set({ last_used_at: now }).where('id', '=', id).execute()
    } catch (cause) {
      if (stateFailure(cause) === null) throw cause
    }
  }
}

function ownsAll(by: Identity): boolean {
  return mayAct(by.role, 'admin') && by.scope === null
}

function viewOf(row: TokenRow): TokenView {
  return {
    id: row.id,
    name: row.name,
    user: row.user_name,
    role: roleOf(row.role),
    ...grantsOfRow(row),
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at
  }
}
