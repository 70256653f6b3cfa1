// An operator's screen through all of it: the live stream, resumed behind the last event wherever it breaks, with the moment at which
// each event was seen.

import { pause, SystemClock } from '../../src/platform/clock.ts'
import { LiveReader } from '../api/sse.ts'

const clock = new SystemClock()

export class Screen {
  /** Lines in the order in which they came, and when. */
  readonly seen: { readonly line: string; readonly at: number }[] = []
  #last = '0'
  #stopped = false
  #reader: LiveReader | null = null

  /** `where`: the services to try, in order. */
  async run(where: () => readonly string[], token: string): Promise<void> {
    while (!this.#stopped) {
      for (const address of where()) {
        const reader = await LiveReader.open(address, token, '', { 'last-event-id': this.#last }).catch(() => null)
        if (reader === null) continue
        if (reader.statusCode === 200) await this.#read(reader)
        reader.close()
      }
      await pause(clock, 100)
    }
  }

  stop(): void {
    this.#stopped = true
    this.#reader?.close()
  }

  async #read(reader: LiveReader): Promise<void> {
    this.#reader = reader
    let taken = 0
    while (!this.#stopped) {
      const before = taken
      const more = reader
        .until((one) => one.events.length > before)
        .then(
          () => true,
          () => false
        )
      // A beat comes every 5 s: who hears nothing for longer has lost the connection.
      const alive = await Promise.race([more, pause(clock, 8_000).then(() => false)])
      if (!alive) return
      const heard = Date.now()
      for (const event of reader.events.slice(taken)) if (event.event === 'alarm') this.seen.push({ line: event.text, at: heard })
      taken = reader.events.length
      this.#last = reader.lastEventId ?? this.#last
    }
  }
}
