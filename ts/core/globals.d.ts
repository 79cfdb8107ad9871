// The few platform names that core, lib and ports may use although they are not part of ECMAScript: every JavaScript runtime has them and
// none of them is a clock, a source of chance or a way out of the process. Everything else of Node is a type error here, on purpose.

interface TextEncoder {
  readonly encoding: string;
  encode(text?: string): Uint8Array;
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}

declare const TextEncoder: { new (): TextEncoder };

interface TextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  decode(bytes?: Uint8Array): string;
}

declare const TextDecoder: { new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder };
