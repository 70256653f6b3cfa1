import { expect, test } from 'vitest'
import { GOOD, lines, load } from './folders.ts'

test('a plant with ten mistakes gets ten sentences, each with its place', () => {
  const { config, plant, problems, warnings } = load({
    ...GOOD,
    'fenghuo.yaml': `http: { port: 808080 }
clockSkew: 5
`,
    'profiles/tank.yaml': `id: tank
metrics:
  level_pct: { unit: "%", min: 110, max: 0 }
  temperature_c: { min: -60, max: 250 }
silentAfter: 90
limits: { level_high: 85 }
`,
    'plant.yaml': `enterprises: [{ id: chem }]
sites: [{ id: farm, enterprise: chemm }]
devices:
  - id: T-1
    profile: tnak
  - { id: T-1, profile: tank }
  - { id: T-3, profile: tank, lables: { medium: methanol } }
`,
    'rules/level.yaml': `rules:
  - id: level
    appliesTo: { profile: tank, area: nowhere }
    tiers: { yellow: { when: level_pct > 85 } }
`
  })
  expect(lines(problems)).toEqual([
    'fenghuo.yaml:1:15: http.port of the service must be a port number from 0 to 65535, not 808080',
    'fenghuo.yaml:2:12: clockSkew of the service must be a duration with a unit, such as 500ms, 30s, 15m, 8h or 7d, not 5',
    'plant.yaml:2:33: site farm names the enterprise chemm, which is not under enterprises in this file; did you mean chem?',
    'plant.yaml:5:14: device T-1 names the profile tnak, which no file in profiles/ defines; did you mean tank?',
    'plant.yaml:6:11: the device T-1 is already defined in line 4; device ids are unique',
    'plant.yaml:7:31: device T-3 has the unknown key lables; did you mean labels?',
    'profiles/tank.yaml:3:32: metrics.level_pct.min of profile tank must be below its max, or no value is ever in range, not 110',
    'profiles/tank.yaml:4:18: metrics.temperature_c of profile tank has no unit, which is required',
    'profiles/tank.yaml:5:14: silentAfter of profile tank must be a duration with a unit, such as 500ms, 30s, 15m, 8h or 7d, not 90',
    'rules/level.yaml:3:39: rule level applies to the area nowhere, which does not exist'
  ])
  expect(warnings).toEqual([])
  expect([config, plant]).toEqual([null, null])
})
