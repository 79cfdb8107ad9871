// A tar of regular files, read piece by piece. Names and sizes may come from extended (PAX) headers and from GNU's long names. Anything that is
// no regular file is refused: an archive of a stream has none, and none may reach out of the directory it is unpacked into.

import { ArchiveError } from './archive-error.ts';
import { concatBytes } from './s2-stream.ts';
import { readTarHeader, tarBlock, tarType, type TarHeader } from './tar-header.ts';

const mostExtension = 1 << 20;
const decoder = new TextDecoder();

/** What a reader tells: a member begins, its content in order, it is complete. */
export interface TarSink {
  begin(name: string, size: number): void;
  data(bytes: Uint8Array): void;
  finish(): void;
}

/** The records of an extended header: `<length> <key>=<value>\n`. */
function readPax(bytes: Uint8Array): Map<string, string> {
  const out = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 ? '' : decoder.decode(bytes.subarray(at, blank));
    const length = Number(digits);
    const record = decoder.decode(bytes.subarray(blank + 1, at + length));
    const equals = record.indexOf('=');
    const fits = /^\d{1,7}$/.test(digits) && at + length <= bytes.length && length > digits.length + 1;
    if (!fits || equals <= 0 || !record.endsWith('\n')) throw new ArchiveError('tar: invalid extended header');
    out.set(record.slice(0, equals), record.slice(equals + 1, -1));
    at += length;
  }
  return out;
}

export class TarReader {
  readonly #sink: TarSink;
  readonly #block = new Uint8Array(tarBlock);
  #filled = 0;
  /** The member under way, how much of it is to come, and the zeros behind it. */
  #member: TarHeader | undefined;
  #left = 0;
  #padding = 0;
  /** Content of an extended header under way. */
  #extension: Uint8Array[] = [];
  #name: string | undefined;
  #size: number | undefined;
  #ended = false;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** Takes the next piece. Throws an ArchiveError; then the archive is over. What stands behind the end is not looked at. */
  push(piece: Uint8Array): void {
    for (let at = 0; at < piece.length && !this.#ended;) {
      const rest = piece.subarray(at);
      if (this.#left > 0) at += this.#content(rest);
      else if (this.#padding > 0) at += this.#skip(rest);
      else at += this.#header(rest);
    }
  }

  /** The archive has ended. */
  end(): void {
    if (!this.#ended && (this.#filled > 0 || this.#left > 0 || this.#padding > 0 || this.#name !== undefined))
      throw new ArchiveError('tar: the archive ends within a member');
  }

  #header(piece: Uint8Array): number {
    const taken = Math.min(tarBlock - this.#filled, piece.length);
    this.#block.set(piece.subarray(0, taken), this.#filled);
    this.#filled += taken;
    if (this.#filled < tarBlock) return taken;
    this.#filled = 0;
    const header = readTarHeader(this.#block);
    if (header === undefined) this.#ended = true;
    else this.#begin(header);
    return taken;
  }

  #begin(header: TarHeader): void {
    const isFile = header.type === tarType.file || header.type === tarType.oldFile;
    const isExtension = header.type === tarType.pax || header.type === tarType.paxGlobal || header.type === tarType.longName;
    if (!isFile && !isExtension) throw new ArchiveError(`tar: "${header.name}" is not a regular file`);
    const size = isFile ? (this.#size ?? header.size) : header.size;
    if (isExtension && size > mostExtension) throw new ArchiveError('tar: invalid extended header');
    this.#member = header;
    this.#left = size;
    this.#padding = (tarBlock - (size % tarBlock)) % tarBlock;
    if (isFile) {
      this.#sink.begin(this.#name ?? header.name, size);
      this.#name = undefined;
      this.#size = undefined;
    }
    if (size === 0) this.#finish();
  }

  #content(piece: Uint8Array): number {
    const part = piece.subarray(0, Math.min(this.#left, piece.length));
    this.#left -= part.length;
    if (this.#inFile) this.#sink.data(part);
    else this.#extension.push(part.slice());
    if (this.#left === 0) this.#finish();
    return part.length;
  }

  get #inFile(): boolean {
    return this.#member?.type === tarType.file || this.#member?.type === tarType.oldFile;
  }

  #skip(piece: Uint8Array): number {
    const skipped = Math.min(this.#padding, piece.length);
    this.#padding -= skipped;
    return skipped;
  }

  #finish(): void {
    if (this.#inFile) return this.#sink.finish();
    const bytes = concatBytes(this.#extension);
    this.#extension = [];
    if (this.#member?.type === tarType.longName) {
      const end = bytes.indexOf(0);
      this.#name = decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
    } else if (this.#member?.type === tarType.pax) {
      this.#extend(readPax(bytes));
    }
  }

  #extend(records: ReadonlyMap<string, string>): void {
    this.#name = records.get('path') ?? this.#name;
    const size = records.get('size');
    if (size === undefined) return;
    if (!/^\d{1,15}$/.test(size)) throw new ArchiveError('tar: invalid extended header');
    this.#size = Number(size);
  }
}
