// Who may be named in an action on an alarm: users who may sign in and see it, and duty people of its enterprise. Asked at the
// door only: what an earlier version took is not refused when its journal is read again.

import { DutyPlan } from '../alerts/dutyLadders.ts'
import { peopleCalledAt } from '../alerts/dutyReach.ts'
import type { Person } from '../model/duty.ts'
import { identitiesOf, lower } from '../model/identity.ts'
import type { OperatorActionBody } from '../model/journal.ts'
import type { Plant } from '../model/plant.ts'
import type { Belonging, Scope } from '../model/scope.ts'
import type { ApiParts } from './parts.ts'
import { ApiProblem } from './problems.ts'

/** One who may be named: by `id`, which is the user where there is one. */
export interface Choice {
  readonly id: string
  readonly user: string | null
  readonly person: Person | null
}

/** Where an alarm stands, and what it is about. */
export interface Standpoint extends Belonging {
  readonly device: string | null
  readonly inArea: string | null
}

/** Everybody who may be named for an alarm that stands there, by id. */
export async function choicesFor({ access, plant }: Pick<ApiParts, 'access' | 'plant'>, at: Standpoint, scope: Scope): Promise<Choice[]> {
  const { plant: now } = plant().fleet
  const identities = identitiesOf(now.duty)
  const choices = new Map<string, Choice>()
  for (const user of await access.usersSeeing(at)) {
    const person = identities.person(user)
    const own = person !== null && lower(person.user ?? person.id) === lower(user)
    choices.set(lower(user), { id: user, user, person: own ? person : null })
  }
  for (const person of dutyPeopleAt(now, at, scope)) {
    const id = person.user ?? person.id
    if (!choices.has(lower(id))) choices.set(lower(id), { id, user: person.user, person })
  }
  return [...choices.values()].sort((one, other) => (one.id < other.id ? -1 : 1))
}

/** People belong to enterprises and stand at no site: whoever is limited to sites sees those who may be called there. */
export function dutyPeopleAt(plant: Plant, at: Standpoint, scope: Scope): Person[] {
  const people = (plant.duty?.people ?? []).filter(({ enterprise }) => enterprise === null || enterprise === at.enterprise)
  if (scope === null || scope.sites === null) return people
  const { device, inArea: area, site, enterprise } = at
  const called = peopleCalledAt(new DutyPlan(plant), { device, area, site, enterprise })
  return people.filter(({ id }) => called.has(id))
}

/** The action with everybody it names under the one name that they have. Throws an ApiProblem where somebody is not known. */
export async function withKnownPeople(
  parts: Pick<ApiParts, 'access' | 'plant'>,
  body: OperatorActionBody,
  at: Standpoint,
  scope: Scope
): Promise<OperatorActionBody> {
  const { action, assignee, verifier } = body
  const field = action === 'assign' ? 'assignee' : action === 'close' ? 'verifier' : null
  const name = (field === 'assignee' ? assignee : field === 'verifier' ? verifier : null)?.trim() ?? ''
  if (field === null || name === '') return body
  const choices = await choicesFor(parts, at, scope)
  const choice = choices.find(({ id }) => id === name) ?? choices.find(({ person }) => person?.id === name)
  if (choice !== undefined) return { ...body, [field]: choice.id }
  const sentence = `${name} is neither a user who may sign in and see this alarm nor one of its duty people: choose one of GET /people/choices.`
  throw new ApiProblem('invalid', sentence, { faults: [{ at: field, problem: sentence }] })
}
