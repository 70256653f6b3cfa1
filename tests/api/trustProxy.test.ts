// X-Forwarded headers: believed of the proxies that are named, and of nobody else: who asks decides on rate limits, locks, the
// address in the list of sessions, and the secure flag of the cookie.

import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { buildApi } from '../../src/api/server.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { Metrics } from '../../src/platform/metrics.ts'
import { House, PASSWORD } from './harness.ts'

const PROXY = '10.0.0.1'
let house: House
let app: FastifyInstance

beforeEach(async () => {
  house = await House.open()
  app = await buildApi({ ...house.parts, metrics: new Metrics(), http: { host: '127.0.0.1', port: 0, trustProxy: [PROXY, '10.1.0.0/16'] } })
})

afterEach(async () => {
  await app.close()
  await house.close()
})

function signIn(remoteAddress: string, headers: Record<string, string>, password = PASSWORD): Promise<LightMyRequestResponse> {
  return app.inject({ method: 'POST', url: '/api/v1/session', remoteAddress, headers, payload: { username: 'admin', password } })
}

async function fromOf(answer: LightMyRequestResponse): Promise<{ from: string; secure: boolean }> {
  const { name, value, secure = false } = answer.cookies[0] as { name: string; value: string; secure?: boolean }
  const list = await app.inject({ url: '/api/v1/sessions', remoteAddress: PROXY, cookies: { [name]: value } })
  const own = (list.json() as { items: { from: string; current: boolean }[] }).items.find(({ current }) => current)
  return { from: own?.from ?? '', secure }
}

it('believes a named proxy, through as many as are named, and reads from the right', async () => {
  const https = { 'x-forwarded-proto': 'https' }
  expect(await fromOf(await signIn(PROXY, { 'x-forwarded-for': '203.0.113.7', ...https }))).toEqual({ from: '203.0.113.7', secure: true })
  // What the client itself had written stands further left.
  const spoofed = { 'x-forwarded-for': '127.0.0.1, 198.51.100.9, 10.1.2.3', ...https }
  expect(await fromOf(await signIn(PROXY, spoofed))).toEqual({ from: '198.51.100.9', secure: true })
  expect(await fromOf(await signIn(PROXY, { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'http' }))).toEqual({
    from: '203.0.113.7',
    secure: false
  })
})

it('believes nobody else', async () => {
  const claims = { 'x-forwarded-for': '10.0.0.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' }
  expect(await fromOf(await signIn('198.51.100.9', claims))).toEqual({ from: '198.51.100.9', secure: false })
  expect(await fromOf(await signIn('10.0.0.2', claims))).toEqual({ from: '10.0.0.2', secure: false })
})

it('believes nobody where no proxy is named', async () => {
  await app.close()
  app = await buildApi({ ...house.parts, metrics: new Metrics(), http: { host: '127.0.0.1', port: 0, trustProxy: [] } })
  const answer = await signIn('127.0.0.1', { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' })
  expect(await fromOf(answer)).toEqual({ from: '127.0.0.1', secure: false })
})

it('limits by the true address: changing the header wins an attacker nothing, and costs his neighbours behind the proxy nothing', async () => {
  const { signInsPerMinute } = LIMITS.api
  const codes = new Set<number>()
  for (let i = 0; i <= signInsPerMinute; i++)
    codes.add((await signIn('198.51.100.9', { 'x-forwarded-for': `203.0.113.${i}` }, '')).statusCode)
  expect([...codes]).toEqual([422, 429])
  for (let i = 0; i <= signInsPerMinute; i++) await signIn(PROXY, { 'x-forwarded-for': `203.0.113.${i}, 198.51.100.20` }, '')
  expect((await signIn(PROXY, { 'x-forwarded-for': '198.51.100.20' })).statusCode).toBe(429)
  expect((await signIn(PROXY, { 'x-forwarded-for': '198.51.100.21' })).statusCode).toBe(200)
})
