// The HTTP door: puts the routes together, opens the port, closes it. All state lies in the parts it is given.

import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyInstance } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { LIMITS } from '../platform/limits.ts'
import type { Part } from '../platform/parts.ts'
import { Refusal } from '../platform/problem.ts'
import type { Api } from './api.ts'
import { serveConsole } from './consolePages.ts'
import { describe, serveDocs } from './docs.ts'
import type { ApiParts } from './parts.ts'
import { portSentence } from './portSentence.ts'
import { ApiProblem, answerErrors, answerUnreadable } from './problems.ts'
import { alarmEventRoutes } from './routes/alarmEvents.ts'
import { alarmRoutes } from './routes/alarms.ts'
import { amendmentRoutes } from './routes/amendments.ts'
import { auditRoutes } from './routes/audit.ts'
import { deviceRoutes } from './routes/devices.ts'
import { drillRoutes } from './routes/drills.ts'
import { dutyRoutes } from './routes/duty.ts'
import { dutyPlanRoutes } from './routes/dutyPlan.ts'
import { explainRoutes } from './routes/explain.ts'
import { outsideRoutes, sendNoLink, wantsLink } from './routes/fromOutside.ts'
import { gatewayRoutes } from './routes/gateways.ts'
import { hazardRoutes } from './routes/hazardSources.ts'
import { healthRoutes } from './routes/health.ts'
import { kpiRoutes } from './routes/kpi.ts'
import { liveRoutes } from './routes/live.ts'
import { noticeRoutes } from './routes/notices.ts'
import { notificationRoutes } from './routes/notifications.ts'
import { oidcRoutes } from './routes/oidc.ts'
import { outOfServiceRoutes } from './routes/outOfService.ts'
import { peopleRoutes } from './routes/people.ts'
import { quarantineRoutes } from './routes/quarantine.ts'
import { readingRoutes } from './routes/readings.ts'
import { ruleRoutes, shadowRoutes } from './routes/rules.ts'
import { sessionRoutes } from './routes/session.ts'
import { sessionsRoutes } from './routes/sessions.ts'
import { siteRoutes } from './routes/sites.ts'
import { stateRoutes } from './routes/states.ts'
import { telemetryRoutes } from './routes/telemetry.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { userRoutes } from './routes/users.ts'
import { secureOptions, transportSecurity } from './secure.ts'
import { guard } from './session.ts'

const CONSOLE_POLICY = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:', 'blob:'],
  fontSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  objectSrc: ["'none'"],
  baseUri: ["'self'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
  // Plants run without certificates on closed networks; a proxy with one adds its own.
  upgradeInsecureRequests: null
}

/** Of the bounds only the retry-after of a 429 is said. */
const UNSAID = { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false }

const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const

/** Some proxies decode the slash inside an alarm's id before they pass the request on. */
const DECODED_ALARM_ID = /^(\/api\/v1\/alarms\/[\w.-]+)\/([\w.-]+%23\d+(?:[/?]|$))/

export class ApiServer implements Part {
  readonly name = 'api'
  readonly #parts: ApiParts
  #app: FastifyInstance | null = null
  #address = ''

  constructor(parts: ApiParts) {
    this.#parts = parts
  }

  /** Where the API answers: `http://127.0.0.1:8080`. Empty before the start. */
  get address(): string {
    return this.#address
  }

