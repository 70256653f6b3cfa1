// What every way over HTTP shares: nothing to connect, one POST for each message, and what becomes of it where no answer comes.

import { type Answered, doubtful, failed, refused } from './answers.ts'
import type { Channel, OutgoingMessage, RefusalAbout, SendOutcome } from './channel.ts'
import type { ChannelGround } from './ground.ts'
import type { ChannelSettings } from './settings.ts'

/** What is posted. */
export interface Post {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | null
  readonly signal: AbortSignal
}

export abstract class OverHttp<Settings extends ChannelSettings> implements Channel {
  readonly id: string
  readonly kind: Settings['kind']
  readonly perSecond: number | null
  readonly problem = null
  protected readonly settings: Settings
  protected readonly ground: ChannelGround

  constructor(settings: Settings, ground: ChannelGround) {
    this.settings = settings
    this.ground = ground
    this.id = settings.id
    this.kind = settings.kind
    this.perSecond = settings.perSecond
  }

  get receipts(): boolean {
    return false
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  abstract send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome>

  /**
   * Posts, and reads the answer. `whose`: whose the address is; the recipient's own server knows a message by its id, so that after
   * silence a further try does no harm.
   */
  protected async post(post: Post, whose: RefusalAbout, read: (answer: Answered, now: number) => SendOutcome): Promise<SendOutcome> {
    const answer = await this.ground.outgoing.send({ method: 'POST', ...post })
    switch (answer.kind) {
      case 'answer':
        return read(answer, this.ground.clock.now())
      case 'forbidden':
        return refused(answer.problem, whose)
      case 'unsent':
        return failed(answer.problem)
      case 'doubtful':
        return whose === 'recipient' ? failed(answer.problem) : doubtful(answer.problem)
    }
  }
}
