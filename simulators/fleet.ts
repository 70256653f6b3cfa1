// A whole script at work: one connection per gateway with its own credentials and will, and the devices behind them.

import type { Clock } from '../src/platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../src/platform/mqtt.ts'
import { Refusal } from '../src/platform/problem.ts'
import { Simulation, type SimulationCounts, type Uplink } from './run.ts'
import type { Script } from './script.ts'

/** Samples per MQTT message at most. */
const SAMPLES_PER_MESSAGE = 50

export interface FleetOptions {
  /** `mqtt://host:port` of the broker; each gateway signs in with its own id and secret. */
  readonly url: string
  readonly clock: Clock
  /** Resolves `env:NAME` secrets. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly seed: number
  readonly onState: (sentence: string) => void
}

export class SimulatedFleet {
  readonly #simulation: Simulation
  readonly #publishers: readonly MqttPublisher[]

  private constructor(simulation: Simulation, publishers: readonly MqttPublisher[]) {
    this.#simulation = simulation
    this.#publishers = publishers
  }

  /** Connects every gateway of the script. Throws a Refusal where one cannot: nobody there, secret refused or not set. */
  static async connect(script: Script, options: FleetOptions): Promise<SimulatedFleet> {
    const publishers = new Map<string, MqttPublisher>()
    try {
      for (const [gateway, secret] of script.secrets) publishers.set(gateway, await connectGateway(gateway, secret, options))
    } catch (cause) {
      for (const publisher of publishers.values()) publisher.cut()
      throw cause
    }
    const uplinks = new Map<string, Uplink>([...publishers].map(([gateway, publisher]) => [gateway, uplinkOf(gateway, publisher)]))
    return new SimulatedFleet(new Simulation(script.devices, uplinks, options.clock, options.seed), [...publishers.values()])
  }

  get counts(): SimulationCounts {
    return this.#simulation.counts
  }

  /** Runs until stopped, or for `forMs`; then says goodbye. */
  async run(forMs?: number): Promise<void> {
    await this.#simulation.run(forMs)
    await Promise.all(this.#publishers.map((publisher) => publisher.end()))
  }

  stop(): void {
    this.#simulation.stop()
  }
}

async function connectGateway(gateway: string, secret: string, { url, clock, env, onState }: FleetOptions): Promise<MqttPublisher> {
  const name = secret.startsWith('env:') ? secret.slice(4) : null
  const password = name === null ? secret : env[name]
  if (password === undefined) throw new Refusal(`The secret of gateway ${gateway} is taken from ${name}, which is not set.`)
  const status = `fh/1/${gateway}/status`
  const publisher = await connectMqtt({
    url,
    clock,
    username: gateway,
    password,
    clientId: `${gateway}-simulator`,
    will: { topic: status, payload: '{"online":false}', qos: 1, retain: true },
    onState: (_state, sentence) => onState(`${gateway}: ${sentence}`)
  })
  await publisher.publish(status, '{"online":true}', { qos: 1, retain: true })
  return publisher
}

function uplinkOf(gateway: string, publisher: MqttPublisher): Uplink {
  const topic = `fh/1/${gateway}/telemetry`
  return {
    async publish(samples) {
      for (let from = 0; from < samples.length; from += SAMPLES_PER_MESSAGE) {
        await publisher.publish(topic, JSON.stringify(samples.slice(from, from + SAMPLES_PER_MESSAGE)))
      }
    }
  }
}
