// The log port made real: levels, destination, rotation and reopening, all of them changeable while the server runs.
// Kept true: a fatal line is on its way before `fatal` returns; a file that cannot be opened again leaves the old one in use; rotated files
// carry the moment in their name and only as many as asked for are kept.

import { readdirSync, renameSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import type { Options } from '../core/config/options.ts';
import { lineFormat, type LineFormat, type LogLevel } from '../lib/log-line.ts';
import type { Log } from '../ports/log.ts';
import { LogSink } from './log-sink.ts';
import { Syslog } from './syslog.ts';
import { WallTime } from './wall-time.ts';

export type LogOptions = Pick<
  Options,
  'debug' | 'trace' | 'logtime' | 'logtimeUtc' | 'logFile' | 'logSizeLimit' | 'logMaxNum' | 'syslog' | 'remoteSyslog'
>;

export interface ServerLog extends Log {
  /** Takes over changed options; throws when a new log file cannot be opened, and then keeps the old settings. */
  apply(options: LogOptions): void;
  /** Closes and opens the log file again, for those who move it away (SIGUSR1). */
  reopen(): void;
  /** Writes out everything before it returns: for the last moments of the process. */
  flush(): void;
  /** Flushes and closes the file; the log is not used afterwards. */
  close(): void;
}

/** Opens whichever syslog the options ask for, if they ask for one; a file wins over it. `tag` is the program's name there. */
function openSyslog(options: LogOptions, tag: string): Promise<Syslog> | undefined {
  const { logFile, syslog, remoteSyslog } = options;
  return logFile === '' && (syslog || remoteSyslog !== '') ? Syslog.open(remoteSyslog, tag) : undefined;
}

/** Throws when the log file cannot be opened. */
export function openLog(options: LogOptions, tag = '', syslog?: Syslog): ServerLog {
  return new FileOrStderrLog(options, syslog, tag);
}

/** Rejects when what the options ask for cannot be had. */
export async function openLogOrSyslog(options: LogOptions, tag: string): Promise<ServerLog> {
  return openLog(options, tag, await openSyslog(options, tag));
}

class FileOrStderrLog implements ServerLog {
  debugOn = false;
  traceOn = false;
  #options: LogOptions;
  #format: LineFormat;
  #sink: LogSink;
  /** Has the lines in place of the sink. */
  #syslog: Syslog | undefined;
  readonly #tag: string;
  readonly #flushAtExit = (): void => this.flush();

  constructor(options: LogOptions, syslog: Syslog | undefined, tag: string) {
    this.#options = options;
    this.#syslog = syslog;
    this.#tag = tag;
    this.#sink = this.#open(options.logFile);
    this.#format = this.#formatFor(options);
    this.#levels(options);
    process.on('exit', this.#flushAtExit);
  }

  apply(options: LogOptions): void {
    const before = this.#options;
    if (options.logFile !== before.logFile) {
      const sink = this.#open(options.logFile);
      this.#sink.close();
      this.#sink = sink;
    }
    this.#options = options;
    this.#format = this.#formatFor(options);
    this.#levels(options);
    if (destinationOf(options) !== destinationOf(before)) this.#changeSyslog(options);
  }

  reopen(): void {
    if (this.#syslog !== undefined || this.#sink.path === undefined) {
      this.info('File log re-open ignored, not a file logger');
      return;
    }
    try {
      const sink = this.#open(this.#sink.path);
      this.#sink.close();
      this.#sink = sink;
      this.info('File log re-opened');
    } catch (error) {
      this.error(`Unable to re-open the log file, the old one stays in use: ${(error as Error).message}`);
    }
  }

  flush(): void {
    this.#sink.flush();
  }

  close(): void {
    process.off('exit', this.#flushAtExit);
    this.#sink.close();
    this.#syslog?.close();
  }

  fatal(text: string): void {
    this.#line('fatal', text);
    this.#sink.flush();
  }

  error(text: string): void {
    this.#line('error', text);
  }

  warn(text: string): void {
    this.#line('warn', text);
  }

  info(text: string): void {
    this.#line('info', text);
  }

  debug(text: string): void {
    if (this.debugOn) this.#line('debug', text);
  }

  trace(text: string): void {
    if (this.traceOn) this.#line('trace', text);
  }

  #line(level: LogLevel, text: string): void {
    if (this.#syslog !== undefined) return this.#syslog.send(level, text);
    this.#sink.append(this.#format(level, text, wall.nowMs()));
  }

  #levels({ debug, trace }: LogOptions): void {
    this.debugOn = debug;
    this.traceOn = trace;
  }

  #formatFor({ logtime, logtimeUtc, logFile }: LogOptions): LineFormat {
    const colours = logFile === '' && isatty(2);
    return lineFormat({ pid: process.pid, time: logtime, utc: logtimeUtc, colours });
  }

  #open(path: string): LogSink {
    return path === '' ? LogSink.stderr() : LogSink.file(path, () => this.#rotateIfFull());
  }

  /** Lines go where they went until the other syslog can take them. */
  #changeSyslog(options: LogOptions): void {
    const take = (syslog: Syslog | undefined): void => {
      if (this.#options !== options) return syslog?.close();
      this.#syslog?.close();
      this.#syslog = syslog;
    };
    const opening = openSyslog(options, this.#tag);
    if (opening === undefined) take(undefined);
    else opening.then(take, (error: Error) => this.error(`${error.message}, lines go where they went`));
  }

  #rotateIfFull(): void {
    const { logSizeLimit, logMaxNum } = this.#options;
    const { path, size } = this.#sink;
    if (path === undefined || logSizeLimit <= 0 || size <= logSizeLimit) return;
    const backup = `${path}.${momentText(wall.nowMs(), this.#options.logtimeUtc)}`;
    try {
      renameSync(path, backup);
      const sink = this.#open(path);
      this.#sink.close();
      this.#sink = sink;
    } catch (error) {
      this.#options = { ...this.#options, logSizeLimit: 0 };
      this.error(`Unable to rotate the log file, it grows from here on: ${(error as Error).message}`);
      return;
    }
    this.info(`Rotated log, backup saved as "${backup}"`);
    for (const name of purgeBackups(path, logMaxNum)) this.info(`Purged log file "${name}"`);
    this.#sink.startOver();
  }
}

/** Two settings with equal ones send lines to the same place, as far as no file is meant. */
function destinationOf({ logFile, syslog, remoteSyslog }: LogOptions): string {
  return logFile !== '' ? 'file' : remoteSyslog !== '' ? remoteSyslog : syslog ? 'syslog' : 'stderr';
}

const wall = new WallTime();

/** `2026.11.23.05.52.10.513575338`: sorts as text in the order of time. */
function momentText(ms: number, utc: boolean): string {
  const whole = new Date(Math.floor(ms));
  const local = new Date(whole.getTime() - (utc ? 0 : whole.getTimezoneOffset() * 60_000));
  const nanos = Math.floor((ms % 1000) * 1e6);
  return `${local.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '.')}.${String(nanos).padStart(9, '0')}`;
}

/** Removes the oldest backups so that, with the file in use, `keep` are left; 0 keeps all. Returns the names removed. */
function purgeBackups(path: string, keep: number): string[] {
  if (keep <= 0) return [];
  const name = basename(path);
  const isBackup = new RegExp(`^\\.\\d{4}(\\.\\d{2}){5}\\.\\d{9}$`);
  const folder = dirname(path);
  const backups = readdirSync(folder)
    .filter((entry) => entry.startsWith(name) && isBackup.test(entry.slice(name.length)))
    .sort();
  const purged = backups.slice(0, Math.max(0, backups.length - keep + 1));
  for (const entry of purged) unlinkSync(join(folder, entry));
  return purged;
}
