// Sends recorded data over MQTT as a gateway would: in order, QoS 1, at a pace. Invariant: what the summary calls acknowledged
// the broker has acknowledged; samples of one device never overtake one another.

import { openRecording, type Recording } from '../../ingest/recorded/recording.ts'
import type { RecordedProblem, RecordedSample } from '../../ingest/recorded/samples.ts'
import type { Mapping } from '../../ingest/recorded/table.ts'
import { type Clock, pause, type Timer } from '../../platform/clock.ts'
import { connectMqtt, type MqttPublisher } from '../../platform/mqtt.ts'
import { type Problem, Refusal } from '../../platform/problem.ts'

export interface ReplayOptions {
  readonly files: readonly string[]
  readonly mapping: Mapping | null
  readonly url: string
  /** The gateway; default: the user name in the URL. */
  readonly username: string | null
  readonly password: string | null
  /** How many times faster than recorded; Infinity: as fast as the broker acknowledges. */
  readonly speed: number
  /** Shift the recording into the present: never ahead of it, ending now (or beginning now where it is slowed down). */
  readonly now: boolean
}

export interface ReplayProgress {
  /** 0 to 1. */
  readonly done: number
  readonly samples: number
  readonly acknowledged: number
  readonly badRows: number
}

/** What one replay did. Samples, not messages: several travel in one. */
export interface ReplaySummary {
  readonly samples: number
  readonly messages: number
  readonly acknowledged: number
  readonly badRows: number
  /** Samples the service acknowledged but could not use, as it reported on the `rejects` topic. */
  readonly rejected: number
  readonly seconds: number
  /** It was told to stop before the end. */
  readonly stopped: boolean
}

export interface ReplayListener {
  badRow(problem: RecordedProblem): void
  rejected(sentence: string): void
  connection(sentence: string): void
}

const SAMPLES_PER_MESSAGE = 50
const BYTES_PER_MESSAGE = 128 * 1024
/** Messages on their way. */
const WINDOW = 100
/** What the last acknowledgements may take. */
const LAST_MS = 30_000
/** Away for longer, it gives up. */
const AWAY_MS = 60_000
/** Rejects of the last messages arrive a moment after their acknowledgement. */
const REJECTS_MS = 300
const GATEWAY_ID = /^[A-Za-z0-9._-]{1,64}$/

/** Opens the files and connects; problems of the mapping are answered, everything else that prevents a replay is a Refusal. */
export async function openReplay(
  options: ReplayOptions,
  clock: Clock,
  listener: ReplayListener
): Promise<{ readonly replay: Replay | null; readonly problems: readonly Problem[] }> {
  const gateway = gatewayOf(options)
  const { recording, problems } = await openRecording(options.files, options.mapping)
  if (recording === null) return { replay: null, problems }
  const publisher = await connectMqtt({
    url: options.url,
    clock,
    window: WINDOW,
    ...(options.username === null ? {} : { username: options.username }),
    ...(options.password === null ? {} : { password: options.password }),
    onState: (state, sentence) => {
      listener.connection(sentence)
      replay.connection(state !== 'back')
    }
  })
  const replay: Replay = new Replay(recording, publisher, gateway, options, clock, listener)
  return { replay, problems: [] }
}

/** One replay on its way. */
export class Replay {
  readonly #recording: Recording
  readonly #publisher: MqttPublisher
  readonly #topic: string
  readonly #options: ReplayOptions
  readonly #clock: Clock
  readonly #listener: ReplayListener
  #batch: string[] = []
  #batchBytes = 0
  #samples = 0
  #messages = 0
  #acknowledged = 0
  #badRows = 0
  #rejected = 0
  #stopped = false
  #away: Timer | null = null
  #wake: () => void = () => {}
  readonly #stop: Promise<void>

