// The door to InfluxDB: the client's transport, without its buffers and retries. Every request has a time limit and one outcome.

import http from 'node:http'
import https from 'node:https'
import { HttpError, InfluxDB, setLogger } from '@influxdata/influxdb-client'
import { LIMITS } from '../platform/limits.ts'
import { messageOf } from '../platform/problem.ts'
import { withoutSecrets } from '../platform/secret.ts'
import { type InfluxSettings, shownUrl } from './influxSettings.ts'

const GZIP_ABOVE_BYTES = 1_000

// Whatever the client would print is in the error that it throws.
setLogger({ error: () => {}, warn: () => {} })

/**
 * - refused: the server has looked at the lines, or the question, and will not have some of them: 400 and 422.
 * - large: the body is too large for it.
 * - missing: there is no such database or bucket.
 * - denied: the credentials do not do.
 * - passing: anything that may be over in a while: no connection, no answer, 5xx.
 */
export type InfluxTrouble = 'refused' | 'large' | 'missing' | 'denied' | 'passing'

export class InfluxFailure extends Error {
  override readonly name = 'InfluxFailure'
  readonly trouble: InfluxTrouble
  /** What the server said, one line. */
  readonly said: string

  constructor(trouble: InfluxTrouble, said: string) {
    super(said)
    this.trouble = trouble
    this.said = said
  }
}

/** One series of an answer of `/query`. */
export interface InfluxSeries {
  readonly name: string
  readonly columns: readonly string[]
  readonly values: readonly (readonly (number | string | boolean | null)[])[]
}

interface Statements {
  readonly error?: string
  readonly results?: readonly { readonly error?: string; readonly series?: readonly InfluxSeries[] }[]
}

export class InfluxServer {
  readonly settings: InfluxSettings
  readonly #client: InfluxDB
  readonly #agent: http.Agent
  readonly #ended = new AbortController()
  readonly #writePath: string
  /** Some servers say back what they were sent. */
  readonly #secrets: readonly string[]

