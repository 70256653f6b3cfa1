// What a changed rule would do, without doing it: problems, whom it would watch, what would turn at once on the values held.

import type { RuleTrial } from '../../api/amender.ts'
import { subjectIds } from '../../api/ruleSubjects.ts'
import type { Transition } from '../../model/alarm.ts'
import type { WrittenThing } from '../../model/amendment.ts'
import { LIMITS } from '../../platform/limits.ts'
import { unifiedDiff } from '../../platform/unifiedDiff.ts'
import { Engine } from '../../rules/engine.ts'
import { type Change, hashOfWritten, yamlOfOne } from '../config/amend.ts'
import type { Pipeline } from '../pipeline.ts'
import type { Candidate } from './candidate.ts'
import { amendProblem } from './sent.ts'

/** `before`: the rule as it is written now, null where there is none. */
export function trialOf(pipeline: Pipeline, change: Change, before: WrittenThing | null, candidate: Candidate): RuleTrial {
  const same = before !== null && hashOfWritten(before) === hashOfWritten(change.written)
  return {
    problems: candidate.problems.map((found) => amendProblem(found, change)),
    warnings: candidate.warnings.map(({ problem }) => problem),
    change: before === null ? 'created' : same ? 'unchanged' : 'changed',
    subjects: subjectsOf(pipeline, change.id, candidate),
    turns: turnsOf(pipeline, change.id, candidate),
    diff: unifiedDiff(yamlOfOne(before), yamlOfOne(change.written), {
      before: `rule ${change.id}, in force`,
      after: `rule ${change.id}, as sent`
    })
  }
}

function subjectsOf({ fleet }: Pipeline, id: string, candidate: Candidate): RuleTrial['subjects'] {
  if (candidate.fleet === null) return null
  const [now, then] = [fleet, candidate.fleet].map((one) => {
    const rule = one.plant.rules.find((rule) => rule.id === id)
    return new Set(rule === undefined ? [] : subjectIds(one, rule))
  }) as [Set<string>, Set<string>]
  const most = LIMITS.amendments.subjectsNamed
  const added = [...then].filter((subject) => !now.has(subject)).slice(0, most)
  const removed = [...now].filter((subject) => !then.has(subject)).slice(0, most)
  return { before: now.size, after: then.size, added, removed }
}

/** Judged by the very engine, on a copy of what it knows. */
function turnsOf(pipeline: Pipeline, id: string, { fleet }: Candidate): RuleTrial['turns'] {
  if (fleet === null) return null
  const out: Transition[] = []
  Engine.restore(pipeline.fleet, pipeline.snapshot().engine).under(fleet, pipeline.position.advancedTo + 1, out)
  const own = out.filter(({ rule }) => rule === id)
  const first = own.slice(0, LIMITS.amendments.subjectsNamed).map(({ device, area, from, to, because }) => ({
    subject: device ?? area ?? '',
    from,
    to,
    because
  }))
  return { count: own.length, first }
}
