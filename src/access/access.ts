// The door to who may do what: sign-in with its limits, sessions, tokens, users, gateway secrets, the audit log.
// Invariant: an unknown user costs exactly what a wrong password costs, in time and in answer.

import type { Plant } from '../model/plant.ts'
import type { Belonging } from '../model/scope.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import { formatDuration } from '../platform/duration.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf, type Problem, problem } from '../platform/problem.ts'
import type { State, UserRow } from '../store/schema.ts'
import { Amendments } from './amendments.ts'
import { Audit } from './audit.ts'
import { GatewaySecrets } from './gateways.ts'
import { Lockout } from './lockout.ts'
import { type OidcRefusal, type OidcSettings, OpenIdSignIn } from './oidc.ts'
import { matchesPhc, parsePhc, unmatchable } from './phc.ts'
import { type Identity, mayAct } from './roles.ts'
import { Sessions, type SessionView, secretHash, sessionId } from './sessions.ts'
import { type TokenRequest, Tokens, type TokenView } from './tokens.ts'
import { Turns } from './turns.ts'
import { type UserChange, type UserRequest, Users, type UserView } from './users.ts'

export type { SessionView } from './sessions.ts'
export type { TokenRequest, TokenView } from './tokens.ts'
export type { UserChange, UserRequest, UserView } from './users.ts'

/** What came of a sign-in. `secret` goes into the cookie and is kept nowhere. */
export type LoginOutcome = { readonly kind: 'signedIn'; readonly secret: string; readonly identity: Identity } | Refused

export interface Refused {
  readonly kind: 'refused'
  /** The name or the password is wrong (401), or one has to wait: locked out, or too many sign in at once (429). */
  readonly reason: 'credentials' | 'locked' | 'busy'
  readonly sentence: string
  readonly retryAfterMs: number | null
}

export class Access implements Part {
  readonly name = 'access'
  /** For what is done elsewhere, like acknowledging an alarm; users, tokens and sessions are recorded here already. */
  readonly audit: Audit
  /** What was changed of the plant through the API. */
  readonly amendments: Amendments
  readonly #clock: Clock
  readonly #log: Log
  /** Sign-in at an OpenID Connect provider; null: there are only local accounts. */
  readonly elsewhere: OpenIdSignIn | null
  readonly #users: Users
  readonly #sessions: Sessions
  readonly #tokens: Tokens
  readonly #gateways: GatewaySecrets
  readonly #lockout: Lockout
  readonly #turns = new Turns(LIMITS.access.waitingChecks)
  readonly #nobody = unmatchable()
  readonly #onRevoked = new Set<() => void>()
  #sweeping: Timer | null = null

  constructor({
    state,
    reads = state,
    clock,
    log,
    oidc = null
  }: {
    readonly state: State
    /** For long lists; missing: the same. */
    readonly reads?: State
    readonly clock: Clock
    readonly log: Log
    readonly oidc?: OidcSettings | null
  }) {
    this.#clock = clock
    this.#log = log
    this.audit = new Audit(state, clock, reads)
    this.amendments = new Amendments(state, this.audit)
    this.elsewhere = oidc === null ? null : new OpenIdSignIn(oidc, clock, log)
    this.#users = new Users(state, clock, this.audit)
    this.#sessions = new Sessions(state, clock, this.audit)
    this.#tokens = new Tokens(state, clock, this.audit)
    this.#gateways = new GatewaySecrets(log)
    this.#lockout = new Lockout(clock)
  }

  /** Begins to sweep away expired sessions now and then. Everything else works without it. */
  async start(): Promise<void> {
    this.#sweeping ??= this.#clock.every(LIMITS.access.sweepMs, () => void this.sweep())
    await this.elsewhere?.start()
  }

  async stop(): Promise<void> {
    this.#sweeping?.cancel()
    this.#sweeping = null
    await this.elsewhere?.stop()
  }

  /** Removes expired sessions. Where the store cannot be written, the next sweep does it: they are refused anyway. */
  async sweep(): Promise<void> {
    await this.#sessions.sweep().catch((cause) => this.#log.warn(`expired sessions could not be removed: ${messageOf(cause)}`))
  }

