// The log port: levels as nats-server prints them. `debugOn` and `traceOn` let a caller skip building a text nobody reads.

export interface Log {
  readonly debugOn: boolean;
  readonly traceOn: boolean;
  fatal(text: string): void;
  error(text: string): void;
  warn(text: string): void;
  info(text: string): void;
  debug(text: string): void;
  trace(text: string): void;
}
