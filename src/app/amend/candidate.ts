// A plant that would come into force: folder and overlay put together and checked, before anything is done.

import { type Fleet, numberFleet } from '../../model/fleet.ts'
import type { Plant } from '../../model/plant.ts'
import type { Problem } from '../../platform/problem.ts'
import { amend, type Change, changeAt, type Overlay, withSecrets } from '../config/amend.ts'
import { Findings } from '../config/findings.ts'
import { type PlantSource, plantOf } from '../config/plantSource.ts'

export interface Candidate {
  /** Null where there are problems. */
  readonly plant: Plant | null
  readonly fleet: Fleet | null
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

/** Keeps what could be judged but was hardly meant so apart: it stops a change that says it, and nothing else. */
class AmendFindings extends Findings {
  readonly flaws: Problem[] = []

  override flaw(found: Problem): void {
    this.flaws.push(found)
  }
}

/** What the overlay makes of the source. Flaws of the `own` changes are problems, those of anything else are warnings. */
export function candidateOf(source: PlantSource, overlay: Overlay, own: readonly Change[]): Candidate {
  const findings = new AmendFindings()
  const plant = plantOf(amend(source, overlay), findings)
  const changed = new Set(own)
  const isOwn = ({ place }: Problem): boolean => {
    const change = changeAt(place)
    return change !== null && changed.has(change)
  }
  const flaws = Map.groupBy(findings.flaws, isOwn)
  const problems = [...findings.problems, ...(flaws.get(true) ?? [])]
  const warnings = [...findings.warnings.filter(isOwn), ...(flaws.get(false) ?? [])]
  if (plant === null || problems.length > 0) return { plant: null, fleet: null, problems, warnings }
  return { plant: withSecrets(plant, overlay), fleet: numberFleet(plant), problems, warnings }
}

/** A change that cannot be in force any more, and why. */
export interface LeftOut {
  readonly change: Change
  readonly problem: string
}

const ONE_BY_ONE = 64

/**
 * The plant at a start: the overlay as far as it still fits what the files say by now. What does not fit is left out and named;
 * the files alone are known to be right.
 */
export function fitting(
  source: PlantSource,
  overlay: Overlay
): { readonly plant: Plant; readonly overlay: Overlay; readonly leftOut: readonly LeftOut[] } {
  const leftOut: LeftOut[] = []
  for (let rest = overlay; ; ) {
    const findings = new Findings()
    const plant = plantOf(amend(source, rest), findings)
    if (plant !== null) return { plant: withSecrets(plant, rest), overlay: rest, leftOut }
    const blamed = blame(source, rest, findings.problems)
    if (blamed.length === 0) throw new Error(`the plant does not fit together: ${findings.problems[0]?.problem}`)
    leftOut.push(...blamed)
    const gone = new Set(blamed.map(({ change }) => change))
    rest = {
      rule: kept(rest.rule, gone),
      device: kept(rest.device, gone),
      gateway: kept(rest.gateway, gone)
    }
  }
}

function kept(changes: ReadonlyMap<string, Change>, gone: ReadonlySet<Change>): ReadonlyMap<string, Change> {
  return new Map([...changes].filter(([, change]) => !gone.has(change)))
}

/** The changes at fault: those with the problem in them; else one whose absence mends something; else all that take away. */
function blame(source: PlantSource, overlay: Overlay, problems: readonly Problem[]): LeftOut[] {
  const found = new Map<Change, string>()
  for (const { place, problem } of problems) {
    const change = changeAt(place)
    if (change !== null && !found.has(change)) found.set(change, problem)
  }
  if (found.size > 0) return [...found].map(([change, problem]) => ({ change, problem }))
  const all = [overlay.device, overlay.gateway, overlay.rule].flatMap((changes) => [...changes.values()])
  const suspects = [...all.filter(({ op }) => op === 'remove'), ...all.filter(({ op }) => op !== 'remove')]
  const why = problems[0]?.problem ?? ''
  if (suspects.length <= ONE_BY_ONE) {
    for (const change of suspects) {
      const one = new Set([change])
      const findings = new Findings()
      plantOf(
        amend(source, { rule: kept(overlay.rule, one), device: kept(overlay.device, one), gateway: kept(overlay.gateway, one) }),
        findings
      )
      if (findings.problems.length < problems.length) return [{ change, problem: why }]
    }
  }
  const removals = all.filter(({ op }) => op === 'remove')
  return (removals.length > 0 ? removals : all).map((change) => ({ change, problem: why }))
}
