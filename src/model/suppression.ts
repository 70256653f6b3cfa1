// Suppression by design: an alarm goes on being judged and logged, but nobody is told while something else explains it.

/** What suppresses: a state of the plant, or an alarm that explains others. */
export type Suppressor = `state:${string}` | `inhibition:${string}`

/**
 * A standing alarm comes under a suppressor, or out of it. At most one `on` and one `off` per alarm and suppressor, in this
 * order. An alarm that clears gets no `off`: its suppression ends with it.
 */
export interface SuppressionChange {
  /** Epoch ms by our clock. */
  readonly at: number
  /** The alarm. */
  readonly id: string
  readonly by: Suppressor
  readonly on: boolean
  /** Why, in the operator's words. */
  readonly because: string
}

/** What a person may switch on for a while. Exactly one of the three is set. */
export interface StateTarget {
  readonly device: string | null
  readonly area: string | null
  readonly site: string | null
}

/** The body of an 'action' record that switches a state by hand. */
export interface StateActionBody {
  readonly id: null
  readonly action: 'enterState' | 'leaveState'
  readonly state: string
  readonly target: StateTarget
  /** Epoch ms: ends by itself; null of `leaveState`. */
  readonly until: number | null
  readonly note: string | null
}
