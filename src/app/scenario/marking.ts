// Marks in a scenario's log: `0:58  tank-level/T-101  chattering`, `11:20  tank-level/T-101  chattering ends`, and so `stale`,
// `firstOut`; a flood stands under what it is in: `enterprise/daxie-chem  flood`, `site/tank-farm-a`, `installation`.

import { MARK_KINDS, type MarkChange, type MarkKind } from '../../model/mark.ts'
import { formatTime, SCENARIO_EPOCH } from './times.ts'

/** A mark that goes on or off. */
export interface MarkTurn {
  readonly mark: MarkKind
  readonly ends: boolean
}

/** Null where it is not written so. */
export function markTurn(kind: string | undefined, ends: string | undefined): MarkTurn | null {
  const mark = MARK_KINDS.find((known) => known === kind)
  if (mark === undefined || (ends !== undefined && ends !== 'ends')) return null
  return { mark, ends: ends === 'ends' }
}

export function markText({ mark, ends }: MarkTurn): string {
  return ends ? `${mark} ends` : mark
}

export function markLine({ kind, at, on, scope, rule, device, area, site, enterprise }: MarkChange): { at: number; text: string } {
  const since = at - SCENARIO_EPOCH
  const where = scope === null ? `${rule}/${device ?? area}` : scope === 'installation' ? scope : `${scope}/${site ?? enterprise}`
  return { at: since, text: `${formatTime(since)}  ${where}  ${markText({ mark: kind, ends: !on })}` }
}
