// Secrets that the service makes for itself, once for each state store.

import { secretText } from '../platform/random.ts'
import { guarded } from './failure.ts'
import type { State } from './schema.ts'

/** The secret of this name, made at the first asking. */
export function serviceSecret(state: State, name: string): Promise<string> {
  return guarded(() =>
    state.transaction().execute(async (transaction) => {
      const known = await transaction.selectFrom('service_secrets').select('secret').where('name', '=', name).executeTakeFirst()
      if (known !== undefined) return known.secret
      const secret = secretText(32)
      await transaction.insertInto('service_secrets').values({ name, secret }).execute()
      return secret
    })
  )
}
