// What somebody sends to be put in force, read: one rule, device or gateway, as JSON or YAML in the shape of its file.

import type { AmendProblem } from '../../api/amender.ts'
import type { Amendable, WrittenThing } from '../../model/amendment.ts'
import { type Place, type Problem, problemLine } from '../../platform/problem.ts'
import { type Change, changeAt } from '../config/amend.ts'
import { Findings } from '../config/findings.ts'
import { type Path, sourceOfText } from '../config/source.ts'
import { claimedId, mapping } from '../config/written.ts'

export interface SentThing {
  readonly id: string
  /** Without its secret. */
  readonly written: WrittenThing
  /** Of a gateway: what was sent as its secret; undefined: nothing. */
  readonly secret: unknown
  readonly text: string
  /** Where in the text the thing stands. */
  readonly at: Path
}

const LIST: Readonly<Record<Amendable, string>> = { rule: 'rules', device: 'devices', gateway: 'gateways' }

/** The one thing that was sent, or every reason why there is none. `id`: what the path of the request says it is. */
export function readSent(kind: Amendable, id: string | null, bytes: Uint8Array): SentThing | readonly AmendProblem[] {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return [whole('The body is not UTF-8 text: send JSON or YAML in UTF-8.')]
  }
  if (text.trim() === '') return [whole(`The body is empty: send the ${kind} as JSON or YAML.`)]
  const findings = new Findings()
  const source = sourceOfText('the body', text, findings)
  if (source === null || findings.problems.length > 0) return findings.problems.map(inBody)
  const [value, at] = unwrapped(source.value, LIST[kind])
  if (mapping(value) !== value) return [whole(`The body must be one ${kind}, a mapping as it stands in its file.`)]
  const { secret, ...written } = mapping(value)
  const claimed = claimedId(value)
  if (id !== null && claimed !== null && claimed !== id) {
    return [{ ...whole(`The path names the ${kind} ${id}, the body ${claimed}: ids are not changed.`), place: 'id' }]
  }
  const known = id ?? claimed
  if (known === null) return [{ ...whole(`The ${kind} has no id.`), place: 'id' }]
  const named = claimed === null ? { id: known, ...written } : written
  // Only a gateway has a secret: with anything else it is an unknown key, and told as such.
  const kept = kind === 'gateway' || secret === undefined ? named : { ...named, secret }
  return { id: known, written: kept, secret, text, at }
}

/** A list of one in the shape of the file is as good as the thing itself. */
function unwrapped(value: unknown, list: string): [unknown, Path] {
  if (Array.isArray(value) && value.length === 1) return [value[0], [0]]
  const inner = mapping(value)[list]
  return Array.isArray(inner) && inner.length === 1 && Object.keys(mapping(value)).length === 1 ? [inner[0], [list, 0]] : [value, []]
}

/** A finding of the checks, in the words of the API: `own` is what was sent. */
export function amendProblem({ problem, place }: Problem, own: Change | null): AmendProblem {
  const change = changeAt(place)
  if (place === null) return whole(problem)
  if (change === null || change !== own) return { place: placeText(place), problem, line: null, column: null }
  const inText = own.sent !== undefined
  return { place: place.field ?? '', problem, line: inText ? place.line : null, column: inText ? place.column : null }
}

function placeText(place: Place): string {
  return problemLine({ kind: 'problem', problem: '', place }).replace(/: $/, '')
}

function inBody({ problem, place }: Problem): AmendProblem {
  return { place: '', problem, line: place?.line ?? null, column: place?.column ?? null }
}

function whole(problem: string): AmendProblem {
  return { place: '', problem, line: null, column: null }
}
