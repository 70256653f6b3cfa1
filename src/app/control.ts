// The line between a command and the service that runs on the same data folder: a socket in the folder, for its owner only.
// One JSON object a line, asked and answered in turn. Invariant: what a caller has been given ends with his connection.

import { closeSync, existsSync, openSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf, Refusal } from '../platform/problem.ts'

export const CONTROL_SOCKET = 'control.sock'
/** Of one that stands by, which may share its folder with the active one. */
export const STANDBY_SOCKET = 'standby.sock'
/** A longer path does not fit into a socket's address. */
const LONGEST_PATH = 100
const LONGEST_LINE = 4_096

/** What may be asked. - who: which service this is. - hold: everything a backup copies stays as it is until the caller has gone. */
export type Asked = 'who' | 'hold'

export interface Who {
  readonly version: string
  readonly pid: number
  readonly http: string
  readonly mqtt: string | null
}

/** While this is held, nothing a copy needs is deleted. */
export interface Held {
  /** Everything acknowledged before is in the journal through this seq. */
  readonly flushedSeq: number
  /** A copy of the open rows of history; null where history is not kept in the data folder. */
  readonly history: { readonly file: string; readonly seq: number } | null
}

export interface ControlAnswers {
  readonly who: () => Who
  /** Throws a Refusal where it cannot be had. */
  readonly hold: () => Promise<Held>
  readonly release: () => Promise<void>
}

/** The service's end. */
export class Control implements Part {
  readonly name = 'control'
  readonly #folder: string
  readonly #log: Log
  readonly #answers: ControlAnswers
  readonly #socket: string
  readonly #callers = new Set<Socket>()
  #holder: Socket | null = null
  #releasing: Promise<void> = Promise.resolve()
  #server: Server | null = null
  #address: SocketAddress | null = null

  constructor(folder: string, log: Log, answers: ControlAnswers, socket = CONTROL_SOCKET) {
    this.#folder = folder
    this.#socket = socket
    this.#log = log
    this.#answers = answers
  }

  /** A folder that takes no socket is no reason not to run: backups then need the service to be stopped. */
  async start(): Promise<void> {
    if (this.#server !== null) return
    const server = createServer((socket) => this.#serve(socket))
    try {
      // One that a killed service left behind; the journal's lock says that there is no other service.
      await rm(path.join(this.#folder, this.#socket), { force: true })
      this.#address = socketAddress(this.#folder, this.#socket)
      const { address } = this.#address
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(address, resolve)
      })
      await chmod(path.join(this.#folder, this.#socket), 0o600)
      this.#server = server
      server.on('error', (cause) => this.#log.error(`the control socket failed: ${messageOf(cause)}`))
    } catch (cause) {
      server.close()
      this.#address?.free()
      this.#address = null
      this.#log.warn(
        `${path.join(this.#folder, this.#socket)} cannot be opened (${messageOf(cause)}): fenghuo backup works only while this service is stopped`
      )
    }
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    for (const caller of this.#callers) caller.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    await this.#releasing
    this.#address?.free()
    await rm(path.join(this.#folder, this.#socket), { force: true })
  }

  #serve(socket: Socket): void {
    this.#callers.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#callers.delete(socket)
      if (this.#holder === socket) this.#release()
    })
    let turn: Promise<void> = Promise.resolve()
    eachLine(socket, (line) => {
      turn = turn.then(() => this.#answer(socket, line))
    })
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    const asked = readObject(line)?.ask
    let answer: object
    try {
      if (asked === 'who') answer = this.#answers.who()
      else if (asked === 'hold') answer = await this.#hold(socket)
      else answer = { problem: 'This service does not know what is asked: the command is of another version.' }
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause
      answer = { problem: cause.message }
    }
    if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`)
  }

  async #hold(socket: Socket): Promise<Held> {
    if (this.#holder !== null) throw new Refusal('Another backup of this service is under way: wait until it is done.')
    this.#holder = socket
    await this.#releasing
    try {
      const held = await this.#answers.hold()
      this.#log.info('a backup is being made: nothing it needs is deleted until it is done')
      // Whoever left while it was made has left for good.
      if (socket.destroyed) this.#release()
      return held
    } catch (cause) {
      this.#release()
      throw cause
    }
  }

  #release(): void {
    this.#holder = null
    this.#releasing = this.#releasing
      .then(() => this.#answers.release())
      .catch((cause) => this.#log.error(`what a backup held could not be let go: ${messageOf(cause)}`))
  }
}

/** A command's end. */
export class ControlLine {
  readonly #socket: Socket
  readonly #waiting: ((answer: Record<string, unknown> | null) => void)[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    eachLine(socket, (line) => this.#waiting.shift()?.(readObject(line)))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      for (const wake of this.#waiting.splice(0)) wake(null)
    })
  }

  /** Null where no service runs on the folder, or one that cannot be spoken to. */
  static async open(folder: string, socket = CONTROL_SOCKET): Promise<ControlLine | null> {
    if (!existsSync(path.join(folder, socket))) return null
    const { address, free } = socketAddress(folder, socket)
    try {
      const connection = createConnection(address)
      await new Promise<void>((resolve, reject) => {
        connection.once('connect', resolve)
        connection.once('error', reject)
      })
      return new ControlLine(connection)
    } catch {
      return null
    } finally {
      free()
    }
  }

  /** Throws a Refusal with the service's own sentence, or where it has gone. */
  async ask<Answer>(ask: Asked): Promise<Answer> {
    const answer = await new Promise<Record<string, unknown> | null>((resolve) => {
      if (this.#socket.destroyed) return resolve(null)
      this.#waiting.push(resolve)
      this.#socket.write(`${JSON.stringify({ ask })}\n`)
    })
    if (answer === null) throw new Refusal('The service ended before it answered: try again.')
    if (typeof answer.problem === 'string') throw new Refusal(answer.problem)
    return answer as Answer
  }

  get alive(): boolean {
    return !this.#socket.destroyed
  }

  end(): void {
    this.#socket.destroy()
  }
}

interface SocketAddress {
  readonly address: string
  readonly free: () => void
}

/** Where the path is too long for a socket's address, Linux finds it by the open folder. */
function socketAddress(folder: string, socket: string): SocketAddress {
  const address = path.join(folder, socket)
  if (Buffer.byteLength(address) <= LONGEST_PATH || process.platform !== 'linux') return { address, free: () => {} }
  const open = openSync(folder, 'r')
  return { address: `/proc/self/fd/${open}/${socket}`, free: () => closeSync(open) }
}

function eachLine(socket: Socket, act: (line: string) => void): void {
  let pending = 0
  socket.on('data', (chunk: Buffer) => {
    const at = chunk.lastIndexOf(10)
    pending = at === -1 ? pending + chunk.length : chunk.length - at - 1
    if (pending > LONGEST_LINE) socket.destroy()
  })
  createInterface(socket).on('line', act)
}

function readObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
