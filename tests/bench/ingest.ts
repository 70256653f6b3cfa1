// npm run bench -- ingest: readings that gateways send by MQTT, counted when they are durable in history, through the whole service
// on the embedded store and on InfluxDB; and in the same run the two floors under them: an MQTT broker that keeps nothing, and a
// writer that sends InfluxDB the same kind of lines and does nothing else.

import { createServer } from 'node:net'
import { Aedes } from 'aedes'
import { LiveService } from '../liveService.ts'
import { openInflux } from '../services/influxServer.ts'
import { floor } from './history.ts'
import type { Figures, Job } from './load.ts'

const SAMPLES_PER_MESSAGE = 50
const SECONDS = 8

export interface IngestGround {
  /** The service's configuration file. */
  readonly plant: string
  /** A new data folder of this name. */
  readonly data: (name: string) => string
  readonly load: (job: Partial<Job> & { readonly mqttPort: number }) => Promise<Figures>
  readonly say: (what: string, figures: string) => void
}

/** Readings a second that a broker without any duty acknowledges. */
async function brokerAlone({ load }: IngestGround): Promise<number> {
  const broker = await Aedes.createBroker({ concurrency: 0 })
  const server = createServer(broker.handle)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const { acknowledged, seconds } = await load({ mqttPort: port, live: null, samplesPerMessage: SAMPLES_PER_MESSAGE, seconds: SECONDS })
  await new Promise<void>((resolve) => broker.close(resolve))
  server.close()
  return (acknowledged * SAMPLES_PER_MESSAGE) / seconds
}

/** Readings a second from the first sent to the last stored, and the share of that time after the last was acknowledged. */
async function durable(ground: IngestGround, name: string, env: Record<string, string>): Promise<{ rate: number; behind: number }> {
  const service = await LiveService.start({ config: ground.plant, data: ground.data(name), env })
  try {
    const began = performance.now()
    const mqttPort = Number(new URL(service.mqttAddress).port)
    const { acknowledged } = await ground.load({ mqttPort, live: null, samplesPerMessage: SAMPLES_PER_MESSAGE, seconds: SECONDS })
    const sent = performance.now()
    for (;;) {
      const figures = await service.metrics()
      const stored = figures.get('fenghuo_readings_stored_total') ?? 0
      if (stored >= acknowledged * SAMPLES_PER_MESSAGE && figures.get('fenghuo_readings_pending') === 0) {
        const ms = performance.now() - began
        return { rate: (stored / ms) * 1000, behind: (performance.now() - sent) / ms }
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  } finally {
    await service.stop()
  }
}

export async function ingest(ground: IngestGround): Promise<void> {
  const influx = await openInflux()
  try {
    const broker = await brokerAlone(ground)
    const writer = await floor(influx)
    const embedded = await durable(ground, 'ingest-embedded', {})
    const onInflux = await durable(ground, 'ingest-influx', { FENGHUO_INFLUX_URL: influx.url, FENGHUO_INFLUX_DATABASE: 'ingest' })
    const rate = (value: number): string => `${Math.round(value).toLocaleString('en')} readings/s`
    const late = (share: number): string => `${Math.round(share * 100)} % of the time after the last acknowledgement`
    ground.say('ingest floor: an MQTT broker that keeps nothing', rate(broker))
    ground.say('ingest floor: a bare writer to InfluxDB', rate(writer))
    ground.say('ingest: gateways -> embedded store', `${rate(embedded.rate)} durable, ${late(embedded.behind)}`)
    const shares = `${(onInflux.rate / embedded.rate).toFixed(2)} of the embedded store, ${(onInflux.rate / broker).toFixed(2)} and ${(onInflux.rate / writer).toFixed(2)} of the floors`
    ground.say('ingest: gateways -> InfluxDB', `${rate(onInflux.rate)} durable, ${shares}, ${late(onInflux.behind)}`)
  } finally {
    await influx.close()
  }
}
