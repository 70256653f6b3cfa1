// The one note about the sessions with an external MQTT broker, as text that only its reader understands.

import { guarded } from './failure.ts'
import type { State } from './schema.ts'

/** Null where nothing was written yet. */
export async function readUpstreamNote(state: State): Promise<string | null> {
  const row = await guarded(() => state.selectFrom('upstream').select('body').executeTakeFirst())
  return row?.body ?? null
}

/** On disk when it resolves. */
export async function writeUpstreamNote(state: State, body: string): Promise<void> {
  await guarded(() =>
    state
      .insertInto('upstream')
      .values({ only: 1, body })
      .onConflict((conflict) => conflict.column('only').doUpdateSet({ body }))
      .execute()
  )
}
