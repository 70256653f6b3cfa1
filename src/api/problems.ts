// Every error of the API, as RFC 9457 problem details: one table from what went wrong to status and title.
// Invariant: nothing thrown inside leaves the service but as one of these; a bug is logged in full and answered in one sentence.

import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { HistoryFailure } from '../history/failure.ts'
import type { Log } from '../platform/log.ts'
import { Refusal } from '../platform/problem.ts'
import { StateFailure } from '../store/failure.ts'

/** Kind of problem -> status and title. The kind is the last word of `type`, and what a program may test for. */
export const PROBLEMS = {
  malformed: { status: 400, title: 'The request cannot be read' },
  unauthenticated: { status: 401, title: 'Sign in first' },
  forbidden: { status: 403, title: 'Not allowed' },
  unknown: { status: 404, title: 'No such thing' },
  tooSlow: { status: 408, title: 'The request did not come in time' },
  conflict: { status: 409, title: 'Not possible in the present state' },
  precondition: { status: 412, title: 'It has changed meanwhile' },
  tooLarge: { status: 413, title: 'The request is too large' },
  mediaType: { status: 415, title: 'The media type is not understood' },
  invalid: { status: 422, title: 'The request asks for something impossible' },
  tooMany: { status: 429, title: 'Too many requests' },
  headersTooLarge: { status: 431, title: 'The address and headers are too large' },
  internal: { status: 500, title: 'A fault in the service' },
  unavailable: { status: 503, title: 'Not possible at the moment' }
} as const
export type ProblemKind = keyof typeof PROBLEMS

/** One part of the request that is wrong: a JSON pointer into the body, or the name of a parameter. */
export interface Fault {
  readonly at: string
  readonly problem: string
}

/** One thing that is wrong with a rule, device or gateway that was sent. */
export const SentProblem = z.object({
  place: z.string().meta({ description: 'The field of what was sent (`tiers.yellow.when`), else a place in a file or in another thing' }),
  problem: z.string(),
  line: z.number().nullable().meta({ description: 'In the text that was sent, from 1' }),
  column: z.number().nullable()
})

/** Thrown by routes and hooks; the error handler turns it into the answer. `sentence`: what is wrong, where, what to do. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  readonly kind: ProblemKind
  readonly faults: readonly Fault[]
  /** Everything that is wrong with what was to come into force. */
  readonly problems: readonly z.infer<typeof SentProblem>[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    kind: ProblemKind,
    sentence: string,
    more: { faults?: readonly Fault[]; problems?: ApiProblem['problems']; headers?: Record<string, string> } = {}
  ) {
    super(sentence)
    this.kind = kind
    this.faults = more.faults ?? []
    this.problems = more.problems ?? []
    this.headers = more.headers ?? {}
  }
}

