// The load: gateways that send each sample until it is acknowledged, in order, each device going above its limit and below it again
// by construction, so that every alarm is known beforehand.

import { pause, SystemClock } from '../../src/platform/clock.ts'
import { Gateway } from '../behaviour/gateway.ts'

export interface Sent {
  readonly ts: number
  readonly level: number
  /** When the acknowledgement arrived, epoch ms. */
  acknowledgedAt: number
}

/** Samples of one phase, above or below the limit. */
const PHASE = 8
export const HIGH = 95
export const LOW = 50

const clock = new SystemClock()

/** One gateway with its devices. */
export class Sender {
  readonly id: string
  readonly devices: readonly string[]
  readonly sent = new Map<string, Sent[]>()
  /** Attempts that were not acknowledged: sent again. */
  repeats = 0
  readonly #everyMs: number
  readonly #deliver: (body: string) => Promise<void>
  #stopped = false

  /** `deliver` sends one message and resolves once it is acknowledged. */
  constructor(id: string, devices: readonly string[], everyMs: number, deliver: (body: string) => Promise<void>) {
    this.id = id
    this.devices = devices
    this.#everyMs = everyMs
    this.#deliver = deliver
    for (const device of devices) this.sent.set(device, [])
  }

  async run(): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const ts = Date.now()
      const round = this.devices.map((device, d) => ({ device, ts, values: { level_pct: (n + d * 3) % (2 * PHASE) < PHASE ? LOW : HIGH } }))
      const body = JSON.stringify(round)
      while (!(await this.#acknowledged(body))) {
        this.repeats++
        await pause(clock, 200)
      }
      const acknowledgedAt = Date.now()
      for (const { device, values } of round) this.sent.get(device)?.push({ ts, level: values.level_pct, acknowledgedAt })
      await pause(clock, Math.max(1, ts + this.#everyMs - Date.now()))
    }
  }

  stop(): void {
    this.#stopped = true
  }

  async #acknowledged(body: string): Promise<boolean> {
    const late = pause(clock, 5_000).then(() => false)
    return Promise.race([
      this.#deliver(body).then(
        () => true,
        () => false
      ),
      late
    ])
  }
}

/** Delivers by MQTT QoS 1; a connection that is lost, or does not answer, is made anew. */
export function byMqtt(url: string, id: string, secret: string): (body: string) => Promise<void> {
  let gateway: Gateway | null = null
  return async (body) => {
    if (gateway?.connected !== true) {
      gateway?.cut()
      gateway = await Gateway.connect({ url, id, secret, clientId: id })
    }
    const own = gateway
    const answer = pause(clock, 4_000).then(() => {
      throw new Error('no answer')
    })
    try {
      await Promise.race([own.publish('telemetry', body), answer])
    } catch (cause) {
      own.cut()
      if (gateway === own) gateway = null
      throw cause
    }
  }
}

/** Delivers by HTTP to the first of these services that takes it. */
export function byHttp(addresses: () => readonly string[], id: string, secret: string): (body: string) => Promise<void> {
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
  return async (body) => {
    for (const address of addresses()) {
      const signal = AbortSignal.timeout(4_000)
      const response = await fetch(`${address}/api/v1/telemetry`, { method: 'POST', headers: { authorization }, body, signal }).catch(
        () => null
      )
      if (response?.status === 202) return void (await response.arrayBuffer())
      await response?.arrayBuffer()
    }
    throw new Error('not taken')
  }
}
