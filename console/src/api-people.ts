// What the page of people and access asks of the service: users, sessions, tokens, the audit log.

import { call, type Page, post, query } from './api.ts'

export const ROLES = ['viewer', 'operator', 'engineer', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** Null: all. */
export interface Granted {
  readonly enterprises: readonly string[] | null
  readonly sites: readonly string[] | null
}

export interface User extends Granted {
  readonly name: string
  readonly role: Role
  readonly disabled: boolean
  /** Signs in elsewhere; role and scope come from there. */
  readonly external: boolean
  readonly createdAt: string
}

export interface SessionEntry {
  readonly id: string
  readonly user: string
  readonly startedAt: string
  readonly lastSeenAt: string
  readonly from: string
  readonly current: boolean
}

export interface Token extends Granted {
  readonly id: string
  readonly name: string
  readonly user: string
  readonly role: Role
  readonly createdAt: string
  readonly lastUsedAt: string | null
  readonly revokedAt: string | null
}

export interface AuditEntry {
  readonly n: number
  readonly at: string
  readonly who: string
  readonly what: string
  readonly before: unknown
  readonly after: unknown
}

type Items<T> = Promise<{ items: readonly T[] }>

const send = <T>(method: string, path: string, body?: unknown): Promise<T> =>
  call(path, body === undefined ? { method } : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

export const listUsers = (signal?: AbortSignal): Items<User> => call('/users', signal ? { signal } : {})

export const makeUser = (body: { name: string; password: string; role: Role } & Granted): Promise<User> => post('/users', body)

export const changeUser = (
  name: string,
  change: { role?: Role; disabled?: boolean; password?: string } & Partial<Granted>
): Promise<User> => send('PUT', `/users/${encodeURIComponent(name)}`, change)

export const removeUser = (name: string): Promise<unknown> => send('DELETE', `/users/${encodeURIComponent(name)}`)

export const listSessions = (signal?: AbortSignal): Items<SessionEntry> => call('/sessions', signal ? { signal } : {})

export const endSession = (id: string): Promise<unknown> => send('DELETE', `/sessions/${encodeURIComponent(id)}`)

/** One's own; ends one's other sessions. */
export const changeOwnPassword = (present: string, password: string): Promise<unknown> => post('/session/password', { present, password })

export const listTokens = (signal?: AbortSignal): Items<Token> => call('/tokens', signal ? { signal } : {})

export const makeToken = (body: { name: string; role: Role } & Granted): Promise<Token & { token: string }> => post('/tokens', body)

export const revokeToken = (id: string): Promise<unknown> => send('DELETE', `/tokens/${encodeURIComponent(id)}`)

export const listAudit = (cursor: string | null, signal: AbortSignal): Promise<Page<AuditEntry>> =>
  call(`/audit${query({ limit: 50, cursor })}`, { signal })
