// Sign-in at somebody else's: OpenID Connect, authorization code with PKCE, state and nonce. The provider is looked for when it
// is first needed and again while it is missing; local accounts never wait for it. Nothing is called but the hosts of the settings.

import * as client from 'openid-client'
import type { Grants } from '../model/scope.ts'
import type { Text } from '../model/text.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf } from '../platform/problem.ts'
import { secretText } from '../platform/random.ts'
import type { Secret } from '../platform/secret.ts'
import type { Role } from './roles.ts'

/** Who has this value of the claim gets this role and scope. The first entry that fits counts. */
export interface ClaimGrant extends Grants {
  readonly value: string
  readonly role: Role
}

export interface OidcSettings {
  readonly issuer: string
  readonly clientId: string
  /** Null: a public client, which only PKCE protects. */
  readonly clientSecret: Secret | null
  /** What the button says. */
  readonly name: Text
  readonly scopes: string
  /** The claim that decides, with dots for what lies deeper: `realm_access.roles`. */
  readonly roleClaim: string
  readonly mapping: readonly ClaimGrant[]
  /** Where the provider sends people back to: …/api/v1/session/oidc/callback as they reach it. */
  readonly redirectUrl: string
  /** Where it may send the browser once it has signed somebody out, as registered there; null: its own page is the last. */
  readonly signedOutUrl: string | null
  /** Hosts beside the issuer's that may be called. */
  readonly hosts: readonly string[]
  /** Whether the issuer may be on this machine, without TLS. */
  readonly allowLoopback: boolean
}

/** Somebody the provider vouches for. */
export interface Vouched {
  readonly subject: string
  /** What it calls them, the best first. */
  readonly names: readonly string[]
  /** Null: nothing in the mapping fits. */
  readonly grant: ClaimGrant | null
}

export interface OidcRefusal {
  readonly kind: 'refused'
  /** The provider cannot be reached, or what came back does not hold. */
  readonly reason: 'unavailable' | 'credentials'
  readonly sentence: string
}

/** What has begun and not ended: told to nobody, found again by the ticket in the browser's cookie. */
interface Begun {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly until: number
}

const STALE: OidcRefusal = {
  kind: 'refused',
  reason: 'credentials',
  sentence: 'This sign-in was begun too long ago, in another browser, or has been used already: begin again.'
}

export class OpenIdSignIn implements Part {
  readonly name = 'OpenID Connect'
  readonly settings: OidcSettings
  readonly #clock: Clock
  readonly #log: Log
  readonly #hosts: ReadonlySet<string>
  readonly #begun = new Map<string, Begun>()
  #provider: client.Configuration | null = null
  #looking: Promise<client.Configuration> | null = null
  #timer: Timer | null = null
  #problem: string | null = null

  constructor(settings: OidcSettings, clock: Clock, log: Log) {
    this.settings = settings
    this.#clock = clock
    this.#log = log
    this.#hosts = new Set([new URL(settings.issuer).host, ...settings.hosts])
  }

  /** A sentence while the provider cannot be reached, else null. */
  get problem(): string | null {
    return this.#problem
  }

