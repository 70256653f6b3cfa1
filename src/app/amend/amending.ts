// Changes of rules, devices and gateways while the service runs: one at a time, checked like files, kept, journaled, applied.
// Invariant: what is kept in the state store is what comes into force, now or, after a crash, at the next start.

import { looksHashed, parsePhc } from '../../access/phc.ts'
import { Turns } from '../../access/turns.ts'
import type {
  AmendCall,
  AmendDone,
  Amender,
  AmendRefusal,
  ImportOutcome,
  OverlayEntry,
  RuleOrigin,
  RuleTrial,
  Standing,
  VersionView
} from '../../api/amender.ts'
import { inTime } from '../../api/inTime.ts'
import { rulesInScope, watchesOnly } from '../../api/ruleSubjects.ts'
import { gatewaysSeen, ownsGateway, seesDevice } from '../../api/sight.ts'
import type { Amendable, Amendment, AmendOp, WrittenThing } from '../../model/amendment.ts'
import type { Fleet } from '../../model/fleet.ts'
import type { Scope } from '../../model/scope.ts'
import type { Clock } from '../../platform/clock.ts'
import { LIMITS } from '../../platform/limits.ts'
import { unifiedDiff } from '../../platform/unifiedDiff.ts'
import { type Change, hashOfWritten, overlaid, writtenIn, yamlOf, yamlOfOne } from '../config/amend.ts'
import { type AmendedPlant, type ApplyParts, applyTo } from './apply.ts'
import { type Candidate, candidateOf } from './candidate.ts'
import { amendmentsOf, checkedImport, stateOf, type ThingState } from './importing.ts'
import { amendProblem, readSent, type SentThing } from './sent.ts'
import { trialOf } from './trial.ts'

export interface AmendingParts extends ApplyParts {
  readonly clock: Clock
  /** How the secrets of gateways are kept. */
  readonly hashOf: (secret: string) => Promise<string>
}

export class Amending implements Amender {
  readonly #parts: AmendingParts
  readonly #turns = new Turns(LIMITS.amendments.waiting)
  readonly #now: AmendedPlant

  constructor(parts: AmendingParts, start: AmendedPlant) {
    this.#parts = parts
    this.#now = start
  }

  put(call: AmendCall, mode: 'create' | 'replace', bytes: Uint8Array): Promise<AmendDone | AmendRefusal> {
    return this.#turn(() => this.#put(call, mode, bytes))
  }

  remove(call: AmendCall, to: 'file' | 'gone' | null): Promise<AmendDone | AmendRefusal> {
    return this.#turn(() => this.#remove(call, to))
  }

