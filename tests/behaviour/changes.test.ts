// Rules and devices changed while the service runs: in force at once, versioned, and still in force after it was killed.

import { expect, it, vi } from 'vitest'
import { minute, onEachBackEnd, START, WAIT } from './yard.ts'

const RULES = `rules:
  - { id: level, appliesTo: { profile: tank }, tiers: { yellow: { when: level_pct > limits.high } } }
`
const LEVEL = { id: 'level', appliesTo: { profile: 'tank' }, tiers: { yellow: { when: 'level_pct > 50' } } }
const WARM = { id: 'warm', appliesTo: { profile: 'tank' }, tiers: { orange: { when: 'temperature_c > 60' } } }

onEachBackEnd({ rules: RULES }, (yard) => {
  const turns = async (device: string): Promise<string[]> =>
    (await yard().events()).filter((line) => line.device === device).map(({ at, rule, from, to }) => `${at} ${rule} ${from} -> ${to}`)

  it('judges by a changed rule from then on, and after a kill', async () => {
    expect((await yard().post('gw-0', { device: 'T-0', ts: minute(0), values: { level_pct: 60, temperature_c: 70 } })).status).toBe(202)
    const before = await yard().get('/rules/level')
    expect(before.body).toMatchObject({ version: 0, amended: false })
    const etag = before.headers.get('etag') as string
    const changed = await yard().ask('PUT', '/rules/level?note=lower', { body: LEVEL, headers: { 'if-match': etag } })
    expect([changed.status, changed.body]).toEqual([200, { id: 'level', change: 'changed', version: 1, written: LEVEL, warnings: [] }])
    const other = { ...LEVEL, tiers: { yellow: { when: 'level_pct > 40' } } }
    expect((await yard().ask('PUT', '/rules/level', { body: other, headers: { 'if-match': etag } })).status).toBe(412)
    expect((await yard().ask('POST', '/rules', { body: WARM })).body).toMatchObject({ change: 'created', version: 1 })
    expect((await yard().ask('POST', '/rules', { body: WARM })).status).toBe(409)
    const bad = await yard().ask('POST', '/rules', { body: { ...WARM, id: 'bad', tiers: { red: { when: 'nonsense >' } } } })
    expect([bad.status, bad.body.problems.length > 0]).toEqual([422, true])
    expect((await yard().post('gw-0', { device: 'T-0', ts: minute(1), values: { level_pct: 61, temperature_c: 71 } })).status).toBe(202)
    await vi.waitFor(
      async () => expect((await turns('T-0')).map((line) => line.slice(25))).toEqual(['level clear -> yellow', 'warm clear -> orange']),
      WAIT
    )
    const first = await turns('T-0')
    await yard().restart('kill')
    expect(await turns('T-0')).toEqual(first)
    expect((await yard().post('gw-0', { device: 'T-0', ts: minute(2), values: { level_pct: 45, temperature_c: 20 } })).status).toBe(202)
    await vi.waitFor(async () => {
      const later = (await turns('T-0')).slice(first.length)
      expect(later).toEqual([`${minute(2)} level yellow -> clear`, `${minute(2)} warm orange -> clear`])
    }, WAIT)
    const versions = (await yard().get('/rules/level/versions')).body.items
    expect(versions).toMatchObject([{ version: 1, by: 'admin', note: 'lower', change: 'changed' }])
    expect((await yard().ask('DELETE', '/rules/warm')).body).toMatchObject({ change: 'removed', version: 2 })
    expect((await yard().ask('DELETE', '/rules/level')).body).toMatchObject({ change: 'reverted', version: 2 })
    await yard().restart('stop')
    expect((await yard().get('/rules')).body.items.map(({ id }: { id: string }) => id)).toEqual(['level'])
    expect((await yard().get('/rules/level')).body).toMatchObject({ version: 2, amended: false })
    expect((await yard().get('/amendments')).body.items).toEqual([])
  })

  it('knows a new device at once, and after a restart; another limit counts; one taken away is gone', async () => {
    const sample = (ts: string, level: number): object => ({ device: 'N-1', ts, values: { level_pct: level } })
    expect((await yard().post('gw-0', sample(minute(0), 60))).body.rejected).toHaveLength(1)
    const device = { id: 'N-1', profile: 'tank', gateway: 'gw-0', area: 'bund-0', limits: { high: 55 } }
    expect((await yard().ask('POST', '/devices', { body: device })).status).toBe(201)
    expect((await yard().post('gw-0', sample(minute(1), 60))).body).toEqual({ accepted: 1, rejected: [] })
    await vi.waitFor(async () => expect(await turns('N-1')).toEqual([`${minute(1)} level clear -> yellow`]), WAIT)
    expect((await yard().ask('PUT', '/devices/N-1', { body: { ...device, limits: { high: 65 } } })).status).toBe(200)
    await yard().restart('kill')
    expect((await yard().get('/devices/N-1')).body).toMatchObject({ limits: { high: 65, high_high: 92 }, version: 2 })
    expect((await yard().post('gw-0', sample(minute(2), 64))).status).toBe(202)
    await vi.waitFor(async () => expect((await turns('N-1')).at(-1)).toMatch(/level yellow -> clear$/), WAIT)
    await vi.waitFor(
      async () => expect(await yard().readings('N-1', 'level_pct')).toEqual([`${minute(1)} 60 good`, `${minute(2)} 64 good`]),
      WAIT
    )
    expect((await yard().ask('DELETE', '/devices/N-1')).status).toBe(200)
    await yard().restart('stop')
    expect((await yard().get('/devices/N-1')).status).toBe(404)
    expect((await yard().post('gw-0', sample(minute(3), 60))).body.rejected).toHaveLength(1)
  })

  it('takes out of quarantine what a correction has made readable', async () => {
    const bodies = [
      { device: 'N-2', ts: START, values: { level_pct: 41 } },
      [
        { device: 'T-2', ts: START, values: { level_pct: 5 } },
        { device: 'N-2', ts: START + 1000, values: { level_pct: 42 } }
      ]
    ]
    for (const body of bodies) expect((await yard().post('gw-0', body)).body.rejected).toHaveLength(1)
    const sent = Date.now()
    expect((await yard().post('gw-0', { device: 'N-2', ts: null, values: { level_pct: 43 } })).body.rejected).toHaveLength(1)
    const received = Date.now()
    const mine = async (): Promise<{ id: number; at: string; device: string }[]> =>
      (await yard().get('/quarantine')).body.items.filter(({ device }: { device: string }) => device === 'N-2').toReversed()
    const held = await mine()
    expect(held).toHaveLength(3)
    const retry = (id: number, token?: string) => yard().ask('POST', `/quarantine/${id}/retry`, token === undefined ? {} : { token })
    const [early] = held
    // Nothing has changed: it stays where it is, with its reason.
    expect(await retry(early?.id as number)).toMatchObject({ status: 409 })
    expect(await mine()).toEqual(held)
    expect((await retry(early?.id as number, await yard().token('viewer'))).status).toBe(403)
    expect((await retry(999_999)).status).toBe(404)
    expect((await yard().ask('POST', '/devices', { body: { id: 'N-2', profile: 'tank', gateway: 'gw-0' } })).status).toBe(201)
    const answers = []
    for (const { id } of held) answers.push(await retry(id))
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, { accepted: 1, rejected: [] }],
      [200, { accepted: 1, rejected: [] }],
      [200, { accepted: 1, rejected: [] }]
    ])
    // A sample without an instant keeps that of its first receipt.
    const receipt = held[2]?.at as string
    expect([Date.parse(receipt) >= sent, Date.parse(receipt) <= received]).toEqual([true, true])
    await vi.waitFor(async () => {
      expect(await yard().readings('N-2', 'level_pct')).toEqual([
        `${minute(0)} 41 good`,
        `${new Date(START + 1000).toISOString()} 42 good`,
        `${receipt} 43 good`
      ])
      expect(await yard().readings('T-2', 'level_pct')).toEqual([`${minute(0)} 5 good`])
    }, WAIT)
    expect(await mine()).toEqual([])
    expect((await retry(early?.id as number)).status).toBe(404)
    await yard().restart('kill')
    expect(await mine()).toEqual([])
    expect((await yard().get('/audit')).body.items.map(({ what }: { what: string }) => what)).toContain(`quarantine.retry ${early?.id}`)
  })
})
