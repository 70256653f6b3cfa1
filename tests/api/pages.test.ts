import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApiServer } from '../../src/api/server.ts'
import { Metrics } from '../../src/platform/metrics.ts'
import { House } from './harness.ts'

let around: string
let folder: string
let house: House

beforeAll(async () => {
  around = await mkdtemp(path.join(tmpdir(), 'fenghuo-console-'))
  folder = path.join(around, 'dist')
  await mkdir(path.join(folder, 'assets'), { recursive: true })
  await writeFile(path.join(folder, 'index.html'), '<!doctype html><title>console</title>')
  await writeFile(path.join(folder, 'favicon.svg'), '<svg/>')
  await writeFile(path.join(folder, 'assets', 'index-BxY12.js'), 'console.log(1)')
  await writeFile(path.join(around, 'secret.txt'), 'secret')
  house = await House.open({ consoleFolder: folder })
})
afterAll(async () => {
  await house.close()
  await rm(around, { recursive: true })
})

const get = (url: string) => house.ask(url, null)

describe('the console', () => {
  it('is served at / and at every address of its pages', async () => {
    for (const url of ['/', '/alarms', '/devices/T-101', '/devices/T-101?tab=trend', '/login/']) {
      const answer = await get(url)
      expect([url, answer.statusCode, answer.body]).toEqual([url, 200, '<!doctype html><title>console</title>'])
      expect(answer.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' })
    }
    expect((await house.ask('/alarms', null, { method: 'HEAD' })).statusCode).toBe(200)
  })

  it('lets browsers keep hashed assets for ever, and nothing else', async () => {
    const asset = await get('/assets/index-BxY12.js')
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(asset.headers['content-type']).toMatch(/^application\/javascript/)
    expect((await get('/favicon.svg')).headers['cache-control']).toBe('no-cache')
  })

  it('does not pass off its page for what is missing', async () => {
    for (const url of [
      '/assets/gone.js',
      '/robots.txt',
      '/api/v1/nothing',
      '/api/nothing',
      '/assets/../../fenghuo-secret.txt',
      '/..%2ffenghuo-secret.txt'
    ]) {
      const answer = await get(url)
      expect([url, answer.statusCode, answer.headers['content-type']]).toEqual([url, 404, 'application/problem+json; charset=utf-8'])
    }
    expect((await house.ask('/alarms', null, { payload: {} })).statusCode).toBe(404)
  })

  it('where it is not built, says how to', async () => {
    const other = await House.open()
    const answer = await other.ask('/alarms', null)
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toMatch(/npm run build/)
    await other.close()
  })
})

describe('headers', () => {
  it('let the console load from here alone, and nobody frame it', async () => {
    const { headers } = await get('/')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'self'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe-eval|upgrade-insecure-requests|https?:/)
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
    expect(headers).not.toHaveProperty('x-powered-by')
    expect(headers).not.toHaveProperty('strict-transport-security')
  })

  it('keep answers of the API out of caches', async () => {
    const viewer = await house.token('viewer')
    for (const url of ['/api/v1/alarms', '/api/v1/session', '/api/v1/devices/none', '/healthz', '/metrics']) {
      expect([url, (await house.ask(url, viewer)).headers['cache-control']]).toEqual([url, 'no-store'])
    }
  })

  it('relax the policy for the documentation only, which loads nothing from elsewhere', async () => {
    const page = await get('/docs/')
    expect(page.headers['content-security-policy']).toMatch(/script-src 'self' 'unsafe-inline'/)
    expect(page.headers['content-security-policy']).toMatch(/connect-src 'self'/)
    expect([...page.body.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1])).toEqual(['js/scalar.js'])
    expect((await get('/docs')).headers.location).toBe('/docs/')
    expect((await get('/docs/js/scalar.js')).headers['content-type']).toMatch(/javascript/)
  })
})

describe('the port', () => {
  it('opens, answers, closes; twice each is once', async () => {
    const server = new ApiServer({ ...house.parts, metrics: new Metrics() })
    await server.start()
    await server.start()
    const { address } = server
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await fetch(`${address}/healthz`)).status).toBe(200)
    await server.stop()
    await server.stop()
    await expect(fetch(`${address}/healthz`)).rejects.toThrow()
  })

  it('in use is a sentence', async () => {
    const port = Number(new URL(await house.listen()).port)
    await expect(house.listen(port)).rejects.toMatchObject({
      name: 'Refusal',
      message: `Port ${port} of 127.0.0.1 is in use by another program. Choose another with FENGHUO_HTTP_PORT or FENGHUO_HTTP_HOST, or in fenghuo.yaml under http, or stop that program.`
    })
  })

  it('of an address that is not ours is a sentence', async () => {
    const server = new ApiServer({ ...house.parts, metrics: new Metrics(), http: { host: '192.0.2.1', port: 0 } })
    await expect(server.start()).rejects.toThrow(/^192\.0\.2\.1 is not an address of this machine\. /)
  })
})

describe('/metrics', () => {
  it('is Prometheus text and counts answers by class', async () => {
    await get('/api/v1/alarms')
    const { body, headers } = await get('/metrics')
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(body).toMatch(/^fenghuo_http_responses_total\{status="4xx"\} [1-9]/m)
    expect(body).toMatch(/^fenghuo_live_clients 0$/m)
  })
})
