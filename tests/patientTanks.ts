// Tanks whose rule waits for long: what a service that was killed meanwhile takes to start again runs out none of its delays.

export const TANK_PROFILE =
  'id: tank\nmetrics: { level_pct: { unit: "%", min: 0, max: 110 } }\nlimits: { high: 85, high_high: 92 }\nsilentAfter: 12h\n'

export const PATIENT_LEVEL_RULE = `rules:
  - id: level
    appliesTo: { profile: tank }
    tiers:
      yellow: { when: level_pct > limits.high, deadband: 3, for: 1h, clearFor: 30m }
      red: { when: level_pct > limits.high_high, clear: level_pct < 88, for: 20m }
`
