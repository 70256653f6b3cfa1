// Sessions with a real Mosquitto over a real journal, as tests need them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, vi } from 'vitest'
import { Journal } from '../../src/ingest/journal/journal.ts'
import { Upstream, type UpstreamOptions } from '../../src/ingest/upstream.ts'
import type { Standing } from '../../src/ingest/upstreamAcceptance.ts'
import { parseBrokerUrl, type UpstreamSettings } from '../../src/ingest/upstreamSettings.ts'
import type { Plant } from '../../src/model/plant.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import type { Log } from '../../src/platform/log.ts'
import { Metrics } from '../../src/platform/metrics.ts'
import { connectMqtt, type MqttPublisher } from '../../src/platform/mqtt.ts'

export const WAIT = { timeout: 20_000, interval: 10 }
export const clock = new SystemClock()

export function settingsFor(url: string, more: Partial<UpstreamSettings> = {}): UpstreamSettings {
  const { address } = parseBrokerUrl(url)!
  const none = { username: null, password: null, passwordFile: null, ca: null, cert: null, key: null }
  return { address, ...none, connections: 1, protocol: 5, clientId: 'fenghuo', ...more }
}

export class UpstreamYard {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-upstream-'))
  readonly sentences: string[] = []
  /** What the store keeps of the sessions. */
  kept: string | null = null
  readonly shelf = { read: async () => this.kept, write: async (text: string) => void (this.kept = text) }
  readonly journal: Journal
  readonly log: Log
  metrics = new Metrics()
  readonly standings = new Map<string, Standing>()
  readonly presence = new Map<string, boolean>()
  plant = { gateways: ['gw-0', 'gw-1', 'gw-2', 'gw-3', 'gw-4'].map((id) => ({ id })) } as unknown as Plant
  #open: Upstream | null = null
  readonly #publishers: MqttPublisher[] = []

  constructor() {
    const say = (sentence: string): void => void this.sentences.push(sentence)
    this.log = { debug: say, info: say, warn: say, error: say }
    this.journal = new Journal({ folder: path.join(this.folder, 'journal'), clock, log: this.log })
  }

  /** Connected on every line, unless `wait` is false. */
  async upstream(settings: UpstreamSettings, more: Partial<UpstreamOptions> = {}, wait = true): Promise<Upstream> {
    this.metrics = new Metrics()
    const upstream = new Upstream({
      ...{ settings, clock, log: this.log, metrics: this.metrics, journal: this.journal, shelf: this.shelf },
      plant: () => this.plant,
      standing: (id) => this.standings.get(id) ?? (this.plant.gateways.some((gateway) => gateway.id === id) ? 'known' : 'unknown'),
      presence: (id) => this.presence.get(id) ?? null,
      ...more
    })
    this.#open = upstream
    await upstream.start()
    if (wait) await vi.waitFor(() => expect(upstream.connections()).toHaveLength(settings.connections), WAIT)
    return upstream
  }

  async publisher(url: string, username: string, password?: string): Promise<MqttPublisher> {
    const publisher = await connectMqtt({ url, clock, username, ...(password === undefined ? {} : { password }) })
    this.#publishers.push(publisher)
    return publisher
  }

  /** What the journal holds since `after`. */
  async journaled(after = 0): Promise<string[]> {
    const lines: string[] = []
    for (let seq = after; ; ) {
      const records = await this.journal.read(seq, 1000, 1_000_000)
      if (records.length === 0) return lines
      for (const { kind, source, body } of records) lines.push(`${kind} ${source} ${Buffer.from(body).toString()}`)
      seq = records.at(-1)!.seq
    }
  }

  async metric(name: string): Promise<number> {
    const line = (await this.metrics.text()).split('\n').find((text) => text.startsWith(`${name} `))
    return Number(line?.slice(name.length + 1))
  }

  async close(): Promise<void> {
    for (const publisher of this.#publishers) publisher.cut()
    await this.#open?.stop()
    await this.journal.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
