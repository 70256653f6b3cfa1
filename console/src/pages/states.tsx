// What is withheld by plan: windows out of service, states of the plant, and alarms that explain others; what each holds back.

import '../style/alarm.css'
import { type ReactNode, useMemo, useState } from 'react'
import type { Text } from '../api.ts'
import {
  enterState,
  type Inhibition,
  leaveState,
  listInhibitions,
  listSites,
  listStates,
  type OnSomewhere,
  type PlantState,
  type Site,
  type Target,
  type TargetKind
} from '../api-lifecycle.ts'
import { serverNow } from '../clock.ts'
import { useConsole, useResource } from '../console.tsx'
import { sayProblem } from '../format.ts'
import { isEngineer, useHandling } from '../handling.ts'
import { Instant } from '../parts/age.tsx'
import { Form } from '../parts/alarm-forms.tsx'
import { Refusal, useDoing } from '../parts/doing.tsx'
import { Reason } from '../parts/reason.tsx'
import { localTime, TakeOutForm, useWindows, Windows } from '../parts/service-windows.tsx'
import { ROMAN } from '../parts/tier-mark.tsx'
import { addressOf } from '../route.ts'
import { useSay, useWords } from '../words.ts'

const REFRESH_MS = 10_000
const USUALLY_MS = 3_600_000
const KINDS: readonly TargetKind[] = ['device', 'area', 'site']

export function StatesPage() {
  const words = useWords()
  const { states: own } = useHandling()
  const { person } = useConsole()
  const windows = useWindows()
  const states = useResource('states', listStates, REFRESH_MS)
  const inhibitions = useResource('inhibitions', listInhibitions, REFRESH_MS)
  const sites = useResource('sites of targets', listSites)
  const [taking, setTaking] = useState(false)
  const nameOf = useNames(sites.value?.items ?? [])
  const problem = windows.problem ?? states.problem ?? inhibitions.problem
  return (
    <div className="states">
      <div className="page-head">
        <h1>{own.title}</h1>
        <span className="page-count">{own.lead}</span>
      </div>
      {problem !== null && <p className="notice" role="alert">{`${own.failed} ${sayProblem(problem, words)}`}</p>}
      {!isEngineer(person.role) && <p className="faint">{own.byEngineer}</p>}
      <h2>{own.windows}</h2>
      {windows.value?.items.length === 0 && <p className="faint">{own.noWindows}</p>}
      <Windows windows={windows.value?.items ?? []} nameOf={nameOf} onDone={windows.reload} />
      {isEngineer(person.role) && (
        <button type="button" className="button" aria-expanded={taking} onClick={() => setTaking(!taking)}>
          {own.takeOut}
        </button>
      )}
      {taking && (
        <TakeOut
          sites={sites.value?.items ?? []}
          onDone={() => {
            setTaking(false)
            windows.reload()
          }}
        />
      )}
      <h2>{own.states}</h2>
      {states.value?.items.length === 0 && <p className="faint">{own.noStates}</p>}
      {states.value?.items.map((state) => (
        <StateCard key={state.id} state={state} nameOf={nameOf} sites={sites.value?.items ?? []} onDone={states.reload} />
      ))}
      <h2>{own.inhibitions}</h2>
      {inhibitions.value?.items.length === 0 && <p className="faint">{own.noInhibitions}</p>}
      {inhibitions.value?.items.map((inhibition) => (
        <InhibitionCard key={inhibition.id} inhibition={inhibition} nameOf={nameOf} />
      ))}
    </div>
  )
}

type NameTarget = (target: Target) => string

/** Areas and sites by their names; devices, of which there may be thousands, by their ids. */
function useNames(sites: readonly Site[]): NameTarget {
  const say = useSay()
  return useMemo(() => {
    const named = new Map<string, Text>()
    for (const site of sites) {
      named.set(`site ${site.id}`, site.name)
      for (const area of site.areas) named.set(`area ${area.id}`, area.name)
    }
    return ({ kind, id }) => say(named.get(`${kind} ${id}`), id)
  }, [sites, say])
}

function TakeOut({ sites, onDone }: { sites: readonly Site[]; onDone: () => void }) {
  const [target, setTarget] = useState<Target>({ kind: 'device', id: '' })
  return (
    <>
      <TargetField sites={sites} target={target} onChange={setTarget} />
      <TakeOutForm target={target.id === '' ? null : target} onDone={onDone} />
    </>
  )
}

