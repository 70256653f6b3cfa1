// English of the pages of rules.

import type { RuleWords } from './rule-words.ts'

export const rules: RuleWords = {
  title: 'Rules',
  what: 'The list of rules',
  one: 'The rule',
  none: 'There are no rules',
  noMatch: 'No rule matches',
  missing: (id) => `There is no rule ${id} that you may see.`,
  shown: (shown, all) => (shown === all ? `${all} in all` : `${shown} of ${all}`),
  search: 'Search id, title, condition',
  firing: 'How it fires',
  firings: { '': 'All', never: 'Never fired', always: 'Always firing', failing: 'Cannot be judged' },
  columns: { rule: 'Rule', tiers: 'Tiers', watches: 'Watches', standing: 'Alarms now', last: 'Last fired', state: 'Remarks' },
  watches: { device: (n) => `${n} ${n === 1 ? 'device' : 'devices'}`, area: (n) => `${n} ${n === 1 ? 'area' : 'areas'}` },
  quiet: 'none',
  neverFired: 'never',
  never: 'never fired',
  always: 'on everywhere for more than 24 h',
  failing: (share) => `cannot be judged on ${share}`,
  shadow: 'Shadow',
  shadowLong: 'Shadow: judged as ever, raises nothing, tells nobody',
  changed: 'Changed here',
  onlyHere: 'Made here',
  leftOut: (why) => `not in force: ${why}`,
  removedHere: (ids) => `Taken out of force here: ${ids}`,
  builtIn: 'Built in',
  make: 'New rule',
  back: 'Back to rules',
  applies: 'Applies to',
  everything: 'all devices',
  keys: { profile: 'type', devices: 'devices', area: 'area', site: 'site', enterprise: 'enterprise' },
  origin: 'Origin',
  fromFile: (place) => `file ${place}`,
  overFile: (place, version) => `version ${version} of the console, over the file ${place}`,
  fromHere: (version) => `version ${version} of the console; no file has it`,
  fromBuiltIn: 'built-in fault rule, asked for by builtIn in rules/*.yaml',
  source: 'Source',
  reasons: 'Why it cannot be judged',
  readOnly: 'Rules are changed by engineers.',
  editor: {
    title: 'The rule',
    label: 'The rule (YAML)',
    check: 'Check',
    checking: 'Checking…',
    save: 'Save, in force at once',
    note: 'Note',
    notePlaceholder: 'Why: kept with the version',
    discard: 'Discard changes',
    unsaved: 'Not saved yet',
    line: (n) => `Line ${n}`,
    ok: 'Nothing is wrong with it',
    bad: (n) => `${n} ${n === 1 ? 'problem' : 'problems'}`,
    subjects: (before, after) => (before === after ? `Watches ${after}, as before` : `Watches ${after} instead of ${before}`),
    added: 'Watched from now on',
    removed: 'No longer watched',
    turns: (n) => (n === 0 ? 'On the values held now, no alarm would turn at once' : `On the values held now, ${n} would turn at once`),
    same: 'The same as in force',
    diff: 'Changes',
    saved: (version) => `Saved as version ${version} and in force.`,
    unchanged: 'Nothing has changed.',
    conflict: 'Somebody else has changed this rule. Your text is still here: load the newest, compare, and save again.',
    reload: 'Load the newest (drops my changes)',
    template: `id: new-rule
title: { zh: 名称, en: Title }
appliesTo: { profile: a-profile }
tiers:
  yellow: { when: condition, for: 10s }
guidance:
  zh: 原因:。后果:。处置:。时限:。
  en: "Cause: . Consequence: . Do: . Within: ."
`
  },
  shadowOn: 'Make it a shadow',
  shadowOff: 'End the shadow',
  shadowOnAsk: 'As a shadow it raises no alarms, and its present ones end. Go on?',
  shadowOffAsk: 'From then on it raises alarms and people are told. Go on?',
  shadowOnNote: 'Made a shadow',
  shadowOffNote: 'Shadow ended',
  toFile: 'Back to the file',
  toFileAsk: 'What was changed here is no longer in force then. Go on?',
  remove: 'Take out of force',
  removeAsk: 'It is no longer judged, and its present alarms end. Go on?',
  yes: 'Go on',
  versions: {
    title: 'Versions',
    what: 'The versions',
    none: 'Never changed here. Changes in the files are not listed.',
    version: (n) => `Version ${n}`,
    changes: { created: 'made', changed: 'changed', removed: 'taken out of force', reverted: 'back to the file', unchanged: 'unchanged' },
    diff: 'What changed',
    revert: 'Back to this version',
    revertAsk: (n) => `Version ${n} is in force again at once. Go on?`,
    revertNote: (n) => `Back to version ${n}`
  },
  level: { clear: 'clear', blue: 'blue', yellow: 'yellow', orange: 'orange', red: 'red' }
}
