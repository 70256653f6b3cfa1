// What is asked too often is answered 429 with the time after which to ask again: signing in by each way, callbacks, one-time links.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/platform/limits.ts'
import { House } from './harness.ts'

let house: House
beforeAll(async () => {
  house = await House.open()
})
afterAll(() => house.close())

const { signInsPerMinute } = LIMITS.api
const { callbacksPerMinute, linksPerMinute } = LIMITS.courier

const BOUNDED: [string, string, number, object?][] = [
  ['POST', '/api/v1/session', signInsPerMinute, {}],
  ['GET', '/api/v1/session/oidc', signInsPerMinute],
  ['GET', '/api/v1/session/oidc/callback', signInsPerMinute],
  ['POST', '/api/v1/callbacks/none/none', callbacksPerMinute, {}],
  ['GET', '/a/none', linksPerMinute],
  ['POST', '/a/none', linksPerMinute, {}]
]

describe('requests from one address', () => {
  for (const [method, url, most, payload] of BOUNDED) {
    it(`${method} ${url}: ${most} in a minute`, async () => {
      const ask = (remoteAddress: string) => house.app.inject({ method: method as 'GET', url, remoteAddress, ...(payload && { payload }) })
      for (let i = 0; i < most; i++) expect((await ask('10.0.0.1')).statusCode).not.toBe(429)
      const over = await ask('10.0.0.1')
      // A one-time link answers by a page, to whatever phone.
      const page = url.startsWith('/a/')
      const told = page ? over.headers['content-type'] : over.json().type
      expect([over.statusCode, told]).toEqual([429, page ? 'text/html; charset=utf-8' : 'urn:fenghuo:problem:tooMany'])
      expect(Number(over.headers['retry-after'])).toBeGreaterThan(0)
      expect((await ask('10.0.0.2')).statusCode).not.toBe(429)
    })
  }

  it('hear nothing of bounds that they keep', async () => {
    const answer = await house.ask('/api/v1/session', await house.token('viewer'))
    expect([answer.statusCode, Object.keys(answer.headers).filter((name) => /ratelimit|retry/.test(name))]).toEqual([200, []])
  })
})
