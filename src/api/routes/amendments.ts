// Rules, devices and gateways made, changed and taken away while the service runs; and what was changed so far.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ZodType, z } from 'zod'
import { AMENDABLE, type Amendable } from '../../model/amendment.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { AmendCall, AmendDone, AmendRefusal } from '../amender.ts'
import type { Api } from '../api.ts'
import { cursorAfter, readCursor } from '../paging.ts'
import type { ApiParts } from '../parts.ts'
import { ApiProblem, type ProblemKind, SentProblem } from '../problems.ts'
import { reasonText } from '../reasons.ts'
import { caller } from '../session.ts'
import { Instant, Next, pageLimit, ReasonText } from '../shapes.ts'
import { instant } from '../views.ts'

const CHANGES = ['created', 'changed', 'removed', 'reverted', 'unchanged'] as const
const Written = z.record(z.string(), z.unknown()).meta({ description: 'In the shape of its file, without a secret' })
const ThingId = z.object({ id: z.string().max(LIMITS.api.idLength).meta({ example: 'tank-level' }) })

const Done = z
  .object({
    id: z.string(),
    change: z.enum(CHANGES),
    version: z.number().meta({ description: '1, 2, 3 … for each thing; 0: never changed through the API' }),
    written: Written.nullable().meta({ description: 'What is in force from now on; null: nothing' }),
    warnings: z.array(z.string())
  })
  .meta({ id: 'Amended' })

const Version = z
  .object({
    version: z.number(),
    at: Instant,
    by: z.string(),
    note: z.string().nullable(),
    change: z.enum(CHANGES),
    diff: z.string().meta({ description: 'Unified diff of the YAML before and after' }),
    written: Written.nullable()
  })
  .meta({ id: 'Version' })

const Trial = z
  .object({
    ok: z.boolean(),
    problems: z.array(SentProblem),
    warnings: z.array(z.string()),
    change: z.enum(['created', 'changed', 'unchanged']),
    subjects: z
      .object({ before: z.number(), after: z.number(), added: z.array(z.string()), removed: z.array(z.string()) })
      .nullable()
      .meta({ description: `Whom it would watch; at most ${LIMITS.amendments.subjectsNamed} are named` }),
    turns: z
      .object({
        count: z.number(),
        first: z.array(z.object({ subject: z.string(), from: z.string(), to: z.string(), because: z.string(), becauseText: ReasonText }))
      })
      .nullable()
      .meta({ description: 'What would turn at once on the values held now; delays begin anew' }),
    diff: z.string()
  })
  .meta({ id: 'RuleTrial' })

const Imported = z
  .object({ rows: z.number(), created: z.number(), changed: z.number(), unchanged: z.number(), dryRun: z.boolean() })
  .meta({ id: 'DeviceImport' })

const Entry = z
  .object({
    kind: z.enum(AMENDABLE),
    id: z.string(),
    version: z.number(),
    at: Instant,
    by: z.string(),
    note: z.string().nullable(),
    op: z.enum(['put', 'remove']),
    leftOut: z.string().nullable().meta({ description: 'Why it is not in force: the files no longer fit it; null: it is' }),
    fileChanged: z
      .boolean()
      .meta({ description: 'The files say something else of it than when it was changed; the change stands over them' })
  })
  .meta({ id: 'OverlayEntry' })

const note = z.string().max(LIMITS.book.noteLength).optional().meta({ description: 'Why: kept with the version' })
const seen = z.coerce.number().int().min(0).optional().meta({ description: 'The version that was read; another one by now: 409' })
const Change = z.object({ note, version: seen })
const Taking = Change.extend({
  to: z.enum(['file', 'gone']).optional().meta({
    description:
      'file: as the files say again. gone: out of force, even where a file has it. Left out: a rule that a file has and that was changed goes back to its file; anything else is gone'
  })
})

/** How each kind is told of in the documentation. */
interface Told {
  readonly kind: Amendable
  readonly tag: string
  readonly shape: string
  readonly example: Record<string, unknown>
}

const RULE: Told = {
  kind: 'rule',
  tag: 'rules',
  shape: 'A rule as it stands in rules/*.yaml',
  example: {
    id: 'tank-level',
    appliesTo: { profile: 'storage-tank' },
    tiers: { yellow: { when: 'level_pct > limits.level_high', for: '5s' } }
  }
}
const DEVICE: Told = {
  kind: 'device',
  tag: 'devices',
  shape: 'A device as it stands in plant.yaml',
  example: { id: 'T-101', profile: 'storage-tank', gateway: 'gw-01', limits: { level_high: 85 } }
}
const GATEWAY: Told = {
  kind: 'gateway',
  tag: 'devices',
  shape: 'A gateway as it stands in plant.yaml. `secret` is kept as a hash and never told again; left out, it stays; null revokes it',
  example: { id: 'gw-01', enterprise: 'daxie-chem', secret: 'a long secret' }
}

