// Bounds of delivery: how much is sent at a time, how long is waited for what, and when somebody else steps in.

const KIB = 1024
const HOUR = 3_600_000

export const DELIVERY_LIMITS = {
  /** Notifications kept; the oldest that are over go first. */
  rows: 500_000,
  /** Alarms kept with one notification; a longer digest names the most severe. */
  alarmsPerNotification: 500,
  /** Sends of one kind of channel at the same time. */
  concurrency: 16,
  /** … and to one host, where every address has its own. */
  concurrencyPerHost: 4,
  /** Sends of one kind that have had no answer for long and hold no place any more; further ones hold theirs. */
  slowSends: 512,
  /** Notifications of one kind and tier handed to the dispatcher at a time; the rest waits in the outbox. */
  handedOut: 500,
  /** … and for one host, where every address has its own; for all of them together no more than this. */
  handedOutPerHost: 50,
  handedOutToHosts: 10_000,
  /** Hosts looked at in one sweep; the next goes on behind them. */
  hostsPerSweep: 500,
  /** Notifications that one process has taken from a queue on a server. */
  fetched: 16_000,
  /** A process that sends says so this often; one that has not for so many looks is gone, and what it held is in doubt. */
  beatMs: 1_000,
  beatsMissed: 8,
  /** One that is gone is listed this long. */
  goneMs: 10 * 60_000,
  /** Without a delivery worker for this long the service sends by itself. */
  workerPatienceMs: 10_000,
  /** A delivery worker that has lost its connection to the store tries again this often. */
  reconnectMs: 1_000,
  /** How often it looks whether the store is still of its version, and the plant the same. */
  checkStoreMs: 5_000,
  /** Answers that delivery workers have taken, handled at a time. */
  handedAnswers: 200,
  /** Tries of one notification; then it is a dead letter. */
  tries: 8,
  /** A try is made again after this, doubled each time, up to the longest; half of it by chance. */
  firstBackoffMs: 2_000,
  longestBackoffMs: 60_000,
  /** No provider may ask for a longer pause. */
  longestRetryAfterMs: 10 * 60_000,
  /** A provider that has not answered by then may or may not have taken it. */
  sendMs: 30_000,
  /** What could not be sent for this long is no news any more: a dead letter. */
  expireMs: 6 * HOUR,
  /** No receipt by then counts as not received, where the way gives receipts. */
  receiptMs: 3 * 60_000,
  /** How often due notifications are looked for, besides at once where some were planned. */
  sweepMs: 500,
  /** What a queue has held for longer without anybody sending it is sent by ourselves. */
  queuePatienceMs: 3_000,
  /** A queue's server that has not answered by then does not. */
  queueCommandMs: 2_000,
  /** What waits longer than this is said aloud. */
  lateMs: 60_000,
  /** Receipts that came before their message was known to be accepted. */
  earlyReceipts: 10_000,
  /** … and how long they are waited for. */
  earlyMs: 24 * HOUR,
  /** Answers kept; the oldest go first. */
  answers: 100_000,
  answerLength: 500,
  /** An answer is about what somebody was told in this stretch. */
  answerMs: 24 * HOUR,
  /** A link to acknowledge by works this long. */
  linkMs: 24 * HOUR,
  linksPerMinute: 60,
  callbacksPerMinute: 6_000,
  callbackBytes: 256 * KIB,
  /** Answers to answers that one number gets in an hour. */
  answersBackPerHour: 6
} as const
