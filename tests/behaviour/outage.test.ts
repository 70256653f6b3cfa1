// A server behind the service dies and comes back: health says which and what it means, alarms do not wait for history or the queue,
// and afterwards everything is there.

import { expect, it, vi } from 'vitest'
import { type Server, serversOf } from './backEnds.ts'
import { minute, onEachBackEnd, START, WAIT } from './yard.ts'

const RULES = `rules:
  - { id: level, appliesTo: { profile: tank }, tiers: { red: { when: level_pct > limits.high } } }
`
const DUTY = `people: [{ id: li, addresses: { webhook: "CARRIER/li" } }]
ladders: [{ id: all, appliesTo: {}, steps: [{ tell: [person:li], by: [webhook] }] }]
`
/** What nobody's alarm may wait for. */
const BESIDE: readonly Server[] = ['influx', 'redis']
const DEVICES: Readonly<Record<Server, string>> = { influx: 'T-0', redis: 'T-2', postgres: 'T-4', mosquitto: 'T-6' }

onEachBackEnd({ rules: RULES, duty: DUTY, needsServers: true }, (yard) => {
  const sick = async (): Promise<string[]> => {
    const { parts } = (await (await fetch(`${yard().service.httpAddress}/readyz`)).json()) as { parts?: { part: string; state: string }[] }
    // A service that nobody should ask anything says only that.
    if (parts === undefined) return ['everything']
    return parts.filter(({ state }) => state !== 'ok').map(({ part }) => part)
  }

  it('each of them in turn', { timeout: 180_000 }, async () => {
    for (const server of serversOf(yard().backEnd.name)) {
      const device = DEVICES[server]
      const sample = (n: number, level: number): object => ({ device, ts: START + n * 60_000, values: { level_pct: level } })
      expect((await yard().post('gw-0', sample(0, 50))).status).toBe(202)
      await vi.waitFor(async () => expect([server, await sick()]).toEqual([server, []]), WAIT)
      await yard().backEnd.servers.get(server)?.kill()
      const taken = yard().post('gw-0', sample(1, 90))
      if (BESIDE.includes(server)) {
        // It is away all the while.
        expect((await taken).status).toBe(202)
        await yard().eventsOnce((lines) => expect(lines.filter((line) => line.device === device)).toHaveLength(1))
        await vi.waitFor(() => expect(yard().carrier.ledger.some(({ text }) => text.includes(device))).toBe(true), WAIT)
      }
      await vi.waitFor(async () => expect([server, await sick()]).not.toEqual([server, []]), WAIT)
      await yard().backEnd.servers.get(server)?.restart()
      await taken.catch(() => null)
      await vi.waitFor(async () => expect([server, await sick()]).toEqual([server, []]), WAIT)
      // Whatever was answered meanwhile: sent again, it is there once.
      expect((await yard().post('gw-0', sample(1, 90))).status).toBe(202)
      await vi.waitFor(async () => {
        expect(await yard().readings(device, 'level_pct')).toEqual([`${minute(0)} 50 good`, `${minute(1)} 90 good`])
        const lines = (await yard().events()).filter((line) => line.device === device)
        expect(lines.map(({ at, to }) => `${at} ${to}`)).toEqual([`${minute(1)} red`])
        const told = yard().carrier.ledger.filter(({ text }) => text.includes(device))
        expect(new Set(told.map(({ reference }) => reference)).size).toBe(1)
      }, WAIT)
    }
  })
})
