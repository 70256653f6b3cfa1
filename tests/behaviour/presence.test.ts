// Whether a gateway is there: its will, or the loss of its connection, makes the values of its devices unknown until they report again;
// a goodbye, and an end of the service, do not.

import { expect, it, vi } from 'vitest'
import { onEachBackEnd, WAIT } from './yard.ts'

// Yellow needs a value that is known for two seconds on end.
const RULES = `rules:
  - { id: level, appliesTo: { profile: tank }, tiers: { yellow: { when: level_pct > limits.high, for: 2s } } }
`

onEachBackEnd({ rules: RULES }, (yard) => {
  const shown = (device: string, state: object): Promise<void> =>
    vi.waitFor(async () => expect((await yard().get(`/devices/${device}`)).body).toMatchObject(state), WAIT)
  const turnsOf = async (device: string): Promise<string[]> =>
    (await yard().events()).filter((line) => line.device === device).map(({ from, to }) => `${from} -> ${to}`)
  const raised = (device: string): Promise<void> => vi.waitFor(async () => expect(await turnsOf(device)).toEqual(['clear -> yellow']), WAIT)
  const high = (device: string): object => ({ device, ts: Date.now(), values: { level_pct: 90 } })

  it('a will makes the values of the devices behind it unknown, until they report again', async () => {
    const gateway = await yard().connect('gw-0', { announces: true })
    await gateway.publish('telemetry', high('T-0'))
    await shown('T-0', { gatewayOnline: true, state: 'online' })
    gateway.cut()
    await shown('T-0', { gatewayOnline: false, online: false })
    // The neighbour's delay begins later: when its alarm is there, that of the device would be.
    await yard().post('gw-1', high('T-1'))
    await raised('T-1')
    expect(await turnsOf('T-0')).toEqual([])
    const back = await yard().connect('gw-0', { announces: true })
    await shown('T-0', { gatewayOnline: true })
    await back.publish('telemetry', high('T-0'))
    await shown('T-0', { online: true, state: 'online' })
    await raised('T-0')
    await back.end()
  })

  it('a goodbye is not offline', async () => {
    const gateway = await yard().connect('gw-0', { announces: true })
    await gateway.publish('telemetry', high('T-2'))
    await gateway.end()
    await raised('T-2')
    await shown('T-2', { gatewayOnline: true, online: true })
  })

  it.each(['stop', 'kill'] as const)('an end of the service by %s is not offline either', async (how) => {
    const device = how === 'stop' ? 'T-4' : 'T-6'
    const gateway = await yard().connect('gw-0', { announces: true })
    await gateway.publish('telemetry', high(device))
    await shown(device, { gatewayOnline: true, online: true })
    await yard().restart(how)
    await shown(device, { gatewayOnline: true, online: true })
    await raised(device)
    await gateway.end().catch(() => {})
  })
})

onEachBackEnd({ rules: RULES, without: ['mosquitto'] }, (yard) => {
  it('a connection lost without a will says the same, where the service itself is the broker', async () => {
    const gateway = await yard().connect('gw-0')
    await gateway.publish('telemetry', { device: 'T-8', ts: Date.now(), values: { level_pct: 50 } })
    await vi.waitFor(async () => expect((await yard().get('/devices/T-8')).body).toMatchObject({ online: true }), WAIT)
    gateway.cut()
    await vi.waitFor(
      async () => expect((await yard().get('/devices/T-8')).body).toMatchObject({ gatewayOnline: false, online: false }),
      WAIT
    )
  })
})
