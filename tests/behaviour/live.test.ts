// The live stream: every alarm event once and in order, also for who was cut off and comes back behind his last event, over restarts;
// readings of the devices one follows; and a beat.

import { expect, it, vi } from 'vitest'
import { type LiveEvent, LiveReader } from '../api/sse.ts'
import { MINUTE, minute, onEachBackEnd, START, WAIT } from './yard.ts'

const RULES = `rules:
  - { id: level, appliesTo: { profile: tank }, tiers: { yellow: { when: level_pct > limits.high } } }
`

onEachBackEnd({ rules: RULES }, (yard) => {
  /** The nth sample of T-0 turns its alarm on or off. */
  const flip = async (n: number): Promise<void> => {
    const sample = { device: 'T-0', ts: START + n * MINUTE, values: { level_pct: n % 2 === 0 ? 90 : 50 } }
    await vi.waitFor(async () => expect((await yard().post('gw-0', sample)).status).toBe(202), WAIT)
  }

  it('resumes behind the last event without a gap, over a stop and a kill', async () => {
    const token = await yard().token('viewer')
    const seen: string[] = []
    let last = '0'
    let sent = 0
    for (const how of ['stop', 'kill', null] as const) {
      const reader = await LiveReader.open(yard().service.httpAddress, token, '', { 'last-event-id': last })
      for (const until = sent + 20; sent < until; sent++) await flip(sent)
      await reader.until(() => reader.of('alarm').length >= 15)
      // What comes while nobody listens is there when somebody comes back.
      if (how === null) await reader.until(() => seen.length + reader.of('alarm').length >= sent)
      last = reader.lastEventId as string
      seen.push(...reader.of('alarm').map(({ text }) => text))
      reader.close()
      if (how !== null) await yard().restart(how)
    }
    const lines = (await yard().events()).map((line) => JSON.stringify(line))
    expect(lines).toHaveLength(sent)
    expect(seen).toEqual(lines)
  })

  it('brings readings of the devices that are followed, and a beat', async () => {
    const token = await yard().token('viewer')
    const begun = Date.now()
    const reader = await LiveReader.open(yard().service.httpAddress, token, '?devices=T-2')
    await yard().post('gw-0', [
      { device: 'T-2', ts: START, values: { level_pct: 12 } },
      { device: 'T-4', ts: START, values: { level_pct: 13 } }
    ])
    await reader.until(() => reader.of('reading').length > 0 && reader.of('beat').length > 0)
    const value = { metric: 'level_pct', at: minute(0), value: 12, quality: 'good' }
    expect(reader.of('reading').map(({ data }) => data)).toEqual([{ device: 'T-2', receivedAt: expect.any(String), values: [value] }])
    const { at } = (reader.of('beat')[0] as LiveEvent).data
    expect([Date.parse(at) >= begun, Date.parse(at) <= Date.now()]).toEqual([true, true])
    reader.close()
  })

  it('is not for strangers', async () => {
    const reader = await LiveReader.open(yard().service.httpAddress, 'not a token')
    expect(reader.statusCode).toBe(401)
    reader.close()
  })
})
