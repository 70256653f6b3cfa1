// Who is asking: a session cookie, an API token, or a gateway; and whether the route is for them.
// Invariant: every route says what it needs; one that does not say cannot be registered.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Access, Refused } from '../access/access.ts'
import { type Identity, mayAct, type Role } from '../access/roles.ts'
import { sameScope } from '../model/scope.ts'
import { ApiProblem } from './problems.ts'

export const SESSION_COOKIE = 'fenghuo_session'

/** What a route needs: nobody in particular, a gateway (HTTP Basic), or a person or program with at least this role. */
export type Needs = 'nobody' | 'gateway' | Role

declare module 'fastify' {
  interface FastifyContextConfig {
    needs?: Needs
  }
  interface FastifyRequest {
    /** Who asks. Set before the body is read wherever the route needs a role. */
    caller: Identity | null
    /** The gateway that sends, on routes that need one. */
    gateway: string | null
  }
}

/** Makes every request of `app` prove who it is before anything of it is read. */
export function guard(app: FastifyInstance, access: Access): void {
  app.decorateRequest('caller', null)
  app.decorateRequest('gateway', null)
  app.addHook('onRoute', (route) => {
    if (route.config?.needs === undefined) throw new Error(`the route ${String(route.method)} ${route.url} does not say who may use it`)
  })
  app.addHook('onRequest', async (request) => {
    const needs = request.routeOptions.config.needs
    if (needs === undefined || needs === 'nobody') return
    if (needs === 'gateway') request.gateway = await gatewayOf(request, access)
    else request.caller = await callerOf(request, access, needs)
  })
}

/** The caller of a route that needs a role. */
export function caller(request: FastifyRequest): Identity {
  if (request.caller === null) throw new Error(`${request.url} was reached without a caller`)
  return request.caller
}

/** Asks again whether what the request came with still holds: for connections that stay open. */
export async function stillValid(request: FastifyRequest, access: Access, needs: Role): Promise<boolean> {
  const identity = await identityOf(request, access)
  return identity !== null && mayAct(identity.role, needs) && sameScope(identity.scope, caller(request).scope)
}

/**
 * Refuses what another site makes a browser send along with our cookie. Browsers name the page's origin with every unsafe
 * request; programs name none, and carry no cookie that somebody else could make use of.
 */
export function refuseForeignOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers
  const site = request.headers['sec-fetch-site']
  const foreign = origin === undefined ? site === 'cross-site' || site === 'same-site' : hostOf(origin) !== host
  if (!foreign) return
  throw new ApiProblem(
    'forbidden',
    `This request comes from a page of ${origin ?? 'another site'}, not from the console of ${host}. Behind a proxy, pass on the Host header.`
  )
}

/** The answer to somebody who was not let in. */
export function refusedSignIn({ reason, sentence, retryAfterMs }: Refused): ApiProblem {
  const kind = reason === 'credentials' ? 'unauthenticated' : reason === 'locked' ? 'tooMany' : 'unavailable'
  return new ApiProblem(kind, sentence, {
    headers: retryAfterMs === null ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }
  })
}

/** Puts the session into the browser, out of reach of scripts and of other sites. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, secret: string, expiresAt: number | null): void {
  const expires = expiresAt === null ? {} : { expires: new Date(expiresAt) }
  reply.setCookie(SESSION_COOKIE, secret, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: request.protocol === 'https',
    ...expires
  })
}

async function callerOf(request: FastifyRequest, access: Access, needs: Role): Promise<Identity> {
  const identity = await identityOf(request, access)
  if (identity === null) throw unauthenticated(request)
  if (identity.via === 'session' && !SAFE.has(request.method)) refuseForeignOrigin(request)
  if (mayAct(identity.role, needs)) return identity
  throw new ApiProblem('forbidden', `This needs the role ${needs}; ${identity.user} is ${identity.role}. Ask an administrator.`)
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

async function identityOf(request: FastifyRequest, access: Access): Promise<Identity | null> {
  const bearer = credentials(request, 'bearer')
  if (bearer !== null) return access.token(bearer)
  const cookie = request.cookies[SESSION_COOKIE]
  return cookie === undefined || cookie === '' ? null : access.session(cookie)
}

async function gatewayOf(request: FastifyRequest, access: Access): Promise<string> {
  const basic = credentials(request, 'basic')
  if (basic !== null) {
    const text = Buffer.from(basic, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    const gateway = colon === -1 ? text : text.slice(0, colon)
    if (await access.verifyGateway(gateway, colon === -1 ? null : text.slice(colon + 1))) return gateway
  }
  throw new ApiProblem('unauthenticated', 'Send the gateway id and its secret by HTTP Basic; these were missing or wrong.', {
    headers: { 'www-authenticate': 'Basic realm="fenghuo", charset="UTF-8"' }
  })
}

function unauthenticated(request: FastifyRequest): ApiProblem {
  const headers = { 'www-authenticate': 'Bearer realm="fenghuo"' }
  if (credentials(request, 'basic') !== null) {
    return new ApiProblem('unauthenticated', 'HTTP Basic is for gateways, on POST /api/v1/telemetry; here, use an API token or sign in.', {
      headers
    })
  }
  const sentence =
    credentials(request, 'bearer') !== null
      ? 'This API token is unknown or was revoked. Ask an administrator for a new one.'
      : request.cookies[SESSION_COOKIE] === undefined
        ? 'Sign in at POST /api/v1/session, or send an API token as "Authorization: Bearer …".'
        : 'Your session has ended. Sign in again.'
  return new ApiProblem('unauthenticated', sentence, { headers })
}

/** The credentials of an Authorization header of this scheme, or null. */
function credentials(request: FastifyRequest, scheme: 'bearer' | 'basic'): string | null {
  const header = request.headers.authorization
  if (header === undefined || header.slice(0, scheme.length + 1).toLowerCase() !== `${scheme} `) return null
  return header.slice(scheme.length + 1).trim()
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null
}
