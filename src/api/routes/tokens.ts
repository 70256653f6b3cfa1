// API tokens for programs: made, listed and revoked by administrators.

import { z } from 'zod'
import type { TokenView } from '../../access/access.ts'
import { ROLES } from '../../access/roles.ts'
import type { Api } from '../api.ts'
import { GRANTED, GRANTS, refuseUnknownGrants } from '../grants.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Instant } from '../shapes.ts'
import { grantsBody, instant, instantOrNull } from '../views.ts'

const Token = z
  .object({
    id: z.string(),
    name: z.string(),
    user: z.string(),
    role: z.enum(ROLES),
    ...GRANTS,
    createdAt: Instant,
    lastUsedAt: Instant.nullable(),
    revokedAt: Instant.nullable()
  })
  .meta({ id: 'Token' })

const NewToken = z
  .object({
    name: z.string().trim().min(1).max(128),
    role: z.enum(ROLES).default('viewer'),
    enterprises: GRANTED.enterprises.default(null),
    sites: GRANTED.sites.default(null)
  })
  .meta({ example: { name: 'map of the city', role: 'viewer', enterprises: ['daxie-chem'] } })

export function tokenRoutes(api: Api, parts: ApiParts): void {
  const { access, plant } = parts
  api.route({
    method: 'POST',
    url: '/api/v1/tokens',
    config: { needs: 'admin' },
    schema: {
      tags: ['session'],
      summary: 'Make an API token',
      description: 'The secret is in this answer and never again.',
      body: NewToken,
      response: { 201: Token.extend({ token: z.string().meta({ description: 'Send it as "Authorization: Bearer …"' }) }) }
    },
    handler: async (request, reply) => {
      refuseUnknownGrants(plant().fleet.plant, request.body)
      const made = await access.createToken(caller(request), request.body)
      if ('problem' in made) throw new ApiProblem('invalid', made.problem)
      return reply.code(201).send({ ...body(made.token), token: made.secret })
    }
  })
  api.route({
    method: 'GET',
    url: '/api/v1/tokens',
    config: { needs: 'admin' },
    schema: { tags: ['session'], summary: 'All API tokens, without their secrets', response: { 200: z.object({ items: z.array(Token) }) } },
    handler: async (request) => ({ items: (await access.tokens(caller(request))).map(body) })
  })
  api.route({
    method: 'DELETE',
    url: '/api/v1/tokens/:id',
    config: { needs: 'admin' },
    schema: {
      tags: ['session'],
      summary: 'Revoke an API token',
      params: z.object({ id: z.string() }),
      response: { 204: z.null().meta({ description: 'Revoked' }) }
    },
    handler: async (request, reply) => {
      const { id } = request.params
      if (!(await access.revokeToken(caller(request), id))) throw new ApiProblem('unknown', `There is no token ${id} in force.`)
      return reply.code(204).send(null)
    }
  })
}

function body(token: TokenView): z.infer<typeof Token> {
  const { id, name, user, role, createdAt, lastUsedAt, revokedAt } = token
  return {
    id,
    name,
    user,
    role,
    ...grantsBody(token),
    createdAt: instant(createdAt),
    lastUsedAt: instantOrNull(lastUsedAt),
    revokedAt: instantOrNull(revokedAt)
  }
}
