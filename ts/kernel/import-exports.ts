// The exports of build/wasm/server.wasm for imports between accounts. What each does is written at its definition in
// wasm/deliver/imports.ts. Accounts, subscriptions, mappings and services are addresses.

export interface ImportExports {
  openMapping(at: number, size: number): number;
  importStreams(account: number, on: number): void;
  shadowSubscription(sub: number, account: number, subject: number, length: number, mapping: number): void;
  unshadowSubscription(sub: number): void;
  subscriptionSubject(sub: number): number;
  subscriptionSubjectLength(sub: number): number;
  subscriptionAccount(sub: number): number;
  openService(
    home: number,
    subject: number,
    length: number,
    account: number,
    mapping: number,
    exported: number,
    flags: number,
    via: number,
    viaLength: number,
  ): number;
  closeService(service: number): void;
  expireResponses(service: number, beforeMs: number): number;
  traceAccount(account: number, on: number): void;
  followMessages(on: number): void;
  lookedAtLoss(account: number): void;
  openReplies(account: number): void;
  describeConnection(index: number, at: number, size: number): void;
}