  /**
   * Makes sure there is somebody who may do everything. Without a password: on the very first run `admin` is made with a
   * generated one, which is answered to be shown once and is not kept; later nothing is done. With one: `admin` has it from
   * now on (its sessions end where it had another). Answers the generated password, else null.
   */
  ensureAdmin(password: string | null): Promise<string | null> {
    return this.#users.ensureAdmin(password)
  }

  /** Signs a person in. `from` is the network address it came from. */
  async login(username: string, password: string, from: string): Promise<LoginOutcome> {
    const checked = await this.#checked(username, password, from)
    if (checked.kind === 'refused') return checked
    const begun = await this.#sessions.begin(checked.user, from)
    return begun === null ? WRONG : { kind: 'signedIn', ...begun }
  }

  /** The user whose password this is, within the bounds of guessing. */
  async #checked(username: string, password: string, from: string): Promise<Refused | { kind: 'user'; user: UserRow }> {
    if (username.length > LIMITS.access.nameLength || password.length > LIMITS.access.passwordLength) return WRONG
    const user = await this.#users.find(username)
    const waitMs = this.#lockout.waitMs(username, from)
    if (waitMs > 0) return lockedOut(waitMs)
    const locks = this.#lockout.attempt(username, from)
    const phc = user === null ? this.#nobody : parsePhc(user.password)
    const checked = await this.#turns.take(() => matchesPhc(phc.kind === 'problem' ? this.#nobody : phc, password))
    if (checked === null) {
      this.#lockout.takeBack(username, from)
      return {
        kind: 'refused',
        reason: 'busy',
        sentence: 'Too many people are signing in at this moment: try again in a few seconds.',
        retryAfterMs: 3_000
      }
    }
    if (!checked || user === null || user.disabled === 1) {
      if (locks) await this.#recordLockout(user?.name ?? UNKNOWN_USER, from)
      return WRONG
    }
    this.#lockout.succeeded(username, from)
    return { kind: 'user', user }
  }

  /** Signs in whom the provider has sent back with this query; the ticket is the one that `elsewhere.begin` gave out. */
  async loginElsewhere(query: URLSearchParams, ticket: string, from: string): Promise<LoginOutcome | OidcRefusal> {
    const { elsewhere } = this
    if (elsewhere === null) return { kind: 'refused', reason: 'unavailable', sentence: 'There are only local accounts here.' }
    const outcome = await elsewhere.finish(query, ticket)
    if (outcome.kind === 'refused') return outcome
    const user = await this.#told(this.#users.vouchedFor(elsewhere.settings.issuer, outcome.who))
    if ('problem' in user) return { kind: 'refused', reason: 'credentials', sentence: user.problem }
    const begun = await this.#sessions.begin(user, from)
    if (begun !== null) return { kind: 'signedIn', ...begun }
    return {
      kind: 'refused',
      reason: 'credentials',
      sentence: `${user.name} has just been disabled or removed here: ask an administrator.`
    }
  }

  /** Whether this user signs in at the provider, and where they sign out there; null: there is no such place. */
  async elsewhereOf(name: string): Promise<{ readonly external: boolean; readonly signOutAt: string | null }> {
    const issuer = (await this.#users.find(name))?.issuer ?? null
    const here = this.elsewhere !== null && issuer === this.elsewhere.settings.issuer ? this.elsewhere : null
    return { external: issuer !== null, signOutAt: here?.signOutUrl() ?? null }
  }

  /** Ends the session at once; true where there was one. */
  logout(secret: string): Promise<boolean> {
    return this.#told(this.#sessions.end(secret))
  }

  /** Calls `listener` whenever somebody may have lost a session, a token, a role or a scope: for connections that stay open. */
  onRevoked(listener: () => void): void {
    this.#onRevoked.add(listener)
  }

  /** One's own sessions; of an administrator those of all users inside the scope. */
  async sessions(by: Identity): Promise<SessionView[]> {
    return this.#sessions.list(await this.#usersOf(by))
  }

  /** Ends a session at once; false where there is none of this id that `by` may end. */
  async endSession(by: Identity, id: string): Promise<boolean> {
    return this.#told(this.#sessions.endById(by, id, await this.#usersOf(by)))
  }

  /** By what name `sessions` lists the session with this secret. */
  sessionId(secret: string): string {
    return sessionId(secretHash(secret))
  }

  /**
   * Gives the user of this session the password that they chose, and ends their other sessions. The present password is
   * asked for like at a sign-in: wrong ones lock out.
   */
  async changePassword(secret: string, present: string, password: string, from: string): Promise<LoginOutcome | Problem> {
    const identity = await this.session(secret)
    const user = identity === null ? null : await this.#users.find(identity.user)
    if (identity === null || user === null) return problem('Your session has ended. Sign in again.')
    const refused = user.issuer === null ? await this.#checked(user.name, present, from) : null
    if (refused !== null && refused.kind === 'refused') return refused
    const wrong = await this.#told(this.#users.setOwnPassword(user, password, secretHash(secret)))
    return wrong ?? { kind: 'signedIn', secret, identity }
  }

  /** Whose session this is; null where it has ended or never was. */
  session(secret: string): Promise<Identity | null> {
    return this.#sessions.find(secret)
  }

  /** Whose API token this is; null where it was revoked or never was. */
  token(secret: string): Promise<Identity | null> {
    return this.#tokens.find(secret)
  }

  /** Makes an API token of `by`'s, with at most `by`'s role and scope. `secret` is told once. */
  createToken(by: Identity, request: TokenRequest): Promise<{ readonly secret: string; readonly token: TokenView } | Problem> {
    return this.#tokens.create(by, request)
  }

  /** Tokens, newest first: one's own; an administrator of everything sees all. */
  tokens(by: Identity): Promise<TokenView[]> {
    return this.#tokens.list(by)
  }

  /** Ends a token at once; false where there is none of this id in force that `by` may revoke. */
  revokeToken(by: Identity, id: string): Promise<boolean> {
    return this.#told(this.#tokens.revoke(by, id))
  }

  users(by: Identity): Promise<UserView[]> {
    return this.#users.list(by)
  }

  /** The names of all active users who may see what belongs there, in their order. */
  usersSeeing(place: Belonging): Promise<string[]> {
    return this.#users.seeing(place)
  }

  createUser(by: Identity, request: UserRequest): Promise<UserView | Problem> {
    return this.#users.create(by, request)
  }

  /** Changes role, scope, password, or disables; disabling and another password end the user's sessions at once. */
  changeUser(by: Identity, name: string, change: UserChange): Promise<UserView | Problem> {
    return this.#told(this.#users.change(by, name, change))
  }

  /** Removes a user, and with them sessions and tokens. A problem says why not. */
  removeUser(by: Identity, name: string): Promise<Problem | null> {
    return this.#told(this.#users.remove(by, name))
  }

  /** From now on the gateways and their secrets are this plant's. */
  setPlant(plant: Plant): void {
    this.#gateways.setPlant(plant)
  }

  /** Whether this is the gateway's secret. A gateway without one (or with null) never matches. */
  verifyGateway(gatewayId: string, secret: string | null): Promise<boolean> {
    return this.#gateways.verify(gatewayId, secret)
  }

  /** Whether this gateway may come in at all, where something else than its secret says who it is. */
  gatewayStands(gatewayId: string): boolean {
    return this.#gateways.stands(gatewayId)
  }

  /** Whose sessions these are to see and to end: null is everybody's. */
  async #usersOf(by: Identity): Promise<string[] | null> {
    if (!mayAct(by.role, 'admin')) return [by.user]
    return by.scope === null ? null : (await this.users(by)).map(({ name }) => name)
  }

  async #told<Outcome>(done: Promise<Outcome>): Promise<Outcome> {
    const outcome = await done
    for (const listener of this.#onRevoked) listener()
    return outcome
  }

  async #recordLockout(username: string, from: string): Promise<void> {
    this.#log.warn('too many failed sign-ins: locked out for a while', { user: username, from })
    await this.audit
      .append(username, 'session.lockout', null, { from })
      .catch((cause) => this.#log.warn(`a lock-out could not be recorded in the audit log: ${messageOf(cause)}`))
  }
}

/** What was typed may be anything, a password even: it is not recorded. */
const UNKNOWN_USER = 'unknown user'

const WRONG: Refused = {
  kind: 'refused',
  reason: 'credentials',
  sentence: 'The user name or the password is wrong: try again.',
  retryAfterMs: null
}

function lockedOut(waitMs: number): Refused {
  const rest = formatDuration(Math.ceil(waitMs / 1000) * 1000)
  return { kind: 'refused', reason: 'locked', sentence: `Too many sign-ins have failed: try again in ${rest}.`, retryAfterMs: waitMs }
}
