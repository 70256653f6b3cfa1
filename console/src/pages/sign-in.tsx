// Sign in. The page asked for stays in the address and comes up afterwards.

import { type FormEvent, useEffect, useState } from 'react'
import { ApiProblem, type Person, type SignInWays, signIn, signInWays } from '../api.ts'
import { sayProblem } from '../format.ts'
import { LanguageButton, ThemeButton } from '../parts/settings.tsx'
import { rememberPlace } from '../route.ts'
import { useSay, useWords, type Words } from '../words.ts'

function refusal(problem: unknown, words: Words): string {
  if (problem instanceof ApiProblem && problem.status === 401) return words.signIn.wrong
  if (problem instanceof ApiProblem && problem.status === 429) return words.signIn.tooMany
  return sayProblem(problem, words)
}

export function SignInPage({ expired, onOpen }: { expired: boolean; onOpen: (person: Person) => void }) {
  const words = useWords()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  useEffect(() => {
    document.title = `${words.signIn.title} – ${words.product}`
  }, [words])

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      onOpen(await signIn(username.trim(), password))
    } catch (refused) {
      setProblem(refused)
      setPassword('')
    } finally {
      setBusy(false)
    }
  }

  return (
    <main className="gate">
      <form className="sign-in" onSubmit={(event) => void submit(event)}>
        <h1>
          <img src="/beacon.svg" alt="" width="40" height="40" />
          {words.product}
        </h1>
        <p>{words.signIn.lead}</p>
        {expired && problem === null && <p className="notice">{words.signIn.expired}</p>}
        {problem !== null && (
          <p className="notice" role="alert">
            {refusal(problem, words)}
          </p>
        )}
        <label>
          {words.signIn.username}
          <input
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            required
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
        </label>
        <label>
          {words.signIn.password}
          <input
            name="password"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        <button type="submit" className="button button-strong" disabled={busy}>
          {busy ? words.signIn.busy : words.signIn.submit}
        </button>
        <Elsewhere />
        <div className="sign-in-foot">
          <LanguageButton />
          <ThemeButton />
        </div>
      </form>
    </main>
  )
}

/** The way by OpenID Connect, where the service offers one. A navigation: the provider's page follows. */
function Elsewhere() {
  const words = useWords()
  const say = useSay()
  const [oidc, setOidc] = useState<SignInWays['oidc']>(null)
  useEffect(() => {
    // Who cannot be told of it still has the password.
    signInWays().then(
      (ways) => setOidc(ways.oidc),
      () => undefined
    )
  }, [])
  if (oidc === null) return null
  if (!oidc.available) return <p>{words.signIn.elsewhereAway(say(oidc.name))}</p>
  return (
    <a className="button" href={oidc.begin} onClick={rememberPlace}>
      {words.signIn.elsewhere(say(oidc.name))}
    </a>
  )
}
