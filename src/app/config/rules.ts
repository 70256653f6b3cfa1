// rules/*.yaml: rules, checked by themselves, against the plant they apply to, and by compiling their expressions.

import type { z } from 'zod'
import type { Fleet } from '../../model/fleet.ts'
import type { Rule, RuleTier, Selector } from '../../model/plant.ts'
import { TIERS } from '../../model/tier.ts'
import { parseDuration } from '../../platform/duration.ts'
import { problem } from '../../platform/problem.ts'
import { compileRules } from '../../rules/compile.ts'
import { didYouMean, type Findings } from './findings.ts'
import type { PlantParts } from './plant.ts'
import { claimedId, nameOf, type Profiles, sortedRecord } from './profiles.ts'
import { ruleShape, rulesShape } from './schema.ts'
import { hasShape } from './shapes.ts'
import type { Path, SourceFile } from './source.ts'

export interface RuleOrigin {
  readonly source: SourceFile
  /** Leads to the rule in its file. */
  readonly path: Path
}

export interface RulesRead {
  readonly rules: readonly Rule[]
  readonly origins: ReadonlyMap<string, RuleOrigin>
}

/** Reads the rule files. `parts` null: the plant could not be read, so what rules refer to there is not checked. */
export function readRules(sources: readonly SourceFile[], parts: PlantParts | null, profiles: Profiles, findings: Findings): RulesRead {
  const rules: Rule[] = []
  const origins = new Map<string, RuleOrigin>()
  for (const source of sources) {
    for (const [index, entry] of entriesOf(source, findings).entries()) {
      const path = ['rules', index]
      const id = claimedId(entry)
      const shaped = hasShape(ruleShape, entry, `rule ${id ?? `number ${index + 1}`}`, source, path, findings)
      const first = id === null ? undefined : origins.get(id)
      if (first !== undefined) {
        const { file, line } = first.source.place(first.path)
        findings.problem(
          problem(`the rule ${id} is already defined in ${file}:${line}; rule ids are unique`, source.place([...path, 'id']))
        )
        continue
      }
      if (id !== null) origins.set(id, { source, path })
      checkSelector(entry, id ?? `number ${index + 1}`, parts, profiles, source, path, findings)
      if (shaped) rules.push(ruleOf(entry))
    }
  }
  rules.sort((a, b) => (a.id < b.id ? -1 : 1))
  return { rules: Object.freeze(rules), origins }
}

/**
 * Compiles every rule against the devices it applies to, and says what does not hold with its place in the file.
 * `complete` false: devices or profiles were left out because of problems, so "applies to nothing" may not be true.
 */
export function checkRules(fleet: Fleet, origins: ReadonlyMap<string, RuleOrigin>, complete: boolean, findings: Findings): void {
  for (const found of compileRules(fleet).problems) {
    const origin = origins.get(found.rule)
    if (found.field === 'appliesTo' && !complete) continue
    if (origin === undefined) {
      findings.problem(problem(found.problem))
      continue
    }
    const { source } = origin
    const path = [...origin.path, ...(found.tier === null ? [] : ['tiers', found.tier]), found.field]
    findings.problem(problem(found.problem, source.placeIn(path, found.offset)))
  }
}

function entriesOf(source: SourceFile, findings: Findings): readonly unknown[] {
  const file = source.value ?? { rules: [] }
  if (typeof file === 'object' && !Array.isArray(file) && Array.isArray((file as { rules?: unknown }).rules)) {
    hasShape(rulesShape, { ...file, rules: [] }, 'the rule file', source, [], findings)
    return (file as { rules: unknown[] }).rules
  }
  hasShape(rulesShape, file, 'the rule file', source, [], findings)
  return []
}

function checkSelector(
  entry: unknown,
  rule: string,
  parts: PlantParts | null,
  profiles: Profiles,
  source: SourceFile,
  path: Path,
  findings: Findings
): void {
  const selector = (entry as { appliesTo?: Readonly<Record<string, unknown>> } | null)?.appliesTo
  if (typeof selector !== 'object' || selector === null) return
  const check = (kind: string, named: unknown, known: { has(id: string): boolean; keys(): Iterable<string> }, steps: Path): void => {
    if (typeof named !== 'string' || known.has(named)) return
    const sentence = `rule ${rule} applies to the ${kind} ${named}, which does not exist${didYouMean(named, known.keys())}`
    findings.problem(problem(sentence, source.place([...path, 'appliesTo', ...steps])))
  }
  if (profiles.complete) check('profile', selector.profile, profiles.claimed, ['profile'])
  if (parts === null) return
  check('area', selector.area, parts.claimed.areas, ['area'])
  check('site', selector.site, parts.claimed.sites, ['site'])
  check('enterprise', selector.enterprise, parts.claimed.enterprises, ['enterprise'])
  const devices = selector.devices
  if (Array.isArray(devices))
    for (const [index, device] of devices.entries()) check('device', device, parts.claimed.devices, ['devices', index])
}

function ruleOf(written: z.input<typeof ruleShape>): Rule {
  const tiers = TIERS.flatMap((tier): RuleTier[] => {
    const one = written.tiers[tier]
    if (one === undefined) return []
    return [
      Object.freeze({
        tier,
        when: one.when.trimEnd(),
        clear: one.clear?.trimEnd() ?? null,
        deadband: one.deadband ?? null,
        forMs: parseDuration(one.for ?? '0s') as number,
        clearForMs: parseDuration(one.clearFor ?? '0s') as number
      })
    ]
  })
  return Object.freeze({
    id: written.id,
    title: nameOf(written.title, written.id),
    appliesTo: selectorOf(written.appliesTo),
    per: written.per ?? 'device',
    latched: written.latched ?? false,
    tiers: Object.freeze(tiers),
    guidance: written.guidance === undefined ? Object.freeze({ zh: '', en: '' }) : nameOf(written.guidance, ''),
    source: written.source ?? null
  })
}

function selectorOf(written: z.input<typeof ruleShape>['appliesTo']): Selector {
  return Object.freeze({
    profile: written.profile ?? null,
    devices: written.devices === undefined ? null : Object.freeze([...written.devices].sort()),
    labels: sortedRecord(written.labels ?? {}),
    area: written.area ?? null,
    site: written.site ?? null,
    enterprise: written.enterprise ?? null
  })
}
