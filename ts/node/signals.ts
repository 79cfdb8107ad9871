// Signals of the process, each to the handler of what it asks for. The names in the log are those operators know from nats-server.

export interface SignalHandlers {
  /** SIGINT. */
  readonly quit: () => void;
  /** SIGTERM. */
  readonly term: () => void;
  /** SIGHUP. */
  readonly reload: () => void;
  /** SIGUSR1. */
  readonly reopen: () => void;
  /** SIGUSR2. */
  readonly lameDuck: () => void;
}

interface SignalRow {
  readonly signal: NodeJS.Signals;
  readonly handler: keyof SignalHandlers;
  /** As the log says `Trapped "..." signal`. */
  readonly text: string;
}

const rows: readonly SignalRow[] = [
  { signal: 'SIGINT', handler: 'quit', text: 'interrupt' },
  { signal: 'SIGTERM', handler: 'term', text: 'terminated' },
  { signal: 'SIGHUP', handler: 'reload', text: 'hangup' },
  { signal: 'SIGUSR1', handler: 'reopen', text: 'user defined signal 1' },
  { signal: 'SIGUSR2', handler: 'lameDuck', text: 'user defined signal 2' },
];

/** Listens from now on; `trapped` is told the signal's name before its handler runs. Returns what stops listening. */
export function onSignals(handlers: SignalHandlers, trapped: (text: string) => void): () => void {
  const listeners = rows.map(({ signal, handler, text }) => {
    const listener = (): void => {
      trapped(text);
      handlers[handler]();
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) process.off(signal, listener);
  };
}
