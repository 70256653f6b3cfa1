// The history worker with a weakness: it fails as by a bug of its own whenever the channel says so.

import '../../src/history/embeddedWorker.ts'

const channel = new BroadcastChannel('history-fails')
channel.onmessage = () => {
  throw new Error('a bug')
}
