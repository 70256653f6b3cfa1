// From alarm to person: messages by SMS and webhook through the carrier, tried again where it will not, acknowledged by the link in
// them, drills, and every one of them told over kills of the service; what may have come twice is marked.

import { expect, it, vi } from 'vitest'
import type { LedgerEntry } from '../../simulators/carrier/carrier.ts'
import { onEachBackEnd, START, WAIT } from './yard.ts'

const RULES = `rules:
  - { id: level, title: { zh: 液位, en: Level }, appliesTo: { profile: tank }, tiers: { red: { when: level_pct > limits.high } } }
  - { id: warm, title: { zh: 温度, en: Temperature }, appliesTo: { profile: tank }, tiers: { red: { when: temperature_c > 60 } } }
`
const LI = '+8600000000101'
const DUTY = `zone: Asia/Shanghai
people:
  - { id: li, name: { zh: 李, en: Li }, phone: "${LI}", addresses: { webhook: "CARRIER/li" } }
  - { id: wang, name: { zh: 王, en: Wang }, language: en, phone: "+8600000000102", addresses: { webhook: "CARRIER/wang" } }
ladders:
  - id: by-sms
    appliesTo: { rules: [level] }
    steps:
      - { tell: [person:li], by: [sms] }
      - { after: 4s, tell: [person:wang], by: [sms] }
  - { id: by-hook, appliesTo: { rules: [warm] }, steps: [{ tell: [person:wang], by: [webhook] }] }
`

interface Notification {
  readonly id: string
  readonly at: string
  readonly alarms: string[]
  readonly reason: string
  readonly person: string
  readonly channel: string
  readonly state: string
  readonly tries: number
  readonly withheld: string | null
  readonly problem: string | null
  readonly possibleDuplicate: boolean
  readonly drill: boolean
}

