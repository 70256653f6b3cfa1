// fenghuo drill --wait while another instance takes over: 503 is no end of a drill, and is said once.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, vi } from 'vitest'
import { drill } from '../../../src/app/commands/drill.ts'
import { ManualClock } from '../../../src/platform/clock.ts'

it('goes on where the service is taken over from', async () => {
  const closed = { id: '@drill/farm#1', steps: [], closedAt: 'later', endedAt: 'then', outcome: 'acknowledged' }
  const answers = [
    [202, { id: '@drill/farm#1', ladder: 'standard' }],
    [503, { detail: 'This instance is taking over: it answers in a moment.' }],
    [503, {}],
    [200, { ...closed, acknowledged: { by: 'li' }, genuine: true, signature: 'abc' }]
  ] as const
  const asked: string[] = []
  const server = createServer((request, response) => {
    const [status, body] = answers[asked.length] as (typeof answers)[number]
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clock = new ManualClock(0)
  const [said, told]: [string[], string[]] = [[], []]
  const out = { log: (line: string) => void told.push(line), error: (line: string) => void said.push(line) }
  const held = drill({ site: 'farm', url, config: '', wait: true, json: false }, { FENGHUO_TOKEN: 'token' }, out, clock)
  await vi.waitFor(() => {
    clock.moveTo(clock.now() + 1_000)
    expect(asked).toHaveLength(4)
  })
  expect(await held).toBe(true)
  server.close()
  const look = 'GET /api/v1/drills/%40drill%2Ffarm%231'
  expect(asked).toEqual(['POST /api/v1/drill', look, look, look])
  expect(said).toEqual([`The service at ${url} does not answer: its drill goes on, and it is asked until it does.`])
  expect(told).toEqual([
    'DRILL @drill/farm#1 has begun on the ladder standard',
    'DRILL @drill/farm#1 ended at then: acknowledged by li',
    '  record genuine, signature abc'
  ])
})
