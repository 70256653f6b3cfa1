// Every bound in one place (those that concern servers beside ours: serverLimits.ts): what it is, and what happens there.

import { DELIVERY_LIMITS } from './deliveryLimits.ts'
import { SERVER_LIMITS } from './serverLimits.ts'

const KIB = 1024
const MIB = 1024 * KIB
const HOUR = 3_600_000

export const LIMITS = {
  ...SERVER_LIMITS,
  clock: {
    /** Further ahead of a wall clock that was set back: a fault in health, told to those of faultsTo. */
    aheadMs: 1_000
  },
  mqtt: {
    /** A longer packet closes the connection before it is buffered. */
    packetBytes: 1 * MIB,
    /** An unfinished packet older than this closes the connection. */
    unfinishedPacketMs: 30_000,
    /** More connections are closed at once. */
    connections: 20_000,
    connectionsPerGateway: 32,
    /** Connections that have not sent CONNECT; one more closes the oldest of them. */
    strangers: 2_000,
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
    unflushedBytes: 32 * MIB,
    /** Publishes of one connection waiting for the flush: above, its socket is not read. */
    unflushedBytesPerConnection: 1 * MIB,
    /** A longer first packet closes the connection: nobody has signed in yet. */
    connectBytes: 64 * KIB,
    /** QoS 2 publishes of one client not yet released; one more closes the connection. */
    unreleasedPerClient: 1000,
    /** Bytes of offline messages kept for a persistent session. */
    queuedBytesPerSession: 4 * MIB,
    /** Persistent sessions of one gateway; above, its oldest one without a connection is forgotten. */
    sessionsPerGateway: 64,
    /** Retained messages of one gateway and their bytes; further ones are passed on, not kept. */
    retainedPerGateway: 256,
    retainedBytesPerGateway: 1 * MIB,
    /** Messages to gateways (`rejects`) on their way; further ones are dropped and counted. */
    downInFlight: 10_000
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
  rules: {
    /** A longer expression is refused. */
    expressionLength: 2_000,
    expressionNodes: 500,
    expressionDepth: 24,
    listElements: 50,
    /** Longest window of delta, avg, stuck and the like. */
    windowMs: 31 * 86_400_000,
    /** Samples kept per window; denser ones are thinned to an even spacing. */
    samplesPerWindow: 8_192,
    /** Members named in the `because` of an area's alarm; the rest is counted. */
    membersNamed: 5,
    /** Members of an area shown one by one where a vote is explained. */
    membersExplained: 50,
    /** Subjects of one rule that are looked at where those are counted on which it is unknown; of more, evenly so many. */
    subjectsDoubted: 2_000,
    /** How far ahead the next change of a schedule is looked for; one that is then still to come is looked for again. */
    scheduleDaysAhead: 400
  },
  history: {
    /** Rows waiting to be stored; above, history stops listening and catches up from the journal. */
    pendingRows: 2_000_000,
    /** Rows wait at most this long for others before they are committed together. */
    commitMs: 150,
    /** This many rows are committed without waiting; a commit holds little more. */
    rowsPerCommit: 131_072,
    /** Points or buckets one query may answer. */
    rowsPerQuery: 10_000,
    /** Queries waiting for an answer; above, they are refused. */
    queriesWaiting: 100,
    /** A query that takes longer is stopped. */
    queryMs: 20_000,
    /** A closed day is written as a file once nothing arrived for it for this long, */
    dayQuietMs: 10 * 60_000,
    /** or once its oldest row has waited this long, */
    dayWaitMs: 6 * 3_600_000,
    /** or, where more rows of closed days than this wait, once it has been quiet for `dayQuietShortMs`. */
    closedRowsWaiting: 20_000_000,
    dayQuietShortMs: 10_000,
    /** Days of a month long past share one file while they hold no more rows than this together. */
    rowsPerMonthFile: 2_000_000,
    /** Draining and closing at stop. */
    stopMs: 10_000,
    influx: {
      /** A server silent for this long has not answered. */
      requestMs: 30_000,
      /** The first contact at a start waits no longer for one. */
      firstContactMs: 5_000,
      connections: 6,
      /** Points in one write; InfluxDB is at its best with 5,000 to 10,000. */
      pointsPerWrite: 10_000,
      /** Writes under way at once. */
      writesAtOnce: 2,
      /** Between two attempts to write: the first, and the longest; doubled in between, and up to a quarter longer by chance. */
      retryMs: 500,
      retryMostMs: 15_000,
      /** Requests spent on finding the points that the server refuses among one write; what they leave open is given up together. */
      sievingRequests: 100,
      /** A metric whose type the server refuses is left out for this long, then tried again. */
      conflictMs: 10 * 60_000,
      /** Questions under way at once, and statements in one request about late readings. */
      questionsAtOnce: 4,
      statementsPerRequest: 50,
      /** Late readings of a device nearer to each other than this are looked up together. */
      lateGapMs: 120_000
    }
  },
  api: {
    bodyBytes: 1 * MIB,
    itemsPerPage: 1_000,
    /** People offered for one action; the rest is found by a part of the name. */
    choices: 200,
    /** A longer part of a path is no id of ours. */
    idLength: 300,
    /** A request whose headers and body have not arrived by then is answered 408. */
    requestMs: 30_000,
    /** How long an answer waits for the disk; then 503, and the sender tries again. */
    submitMs: 10_000,
    /** Requests from one address, and of those the attempts to sign in (by each way); further ones are answered 429. */
    requestsPerMinute: 120_000,
    signInsPerMinute: 60,
    liveClients: 500,
    liveClientsPerUser: 50,
    /** Devices whose readings one live client follows, and devices asked for by id in one list. */
    liveDevices: 200,
    /** Written to one live client at a time; more waits in the book until it has read this. */
    liveChunkBytes: 64 * KIB,
    /** A live client that reads nothing for this long is cut off; it resumes from its last event id. */
    liveStalledMs: 20_000,
    /** Newest alarm events kept in memory for live clients; who is further behind is served from the book. */
    liveEvents: 2_000,
    /** Newest notices kept for live clients, and sent at once; who is further behind asks for what he missed. */
    liveNotices: 1_000,
    liveNoticesAtOnce: 100,
    /** Changes of devices between online and not that a live client may be behind; above, it is cut off. */
    liveDeviceChanges: 200_000
  },
  quarantine: {
    /** Rows kept; the oldest go first. */
    rows: 100_000
  },
  store: {
    /** How long a statement waits for another process's lock before it fails. Blocks the process: keep it short. */
    busyMs: 1_000,
    /** The write-ahead log is cut back to this after a checkpoint. */
    walBytes: 64 * MIB,
    /** Pages of the database kept in memory. */
    cacheKib: 32 * 1024,
    /** Pages (4 KiB) in the write-ahead log before they are moved into the database. */
    checkpointPages: 4_000
  },
  desk: {
    /** Of an assignee or a verifier. */
    nameLength: 128,
    /** Alarms that are over, kept for what is said about them afterwards; older ones are fetched from the book. */
    overKept: 2_000,
    /** Windows out of service, running and planned; above, none is taken in until one ends. */
    windows: 10_000,
    /** The longest window out of service. */
    windowMs: 366 * 24 * HOUR,
    /** Suppressions of alarms not seen yet; the oldest are forgotten. */
    suppressionsAhead: 10_000
  },
  marks: {
    /** An alarm stops chattering once it has not come again for this long. */
    chatterQuietMs: 10 * 60_000,
    /** A chattering alarm below red is told to a person at most once in this time. */
    chatterTellMs: 10 * 60_000,
    /** Rules on subjects whose last cycles are remembered; the ones that ended longest ago are forgotten. */
    recentPoints: 100_000,
    /** Alarms of one chattering rule and subject that lose the mark when it goes off; the oldest keep it. */
    alarmsPerMark: 1_000
  },
  book: {
    noteLength: 2_000,
    /** Events shown with one alarm: the newest. */
    eventsPerAlarm: 1_000,
    /** Transitions shown with the explanation of a rule: the newest of the subject. */
    transitionsExplained: 20,
    /** Events that one question for figures may count; above, a shorter stretch must be asked for. */
    eventsPerStretch: 200_000,
    /** Transitions of shadow rules kept; the oldest go first. */
    shadowEvents: 100_000
  },
  courier: DELIVERY_LIMITS,
  drill: {
    /** At the same time. */
    running: 20,
    /** Nobody calls longer than this. */
    longestMs: 24 * HOUR,
    /** After the last call somebody may still answer for so long; where delays are shortened, this too, down to the least. */
    patienceMs: 5 * 60_000,
    leastPatienceMs: 30_000,
    /** However much the delays are shortened, a receipt is waited for so long. */
    leastReceiptMs: 15_000,
    /** Delays are divided by this where nothing else is said, and by at most the other. */
    fastFactor: 60,
    mostFactor: 3_600,
    /** What of it could not be sent in time is not sent: it would surprise people after the event. */
    expireMs: 10 * 60_000,
    /** Receipts and answers that come so long after its end still go into its record. */
    settleMs: 5 * 60_000,
    /** Messages in one record. */
    steps: 2_000,
    shown: 100
  },
  outgoing: {
    connectMs: 10_000,
    /** From begin to end; what has not been answered then is given up. */
    requestMs: 20_000,
    /** More of an answer is not read. */
    answerBytes: 64 * KIB,
    headerBytes: 16 * KIB,
    connectionsPerHost: 16
  },
  channels: {
    /** Waiting time where a provider says "too fast" without saying how long. */
    throttledMs: 10_000,
    longestRetryAfterMs: HOUR,
    /** What a provider says goes into our sentence up to here. */
    excerptLength: 200,
    /** What a provider calls a message, a number, or says of it, is kept up to here. */
    nameLength: 255,
    saidLength: 500,
    /** No answer to a submit, bind or enquiry by then: the SMPP session is given up. */
    smppAnswerMs: 10_000,
    /** After a start: what is due waits so long for the first bind before another provider, or another way, is taken. */
    firstBindMs: 2_000,
    smppFirstPauseMs: 1_000,
    smppLongestPauseMs: 60_000,
    smppStopMs: 2_000,
    /** Tries of a further part of a text of which a part was taken. */
    smppPartTries: 5,
    /** Messages whose receipts are awaited part by part; the oldest are then known by their first part only. */
    partsAwaited: 20_000,
    /** Replies in several parts that are not complete; the oldest go first. */
    repliesUnfinished: 200,
    /** Longest message to a push service, before encryption. */
    pushBytes: 3_000,
    mailMs: 30_000
  },
  duty: {
    people: 5_000,
    /** Rungs of one ladder. */
    rungs: 10,
    /** Calls of one rung that repeats until somebody answers. */
    calls: 100,
    /** Holes of one rota that are named; the rest is not counted. */
    holesTold: 20,
    /** How far ahead rotas are checked for holes. */
    aheadMs: 90 * 86_400_000,
    /** A message of which nothing is heard for so long is forgotten. */
    reportMs: 24 * HOUR,
    /** Messages that a preview shows. */
    previewed: 200,
    /** Alarms whose ids one digest carries, the most severe first; its text counts all of them. */
    alarmsPerDigest: 200,
    /** Alarms that a digest tells one by one; the rest is counted by tier. */
    alarmsTold: 3
  },
  wording: {
    /** A longer text is cut: what to do first, never where. Two Chinese short messages are 134 characters. */
    smsParts: 2,
    pushLength: 180,
    /** About a minute of speech. */
    voiceLength: 260
  },
  amendments: {
    /** Changes waiting for their turn; further ones are told to come back. */
    waiting: 32,
    /** How long the answer to a change waits for it to come into force; an import takes longer. */
    answerMs: 10_000,
    importMs: 5 * 60_000,
    /** A table of devices. */
    importBytes: 64 * MIB,
    importRows: 500_000,
    /** One rule, device or gateway, as it is sent. */
    thingBytes: 256 * KIB,
    /** Subjects and turns named in a dry run; the rest is counted. */
    subjectsNamed: 20
  },
  access: {
    nameLength: 64,
    /** Enterprises, and sites, that one user or token may be limited to. */
    grants: 1_000,
    tokenNameLength: 128,
    passwordLength: 1_024,
    sessionIdleMs: 12 * HOUR,
    sessionMs: 7 * 24 * HOUR,
    /** More sessions of one user end the ones unused for longest. */
    sessionsPerUser: 50,
    tokensPerUser: 100,
    /** Last-seen times are written at most this often. */
    touchMs: 60_000,
    sweepMs: 10 * 60_000,
    /** How often is looked whether a new day has begun, and the audit log wants its anchor. */
    anchorCheckMs: 60_000,
    /** Sign-ins begun at an OpenID Connect provider and not ended: how long, and how many; above, the oldest have to begin again. */
    oidcBegunMs: 10 * 60_000,
    oidcBegun: 1_000,
    /** How long one call of the provider may take, and how often is looked for one that cannot be reached. */
    oidcRequestMs: 10_000,
    oidcRetryMs: 60_000,
    /** Failed sign-ins of one user from one address, and from one address at all, before they are locked out for a while. */
    failuresPerUser: 5,
    failuresPerAddress: 50,
    lockMs: 60_000,
    longestLockMs: 15 * 60_000,
    /** Failures older than this are forgotten. */
    failureMemoryMs: 15 * 60_000,
    /** Pairs of user and address remembered; the ones unused for longest go first. */
    failureEntries: 10_000,
    /** Password checks waiting for their turn; further ones are told to come back. One runs at a time (19 MiB each). */
    waitingChecks: 32,
    /** Checks of hashed gateway secrets waiting for their turn, in all and per gateway; further ones fail. */
    waitingGatewayChecks: 2_000,
    waitingChecksPerGateway: 4,
    /** Gateway secrets known to be right, so that a storm of reconnections costs nothing. */
    rememberedSecrets: 20_000,
    /** Parameters of a hash somebody else has made: dearer ones are refused. */
    hashMemoryKib: 256 * 1024,
    hashPasses: 10,
    hashIterations: 1_000_000
  }
} as const
