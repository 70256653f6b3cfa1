// A start that is refused at its doors has told nobody anything; the next one sends what waited.

import { createServer } from 'node:net'
import path from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { HookReceiver, hookFiles } from '../hookReceiver.ts'
import { LiveService, refusedStart } from '../liveService.ts'
import { tankPlant } from './tankPlant.ts'

const WAIT = { timeout: 20_000, interval: 10 }

it('nothing leaves before every door is open', async () => {
  const hooks = await HookReceiver.open()
  const plant = tankPlant()
  const taken = createServer()
  let running: LiveService | null = null
  onTestFinished(async () => {
    await running?.kill()
    taken.close()
    await hooks.close()
    plant.remove()
  })
  const { service, duty, env } = hookFiles(hooks.url)
  plant.write('fenghuo.yaml', `${service}deadMan: { url: "${hooks.url}", every: 1h }\n`)
  plant.write('duty.yaml', duty)
  const options = { config: plant.config, data: path.join(plant.folder, 'data'), env }
  const sent = () => hooks.ledger.map(({ id }) => (id === 'undefined' ? 'heartbeat' : 'message'))
  // Killed before the answer: the message is sent again by whoever starts next.
  hooks.delayMs = 60_000
  running = await LiveService.start(options)
  expect((await running.telemetry('gw-0', 'secret-0', '{"device":"T-0","values":{"level_pct":90}}')).status).toBe(202)
  await vi.waitFor(() => expect(sent().toSorted()).toEqual(['heartbeat', 'message']), WAIT)
  await running.kill()
  hooks.delayMs = 0
  hooks.ledger.length = 0

  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const port = String((taken.address() as { port: number }).port)
  const { output } = await refusedStart({ ...options, env: { ...env, FENGHUO_MQTT_PORT: port } })
  expect(output).toContain('is in use')
  expect(sent()).toEqual([])

  running = await LiveService.start(options)
  await vi.waitFor(() => expect(sent().toSorted()).toEqual(['heartbeat', 'message']), WAIT)
  expect(await running.stop()).toBe(0)
}, 60_000)