  constructor(settings: InfluxSettings, timeoutMs: number = LIMITS.history.influx.requestMs) {
    this.settings = settings
    const address = new URL(settings.url)
    const login =
      address.username === '' ? settings.token : `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`
    this.#secrets = login === null ? [] : [login, login.slice(login.indexOf(':') + 1)]
    address.username = address.password = ''
    const Agent = address.protocol === 'https:' ? https.Agent : http.Agent
    this.#agent = new Agent({ keepAlive: true, maxSockets: LIMITS.history.influx.connections })
    const basic = login?.includes(':') === true
    this.#client = new InfluxDB({
      url: address.href.replace(/\/$/, ''),
      timeout: timeoutMs,
      transportOptions: { agent: this.#agent },
      ...(basic && { headers: { authorization: `Basic ${Buffer.from(login as string).toString('base64')}` } }),
      ...(login !== null && !basic && { token: login })
    })
    const { api, database, org } = settings
    this.#writePath =
      api === 'v1'
        ? `/write?${new URLSearchParams({ db: database, precision: 'ms' })}`
        : `/api/v2/write?${new URLSearchParams({ org, bucket: database, precision: 'ms' })}`
  }

  /** `InfluxDB at http://host:8086`, as sentences name it. */
  get name(): string {
    return `InfluxDB at ${shownUrl(this.settings.url)}`
  }

  /** Sends lines; resolves once the server has acknowledged all of them. Rejects with an InfluxFailure. */
  async write(body: string): Promise<void> {
    await this.request('POST', this.#writePath, body, 'text/plain; charset=utf-8')
  }

  /** Asks InfluxQL, one or several statements that read: the series of each. */
  async query(statements: string): Promise<(readonly InfluxSeries[])[]> {
    return this.#statements('GET', statements)
  }

  /** Runs InfluxQL that changes something. */
  async command(statements: string): Promise<(readonly InfluxSeries[])[]> {
    return this.#statements('POST', statements)
  }

  /** Asks Flux; at most `limit` rows are taken. */
  async flux(query: string, limit: number): Promise<Record<string, string | number | null>[]> {
    const rows: Record<string, string | number | null>[] = []
    try {
      for await (const { values, tableMeta } of this.#client.getQueryApi(this.settings.org).iterateRows(query)) {
        if (this.#ended.signal.aborted) throw new InfluxFailure('passing', 'the question was given up')
        rows.push(tableMeta.toObject(values) as Record<string, string | number | null>)
        if (rows.length >= limit) break
      }
    } catch (cause) {
      throw failureOf(cause, this.#secrets)
    }
    return rows
  }

  /** The version that the server says it is, for example `1.6.7`; empty where it does not say. */
  async version(): Promise<string> {
    let version = ''
    const noted = (headers: Record<string, string | string[] | undefined>): void => {
      version = String(headers['x-influxdb-version'] ?? '').replace(/^v/, '')
    }
    await this.request('GET', '/ping', '', undefined, noted)
    return version
  }

  /** One request; the answer parsed where it is JSON. */
  async request(
    method: 'GET' | 'POST' | 'PATCH' | 'PUT',
    path: string,
    body = '',
    type = 'application/json; charset=utf-8',
    started?: (headers: Record<string, string | string[] | undefined>) => void
  ): Promise<unknown> {
    try {
      return await this.#client.transport.request(
        path,
        body,
        {
          method,
          headers: { 'content-type': type, accept: 'application/json' },
          gzipThreshold: GZIP_ABOVE_BYTES,
          signal: this.#ended.signal
        },
        started
      )
    } catch (cause) {
      throw failureOf(cause, this.#secrets)
    }
  }

  /** Gives up what is under way: each of it rejects. */
  close(): void {
    this.#ended.abort()
    this.#agent.destroy()
  }

  async #statements(method: 'GET' | 'POST', q: string): Promise<(readonly InfluxSeries[])[]> {
    const given = new URLSearchParams({ db: this.settings.database, epoch: 'ms', q })
    const answer = (await (method === 'GET'
      ? this.request('GET', `/query?${given}`)
      : this.request('POST', '/query', given.toString(), 'application/x-www-form-urlencoded'))) as Statements | undefined
    const { error, results } = answer ?? {}
    if (error !== undefined) throw new InfluxFailure(saysMissing(error) ? 'missing' : 'refused', withoutSecrets(error, this.#secrets))
    if (!Array.isArray(results)) throw new InfluxFailure('passing', 'its answer is not what InfluxDB answers')
    return results.map((result: { error?: string; series?: readonly InfluxSeries[] }) => {
      if (result.error !== undefined)
        throw new InfluxFailure(saysMissing(result.error) ? 'missing' : 'refused', withoutSecrets(result.error, this.#secrets))
      // A list with nothing in it has no values at all.
      return (result.series ?? []).map((series) => ({ ...series, values: series.values ?? [] }))
    })
  }
}

function saysMissing(said: string): boolean {
  return /database not found|bucket .*not found|could not find bucket|no dbrp mapping|database .*does not exist/i.test(said)
}

function failureOf(cause: unknown, secrets: readonly string[]): InfluxFailure {
  if (cause instanceof InfluxFailure) return cause
  if (!(cause instanceof HttpError)) return new InfluxFailure('passing', messageOf(cause).split('\n')[0] ?? '')
  const { statusCode, json } = cause
  const told = (json as { error?: string; message?: string } | undefined) ?? {}
  const words = told.error !== undefined && told.message === undefined ? told.error : (told.message ?? cause.message)
  const said = withoutSecrets(words, secrets).replace(/\s+/g, ' ').slice(0, 500)
  if (statusCode === 404 || saysMissing(said)) return new InfluxFailure('missing', said)
  if (statusCode === 401 || statusCode === 403) return new InfluxFailure('denied', said)
  if (statusCode === 413) return new InfluxFailure('large', said)
  if (statusCode === 400 || statusCode === 422) return new InfluxFailure('refused', said)
  return new InfluxFailure('passing', `${statusCode} ${said}`.trim())
}
