// People have up to two names: the id in duty.yaml and the user they sign in as (`user:` of that person). Whoever acts under
// either, or is named by either, is one identity: the user where there is one.

import type { Duty, Person } from './duty.ts'

export class Identities {
  readonly #byId: ReadonlyMap<string, Person>
  readonly #byUser: ReadonlyMap<string, Person>

  constructor(people: readonly Person[]) {
    this.#byId = new Map(people.map((person) => [person.id, person]))
    this.#byUser = new Map(people.flatMap((person) => (person.user === null ? [] : [[lower(person.user), person] as const])))
  }

  /** The one name of whoever is called this; a name that the duty does not know stands for itself. */
  of(name: string): string {
    return this.person(name)?.user ?? name
  }

  /** The person of this user, else of this id; null: neither. */
  person(name: string): Person | null {
    return this.#byUser.get(lower(name)) ?? this.#byId.get(name) ?? null
  }

  /** Whether both names are of one and the same. */
  same(one: string, other: string): boolean {
    return lower(this.of(one)) === lower(this.of(other))
  }
}

const known = new WeakMap<Duty, Identities>()
const STRANGERS = new Identities([])

/** The identities of this duty; the same answer for the same duty. */
export function identitiesOf(duty: Duty | undefined): Identities {
  if (duty === undefined) return STRANGERS
  let identities = known.get(duty)
  if (identities === undefined) known.set(duty, (identities = new Identities(duty.people)))
  return identities
}

/** What two spellings of one name have in common: users are told apart by more than capitals. */
export function lower(name: string): string {
  return name.trim().toLowerCase()
}