export function amendmentRoutes(api: Api, parts: ApiParts): void {
  api.removeAllContentTypeParsers()
  for (const type of ['application/json', /^(text|application)\/(x-)?yaml$/, 'text/csv', 'application/octet-stream']) {
    api.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  }
  for (const told of [RULE, DEVICE, GATEWAY]) {
    makingRoutes(api, parts, told)
    takingRoutes(api, parts, told)
  }
  trialRoute(api, parts)
  importRoute(api, parts)
  api.route({
    method: 'GET',
    url: '/api/v1/amendments',
    config: { needs: 'engineer' },
    schema: {
      tags: ['rules'],
      summary: 'What was changed through the API and stands over the files',
      response: { 200: z.object({ items: z.array(Entry) }) }
    },
    handler: async (request) => ({
      items: parts.amender.overlay(caller(request).scope).map((entry) => ({ ...entry, at: instant(entry.at) }))
    })
  })
}

function makingRoutes(api: Api, parts: ApiParts, { kind, tag, shape, example }: Told): void {
  const documentedBody: ZodType = z.record(z.string(), z.unknown()).meta({ description: `${shape}; JSON, or YAML as text/yaml`, example })
  const how =
    'It is checked as the files are, kept with who, when and why, journaled, and in force when this is answered. Without a limit of scope, or where all that it concerns lies inside.'
  const bodyLimit = LIMITS.amendments.thingBytes
  api.route({
    method: 'POST',
    url: `/api/v1/${kind}s`,
    bodyLimit,
    config: { needs: 'engineer', documentedBody },
    schema: {
      tags: [tag],
      summary: `Make a ${kind}`,
      description: how,
      querystring: Change.omit({ version: true }),
      response: { 201: Done }
    },
    handler: async (request, reply) => {
      const { note } = request.query
      const done = await parts.amender.put({ ...callOf(kind, null, request), note: note ?? null }, 'create', bodyOf(request))
      const body = answered(done, parts, kind, reply)
      return reply
        .code(201)
        .header('location', `/api/v1/${kind}s/${encodeURIComponent(body.id)}`)
        .send(body)
    }
  })
  api.route({
    method: 'PUT',
    url: `/api/v1/${kind}s/:id`,
    bodyLimit,
    config: { needs: 'engineer', documentedBody },
    schema: {
      tags: [tag],
      summary: `Change a ${kind}`,
      description: `${how} The whole ${kind} is sent, not a part of it. With If-Match (the ETag of a GET), or \`version\`, a change that somebody else has made meanwhile is not lost: 412, 409.`,
      params: ThingId,
      querystring: Change,
      response: { 200: Done }
    },
    handler: async (request, reply) => {
      const { note, version } = request.query
      const call = { ...callOf(kind, request.params.id, request), note: note ?? null, version: version ?? null }
      return answered(await parts.amender.put(call, 'replace', bodyOf(request)), parts, kind, reply)
    }
  })
}

function takingRoutes(api: Api, parts: ApiParts, { kind, tag }: Told): void {
  api.route({
    method: 'DELETE',
    url: `/api/v1/${kind}s/:id`,
    config: { needs: 'engineer' },
    schema: {
      tags: [tag],
      summary: `Take a ${kind} away, or back to its file`,
      params: ThingId,
      querystring: Taking,
      response: { 200: Done }
    },
    handler: async (request, reply) => {
      const { note, version, to } = request.query
      const call = { ...callOf(kind, request.params.id, request), note: note ?? null, version: version ?? null }
      return answered(await parts.amender.remove(call, to ?? null), parts, kind, reply)
    }
  })
  api.route({
    method: 'GET',
    url: `/api/v1/${kind}s/:id/versions`,
    config: { needs: 'viewer' },
    schema: {
      tags: [tag],
      summary: `What was changed of a ${kind}, by whom, when and why`,
      description: 'Newest first. Changes made in the files are not among them.',
      params: ThingId,
      querystring: z.object({ limit: pageLimit(50, 200), cursor: z.string().max(512).optional() }),
      response: { 200: z.object({ items: z.array(Version), next: Next }) }
    },
    handler: async (request) => {
      const { id } = request.params
      const { limit, cursor } = request.query
      const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(cursor, 'number')
      const versions = await parts.amender.versions(kind, id, caller(request).scope, limit, before)
      if (versions === null) throw new ApiProblem('unknown', `There is no ${kind} ${id} that you may see.`)
      const items = versions.map((one) => ({ ...one, at: instant(one.at), written: one.written === null ? null : { ...one.written } }))
      const last = items.at(-1)
      return { items, next: items.length === limit && last !== undefined && last.version > 1 ? cursorAfter(last.version) : null }
    }
  })
}

