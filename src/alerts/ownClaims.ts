// What this sender holds at this moment, against what the outbox says it holds: a claim whose commit went through while its answer
// was lost with the connection is in the store and in nobody's memory. Invariant: only such rows are put in doubt, never one
// that is being sent: what was read is written to only as it stood, and every claim counts its try.

import { guarded } from '../store/failure.ts'
import type { State } from '../store/schema.ts'

const ROWS_PER_LOOK = 500

export class OwnClaims {
  readonly #state: State
  readonly #sender: string
  readonly #held = new Set<number>()

  constructor(state: State, sender: string) {
    this.#state = state
    this.#sender = sender
  }

  /** From before it is claimed until what came of it is written. */
  hold(n: number): void {
    this.#held.add(n)
  }

  release(n: number): void {
    this.#held.delete(n)
  }

  /** Claims in our name that nobody here holds are queued again and marked; answers how many. */
  async doubtForgotten(now: number): Promise<number> {
    const claimed = this.#state.selectFrom('notifications').select(['n', 'tries']).where('state', '=', 'sending')
    const rows = await guarded(() => claimed.where('claimed_by', '=', this.#sender).orderBy('n').limit(ROWS_PER_LOOK).execute())
    const forgotten = rows.filter(({ n }) => !this.#held.has(n))
    if (forgotten.length === 0) return 0
    return guarded(() =>
      this.#state.transaction().execute(async (state) => {
        let count = 0
        for (const { n, tries } of forgotten) {
          const query = state.updateTable('notifications').where('n', '=', n).where('tries', '=', tries).where('state', '=', 'sending')
          const set = { state: 'queued', possible_duplicate: 1, next_at: now, problem: FORGOTTEN }
          count += Number((await query.set(set).where('claimed_by', '=', this.#sender).executeTakeFirst()).numUpdatedRows)
        }
        return count
      })
    )
  }
}

const FORGOTTEN =
  'The connection to the state store broke while this was being taken: it may have gone out, and is sent again under the same id.'