/** A device by its id, an area or a site by its name. */
function TargetField({ sites, target, onChange }: { sites: readonly Site[]; target: Target; onChange: (target: Target) => void }) {
  const { states: own } = useHandling()
  const say = useSay()
  const { kind, id } = target
  const choices =
    kind === 'site'
      ? sites.map((site) => ({ id: site.id, name: say(site.name, site.id) }))
      : sites.flatMap(({ areas }) => areas.map((area) => ({ id: area.id, name: say(area.name, area.id) })))
  return (
    <div className="handling-form">
      <label>
        {own.what}
        <select value={kind} onChange={(event) => onChange({ kind: event.target.value as TargetKind, id: '' })}>
          {KINDS.map((one) => (
            <option key={one} value={one}>
              {own.kind[one]}
            </option>
          ))}
        </select>
      </label>
      {kind === 'device' ? (
        <label>
          {own.id}
          <input required maxLength={64} value={id} onChange={(event) => onChange({ kind, id: event.target.value.trim() })} />
        </label>
      ) : (
        <label>
          {own.id}
          <select value={id} onChange={(event) => onChange({ kind, id: event.target.value })}>
            <option value="">—</option>
            {choices.map((choice) => (
              <option key={choice.id} value={choice.id}>
                {choice.name}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  )
}

interface StateCardProps {
  readonly state: PlantState
  readonly nameOf: NameTarget
  readonly sites: readonly Site[]
  readonly onDone: () => void
}

function StateCard({ state, nameOf, sites, onDone }: StateCardProps) {
  const { states: own } = useHandling()
  const { person } = useConsole()
  const doing = useDoing()
  const { busy, run } = doing
  const [open, setOpen] = useState(false)
  const byHand = state.kind === 'manual' && isEngineer(person.role)
  async function leave({ scope }: OnSomewhere): Promise<void> {
    const target = targetNamed(scope)
    if (target !== null && (await run(() => leaveState(state.id, target, '')))) onDone()
  }
  return (
    <Card of={state} kind={`${own.kinds[state.kind]}${state.while === null ? '' : ` · ${state.while}`}`}>
      {state.on.map((one) => (
        <On key={`${one.scope} ${one.since}`} one={one} nameOf={nameOf}>
          {byHand && one.source === 'person' && (
            <button type="button" className="button" disabled={busy} onClick={() => void leave(one)}>
              {own.leave}
            </button>
          )}
        </On>
      ))}
      {byHand && (
        <button type="button" className="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {own.enter}
        </button>
      )}
      {open && (
        <Enter
          state={state}
          sites={sites}
          onDone={() => {
            setOpen(false)
            onDone()
          }}
        />
      )}
      <Refusal of={doing} />
    </Card>
  )
}

function Enter({ state, sites, onDone }: { state: PlantState; sites: readonly Site[]; onDone: () => void }) {
  const handling = useHandling()
  const doing = useDoing()
  const { busy, run } = doing
  const [target, setTarget] = useState<Target>({ kind: 'device', id: '' })
  const [until, setUntil] = useState(() => localTime(serverNow() + USUALLY_MS))
  const [note, setNote] = useState('')
  async function send(): Promise<void> {
    if (await run(() => enterState(state.id, target, new Date(until).toISOString(), note.trim()))) onDone()
  }
  return (
    <>
      <TargetField sites={sites} target={target} onChange={setTarget} />
      <Form send={handling.states.enterSend} busy={busy} wanting={target.id === ''} onSubmit={() => void send()}>
        <label>
          {handling.states.until}
          <input type="datetime-local" required value={until} onChange={(event) => setUntil(event.target.value)} />
        </label>
        <label className="wide">
          {handling.do.noteOptional}
          <input maxLength={500} value={note} onChange={(event) => setNote(event.target.value)} />
        </label>
      </Form>
      <Refusal of={doing} />
    </>
  )
}

function InhibitionCard({ inhibition, nameOf }: { inhibition: Inhibition; nameOf: NameTarget }) {
  const words = useWords()
  const { states: own } = useHandling()
  const { rule, tier } = inhibition.source
  return (
    <Card of={inhibition} kind={own.source(rule, words.tierName(words.tier[tier], ROMAN[tier]))}>
      {inhibition.on.map((one) => (
        <On key={`${one.scope} ${one.since}`} one={one} nameOf={nameOf} />
      ))}
    </Card>
  )
}

function Card({ of, kind, children }: { of: PlantState | Inhibition; kind: string; children: ReactNode }) {
  const words = useWords()
  const say = useSay()
  const { states: own } = useHandling()
  const { rules, upTo } = of.suppresses
  const on = of.on.length > 0
  return (
    <section className="state" data-state={of.id} data-on={on} aria-label={say(of.title, of.id)}>
      <h3>
        {say(of.title, of.id)} <b className="noted">{on ? own.on : own.off}</b>
        {of.holdsBack.length > 0 && <a href={addressOf('alarms', '', { tab: 'suppressed' })}>{own.held(of.holdsBack.length)}</a>}
      </h3>
      <p className="faint">{`${kind} · ${own.holdsBack(rules === null ? own.allRules : rules.join(', '), words.tierName(words.tier[upTo], ROMAN[upTo]))}`}</p>
      {children}
    </section>
  )
}

function On({ one, nameOf, children }: { one: OnSomewhere; nameOf: NameTarget; children?: ReactNode }) {
  const handling = useHandling()
  const target = targetNamed(one.scope)
  return (
    <div className="state-on">
      <strong>{target === null ? handling.states.everywhere : nameOf(target)}</strong>
      <span>
        <Instant at={Date.parse(one.since)} />
        {one.until !== null && (
          <>
            {' – '}
            <Instant at={Date.parse(one.until)} />
          </>
        )}
      </span>
      <Reason of={one} faint />
      {children}
    </div>
  )
}

function targetNamed(scope: string): Target | null {
  const space = scope.indexOf(' ')
  const kind = scope.slice(0, space)
  return space < 0 ? null : { kind: kind as TargetKind, id: scope.slice(space + 1) }
}
