// Whom an operator may name: to whom an alarm is assigned, by whom a closing is verified.

import { z } from 'zod'
import { identitiesOf } from '../../model/identity.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Api } from '../api.ts'
import type { ApiParts } from '../parts.ts'
import { type Choice, choicesFor } from '../people.ts'
import { ApiProblem } from '../problems.ts'
import { caller } from '../session.ts'
import { Nullable, Text } from '../shapes.ts'

const ChoiceBody = z
  .object({
    id: z.string().meta({ description: 'What is sent as `assignee` or `verifier`, and stands in events' }),
    name: Text.nullable().meta({ description: 'Of a duty person; null: a user who is none' }),
    user: Nullable.meta({ description: 'The sign-in name; null: a duty person who does not sign in' }),
    person: Nullable.meta({ description: 'The id in duty.yaml' }),
    me: z.boolean().meta({ description: 'The caller: nobody verifies what they closed themselves' })
  })
  .meta({ id: 'PersonChoice' })

export function peopleRoutes(api: Api, parts: ApiParts): void {
  api.route({
    method: 'GET',
    url: '/api/v1/people/choices',
    config: { needs: 'operator' },
    schema: {
      tags: ['alarms'],
      summary: 'Who may be named for an alarm: as assignee, as verifier',
      description: `Users who may sign in and see it, and its duty people; somebody who is both is one. At most ${LIMITS.api.choices}, by id.`,
      querystring: z.object({
        alarm: z.string().max(LIMITS.api.idLength).meta({ example: 'tank-level/T-101#1767225605000' }),
        q: z.string().max(64).optional().meta({ description: 'A part of the id or name' })
      }),
      response: {
        200: z.object({ items: z.array(ChoiceBody), more: z.boolean().meta({ description: 'true: there are more; ask with `q`' }) })
      }
    },
    handler: async (request) => {
      const { alarm: id, q = '' } = request.query
      const { user: me, scope } = caller(request)
      const alarm = await parts.book.alarm(id, scope)
      if (alarm === null) throw new ApiProblem('unknown', `There is no alarm ${id} that you may see.`)
      const identities = identitiesOf(parts.plant().fleet.plant.duty)
      const part = q.trim().toLowerCase()
      const found = (await choicesFor(parts, alarm, scope)).filter((choice) => wordsOf(choice).includes(part))
      const items = found.slice(0, LIMITS.api.choices).map(({ id: name, user, person }) => {
        return { id: name, name: person?.name ?? null, user, person: person?.id ?? null, me: identities.same(name, me) }
      })
      return { items, more: found.length > items.length }
    }
  })
}

function wordsOf({ id, person }: Choice): string {
  return [id, person?.id, person?.name.zh, person?.name.en].join('\n').toLowerCase()
}
