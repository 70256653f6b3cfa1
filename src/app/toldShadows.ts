// Shadow rules made real, for runs that only look: a backtest that asks what they would have told, a sweep of one of them.

import type { Plant, Rule } from '../model/plant.ts'

/** The same rule, told like any other. */
export function told({ shadow: _shadow, ...rule }: Rule): Rule {
  return rule
}

/** The same plant with every shadow rule told. */
export function tellingShadows(plant: Plant): Plant {
  return { ...plant, hash: `${plant.hash}:shadows told`, rules: plant.rules.map(told) }
}
