// Secrets that the service and its delivery workers make for themselves, once for each state store.

import { secretText } from '../platform/random.ts'
import { guarded } from './failure.ts'
import type { State } from './schema.ts'

/** The secret of this name, made at the first asking; where several ask at once, all get the one that came first. */
export function serviceSecret(state: State, name: string): Promise<string> {
  return guarded(async () => {
    const known = state.selectFrom('service_secrets').select('secret').where('name', '=', name)
    const there = await known.executeTakeFirst()
    if (there !== undefined) return there.secret
    const made = { name, secret: secretText(32) }
    await state
      .insertInto('service_secrets')
      .values(made)
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
    return (await known.executeTakeFirstOrThrow()).secret
  })
}
