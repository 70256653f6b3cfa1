// A gateway that reports all through a test: whatever happens to others, its samples are acknowledged and kept.

import { pause, SystemClock } from '../../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'
import type { LiveService } from '../liveService.ts'

const clock = new SystemClock()
const START = Date.parse('2026-01-01T00:00:00Z')

export class Neighbour {
  readonly #publisher: MqttPublisher
  readonly #stopped = new AbortController()
  #running: Promise<void>
  #acknowledged = 0

  private constructor(publisher: MqttPublisher) {
    this.#publisher = publisher
    this.#running = this.#run()
  }

  /** gw-1 with samples of T-1: the nth at START + n s, level n % 80. */
  static async begin(service: LiveService): Promise<Neighbour> {
    return new Neighbour(await connectMqtt({ url: service.mqttAddress, clock, username: 'gw-1', password: 'secret-1' }))
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  get ended(): boolean {
    return this.#stopped.signal.aborted
  }

  /** Ends it; answers how many samples were acknowledged. Throws where one was not. */
  async end(): Promise<number> {
    this.#stopped.abort()
    await this.#running
    await this.#publisher.end()
    return this.#acknowledged
  }

  /** Every acknowledged sample as history should hold it. */
  expected(): [string, number][] {
    return Array.from({ length: this.#acknowledged }, (_, n) => [new Date(START + n * 1000).toISOString(), n % 80])
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const n = this.#acknowledged
      const sample = { device: 'T-1', ts: START + n * 1000, values: { level_pct: n % 80 } }
      if (!(await this.#publisher.publish('fh/1/gw-1/telemetry', JSON.stringify(sample))))
        throw new Error(`sample ${n} was not acknowledged`)
      this.#acknowledged++
      await pause(clock, 10)
    }
  }
}

export const NEIGHBOUR_READINGS = '/api/v1/readings?device=T-1&metric=level_pct&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z'
