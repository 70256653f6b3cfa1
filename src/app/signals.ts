// SIGHUP asks to read certificates again. The first SIGTERM or SIGINT begins the end, further ones are ignored while draining
// (a terminal sends Ctrl-C to the launcher and to us at once).

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Calls `act` at each SIGHUP, which else would end the process. */
export function onHangup(act: () => void): void {
  process.on('SIGHUP', act)
}

/** Resolves with the first signal. */
export function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.on(signal, () => resolve(signal))
  })
}