function trialRoute(api: Api, parts: ApiParts): void {
  api.route({
    method: 'POST',
    url: '/api/v1/rules/check',
    bodyLimit: LIMITS.amendments.thingBytes,
    config: {
      needs: 'engineer',
      documentedBody: z.record(z.string(), z.unknown()).meta({ description: RULE.shape, example: RULE.example })
    },
    schema: { tags: ['rules'], summary: 'What a rule would do, without putting it in force', response: { 200: Trial } },
    handler: async (request) => {
      const trial = await parts.amender.try(callOf('rule', null, request), bodyOf(request))
      if ('kind' in trial) throw refusal(trial)
      const { problems, warnings, change, subjects, turns, diff } = trial
      const { fleet } = parts.plant()
      return {
        ok: problems.length === 0,
        problems: [...problems],
        warnings: [...warnings],
        change,
        subjects: subjects === null ? null : { ...subjects, added: [...subjects.added], removed: [...subjects.removed] },
        turns:
          turns === null
            ? null
            : { count: turns.count, first: turns.first.map((turn) => ({ ...turn, becauseText: reasonText(turn.because, fleet, null) })) },
        diff
      }
    }
  })
}

function importRoute(api: Api, parts: ApiParts): void {
  const flag = z.enum(['true', 'false']).default('false')
  api.route({
    method: 'POST',
    url: '/api/v1/devices/import',
    bodyLimit: LIMITS.amendments.importBytes,
    config: { needs: 'engineer', documentedBody: z.string().meta({ description: 'CSV; the first line names the columns' }) },
    schema: {
      tags: ['devices'],
      summary: 'Make and change many devices by a table',
      description:
        'Columns: id, profile, name (or name.zh and name.en), gateway, area, site, limits.NAME, labels.NAME. A column that is there says what the device has, ' +
        'an empty cell is none; columns that are not there leave a known device as it is. All rows or none: every bad one is in `problems`, its line as `place`.',
      querystring: z.object({ dryRun: flag, note }),
      response: { 200: Imported }
    },
    handler: async (request) => {
      const { dryRun, note } = request.query
      const done = await parts.amender.import({ by: caller(request), note: note ?? null }, bodyOf(request), dryRun === 'true')
      if (done.kind === 'refused') throw refusal(done)
      const { rows, created, changed, unchanged } = done
      return { rows, created, changed, unchanged, dryRun: done.dryRun }
    }
  })
}

function callOf(kind: Amendable, id: string | null, request: FastifyRequest): AmendCall {
  return { kind, id, by: caller(request), note: null, ifMatch: request.headers['if-match'] ?? null, version: null }
}

function bodyOf({ body }: FastifyRequest): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array()
}

function answered(done: AmendDone | AmendRefusal, parts: ApiParts, kind: Amendable, reply: FastifyReply): z.infer<typeof Done> {
  if (done.kind === 'refused') throw refusal(done)
  const { id, change, version, etag, warnings } = done
  if (etag !== null) reply.header('etag', `"${etag}"`)
  const written = parts.amender.standing(kind, id)?.written ?? null
  return { id, change, version, written: written === null ? null : { ...written }, warnings: [...warnings] }
}

const KINDS: Readonly<Record<AmendRefusal['why'], ProblemKind>> = {
  malformed: 'malformed',
  unknown: 'unknown',
  exists: 'conflict',
  conflict: 'conflict',
  precondition: 'precondition',
  forbidden: 'forbidden',
  invalid: 'invalid',
  busy: 'unavailable',
  unavailable: 'unavailable'
}

function refusal({ why, sentence, problems }: AmendRefusal): ApiProblem {
  const headers: Record<string, string> = why === 'busy' || why === 'unavailable' ? { 'retry-after': '5' } : {}
  return new ApiProblem(KINDS[why], sentence, { problems, headers })
}
