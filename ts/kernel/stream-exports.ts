// The store's exports of build/wasm/server.wasm as TypeScript sees them. What each does is written at its definition in
// wasm/stream/exports.ts. Streams are addresses; sequences are f64.

export interface StreamExports {
  hashNamed(to: number, name: number, nameLength: number, data: number, length: number): void;
  hashJournal(to: number, data: number, length: number): void;
  boundIndex(bytes: number): void;
  indexLost(stream: number): number;
  openStream(tag: number, account: number, name: number, nameLength: number, ack: number, ackLength: number): number;
  closeStream(stream: number): void;
  resetStream(stream: number): void;
  limitStream(
    stream: number,
    maxMessages: number,
    maxBytes: number,
    maxPerSubject: number,
    maxMessageSize: number,
    blockLimit: number,
  ): void;
  flagStream(stream: number, set: number, clear: number): void;
  showStream(stream: number, sequence: number): void;
  grantStream(stream: number, bytes: number): void;
  grantedBytes(stream: number): number;
  windowStream(stream: number, span: number): void;
  sequenceOfId(stream: number, id: number, length: number): number;
  rememberId(stream: number, id: number, length: number, sequence: number, seconds: number, nanos: number): void;
  rememberedIds(stream: number): number;
  openFastBatch(stream: number, id: number, length: number, sequence: number, due: number): void;
  readFastBatch(stream: number, id: number, length: number): number;
  closeFastBatch(stream: number, id: number, length: number): void;
  openAtomicBatch(stream: number, id: number, length: number, sequence: number, most: number): void;
  readAtomicBatch(stream: number, id: number, length: number): number;
  firstOfBatch(stream: number, id: number, length: number): number;
  storeMembers(stream: number, id: number, length: number): void;
  dropMembers(stream: number, id: number, length: number): void;
  closeAtomicBatch(stream: number, id: number, length: number): void;
  tailStream(stream: number, block: number, offset: number): void;
  startStream(stream: number, first: number): void;
  raiseStream(stream: number, last: number, seconds: number, nanos: number): void;
  jumpStream(stream: number, last: number): void;
  takeRemoved(stream: number): number;
  readStream(stream: number, to: number): void;
  stagedBytes(stream: number): number;
  lastSequence(stream: number): number;
  takeRuns(stream: number, list: number, most: number): number;
  runsWritten(stream: number, count: number): void;
  streamRelease(stream: number, sequence: number, most: number): number;
  failStream(stream: number, synced: number, answer: number, length: number): void;
  appendLimit(stream: number, subjectLength: number, headerLength: number, dataLength: number): number;
  appendHost(
    stream: number,
    subject: number,
    subjectLength: number,
    reply: number,
    replyLength: number,
    headerLength: number,
    data: number,
    dataLength: number,
    seconds: number,
    nanos: number,
  ): number;
  answerAt(): number;
  callAt(): number;
  beginDeliver(): number;
  deliver(): number;
  findWindow(stream: number, block: number, offset: number, length: number): number;
  windowsAt(): number;
  goesOn(stream: number, block: number, offset: number): number;
  smallRow(stream: number, block: number, offset: number): number;
  locateMessage(stream: number, sequence: number): number;
  answerDirect(stream: number, record: number, inbox: number, length: number): void;
  answerRequest(stream: number, words: number): void;
  verifyRecord(stream: number, block: number, record: number, length: number): number;
  lastOnSubjects(stream: number, filter: number, length: number): number;
  nextOnSubjects(stream: number, filter: number, length: number, from: number): number;
  countOnSubjects(stream: number, filters: number, count: number, from: number): number;
  openSelection(stream: number, filters: number, count: number, bytes: number): number;
  closeSelection(selection: number): void;
  countSelection(selection: number, from: number): number;
  collectSubjects(stream: number, filter: number, length: number, after: number, afterLength: number, most: number): number;
  collectedAt(): number;
  dropSubjects(): void;
  lastOfSubjects(stream: number, filters: number, count: number, upTo: number): number;
  findTime(stream: number, seconds: number, nanos: number): void;
  nextDeleted(stream: number, from: number): number;
  deleteOne(stream: number, sequence: number): number;
  purgeStream(stream: number, filter: number, length: number, below: number, keep: number, allowed: number): number;
  purgeStopped(): number;
  countFitting(stream: number, filter: number, length: number, from: number, below: number, looked: number, most: number): number;
  purgeFitting(stream: number, filter: number, length: number, from: number, below: number, looked: number): number;
  fittingReached(): number;
  streamLacksMemory(stream: number, bytes: number): number;
  isMemoryShort(): number;
  isMemoryShortFor(bytes: number): number;
  lastBlock(stream: number): number;
  blockMessages(stream: number, block: number): number;
  blockBytes(stream: number, block: number): number;
  keptOfBlock(stream: number, block: number, oldest: number, entries: number, count: number, list: number): number;
  blockMoved(stream: number, block: number, list: number, count: number): void;
  frameErased(
    stream: number,
    block: number,
    to: number,
    length: number,
    sequence: number,
    timeLow: number,
    timeHigh: number,
  ): void;
  loadBegin(): number;
  loadScan(
    stream: number,
    handle: number,
    block: number,
    entries: number,
    count: number,
    subjects: number,
    subjectCount: number,
  ): number;
  loadEnd(stream: number, handle: number): void;
  dropFirst(stream: number): void;
  dropOlder(stream: number, seconds: number, nanos: number, most: number): number;
  limitChange(stream: number): void;
  limitNow(stream: number): number;
  trimSubjects(stream: number, from: number, most: number): number;
  trimFront(stream: number, most: number): number;
  buryMessages(stream: number, from: number, to: number): number;
  writeSubjects(stream: number): number;
  writtenSubjects(): number;
  dropSubjectsWritten(): void;
  segmentFacts(stream: number, i: number, to: number): number;
}
