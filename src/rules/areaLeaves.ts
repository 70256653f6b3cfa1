// What an area answers to a condition: votes of its member devices, each judged on its own line at the same instant of
// our clock. Unknown members leave the vote open.

import type { Degrade } from '../model/plant.ts'
import type { Held } from './held.ts'
import type { FactNode, VotedNode } from './tree.ts'
import { type Binder, type Leaves, NO, type TruthOf, UNKNOWN, YES } from './truth.ts'

/** The member devices of each area alarm, one list after the other. */
export interface Members {
  readonly first: Int32Array
  readonly device: Int32Array
}

/** `binders`: one per profile; `profileOf`: which one a device uses. */
export class AreaLeaves implements Leaves {
  readonly #held: Held
  readonly #members: Members
  readonly binders: readonly Binder[]
  readonly profileOf: Int32Array
  /** Our clock minus the line of the area being judged: set before each judgement. */
  lead = 0

  constructor(held: Held, members: Members, binders: readonly Binder[], profileOf: Int32Array) {
    this.#held = held
    this.#members = members
    this.binders = binders
    this.profileOf = profileOf
  }

  truth(node: FactNode): TruthOf {
    if (node.kind !== 'voted') return this.#outsideVote()
    const { first, device: deviceOf } = this.#members
    const { offset } = this.#held
    const { profileOf, binders } = this
    const conditions: (TruthOf | undefined)[] = []
    return (area, at, clock) => {
      let [yes, open] = [0, 0]
      const end = first[area + 1] as number
      for (let i = first[area] as number; i < end; i++) {
        const device = deviceOf[i] as number
        const profile = profileOf[device] as number
        const condition = (conditions[profile] ??= (binders[profile] as Binder).truth(node.of))
        const verdict = condition(device, at + this.lead - (offset[device] as number), clock)
        if (verdict === YES) yes++
        else if (verdict === UNKNOWN) open++
      }
      if (node.degrade !== undefined && open > 0) {
        const known = end - (first[area] as number) - open
        return known === 0 ? UNKNOWN : yes >= degradedCount(node.degrade, node.count, known, open) ? YES : NO
      }
      return yes >= node.count ? YES : yes + open < node.count ? NO : UNKNOWN
    }
  }

  /** Who votes yes, how many are known, and who is not. */
  votesOf(node: VotedNode, area: number, at: number, clock: number): { yes: number[]; known: number; unknown: number[] } {
    const votes = { yes: [] as number[], known: 0, unknown: [] as number[] }
    for (const device of this.membersOf(area)) {
      const condition = (this.binders[this.profileOf[device] as number] as Binder).truth(node.of)
      const verdict = condition(device, this.lineOf(device, at), clock)
      if (verdict === UNKNOWN) votes.unknown.push(device)
      else votes.known++
      if (verdict === YES) votes.yes.push(device)
    }
    return votes
  }

  membersOf(area: number): Int32Array {
    return this.#members.device.subarray(this.#members.first[area], this.#members.first[area + 1])
  }

  /** Where a member's line stands when the area's stands at `at`. */
  lineOf(device: number, at: number): number {
    return at + this.lead - (this.#held.offset[device] as number)
  }

  idOf(device: number): string {
    return this.#held.fleet.devices[device]?.id ?? ''
  }

  metric(): never {
    return this.#outsideVote()
  }

  limit(): never {
    return this.#outsideVote()
  }

  window(): never {
    return this.#outsideVote()
  }

  threshold(): null {
    return null
  }

  #outsideVote(): never {
    throw new Error('a condition per area was not checked: something stands outside voted()')
  }
}

/** How many of the known members a vote of `count` needs while `unknown` others are silent (`Degrade`). */
export function degradedCount(degrade: Degrade, count: number, known: number, unknown: number): number {
  return degrade === 'towardsTrip' ? Math.max(1, count - unknown) : Math.min(count, known)
}
