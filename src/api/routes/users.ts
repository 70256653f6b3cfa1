// Users, for administrators: made, changed, disabled, removed. Passwords go in and never come out.

import { z } from 'zod'
import type { UserView } from '../../access/access.ts'
import { ROLES } from '../../access/roles.ts'
import { type Grants, grantsOf, scopeFrom } from '../../model/scope.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Problem } from '../../platform/problem.ts'
import type { Api } from '../api.ts'
import { GRANTED, GRANTS, refuseUnknownGrants } from '../grants.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Instant } from '../shapes.ts'
import { grantsBody, instant } from '../views.ts'

const UserBody = z
  .object({
    name: z.string(),
    role: z.enum(ROLES),
    ...GRANTS,
    disabled: z.boolean(),
    external: z.boolean().meta({ description: 'Signs in by OpenID Connect; role and scope come from there at every sign-in' }),
    createdAt: Instant
  })
  .meta({ id: 'User' })

const Password = z.string().max(LIMITS.access.passwordLength).meta({ description: 'At least 8 characters; what is tried first is refused' })
const NewUser = z
  .object({
    name: z.string().min(1).max(LIMITS.access.nameLength).meta({ description: 'Letters, digits and . _ @ -' }),
    password: Password,
    role: z.enum(ROLES).default('viewer'),
    enterprises: GRANTED.enterprises.default(null),
    sites: GRANTED.sites.default(null)
  })
  .meta({ example: { name: 'li', password: '…', role: 'operator', enterprises: ['daxie-chem'], sites: ['tank-farm-a'] } })
const ChangedUser = z
  .strictObject({
    role: z.enum(ROLES).optional(),
    enterprises: GRANTED.enterprises.optional(),
    sites: GRANTED.sites.optional(),
    disabled: z.boolean().optional().meta({ description: 'true ends the sessions of the user and stops the tokens at once' }),
    password: Password.optional().meta({ description: 'Ends the sessions of the user' })
  })
  .meta({ description: 'What is left out stays' })

const Named = z.object({ name: z.string().max(LIMITS.access.nameLength).meta({ example: 'li' }) })

export function userRoutes(api: Api, parts: ApiParts): void {
  readingRoutes(api, parts)
  const { access, plant } = parts
  api.route({
    method: 'POST',
    url: '/api/v1/users',
    config: { needs: 'admin' },
    schema: {
      tags: ['session'],
      summary: 'Make a user',
      description: 'With at most the role and the scope of the caller.',
      body: NewUser,
      response: { 201: UserBody }
    },
    handler: async (request, reply) => {
      refuseUnknownGrants(plant().fleet.plant, request.body)
      const made = await access.createUser(caller(request), request.body)
      return reply.code(201).send(bodyOf(accepted(made)))
    }
  })
  api.route({
    method: 'PUT',
    url: '/api/v1/users/:name',
    config: { needs: 'admin' },
    schema: { tags: ['session'], summary: 'Change a user', params: Named, body: ChangedUser, response: { 200: UserBody } },
    handler: async (request) => {
      const by = caller(request)
      const { name } = request.params
      const before = await named(parts, by, name)
      const { role, enterprises, sites, disabled, password } = request.body
      if (enterprises !== undefined || sites !== undefined) refuseUnknownGrants(plant().fleet.plant, changed(before, enterprises, sites))
      const given = { role, enterprises, sites, disabled, password }
      const change = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
      return bodyOf(accepted(await access.changeUser(by, name, change)))
    }
  })
  api.route({
    method: 'DELETE',
    url: '/api/v1/users/:name',
    config: { needs: 'admin' },
    schema: {
      tags: ['session'],
      summary: 'Remove a user',
      description:
        'With sessions and tokens. What the user did stays in the alarm and audit logs; to keep the name from being used again, disable instead.',
      params: Named,
      response: { 204: z.null().meta({ description: 'Removed' }) }
    },
    handler: async (request, reply) => {
      const by = caller(request)
      await named(parts, by, request.params.name)
      const wrong = await access.removeUser(by, request.params.name)
      if (wrong !== null) throw new ApiProblem('conflict', wrong.problem)
      return reply.code(204).send(null)
    }
  })
}

function readingRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/users',
    config: { needs: 'admin' },
    schema: {
      tags: ['session'],
      summary: 'Users whose scope lies inside that of the caller, by name',
      response: { 200: z.object({ items: z.array(UserBody) }) }
    },
    handler: async (request) => ({ items: (await parts.access.users(caller(request))).map(bodyOf) })
  })
  api.route({
    method: 'GET',
    url: '/api/v1/users/:name',
    config: { needs: 'admin' },
    schema: { tags: ['session'], summary: 'One user', params: Named, response: { 200: UserBody } },
    handler: async (request) => bodyOf(await named(parts, caller(request), request.params.name))
  })
}

async function named({ access }: ApiParts, by: ReturnType<typeof caller>, name: string): Promise<UserView> {
  const found = (await access.users(by)).find((user) => user.name === name)
  if (found === undefined) throw new ApiProblem('unknown', `There is no user ${name} that you may see.`)
  return found
}

/** The grants as they would be. */
function changed(
  before: UserView,
  enterprises: readonly string[] | null = before.enterprises,
  sites = before.sites as readonly string[] | null
): Grants {
  return grantsOf(scopeFrom({ enterprises, sites }))
}

function accepted(outcome: UserView | Problem): UserView {
  if ('problem' in outcome) throw new ApiProblem('invalid', outcome.problem)
  return outcome
}

function bodyOf(user: UserView): z.infer<typeof UserBody> {
  const { name, role, disabled, external, createdAt } = user
  return { name, role, ...grantsBody(user), disabled, external, createdAt: instant(createdAt) }
}
