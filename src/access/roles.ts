// Who may do what: four roles, each containing the ones below it, and a scope of enterprises and sites.

import type { Scope } from '../model/scope.ts'

export const ROLES = ['viewer', 'operator', 'engineer', 'admin'] as const
/** viewer < operator < engineer < admin. */
export type Role = (typeof ROLES)[number]

/** Somebody whose session or token has been checked. */
export interface Identity {
  readonly user: string
  readonly role: Role
  readonly scope: Scope
  readonly via: 'session' | 'token'
  /** When this sign-in ends at the latest, epoch ms; null: when revoked. */
  readonly expiresAt: number | null
}

/** Whether the role is `needed` or above it. */
export function mayAct(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed)
}

/** The lower of two roles. */
export function lowerRole(one: Role, other: Role): Role {
  return mayAct(one, other) ? other : one
}

/** The role of this name, or null. */
export function roleNamed(name: string): Role | null {
  return ROLES.find((role) => role === name) ?? null
}