  /** Looks for the provider, and again while it is missing; waits for nothing. */
  async start(): Promise<void> {
    const look = (): void => void this.#found().catch(() => {})
    this.#timer ??= this.#clock.every(LIMITS.access.oidcRetryMs, () => {
      if (this.#provider === null) look()
    })
    look()
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
  }

  /** Where the browser is to go, and the ticket that it has to bring back. */
  async begin(): Promise<{ readonly kind: 'begun'; readonly url: string; readonly ticket: string } | OidcRefusal> {
    const provider = await this.#found().catch(() => null)
    if (provider === null) return this.#unavailable()
    const begun = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
      until: this.#clock.now() + LIMITS.access.oidcBegunMs
    }
    const url = client.buildAuthorizationUrl(provider, {
      redirect_uri: this.settings.redirectUrl,
      scope: this.settings.scopes,
      code_challenge: await client.calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: 'S256',
      state: begun.state,
      nonce: begun.nonce
    })
    const ticket = secretText(32)
    for (const oldest of this.#begun.keys()) {
      if (this.#begun.size < LIMITS.access.oidcBegun) break
      this.#begun.delete(oldest)
    }
    this.#begun.set(ticket, begun)
    return { kind: 'begun', url: url.href, ticket }
  }

  /** Who it is, by the query that the provider sent the browser back with. A ticket is used up by being shown. */
  async finish(query: URLSearchParams, ticket: string): Promise<{ readonly kind: 'vouched'; readonly who: Vouched } | OidcRefusal> {
    const begun = this.#begun.get(ticket)
    this.#begun.delete(ticket)
    if (begun === undefined || begun.until <= this.#clock.now()) return STALE
    const provider = await this.#found().catch(() => null)
    if (provider === null) return this.#unavailable()
    const url = new URL(this.settings.redirectUrl)
    url.search = query.toString()
    try {
      const { state: expectedState, nonce: expectedNonce, verifier: pkceCodeVerifier } = begun
      const checks = { expectedState, expectedNonce, pkceCodeVerifier, idTokenExpected: true }
      const tokens = await client.authorizationCodeGrant(provider, url, checks)
      const claims = tokens.claims()
      if (claims === undefined) throw new Error('no ID token came')
      const all: Record<string, unknown> = { ...claims }
      if (claimValues(all, this.settings.roleClaim).length === 0 && provider.serverMetadata().userinfo_endpoint !== undefined) {
        Object.assign(all, await client.fetchUserInfo(provider, tokens.access_token, claims.sub))
      }
      return { kind: 'vouched', who: this.#vouched(claims.sub, all) }
    } catch (cause) {
      const why = sentenceOf(cause)
      this.#log.warn(`a sign-in by ${this.settings.issuer} was refused: ${why}`)
      return {
        kind: 'refused',
        reason: 'credentials',
        sentence: `The sign-in at ${this.settings.name.en} does not hold (${why}): begin again.`
      }
    }
  }

  /** Where a browser goes to sign out there as well; null while that is not known, and where the provider has no such place. */
  signOutUrl(): string | null {
    const place = this.#provider?.serverMetadata().end_session_endpoint
    if (this.#provider === null || place === undefined || !URL.canParse(place) || this.#refusal(place) !== null) return null
    const { signedOutUrl } = this.settings
    return client.buildEndSessionUrl(this.#provider, signedOutUrl === null ? {} : { post_logout_redirect_uri: signedOutUrl }).href
  }

  #vouched(subject: string, claims: Record<string, unknown>): Vouched {
    const values = new Set(claimValues(claims, this.settings.roleClaim))
    const grant = this.settings.mapping.find(({ value }) => values.has(value)) ?? null
    const names = [claims.preferred_username, claims.email, subject].filter((name) => typeof name === 'string')
    return { subject, names, grant }
  }

  #unavailable(): OidcRefusal {
    const sentence = `${this.settings.name.en} cannot be reached at the moment: sign in with a local account, or try again in a minute.`
    return { kind: 'refused', reason: 'unavailable', sentence }
  }

  /** The provider's own description of itself; asked for once. */
  async #found(): Promise<client.Configuration> {
    if (this.#provider !== null) return this.#provider
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async #look(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret, allowLoopback } = this.settings
    try {
      const auth = clientSecret === null ? client.None() : client.ClientSecretBasic(clientSecret.reveal())
      const provider = await client.discovery(new URL(issuer), clientId, undefined, auth, {
        [client.customFetch]: (url, options) => this.#call(url, options),
        timeout: LIMITS.access.oidcRequestMs / 1000,
        ...(allowLoopback ? { execute: [client.allowInsecureRequests] } : {})
      })
      this.#provider = provider
      if (this.#problem !== null) this.#log.info(`${issuer} can be reached again`)
      this.#problem = null
      return provider
    } catch (cause) {
      const sentence = `Nobody can sign in by ${this.settings.name.en} (${issuer}): ${sentenceOf(cause)}. Local accounts work.`
      if (this.#problem === null) this.#log.warn(sentence)
      this.#problem = sentence
      throw cause
    }
  }

  /** Whatever a provider's description names, nothing but the hosts of the settings is called, and nothing is followed. */
  async #call(url: string, options: client.CustomFetchOptions): Promise<Response> {
    const refusal = this.#refusal(url)
    if (refusal !== null) throw new Error(refusal)
    return fetch(url, { ...options, redirect: 'manual' } as RequestInit)
  }

  /** Why this address is not one to go to; null: it is. */
  #refusal(url: string): string | null {
    const { host, protocol, hostname } = new URL(url)
    if (!this.#hosts.has(host)) return `${host} would be called, which is neither the issuer's host nor among oidc.hosts`
    const safe = protocol === 'https:' || (protocol === 'http:' && this.settings.allowLoopback && isLoopback(hostname))
    return safe ? null : `${host} would be called without TLS`
  }
}

/** Whether this host name, also as it stands in a URL, can only mean this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/.test(hostname)
}

/** The texts under a claim: one, or a list. */
function claimValues(claims: Record<string, unknown>, path: string): string[] {
  let value: unknown = claims[path]
  if (value === undefined) {
    value = claims
    for (const step of path.split('.'))
      value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined
  }
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string')
}

/** Its reason, with the one behind it, which is where the library says what was wrong. */
function sentenceOf(cause: unknown): string {
  const own = messageOf(cause)
  const behind = cause instanceof Error && cause.cause instanceof Error ? messageOf(cause.cause) : ''
  return (behind === '' || behind === own ? own : `${own}: ${behind}`).replace(/\.$/, '')
}
