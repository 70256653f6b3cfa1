// What somebody may see: enterprises and, within them, sites. The one place that decides it; what is stored is filtered by the
// same rule in src/store/scope.ts.

/** Null is all. Of a scope with sites only what stands at one of them is seen; what stands at no site is not. */
export interface Grants {
  readonly enterprises: readonly string[] | null
  readonly sites: readonly string[] | null
}

/** Null: everything, and what belongs to nobody. */
export type Scope = Grants | null

/** Where a thing belongs; null: nowhere. */
export interface Belonging {
  readonly enterprise: string | null
  readonly site: string | null
}

/** The scope of these grants. */
export function scopeFrom({ enterprises, sites }: Grants): Scope {
  return enterprises === null && sites === null ? null : { enterprises, sites }
}

/** The grants of a scope. */
export function grantsOf(scope: Scope): Grants {
  return { enterprises: scope?.enterprises ?? null, sites: scope?.sites ?? null }
}

/** Whether something that belongs there is inside the scope. */
export function maySee(scope: Scope, { enterprise, site }: Belonging): boolean {
  return scope === null || (isIn(scope.enterprises, enterprise) && isIn(scope.sites, site))
}

/** What is inside both scopes. */
export function narrowScope(one: Scope, other: Scope): Scope {
  const [mine, theirs] = [grantsOf(one), grantsOf(other)]
  return scopeFrom({ enterprises: common(mine.enterprises, theirs.enterprises), sites: common(mine.sites, theirs.sites) })
}

/** Whether nothing of `inner` lies outside of `outer`. */
export function covers(outer: Scope, inner: Scope): boolean {
  const [mine, theirs] = [grantsOf(outer), grantsOf(inner)]
  return holds(mine.enterprises, theirs.enterprises) && holds(mine.sites, theirs.sites)
}

/** Whether both scopes let the same be seen. */
export function sameScope(one: Scope, other: Scope): boolean {
  return covers(one, other) && covers(other, one)
}

function isIn(allowed: readonly string[] | null, id: string | null): boolean {
  return allowed === null || (id !== null && allowed.includes(id))
}

function common(one: readonly string[] | null, other: readonly string[] | null): readonly string[] | null {
  if (one === null) return other
  return other === null ? one : one.filter((id) => other.includes(id))
}

function holds(outer: readonly string[] | null, inner: readonly string[] | null): boolean {
  return outer === null || inner?.every((id) => outer.includes(id)) === true
}
