// Between the socket and mqtt.js, which reads what is pushed here. What it writes goes out at once, packet by whole packet.

import { Duplex } from 'node:stream'

export class Gate extends Duplex {
  readonly #socket: Duplex
  #isEnded = false

  constructor(socket: Duplex, read: (chunk: Buffer) => void) {
    super({ allowHalfOpen: false })
    this.#socket = socket
    ;(socket as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true)
    socket.on('data', read)
    socket.on('end', () => this.#ended())
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.#ended())
  }

  /** What came before the end, why the broker closes the connection for one, is still to be read. */
  #ended(): void {
    if (this.#isEnded || this.destroyed) return
    this.#isEnded = true
    this.push(null)
  }

  pauseReading(): void {
    this.#socket.pause()
  }

  /** For mqtt.js. */
  hand(bytes: Buffer): void {
    if (!this.#isEnded && !this.destroyed) this.push(bytes)
  }

  resumeReading(): void {
    this.#socket.resume()
  }

  /** Between two packets of mqtt.js: it writes each within one turn, and `_write` and `_writev` hold nothing back. */
  sendNow(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.sendNow(chunk)
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.sendNow(Buffer.concat(chunks.map(({ chunk }) => chunk)))
    done()
  }

  override _final(done: () => void): void {
    this.#socket.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
