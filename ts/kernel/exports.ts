// The exports of build/wasm/server.wasm as TypeScript sees them: numbers only. Pointers and counts arrive as signed 32-bit integers, so
// whoever takes one applies `>>> 0`. What each does is written at its definition in wasm/entry/server.ts.

export interface CoreExports {
  inboundAt(): number;
  ringAt(): number;
  scratchAt(): number;
  eventWords(): number;
  clearEvents(): void;
  setNow(seconds: number, nanos: number): void;
  setSeed(low: number, high: number): void;
  setMatchCache(on: number): void;
  limitPages(pages: number): void;
  startArena(page: number): void;
  liveBytes(): number;
  memoryPages(): number;
  usedPages(): number;
  alloc(size: number): number;
  tryAlloc(size: number): number;
  free(block: number): void;
  openConnection(maxPayload: number, maxControlLine: number, maxPending: number): number;
  bindConnection(
    index: number,
    account: number,
    flags: number,
    maxPayload: number,
    maxSubs: number,
    maxControlLine: number,
  ): void;
  permitConnection(index: number, publishSet: number, deliverSet: number, responseMax: number, responseTtl: number): void;
  connectionFlags(index: number): number;
  changeFlags(index: number, set: number, clear: number): void;
  ingest(index: number, at: number, length: number): number;
  stopped(): number;
  produced(): number;
  stash(index: number, at: number, length: number): void;
  stalled(): number;
  pressed(): number;
  send(index: number, at: number, length: number): void;
  nextDirty(): number;
  takeOut(index: number, list: number, most: number): number;
  outDone(index: number): number;
  pendingBytes(index: number): number;
  unsubscribeAll(index: number): void;
  closeConnection(index: number): void;
  releaseConnection(index: number): void;
  subscribe(
    index: number,
    subject: number,
    length: number,
    queue: number,
    queueLength: number,
    sid: number,
    sidLength: number,
    filtered: number,
  ): void;
  dropSubscription(sub: number): void;
  connectionInMsgs(index: number): number;
  connectionInBytes(index: number): number;
  connectionOutMsgs(index: number): number;
  connectionOutBytes(index: number): number;
  connectionSubs(index: number): number;
  isSlow(index: number): number;
  openConnections(): number;
  openAccount(id: number): number;
  closeAccount(account: number): void;
  setMappings(account: number, set: number): void;
  setHeard(account: number, set: number): void;
  accountSubs(account: number): number;
  publish(
    account: number,
    subject: number,
    subjectLength: number,
    reply: number,
    replyLength: number,
    headerLength: number,
    data: number,
    dataLength: number,
  ): number;
  publishMapped(
    index: number,
    subject: number,
    subjectLength: number,
    reply: number,
    replyLength: number,
    headerLength: number,
    data: number,
    dataLength: number,
  ): void;
  interestedLiterally(account: number, subject: number, length: number): number;
  receives(account: number, subject: number, length: number, queue: number, queueLength: number): number;
  interested(account: number, subject: number, length: number): number;
  subscribeServer(
    account: number,
    subject: number,
    length: number,
    queue: number,
    queueLength: number,
    kind: number,
    target: number,
  ): number;
  answerFrom(sub: number, stream: number): void;
  unsubscribeServer(sub: number): void;
  listSubscriptions(index: number, after: number, list: number, most: number): number;
  listAccount(account: number, slot: number, list: number, most: number): number;
  readonly listedSlot: { readonly value: number };
  inMsgs(): number;
  inBytes(): number;
  outMsgs(): number;
  outBytes(): number;
  allSubscriptions(): number;
  subscriptions(): number;
  watchInterest(account: number, subject: number, length: number, target: number): number;
  unwatchInterest(watch: number): void;
  nextWatched(): number;
  matcherFigure(account: number, which: number): number;
  openSet(): number;
  addSubject(set: number, subject: number, length: number, deny: number): void;
  denyByDefault(set: number): void;
  setPermits(set: number, subject: number, length: number): number;
  closeSet(set: number): void;
}
