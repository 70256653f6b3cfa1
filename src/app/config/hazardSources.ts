// The hazard sources of plant.yaml: their inventories, held against the tables of GB 18218-2018.

import type { HazardousSubstance, HazardSource } from '../../model/plant.ts'
import { problem } from '../../platform/problem.ts'
import { factorsOf, isCasNumber } from '../../rules/hazard.ts'
import { HAZARD_CLASSES, NAMED_SUBSTANCES } from '../../rules/hazardTables.ts'
import { didYouMean, type Findings } from './findings.ts'
import type { Path, SourceFile } from './source.ts'
import { mapping, nameOr, numberOr, textOr, type Written } from './written.ts'

/** One hazard source as far as it can be read; what its shape does not say is a problem here. `devices` are the plant's ids. */
export function hazardSourceOf(
  id: string,
  written: Written,
  devices: ReadonlyMap<string, number>,
  source: SourceFile,
  path: Path,
  findings: Findings
): HazardSource {
  const entries = Array.isArray(written.inventory) ? (written.inventory as unknown[]) : []
  const inventory = entries.map((entry, i) => {
    const substance = substanceOf(mapping(entry))
    const report = (key: string | null, sentence: string): void => {
      const place = source.place([...path, 'inventory', i, ...(key === null ? [] : [key])])
      findings.problem(problem(`hazard source ${id} ${sentence}`, place))
    }
    checkSubstance(mapping(entry), substance, devices, report)
    return Object.freeze(substance)
  })
  return {
    id,
    site: textOr(written.site, ''),
    name: nameOr(written.name, id),
    exposed: numberOr(written.exposed, 0),
    inventory: Object.freeze(inventory)
  }
}

function substanceOf(written: Written): HazardousSubstance {
  const cas = textOr(written.cas, null)
  const hazardClass = textOr(written.class, null)
  const known = NAMED_SUBSTANCES[cas ?? ''] ?? HAZARD_CLASSES[hazardClass ?? '']
  const name = written.name === undefined && known !== undefined ? known.name : nameOr(written.name, cas ?? hazardClass ?? '')
  return { cas, class: hazardClass, name, amountT: numberOr(written.amount_t, 0), tank: textOr(written.tank, null) }
}

function checkSubstance(
  written: Written,
  substance: HazardousSubstance,
  devices: ReadonlyMap<string, number>,
  report: (key: string | null, sentence: string) => void
): void {
  const { cas, class: hazardClass, tank } = substance
  const asWritten = cas === null && hazardClass === null && written.cas === undefined && written.class === undefined
  if (asWritten) report(null, 'holds a substance with neither cas nor class: give one of them, or both')
  const readable = (cas === null || isCasNumber(cas)) && (hazardClass === null || Object.hasOwn(HAZARD_CLASSES, hazardClass))
  const factors = factorsOf(substance)
  if (readable && (cas ?? hazardClass) !== null && typeof factors === 'string')
    report('cas', `holds ${substance.name.en}${substance.name.en === cas ? '' : ` (${cas})`}, which ${factors}`)
  if (tank !== null && !devices.has(tank))
    report('tank', `names the tank ${tank}, which is not under devices in this file${didYouMean(tank, devices.keys())}`)
}
