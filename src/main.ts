// Which command, then app/.

import { runCommand } from './app/cli.ts'

// Started by bin/fenghuo under an older Node: if that launcher is killed outright, end as abruptly as it did,
// instead of holding the ports and the data folder as an orphan.
if (process.channel !== undefined) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.channel?.unref()
}
process.exitCode = await runCommand(process.argv.slice(2))
