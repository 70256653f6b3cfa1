// Bounds that concern servers beside ours, and TLS; a part of LIMITS.

const MIB = 1024 * 1024
const HOUR = 3_600_000

export const SERVER_LIMITS = {
  tls: {
    /** The files of certificates are looked at this often; at SIGHUP at once. */
    lookMs: 5_000,
    /** A certificate that ends sooner is told of, */
    expiryWarnMs: 14 * 24 * HOUR,
    /** and so is a revocation list, whose end keeps every client out. */
    crlWarnMs: 2 * 24 * HOUR,
    /** A connection that has not finished its handshake by then is closed. */
    handshakeMs: 10_000,
    /** A longer file is no certificate, key or revocation list. */
    fileBytes: 16 * MIB
  },
  /** An external broker. */
  upstream: {
    connections: 64,
    /** Messages of one connection not yet acknowledged; above, its socket is not read, and MQTT 5 tells the broker. */
    inFlight: 2_000,
    /** Messages of a former connection that were never acknowledged, known so that they are not taken twice; older ones may be. */
    repeatsKnown: 4_000,
    /** Bytes of messages of one connection not yet acknowledged. */
    unflushedBytesPerConnection: 8 * MIB,
    /** How long the broker keeps our session while we are away (MQTT 5; with 3.1.1 the broker decides). */
    sessionExpiryS: 30 * 24 * 3_600,
    /** Signs of life; a broker that has not answered for one and a half of it is gone. */
    keepAliveS: 20,
    connectMs: 10_000,
    /** Pause before the next attempt: the first, and the longest, as alarms wait for it; doubled in between, up to half of it cut off by chance. */
    firstPauseMs: 500,
    longestPauseMs: 5_000,
    /** A connection that ends sooner does not bring the pause back to the first. */
    steadyMs: 60_000,
    /** How long health says that another client used our id, or may: this many connections were closed without a reason in that time, */
    takenOverShownMs: 5 * 60_000,
    closedOddly: 3,
    /** and that the broker had lost our session. */
    lossShownMs: HOUR,
    /** A former session that has delivered nothing for so long, and not our mark either, counts as empty. */
    quietMs: 15_000,
    /** Topics whose gateway is remembered; above, all are looked at anew. */
    topicsKnown: 200_000
  },
  postgres: {
    /** A server that has not let us in by then is not there. */
    connectMs: 5_000,
    /** The server ends a statement that runs longer, */
    statementMs: 15_000,
    /** or that waits longer for somebody else's lock; it is tried again. */
    lockMs: 5_000,
    /** So long after its time a statement is given up with its connection. */
    graceMs: 2_000,
    /** A transaction in which nothing happens for so long is ended by the server. */
    idleInTransactionMs: 30_000,
    /** A connection that is silent for this long is probed, each second; */
    keepAliveMs: 5_000,
    /** one that acknowledges nothing for this long is given up by the server. */
    silentMs: 10_000,
    /** Between two attempts to connect again: the first, and the longest; doubled in between. */
    reconnectMs: 50,
    reconnectMostMs: 500,
    /** Connections for what only reads, so that a heavy question holds up no commit; */
    reads: 3,
    /** a question that has waited for one of them so long is refused, to be asked again. */
    readWaitMs: 5_000,
    /** What one installation may need on the server: active and standby instance, two delivery workers, a backup, a look by doctor. */
    connections: 12
  },
  lease: {
    /** How often the holder shows that it lives. */
    beatMs: 1_000,
    /** A holder that has given no sign of life for this long, by the server's clock, is ended by whoever wants the lease. */
    staleMs: 5_000,
    /** Waiting for the server to end a connection. */
    endMs: 2_000,
    /** Between two attempts of a standby to take the lease. */
    tryMs: 500,
    /** A snapshot is copied to the server in parts of this size. */
    snapshotPartBytes: 1 * MIB,
    /** Data folders of earlier terms that are kept beside the one in use; the oldest beyond them is deleted. */
    foldersSetAside: 3
  }
} as const