export const ProblemBody = z
  .object({
    type: z.string().meta({ description: 'urn:fenghuo:problem:KIND; KIND is stable' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().meta({ description: 'One sentence: what is wrong, where, what to do' }),
    instance: z.string().meta({ description: 'The path that was asked for' }),
    faults: z.array(z.object({ at: z.string(), problem: z.string() })).optional(),
    problems: z.array(SentProblem).optional()
  })
  .meta({
    id: 'Problem',
    example: {
      type: 'urn:fenghuo:problem:unknown',
      title: 'No such thing',
      status: 404,
      detail: 'There is no device T-999 that you may see.',
      instance: '/api/v1/devices/T-999'
    }
  })
export type ProblemBody = z.infer<typeof ProblemBody>

/** Codes of Fastify's own errors. What is not named here goes by its status. */
const FASTIFY_PROBLEMS: Record<string, { kind: ProblemKind; sentence: string }> = {
  FST_ERR_CTP_INVALID_JSON_BODY: { kind: 'malformed', sentence: 'The body is not valid JSON.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { kind: 'malformed', sentence: 'The body is empty; send JSON, or leave out the content-type header.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { kind: 'malformed', sentence: 'The body is not as long as its content-length header says.' },
  FST_ERR_CTP_BODY_TOO_LARGE: { kind: 'tooLarge', sentence: 'The body is too large; split it into several requests.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { kind: 'mediaType', sentence: 'Send the body as application/json.' },
  FST_ERR_BAD_URL: { kind: 'malformed', sentence: 'The path is not a valid URL: percent-encode what is not plain text.' },
  FST_ERR_MAX_PARAM_LENGTH: { kind: 'unknown', sentence: 'A part of the path is longer than any id.' }
}

/** It cannot be done at the moment; the same may work in a while. */
export function unavailable(sentence: string): ApiProblem {
  return new ApiProblem('unavailable', sentence, { headers: { 'retry-after': '5' } })
}

/** The problem behind anything thrown while a request was served. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  if (hasZodFastifySchemaValidationErrors(error)) return invalid(error as unknown as FastifyError)
  if (isResponseSerializationError(error)) return bug()
  if (error instanceof StateFailure) return unavailable(error.message)
  if (error instanceof HistoryFailure) return unavailable(`${error.message}.`)
  if (error instanceof Refusal) return new ApiProblem('invalid', error.message)
  const { code, statusCode } = error as Partial<FastifyError>
  const known = code === undefined ? undefined : FASTIFY_PROBLEMS[code]
  if (known !== undefined) return new ApiProblem(known.kind, known.sentence)
  if (statusCode === 403) return new ApiProblem('forbidden', 'This is not for looking at.')
  if (statusCode === 404) return new ApiProblem('unknown', 'There is nothing here.')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ApiProblem('malformed', `The request cannot be read: ${(error as Error).message}`)
  }
  return bug()
}

function invalid(error: FastifyError): ApiProblem {
  const where = error.validationContext ?? 'body'
  const faults = (error.validation ?? []).map((issue) => {
    const at = where === 'body' ? issue.instancePath : issue.instancePath.slice(1)
    return { at, problem: plainly(issue.message ?? 'not acceptable') }
  })
  const [first] = faults
  const place = where === 'body' ? 'the body' : where === 'querystring' ? 'the query' : 'the path'
  const named = first === undefined || first.at === '' ? place : `${first.at} in ${place}`
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more, see faults)` : ''
  return new ApiProblem('invalid', `Not acceptable: ${named}: ${first?.problem ?? 'wrong'}${more}.`, { faults })
}

/** What zod says, without its jargon. */
function plainly(message: string): string {
  return message
    .replace(/^Invalid input: expected (\w+), received undefined$/, 'missing; a $1 is expected')
    .replace(/^(Invalid \w+|Too big|Too small): /, '')
}

function bug(): ApiProblem {
  return new ApiProblem('internal', 'The service failed at this request. The log says why; please report it.')
}

/** Answers with the problem. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: ApiProblem): FastifyReply {
  const { status, title } = PROBLEMS[problem.kind]
  const body: ProblemBody = {
    type: `urn:fenghuo:problem:${problem.kind}`,
    title,
    status,
    detail: problem.message,
    instance: request.url.split('?', 1)[0] ?? '/'
  }
  if (problem.faults.length > 0) body.faults = [...problem.faults]
  if (problem.problems.length > 0) body.problems = [...problem.problems]
  return reply.code(status).headers(problem.headers).type('application/problem+json').send(JSON.stringify(body))
}

/** Answers a client whose bytes never became a request, and lets it go. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const kind: ProblemKind =
    error.code === 'HPE_HEADER_OVERFLOW' ? 'headersTooLarge' : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'tooSlow' : 'malformed'
  const { status, title } = PROBLEMS[kind]
  const detail = kind === 'malformed' ? 'This is not an HTTP request.' : `${title}: nothing of it was read.`
  const body = JSON.stringify({ type: `urn:fenghuo:problem:${kind}`, title, status, detail, instance: '/' } satisfies ProblemBody)
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`
  )
  socket.destroySoon()
}

/** The error handler of the whole API. */
export function answerErrors(log: Log): (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (error, request, reply) => {
    const problem = problemOf(error)
    if (problem.kind === 'internal') {
      const stack = error instanceof Error ? error.stack : String(error)
      log.error(`${request.method} ${request.routeOptions.url ?? 'an unknown path'} failed`, { stack })
    }
    return sendProblem(request, reply, problem)
  }
}
