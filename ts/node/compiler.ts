// How soon V8 compiles with its optimizing compiler what runs often.
//
// The V8 of Node 20 does so after a thousand calls or fewer, the fewer the longer the function, and on threads of its own, tenths of a second of a
// processor in all. A server that was just started has its clients connecting at that moment: where there are two processors, compiling was a
// quarter of what 2,000 connections cost altogether, for long functions that had run most of their turns by then. With a smaller allowance a long
// function is looked at more often before it is compiled, and a short one, as most of those that a message passes through, about as soon as
// before. Later versions count calls, 3,000 of them, and have no such flag.
//
// It holds for the first seconds only: functions that are compiled late cost a synchronous publisher a tenth of its rate for tens of thousands
// of messages.

import { setFlagsFromString } from 'node:v8';

/** A function is looked at three times, and once more for each so many bytes of its bytecode: at first, and as V8 has it. */
const FIRST_BYTES_PER_LOOK = 10;
const BYTES_PER_LOOK = 150;
const FIRST_MS = 2000;

/** Holds for the whole process: for the program, which owns it, and not for who embeds a server. */
export function compileLongFunctionsLater(v8 = process.versions.v8): void {
  if (!v8.startsWith('11.')) return;
  const look = (bytes: number): void => setFlagsFromString(`--bytecode-size-allowance-per-tick=${bytes}`);
  look(FIRST_BYTES_PER_LOOK);
  setTimeout(look, FIRST_MS, BYTES_PER_LOOK).unref();
}
