// Under load: the identities of /metrics hold at every scrape, over kills; SIGTERM drains what was acknowledged and ends with 0.

import { expect, it, vi } from 'vitest'
import { onEachBackEnd, START, WAIT, type Yard } from './yard.ts'

const RULES = `rules:
  - { id: level, appliesTo: { profile: tank }, tiers: { yellow: { when: level_pct > limits.high } } }
`

/** One scrape, at which both loss identities must hold. */
export async function scrape(yard: Yard): Promise<Map<string, number>> {
  const metrics = await yard.service.metrics()
  const value = (name: string): number => metrics.get(name) ?? Number.NaN
  const dropped = [...metrics].filter(([name]) => name.startsWith('fenghuo_readings_dropped_total{')).reduce((sum, [, n]) => sum + n, 0)
  const read = value('fenghuo_readings_stored_total') + value('fenghuo_readings_pending') + dropped
  expect(read).toBe(value('fenghuo_readings_total'))
  expect(value('fenghuo_readings_pending')).toBeGreaterThanOrEqual(0)
  const received = value('fenghuo_messages_journaled_total') + value('fenghuo_messages_refused_total')
  expect(received).toBe(value('fenghuo_messages_received_total'))
  return metrics
}

/** Sends messages of ten samples to one device until told to stop, each again until it is acknowledged; resolves with how many. */
async function load(yard: Yard, gateway: 'gw-0' | 'gw-1', device: string, isOver: () => boolean): Promise<number> {
  let sent = 0
  while (!isOver()) {
    const samples = Array.from({ length: 10 }, (_, i) => ({ device, ts: START + (sent * 10 + i) * 1000, values: { level_pct: i } }))
    await vi.waitFor(async () => {
      if (gateway === 'gw-1') return expect((await yard.post(gateway, samples)).status).toBe(202)
      const connection = await yard.connect(gateway)
      await connection.publish('telemetry', samples).finally(() => connection.cut())
    }, WAIT)
    sent++
  }
  return sent
}

onEachBackEnd({ rules: RULES }, (yard) => {
  it('loses nothing over kills and a graceful end under load, and its counts add up at every scrape', { timeout: 120_000 }, async () => {
    let over = false
    const loads = [load(yard(), 'gw-0', 'T-0', () => over), load(yard(), 'gw-1', 'T-1', () => over)]
    for (const how of ['kill', 'stop', null] as const) {
      for (let n = 0; n < 10; n++) {
        await scrape(yard())
        await yard().post('gw-0', n % 2 === 0 ? '{rubbish' : { device: 'T-99', values: { level_pct: 1 } })
      }
      if (how !== null) await yard().restart(how)
    }
    over = true
    const sent = await Promise.all(loads)
    await vi.waitFor(async () => {
      const metrics = await scrape(yard())
      expect([metrics.get('fenghuo_readings_pending'), metrics.get('fenghuo_history_lag_records')]).toEqual([0, 0])
    }, WAIT)
    for (const [d, messages] of sent.entries()) {
      const expected = Array.from({ length: messages * 10 }, (_, n) => `${new Date(START + n * 1000).toISOString()} ${n % 10} good`)
      await vi.waitFor(async () => expect(await yard().readings(`T-${d}`, 'level_pct')).toEqual(expected), WAIT)
    }
  })

  it('answers health, readiness and figures to whoever asks', async () => {
    const parts = async (address: string): Promise<unknown[]> => {
      const response = await fetch(`${yard().service.httpAddress}${address}`)
      const body = (await response.json()) as { parts: { part: string; state: string }[] }
      return [response.status, body.parts.filter(({ state }) => state !== 'ok').map(({ part, state }) => `${part}: ${state}`)]
    }
    await vi.waitFor(
      async () =>
        expect([await parts('/healthz'), await parts('/readyz')]).toEqual([
          [200, []],
          [200, []]
        ]),
      WAIT
    )
  })

  it('takes what comes while it ends, or refuses it, and ends with 0', async () => {
    let accepted = 0
    let running = true
    const flood = (async () => {
      for (let n = 0; running; n++) {
        const answer = await yard()
          .post('gw-0', { device: 'T-2', ts: START + n * 1000, values: { level_pct: 1 } })
          .catch(() => null)
        if (answer?.status !== 202) break
        accepted++
      }
    })()
    await vi.waitFor(() => expect(accepted).toBeGreaterThan(20), { ...WAIT, interval: 1 })
    await yard().restart('stop')
    running = false
    await flood
    const seconds = Array.from({ length: accepted }, (_, n) => `${new Date(START + n * 1000).toISOString()} 1 good`)
    // One more may have been taken whose answer was lost.
    await vi.waitFor(async () => expect((await yard().readings('T-2', 'level_pct')).slice(0, accepted)).toEqual(seconds), WAIT)
  })
})
