// The live link: one EventSource, watched. Invariant: it counts as live only while something was heard within the last
// 12 s; otherwise it says since when nothing was, and tries again until it is.

import { type Alarm, type AlarmEvent, type DeviceState, liveAddress, type Quality } from './api.ts'
import { setServerTime } from './clock.ts'

const SILENCE_MS = 12_000
const RETRY_MS = [1000, 2000, 4000, 8000]
const REOPEN_MS = 300

export interface LiveReading {
  readonly device: string
  readonly receivedAt: string
  readonly values: readonly { readonly metric: string; readonly at: string; readonly value: number | null; readonly quality: Quality }[]
}

export interface DeviceChange {
  readonly device: string
  readonly state: DeviceState
  readonly lastReceivedAt: string | null
}

/** What comes over the link, by the name of the event. */
export interface LiveEvents {
  alarm: AlarmEvent
  'alarm-state': { readonly alarm: Alarm }
  reading: LiveReading
  device: DeviceChange
}

export interface LinkState {
  readonly kind: 'connecting' | 'live' | 'lost'
  /** When the service was last heard, epoch ms by this browser's clock; null: never. */
  readonly heardAt: number | null
  /** Grows by one each time the link comes up: what was read before may have missed something. */
  readonly round: number
}

type Listener<K extends keyof LiveEvents> = (event: LiveEvents[K]) => void

export class LiveLink {
  #state: LinkState = { kind: 'connecting', heardAt: null, round: 0 }
  #source: EventSource | null = null
  #heardAt: number | null = null
  #lastEventId: string | null = null
  /** The devices that the present stream was opened for. */
  #asked = ''
  #triedAt = 0
  #attempts = 0
  #retry: number | undefined
  #watchdog: number | undefined
  #reopen: number | undefined
  readonly #watched = new Map<object, readonly string[]>()
  readonly #changed = new Set<() => void>()
  readonly #listeners: { [K in keyof LiveEvents]: Set<Listener<K>> } = {
    alarm: new Set(),
    'alarm-state': new Set(),
    reading: new Set(),
    device: new Set()
  }
  /** Asked after every failed attempt: the stream cannot tell "signed out" from "gone", a plain request can. */
  readonly #onFailure: () => void

  constructor(onFailure: () => void) {
    this.#onFailure = onFailure
  }

  start(): void {
    this.#open()
    this.#watchdog = window.setInterval(() => this.#check(), 1000)
  }

  stop(): void {
    window.clearInterval(this.#watchdog)
    window.clearTimeout(this.#retry)
    window.clearTimeout(this.#reopen)
    this.#source?.close()
    this.#source = null
  }

  get state(): LinkState {
    return this.#state
  }

  readonly follow = (changed: () => void): (() => void) => {
    this.#changed.add(changed)
    return () => this.#changed.delete(changed)
  }

  on<K extends keyof LiveEvents>(kind: K, listener: Listener<K>): () => void {
    this.#listeners[kind].add(listener)
    return () => this.#listeners[kind].delete(listener)
  }

  /** Asks for the readings of these devices until the returned function is called. */
  watch(devices: readonly string[]): () => void {
    const key = {}
    this.#watched.set(key, devices)
    this.#reopenSoon()
    return () => {
      this.#watched.delete(key)
      this.#reopenSoon()
    }
  }

  #devices(): string[] {
    return [...new Set([...this.#watched.values()].flat())].sort()
  }

  // A stream's devices cannot be changed: a second one is opened, and the first is closed only when that one speaks.
  #reopenSoon(): void {
    window.clearTimeout(this.#reopen)
    this.#reopen = window.setTimeout(() => {
      if (this.#source === null || this.#state.kind === 'lost') return
      if (this.#asked === this.#devices().join()) return
      this.#open()
    }, REOPEN_MS)
  }

  #open(): void {
    window.clearTimeout(this.#retry)
    const before = this.#source
    this.#triedAt = Date.now()
    const devices = this.#devices()
    this.#asked = devices.join()
    const source = new EventSource(liveAddress(devices, this.#lastEventId))
    this.#source = source
    source.onopen = () => {
      before?.close()
      this.#up()
    }
    source.onerror = () => {
      before?.close()
      if (this.#source === source) this.#down()
    }
    for (const kind of Object.keys(this.#listeners) as (keyof LiveEvents)[]) {
      source.addEventListener(kind, (message) => this.#take(kind, message))
    }
    source.addEventListener('beat', (message) => this.#beat(message))
  }

  #up(): void {
    this.#heardAt = Date.now()
    this.#attempts = 0
    if (this.#state.kind === 'live') return
    this.#turn({ kind: 'live', heardAt: this.#heardAt, round: this.#state.round + 1 })
  }

  // The browser would retry by itself, but not after an HTTP error, and never says which of the two it does.
  #down(): void {
    this.#source?.close()
    this.#source = null
    const wait = RETRY_MS[Math.min(this.#attempts, RETRY_MS.length - 1)]
    this.#attempts += 1
    window.clearTimeout(this.#retry)
    this.#retry = window.setTimeout(() => this.#open(), wait)
    if (this.#state.kind !== 'lost') this.#turn({ kind: 'lost', heardAt: this.#heardAt, round: this.#state.round })
    this.#onFailure()
  }

  // A connection may also hang half open: neither an error nor a beat ever comes.
  #check(): void {
    if (this.#source === null) return
    const since = this.#state.kind === 'live' && this.#heardAt !== null ? this.#heardAt : this.#triedAt
    if (Date.now() - since > SILENCE_MS) this.#down()
  }

  #beat(message: MessageEvent<string>): void {
    this.#heard(message)
    const beat = parsed<{ at?: string }>(message.data)
    const at = Date.parse(beat?.at ?? '')
    if (Number.isFinite(at)) setServerTime(at)
  }

  #take<K extends keyof LiveEvents>(kind: K, message: MessageEvent<string>): void {
    this.#heard(message)
    const event = parsed<LiveEvents[K]>(message.data)
    if (event === null) return
    for (const listener of this.#listeners[kind]) listener(event)
  }

  // The first beat carries the place to resume from, though no alarm has come yet.
  #heard(message: MessageEvent<string>): void {
    this.#heardAt = Date.now()
    if (message.lastEventId !== '') this.#lastEventId = message.lastEventId
  }

  #turn(state: LinkState): void {
    this.#state = state
    for (const changed of this.#changed) changed()
  }
}

function parsed<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T
  } catch {
    return null
  }
}
