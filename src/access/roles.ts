// Who may do what: four roles, each containing the ones below it, and a scope of enterprises.

export const ROLES = ['viewer', 'operator', 'engineer', 'admin'] as const
/** viewer < operator < engineer < admin. */
export type Role = (typeof ROLES)[number]

/** The enterprises somebody may see; null: all of them, and what belongs to none. */
export type Scope = readonly string[] | null

/** Somebody whose session or token has been checked. */
export interface Identity {
  readonly user: string
  readonly role: Role
  readonly enterprises: Scope
  readonly via: 'session' | 'token'
  /** When this sign-in ends at the latest, epoch ms; null: when revoked. */
  readonly expiresAt: number | null
}

/** Whether the role is `needed` or above it. */
export function mayAct(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed)
}

/** Whether something of this enterprise (null: of none) is inside the scope. */
export function maySee(scope: Scope, enterprise: string | null): boolean {
  return scope === null || (enterprise !== null && scope.includes(enterprise))
}

/** The lower of two roles. */
export function lowerRole(one: Role, other: Role): Role {
  return mayAct(one, other) ? other : one
}

/** What is inside both scopes. */
export function narrowScope(one: Scope, other: Scope): Scope {
  if (one === null) return other
  return other === null ? one : one.filter((enterprise) => other.includes(enterprise))
}

/** The role of this name, or null. */
export function roleNamed(name: string): Role | null {
  return ROLES.find((role) => role === name) ?? null
}