  constructor(
    recording: Recording,
    publisher: MqttPublisher,
    gateway: string,
    options: ReplayOptions,
    clock: Clock,
    listener: ReplayListener
  ) {
    this.#recording = recording
    this.#publisher = publisher
    this.#topic = `fh/1/${gateway}`
    this.#options = options
    this.#clock = clock
    this.#listener = listener
    this.#stop = new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  get progress(): ReplayProgress {
    const { bytes, bytesRead } = this.#recording
    const done = bytes === 0 ? 1 : Math.min(1, bytesRead / bytes)
    return { done, samples: this.#samples, acknowledged: this.#acknowledged, badRows: this.#badRows }
  }

  /** Hears that the connection was lost, or is back. */
  connection(lost: boolean): void {
    if (!lost) {
      this.#away?.cancel()
      this.#away = null
    } else
      this.#away ??= this.#clock.after(AWAY_MS, () => {
        this.#listener.connection(`${this.#publisher.address} did not come back within ${AWAY_MS / 1000} s: giving up.`)
        this.stop()
      })
  }

  /** Sends nothing more; `run` then waits for what is on its way and ends. */
  stop(): void {
    this.#stopped = true
    this.#wake()
  }

  /** Sends everything, waits for the acknowledgements and says goodbye. */
  async run(): Promise<ReplaySummary> {
    const began = this.#clock.monotonic()
    await this.#publisher.subscribe(`${this.#topic}/rejects`, (_, payload) => this.#hearReject(payload))
    try {
      await this.#send()
      if (!this.#stopped || this.#publisher.connected) await this.#publisher.idle(LAST_MS)
      if (this.#messages > 0 && this.#publisher.connected) await pause(this.#clock, REJECTS_MS)
    } finally {
      this.#away?.cancel()
      await this.#publisher.end(0)
    }
    return {
      samples: this.#samples,
      messages: this.#messages,
      acknowledged: this.#acknowledged,
      badRows: this.#badRows,
      rejected: this.#rejected,
      seconds: (this.#clock.monotonic() - began) / 1000,
      stopped: this.#stopped
    }
  }

  async #send(): Promise<void> {
    const { speed } = this.#options
    const shift = await this.#shift()
    const began = this.#clock.monotonic()
    let firstAt: number | null = null
    for await (const item of this.#recording.items()) {
      if (this.#stopped) return
      if (item.kind === 'problem') {
        this.#badRows++
        this.#listener.badRow(item)
        continue
      }
      if (item.at !== null && Number.isFinite(speed)) {
        firstAt ??= item.at
        await this.#until(began + (item.at - firstAt) / speed)
        if (this.#stopped) return
      }
      this.#add(item, shift)
      if (this.#batch.length >= SAMPLES_PER_MESSAGE || this.#batchBytes >= BYTES_PER_MESSAGE) await this.#flush()
    }
    await this.#flush()
  }

  /** What is added to each time stamp: with `now`, so much that no sample is ahead of the instant at which it is sent. */
  async #shift(): Promise<number> {
    const { now, speed } = this.#options
    const span = now ? await this.#recording.span() : null
    if (span === null) return 0
    return speed < 1 ? this.#clock.now() - span.first : this.#clock.now() + Math.round((span.last - span.first) / speed) - span.last
  }

  async #until(due: number): Promise<void> {
    for (let rest = due - this.#clock.monotonic(); rest > 0 && !this.#stopped; rest = due - this.#clock.monotonic()) {
      await this.#flush()
      // Timers hold about 24 days.
      await Promise.race([pause(this.#clock, Math.min(rest, 3_600_000)), this.#stop])
    }
  }

  #add({ device, at, values, bad }: RecordedSample, shift: number): void {
    const text = JSON.stringify({
      device,
      ...(at === null ? {} : { ts: at + shift }),
      values,
      ...(bad === null ? {} : { bad })
    })
    this.#batch.push(text)
    this.#batchBytes += text.length
  }

  async #flush(): Promise<void> {
    const count = this.#batch.length
    if (count === 0) return
    const payload = count === 1 ? (this.#batch[0] as string) : `[${this.#batch.join(',')}]`
    this.#batch = []
    this.#batchBytes = 0
    if (this.#publisher.full) await Promise.race([this.#publisher.room(), this.#stop])
    if (this.#stopped) return
    this.#samples += count
    this.#messages++
    void this.#publisher.publish(`${this.#topic}/telemetry`, payload).then((acknowledged) => {
      if (acknowledged) this.#acknowledged += count
    })
  }

  #hearReject(payload: Buffer): void {
    this.#rejected++
    try {
      const { device, problem } = JSON.parse(payload.toString('utf8')) as { device?: unknown; problem?: unknown }
      this.#listener.rejected(`${typeof device === 'string' ? `${device}: ` : ''}${String(problem)}`)
    } catch {
      this.#listener.rejected(payload.toString('utf8').slice(0, 200))
    }
  }
}

function gatewayOf({ url, username }: ReplayOptions): string {
  const gateway = username ?? (URL.canParse(url) ? decodeURIComponent(new URL(url).username) : '')
  if (gateway === '' && URL.canParse(url)) {
    throw new Refusal(
      'A replay signs in as a gateway. Name it and its secret, like mqtt://gw-01:secret@127.0.0.1:1883, or by --username and --password.',
      {
        exitCode: 2
      }
    )
  }
  if (gateway !== '' && !GATEWAY_ID.test(gateway)) throw new Refusal(`"${gateway}" is not a gateway id.`, { exitCode: 2 })
  return gateway
}
