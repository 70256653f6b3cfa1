// The frame of the console: nobody signed in -> the sign-in page, in place of the page asked for, which stays in the address.

import { Component, lazy, type ReactNode, Suspense, useCallback, useEffect, useState } from 'react'
import { getOverview, type Person, signOut, whoAmI } from './api.ts'
import { ConsoleContext, isSignedOut, useResource, useRunning } from './console.tsx'
import { sayProblem } from './format.ts'
import { AlarmsPage } from './pages/alarms.tsx'
import { DevicesPage } from './pages/devices.tsx'
import { SignInPage } from './pages/sign-in.tsx'
import { useLinkLost } from './parts/age.tsx'
import { Announcer } from './parts/announcer.tsx'
import { Banners } from './parts/banners.tsx'
import { Strip } from './parts/strip.tsx'
import { TopBar } from './parts/top-bar.tsx'
import { currentLanguage } from './preferences.ts'
import { useRoute } from './route.ts'
import { useWords, wordsIn } from './words.ts'

const AlarmPage = lazy(async () => ({ default: (await import('./pages/alarm.tsx')).AlarmPage }))
const StatesPage = lazy(async () => ({ default: (await import('./pages/states.tsx')).StatesPage }))
// The charts are half of the console's own code, and only this page needs them.
const DevicePage = lazy(async () => ({ default: (await import('./pages/device.tsx')).DevicePage }))

const NotificationsPage = lazy(async () => ({ default: (await import('./pages/notifications.tsx')).NotificationsPage }))
const DutyPage = lazy(async () => ({ default: (await import('./pages/duty.tsx')).DutyPage }))
const RulesPage = lazy(async () => ({ default: (await import('./pages/rules.tsx')).RulesPage }))
const RulePage = lazy(async () => ({ default: (await import('./pages/rule.tsx')).RulePage }))
const HazardsPage = lazy(async () => ({ default: (await import('./pages/hazards.tsx')).HazardsPage }))
const AccountPage = lazy(async () => ({ default: (await import('./pages/account.tsx')).AccountPage }))
const PeoplePage = lazy(async () => ({ default: (await import('./pages/people.tsx')).PeoplePage }))

type Session =
  | { kind: 'asking' }
  | { kind: 'unreachable'; problem: unknown }
  | { kind: 'none'; expired: boolean }
  | { kind: 'open'; person: Person }

const ASK_AGAIN_MS = 3000

export function App() {
  const [session, setSession] = useState<Session>({ kind: 'asking' })
  const ask = useCallback(async () => {
    try {
      const person = await whoAmI()
      setSession({ kind: 'open', person })
    } catch (problem) {
      setSession(isSignedOut(problem) ? { kind: 'none', expired: false } : { kind: 'unreachable', problem })
    }
  }, [])
  const failed = useCallback((problem: unknown) => {
    if (isSignedOut(problem)) setSession((before) => (before.kind === 'none' ? before : { kind: 'none', expired: true }))
  }, [])
  const signOutAt = session.kind === 'open' ? session.person.signOutAt : null
  const leave = useCallback(async () => {
    const done = await signOut().then(
      () => true,
      () => false
    )
    // Otherwise the next press of the button there would bring the next person in under this name.
    if (done && signOutAt !== null) return window.location.assign(signOutAt)
    setSession({ kind: 'none', expired: false })
  }, [signOutAt])

  useEffect(() => void ask(), [ask])
  useEffect(() => {
    if (session.kind !== 'unreachable') return
    const timer = window.setTimeout(() => void ask(), ASK_AGAIN_MS)
    return () => window.clearTimeout(timer)
  }, [session, ask])

  return (
    <Guarded otherwise={broken}>
      {session.kind === 'open' && <Running person={session.person} failed={failed} leave={leave} />}
      {session.kind === 'none' && <SignInPage expired={session.expired} onOpen={(person) => setSession({ kind: 'open', person })} />}
      {session.kind === 'unreachable' && <Unreachable problem={session.problem} />}
    </Guarded>
  )
}

function Running({ person, failed, leave }: { person: Person; failed: (problem: unknown) => void; leave: () => Promise<void> }) {
  const running = useRunning(person, failed)
  if (running === null) return null
  return (
    <ConsoleContext value={running}>
      <Frame leave={leave} />
    </ConsoleContext>
  )
}

const OVERVIEW_EVERY_MS = 5000

function Frame({ leave }: { leave: () => Promise<void> }) {
  const words = useWords()
  const route = useRoute()
  const overview = useResource('overview', getOverview, OVERVIEW_EVERY_MS)
  const lost = useLinkLost()
  return (
    <div className="frame" data-link={lost ? 'lost' : 'up'}>
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        {words.skip}
      </button>
      <div className="head">
        <TopBar route={route} leave={leave} />
        <Banners overview={overview} />
      </div>
      <Strip overview={overview.value} route={route} />
      <main id="main" tabIndex={-1}>
        {route.page === 'alarms' && <AlarmsPage route={route} overview={overview.value} />}
        {route.page === 'devices' && <DevicesPage route={route} sites={overview.value?.sites ?? []} />}
        <Guarded key={`${route.page} ${route.id}`} otherwise={missed}>
          <Suspense fallback={<p className="nothing">{words.pages.reading}</p>}>
            {route.page === 'alarm' && <AlarmPage key={route.id} id={route.id} />}
            {route.page === 'states' && <StatesPage />}
            {route.page === 'device' && <DevicePage key={route.id} id={route.id} />}
            {route.page === 'notifications' && <NotificationsPage route={route} />}
            {route.page === 'duty' && <DutyPage route={route} />}
            {route.page === 'rules' && <RulesPage route={route} />}
            {route.page === 'rule' && <RulePage key={route.id} id={route.id} />}
            {route.page === 'hazards' && <HazardsPage />}
            {route.page === 'account' && <AccountPage />}
            {route.page === 'people' && <PeoplePage route={route} />}
          </Suspense>
        </Guarded>
      </main>
      <Announcer />
    </div>
  )
}

function Unreachable({ problem }: { problem: unknown }) {
  const words = useWords()
  return (
    <main className="gate">
      <div className="banner banner-link" role="alert">
        <strong>{words.link.lost}</strong>
        <span>{words.link.never}</span>
        <span>
          {sayProblem(problem, words)} {words.link.retrying}
        </span>
      </div>
    </main>
  )
}

/** What has thrown is replaced: an operator must not look at a frozen screen. */
class Guarded extends Component<{ children: ReactNode; otherwise: () => ReactNode }, { thrown: boolean }> {
  override state = { thrown: false }

  static getDerivedStateFromError(): { thrown: boolean } {
    return { thrown: true }
  }

  override render(): ReactNode {
    return this.state.thrown ? this.props.otherwise() : this.props.children
  }
}

/** One page could not be loaded or has thrown: what is around it goes on, above all the alarms and the link. */
function missed(): ReactNode {
  return (
    <div className="notice" role="alert">
      <p>{wordsIn(currentLanguage()).pages.missed}</p>
      <Reload />
    </div>
  )
}

function broken(): ReactNode {
  return (
    <main className="gate">
      <div className="banner banner-link" role="alert">
        <strong>{wordsIn(currentLanguage()).health.failed}</strong>
        <Reload />
      </div>
    </main>
  )
}

function Reload() {
  return (
    <button type="button" className="button" onClick={() => window.location.reload()}>
      {wordsIn(currentLanguage()).health.reload}
    </button>
  )
}
