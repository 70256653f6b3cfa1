// Which command, then app/.

import { runCommand } from './app/cli.ts'

// Started by bin/fenghuo under an older Node: if that launcher is killed outright, end as abruptly as it did,
// instead of holding the ports and the data folder as an orphan.
if (process.channel !== undefined) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.channel?.unref()
}
// Whoever stopped reading what is printed (`| head`, a log collector that died) must not end what is being done.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EPIPE') throw cause
  })
}
process.exitCode = await runCommand(process.argv.slice(2))
