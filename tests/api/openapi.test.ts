import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House } from './harness.ts'

interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly security?: readonly Record<string, unknown>[]
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean; readonly schema: unknown }[]
  readonly requestBody?: { readonly required: boolean; readonly content: Record<string, unknown> }
  readonly responses: Record<
    string,
    { readonly description?: string; readonly $ref?: string; readonly content?: Record<string, { schema: unknown }> }
  >
}

let house: House
// biome-ignore lint/suspicious/noExplicitAny: the document is looked into by paths
let document: any

beforeAll(async () => {
  house = await House.open()
  document = (await house.ask('/openapi.json', null)).json()
})
afterAll(() => house.close())

const operations = (): [string, Operation][] =>
  Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method.toUpperCase()} ${path}`, operation])
  )

/** Every value under a key of this name, anywhere. */
function everywhere(value: unknown, key: string): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [...(name === key ? [inner] : []), ...everywhere(inner, key)])
}

describe('the OpenAPI document', () => {
  it('is the same at both addresses, and says what it is', async () => {
    expect((await house.ask('/api/v1/openapi.json', null)).json()).toEqual(document)
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Fenghuo 烽火', version: '0.1.0' } })
  })

  it('has every route, and nothing else', () => {
    expect(
      operations()
        .map(([name]) => name)
        .toSorted()
    ).toEqual([
      'DELETE /api/v1/devices/{id}',
      'DELETE /api/v1/gateways/{id}',
      'DELETE /api/v1/rules/{id}',
      'DELETE /api/v1/session',
      'DELETE /api/v1/sessions/{id}',
      'DELETE /api/v1/tokens/{id}',
      'DELETE /api/v1/users/{name}',
      'GET /a/{token}',
      'GET /api/v1/alarm-events',
      'GET /api/v1/alarms',
      'GET /api/v1/alarms/{id}',
      'GET /api/v1/amendments',
      'GET /api/v1/answers',
      'GET /api/v1/audit',
      'GET /api/v1/callbacks/{channel}/{secret}',
      'GET /api/v1/devices',
      'GET /api/v1/devices/{id}',
      'GET /api/v1/devices/{id}/versions',
      'GET /api/v1/drills',
      'GET /api/v1/drills/{id}',
      'GET /api/v1/duty',
      'GET /api/v1/duty/plan',
      'GET /api/v1/duty/preview',
      'GET /api/v1/gateways',
      'GET /api/v1/gateways/{id}',
      'GET /api/v1/gateways/{id}/versions',
      'GET /api/v1/hazard-sources',
      'GET /api/v1/inhibitions',
      'GET /api/v1/kpi',
      'GET /api/v1/live',
      'GET /api/v1/notices',
      'GET /api/v1/notifications',
      'GET /api/v1/notifications/workers',
      'GET /api/v1/out-of-service',
      'GET /api/v1/overview',
      'GET /api/v1/people/choices',
      'GET /api/v1/quarantine',
      'GET /api/v1/readings',
      'GET /api/v1/rules',
      'GET /api/v1/rules/{id}',
      'GET /api/v1/rules/{id}/explain',
      'GET /api/v1/rules/{id}/shadow-events',
      'GET /api/v1/rules/{id}/versions',
      'GET /api/v1/session',
      'GET /api/v1/session/oidc',
      'GET /api/v1/session/oidc/callback',
      'GET /api/v1/session/ways',
      'GET /api/v1/sessions',
      'GET /api/v1/sites',
      'GET /api/v1/states',
      'GET /api/v1/tokens',
      'GET /api/v1/users',
      'GET /api/v1/users/{name}',
      'GET /healthz',
      'GET /metrics',
      'GET /readyz',
      'POST /a/{token}',
      'POST /api/v1/alarms/{id}/acknowledge',
      'POST /api/v1/alarms/{id}/assign',
      'POST /api/v1/alarms/{id}/close',
      'POST /api/v1/alarms/{id}/comment',
      'POST /api/v1/alarms/{id}/reset',
      'POST /api/v1/alarms/{id}/shelve',
      'POST /api/v1/alarms/{id}/unshelve',
      'POST /api/v1/areas/{id}/out-of-service',
      'POST /api/v1/areas/{id}/return-to-service',
      'POST /api/v1/callbacks/{channel}/{secret}',
      'POST /api/v1/devices',
      'POST /api/v1/devices/import',
      'POST /api/v1/devices/{id}/out-of-service',
      'POST /api/v1/devices/{id}/return-to-service',
      'POST /api/v1/drill',
      'POST /api/v1/drills/{id}/acknowledge',
      'POST /api/v1/gateways',
      'POST /api/v1/notifications/{id}/retry',
      'POST /api/v1/quarantine/{id}/retry',
      'POST /api/v1/rules',
      'POST /api/v1/rules/check',
      'POST /api/v1/session',
      'POST /api/v1/session/password',
      'POST /api/v1/sites/{id}/out-of-service',
      'POST /api/v1/sites/{id}/return-to-service',
      'POST /api/v1/states/{id}/enter',
      'POST /api/v1/states/{id}/leave',
      'POST /api/v1/telemetry',
      'POST /api/v1/tokens',
      'POST /api/v1/users',
      'PUT /api/v1/devices/{id}',
      'PUT /api/v1/gateways/{id}',
      'PUT /api/v1/rules/{id}',
      'PUT /api/v1/users/{name}'
    ])
  })

  it('describes each: summary, tag, who may, what comes back, what can go wrong', () => {
    const tags = new Set(document.tags.map(({ name }: { name: string }) => name))
    const ids = operations().map(([, { operationId }]) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [name, { summary, tags: own = [], security, responses }] of operations()) {
      expect(summary, name).toMatch(/^[A-Z]/)
      expect(own.length === 1 && tags.has(own[0]), name).toBe(true)
      expect(security, name).toBeDefined()
      expect(responses.default, name).toEqual({ $ref: '#/components/responses/Problem' })
      const [good, ...others] = Object.keys(responses).filter((status) => /^[23]/.test(status))
      expect([good !== undefined, others], name).toEqual([true, []])
      if (good !== '204' && good !== '302') expect(Object.keys(responses[good as string]?.content ?? {}), name).toHaveLength(1)
    }
  })

  it('names the parameters of every path', () => {
    for (const [name, { parameters = [] }] of operations()) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path')
      expect(
        inPath.map((parameter) => parameter.name),
        name
      ).toEqual([...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))
      expect(
        inPath.every((parameter) => parameter.required),
        name
      ).toBe(true)
    }
  })

  it('refers only to what is in it', () => {
    const references = everywhere(document, '$ref') as string[]
    expect(references.length).toBeGreaterThan(40)
    for (const reference of new Set(references)) {
      const target = reference
        .slice(2)
        .split('/')
        .reduce((value, key) => value?.[key], document)
      expect(target, reference).toBeDefined()
    }
    const named = Object.keys(document.components.schemas)
    expect(named.filter((name) => !references.includes(`#/components/schemas/${name}`))).toEqual([])
  })

  it('says by which credentials each is asked', () => {
    const byName = new Map(operations())
    expect(byName.get('POST /api/v1/telemetry')?.security).toEqual([{ gateway: [] }])
    expect(byName.get('GET /api/v1/alarms')?.security).toEqual([{ session: [] }, { token: [] }])
    expect(byName.get('GET /healthz')?.security).toEqual([])
    expect(document.components.securitySchemes.session).toEqual({ type: 'apiKey', in: 'cookie', name: 'fenghuo_session' })
  })

  it('tells the shapes that are not JSON, or read by hand', () => {
    const byName = new Map(operations())
    expect(byName.get('GET /api/v1/live')?.responses['200']?.content).toHaveProperty('text/event-stream')
    expect(byName.get('GET /metrics')?.responses['200']?.content).toHaveProperty('text/plain')
    const telemetry = byName.get('POST /api/v1/telemetry')?.requestBody?.content['application/json']
    expect(JSON.stringify(telemetry)).toContain('Sample')
    expect(byName.get('POST /api/v1/alarms/{id}/acknowledge')?.requestBody?.required).toBe(false)
  })

  it('gives examples where a reader would ask for one', () => {
    const { AlarmEvent, Problem, SampleInput, Session, TelemetryOutcome } = document.components.schemas
    for (const schema of [AlarmEvent, Problem, SampleInput, Session, TelemetryOutcome]) expect(schema).toHaveProperty('example')
  })
})
