// The API's description: OpenAPI 3.1 from the routes' own schemas, and readable pages of it, served from here alone.

import swagger from '@fastify/swagger'
import scalar from '@scalar/fastify-api-reference'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { type ZodType, z } from 'zod'
import { type Needs, SESSION_COOKIE } from './session.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a body is that the route reads by itself. */
    documentedBody?: ZodType
    /** The media type of an answer that is not JSON. */
    answers?: string
  }
}

/** /docs needs an inline script and style; what it may load stays this service. */
const DOCS_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'self'",
  "frame-ancestors 'none'"
].join(';')

const TAGS = [
  { name: 'session', description: 'Signing in, API tokens' },
  { name: 'alarms', description: 'Alarms and their journal' },
  { name: 'devices', description: 'Devices, last values, history' },
  { name: 'rules', description: 'The rules in force, and what they make of the plant' },
  { name: 'overview', description: 'The plant at a glance' },
  { name: 'live', description: 'What happens, as it happens' },
  { name: 'telemetry', description: 'Getting data in by HTTP, and what could not be used' },
  { name: 'duty', description: 'Who is on duty, and who would be told of an alarm' },
  { name: 'notifications', description: 'Who was told what, by what way, with what success; answers; drills' },
  { name: 'service', description: 'Health and metrics of the service itself' }
]

const DESCRIPTION = `Telemetry of major hazard sources and smart fire sensors, judged by a rule engine, raised as tiered alarms.

People sign in at \`POST /api/v1/session\`, which sets a cookie; programs send \`Authorization: Bearer TOKEN\`. Roles: viewer, operator, engineer, admin; a scope of enterprises and sites hides everything else: what lies outside of it is answered as if it were not there (404).

Times are ISO 8601 in UTC. Lists are bounded: \`next\` is the \`cursor\` of the next page. Every error is an RFC 9457 problem whose \`detail\` says what is wrong and what to do.`

/** Collects the routes added to `app` from here on. */
export async function describe(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Fenghuo 烽火', version, description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      tags: TAGS,
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
          token: { type: 'http', scheme: 'bearer' },
          gateway: { type: 'http', scheme: 'basic', description: 'Gateway id and its secret' }
        }
      }
    },
    transform: ({ schema, url, route, ...rest }) => {
      const { needs = 'nobody', documentedBody, answers } = route.config ?? {}
      const told = {
        ...schema,
        description: [schema?.description, whoMay(needs)].filter((text) => text !== undefined).join('\n\n'),
        security: security(needs),
        operationId: operationId(String(route.method), url),
        ...(documentedBody === undefined ? {} : { body: documentedBody }),
        ...(answers === undefined ? {} : { produces: [answers], response: { 200: z.string() } })
      }
      return jsonSchemaTransform({ schema: told, url, route, ...rest } as Parameters<typeof jsonSchemaTransform>[0])
    },
    transformObject: (document) => withProblems(jsonSchemaTransformObject(document) as OpenApi) as never
  })
}

/** Serves the description and its pages. */
export async function serveDocs(app: FastifyInstance): Promise<void> {
  for (const url of ['/openapi.json', '/api/v1/openapi.json']) {
    app.get(url, { schema: { hide: true } }, async (_request, reply) => reply.type('application/json').send(app.swagger()))
  }
  await app.register((docs, _options, done) => {
    docs.addHook('onSend', async (_request, reply) => {
      reply.header('content-security-policy', DOCS_POLICY)
    })
    docs.register(scalar, {
      routePrefix: '/docs',
      // What would reach out to somebody's cloud is left out; the policy above would refuse it anyway.
      configuration: {
        url: '/openapi.json',
        pageTitle: 'Fenghuo API',
        withDefaultFonts: false,
        telemetry: false,
        showDeveloperTools: 'never',
        hideClientButton: true,
        agent: { disabled: true },
        mcp: { disabled: true }
      }
    })
    done()
  })
}

function security(needs: Needs): Record<string, string[]>[] {
  if (needs === 'nobody') return []
  return needs === 'gateway' ? [{ gateway: [] }] : [{ session: [] }, { token: [] }]
}

function whoMay(needs: Needs): string {
  if (needs === 'nobody') return 'For everybody, without sign-in.'
  return needs === 'gateway' ? 'For gateways.' : `Needs the role ${needs}${needs === 'admin' ? '' : ' or above'}.`
}

/** `GET /api/v1/alarms/:id` -> `getAlarmsId` */
function operationId(method: string, url: string): string {
  const words = url
    .replace('/api/v1', '')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

interface OpenApi {
  components?: { schemas?: Record<string, unknown> }
  paths?: Record<string, Record<string, { responses?: { default?: unknown }; requestBody?: { required?: boolean } }>>
}

/** Every operation can answer a problem; the optional body of an operator action is optional. */
function withProblems(document: OpenApi): OpenApi {
  const problem = { $ref: '#/components/responses/Problem' }
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const operation of Object.values(operations)) {
      if (operation.responses !== undefined) operation.responses.default = problem
      if (path.startsWith('/api/v1/alarms/') && operation.requestBody !== undefined) operation.requestBody.required = false
    }
  }
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  const responses = { Problem: { description: 'What is wrong, and what to do', content } }
  return withoutUnused({ ...document, components: { ...document.components, responses } as NonNullable<OpenApi['components']> })
}

/** Each shape is there both as it is sent and as it is answered; what no operation refers to is left out. */
function withoutUnused(document: OpenApi): OpenApi {
  const schemas = document.components?.schemas ?? {}
  for (;;) {
    const text = JSON.stringify(document)
    const unused = Object.keys(schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`))
    if (unused.length === 0) return document
    for (const name of unused) delete schemas[name]
  }
}
