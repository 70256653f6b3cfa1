// Answers that reach a delivery worker: on disk before the carrier hears that they were taken; the service takes them from there.

import type { ChannelKind } from '../model/notification.ts'
import { LIMITS } from '../platform/limits.ts'
import { secretText } from '../platform/random.ts'
import { guarded, StateFailure } from '../store/failure.ts'
import type { State } from '../store/schema.ts'
import { plainText } from '../store/text.ts'
import type { ChannelAnswer } from './channels/channel.ts'

const ID_BYTES = 12

/** Writes down what a worker was answered; on disk when it resolves. */
export async function handOver(state: State, provider: string, kind: ChannelKind, answer: ChannelAnswer, at: number): Promise<void> {
  const { from, text, providerId } = answer
  const row = { at, provider, kind, address: plainText(from.slice(0, 64)), text: plainText(text.slice(0, LIMITS.courier.answerLength)) }
  await guarded(() =>
    state
      .insertInto('handed_answers')
      .values({ id: `handed-${secretText(ID_BYTES)}`, ...row, provider_id: providerId })
      .execute()
  )
}

/**
 * Takes what workers were answered, oldest first. What `take` throws on stays, holds up no other, and is taken again: by its id it is
 * recognised. The same words without an id, handed over again before the first were taken, are one answer. Throws what it threw first.
 */
export async function takeHanded(
  state: State,
  take: (provider: string, kind: ChannelKind, answer: ChannelAnswer) => Promise<unknown>
): Promise<void> {
  const query = state.selectFrom('handed_answers').selectAll().orderBy('at').orderBy('id').limit(LIMITS.courier.handedAnswers)
  const thrown: unknown[] = []
  const nameless = new Set<string>()
  for (const { id, provider, kind, address, text, provider_id } of await guarded(() => query.execute())) {
    const words = JSON.stringify([provider, address, text])
    const isAgain = provider_id === null && nameless.has(words)
    if (provider_id === null) nameless.add(words)
    try {
      if (!isAgain) await take(provider, kind as ChannelKind, { from: address, text, providerId: provider_id ?? id })
      await guarded(() => state.deleteFrom('handed_answers').where('id', '=', id).execute())
    } catch (cause) {
      // Where the store fails, it fails for all of them.
      if (cause instanceof StateFailure) throw cause
      thrown.push(cause)
    }
  }
  if (thrown.length > 0) throw thrown[0]
}
