// Holds a value from a file against its shape and says every difference as a sentence with its place.

import type { z } from 'zod'
import { problem } from '../../platform/problem.ts'
import { didYouMean, type Findings } from './findings.ts'
import type { Path, SourceFile } from './source.ts'

type Issue = z.core.$ZodIssue

/** Keys whose values may hold a password: a finding ends up in logs and screenshots. */
const CONFIDENTIAL = new Set([
  'secret',
  'token',
  'url',
  'redis',
  'accessKeyId',
  'accessKeySecret',
  'secretId',
  'secretKey',
  'authToken',
  'password',
  'passphrase',
  'privateKey',
  'callbackSecret'
])

/**
 * True where `value` has the shape. Otherwise every difference is a problem in `findings`; `thing` names what is described
 * ("device T-101"), `path` leads to it in the file.
 */
export function hasShape<Shape extends z.ZodType>(
  shape: Shape,
  value: unknown,
  thing: string,
  source: SourceFile,
  path: Path,
  findings: Findings
): value is z.input<Shape> {
  const outcome = shape.safeParse(value)
  if (outcome.success) return true
  for (const issue of flat(outcome.error.issues, value)) report(issue, shape, value, thing, source, path, findings)
  return false
}

function report(issue: Issue, shape: z.ZodType, value: unknown, thing: string, source: SourceFile, path: Path, findings: Findings): void {
  const steps = issue.path as Path
  const there = [...path, ...steps]
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(shape, steps)
    for (const key of issue.keys) {
      const hint = hintFor(key, known)
      findings.problem(problem(`${nameOf(steps, thing)} has the unknown key ${key}${hint}`, source.keyPlace([...there, key])))
    }
    return
  }
  if (issue.code === 'invalid_key') {
    const why = issue.issues[0]?.message ?? 'must be a name'
    findings.problem(problem(`the name ${String(steps.at(-1))} in ${nameOf(steps.slice(0, -1), thing)} ${why}`, source.keyPlace(there)))
    return
  }
  const found = at(value, steps)
  if (found === undefined) {
    findings.problem(
      problem(`${nameOf(steps.slice(0, -1), thing)} has no ${String(steps.at(-1))}, which ${needs(issue)}`, source.place(there))
    )
    return
  }
  const not = CONFIDENTIAL.has(String(steps.at(-1))) ? '' : `, not ${shown(found, issue)}`
  findings.problem(problem(`${nameOf(steps, thing)} ${predicate(issue)}${not}`, source.place(there)))
}

function hintFor(key: string, known: readonly string[]): string {
  // { when: voted(2, a > 1) } is read as the key `when` and the key `a > 1)`.
  if (/[()<>=&|'"]/.test(key)) return '; inside { } text with a comma needs quotes'
  const near = didYouMean(key, known)
  return near !== '' || known.length === 0 ? near : `; known here: ${known.join(', ')}`
}

/** Unions answer with one branch's issues: those of the mapping where a mapping was written. */
function flat(issues: readonly Issue[], value: unknown): Issue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union') return [issue]
    const found = at(value, issue.path as Path)
    if (typeof found === 'string') return inner(issue, 0)
    // Of a list, the branch that took it for one: what is wrong lies inside.
    const listed = Array.isArray(found) ? issue.errors.findIndex((errors) => errors.every(({ path }) => path.length > 0)) : -1
    if (listed >= 0) return inner(issue, listed)
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? inner(issue, issue.errors.length - 1) : [issue]
  })
}

function inner(union: z.core.$ZodIssueInvalidUnion, branch: number): Issue[] {
  return (union.errors[branch] ?? []).map((issue) => ({ ...issue, path: [...union.path, ...issue.path] }))
}

function predicate(issue: Issue): string {
  if (issue.message.startsWith('must ')) return issue.message
  if (issue.code !== 'invalid_type') return `cannot be used (${issue.message})`
  const kinds: Record<string, string> = { object: 'a mapping', record: 'a mapping', array: 'a list', string: 'text', int: 'a whole number' }
  return `must be ${kinds[issue.expected] ?? `a ${issue.expected}`}`
}

function needs(issue: Issue): string {
  return predicate(issue) === 'must be text' ? 'is required' : `is required and ${predicate(issue)}`
}

function shown(value: unknown, issue: Issue): string {
  const wantsText = issue.code === 'invalid_type' && issue.expected === 'string'
  switch (typeof value) {
    case 'string':
      return value === '' ? 'empty text' : `the text "${value.length > 60 ? `${value.slice(0, 60)}…` : value}"`
    case 'number':
      return wantsText && !issue.message.includes('unit') ? `the number ${value} (put it in quotes)` : `${value}`
    case 'boolean':
      return wantsText ? `${value} (put it in quotes)` : `${value}`
    default:
      if (value === null) return 'empty'
      return Array.isArray(value) ? 'a list' : 'a mapping'
  }
}

function nameOf(steps: Path, thing: string): string {
  if (steps.length === 0) return thing
  let text = ''
  for (const step of steps) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`
  return `${text} of ${thing}`
}

function at(value: unknown, steps: Path): unknown {
  let found = value
  for (const step of steps)
    found = typeof found === 'object' && found !== null ? (found as Record<string | number, unknown>)[step] : undefined
  return found
}

/** The keys that the shape knows at these steps, as far as the shape can be followed. */
function knownKeys(shape: z.ZodType, steps: Path): string[] {
  let here: Def | undefined = shape as unknown as Def
  for (const step of steps) {
    here = unwrapped(here)
    here = here?.def.shape?.[step] ?? here?.def.element ?? here?.def.valueType
  }
  here = unwrapped(here)
  return Object.keys(here?.def.shape ?? {})
}

interface Def {
  readonly def: {
    readonly shape?: Record<string | number, Def>
    readonly element?: Def
    readonly valueType?: Def
    readonly innerType?: Def
    readonly options?: readonly Def[]
  }
}

function unwrapped(shape: Def | undefined): Def | undefined {
  let here = shape
  while (here?.def.innerType !== undefined || here?.def.options !== undefined) here = here.def.innerType ?? here.def.options?.at(-1)
  return here
}
