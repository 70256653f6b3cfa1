// The loss identities of /metrics under load: what came in is journaled or refused, what was read is stored, waiting or
// dropped for a named reason, at every single scrape, also while several scrape at once.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import { LiveService } from '../liveService.ts'
import { publishPacket, RawMqtt } from './rawMqtt.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

const clock = new SystemClock()
const START = Date.parse('2026-01-01T00:00:00Z')
const SCRAPES = 50
let plant: TankPlant
let service: LiveService

beforeAll(async () => {
  plant = tankPlant()
  service = await LiveService.start({ config: plant.config, data: `${plant.folder}/data` })
})

afterAll(async () => {
  await service?.kill()
  plant?.remove()
})

function value(metrics: Map<string, number>, name: string): number {
  const found = metrics.get(name)
  if (found === undefined) throw new Error(`${name} is not in /metrics`)
  return found
}

/** The sum of all series of a family. */
function family(metrics: Map<string, number>, name: string): number {
  return [...metrics].filter(([series]) => series.startsWith(`${name}{`)).reduce((sum, [, one]) => sum + one, 0)
}

function expectNothingLost(metrics: Map<string, number>): void {
  const received = value(metrics, 'fenghuo_messages_received_total')
  expect(value(metrics, 'fenghuo_messages_journaled_total') + value(metrics, 'fenghuo_messages_refused_total')).toBe(received)
  const pending = value(metrics, 'fenghuo_readings_pending')
  expect(pending).toBeGreaterThanOrEqual(0)
  expect(value(metrics, 'fenghuo_readings_stored_total') + pending + family(metrics, 'fenghuo_readings_dropped_total')).toBe(
    value(metrics, 'fenghuo_readings_total')
  )
}

/** Messages of new readings, of repeats, of rubbish, without an end. */
async function load(publisher: MqttPublisher, gateway: number, isOver: () => boolean): Promise<number> {
  let n = 0
  for (; !isOver() && (await publisher.room()); n++) {
    const at = START + (n - (n % 4 === 3 ? 1 : 0)) * 1000
    const body =
      n % 16 === 7 ? '{rubbish' : JSON.stringify({ device: `T-${gateway}`, ts: at, values: { level_pct: 50, temperature_c: 20 } })
    publisher.offer(`fh/1/gw-${gateway}/telemetry`, body)
  }
  await publisher.idle(10_000)
  return n
}

it(`add up at each of ${SCRAPES} scrapes, and in the end to what was sent`, async () => {
  let over = false
  const publishers = await Promise.all(
    [0, 1].map((g) => connectMqtt({ url: service.mqttAddress, clock, username: `gw-${g}`, password: `secret-${g}`, window: 100 }))
  )
  const loads = publishers.map((publisher, gateway) => load(publisher, gateway, () => over))
  const totals: number[] = []
  for (let scrape = 0; scrape < SCRAPES; scrape++) {
    // Every fifth time two at once, and a publish that is refused.
    const both = scrape % 5 === 4 ? [service.metrics(), service.metrics()] : [service.metrics()]
    for (const metrics of await Promise.all(both)) {
      expectNothingLost(metrics)
      totals.push(value(metrics, 'fenghuo_messages_received_total'))
    }
    if (scrape % 10 === 0) {
      const raw = await RawMqtt.signIn(service.mqttAddress, 'gw-0', 'secret-0')
      raw.send(publishPacket(Buffer.from('fh/1/gw-1/telemetry'), Buffer.from('{}'), 1))
      await raw.closed()
    }
  }
  over = true
  const sent = (await Promise.all(loads)).reduce((sum, one) => sum + one, 0)
  await Promise.all(publishers.map((publisher) => publisher.end()))
  expect(totals).toEqual(totals.toSorted((a, b) => a - b))
  const last = await service.metrics()
  expectNothingLost(last)
  expect(value(last, 'fenghuo_messages_journaled_total')).toBe(sent)
  expect(value(last, 'fenghuo_messages_refused_total')).toBe(SCRAPES / 10)
})