onEachBackEnd({ rules: RULES, duty: DUTY, alone: ['redis', 'postgres'] }, (yard) => {
  const told = (): Promise<Notification[]> => yard().service.all<Notification>('/api/v1/notifications')
  const about = async (device: string): Promise<Notification[]> =>
    (await told()).filter(({ alarms, drill }) => !drill && alarms.some((id) => id.includes(`/${device}#`))).toReversed()
  const arrived = (to: string): LedgerEntry[] => yard().carrier.ledger.filter((entry) => entry.to.endsWith(to))
  const raise = async (device: string, values: object): Promise<void> => {
    const gateway = `gw-${Number(device.slice(2)) % 2}`
    expect((await yard().post(gateway, { device, ts: Date.now(), values })).status).toBe(202)
  }

  it('is told by SMS, receipt included, and acknowledged by its link; nobody further is called', async () => {
    await raise('T-0', { level_pct: 90 })
    await vi.waitFor(async () => expect((await about('T-0')).map(({ state }) => state)).toContain('delivered'), WAIT)
    const [sms] = yard().carrier.ledger.filter(({ way }) => way === 'smpp')
    expect(sms?.text).toContain('T-0')
    const link = /https:\/\/phone\.test(\/a\/[A-Za-z0-9_-]+)/.exec(partsOf(yard().carrier.ledger))?.[1] as string
    const page = await fetch(`${yard().service.httpAddress}${link}`)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('收到，我来处理')])
    const [alarm] = (await yard().get('/alarms?device=T-0')).body.items
    expect(alarm.acknowledged).toBeNull()
    expect((await fetch(`${yard().service.httpAddress}${link}`, { method: 'POST' })).status).toBe(200)
    const after = (await yard().get(`/alarms/${encodeURIComponent(alarm.id)}`)).body
    expect(after.acknowledged).toMatchObject({ by: expect.stringContaining('li') })
    await vi.waitFor(
      async () =>
        expect((await about('T-0')).map(({ person, state, withheld }) => [person, state, withheld])).toEqual([
          ['li', 'delivered', null],
          ['wang', 'withheld', 'acknowledged']
        ]),
      WAIT
    )
    expect(arrived('0102')).toEqual([])
  })

  it('is tried again where the provider is too busy or breaks off, always under the same id', async () => {
    let tries = 0
    yard().treat = ({ way }) =>
      way !== 'webhook' ? 'taken' : ((['throttled', 'broken', 'taken'] as const)[Math.min(2, tries++)] ?? 'taken')
    await raise('T-2', { temperature_c: 70 })
    const [notification] = await vi.waitFor(async () => {
      const found = await about('T-2')
      expect(found).toMatchObject([{ person: 'wang', channel: 'webhook', state: 'sent', possibleDuplicate: expect.any(Boolean) }])
      return found
    }, WAIT)
    const hooks = yard().carrier.ledger.filter(({ reference }) => reference === notification?.id)
    expect(hooks.map(({ outcome }) => outcome)).toEqual(['throttled', 'broken', 'taken'])
  })

  it('is a dead letter where the provider refuses, until somebody sends it again', async () => {
    yard().treat = () => 'refused'
    await raise('T-4', { temperature_c: 70 })
    const [dead] = await vi.waitFor(async () => {
      const found = await about('T-4')
      expect(found).toMatchObject([{ state: 'failed', problem: expect.stringMatching(/\.$|410/) }])
      return found
    }, WAIT)
    yard().treat = () => 'taken'
    const retry = () => yard().ask('POST', `/notifications/${encodeURIComponent(dead?.id as string)}/retry`)
    expect((await retry()).status).toBe(200)
    await vi.waitFor(async () => expect((await about('T-4'))[0]?.state).toBe('sent'), WAIT)
    expect((await retry()).status).toBe(409)
    const hooks = yard().carrier.ledger.filter(({ reference }) => reference === dead?.id)
    expect(hooks.map(({ outcome }) => outcome)).toEqual(['refused', 'taken'])
  })

  it('is exercised by a drill that says so, is no alarm, and ends with its acknowledgement', async () => {
    const before = (await yard().events()).length
    const asked = await yard().ask('POST', '/drill', { body: { device: 'T-6', rule: 'level', tier: 'red', note: 'spring' } })
    expect([asked.status, asked.body]).toEqual([202, expect.objectContaining({ drill: true, ladder: 'by-sms' })])
    const { id } = asked.body
    await vi.waitFor(async () => {
      const drill = (await yard().get(`/drills/${encodeURIComponent(id)}`)).body
      expect(drill.steps.map(({ person, channel, state }: Notification) => [person, channel, state])).toContainEqual([
        'li',
        'sms',
        'delivered'
      ])
    }, WAIT)
    expect(yard().carrier.ledger.some(({ text }) => text.startsWith('【演练'))).toBe(true)
    const ended = await yard().ask('POST', `/drills/${encodeURIComponent(id)}/acknowledge`, { body: { note: 'fine' } })
    expect([ended.status, ended.body.outcome, ended.body.acknowledged.by]).toEqual([200, 'acknowledged', 'admin'])
    expect((await yard().ask('POST', `/drills/${encodeURIComponent(id)}/acknowledge`)).status).toBe(409)
    expect((await yard().events()).length).toBe(before)
    await yard().restart('kill')
    expect((await yard().get(`/drills/${encodeURIComponent(id)}`)).body).toMatchObject({ outcome: 'acknowledged', note: 'spring' })
  })

  it('tells of every alarm over kills, and marks what may have come twice', { timeout: 120_000 }, async () => {
    const devices = ['T-1', 'T-3', 'T-5', 'T-7', 'T-9', 'T-11']
    const raised = async (): Promise<number> =>
      (await told()).filter(({ channel, reason }) => channel === 'webhook' && reason === 'raised').length
    const before = await raised()
    const lives = 3
    for (let life = 0; life < lives; life++) {
      const on = devices.map((device, d) => ({ device, ts: START + life * 7_200_000 + d, values: { temperature_c: 70 } }))
      const off = devices.map((device, d) => ({ device, ts: START + life * 7_200_000 + 3_600_000 + d, values: { temperature_c: 20 } }))
      const arrivals = yard().carrier.ledger.length
      expect((await yard().post('gw-1', on)).status).toBe(202)
      await vi.waitFor(() => expect(yard().carrier.ledger.length).toBeGreaterThan(arrivals + life), { ...WAIT, interval: 2 })
      await yard().restart('kill')
      expect((await yard().post('gw-1', off)).status).toBe(202)
    }
    const all = await vi.waitFor(async () => {
      const found = await told()
      expect(found.filter(({ state }) => state === 'queued' || state === 'sending')).toEqual([])
      expect(await raised()).toBe(before + lives * devices.length)
      return found
    }, WAIT)
    const times = new Map<string, number>()
    for (const { reference, way, outcome } of yard().carrier.ledger) {
      if (way === 'webhook' && outcome === 'taken') times.set(reference, (times.get(reference) ?? 0) + 1)
    }
    const hooks = all.filter(({ channel, withheld }) => channel === 'webhook' && withheld === null)
    expect(hooks.map(({ state }) => state)).toEqual(hooks.map(() => 'sent'))
    expect([...times.keys()].toSorted()).toEqual(hooks.map(({ id }) => id).toSorted())
    const marked = new Set(hooks.filter(({ possibleDuplicate }) => possibleDuplicate).map(({ id }) => id))
    expect([...times].filter(([id, count]) => count > 1 && !marked.has(id))).toEqual([])
  })
})

/** The text of all parts of all short messages, one after the other. */
function partsOf(ledger: readonly LedgerEntry[]): string {
  return ledger
    .filter(({ way }) => way === 'smpp')
    .map(({ text }) => text)
    .join('')
}
