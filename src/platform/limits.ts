// Every bound in one place: what it is, and what happens there.

const KIB = 1024
const MIB = 1024 * KIB

export const LIMITS = {
  mqtt: {
    /** A longer packet closes the connection before it is buffered. */
    packetBytes: 1 * MIB,
    /** An unfinished packet older than this closes the connection. */
    unfinishedPacketMs: 30_000,
    /** More connections are closed at once. */
    connections: 20_000,
    connectionsPerGateway: 32,
    subscriptionsPerClient: 32,
    topicBytes: 256,
    topicLevels: 8,
    clientIdBytes: 128,
    /** Offline messages kept for a persistent session; further ones are dropped, the oldest stay. */
    queuedPerSession: 1000,
    /** A subscriber that does not read for this long is closed. */
    drainMs: 2_000,
    connectMs: 10_000,
    /** Publishes of all clients waiting for the flush: above, sockets are not read. */
    unflushedBytes: 32 * MIB
  },
  message: {
    jsonDepth: 8,
    samplesPerMessage: 10_000,
    valuesPerSample: 256,
    /** Rejects reported on the gateway's `rejects` topic per message; the rest is counted in the last one. */
    rejectsPerMessage: 20,
    excerptBytes: 200
  },
  journal: {
    segmentBytes: 64 * MIB,
    /** A group is flushed at the latest when it holds this much. */
    groupBytes: 4 * MIB,
    /** Flushed records kept in memory for the loop; what falls out is read from disk again. */
    tailBytes: 32 * MIB
  },
  loop: {
    /** Records judged in one turn. */
    recordsPerTurn: 2_000,
    bytesPerTurn: 4 * MIB
  },
  history: {
    /** Rows waiting to be stored; above, history stops listening and catches up from the journal. */
    pendingRows: 2_000_000,
    /** Points or buckets one query may answer. */
    rowsPerQuery: 10_000
  },
  api: {
    bodyBytes: 1 * MIB,
    itemsPerPage: 1_000,
    liveClients: 500,
    /** Bytes waiting for one SSE client; above, it is cut off and resumes from its last event id. */
    liveBacklogBytes: 1 * MIB
  },
  quarantine: {
    /** Rows kept; the oldest go first. */
    rows: 100_000
  }
} as const