  /** Opens the port. Throws a Refusal where it is taken or not ours to open. */
  async start(): Promise<void> {
    if (this.#app !== null) return
    const { host, port } = this.#parts.http
    const app = await buildApi(this.#parts)
    try {
      const address = await app.listen({ host, port })
      this.#address = this.#parts.http.tls ? address.replace(/^http:/, 'https:') : address
      this.#app = app
    } catch (cause) {
      await app.close()
      throw new Refusal(portSentence(cause, host, port), { cause })
    }
  }

  /** Ends live streams and open connections at once. */
  async stop(): Promise<void> {
    const app = this.#app
    this.#app = null
    this.#parts.live.stop()
    await app?.close()
  }
}

/** The API without a port: what `start` opens, and what tests put questions to. */
export async function buildApi(parts: ApiParts): Promise<FastifyInstance> {
  const answer = answerErrors(parts.log)
  parts.access.onRevoked(() => parts.live.recheck())
  const app = Fastify({
    logger: false,
    ...secureOptions(parts),
    // Nobody else's X-Forwarded headers are believed: who asks decides on rate limits, locks and the audit log.
    trustProxy: parts.http.trustProxy?.length ? [...parts.http.trustProxy] : false,
    bodyLimit: LIMITS.api.bodyBytes,
    requestTimeout: LIMITS.api.requestMs,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: LIMITS.api.idLength },
    rewriteUrl: ({ url = '/' }) => url.replace(DECODED_ALARM_ID, '$1%2F$2'),
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) =>
      void (wantsLink(request) ? sendNoLink(reply as never) : answer(error, request as never, reply as never))
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(answer)
  countResponses(app, parts)
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONSOLE_POLICY },
    strictTransportSecurity: transportSecurity(parts)
  })
  await app.register(cookie)
  await app.register(rateLimit, {
    global: true,
    max: LIMITS.api.requestsPerMinute,
    timeWindow: 60_000,
    // What gateways send is bounded by what the journal takes.
    allowList: (request) => request.routeOptions.config.needs === 'gateway',
    addHeadersOnExceeding: UNSAID,
    addHeaders: UNSAID,
    errorResponseBuilder: (_request, { after }) => new ApiProblem('tooMany', `Too many attempts from your address; try again in ${after}.`)
  })
  await describe(app, parts.health().version)
  await app.register((scope, _options, done) => {
    addRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts)
    done()
  })
  await serveDocs(app)
  await serveConsole(app, parts.consoleFolder)
  await app.ready()
  return app
}

function addRoutes(api: Api, parts: ApiParts): void {
  guard(api, parts.access)
  api.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  })
  const parseJson = api.getDefaultJsonParser('error', 'error')
  api.removeContentTypeParser('application/json')
  api.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    // A client that always names JSON sends nothing where there is nothing to say.
    if (body === '') done(null, undefined)
    else void parseJson(request, body, done)
  })
  sessionRoutes(api, parts)
  oidcRoutes(api, parts)
  sessionsRoutes(api, parts)
  tokenRoutes(api, parts)
  userRoutes(api, parts)
  auditRoutes(api, parts)
  alarmRoutes(api, parts)
  alarmEventRoutes(api, parts)
  peopleRoutes(api, parts)
  outOfServiceRoutes(api, parts)
  deviceRoutes(api, parts)
  gatewayRoutes(api, parts)
  hazardRoutes(api, parts)
  readingRoutes(api, parts)
  siteRoutes(api, parts)
  kpiRoutes(api, parts)
  noticeRoutes(api, parts)
  ruleRoutes(api, parts)
  explainRoutes(api, parts)
  stateRoutes(api, parts)
  dutyRoutes(api, parts)
  dutyPlanRoutes(api, parts)
  shadowRoutes(api, parts)
  quarantineRoutes(api, parts)
  notificationRoutes(api, parts)
  drillRoutes(api, parts)
  liveRoutes(api, parts)
  healthRoutes(api, parts)
  api.register((scope, _options, done) => {
    amendmentRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts)
    done()
  })
  api.register((scope, _options, done) => {
    telemetryRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts)
    done()
  })
  api.register((scope, _options, done) => {
    outsideRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts)
    done()
  })
}

function countResponses(app: Api, { metrics }: ApiParts): void {
  const counts = metrics.counters('fenghuo_http_responses_total', 'HTTP responses, by class of status.', 'status', STATUS_CLASSES)
  app.addHook('onResponse', async (_request, reply) => {
    const ofClass = STATUS_CLASSES[Math.floor(reply.statusCode / 100) - 2]
    if (ofClass !== undefined) counts[ofClass].add()
  })
}