  async try(call: AmendCall, bytes: Uint8Array): Promise<RuleTrial | AmendRefusal> {
    const sent = readSent('rule', call.id, bytes)
    if ('length' in sent) return invalid('malformed', sent)
    const { written: before } = this.#state('rule', sent.id)
    if (before !== null && !this.#mayChange(this.#fleet, 'rule', sent.id, call.by.scope)) return forbidden('rule', sent.id)
    const change = changeOf('rule', sent, null)
    const candidate = candidateOf(this.#now.source, overlaid(this.#now.overlay, [change]), [change])
    if (candidate.fleet !== null && !this.#mayChange(candidate.fleet, 'rule', sent.id, call.by.scope)) return forbidden('rule', sent.id)
    return trialOf(this.#parts.loop.pipeline, change, before, candidate)
  }

  import({ by, note }: Pick<AmendCall, 'by' | 'note'>, bytes: Uint8Array, dryRun: boolean): Promise<ImportOutcome | AmendRefusal> {
    return this.#turn(() => this.#import({ by, note }, bytes, dryRun), LIMITS.amendments.importMs)
  }

  standing(kind: Amendable, id: string): Standing | null {
    const { version, written, file } = this.#state(kind, id)
    if (written === null) return null
    return { version, etag: etagOf(version, written), written, file: file?.place() ?? null, amended: this.#now.overlay[kind].has(id) }
  }

  origin(rule: string): RuleOrigin {
    const { file, written } = this.#state('rule', rule)
    return written === null ? 'builtIn' : file === null ? 'console' : 'file'
  }

  async versions(kind: Amendable, id: string, scope: Scope, limit: number, before: number): Promise<VersionView[] | null> {
    const { written } = this.#state(kind, id)
    const list = await this.#parts.access.amendments.versions(kind, id, limit, before)
    // What it was before is told to those who may change it: it may have been elsewhere.
    const visible = scope === null || (written !== null && this.#mayChange(this.#fleet, kind, id, scope))
    if (!visible || (written === null && list.length === 0)) return null
    return list.map(({ version, at, by, note, op, before: old, after }) => ({
      version,
      at,
      by,
      note,
      change: wordFor(op, old, after),
      diff: unifiedDiff(yamlOfOne(old), yamlOfOne(after), { before: `${kind} ${id}, before`, after: `${kind} ${id}, version ${version}` }),
      written: after
    }))
  }

  overlay(scope: Scope): OverlayEntry[] {
    const { latest, leftOut, source } = this.#now
    const why = new Map(leftOut.map(({ change, problem }) => [`${change.kind} ${change.id}`, problem]))
    return [...latest.values()].flatMap(({ kind, id, version, at, by, note, op, base }) => {
      if (op === 'revert' || (scope !== null && !this.#maySee(kind, id, scope))) return []
      const fileChanged = base !== hashOfWritten(writtenIn(source, kind, id)?.written ?? null)
      return [{ kind, id, version, at, by, note, op, leftOut: why.get(`${kind} ${id}`) ?? null, fileChanged }]
    })
  }

  yaml(kind: Amendable, ids: readonly string[]): string {
    const written = ids.map((id) => this.#state(kind, id).written).filter((one): one is WrittenThing => one !== null)
    return yamlOf(kind, written)
  }

  get #fleet(): Fleet {
    return this.#parts.loop.pipeline.fleet
  }

  /** Its turn in the queue, unless the caller has stopped waiting by then. */
  async #turn<Answer extends { readonly kind: string }>(
    act: () => Promise<Answer | AmendRefusal>,
    answerMs: number = LIMITS.amendments.answerMs
  ): Promise<Answer | AmendRefusal> {
    let left = false
    let begun = false
    const gone = refused('unavailable', 'Nobody waits for this change any more.')
    const turn = this.#turns.take(async () => {
      begun = true
      return left ? gone : act()
    })
    if (turn === null) return refused('busy', 'Too many changes are waiting for their turn: try again in a few seconds.')
    const answer = await inTime(turn, answerMs, this.#parts.clock)
    if (answer !== 'late') return answer
    left = true
    const sentence = begun
      ? 'The change is kept and comes into force as soon as the journal can be written: look at its version before you send it again.'
      : 'Another change has not come into force yet, so this one was not begun: try again.'
    return refused('unavailable', sentence)
  }

  async #put(call: AmendCall, mode: 'create' | 'replace', bytes: Uint8Array): Promise<AmendDone | AmendRefusal> {
    const { kind, by } = call
    const sent = readSent(kind, call.id, bytes)
    if ('length' in sent) return invalid('malformed', sent)
    const { id } = sent
    const state = this.#state(kind, id)
    if (state.written !== null && !this.#mayChange(this.#fleet, kind, id, by.scope)) return this.#hidden(kind, id, by.scope)
    if (mode === 'create' && state.written !== null)
      return refused('exists', `There is a ${kind} ${id} already: PUT /${kind}s/${id} changes it.`)
    if (mode === 'replace' && state.written === null) return unknown(kind, id, `; POST /${kind}s makes one`)
    const stale = staleness(call, id, state)
    if (stale !== null) return stale
    const secret = await secretFor(kind, sent, state, this.#parts.hashOf)
    if (secret !== null && typeof secret !== 'string') return secret
    const sameSecret = kind !== 'gateway' || sent.secret === undefined
    if (state.written !== null && sameSecret && hashOfWritten(state.written) === hashOfWritten(sent.written)) {
      return { kind: 'done', id, change: 'unchanged', version: state.version, etag: etagOf(state.version, state.written), warnings: [] }
    }
    return this.#apply(call, [changeOf(kind, sent, secret)])
  }

  async #remove(call: AmendCall, to: 'file' | 'gone' | null): Promise<AmendDone | AmendRefusal> {
    const { kind, id, by } = call
    if (id === null) throw new Error('nothing is named to be removed')
    const state = this.#state(kind, id)
    const reverts = to === 'file' || (to === null && kind === 'rule' && state.file !== null && state.change?.op === 'put')
    // What was taken out of force comes back from its file.
    if (state.written === null && !(reverts && state.file !== null)) return unknown(kind, id)
    const mayChange = state.written === null ? by.scope === null : this.#mayChange(this.#fleet, kind, id, by.scope)
    if (!mayChange) return this.#hidden(kind, id, by.scope)
    const stale = staleness(call, id, state)
    if (stale !== null) return stale
    if (reverts && state.file === null) return refused('conflict', `No file has the ${kind} ${id}, so there is nothing to go back to.`)
    if (reverts && state.change === null)
      return refused('conflict', `The ${kind} ${id} is as its file says: there is nothing to take back.`)
    const op: AmendOp = reverts || state.file === null ? 'revert' : 'remove'
    return this.#apply(call, [{ kind, id, op, written: null, secret: null }])
  }

  async #import({ by, note }: Pick<AmendCall, 'by' | 'note'>, bytes: Uint8Array, dryRun: boolean): Promise<ImportOutcome | AmendRefusal> {
    const { rows, created, changes, candidate, problems } = checkedImport(this.#now, bytes)
    if (problems.length > 0 || candidate.fleet === null) return invalid('invalid', problems)
    const { fleet } = candidate
    const strange = changes.find(({ id }) => !this.#mayChangeBoth(fleet, 'device', id, by.scope))
    if (strange !== undefined) return forbidden('device', strange.id)
    const outcome = { rows, created, changed: changes.length - created, unchanged: rows - changes.length }
    if (!dryRun && changes.length > 0) {
      const call: AmendCall = { kind: 'device', id: null, by, note, ifMatch: null, version: null }
      const done = await this.#apply(call, changes, candidate)
      if (done.kind === 'refused') return done
    }
    return { kind: 'imported', ...outcome, dryRun }
  }

  /** Checks, and if all is well keeps and applies. */
  async #apply(call: AmendCall, changes: readonly Change[], checked?: Candidate): Promise<AmendDone | AmendRefusal> {
    const overlay = overlaid(this.#now.overlay, changes)
    const candidate = checked ?? candidateOf(this.#now.source, overlay, changes)
    const [first] = changes
    if (first === undefined) throw new Error('no change was given')
    const { plant, fleet } = candidate
    if (plant === null || fleet === null) {
      return invalid(
        'invalid',
        candidate.problems.map((found) => amendProblem(found, first))
      )
    }
    if (checked === undefined && first.op === 'put' && !this.#mayChange(fleet, first.kind, first.id, call.by.scope)) {
      return forbidden(first.kind, first.id)
    }
    const amendments = amendmentsOf(this.#now, changes, call.by.user, call.note, this.#parts.clock.now())
    const obstacle = await applyTo(this.#parts, this.#now, { amendments, overlay, plant })
    if (obstacle !== null) return refused('unavailable', obstacle)
    const [one] = amendments as [Amendment]
    return {
      kind: 'done',
      id: first.id,
      change: wordFor(first.op, one.before, one.after),
      version: one.version,
      etag: one.after === null ? null : etagOf(one.version, one.after),
      warnings: candidate.warnings.map(({ problem }) => problem)
    }
  }

  #state(kind: Amendable, id: string): ThingState {
    return stateOf(this.#now, kind, id)
  }

  #mayChange(fleet: Fleet, kind: Amendable, id: string, scope: Scope): boolean {
    if (scope === null) return true
    if (kind === 'gateway') return ownsGateway(fleet, id, scope)
    if (kind === 'rule') {
      const rule = fleet.plant.rules.find((one) => one.id === id)
      return rule !== undefined && watchesOnly(fleet, rule, scope)
    }
    const number = fleet.deviceNumber.get(id) ?? -1
    const gateway = fleet.plant.gateways[fleet.gatewayOf[number] ?? -1]
    // Whose gateway it is, the plant as it was says: a new device must not open somebody else's.
    const gateways = gateway === undefined ? [] : gatewaysSeen(this.#fleet, scope)
    return seesDevice(fleet, number, scope) && (gateway === undefined || gateways.some((one) => one.id === gateway.id))
  }

  #mayChangeBoth(next: Fleet, kind: Amendable, id: string, scope: Scope): boolean {
    const before = this.#state(kind, id).written === null || this.#mayChange(this.#fleet, kind, id, scope)
    return before && this.#mayChange(next, kind, id, scope)
  }

  #maySee(kind: Amendable, id: string, scope: Scope): boolean {
    if (kind === 'rule') return rulesInScope(this.#fleet, scope).some((rule) => rule.id === id)
    if (kind === 'gateway') return gatewaysSeen(this.#fleet, scope).some((gateway) => gateway.id === id)
    return seesDevice(this.#fleet, this.#fleet.deviceNumber.get(id), scope)
  }

  /** What lies wholly outside of somebody's scope is not even there for him. */
  #hidden(kind: Amendable, id: string, scope: Scope): AmendRefusal {
    return this.#maySee(kind, id, scope) ? forbidden(kind, id) : unknown(kind, id)
  }
}

function changeOf(kind: Amendable, { id, written, text, at }: SentThing, secret: string | null): Change {
  return { kind, id, op: 'put', written, secret, sent: { text, at } }
}

/** The secret that a gateway is to have from now on; null: the one in the files. */
async function secretFor(
  kind: Amendable,
  { secret }: SentThing,
  state: ThingState,
  hashOf: AmendingParts['hashOf']
): Promise<string | null | AmendRefusal> {
  if (kind !== 'gateway') return null
  const wrong = (problem: string): AmendRefusal => invalid('invalid', [{ place: 'secret', problem, line: null, column: null }])
  if (secret === undefined) {
    const kept = state.change?.secret ?? null
    return kept === null && state.file === null ? wrong('The gateway has no secret: send one, it is kept as a hash.') : kept
  }
  if (secret === null) return ''
  if (typeof secret !== 'string' || secret === '') return wrong('secret of the gateway must be text, or null to revoke it.')
  if (secret.length > LIMITS.access.passwordLength) return wrong(`The secret is longer than ${LIMITS.access.passwordLength} characters.`)
  if (secret.startsWith('env:')) return wrong('A variable of the environment is named in plant.yaml only: send the secret itself.')
  if (!looksHashed(secret)) return hashOf(secret)
  const phc = parsePhc(secret)
  return phc.kind === 'problem' ? wrong(phc.problem) : secret
}

/** A refusal where the caller has seen another version than the one that stands. */
function staleness({ kind, ifMatch, version }: AmendCall, id: string, state: ThingState): AmendRefusal | null {
  if (ifMatch !== null && ifMatch.trim() !== '*') {
    const etag = etagOf(state.version, state.written)
    const tags = ifMatch.split(',').map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
    if (!tags.some((tag) => tag === etag || tag === String(state.version))) {
      return refused('precondition', `The ${kind} ${id} has changed meanwhile: it is at ${etag}. Read it again before you change it.`)
    }
  }
  if (version === null || version === state.version) return null
  return refused('conflict', `The ${kind} ${id} has changed meanwhile: it is at version ${state.version}, not ${version}. Read it again.`)
}

/** Version and content: a file that was edited between two starts has another one too. */
function etagOf(version: number, written: WrittenThing | null): string {
  return `${version}-${hashOfWritten(written) ?? 'none'}`
}

function wordFor(op: AmendOp, before: WrittenThing | null, after: WrittenThing | null): AmendDone['change'] {
  if (op === 'revert' && after !== null) return 'reverted'
  if (after === null) return 'removed'
  return before === null ? 'created' : 'changed'
}

function refused(why: AmendRefusal['why'], sentence: string): AmendRefusal {
  return { kind: 'refused', why, sentence, problems: [] }
}

function invalid(why: 'malformed' | 'invalid', problems: AmendRefusal['problems']): AmendRefusal {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return { kind: 'refused', why, sentence: `Nothing was changed: ${first?.problem ?? 'it cannot be put in force'}${more}`, problems }
}

function unknown(kind: Amendable, id: string, advice = ''): AmendRefusal {
  return refused('unknown', `There is no ${kind} ${id} that you may see${advice}.`)
}

function forbidden(kind: Amendable, id: string): AmendRefusal {
  const all =
    kind === 'rule'
      ? 'It must watch something, and nothing but what belongs to your enterprises and sites.'
      : 'It must belong to your enterprises and sites.'
  return refused('forbidden', `The ${kind} ${id} is not yours to change. ${all}`)
}
