// A TCP proxy that tests disturb: it delays, cuts, refuses, or swallows what passes.

import { connect, createServer, type Server, type Socket } from 'node:net'
import { SystemClock } from '../../src/platform/clock.ts'

export class TcpProxy {
  /** refuse: connections are closed at once. hole: everything is taken and nothing answered. */
  mode: 'pass' | 'refuse' | 'hole' = 'pass'
  /** Each piece of an answer is held back this long. */
  delayMs = 0
  connections = 0
  /** Pieces of answers that have gone through. */
  answered = 0
  /** Texts to come towards the server, one after the other: the last arrives there, its answer is swallowed, and everything is cut. */
  cutAfter: string[] = []
  readonly #clock = new SystemClock()
  readonly #open = new Set<Socket>()
  readonly #server: Server

  private constructor(toPort: number, toHost: string) {
    this.#server = createServer((socket) => this.#join(socket, toPort, toHost))
  }

  static async open(toPort: number, toHost = '127.0.0.1'): Promise<TcpProxy> {
    const proxy = new TcpProxy(toPort, toHost)
    await new Promise<void>((resolve) => void proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** Connections that stand. */
  get standing(): number {
    return this.#open.size / 2
  }

  /** Cuts every connection in the middle of whatever it carries. */
  cut(): void {
    for (const socket of this.#open) socket.resetAndDestroy()
    this.#open.clear()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(near: Socket, toPort: number, toHost: string): void {
    this.connections++
    if (this.mode === 'refuse') return void near.destroy()
    const far = connect(toPort, toHost)
    for (const socket of [near, far]) {
      this.#open.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        this.#open.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    let lost = false
    near.on('data', (piece) => {
      if (this.mode !== 'pass') return
      far.write(piece)
      if (this.cutAfter.length === 0 || !piece.includes(this.cutAfter[0] as string)) return
      this.cutAfter.shift()
      lost = this.cutAfter.length === 0
    })
    far.on('data', (piece) => {
      if (lost) this.cut()
      else if (this.mode === 'pass')
        this.#clock.after(this.delayMs, () => {
          if (near.destroyed) return
          this.answered++
          near.write(piece)
        })
    })
    near.once('end', () => far.end())
    far.once('end', () => this.#clock.after(this.delayMs, () => near.end()))
  }
}
